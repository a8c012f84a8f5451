"""Placewise beside other programs on the same data: time, memory, distance from a reference posterior.

    python benchmarks/beside.py --seconds 300
    python benchmarks/beside.py --generated 5000 --shrink 10

The data are the anchor P1 (30,000 respondents, 7,640 unknowns) where the reference data are present. With --generated
they are simulated and the reference is a run of the exact engine, kept beside the CSV. R's packages are used where
Rscript finds them; a program that is absent or takes too long has a row that says so.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from common import case as cases
from common.child import Ended, call
from common.page import Section, write_page
from common.programs import R_PROGRAMS, in_r
from common.study import Cell, Study, add_arguments, page_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KEYS = ("case", "program")
COST = ("wall", "cpu", "compile", "peak_mib")
QUALITY = ("slopes", "slopes_sd", "sds", "zero_sds", "areas", "areas_sd")
COLUMNS = (*COST, *QUALITY, "predicted_cpu", "note", "error")
PROGRAMS = ("placewise laplace", "nutpie", "PyMC", "statsmodels", *R_PROGRAMS)
OPTIONAL = ("placewise nuts",)
# processor seconds on P1, from trials before the engine was written: the engine's by a prototype, PyMC's extrapolated,
# nutpie's from 99 s for a chain of 1,000 iterations of a better parametrisation, for six of 1,400
PREDICTED = {"placewise laplace": 7.4, "PyMC": 8500.0, "nutpie": 832.0, "glmmTMB": 34.0}
STARTING = 120.0  # seconds a child may take besides sampling: imports, data, compilation
REFERENCE_DRAWS = 8000


def run_program(program: str, source: Mapping[str, Any], seconds: float, threads: int) -> Ended:
    """One program's fit, stopped after about ``seconds``."""
    common = {"source": dict(source)}
    timed = common | {"seconds": seconds, "seed": 1, "threads": threads}
    if program in R_PROGRAMS:
        return in_r(source, program, seconds, threads)
    if program == "statsmodels":
        return call("common.programs:statsmodels", common, seconds + STARTING, threads)
    if program in ("PyMC", "nutpie"):
        return call(f"common.programs:{program.lower()}", timed, seconds + STARTING, threads)
    engine = program.removeprefix("placewise ")
    own = common | {"engine": engine, "draws": 1000, "seed": 1}
    return call("common.programs:placewise", own, seconds + STARTING, threads)


def work(cell: Cell, source: Mapping[str, Any], case: cases.Case, seconds: float, threads: int) -> dict[str, Any]:
    """A row: what a program cost and how far from the reference it came."""
    program = cell["program"]
    predicted = PREDICTED.get(program) if cell["case"] == "P1" else None
    ended = run_program(program, source, seconds, threads)
    if ended.error:
        return {"predicted_cpu": predicted, "error": ended.error}
    row = {name: ended.result[name] for name in (*COST, "note")} | {"predicted_cpu": predicted}
    if ended.result["table"] is None or case.reference is None:
        return row
    found = pd.read_csv(io.StringIO(ended.result["table"]), index_col="parameter")
    return row | cases.distances(found, case.reference)


def generated_source(args: argparse.Namespace) -> dict[str, Any]:
    """The generated case; its reference posterior is computed once."""
    path: Path = args.csv.with_name(f"{args.csv.stem}.reference_{args.generated}_{args.shrink}.csv")
    source: dict[str, Any] = {"respondents": args.generated, "shrink": args.shrink}
    if not path.exists():
        print("the reference: a long run of the exact engine", flush=True)
        arguments = {"source": source, "engine": "nuts", "draws": args.reference_draws, "seed": 2}
        ended = call("common.programs:placewise", arguments, 60 * args.minutes, args.threads)
        if ended.error:
            raise SystemExit(f"no reference posterior: {ended.error}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(ended.result["table"])
    return source | {"reference": str(path)}


def plot(rows: pd.DataFrame) -> Figure:
    """Seconds against distance of the areas from the reference; dotted lines mark those without an answer."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5))
    axes = figure.subplots()
    answered = rows["areas"].notna()
    for row in rows[answered].to_dict("records"):
        at = (float(row["wall"]), max(float(row["areas"]), 1e-3))
        axes.plot(*at, "o", color="#1b6ca8")
        axes.annotate(str(row["program"]), at, xytext=(6, 4), textcoords="offset points")
    for row in rows[~answered & rows["wall"].notna()].to_dict("records"):
        axes.axvline(float(row["wall"]), color="#999", linestyle=":")
        along = axes.get_xaxis_transform()
        axes.text(float(row["wall"]), 0.98, str(row["program"]), rotation=90, ha="right", va="top", transform=along)
    axes.set(xscale="log", xlabel="seconds by the clock", ylabel="mean |difference| of areas, posterior sd")
    if answered.any():
        axes.set_yscale("log")
    return figure


def make_page(path: Path, rows: pd.DataFrame, seconds: float) -> None:
    """The page of all rows."""
    lead = (
        "Time and distance from a long independent run of NUTS. Distances are means of |difference| in units of the "
        "reference's posterior sd (sds on the log scale); slopes_sd and areas_sd are median ratios of posterior sds, "
        "empty where a program gives none. Maximum-likelihood programs have no priors and statsmodels has its own, "
        "so part of their distance is another model. The chains of PyMC and nutpie are extrapolated from one, run for "
        f"at most {seconds:.0f} s; dotted lines mark those that did not end. Compilation is apart."
    )
    sections = [
        Section(str(name), figure=plot(part), caption="Time and distance of the named areas", table=part)
        for name, part in rows.groupby("case", sort=False)
    ]
    write_page(path, "Placewise beside other programs", lead, sections, rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add_arguments(parser, "beside")
    parser.add_argument("--seconds", type=float, default=300, help="limit of each (default 300), and 120 to start")
    parser.add_argument("--programs", nargs="+", choices=(*PROGRAMS, *OPTIONAL), default=PROGRAMS)
    parser.add_argument("--generated", type=int, metavar="N", help="simulate N respondents instead of P1")
    parser.add_argument("--shrink", type=int, default=1, help="divides the simulated local authorities and MSOAs")
    parser.add_argument("--reference-draws", type=int, default=REFERENCE_DRAWS, help="of a generated case")
    args = parser.parse_args()
    if args.generated is None and cases.anchor_folder() is None:
        raise SystemExit("the anchor P1 is absent: set PLACEWISE_SHARED, or use --generated")
    source = {} if args.generated is None else generated_source(args)
    name = f"generated {args.generated} / {args.shrink}" if source else "P1"
    case = cases.load(source)
    study = Study(args.csv, KEYS, COLUMNS, args.stale)
    cells = [{"case": name, "program": program} for program in args.programs]
    rows = study.run(cells, lambda cell: work(cell, source, case, args.seconds, args.threads), args.minutes)
    with pd.option_context("display.width", 250, "display.max_columns", None, "display.float_format", "{:.3g}".format):
        print(rows[[*KEYS, *COST, *QUALITY]].replace({np.nan: ""}).to_string(index=False))
    make_page(page_path(args), rows, args.seconds)


if __name__ == "__main__":
    main()
