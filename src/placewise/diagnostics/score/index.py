"""The index, its ranks and probabilities against what is true."""

from __future__ import annotations

from typing import Any

import numpy as np

from placewise.diagnostics.score.numbers import calibration_error, correlation, coverage_by_group, covered, rounded
from placewise.diagnostics.score.tables import Level

QUANTILES = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)


def score_index(level: Level, minimum: int) -> dict[str, Any] | None:
    """Score the index of the small areas.

    The true index is the truth standardised by its population-weighted mean and sd. ``total_sd`` adds the variance of
    the mean index and the posterior variance: 1 where the index was made inside each draw.

    Parameters
    ----------
    level : Level
        Small areas with a published estimate.
    minimum : int
        Groups with fewer areas have no coverage of their own.

    Returns
    -------
    dict or None
        None where the estimates have no index.
    """
    if "index" not in level.estimates or np.isnan(level.values("index")).all():
        return None
    weight = level.population / level.population.sum()
    mean = float(weight @ level.truth)
    true_index = (level.truth - mean) / np.sqrt(weight @ (level.truth - mean) ** 2)
    result = _centre_and_error(level, weight, true_index)
    for percent in (90, 95):
        result |= _interval(level, percent, true_index, minimum)
    rank = _ranks(level.truth)
    result |= _probabilities(level, level.truth > mean, rank)
    return result | _triple_goal(level) | _rank_intervals(level, rank)


def _has(level: Level, *columns: str) -> bool:
    return all(c in level.estimates for c in columns)


def _centre_and_error(level: Level, weight: np.ndarray, true_index: np.ndarray) -> dict[str, Any]:
    index = level.values("index")
    mean = float(weight @ index)
    result: dict[str, Any] = {
        "n": len(level.codes),
        "wmean": rounded(mean),
        "wsd": rounded(np.sqrt(weight @ (index - mean) ** 2)),
        "rmse": rounded(np.sqrt(np.mean((index - true_index) ** 2))),
        "r": rounded(correlation(index, true_index)),
        "sign": rounded(np.mean((index > 0) == (true_index > 0))),
    }
    if _has(level, "index_sd"):
        second_moment = float(weight @ (index**2 + level.values("index_sd") ** 2))
        result["total_sd"] = rounded(np.sqrt(second_moment - mean**2))
    return result


def _interval(level: Level, percent: int, true_index: np.ndarray, minimum: int) -> dict[str, Any]:
    names = (f"index_ci{percent}_lower", f"index_ci{percent}_upper")
    if not _has(level, *names):
        return {}
    lower, upper = (level.values(name) for name in names)
    hit = covered(lower, true_index, upper)
    width = (upper - lower)[~np.isnan(upper - lower)]
    result: dict[str, Any] = {
        f"cov{percent}": rounded(hit.mean()),
        f"width{percent}": rounded(width.mean()) if width.size else None,
    }
    if percent == 90:
        result["cov90_by"] = {name: coverage_by_group(hit, g, minimum) for name, g in level.groups.items()}
    return result


def _ranks(truth: np.ndarray) -> np.ndarray:
    """1 for the highest; ties in the order of the table."""
    rank = np.empty(truth.size, dtype=np.int64)
    rank[np.argsort(-truth, kind="stable")] = np.arange(1, truth.size + 1)
    return rank


def _probabilities(level: Level, above: np.ndarray, rank: np.ndarray) -> dict[str, Any]:
    tenth = rank.size / 10
    events = {
        "p_above_national": above,
        "p_top_decile": rank <= tenth,
        "p_bottom_decile": rank > rank.size - tenth,
    }
    result: dict[str, Any] = {}
    for column, happened in events.items():
        if not _has(level, column) or np.isnan(level.values(column)).any():
            continue
        p = level.values(column)
        result[column] = {
            "ece": rounded(calibration_error(p, happened)),
            "brier": rounded(np.mean((p - happened) ** 2)),
            "expected": rounded(p.sum()),
            "true": int(happened.sum()),
        }
    return result


def _triple_goal(level: Level) -> dict[str, Any]:
    """Whether the histogram of the triple-goal estimates is that of the truth."""
    if not _has(level, "triple_goal") or np.isnan(level.values("triple_goal")).any():
        return {}
    shown, sd = level.values("triple_goal"), level.truth.std()
    gap = np.abs(np.quantile(shown, QUANTILES) - np.quantile(level.truth, QUANTILES)).max()
    return {"triple_goal_sd_ratio": rounded(shown.std() / sd), "triple_goal_quantile_gap": rounded(gap / sd)}


def _rank_intervals(level: Level, rank: np.ndarray) -> dict[str, Any]:
    """Coverage of the true rank, whichever end the publisher counts from."""
    names = ("rank_ci90_lower", "rank_ci90_upper")
    if not _has(level, *names) or np.isnan(level.values(names[0])).any():
        return {}
    lower, upper = (level.values(name) for name in names)
    from_top = covered(lower, rank, upper).mean()
    from_bottom = covered(lower, rank.size + 1 - rank, upper).mean()
    if from_top >= from_bottom:
        return {"rank_cov90": rounded(from_top), "rank_1_is": "highest"}
    return {"rank_cov90": rounded(from_bottom), "rank_1_is": "lowest"}
