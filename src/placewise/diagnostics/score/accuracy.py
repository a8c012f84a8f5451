"""How near the estimates of one level are to the truth, and whether their intervals hold it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from placewise.diagnostics.score.numbers import NO_SPREAD, TOLERANCE, correlation, coverage_by_group, covered, rounded
from placewise.diagnostics.score.tables import Level

INTERVALS = (50, 90, 95)
NESTED = ["ci95_lower", "ci90_lower", "ci50_lower", "ci50_upper", "ci90_upper", "ci95_upper"]
WINKLER_PENALTY = 2 / 0.10


def score_level(level: Level, national: tuple[float, float], minimum: int) -> dict[str, Any]:
    """Score one level on its published areas.

    Parameters
    ----------
    level : Level
        All areas of the level.
    national : tuple of float
        National mean by the estimates and by the truth: each side of "above average" uses its own.
    minimum : int
        Groups with fewer areas have no coverage of their own.

    Returns
    -------
    dict
        ``n, rmse, mae, bias, max_error, r, sd_ratio, sign``; for c in 50, 90, 95 ``covc, widthc``; ``winkler90,
        below90, above90, cov90_by, z_sd`` where the estimates have the columns; ``missing, withheld, unknown,
        disordered``.
    """
    shown = level.take(level.published)
    result: dict[str, Any] = {"n": len(shown.codes)}
    if result["n"]:
        result |= _errors(shown, national)
        for percent in INTERVALS:
            result |= _interval(shown, percent, minimum)
        result |= _stated_sd(shown)
    result["missing"] = int((~level.present).sum())
    result["withheld"] = int((level.present & ~level.published).sum())
    result["unknown"] = level.unknown
    return result | _disordered(shown)


def _errors(level: Level, national: tuple[float, float]) -> dict[str, Any]:
    mean, truth = level.values("mean"), level.truth
    error = mean - truth
    spread = truth.std()
    side: float | None = None
    if mean.size > 1 and mean.std() > NO_SPREAD:
        side = rounded(np.mean((mean > national[0]) == (truth > national[1])))
    return {
        "rmse": rounded(np.sqrt(np.mean(error**2))),
        "mae": rounded(np.abs(error).mean()),
        "bias": rounded(error.mean()),
        "max_error": rounded(np.abs(error).max()),
        "r": rounded(correlation(mean, truth)),
        "sd_ratio": rounded(mean.std() / spread) if spread > 0 else None,
        "sign": side,
    }


def _interval(level: Level, percent: int, minimum: int) -> dict[str, Any]:
    names = (f"ci{percent}_lower", f"ci{percent}_upper")
    if any(name not in level.estimates for name in names) or np.isnan(level.values(names[0])).all():
        return {f"cov{percent}": None}
    lower, upper = (level.values(name) for name in names)
    hit = covered(lower, level.truth, upper)
    result: dict[str, Any] = {f"cov{percent}": rounded(hit.mean()), f"width{percent}": rounded(np.mean(upper - lower))}
    if percent != 90:
        return result
    outside = np.maximum(lower - level.truth, 0) + np.maximum(level.truth - upper, 0)
    result["winkler90"] = rounded(np.mean(upper - lower + WINKLER_PENALTY * outside))
    result["below90"] = rounded(np.mean(level.truth < lower - TOLERANCE))
    result["above90"] = rounded(np.mean(level.truth > upper + TOLERANCE))
    by = {name: coverage_by_group(hit, group, minimum) for name, group in level.groups.items()}
    result["cov90_by"] = {name: found for name, found in by.items() if found is not None}
    return result


def _stated_sd(level: Level) -> dict[str, Any]:
    """Spread of standardised errors: 1 where the stated sd is right."""
    if "sd" not in level.estimates or np.isnan(level.values("sd")).all():
        return {}
    error = level.values("mean") - level.truth
    return {"z_sd": rounded(np.std(error / np.maximum(level.values("sd"), 1e-12)))}


def _disordered(level: Level) -> dict[str, int]:
    pairs = [(a, b) for a, b in pairwise(NESTED) if a in level.estimates and b in level.estimates]
    if not pairs:
        return {}
    return {"disordered": sum(int((level.values(a) > level.values(b) + TOLERANCE).sum()) for a, b in pairs)}
