"""Ranks of a truth among draws, and whether many of them are uniform."""

from __future__ import annotations

import math

import numpy as np


def uniform_rank(truth: float, draws: np.ndarray, rng: np.random.Generator) -> float:
    """Place of the truth among equally weighted draws, uniform on (0, 1) where it is one of them.

    The rank, ties broken at random, is spread evenly over its own cell, so that places among different numbers of
    draws can be pooled (Säilynoja, Bürkner and Vehtari 2022).

    Parameters
    ----------
    truth : float
    draws : ndarray of float, shape (S,)
        Independent draws.
    rng : Generator
        Breaks ties and spreads the rank.
    """
    below = int(np.count_nonzero(draws < truth))
    tied = int(np.count_nonzero(draws == truth))
    rank = below + int(rng.integers(tied + 1))
    return float((rank + rng.random()) / (draws.size + 1))


def anderson_darling(places: np.ndarray) -> tuple[float, float]:
    """Anderson-Darling test of uniformity on (0, 1), nothing estimated.

    Parameters
    ----------
    places : ndarray of float, shape (n,)

    Returns
    -------
    statistic, p_value : float
        The p-value to about 1e-6 (Marsaglia and Marsaglia 2004, Journal of Statistical Software 9(2)).
    """
    n = len(places)
    # a place of exactly 0 or 1 would have no logarithm
    u = np.clip(np.sort(np.asarray(places, dtype=np.float64)), 1e-15, 1.0 - 1e-15)
    weight = 2.0 * np.arange(1, n + 1) - 1.0
    statistic = float(-n - np.mean(weight * (np.log(u) + np.log1p(-u[::-1]))))
    limit = _limit_cdf(statistic)
    return statistic, min(max(1.0 - limit - _correction(n, limit), 0.0), 1.0)


def _limit_cdf(z: float) -> float:
    """Distribution function of the statistic for n → ∞."""
    if z <= 0.0:
        return 0.0
    if z < 2.0:
        inner = 0.247105 - (0.0649821 - (0.0347962 - (0.011672 - 0.00168691 * z) * z) * z) * z
        return math.exp(-1.2337141 / z) / math.sqrt(z) * (2.00012 + inner * z)
    inner = 2.30695 - (0.43424 - (0.082433 - (0.008056 - 0.0003146 * z) * z) * z) * z
    return math.exp(-math.exp(1.0776 - inner * z))


def _correction(n: int, x: float) -> float:
    """What a finite n adds to the distribution function where the limit is x."""
    if x > 0.8:
        inner = 745.2337 - (1705.091 - (1950.646 - (1116.360 - 255.7844 * x) * x) * x) * x
        return (-130.2137 + inner * x) / n
    cut = 0.01265 + 0.1757 / n
    if x < cut:
        t = x / cut
        t = math.sqrt(t) * (1.0 - t) * (49.0 * t - 102.0)
        return t * (0.0037 / (n * n) + 0.00078 / n + 0.00006) / n
    t = (x - cut) / (0.8 - cut)
    t = -0.00022633 + (6.54034 - (14.6538 - (14.458 - (8.259 - 1.91864 * t) * t) * t) * t) * t
    return t * (0.04213 + 0.01365 / n) / n
