"""Exact elimination of a nested chain of effects from the negative Hessian of a latent gaussian model.

Given everything else, the effects of one level are independent, and eliminating a child leaves those of its parents
independent, because each child has one parent. Two facts make the elimination a walk over the chain: an ancestor's
effect stands in each row of a node in the same way, so that a node couples to all its ancestors by one number S (the
curvature of its rows, its own descendants eliminated), and to the core by one vector C. With τ the prior precision of
the node's effect and D = τ + S, eliminating it takes C C'/D from the core's matrix and hands S τ/D and C τ/D to the
parent. The cost is linear in the number of nodes.
"""

from __future__ import annotations

import numpy as np

from placewise.kernels.chain import Chain
from placewise.kernels.compile import inlined, kernel
from placewise.kernels.graded import add_person, fill_tables, room
from placewise.kernels.latent import CUMULATIVE, GRADED, Rows, log_gap, logistic, plain_term, predictor, threshold


@inlined
def _add_ordered(
    rows: Rows, i: int, e: float, core: np.ndarray, matrix: np.ndarray, score: np.ndarray, into: np.ndarray
) -> tuple[float, float, float]:
    """Add one ordered answer's terms in its thresholds; log likelihood, and slope and curvature in η."""
    p, q, n_cut = rows.x.shape[1], rows.z.shape[1], rows.n_cut
    category, size, load = int(rows.y[i]), rows.size[i], rows.load[i]
    total, slope, curve = 0.0, 0.0, 0.0
    for s in range(2):
        cut = category - 1 + s
        if cut < rows.low[i] or cut >= rows.high[i]:
            continue
        t = e + threshold(rows, i, cut, core)
        tail, pr = logistic(t)
        total += size * ((min(t, 0.0) if s == 0 else -max(t, 0.0)) - tail)
        r = size * (1.0 - pr) if s == 0 else -size * pr
        w = size * pr * (1.0 - pr)
        slope += r
        curve += w
        for j in range(-1, q):
            c = p + cut if j < 0 else p + n_cut + cut * q + j
            v = 1.0 if j < 0 else rows.z[i, j]
            score[c] += r * v
            into[c] += load * w * v
            for a in range(p):
                matrix[c, a] += w * v * rows.x[i, a]
            for k in range(rows.col.shape[1]):
                matrix[rows.col[i, k], c] += w * v * rows.val[i, k]
            matrix[c, p + cut] += w * v
            for m in range(j + 1):
                matrix[c, p + n_cut + cut * q + m] += w * v * rows.z[i, m]
    if rows.low[i] < category < rows.high[i]:
        total += add_gap(rows, i, category, core, matrix, score)
    return total, slope, curve


@inlined
def add_gap(rows: Rows, i: int, category: int, core: np.ndarray, matrix: np.ndarray, score: np.ndarray) -> float:
    """Add the term of the distance between the two cutpoints about an answer; its log likelihood."""
    p, q, n_cut, size = rows.x.shape[1], rows.z.shape[1], rows.n_cut, rows.size[i]
    upper, lower = threshold(rows, i, category - 1, core), threshold(rows, i, category, core)
    value, slope, curve = log_gap(upper - lower)
    for s in range(2):
        for j in range(-1, q):
            c = p + category - 1 + s if j < 0 else p + n_cut + (category - 1 + s) * q + j
            v = (1.0 if j < 0 else rows.z[i, j]) * (1.0 - 2.0 * s)
            score[c] += size * slope * v
            for u in range(2):
                for m in range(-1, q):
                    d = p + category - 1 + u if m < 0 else p + n_cut + (category - 1 + u) * q + m
                    if d <= c:
                        other = (1.0 if m < 0 else rows.z[i, m]) * (1.0 - 2.0 * u)
                        matrix[c, d] += size * curve * v * other
    total: float = size * value
    return total


@inlined
def _add_row(
    rows: Rows, i: int, slope: float, curve: float, matrix: np.ndarray, score: np.ndarray, into: np.ndarray
) -> None:
    """Add the outer product of a row's core coefficients."""
    p, load = rows.x.shape[1], rows.load[i]
    for a in range(p):
        score[a] += slope * rows.x[i, a]
        w = curve * rows.x[i, a]
        into[a] += load * w
        for b in range(a + 1):
            matrix[a, b] += w * rows.x[i, b]
    for k in range(rows.col.shape[1]):
        c = rows.col[i, k]
        score[c] += slope * rows.val[i, k]
        w = curve * rows.val[i, k]
        into[c] += load * w
        for a in range(p):
            matrix[c, a] += w * rows.x[i, a]
        for m in range(k + 1):
            matrix[c, rows.col[i, m]] += w * rows.val[i, m]


@inlined
def eliminate(
    chain: Chain,
    node: int,
    d: float,
    keep: float,
    acc: np.ndarray,
    level: int,
    top: int,
    dense: np.ndarray,
    val: np.ndarray,
    matrix: np.ndarray,
) -> None:
    """Take one node out of the core's matrix and hand its coupling to its parent."""
    p = dense.shape[1]
    lo, hi = chain.ptr[node], chain.ptr[node + 1]
    for a in range(p):
        dense[node, a] = acc[level, a]
        acc[level, a] = 0.0
    for j in range(lo, hi):
        val[j] = acc[level, chain.col[j]]
        acc[level, chain.col[j]] = 0.0
    for a in range(p):
        v = dense[node, a] / d
        for b in range(a + 1):
            matrix[a, b] -= v * dense[node, b]
    for j in range(lo, hi):
        c, v = chain.col[j], val[j] / d
        for a in range(p):
            matrix[c, a] -= v * dense[node, a]
        for k in range(lo, j + 1):
            matrix[c, chain.col[k]] -= v * val[k]
    if level < top:
        for a in range(p):
            acc[level + 1, a] += keep * dense[node, a]
        for j in range(lo, hi):
            acc[level + 1, chain.col[j]] += keep * val[j]


@kernel
def assemble(
    rows: Rows,
    chain: Chain,
    first: int,
    last: int,
    core: np.ndarray,
    above: np.ndarray,
    tau: np.ndarray,
    variance: float,
    matrix: np.ndarray,
    score: np.ndarray,
    slope: np.ndarray,
    pivot: np.ndarray,
    strength: np.ndarray,
    dense: np.ndarray,
    val: np.ndarray,
) -> float:
    """Log likelihood, its gradient, and its negative Hessian with the chain eliminated, of some leaves.

    Parameters
    ----------
    rows : Rows
    chain : Chain
    first, last : int
        Leaves first..last-1, which make up whole nodes of every level.
    core : ndarray of float64, shape (Q,)
    above : ndarray of float64, shape (leaves,)
        Sum of the effects of each leaf and its ancestors.
    tau : ndarray of float64, shape (nodes,)
        Prior precision of each node's effect.
    variance : float
        Of a gaussian row's residual; 0 where each row has its own.
    matrix : ndarray of float64, shape (Q, Q)
        Lower triangle; added to.
    score : ndarray of float64, shape (Q,)
        Gradient in the core; added to.
    slope : ndarray of float64, shape (leaves,)
        Slope of the rows in the leaf's effect; set.
    pivot, strength : ndarray of float64, shape (nodes,)
        D and S of each node; set.
    dense : ndarray of float64, shape (nodes, p), val : ndarray of float64, shape (len(chain.col),)
        C of each node; set.

    Returns
    -------
    float
        Log likelihood.
    """
    top = len(chain.first) - 2
    acc = np.zeros((max(top, 0) + 1, matrix.shape[0]))
    pending = np.zeros(max(top, 0) + 1)
    total = 0.0
    tables, share, at, slopes, means, cov = room(rows)
    if rows.family == GRADED:
        fill_tables(rows, core, tables)
    for leaf in range(first, last):
        here, s = 0.0, 0.0
        for i in range(rows.start[leaf], rows.start[leaf + 1]):
            e = rows.load[i] * above[leaf] + predictor(rows, i, core)
            if rows.family == GRADED:
                term, r, w = add_person(rows, i, e, tables, share, at, slopes, means, cov, matrix, score, acc[0])
            elif rows.family == CUMULATIVE:
                term, r, w = _add_ordered(rows, i, e, core, matrix, score, acc[0])
            else:
                term, r, w = plain_term(rows.family, e, rows.y[i], rows.size[i], rows.weight[i], variance)
            total += term
            here += rows.load[i] * r
            s += rows.load[i] ** 2 * w
            _add_row(rows, i, r, w, matrix, score, acc[0])
        slope[leaf] = here
        if top < 0:
            acc[0] = 0.0
            continue
        node = leaf
        for level in range(chain.closes[leaf] + 1):
            d = tau[node] + s
            keep = tau[node] / d
            pivot[node], strength[node] = d, s
            eliminate(chain, node, d, keep, acc, level, top, dense, val, matrix)
            if level < top:
                pending[level + 1] += s * keep
                node = chain.parent[node]
                if level < chain.closes[leaf]:
                    s = pending[level + 1]
                    pending[level + 1] = 0.0
    return total


@kernel
def forward(
    chain: Chain,
    pivot: np.ndarray,
    strength: np.ndarray,
    dense: np.ndarray,
    val: np.ndarray,
    nodes: np.ndarray,
    core: np.ndarray,
) -> None:
    """Eliminate the chain from a right-hand side, in place; ``nodes`` (nodes,) and ``core`` (Q,)."""
    p = dense.shape[1]
    carried = np.zeros(len(nodes))
    for node in range(len(nodes)):
        nodes[node] += carried[node]
        f = nodes[node] / pivot[node]
        if chain.parent[node] >= 0:
            carried[chain.parent[node]] += carried[node] - strength[node] * f
        for a in range(p):
            core[a] -= f * dense[node, a]
        for j in range(chain.ptr[node], chain.ptr[node + 1]):
            core[chain.col[j]] -= f * val[j]


@kernel
def backward(
    chain: Chain,
    pivot: np.ndarray,
    strength: np.ndarray,
    dense: np.ndarray,
    val: np.ndarray,
    nodes: np.ndarray,
    core: np.ndarray,
) -> np.ndarray:
    """Effects of the nodes once the core is solved, in place.

    Parameters
    ----------
    nodes : ndarray of float64, shape (nodes, R)
        What ``forward`` left of each right-hand side, or D times a deviate; becomes the solution.
    core : ndarray of float64, shape (Q, R)
        Solutions of the core.

    Returns
    -------
    ndarray of float64, shape (nodes, R)
        Sums of each node's solution and its ancestors'.
    """
    p, n_rhs = dense.shape[1], nodes.shape[1]
    total = np.empty_like(nodes)
    for node in range(len(nodes) - 1, -1, -1):
        here, d, parent = nodes[node], pivot[node], chain.parent[node]
        for a in range(p):
            v = dense[node, a]
            for r in range(n_rhs):
                here[r] -= v * core[a, r]
        for j in range(chain.ptr[node], chain.ptr[node + 1]):
            v, c = val[j], chain.col[j]
            for r in range(n_rhs):
                here[r] -= v * core[c, r]
        for r in range(n_rhs):
            over = total[parent, r] if parent >= 0 else 0.0
            here[r] = (here[r] - strength[node] * over) / d
            total[node, r] = over + here[r]
    return total
