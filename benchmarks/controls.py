"""Negative controls: switch off one part of the projection, or spoil one input, and score against the truth.

A check that cannot fail shows nothing. Each row below the first should be worse than the first; `placewise score` ends
with status 1 where an area is missing.

    python benchmarks/controls.py --release reports/belonging/release --truth data/truth.parquet
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from placewise.diagnostics.score import build_truth, score_tables
from placewise.estimates.predictor import Predictor
from placewise.estimates.release import read_release
from placewise.estimates.summarise import summarise


def without_spread(predictor: Predictor, names: set[str]) -> Predictor:
    """Effects of some groups set to nothing: what a projection from coefficients does."""
    effects = tuple(
        dataclasses.replace(e, draws=np.zeros_like(e.draws), sd=np.zeros_like(e.sd)) if e.name in names else e
        for e in predictor.effects
    )
    return dataclasses.replace(predictor, effects=effects)


def variants(predictor: Predictor) -> Iterator[tuple[str, pd.DataFrame]]:
    """Estimates by the whole method, then with one part off or one input wrong."""
    rng = np.random.default_rng(1)
    geography = {predictor.code, *predictor.levels}
    people_off = dataclasses.replace(predictor, finite_population=False)
    whole = summarise(predictor).estimates
    yield "as published", whole
    yield "people not drawn", summarise(people_off).estimates
    yield "area's own effect off", summarise(without_spread(predictor, {predictor.code})).estimates
    yield "area's own effect off, people not drawn", summarise(without_spread(people_off, {predictor.code})).estimates
    yield "coefficients and classes only", summarise(without_spread(people_off, geography)).estimates
    small = whole["area_level"] == predictor.code
    spoiled = whole.copy()
    spoiled.loc[small, "area_code"] = rng.permutation(whole.loc[small, "area_code"].to_numpy())
    yield "labels shuffled", spoiled
    wrong = whole.copy()
    wrong.loc[wrong.index[small][0], "area_code"] = "no such area"
    yield "one label wrong", wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--release", type=Path, required=True)
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--truth-code", help="with the next two: the truth is one row an area with counts")
    parser.add_argument("--truth-count")
    parser.add_argument("--truth-total")
    parser.add_argument("--csv", type=Path)
    args = parser.parse_args()
    predictor = read_release(args.release).predictor
    truth = pd.read_parquet(args.truth)
    if args.truth_code:
        counts = truth.rename(columns={args.truth_code: predictor.code})
        truth = build_truth(counts, predictor.code, args.truth_count, args.truth_total)
    rows = []
    for name, estimates in variants(predictor):
        found = score_tables(estimates, truth, levels=[predictor.code])["levels"][predictor.code]
        keys = ("rmse", "r", "cov90", "width90", "z_sd", "missing", "unknown")
        rows.append({"variant": name} | {key: found[key] for key in keys})
        print(f"{name:42s}" + "  ".join(f"{key} {rows[-1][key]:.4g}" for key in keys), flush=True)
    if args.csv:
        pd.DataFrame(rows).to_csv(args.csv, index=False)


if __name__ == "__main__":
    main()
