"""Medians and other quantiles of domains, with Woodruff's intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from placewise.errors import Problems
from placewise.surveys.domains import Members, degrees_of_freedom, members_of, numbers_of, ratios

if TYPE_CHECKING:
    from placewise.surveys.design import SurveyDesign

TOO_FEW = "no interval: too few respondents beyond the quantile"


def quantiles(
    design: SurveyDesign, values: Any, probability: float, by: Any, level: float, threshold: int
) -> pd.DataFrame:
    """Weighted quantile of each domain: the least value that the given share of the weight does not exceed.

    The interval is Woodruff's (1952): that of the share at or below the estimate, taken back to values. The standard
    error is the interval's width over twice the quantile of t. As ``svyquantile(…, interval.type = "mean")`` of R's
    survey package.

    Parameters
    ----------
    design, by, level, threshold
        As in `domains.ratios`.
    values : array of float64, shape (n,)
    probability : float
        Between 0 and 1: .5 for the median.

    Returns
    -------
    DataFrame
        The domain's columns, ``estimate, se, n, lower, upper, reason``.
    """
    problems = Problems()
    if not 0 < probability < 1:
        problems.add("quantile", f"probability is {probability:g}, expected a number between 0 and 1", kind="data")
    problems.raise_if_any()
    members = members_of(design, by)
    y = numbers_of(design, values, "values", members)
    weight = design.weights[members.rows]
    estimate = _inverse(members, y, weight, np.full(len(members), probability))
    below = np.zeros(len(design))
    below[members.rows] = y <= estimate[members.position]
    share = ratios(design, below, None, by, level, 0)
    limits = share[["lower", "upper"]].to_numpy()
    lower, upper = (_inverse(members, y, weight, limits[:, k]) for k in (0, 1))
    freedom = degrees_of_freedom(design, members.rows, members.position, len(members))
    se = (upper - lower) / (2 * stats.t.ppf((1 + level) / 2, np.maximum(freedom, 1)))
    reason = share["reason"].to_numpy(dtype=object)
    reason[(reason == "") & np.isnan(se)] = TOO_FEW
    table = members.keys.assign(estimate=estimate, se=se, n=share["n"], lower=lower, upper=upper, reason=reason)
    return table[table["n"] >= threshold].reset_index(drop=True)


def _inverse(members: Members, y: np.ndarray, weight: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Least value of each domain at which its cumulated weight reaches a share; NaN outside 0..1."""
    found = np.full(len(members), np.nan)
    order = np.lexsort((y, members.position))
    ends = np.cumsum(np.bincount(members.position, minlength=len(members)))
    for k in np.flatnonzero((share >= 0) & (share <= 1)):
        own = order[ends[k - 1] if k else 0 : ends[k]]
        reached = np.cumsum(weight[own])
        # A share that is met but for rounding is met.
        place = np.searchsorted(reached, share[k] * reached[-1] * (1 - 1e-12))
        found[k] = y[own[min(int(place), own.size - 1)]]
    return found
