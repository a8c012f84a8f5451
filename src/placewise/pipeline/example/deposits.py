"""Both widened surveys of a country and the truth that they are drawn from, as files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from placewise.pipeline.example.adults import Progress, census
from placewise.pipeline.example.community_life import approach, community_life
from placewise.pipeline.example.items import cutpoints
from placewise.pipeline.example.labelled import LabelledTable, write_labelled
from placewise.pipeline.example.outcomes import outcome_truths
from placewise.pipeline.example.panel import issue, two_waves
from placewise.pipeline.example.sampling import Places
from placewise.pipeline.example.sizes import SurveySize
from placewise.pipeline.example.traits import Country
from placewise.pipeline.example.understanding import GEOGRAPHIES, Study

# Folders as the archive unpacks them.
FOLDERS = {
    "tab": "UKDA-{}-tab/tab/ukhls",
    "sav": "UKDA-{}-spss/spss/spss28/ukhls",
    "dta": "UKDA-{}-stata/stata/stata13_se/ukhls",
}
STUDY = "6614"


@dataclass(frozen=True, eq=False)
class Deposits:
    """Two surveys and the truth behind them.

    Parameters
    ----------
    community_life : LabelledTable
    study : dict of str to LabelledTable
        Files of the panel by name without ending.
    truths : dict of str to DataFrame
        By outcome.
    geography : str
        Kind of the panel's special-licence file.
    """

    community_life: LabelledTable
    study: dict[str, LabelledTable]
    truths: dict[str, pd.DataFrame]
    geography: str


def draw_deposits(
    country: Country,
    size: SurveySize,
    of_adults: np.random.SeedSequence,
    of_surveys: np.random.SeedSequence,
    *,
    geography: str = "lsoa21",
    progress: Progress | None = None,
) -> Deposits:
    """Draw every adult of a country, then both surveys from them.

    Parameters
    ----------
    country : Country
    size : SurveySize
    of_adults, of_surveys : SeedSequence
        The same give the same people, and the same tables.
    geography : str
        Of the panel, one of `understanding.GEOGRAPHIES`.
    progress : callable, optional
        Called with the number of areas done and in all.

    Returns
    -------
    Deposits
    """
    rng = [np.random.default_rng(s) for s in of_surveys.spawn(4)]
    places, cuts = Places(country), cutpoints(country)
    approached = approach(places, size, rng[0])
    issued = issue(places, size, rng[1])
    wanted = [*approached.values(), issued.adults]
    totals, people = census(country, cuts, np.concatenate(wanted), of_adults, progress)
    rows = np.split(np.arange(len(people.area)), np.cumsum([len(w) for w in wanted])[:-1])
    by_year = {year: people.take(r) for year, r in zip(approached, rows, strict=False)}
    waves = two_waves(country, places, issued, people.take(rows[-1]), rng[1])
    return Deposits(
        community_life(country, places, cuts, by_year, rng[2]),
        Study(country, places, cuts, issued, rng[3], geography).files(waves),
        outcome_truths(country, totals),
        geography,
    )


def write_deposits(deposits: Deposits, folder: Path, form: str = "tab") -> None:
    """Write ``cls/community_life.sav``, ``ukhls/`` in folders as unpacked, and ``truth_<outcome>.parquet``.

    Parameters
    ----------
    deposits : Deposits
    folder : Path
        Folder of data.
    form : {"tab", "sav", "dta"}
        Of the panel's files.
    """
    write_labelled(deposits.community_life, folder / "cls" / "community_life.sav")
    for name, table in deposits.study.items():
        number = GEOGRAPHIES[deposits.geography][0] if name.endswith("_protect") else STUDY
        write_labelled(table, folder / "ukhls" / FOLDERS[form].format(number) / f"{name}.{form}")
    for outcome, truth in deposits.truths.items():
        write_parquet(truth, folder / f"truth_{outcome}.parquet")


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Write a table without anything of the machine it was made on."""
    plain = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(plain, path, compression="zstd", compression_level=15)
