"""Simulation-based calibration: are an engine's posteriors right on average over the default priors?

Each row is one fit to answers simulated from the priors; the verdict needs them all. ``--shrink 0.8`` makes the
engine's effects vary a fifth too little, which must fail. Runs in two processes and goes on where it stopped.

    python benchmarks/sbc.py --family bernoulli --engine laplace --fits 200
    python benchmarks/sbc.py --family bernoulli --engine laplace --fits 200 --shrink 0.8
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from common.country import CODE, KIND, design_of, make_country, sample_areas
from common.page import Section, write_page
from common.pool import Ahead, add_workers
from common.study import Study, add_arguments, page_path

from placewise.diagnostics.calibration import (
    Calibration,
    Experiment,
    Replicate,
    Spread,
    judge_calibration,
    shrunk,
    simulate_once,
)
from placewise.diagnostics.calibration.experiment import draw_truth
from placewise.diagnostics.calibration.replicate import scalars
from placewise.models.engines import FitOptions, engine_named
from placewise.models.prior_plan import plan_priors

FAMILIES = ("bernoulli", "cumulative", "gaussian", "binomial", "poisson")
FORMULA = "x1 + x2 + x3 + x4 + (1 | age) + (1 | kind) + (1 | region/district/ward)"
LEVELS = (("region", 8), ("district", 40), ("ward", 240))  # of a country of 2,400 areas
ANSWERS = ("never", "seldom", "often", "always")
KEYS = ("family", "engine", "shrink", "respondents", "draws", "fit")
COSTS = ("seconds", "inside", "error")
MEASURES = ("n", "mean", "square", "covered")
LOOKED_AT = 50
SEED = 20261122


@cache
def experiment_of(family: str, respondents: int) -> Experiment:
    """A country of 1.2 areas a respondent; half of the 50 areas looked at have respondents."""
    rng = np.random.default_rng(SEED)
    n_areas = respondents * 6 // 5
    levels = [(name, max(4, size * n_areas // 2400)) for name, size in LEVELS]
    areas = make_country(n_areas, levels, classes=7, covariates=4, seed=SEED)
    area = sample_areas(areas, respondents, 2, rng)
    ordered = family == "cumulative"
    design = design_of(areas, area, FORMULA, age=rng.integers(0, 4, len(area)), cumulative=ordered)
    sampled = np.bincount(area, minlength=len(areas)) > 0
    half = LOOKED_AT // 2
    looked = [rng.choice(np.flatnonzero(which), half, replace=False) for which in (sampled, ~sampled)]
    return Experiment(
        design,
        family,
        plan_priors({}, None, design, CODE, family),
        np.sort(np.concatenate(looked)),
        levels=ANSWERS if ordered else (),
        trials=rng.integers(1, 6, len(area)).astype(np.float64) if family == "binomial" else None,
    )


def scalar_names(family: str, respondents: int) -> list[str]:
    """Scalars whose ranks a row holds."""
    experiment = experiment_of(family, respondents)
    truth = draw_truth(experiment, np.random.default_rng(0))
    return [*scalars(experiment.design, experiment.priors, truth.values, truth.levels), "log likelihood"]


def one_fit(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Simulate, fit, and give the row's figures."""
    engine = engine_named(cell["engine"])
    if cell["shrink"] != 1.0:
        engine = shrunk(engine, cell["shrink"])
    experiment = experiment_of(cell["family"], cell["respondents"])
    found = simulate_once(experiment, engine, FitOptions(draws=cell["draws"], jobs=1), SEED, cell["fit"])
    row: dict[str, Any] = {"seconds": found.seconds, "inside": found.kept / max(found.draws, 1), "error": found.error}
    row |= {f"place {name}": place for name, place in found.places.items()}
    for quantity, spread in (("eta", found.eta), ("index", found.index)):
        if spread is not None:
            row |= {f"{quantity} {m}": getattr(spread, m) for m in MEASURES}
    return row


def replicate_of(row: Mapping[str, Any]) -> Replicate:
    """A row as the verdict takes it; a fit that was lost has no places."""
    places = {str(k)[6:]: float(v) for k, v in row.items() if str(k).startswith("place ") and pd.notna(v)}
    spreads = [
        Spread(int(row[f"{q} n"]), *(float(row[f"{q} {m}"]) for m in MEASURES[1:])) if places else None
        for q in ("eta", "index")
    ]
    draws, error = int(row["draws"]), str(row["error"]) if pd.notna(row["error"]) else ""
    kept = round(draws * float(row["inside"]))
    return Replicate(int(row["fit"]), float(row["seconds"]), draws, kept, places, spreads[0], spreads[1], error)


def judge(rows: pd.DataFrame) -> Calibration:
    """The verdict on the rows of one engine and family."""
    return judge_calibration([replicate_of(row) for row in rows.to_dict("records")], seed=SEED)


def section(title: str, found: Calibration, rows: pd.DataFrame) -> list[Section]:
    """One engine on the page: sentences, ranks, areas."""
    sentences = " ".join(check.sentence for check in found.checks.checks)
    cost = f"{len(rows)} fits, median {rows['seconds'].median():.2f} s."
    ranks = found.ranks.sort_values("p_value", kind="stable")
    return [
        Section(f"{title}: {found.status}", f"{cost} {sentences}", table=ranks),
        Section(
            f"{title}: 50 areas", "Mean and sd of standardised errors, 95% intervals over fits.", table=found.areas
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--family", choices=FAMILIES, default="bernoulli")
    parser.add_argument("--engine", default="laplace")
    parser.add_argument("--fits", type=int, default=200)
    parser.add_argument("--respondents", type=int, default=2000)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--shrink", type=float, default=1.0, help="1 leaves the engine as it is; .8 must fail")
    add_arguments(parser, "sbc")
    add_workers(parser)
    args = parser.parse_args()
    path = args.csv.with_name(f"{args.csv.stem}_{args.family}.csv")
    columns = [f"place {name}" for name in scalar_names(args.family, args.respondents)]
    columns += [f"{quantity} {measure}" for quantity in ("eta", "index") for measure in MEASURES]
    study = Study(path, KEYS, (*COSTS, *columns), args.stale)
    same = {k: getattr(args, k) for k in ("family", "engine", "shrink", "respondents", "draws")}
    cells = [same | {"fit": k} for k in range(args.fits)]
    with Ahead(one_fit, cells, args.threads, args.jobs, args.scheduler) as work:
        rows = study.run(cells, work, args.minutes)
    sections: list[Section] = []
    for key, own in rows.groupby(["engine", "shrink", "respondents", "draws"], sort=False):
        found = judge(own)
        title = f"{args.family}, {key[0]}" + (f", effects × {key[1]:g}" if key[1] != 1 else "")
        sections += section(title, found, own)
        print(f"{title}: {found.status}, {len(own)} fits", *(c.sentence for c in found.checks.checks), sep="\n  ")
    lead = f"Each fit: {args.respondents} respondents, {FORMULA}, default priors; {KIND} is the class of the area."
    write_page(page_path(args).with_name(f"{path.stem}.html"), "Simulation-based calibration", lead, sections, rows)


if __name__ == "__main__":
    main()
