"""One outcome in two surveys where the truth is known: what the second adds, and whether departures are found.

python benchmarks/two_surveys_study.py --surveys 20
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from common.page import Section, write_page
from common.pool import Ahead, add_workers
from common.study import Study, add_arguments, mean_error, page_path
from common.trait_worlds import TraitSurvey, TraitWorld, make_trait_survey

from placewise.models.engines import FitOptions, FitProblem, engine_named

UNLIKE: dict[str, Any] = {"probit": True, "degrees": 4.0, "curved": True}
WORLDS = {
    w.name: w
    for w in (
        TraitWorld("agree"),
        TraitWorld("shifted", shift=0.3),
        TraitWorld("half the scale", scale=0.5),
        TraitWorld("agree, unlike the model", **UNLIKE),
        TraitWorld("shifted, unlike the model", shift=0.3, **UNLIKE),
    )
}
KEYS = ("world", "respondents", "draws", "survey")
CELL = list(KEYS[:-1])
MEASURES = (
    "rmse", "rmse_reference", "rmse_ratio", "scale", "scale_sd", "scale_holds", "discrepancy_sd", "shift_found",
    "slope", "coverage", "seconds",
)  # fmt: skip
REFERENCE_ALONE = {"agree": 0.95, "shifted": 1.02, "half the scale": 1.0}


def one_survey(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Make both surveys, fit the reference alone and both together; figures of a row."""
    world = WORLDS[cell["world"]]
    own = make_trait_survey(world, cell["survey"], respondents=cell["respondents"], surveys=2)
    alone, _ = _means(own, own.problem(kept=own.instruments.survey == 0), cell)
    start = time.perf_counter()
    both, posterior = _means(own, own.problem(), cell)
    seconds = time.perf_counter() - start
    truth, mean = own.truth, both.mean(axis=1)
    centred = truth - truth.mean()
    lower, upper = np.quantile(both - both.mean(axis=0), (0.05, 0.95), axis=1)
    scale = np.asarray(posterior["survey_scale"]).ravel()
    departure = np.asarray(posterior["effect_discrepancy:survey 2"]).mean(axis=(0, 1))
    row = {
        "rmse": _rms(mean - mean.mean() - centred),
        "rmse_reference": _rms(alone.mean(axis=1) - alone.mean() - centred),
        "scale": float(scale.mean()),
        "scale_sd": float(scale.std()),
        "scale_holds": float(np.quantile(scale, 0.05) <= world.scale <= np.quantile(scale, 0.95)),
        "discrepancy_sd": float(np.asarray(posterior["sd_discrepancy:survey 2"]).mean()),
        "shift_found": _area_under_curve(departure, own.shifted) if own.shifted.any() else np.nan,
        "slope": float(np.polyfit(mean, truth, 1)[0]),
        "coverage": float(((centred >= lower) & (centred <= upper)).mean()),
        "seconds": seconds,
    }
    return row | {"rmse_ratio": row["rmse"] / row["rmse_reference"]}


def _means(own: TraitSurvey, problem: FitProblem, cell: Mapping[str, Any]) -> tuple[np.ndarray, Any]:
    posterior = engine_named("laplace")(problem, FitOptions(draws=cell["draws"], seed=cell["survey"], jobs=1)).posterior
    return own.estimate(problem, posterior), posterior


def _rms(error: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(error))))


def _area_under_curve(score: np.ndarray, positive: np.ndarray) -> float:
    """Probability that a shifted authority has the larger departure than one that is not."""
    rank = pd.Series(score).rank().to_numpy()
    n, m = int(positive.sum()), int((~positive).sum())
    return float((rank[positive].sum() - n * (n + 1) / 2) / (n * m))


def missed(table: pd.DataFrame) -> pd.DataFrame:
    """Goals that each cell misses by more than two Monte-Carlo errors."""
    found = []
    for row in table.to_dict("records"):
        limit = REFERENCE_ALONE[row["world"].split(",")[0]]
        checks = [("rmse_ratio", row["rmse_ratio"] - limit), ("scale", _off(row))]
        for name, beyond in checks:
            slack = 2.0 * np.nan_to_num(row[f"{name}_se"], nan=np.inf)
            if beyond > slack:
                found.append({"world": row["world"], "goal": name, "found": row[name], "error": row[f"{name}_se"]})
    return pd.DataFrame(found, columns=["world", "goal", "found", "error"])


def _off(row: Mapping[str, Any]) -> float:
    """How far the scale's mean is from the truth, less a tenth of its posterior sd."""
    return abs(row["scale"] - WORLDS[row["world"]].scale) - 0.1 * row["scale_sd"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--worlds", nargs="+", choices=list(WORLDS), default=list(WORLDS), metavar="WORLD")
    parser.add_argument("--surveys", type=int, default=20)
    parser.add_argument("--respondents", type=int, default=10_000, help="of each survey")
    parser.add_argument("--draws", type=int, default=1000)
    add_arguments(parser, "two_surveys")
    add_workers(parser)
    args = parser.parse_args()
    study = Study(args.csv, KEYS, MEASURES, args.stale)
    same = {k: getattr(args, k) for k in CELL if k != "world"}
    cells = [{"world": w} | same | {"survey": k} for k in range(args.surveys) for w in args.worlds]
    with Ahead(one_survey, cells, args.threads, args.jobs, args.scheduler) as work:
        rows = study.run(cells, work, args.minutes)
    table = mean_error(rows, CELL, MEASURES)
    with pd.option_context("display.width", 200, "display.max_columns", None):
        print(table.T, missed(table), sep="\n")
    lead = f"{args.respondents:,} respondents of each survey, 300 authorities; ± is the error over surveys."
    sections = [
        Section("Goals missed", "By more than two Monte-Carlo errors.", table=missed(table)),
        Section("Authorities' means", "Error of both surveys together over that of the reference alone.", table=table),
    ]
    write_page(page_path(args), "One outcome in two surveys, the truth known", lead, sections, rows)


if __name__ == "__main__":
    main()
