"""Posterior variances of a gaussian approximation whose chain is eliminated: of effects, and of linear predictors.

The sum h of a node's effect and its ancestors' is linear in the core β and in independent deviates:
h = −E'β + ε with E = C/D + (τ/D) E_parent and Var ε = 1/D + (τ/D)² Var ε_parent. So V E, with V the core's covariance,
needs to be known only where the node's rows have coefficients, and is handed down from parent to child.
"""

from __future__ import annotations

import numpy as np

from placewise.kernels.chain import Chain
from placewise.kernels.compile import inlined, kernel
from placewise.kernels.graded import fill_tables, person_skew, room
from placewise.kernels.latent import (
    CUMULATIVE,
    GAUSSIAN,
    GRADED,
    Rows,
    logistic,
    plain_term,
    predictor,
    third_derivative,
    threshold,
)


@inlined
def _descend(
    chain: Chain,
    node: int,
    level: int,
    tau: np.ndarray,
    pivot: np.ndarray,
    dense: np.ndarray,
    val: np.ndarray,
    cov: np.ndarray,
    ve: np.ndarray,
    own: np.ndarray,
) -> tuple[float, float, float]:
    """V E of one node from its parent's, on the node's pattern; variances of the node's effect and of its sum."""
    p = dense.shape[1]
    lo, hi = chain.ptr[node], chain.ptr[node + 1]
    d, rho = pivot[node], tau[node] / pivot[node]
    top = chain.parent[node] < 0
    quad, cross = 0.0, 0.0
    for a in range(p + hi - lo):
        c = a if a < p else chain.col[lo + a - p]
        s = 0.0
        for b in range(p):
            s += cov[c, b] * dense[node, b]
        for j in range(lo, hi):
            s += cov[c, chain.col[j]] * val[j]
        s /= d
        mine = (dense[node, a] if a < p else val[lo + a - p]) / d
        over = 0.0 if top else ve[level + 1, c]
        quad += mine * s
        cross += mine * over
        own[a] = s + rho * over
    for a in range(p + hi - lo):
        ve[level, a if a < p else chain.col[lo + a - p]] = own[a]
    return quad, cross, rho


@inlined
def _row_variance(rows: Rows, i: int, q: float, spread: float, cov: np.ndarray, ve: np.ndarray) -> float:
    """Variance of a row's linear predictor, thresholds apart."""
    p, load = rows.x.shape[1], rows.load[i]
    v: float = load * load * (spread + q)
    for a in range(p):
        s = -2.0 * load * ve[a]
        for b in range(p):
            s += cov[a, b] * rows.x[i, b]
        for k in range(rows.col.shape[1]):
            s += 2.0 * cov[rows.col[i, k], a] * rows.val[i, k]
        v += s * rows.x[i, a]
    for k in range(rows.col.shape[1]):
        c = rows.col[i, k]
        s = -2.0 * load * ve[c]
        for m in range(rows.col.shape[1]):
            s += cov[c, rows.col[i, m]] * rows.val[i, m]
        v += s * rows.val[i, k]
    return v


@inlined
def _threshold_variance(rows: Rows, i: int, cut: int, cov: np.ndarray, ve: np.ndarray) -> float:
    """What a threshold adds to the variance of a row's linear predictor."""
    p, q, n_cut = rows.x.shape[1], rows.z.shape[1], rows.n_cut
    v = 0.0
    for j in range(-1, q):
        c = p + cut if j < 0 else p + n_cut + cut * q + j
        s = -rows.load[i] * ve[c]
        for a in range(p):
            s += cov[c, a] * rows.x[i, a]
        for k in range(rows.col.shape[1]):
            s += cov[c, rows.col[i, k]] * rows.val[i, k]
        s = 2.0 * s + cov[c, p + cut]
        for m in range(q):
            s += cov[c, p + n_cut + cut * q + m] * rows.z[i, m]
        v += s * (1.0 if j < 0 else rows.z[i, j])
    return v


@inlined
def _gap_third(rows: Rows, i: int, category: int, core: np.ndarray, cov: np.ndarray, skew: np.ndarray) -> None:
    """Add the third-order term of the distance between two cutpoints to the core's skewness."""
    p, q, n_cut = rows.x.shape[1], rows.z.shape[1], rows.n_cut
    g = threshold(rows, i, category - 1, core) - threshold(rows, i, category, core)
    t = 1.0 / np.expm1(g)
    third = rows.size[i] * t * (1.0 + t) * (1.0 + 2.0 * t)
    v = 0.0
    for s in range(2):
        for j in range(-1, q):
            c = p + category - 1 + s if j < 0 else p + n_cut + (category - 1 + s) * q + j
            left = (1.0 if j < 0 else rows.z[i, j]) * (1.0 - 2.0 * s)
            for u in range(2):
                for m in range(-1, q):
                    d = p + category - 1 + u if m < 0 else p + n_cut + (category - 1 + u) * q + m
                    v += left * cov[c, d] * (1.0 if m < 0 else rows.z[i, m]) * (1.0 - 2.0 * u)
    for s in range(2):
        for j in range(-1, q):
            c = p + category - 1 + s if j < 0 else p + n_cut + (category - 1 + s) * q + j
            skew[c] += 0.5 * third * v * (1.0 if j < 0 else rows.z[i, j]) * (1.0 - 2.0 * s)


@inlined
def _row_skew(
    rows: Rows, i: int, e: float, v: float, core: np.ndarray, cov: np.ndarray, ve: np.ndarray, skew: np.ndarray,
    tables: np.ndarray, share: np.ndarray, at: np.ndarray, slopes: np.ndarray, means: np.ndarray,
) -> float:  # fmt: skip
    """Half the third derivative times the variance of a row, summed over its terms; adds to the core's skewness."""
    p, q, n_cut = rows.x.shape[1], rows.z.shape[1], rows.n_cut
    if rows.family == GRADED:
        half = person_skew(rows, i, e, v, tables, share, at, slopes, means, skew)
    elif rows.family != CUMULATIVE:
        half = 0.5 * v * third_derivative(rows.family, e, rows.size[i])
    else:
        half = 0.0
        category = int(rows.y[i])
        for s in range(2):
            cut = category - 1 + s
            if cut < rows.low[i] or cut >= rows.high[i]:
                continue
            _, pr = logistic(e + threshold(rows, i, cut, core))
            third = -rows.size[i] * pr * (1.0 - pr) * (1.0 - 2.0 * pr)
            part = 0.5 * third * (v + _threshold_variance(rows, i, cut, cov, ve))
            half += part
            skew[p + cut] += part
            for j in range(q):
                skew[p + n_cut + cut * q + j] += part * rows.z[i, j]
        if rows.low[i] < category < rows.high[i]:
            _gap_third(rows, i, category, core, cov, skew)
    for a in range(p):
        skew[a] += half * rows.x[i, a]
    for k in range(rows.col.shape[1]):
        skew[rows.col[i, k]] += half * rows.val[i, k]
    return half


@kernel
def moments(
    rows: Rows,
    chain: Chain,
    first: int,
    last: int,
    core: np.ndarray,
    above: np.ndarray,
    tau: np.ndarray,
    variance: float,
    pivot: np.ndarray,
    dense: np.ndarray,
    val: np.ndarray,
    cov: np.ndarray,
    skew: np.ndarray,
    leaf_skew: np.ndarray,
    spread: np.ndarray,
) -> float:
    """Variances under the gaussian approximation, and the third-order terms that shift its mean.

    Parameters
    ----------
    rows, chain, first, last, core, above, tau, variance, pivot, dense, val
        As ``assemble`` takes and sets them.
    cov : ndarray of float64, shape (Q, Q)
        Inverse of the core's matrix, both triangles.
    skew : ndarray of float64, shape (Q,)
        Half the sum over rows of third derivative times variance times coefficient; added to.
    leaf_skew : ndarray of float64, shape (leaves,)
        The same for each leaf; set.
    spread : ndarray of float64, shape (nodes,)
        Posterior variance of each node's effect; set.

    Returns
    -------
    float
        Gaussian rows: the sum of information times variance; else 0.
    """
    top = len(chain.first) - 2
    n_core = cov.shape[0]
    ve = np.zeros((max(top, 0) + 1, n_core))
    own = np.empty(n_core)
    quad, noise = np.zeros(max(top, 0) + 2), np.zeros(max(top, 0) + 2)
    done = np.full(max(top, 0) + 1, -1, dtype=np.int64)
    path = np.empty(max(top, 0) + 1, dtype=np.int64)
    information = 0.0
    tables, share, at, slopes, means, _ = room(rows)
    if rows.family == GRADED:
        fill_tables(rows, core, tables)
    for leaf in range(first, last):
        if top >= 0:
            path[0] = leaf
            for level in range(1, top + 1):
                path[level] = chain.parent[path[level - 1]]
        for level in range(top, -1, -1):
            node = path[level]
            if done[level] == node:
                continue
            done[level] = node
            a, b, rho = _descend(chain, node, level, tau, pivot, dense, val, cov, ve, own)
            out = 1.0 - rho
            spread[node] = a - 2.0 * out * b + out * out * (quad[level + 1] + noise[level + 1]) + 1.0 / pivot[node]
            quad[level] = a + 2.0 * rho * b + rho * rho * quad[level + 1]
            noise[level] = 1.0 / pivot[node] + rho * rho * noise[level + 1]
        here = 0.0
        for i in range(rows.start[leaf], rows.start[leaf + 1]):
            v = _row_variance(rows, i, quad[0], noise[0], cov, ve[0])
            e = rows.load[i] * above[leaf] + predictor(rows, i, core)
            if rows.family == GAUSSIAN:
                w = plain_term(GAUSSIAN, e, rows.y[i], rows.size[i], rows.weight[i], variance)[2]
                information += w * v
            else:
                half = _row_skew(rows, i, e, v, core, cov, ve[0], skew, tables, share, at, slopes, means)
                here += rows.load[i] * half
        leaf_skew[leaf] = here
    return information
