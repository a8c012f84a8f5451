"""Rows of a latent gaussian model, and the likelihood of each about its linear predictor.

The unknowns are a core of Q coefficients, which every row may meet, and the effects of a nested chain of groups, each
child in one parent. A row's linear predictor is η = x'β + Σ_k v_k core[c_k] + its load times the effects of its leaf
and of the leaf's ancestors. An ordered answer adds thresholds b_k = −c_k, which stand in the core too:
P(y > k) = logit⁻¹(η + b_k + z'd_k), with z the covariates whose slopes differ by cutpoint. A person who answered items
of a scale is one row (``placewise.kernels.graded``).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from placewise.kernels.compile import inlined, kernel

BINOMIAL, POISSON, GAUSSIAN, CUMULATIVE, GRADED = 0, 1, 2, 3, 4


class Rows(NamedTuple):
    """Data of a likelihood, rows of one leaf next to each other.

    Parameters
    ----------
    family : int
        BINOMIAL, POISSON, GAUSSIAN, CUMULATIVE or GRADED.
    x : ndarray of float64, shape (m, p)
        Columns that every row meets; coefficients 0..p-1 of the core.
    col : ndarray of int32, shape (m, K)
        Further coefficients of the core that a row meets, increasing, all behind the thresholds' and deviations'.
    val : ndarray of float64, shape (m, K)
        Their values: 1 for a varying intercept, the covariate for a varying slope.
    z : ndarray of float64, shape (m, q)
        Covariates whose slope differs by cutpoint.
    y, size, weight : ndarray of float64, shape (m,)
        As in ``placewise.models.engines.rows.Rows``; an ordered answer is the number of its upper threshold among those
        of all questions.
    start : ndarray of int64, shape (leaves + 1,)
        First row of each leaf, and the number of rows.
    n_cut : int
        Cutpoints of all questions; threshold k is coefficient p + k, deviation j of cutpoint k is p + n_cut + k q + j.
    low, high : ndarray of int32, shape (m,)
        First threshold of the question that an ordered answer is to, and the next question's.
    load : ndarray of float64, shape (m,)
        How many times the chain's effects count.
    answers : ndarray of int8, shape (m, M)
        GRADED: category of the answer to each item, -1 for none.
    cuts : ndarray of int64, shape (M + 1,)
        GRADED: first threshold of each item, and their number.
    discrimination : int
        GRADED: coefficient of the first item's log discrimination, those of the others following.
    step : float
        GRADED: spacing of the grid on which persons are integrated.
    known : bool
        GRADED: whether the negative Hessian in the items' parameters is added by someone else.
    """

    family: int
    x: np.ndarray
    col: np.ndarray
    val: np.ndarray
    z: np.ndarray
    y: np.ndarray
    size: np.ndarray
    weight: np.ndarray
    start: np.ndarray
    n_cut: int
    low: np.ndarray
    high: np.ndarray
    load: np.ndarray
    answers: np.ndarray
    cuts: np.ndarray
    discrimination: int
    step: float
    known: bool


def simple_rows(
    family: int, x: np.ndarray, col: np.ndarray, val: np.ndarray, z: np.ndarray, y: np.ndarray, size: np.ndarray,
    weight: np.ndarray, start: np.ndarray, n_cut: int,
) -> Rows:  # fmt: skip
    """Rows of one question, on which the chain's effects count once."""
    m = len(y)
    low, high = np.zeros(m, dtype=np.int32), np.full(m, n_cut, dtype=np.int32)
    none = np.empty((m, 0), dtype=np.int8)
    cuts = np.zeros(1, dtype=np.int64)
    return Rows(family, x, col, val, z, y, size, weight, start, n_cut, low, high, np.ones(m), none, cuts, 0, 1.0, False)


@inlined
def logistic(e: float) -> tuple[float, float]:
    """log(1 + exp(-|e|)) and 1 / (1 + exp(-e)), without overflow."""
    t = np.exp(-abs(e))
    p = 1.0 / (1.0 + t)
    if e < 0.0:
        p = t * p
    return np.log1p(t), p


@inlined
def log_gap(g: float) -> tuple[float, float, float]:
    """log(1 − exp(−g)) of the distance between two cutpoints, its slope and its negative curvature."""
    if g <= 0.0:
        return -np.inf, 0.0, 0.0
    t = 1.0 / np.expm1(g)
    return np.log(-np.expm1(-g)), t, t * (1.0 + t)


@inlined
def plain_term(
    family: int, e: float, y: float, size: float, weight: float, variance: float
) -> tuple[float, float, float]:
    """Log likelihood of one row without thresholds, its slope in η and its negative curvature."""
    if family == BINOMIAL:
        tail, p = logistic(e)
        return y * e - size * (tail + max(e, 0.0)), y - size * p, size * p * (1.0 - p)
    if family == POISSON:
        mean = size * np.exp(e)
        return y * e - mean, y - mean, mean
    own = variance if variance > 0.0 else size
    w = weight / own
    return -0.5 * (weight * np.log(own) + w * (y - e) ** 2), w * (y - e), w


@inlined
def third_derivative(family: int, e: float, size: float) -> float:
    """Third derivative in η of the log likelihood of one row without thresholds."""
    if family == BINOMIAL:
        _, p = logistic(e)
        return -size * p * (1.0 - p) * (1.0 - 2.0 * p)
    if family == POISSON:
        mean: float = size * np.exp(e)
        return -mean
    return 0.0


@inlined
def predictor(rows: Rows, i: int, core: np.ndarray) -> float:
    """The part of a row's linear predictor that the core makes up, thresholds apart."""
    e: float = 0.0
    for a in range(rows.x.shape[1]):
        e += rows.x[i, a] * core[a]
    for k in range(rows.col.shape[1]):
        e += rows.val[i, k] * core[rows.col[i, k]]
    return e


@inlined
def threshold(rows: Rows, i: int, k: int, core: np.ndarray) -> float:
    """Threshold k of a row, its deviations included."""
    p, q = rows.x.shape[1], rows.z.shape[1]
    b: float = core[p + k]
    for j in range(q):
        b += rows.z[i, j] * core[p + rows.n_cut + k * q + j]
    return b


@kernel
def log_likelihood(
    rows: Rows, first: int, last: int, core: np.ndarray, above: np.ndarray, variance: float, out: np.ndarray
) -> None:
    """Log likelihood of several draws at once.

    Parameters
    ----------
    rows : Rows
    first, last : int
        Leaves first..last-1.
    core : ndarray of float64, shape (Q, R)
        R draws of the core.
    above : ndarray of float64, shape (leaves, R)
        Sum of the effects of each leaf and its ancestors.
    variance : float
        Of a gaussian row's residual; 0 where each row has its own.
    out : ndarray of float64, shape (R,)
        The sums are added to it.
    """
    n_draws, p, q = core.shape[1], rows.x.shape[1], rows.z.shape[1]
    e, b = np.empty(n_draws), np.empty((2, n_draws))
    for leaf in range(first, last):
        for i in range(rows.start[leaf], rows.start[leaf + 1]):
            for r in range(n_draws):
                e[r] = rows.load[i] * above[leaf, r]
            for a in range(p):
                v = rows.x[i, a]
                for r in range(n_draws):
                    e[r] += v * core[a, r]
            for k in range(rows.col.shape[1]):
                v, c = rows.val[i, k], rows.col[i, k]
                for r in range(n_draws):
                    e[r] += v * core[c, r]
            if rows.family != CUMULATIVE:
                for r in range(n_draws):
                    out[r] += plain_term(rows.family, e[r], rows.y[i], rows.size[i], rows.weight[i], variance)[0]
                continue
            category = int(rows.y[i])
            for s in range(2):
                cut = category - 1 + s
                if cut < rows.low[i] or cut >= rows.high[i]:
                    continue
                b[s] = core[p + cut]
                for j in range(q):
                    v, c = rows.z[i, j], p + rows.n_cut + cut * q + j
                    for r in range(n_draws):
                        b[s, r] += v * core[c, r]
                for r in range(n_draws):
                    t = e[r] + b[s, r] if s == 0 else -(e[r] + b[s, r])
                    out[r] += rows.size[i] * (min(t, 0.0) - np.log1p(np.exp(-abs(t))))
            if rows.low[i] < category < rows.high[i]:
                for r in range(n_draws):
                    out[r] += rows.size[i] * log_gap(b[0, r] - b[1, r])[0]
