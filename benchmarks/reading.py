"""Seconds and peak memory of reading a large deposit with only the columns that are needed.

    python benchmarks/reading.py
    python benchmarks/reading.py --formats sav dta --rows 175000 --columns 300 --whole

The file holds the example's Community Life Survey, its rows drawn again up to ``--rows``, and columns of labelled codes
up to ``--columns``. It is written to a folder that is removed at the end. Each reading has a process of its own, in
which a file of 1,000 rows is read first, so that imports are apart. ``--whole`` also reads every column of the file as
it stands, which says what is saved.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common.child import call, measure

from placewise.errors import Problems
from placewise.geography.areas import AreaTable
from placewise.geography.columnar import read_labelled
from placewise.geography.tables import open_table
from placewise.pipeline.example.labelled import LabelledTable, write_labelled
from placewise.pipeline.example.write import make_deposits, make_tables
from placewise.surveys.cls.reading import read_community_life
from placewise.surveys.spec import CommunityLifeKeys, SurveySpec

NEEDED = ("belonging", "satisfaction", "chatting", "sex")
LABELS = {1: "Yes, often", 2: "Yes, sometimes", 3: "No", 8: "Don't know", 9: "Refused"}
WARM_ROWS = 1_000


def make_file(path: Path, rows: int, columns: int, seed: int = 1) -> None:
    """Write a deposit of so many rows and columns; further columns are labelled codes, every tenth a number."""
    made = make_deposits(small=True).community_life
    rng = np.random.default_rng(seed)
    drawn = made.frame.iloc[rng.integers(len(made.frame), size=rows)].reset_index(drop=True)
    drawn["Cserial"] = 1 + np.arange(rows)
    names = [f"Q{i:03d}" for i in range(columns - drawn.shape[1])]
    codes = rng.choice(np.array(list(LABELS), dtype=np.int8), size=(rows, len(names)))
    further = pd.DataFrame(codes, columns=names)
    further[names[::10]] = further[names[::10]] * rng.random((rows, len(names[::10])))
    labelled = {name: LABELS for i, name in enumerate(names) if i % 10}
    wordings = {name: text[:80] for name, text in made.variables.items()}
    table = pd.concat([drawn, further], axis=1)
    write_labelled(LabelledTable(table, wordings, {**made.values, **labelled}, made.missing), path)


def read_needed(path: Path) -> int:
    """Respondents that the reader of the Community Life Survey keeps, with their answers, weights and areas."""
    table = make_tables(small=True)["areas.parquet"][["oa", "lad", "region"]].astype("str")
    areas = AreaTable(table, "oa", ("lad", "region"), (), None, np.ones(len(table), dtype=bool))
    keys = CommunityLifeKeys(year_column="Year", mode_column="Mode", pool_modes=True)
    spec = SurveySpec("cls", path, "LAD", "lad", reader="cls", weight="Weight", mode="mode", community_life=keys)
    problems = Problems()
    found = read_community_life(spec, areas, NEEDED[1:], problems, NEEDED[:1])
    problems.raise_if_any()
    assert found is not None
    return len(found)


def read_whole(path: Path) -> int:
    """Rows of the file, every column read as it stands."""
    problems = Problems()
    file = open_table(path, "file", problems)
    problems.raise_if_any()
    assert file is not None
    return len(read_labelled(path, file.columns)[0])


def cost(path: str, small: str, what: str) -> dict[str, Any]:
    """Read the small file, then the large one, in this process; memory before and at the peak, in MiB."""
    read = {"needed": read_needed, "whole": read_whole}[what]
    read(Path(small))
    start = measure(lambda: None).peak_mib
    found = measure(lambda: read(Path(path)))
    return {"rows": found.value, "wall": found.wall, "cpu": found.cpu, "start_mib": start, "peak_mib": found.peak_mib}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--formats", nargs="+", choices=("sav", "dta"), default=["sav"])
    parser.add_argument("--rows", type=int, default=175_000)
    parser.add_argument("--columns", type=int, default=300)
    parser.add_argument("--whole", action="store_true", help="also read every column of the file as it stands")
    parser.add_argument("--seconds", type=float, default=600.0, help="after which a reading is stopped")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args(arguments)
    print("format  columns read  file, MB  rows  seconds by the clock  of the processor  MiB before  MiB at the peak")
    with tempfile.TemporaryDirectory() as folder:
        for suffix in args.formats:
            path, small = Path(folder, f"large.{suffix}"), Path(folder, f"small.{suffix}")
            make_file(path, args.rows, args.columns)
            make_file(small, min(args.rows, WARM_ROWS), args.columns)
            for what in ("needed", "whole")[: 1 + args.whole]:
                given = {"path": str(path), "small": str(small), "what": what}
                ended = call("reading:cost", given, args.seconds, args.threads)
                size = path.stat().st_size / 1e6
                print(f"{suffix:6}  {what:12}  {size:8.0f}", ended.error or line(ended.result), sep="  ", flush=True)
            path.unlink()


def line(row: dict[str, Any]) -> str:
    """One reading as text."""
    return f"{row['rows']:,}  {row['wall']:.1f}  {row['cpu']:.1f}  {row['start_mib']:.0f}  {row['peak_mib']:.0f}"


if __name__ == "__main__":
    main()
