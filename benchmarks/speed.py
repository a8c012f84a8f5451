"""Time and memory of an engine: over respondents, over area effects, ordinal beside binary, all in one run.

    python benchmarks/speed.py
    python benchmarks/speed.py --parts respondents family --repeats 5 --minutes 20

Parts: ``respondents``, the standard problem (9 slopes, 8 varying intercepts, 7,640 unknowns) from 5,000 to 170,000
respondents; ``areas``, as many respondents as the largest number of areas, from 300 to 190,000 areas with an effect
each; ``family``, five ordered categories beside binary answers of the same people. Every fit has its own process, in
which a tiny problem is fitted first, so that compilation is apart. Repeats are new answers of the same people; they are
the outermost loop, so that a study stopped early has something of everything.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from common.child import call
from common.page import Section, write_page
from common.study import Cell, Study, add_arguments, mean_error, page_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PARTS = ("respondents", "areas", "family")
KEYS = ("engine", "part", "family", "n", "areas", "draws", "repeat")
COLUMNS = (
    *("wall", "cpu", "peak_mib", "start_mib", "compile", "unknowns", "area_effects"),
    *("predicted_wall", "error"),
)
SIZES = (5_000, 10_000, 30_000, 90_000, 170_000)
AREAS = (300, 1_000, 3_000, 10_000, 30_000, 90_000, 190_000)
# seconds by the clock for binary answers to the standard problem, by a prototype before the engine was written
PREDICTED = {30_000: 7.4, 170_000: 24.0}
FAMILY_SIZE = 30_000
MEASURES = ("wall", "cpu", "peak_mib")
TO_REACH = "30,000 respondents within 10 s, 170,000 within 30 s, cumulative at most twice bernoulli, growth near-linear"


def cells(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Fits in the order they are done."""
    common = {"engine": args.engine, "draws": args.draws}
    for repeat in range(args.repeats):
        if "family" in args.parts:
            for family in ("bernoulli", "cumulative"):
                yield common | {"part": "family", "family": family, "n": args.ordinal, "areas": 0, "repeat": repeat}
        if "respondents" in args.parts:
            for n in args.sizes:
                yield common | {"part": "respondents", "family": "bernoulli", "n": n, "areas": 0, "repeat": repeat}
        if "areas" in args.parts:
            for areas in args.areas:
                n = max(args.areas)
                yield common | {"part": "areas", "family": "bernoulli", "n": n, "areas": areas, "repeat": repeat}


def work(cell: Cell, seconds: float, threads: int, shrink: int) -> Mapping[str, Any]:
    """A row: the cost of one fit, or why there is none."""
    arguments = {name: cell[name] for name in ("n", "areas", "family", "engine", "draws")}
    problem = "nested" if cell["part"] == "areas" else "standard"
    arguments |= {"problem": problem, "replicate": cell["repeat"], "shrink": shrink}
    ended = call("common.fits:fit", arguments, seconds, threads)
    row: dict[str, Any] = {"predicted_wall": predicted(cell)} if shrink == 1 else {}
    return row | ({"error": ended.error} if ended.error else ended.result)


def predicted(cell: Cell) -> float | None:
    """What was expected of the fast engine."""
    standard = cell["part"] != "areas" and cell["family"] == "bernoulli"
    return PREDICTED.get(cell["n"]) if cell["engine"] == "laplace" and standard else None


def ratios(rows: pd.DataFrame) -> pd.DataFrame:
    """Cumulative over bernoulli of the same people, repeat by repeat."""
    part = rows[(rows["part"] == "family") & rows["wall"].notna()]
    wide = part.pivot_table(index=["engine", "n", "repeat"], columns="family", values=list(MEASURES))
    if not {"bernoulli", "cumulative"} <= set(part["family"]):
        return pd.DataFrame()
    ratio = {m: wide[(m, "cumulative")] / wide[(m, "bernoulli")] for m in MEASURES}
    return mean_error(pd.DataFrame(ratio).dropna().reset_index(), ["engine", "n"], MEASURES)


def growth(rows: pd.DataFrame, part: str, size: str) -> pd.DataFrame:
    """Exponents of growth by least squares on the log scale, one a repeat: 1 is linear."""
    found = []
    chosen = rows[(rows["part"] == part) & rows["wall"].notna()]
    for (engine, repeat), own in chosen.groupby(["engine", "repeat"], sort=False):
        if own[size].nunique() > 1:
            x = np.log(own[size].to_numpy(np.float64))
            slopes = {m: float(np.polyfit(x, np.log(own[m].to_numpy(np.float64)), 1)[0]) for m in MEASURES}
            found.append({"engine": engine, "repeat": repeat} | slopes)
    return mean_error(pd.DataFrame(found), ["engine"], MEASURES) if found else pd.DataFrame()


def plot(table: pd.DataFrame, size: str, label: str) -> Figure:
    """Seconds and memory over the size of the problem, with a line of linear growth through the last point."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4))
    names = {"wall": "seconds by the clock", "peak_mib": "peak resident memory, MiB"}
    for axes, (measure, words) in zip(figure.subplots(1, 2), names.items(), strict=True):
        for engine, own in table.sort_values(size).groupby("engine"):
            axes.errorbar(own[size], own[measure], own[f"{measure}_se"].fillna(0.0), marker="o", label=str(engine))
            last = own.iloc[-1]
            axes.plot(own[size], last[measure] * own[size] / last[size], "--", color="#999", label="linear")
        axes.set(xscale="log", yscale="log", xlabel=label, ylabel=words)
        axes.legend()
    figure.tight_layout()
    return figure


def sections(rows: pd.DataFrame) -> list[Section]:
    """What the page shows of the finished rows."""
    found = []
    for part, size, label in (("respondents", "n", "respondents"), ("areas", "area_effects", "area effects")):
        chosen = rows[(rows["part"] == part) & rows["wall"].notna()]
        if len(chosen):
            table = mean_error(chosen, ["engine", "n", "area_effects", "unknowns", "draws"], [*MEASURES, "compile"])
            if part == "respondents":
                table = table.merge(chosen[["engine", "n", "predicted_wall"]].drop_duplicates(), how="left")
            found.append(Section(f"Growth over {label}", figure=plot(table, size, label), caption=label, table=table))
            exponents = growth(rows, part, size)
            if len(exponents):
                found.append(Section(f"Exponents of growth over {label}", "1 is linear.", table=exponents))
    ratio = ratios(rows)
    if len(ratio):
        text = "Five ordered categories over binary answers of the same people: ratios, fits side by side."
        found.append(Section("Ordinal beside binary", text, table=ratio))
    failed = rows[rows["error"].notna()]
    if len(failed):
        found.append(Section("Fits without a result", table=failed[[*KEYS, "error"]]))
    return found


def make_page(path: Path, rows: pd.DataFrame) -> list[Section]:
    """Write the page and return its sections."""
    lead = (
        "Time and peak memory of whole fits, posterior draws included, each in a process of its own after a tiny fit "
        f"that compiles. Means over repeats ± Monte-Carlo standard error. To reach: {TO_REACH}."
    )
    parts = sections(rows)
    write_page(path, "Speed of the engines", lead, parts, rows)
    return parts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser, "speed")
    parser.add_argument("--engine", default="laplace")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES, help="respondents")
    parser.add_argument("--areas", nargs="+", type=int, default=AREAS, help="areas with an effect")
    parser.add_argument("--ordinal", type=int, default=FAMILY_SIZE, help="respondents of the part family")
    parser.add_argument("--shrink", type=int, default=1, help="divides local authorities and MSOAs: small trials")
    parser.add_argument("--seconds", type=float, default=900, help="limit of one fit (default 900)")
    args = parser.parse_args()
    study = Study(args.csv, KEYS, COLUMNS, args.stale)
    rows = study.run(cells(args), lambda cell: work(cell, args.seconds, args.threads, args.shrink), args.minutes)
    for section in make_page(page_path(args), rows):
        print(f"\n{section.heading}")
        if section.table is not None:
            print(section.table.to_string(index=False, float_format="{:.4g}".format))


if __name__ == "__main__":
    main()
