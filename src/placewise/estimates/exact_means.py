"""The last step of the mode ``exact``: published means that add up to the targets to the last digits.

Draws carry single precision and the chance of who lives in an area, so that the mean of the draws misses its target by
about 1e-5; one more shift on the logit of the areas' means closes that.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from placewise.estimates.benchmark import Benchmarked, level_codes
from placewise.estimates.benchmarking import shift_to_mean
from placewise.estimates.describe import MEAN_COLUMNS, NATIONAL
from placewise.estimates.scale import LinkScale

_MOVED = tuple(name for name in MEAN_COLUMNS if name != "sd")


def meet_exactly(estimates: pd.DataFrame, benchmarked: Benchmarked) -> pd.DataFrame:
    """Estimates whose population-weighted means are the targets, to 1e-8 and better.

    The means of small areas are shifted by one constant a benchmarked area on the scale, those of larger areas are
    their weighted means; intervals go with their mean. Areas whose target was not used keep theirs.

    Parameters
    ----------
    estimates : DataFrame
        Of ``summarise``, for the estimand that was benchmarked.
    benchmarked : Benchmarked
        Of mode ``exact``; other modes do not call for this.
    """
    p, scale = benchmarked.predictor, benchmarked.scale
    out = estimates.copy()
    small = np.flatnonzero(out["area_level"] == p.code)
    before = out["mean"].to_numpy(dtype=np.float64)[small]
    mean = before + 0.0
    place = {code: i for i, code in enumerate(benchmarked.targets.codes)}
    group = np.array([place[code] for code in level_codes(p, benchmarked.level)], dtype=np.int64)
    for g in np.flatnonzero(benchmarked.used):
        rows = group == g
        mean[rows] = _shifted(before[rows], p.population[rows], float(benchmarked.targets.estimate[g]), scale)
    _replace(out, small, mean, scale)
    for level, values in p.levels.items():
        sums = pd.DataFrame({"code": values, "people": p.population, "sum": p.population * mean}).groupby("code").sum()
        rows = np.flatnonzero(out["area_level"] == level)
        own = sums.loc[out["area_code"].iloc[rows]]
        _replace(out, rows, (own["sum"] / own["people"]).to_numpy(), scale)
    for level, inside in ((NATIONAL, np.ones_like(p.base)), ("base", p.base)):
        rows = np.flatnonzero(out["area_level"] == level)
        if len(rows):
            _replace(out, rows, np.array([np.average(mean[inside], weights=p.population[inside])]), scale)
    return out


def _shifted(mean: np.ndarray, people: np.ndarray, target: float, scale: LinkScale) -> np.ndarray:
    on_scale = scale.forward(mean)
    return scale.inverse(on_scale + shift_to_mean(on_scale, people, target, scale))


def _replace(table: pd.DataFrame, rows: np.ndarray, mean: np.ndarray, scale: LinkScale) -> None:
    """Put in new means, and move the intervals by as much on the scale."""
    old = table["mean"].to_numpy(dtype=np.float64)[rows]
    by = scale.forward(mean) - scale.forward(old)
    by[~np.isfinite(by)] = 0.0
    for name in _MOVED:
        column = table[name].to_numpy(dtype=np.float64, copy=True)
        column[rows] = mean if name == "mean" else scale.moved(column[rows], by)
        table[name] = column
