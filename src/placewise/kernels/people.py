"""From the rate of an area to what a census of its people would have counted, once per area and draw.

Shares are drawn from the binomial that has the mean and the variance of a sum of unequal Bernoulli trials, means from
a truncated normal. Both invert one uniform a draw, so that several estimands of an area see the same people.
"""

from __future__ import annotations

import math

import numpy as np

from placewise.kernels.compile import kernel
from placewise.kernels.normal import ndtr, ndtri, ndtri_row
from placewise.kernels.philox import uniform_row

_EXACT_BELOW = 30.0  # people
_RARE = 0.02
_STEPS = 100.0  # inversion walks from the nearer end: expected steps beyond which the normal curve is as good
_MARK = -1.0  # no share
_FAR = 8.0  # sds: a bound further away cuts off less than 1e-15


@kernel
def binomial_from_uniform(u: float, n: float, p: float) -> float:
    """Smallest k with P(K ≤ k) ≥ u for K ~ Binomial(n, p), walking from the nearer end; n a whole number."""
    mirrored = p > 0.5
    q = 1.0 - p if mirrored else p
    target = 1.0 - u if mirrored else u
    if q <= 0.0:
        return n if mirrored else 0.0
    odds = q / (1.0 - q)
    mass = math.exp(n * math.log1p(-q))
    below = mass
    k = 0.0
    while below < target and k < n:
        mass *= odds * (n - k) / (k + 1.0)
        k += 1.0
        below += mass
        if mass < 1e-300 and k > n * q:
            break
    return n - k if mirrored else k


@kernel
def matched_trials(successes: float, squares: float, people: float) -> float:
    """Trials of the binomial with mean Σ N p = ``successes`` and variance Σ N p (1 − p), ``squares`` = Σ N p².

    Its probability is p' = Σ N p² / Σ N p, its size Σ N p / p' rounded; the caller keeps the mean with
    p = successes / trials.
    """
    if squares <= 0.0:
        return max(math.floor(people), math.ceil(successes), 1.0)
    trials = math.floor(successes * successes / squares + 0.5)
    if trials > people:
        trials = math.floor(people)
    return max(trials, math.ceil(successes), 1.0)


@kernel
def draw_shares(
    key: np.uint64, labels: np.ndarray, people: np.ndarray, rate: np.ndarray, squares: np.ndarray, drawn: np.ndarray
) -> np.ndarray:
    """Shares that a census would have counted.

    Parameters
    ----------
    key : uint64
        Of the stream of people.
    labels : ndarray of uint64, shape (B,)
        Hashes of the areas' codes.
    people : ndarray of float64, shape (B,)
        Population of each area.
    rate : ndarray of float32, shape (B, S)
        Expected share.
    squares : ndarray of float32, shape (B, S)
        Mean over people of the squared expected share of each.
    drawn : ndarray of float32, shape (B, S)
        Filled with shares in [0, 1].

    Returns
    -------
    ndarray of float64, shape (B,)
        Variance of people, (rate − squares) / people, averaged over draws.
    """
    n_draws = rate.shape[1]
    chance = np.zeros(labels.shape[0])
    uniform = np.empty(n_draws)
    normal = np.empty(n_draws)
    for i in range(labels.shape[0]):
        uniform_row(key, labels[i], uniform)
        ndtri_row(uniform, normal)
        size = people[i]
        share = 1.0 / size
        row, square, out = rate[i], squares[i], drawn[i]
        counted = 0
        total = 0.0
        for s in range(n_draws):
            theta = min(max(np.float64(row[s]), 0.0), 1.0)
            variance = max(theta - np.float64(square[s]), 0.0) * share
            total += variance
            nearer = size * min(theta, 1.0 - theta)
            exact = size < _EXACT_BELOW or (nearer < _RARE * size and nearer <= _STEPS)
            counted += exact
            # draws that count whole people are only marked here, so that this loop runs on whole vectors
            normal[s] = _MARK if exact else min(max(theta + math.sqrt(variance) * normal[s], 0.0), 1.0)
        chance[i] = total / n_draws
        if counted > 0:
            for s in range(n_draws):
                if normal[s] == _MARK:
                    theta = min(max(np.float64(row[s]), 0.0), 1.0)
                    trials = matched_trials(size * theta, size * np.float64(square[s]), size)
                    count = binomial_from_uniform(uniform[s], trials, min(size * theta / trials, 1.0))
                    normal[s] = min(count / size, 1.0)
        for s in range(n_draws):
            out[s] = normal[s]
    return chance


@kernel
def draw_means(
    key: np.uint64,
    labels: np.ndarray,
    people: np.ndarray,
    rate: np.ndarray,
    spread: np.ndarray,
    lower: float,
    upper: float,
    drawn: np.ndarray,
) -> np.ndarray:
    """Means that a census would have found: normal, truncated to what a mean can be.

    Parameters as in :func:`draw_shares`, save ``spread``: mean variance of a person, and ``lower``, ``upper``: bounds
    of the mean on the scale of ``rate``; returns the variance of people averaged over draws.
    """
    n_draws = rate.shape[1]
    chance = np.zeros(labels.shape[0])
    uniform = np.empty(n_draws)
    normal = np.empty(n_draws)
    for i in range(labels.shape[0]):
        uniform_row(key, labels[i], uniform)
        ndtri_row(uniform, normal)
        for s in range(n_draws):
            theta = np.float64(rate[i, s])
            variance = max(np.float64(spread[i, s]), 0.0) / people[i]
            chance[i] += variance
            sd = math.sqrt(variance)
            if theta - lower > _FAR * sd and upper - theta > _FAR * sd:
                drawn[i, s] = theta + sd * normal[s]
            elif sd > 0.0:
                drawn[i, s] = _truncated(uniform[s], theta, sd, lower, upper)
            else:
                drawn[i, s] = min(max(theta, lower), upper)
        chance[i] /= n_draws
    return chance


@kernel
def _truncated(u: float, mean: float, sd: float, lower: float, upper: float) -> float:
    """Quantile u of a normal cut off at both bounds."""
    low = ndtr((lower - mean) / sd)
    high = ndtr((upper - mean) / sd)
    p = low + u * (high - low)
    if p <= 0.0:
        return lower
    if p >= 1.0:
        return upper
    return min(max(mean + sd * ndtri(p), lower), upper)
