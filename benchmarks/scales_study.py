"""Items of a scale where the truth is known: authorities' means against those of an oracle, and without one item.

python benchmarks/scales_study.py --surveys 20
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
from common.trait_worlds import DISCRIMINATION, SDS, SLOPES, TraitSurvey, TraitWorld, make_trait_survey

from placewise.models.engines import FitOptions, FitProblem, engine_named

WORLDS = {
    w.name: w
    for w in (TraitWorld("as the model says"), TraitWorld("unlike the model", probit=True, degrees=4.0, curved=True))
}
KEYS = ("world", "respondents", "draws", "survey")
CELL = list(KEYS[:-1])
MEASURES = (
    "correlation", "correlation_oracle", "correlation_ratio", "slope", "rmse", "rmse_oracle", "coverage",
    "moved_by_an_item", "discrimination_error", "seconds",
)  # fmt: skip
GOALS = {"correlation_ratio": (0.95, np.inf), "slope": (0.97, 1.03), "moved_by_an_item": (0.0, 0.1)}
LEFT_OUT = 1


def one_survey(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Make a survey, fit it with all items, with one less and with true sds and slopes; figures of a row."""
    own = make_trait_survey(WORLDS[cell["world"]], cell["survey"], respondents=cell["respondents"], surveys=1)
    start = time.perf_counter()
    full, posterior = _means(own, own.problem(), cell)
    seconds = time.perf_counter() - start
    best, _ = _means(own, own.problem(known=True), cell)
    kept = [m for m in range(len(DISCRIMINATION)) if m != LEFT_OUT]
    fewer, _ = _means(own, own.problem(items=kept), cell)
    truth, mean = own.truth, full.mean(axis=1)
    lower, upper = np.quantile(full - full.mean(axis=0), (0.05, 0.95), axis=1)
    centred = truth - truth.mean()
    # the index counts in sds between small areas
    unit = float(np.sqrt(SLOPES @ SLOPES + SDS["area"] ** 2 + SDS["authority"] ** 2))
    found = np.asarray(posterior["discrimination"]).mean(axis=(0, 1))
    row = {
        "correlation": float(np.corrcoef(mean, truth)[0, 1]),
        "correlation_oracle": float(np.corrcoef(best.mean(axis=1), truth)[0, 1]),
        "slope": float(np.polyfit(mean, truth, 1)[0]),
        "rmse": _rms(mean - mean.mean() - centred),
        "rmse_oracle": _rms(best.mean(axis=1) - best.mean() - centred),
        "coverage": float(((centred >= lower) & (centred <= upper)).mean()),
        "moved_by_an_item": float(np.abs(_index(full, unit) - _index(fewer, unit)).mean()),
        "discrimination_error": float(np.abs(np.log(found / DISCRIMINATION)).mean()),
        "seconds": seconds,
    }
    return row | {"correlation_ratio": row["correlation"] / row["correlation_oracle"]}


def _means(own: TraitSurvey, problem: FitProblem, cell: Mapping[str, Any]) -> tuple[np.ndarray, Any]:
    posterior = engine_named("laplace")(problem, FitOptions(draws=cell["draws"], seed=cell["survey"], jobs=1)).posterior
    return own.estimate(problem, posterior), posterior


def _index(draws: np.ndarray, unit: float) -> np.ndarray:
    mean = draws.mean(axis=1)
    return np.asarray((mean - mean.mean()) / unit)


def _rms(error: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(error))))


def missed(table: pd.DataFrame) -> pd.DataFrame:
    """Goals that each cell misses by more than two Monte-Carlo errors."""
    found = []
    for row in table.to_dict("records"):
        for name, (low, high) in GOALS.items():
            slack = 2.0 * np.nan_to_num(row[f"{name}_se"], nan=np.inf)
            if row[name] < low - slack or row[name] > high + slack:
                found.append({"world": row["world"], "goal": name, "found": row[name], "error": row[f"{name}_se"]})
    return pd.DataFrame(found, columns=["world", "goal", "found", "error"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--worlds", nargs="+", choices=list(WORLDS), default=list(WORLDS), metavar="WORLD")
    parser.add_argument("--surveys", type=int, default=20)
    parser.add_argument("--respondents", type=int, default=10_000)
    parser.add_argument("--draws", type=int, default=1000)
    add_arguments(parser, "scales")
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
    lead = f"{args.respondents:,} respondents, four items of five answers, 300 authorities; ± over surveys."
    sections = [
        Section("Goals missed", "By more than two Monte-Carlo errors.", table=missed(table)),
        Section("Authorities' means", "Correlation with the truth, slope of truth on estimate, error.", table=table),
    ]
    write_page(page_path(args), "Items of a scale where the truth is known", lead, sections, rows)


if __name__ == "__main__":
    main()
