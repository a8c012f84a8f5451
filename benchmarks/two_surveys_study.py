"""One outcome in two surveys where the truth is known: what the second adds, and whether departures are found.

python benchmarks/two_surveys_study.py --surveys 20
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from common.page import Section, write_page
from common.study import page_path
from common.trait_worlds import TraitWorld, fit_means, make_trait_survey, score_means
from common.world_study import Limits, pick, run_worlds, show, summary_of_worlds, world_parser

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
MEASURES = (
    "rmse", "rmse_reference", "rmse_ratio", "scale", "scale_sd", "scale_holds", "discrepancy_sd", "shift_found",
    "slope", "coverage", "seconds",
)  # fmt: skip
REFERENCE_ALONE = {"agree": 0.95, "shifted": 1.02, "half the scale": 1.0}


def one_survey(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Make both surveys, fit the reference alone and both together; figures of a row."""
    world = WORLDS[cell["world"]]
    own = make_trait_survey(world, cell["survey"], respondents=cell["respondents"], surveys=2)
    alone, _ = fit_means(own, own.problem(kept=own.instruments.survey == 0), cell)
    start = time.perf_counter()
    both, posterior = fit_means(own, own.problem(), cell)
    seconds = time.perf_counter() - start
    scale = np.asarray(posterior["survey_scale"]).ravel()
    departure = np.asarray(posterior["effect_discrepancy:survey 2"]).mean(axis=(0, 1))
    row = score_means(both, own.truth) | {
        "rmse_reference": score_means(alone, own.truth)["rmse"],
        "scale": float(scale.mean()),
        "scale_sd": float(scale.std()),
        "scale_holds": float(np.quantile(scale, 0.05) <= world.scale <= np.quantile(scale, 0.95)),
        "discrepancy_sd": float(np.asarray(posterior["sd_discrepancy:survey 2"]).mean()),
        "shift_found": _area_under_curve(departure, own.shifted) if own.shifted.any() else np.nan,
        "seconds": seconds,
    }
    return row | {"rmse_ratio": row["rmse"] / row["rmse_reference"]}


def _area_under_curve(score: np.ndarray, positive: np.ndarray) -> float:
    """Probability that a shifted authority has the larger departure than one that is not."""
    rank = pd.Series(score).rank().to_numpy()
    n, m = int(positive.sum()), int((~positive).sum())
    return float((rank[positive].sum() - n * (n + 1) / 2) / (n * m))


def limits_of(row: Mapping[str, Any]) -> Limits:
    """Most error beside the reference alone; the second survey's scale within a tenth of its posterior sd."""
    truth, within = WORLDS[row["world"]].scale, 0.1 * row["scale_sd"]
    most = REFERENCE_ALONE[row["world"].split(",")[0]]
    return {"rmse_ratio": (0.0, most), "scale": (truth - within, truth + within)}


def summary_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean of every measure over the surveys of a cell with its Monte-Carlo error, and which goals are missed."""
    return summary_of_worlds(rows, KEYS[:-1], MEASURES, limits_of)


def main() -> None:
    parser = world_parser(__doc__, "two_surveys", WORLDS, surveys=20)
    parser.add_argument("--respondents", type=int, default=10_000, help="of each survey")
    args = parser.parse_args()
    rows = run_worlds(args, KEYS, MEASURES, one_survey)
    table = summary_of(rows)
    show(table.T)
    lead = f"{args.respondents:,} respondents of each survey, 300 authorities; ± is the error over surveys."
    about = "Error of both surveys together over that of the reference alone."
    sections = [
        Section("Goals missed", "By more than two Monte-Carlo errors.", table=table[["world", "missed"]]),
        Section("Authorities' means", about, table=pick(table, ("world", "repeats"), MEASURES)),
    ]
    write_page(page_path(args), "One outcome in two surveys, the truth known", lead, sections, rows)


if __name__ == "__main__":
    main()
