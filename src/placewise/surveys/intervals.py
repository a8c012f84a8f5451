"""Confidence intervals of direct estimates, those of shares staying between 0 and 1."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from scipy import special, stats

ShareInterval = Literal["beta", "logit"]
SHARE_INTERVALS: tuple[str, ...] = get_args(ShareInterval)


def symmetric(estimate: np.ndarray, se: np.ndarray, freedom: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Estimate ± t × standard error; NaN where the standard error or a degree of freedom is missing."""
    half = _t(freedom, level) * se
    return estimate - half, estimate + half


def of_share(
    share: np.ndarray, se: np.ndarray, freedom: np.ndarray, n: np.ndarray, level: float, method: ShareInterval
) -> tuple[np.ndarray, np.ndarray]:
    """Interval of a share, by the formulas of ``svyciprop`` in R's survey package.

    ``beta``: Korn and Graubard (1998, Survey Methodology 24), the exact binomial interval of the effective sample
    size p(1 − p)/se², reduced by (t_{n−1} / t_df)². It covers in small samples and near 0 and 1, and is what the US
    National Center for Health Statistics judges shares by (Parker et al. 2017): the default. Where every answer was
    the same the effective size is that of the respondents, as there. ``logit``: t interval of log(p / (1 − p)) by the
    delta method, taken back; missing at 0 and 1.

    Parameters
    ----------
    share, se : ndarray of float64, shape (k,)
        Standard errors may be missing.
    freedom, n : ndarray of int64, shape (k,)
        Degrees of freedom of the design, and respondents.
    level : float
    method : ShareInterval

    Returns
    -------
    tuple of ndarray of float64, shape (k,)
    """
    product = share * (1 - share)
    with np.errstate(divide="ignore", invalid="ignore"):
        if method == "logit":
            half = _t(freedom, level) * se / product
            centre = special.logit(share)
            return special.expit(centre - half), special.expit(centre + half)
        reduced = (_t(n - 1, level) / _t(freedom, level)) ** 2
        size = np.where(product == 0, n, product / se**2) * reduced
    tail = (1 - level) / 2
    # A beta distribution has no mass of its own at the ends, where the exact interval stops.
    lower = np.where(share == 0, 0.0, stats.beta.ppf(tail, size * share, size * (1 - share) + 1))
    upper = np.where(share == 1, 1.0, stats.beta.ppf(1 - tail, size * share + 1, size * (1 - share)))
    known = np.isfinite(size)
    return np.where(known, lower, np.nan), np.where(known, upper, np.nan)


def presentable(
    share: np.ndarray, n: np.ndarray, n_eff: np.ndarray, lower: np.ndarray, upper: np.ndarray
) -> np.ndarray:
    """Whether a share may be shown by the standards of the US National Center for Health Statistics, shape (k,).

    Parker et al. (2017, Vital and Health Statistics 2(175)), on the 95% Korn–Graubard interval: 30 or more respondents,
    nominal and effective; then a width of at most .05, or under .30 and at most 130% of the share.
    """
    width = upper - lower
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = width / share
        enough = (n >= 30) & ((n_eff >= 30) | np.isnan(n_eff))
    return np.asarray(enough & ((width <= 0.05) | ((width < 0.30) & (relative <= 1.3))))


def _t(freedom: np.ndarray, level: float) -> np.ndarray:
    """Quantile of Student's t, NaN without a degree of freedom."""
    freedom = np.asarray(freedom, dtype=float)
    return np.where(freedom > 0, stats.t.ppf((1 + level) / 2, np.where(freedom > 0, freedom, 1.0)), np.nan)
