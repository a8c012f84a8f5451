"""Items of a scale where the truth is known: authorities' means against those of an oracle, and without one item.

python benchmarks/scales_study.py --surveys 20
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from common.page import Section, write_page
from common.study import page_path
from common.trait_worlds import (
    DISCRIMINATION,
    SDS,
    SLOPES,
    TraitWorld,
    fit_means,
    make_trait_survey,
    score_means,
)
from common.world_study import pick, run_worlds, show, summary_of_worlds, world_parser

WORLDS = {
    w.name: w
    for w in (TraitWorld("as the model says"), TraitWorld("unlike the model", probit=True, degrees=4.0, curved=True))
}
KEYS = ("world", "respondents", "draws", "survey")
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
    full, posterior = fit_means(own, own.problem(), cell)
    seconds = time.perf_counter() - start
    best, _ = fit_means(own, own.problem(known=True), cell)
    kept = [m for m in range(len(DISCRIMINATION)) if m != LEFT_OUT]
    fewer, _ = fit_means(own, own.problem(items=kept), cell)
    truth, mean = own.truth, full.mean(axis=1)
    # the index counts in sds between small areas
    unit = float(np.sqrt(SLOPES @ SLOPES + SDS["area"] ** 2 + SDS["authority"] ** 2))
    found = np.asarray(posterior["discrimination"]).mean(axis=(0, 1))
    row = score_means(full, truth) | {
        "correlation": float(np.corrcoef(mean, truth)[0, 1]),
        "correlation_oracle": float(np.corrcoef(best.mean(axis=1), truth)[0, 1]),
        "rmse_oracle": score_means(best, truth)["rmse"],
        "moved_by_an_item": float(np.abs(_index(full, unit) - _index(fewer, unit)).mean()),
        "discrimination_error": float(np.abs(np.log(found / DISCRIMINATION)).mean()),
        "seconds": seconds,
    }
    return row | {"correlation_ratio": row["correlation"] / row["correlation_oracle"]}


def _index(draws: np.ndarray, unit: float) -> np.ndarray:
    mean = draws.mean(axis=1)
    return np.asarray((mean - mean.mean()) / unit)


def summary_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean of every measure over the surveys of a cell with its Monte-Carlo error, and which goals are missed."""
    return summary_of_worlds(rows, KEYS[:-1], MEASURES, lambda row: GOALS)


def main() -> None:
    parser = world_parser(__doc__, "scales", WORLDS, surveys=20)
    parser.add_argument("--respondents", type=int, default=10_000)
    args = parser.parse_args()
    rows = run_worlds(args, KEYS, MEASURES, one_survey)
    table = summary_of(rows)
    show(table.T)
    lead = f"{args.respondents:,} respondents, four items of five answers, 300 authorities; ± over surveys."
    about = "Correlation with the truth, slope of truth on estimate, error."
    sections = [
        Section("Goals missed", "By more than two Monte-Carlo errors.", table=table[["world", "missed"]]),
        Section("Authorities' means", about, table=pick(table, ("world", "repeats"), MEASURES)),
    ]
    write_page(page_path(args), "Items of a scale where the truth is known", lead, sections, rows)


if __name__ == "__main__":
    main()
