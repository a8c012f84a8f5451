"""The finest level of the chain integrated out by adaptive Gauss-Hermite quadrature, one dimension a leaf.

A leaf with few rows and a wide effect has an integrand that is far from normal, and thousands of small errors of
Laplace's approximation add up. Given all else each leaf is a one-dimensional integral (Pinheiro and Bates 1995). Its
logarithm is, like Laplace's, a function of its rows' linear predictors, whose gradient is the mean of the rows' slopes
over the leaf's conditional distribution; its curvature is their mean curvature less the covariance of their slopes,
which is taken to be of rank one: slopes move together with the leaf's effect.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from placewise.kernels.chain import Chain
from placewise.kernels.compile import inlined, kernel
from placewise.kernels.elimination import add_gap, eliminate
from placewise.kernels.latent import BINOMIAL, CUMULATIVE, Rows, plain_term, predictor, threshold

# Newton's steps to a leaf's mode: at most, how long at most, and how short in sds that one ends them; it is short where
# an integral that depended on where the steps began would not be a smooth function of the rest
STEPS, LONGEST_STEP, CLOSE, NEAR = 12, 2.0, 1e-3, 0.2
# how many sds from the mode on either side the candidates' spread is matched to the integrand
MATCHED, LEAST_DROP = 2.0, 0.1


class Rule(NamedTuple):
    """A quadrature for a standard normal density, and how well leaves are drawn with it.

    Parameters
    ----------
    abscissa, log_weight : ndarray of float64, shape (nodes,)
    strata : ndarray of float64, shape (candidates, n)
        Standard normal deviates, each row those of one stratum, among which a leaf's effect is picked.
    """

    abscissa: np.ndarray
    log_weight: np.ndarray
    strata: np.ndarray


def _rule(nodes: int, candidates: int) -> Rule:
    x, w = np.polynomial.hermite.hermgauss(nodes)
    fine = 16384 // candidates
    strata = ndtri((np.arange(candidates * fine) + 0.5) / (candidates * fine)).reshape(candidates, fine)
    return Rule(np.sqrt(2.0) * x, np.log(w) + x**2 - 0.5 * np.log(np.pi), strata)


# for leaves near normal, and for others
COARSE, FINE = _rule(5, 4), _rule(9, 16)


@inlined
def _terms(rows: Rows, leaf: int, core: np.ndarray, above: float, term: np.ndarray) -> int:
    """Linear predictor but for the leaf's effect, answer, size and load of each term of a leaf's rows; how many."""
    n = 0
    for i in range(rows.start[leaf], rows.start[leaf + 1]):
        base = rows.load[i] * above + predictor(rows, i, core)
        if rows.family != CUMULATIVE:
            term[0, n], term[1, n], term[2, n], term[3, n] = base, rows.y[i], rows.size[i], rows.load[i]
            n += 1
            continue
        category = int(rows.y[i])
        for s in range(2):
            cut = category - 1 + s
            if rows.low[i] <= cut < rows.high[i]:
                term[0, n] = base + threshold(rows, i, cut, core)
                term[1, n], term[2, n] = (rows.size[i] if s == 0 else 0.0), rows.size[i]
                term[3, n] = rows.load[i]
                n += 1
    return n


@inlined
def _value(
    rows: Rows, leaf: int, n: int, u: float, tau: float, variance: float, term: np.ndarray
) -> tuple[float, float, float]:
    """Log integrand of a leaf at one effect, its slope and its negative curvature."""
    family = BINOMIAL if rows.family == CUMULATIVE else rows.family
    value, slope, curve = -0.5 * tau * u * u, -tau * u, tau
    for t in range(n):
        weight = 1.0 if rows.family == CUMULATIVE else rows.weight[rows.start[leaf] + t]
        load = term[3, t]
        a, b, c = plain_term(family, term[0, t] + load * u, term[1, t], term[2, t], weight, variance)
        value += a
        slope += load * b
        curve += load * load * c
    return value, slope, curve


@inlined
def _centre(
    rows: Rows, leaf: int, n: int, u: float, tau: float, variance: float, term: np.ndarray, close: float
) -> tuple[float, float]:
    """About the mode of a leaf's integrand, and the sd of a normal density with its curvature."""
    curve = 1.0
    for _ in range(STEPS):
        _, slope, curve = _value(rows, leaf, n, u, tau, variance, term)
        step = max(-LONGEST_STEP, min(LONGEST_STEP, slope / curve))
        u += step
        if abs(step) * np.sqrt(curve) < close:
            break
    return u, 1.0 / np.sqrt(curve)


@kernel
def leaf_marginals(
    rows: Rows,
    first: int,
    last: int,
    core: np.ndarray,
    above: np.ndarray,
    start: np.ndarray,
    tau: np.ndarray,
    variance: float,
    abscissa: np.ndarray,
    log_weight: np.ndarray,
    out: np.ndarray,
) -> None:
    """Log likelihood of several draws with the leaves integrated out.

    Parameters
    ----------
    rows : Rows
    first, last : int
        Leaves first..last-1.
    core : ndarray of float64, shape (Q, R)
    above : ndarray of float64, shape (leaves, R)
        Sum of the effects of each leaf's ancestors.
    start : ndarray of float64, shape (leaves, R)
        About the mode of each leaf's effect.
    tau : ndarray of float64, shape (leaves,)
        Prior precision of each leaf's effect.
    variance : float
        As in ``log_likelihood``.
    abscissa, log_weight : ndarray of float64
        Of the rule.
    out : ndarray of float64, shape (R,)
        The sums are added to it.
    """
    longest = 2 * int((rows.start[1:] - rows.start[:-1]).max())
    term = np.empty((4, longest))
    own = np.empty(core.shape[0])
    n_nodes = len(abscissa)
    values = np.empty(n_nodes)
    for r in range(core.shape[1]):
        own[:] = core[:, r]
        total = 0.0
        for leaf in range(first, last):
            n = _terms(rows, leaf, own, above[leaf, r], term)
            u, sd = _centre(rows, leaf, n, start[leaf, r], tau[leaf], variance, term, NEAR)
            for k in range(n_nodes):
                at = u + sd * abscissa[k]
                values[k] = _value(rows, leaf, n, at, tau[leaf], variance, term)[0] + log_weight[k]
            top = values.max()
            total += top + np.log(np.exp(values - top).sum() * sd * np.sqrt(tau[leaf]))
            if rows.family == CUMULATIVE:
                for i in range(rows.start[leaf], rows.start[leaf + 1]):
                    category = int(rows.y[i])
                    if rows.low[i] < category < rows.high[i]:
                        gap = threshold(rows, i, category - 1, own) - threshold(rows, i, category, own)
                        total += rows.size[i] * (np.log(-np.expm1(-gap)) if gap > 0.0 else -np.inf)
        out[r] += total


@inlined
def _spreads(
    rows: Rows, leaf: int, n: int, u: float, sd: float, tau: float, variance: float, term: np.ndarray
) -> tuple[float, float]:
    """Sds of normal densities that fall as far as a leaf's integrand on the left and on the right of its mode."""
    top = _value(rows, leaf, n, u, tau, variance, term)[0]
    left = top - _value(rows, leaf, n, u - MATCHED * sd, tau, variance, term)[0]
    right = top - _value(rows, leaf, n, u + MATCHED * sd, tau, variance, term)[0]
    reach = MATCHED * sd * np.sqrt(0.5)
    return reach / np.sqrt(max(left, LEAST_DROP)), reach / np.sqrt(max(right, LEAST_DROP))


@kernel
def draw_leaves(
    rows: Rows,
    first: int,
    last: int,
    core: np.ndarray,
    above: np.ndarray,
    start: np.ndarray,
    tau: np.ndarray,
    variance: float,
    strata: np.ndarray,
    uniform: np.ndarray,
    out: np.ndarray,
) -> None:
    """Draw leaf effects from their conditional distributions: stratified candidates, one picked by its weight.

    Parameters
    ----------
    rows, first, last, core, above, start
        As in ``leaf_marginals``.
    tau, variance
        As in ``leaf_marginals``.
    strata : ndarray of float64, shape (CANDIDATES, n)
        Of the rule.
    uniform : ndarray of float64, shape (2, leaves, R)
        Which deviate of the strata, and which candidate.
    out : ndarray of float64, shape (leaves, R)
    """
    longest = 2 * int((rows.start[1:] - rows.start[:-1]).max())
    term = np.empty((4, longest))
    own = np.empty(core.shape[0])
    n_strata, fine = strata.shape
    weight = np.empty(n_strata)
    for r in range(core.shape[1]):
        own[:] = core[:, r]
        for leaf in range(first, last):
            n = _terms(rows, leaf, own, above[leaf, r], term)
            u, sd = _centre(rows, leaf, n, start[leaf, r], tau[leaf], variance, term, NEAR)
            below, beyond = _spreads(rows, leaf, n, u, sd, tau[leaf], variance, term)
            log_ratio = np.log(below / beyond)
            offset = int(uniform[0, leaf, r] * fine)
            for k in range(n_strata):
                z = strata[k, offset]
                wide, shift = (below, log_ratio) if z < 0.0 else (beyond, 0.0)
                value = _value(rows, leaf, n, u + wide * z, tau[leaf], variance, term)[0]
                weight[k] = value + 0.5 * z * z + shift
            weight[:] = np.exp(weight - weight.max())
            target = uniform[1, leaf, r] * weight.sum()
            k, seen = 0, weight[0]
            while seen < target and k + 1 < n_strata:
                k += 1
                seen += weight[k]
            z = strata[k, offset]
            out[leaf, r] = u + (below if z < 0.0 else beyond) * z


@inlined
def _average(
    rows: Rows,
    leaf: int,
    n: int,
    u: float,
    sd: float,
    tau: float,
    variance: float,
    term: np.ndarray,
    abscissa: np.ndarray,
    log_weight: np.ndarray,
    share: np.ndarray,
    mean: np.ndarray,
) -> tuple[float, float]:
    """Log integral of a leaf and its effect's variance; ``mean`` gets slope, curvature and response of each term."""
    family = BINOMIAL if rows.family == CUMULATIVE else rows.family
    for k in range(len(abscissa)):
        share[k] = _value(rows, leaf, n, u + sd * abscissa[k], tau, variance, term)[0] + log_weight[k]
    top = share.max()
    share[:] = np.exp(share - top)
    whole = share.sum()
    share[:] = share / whole
    centre = (share * abscissa).sum()
    spread = (share * (abscissa - centre) ** 2).sum()
    mean[:n] = 0.0
    for t in range(n):
        weight = 1.0 if rows.family == CUMULATIVE else rows.weight[rows.start[leaf] + t]
        for k in range(len(abscissa)):
            eta = term[0, t] + term[3, t] * (u + sd * abscissa[k])
            _, b, c = plain_term(family, eta, term[1, t], term[2, t], weight, variance)
            mean[t, 0] += share[k] * b
            mean[t, 1] += share[k] * c
            mean[t, 2] -= share[k] * b * (abscissa[k] - centre)
        mean[t, 2] /= spread * sd
    return top + np.log(whole * sd * np.sqrt(tau)), spread * sd * sd


@inlined
def _add_term(
    rows: Rows, i: int, cut: int, slope: float, curve: float, response: float,
    matrix: np.ndarray, score: np.ndarray, into: np.ndarray, moved: np.ndarray,
) -> None:  # fmt: skip
    """Add one term of a row: its outer product, its gradient, and its couplings by curvature and by response."""
    p, q, n_cut, load = rows.x.shape[1], rows.z.shape[1], rows.n_cut, rows.load[i]
    for j in range(-1, q if cut >= 0 else -1):
        c = p + cut if j < 0 else p + n_cut + cut * q + j
        v = 1.0 if j < 0 else rows.z[i, j]
        score[c] += slope * v
        into[c] += load * curve * v
        moved[c] += response * v
        for a in range(p):
            matrix[c, a] += curve * v * rows.x[i, a]
        for k in range(rows.col.shape[1]):
            matrix[rows.col[i, k], c] += curve * v * rows.val[i, k]
        matrix[c, p + cut] += curve * v
        for m in range(j + 1):
            matrix[c, p + n_cut + cut * q + m] += curve * v * rows.z[i, m]
    for a in range(p):
        score[a] += slope * rows.x[i, a]
        into[a] += load * curve * rows.x[i, a]
        moved[a] += response * rows.x[i, a]
        for b in range(a + 1):
            matrix[a, b] += curve * rows.x[i, a] * rows.x[i, b]
    for k in range(rows.col.shape[1]):
        c, v = rows.col[i, k], rows.val[i, k]
        score[c] += slope * v
        into[c] += load * curve * v
        moved[c] += response * v
        for a in range(p):
            matrix[c, a] += curve * v * rows.x[i, a]
        for m in range(k + 1):
            matrix[c, rows.col[i, m]] += curve * v * rows.val[i, m]


@kernel
def assemble_marginal(
    rows: Rows, chain: Chain, first: int, last: int, core: np.ndarray, above: np.ndarray, start: np.ndarray,
    tau: np.ndarray, variance: float, abscissa: np.ndarray, log_weight: np.ndarray, matrix: np.ndarray,
    score: np.ndarray, slope: np.ndarray, pivot: np.ndarray, strength: np.ndarray, dense: np.ndarray, val: np.ndarray,
) -> float:  # fmt: skip
    """As ``placewise.kernels.elimination.assemble``, the leaves integrated out by quadrature.

    ``above`` holds the sums of the leaves' ancestors only, ``start`` about the mode of each leaf's effect; it is moved
    to the mode. A leaf's pivot is 1 over its conditional variance, its coupling says how its mean responds.
    """
    top = len(chain.first) - 2
    p = dense.shape[1]
    acc = np.zeros((top + 1, matrix.shape[0]))
    moved = np.zeros(matrix.shape[0])
    pending = np.zeros(top + 1)
    longest = 2 * int((rows.start[1:] - rows.start[:-1]).max())
    term = np.empty((4, longest))
    share, mean = np.empty(len(abscissa)), np.empty((longest, 3))
    total = 0.0
    for leaf in range(first, last):
        n = _terms(rows, leaf, core, above[leaf], term)
        u, sd = _centre(rows, leaf, n, start[leaf], tau[leaf], variance, term, CLOSE)
        start[leaf] = u
        value, spread = _average(rows, leaf, n, u, sd, tau[leaf], variance, term, abscissa, log_weight, share, mean)
        total += value
        here, s, response, t = 0.0, 0.0, 0.0, 0
        for i in range(rows.start[leaf], rows.start[leaf + 1]):
            category = int(rows.y[i])
            for k in range(2 if rows.family == CUMULATIVE else 1):
                cut = category - 1 + k if rows.family == CUMULATIVE else -1
                if rows.family == CUMULATIVE and (cut < rows.low[i] or cut >= rows.high[i]):
                    continue
                _add_term(rows, i, cut, mean[t, 0], mean[t, 1], mean[t, 2], matrix, score, acc[0], moved)
                load = rows.load[i]
                here += load * mean[t, 0]
                s += load * load * mean[t, 1]
                response += load * mean[t, 2]
                t += 1
            if rows.family == CUMULATIVE and rows.low[i] < category < rows.high[i]:
                total += add_gap(rows, i, category, core, matrix, score)
        slope[leaf] = here
        pivot[leaf], strength[leaf] = 1.0 / spread, response
        # the leaf's coupling is by response; what its ancestors see is the rest of its rows' curvature
        carried = s - spread * response * response
        for a in range(p):
            dense[leaf, a] = moved[a]
            if top > 0:
                acc[1, a] += acc[0, a] - spread * response * moved[a]
            acc[0, a] = 0.0
            moved[a] = 0.0
        lo, hi = chain.ptr[leaf], chain.ptr[leaf + 1]
        for j in range(lo, hi):
            c = chain.col[j]
            val[j] = moved[c]
            if top > 0:
                acc[1, c] += acc[0, c] - spread * response * moved[c]
            acc[0, c] = 0.0
            moved[c] = 0.0
        for a in range(p):
            for b in range(a + 1):
                matrix[a, b] -= spread * dense[leaf, a] * dense[leaf, b]
        for j in range(lo, hi):
            c, v = chain.col[j], spread * val[j]
            for a in range(p):
                matrix[c, a] -= v * dense[leaf, a]
            for k in range(lo, j + 1):
                matrix[c, chain.col[k]] -= v * val[k]
        if top == 0:
            continue
        pending[1] += carried
        node = chain.parent[leaf]
        for level in range(1, chain.closes[leaf] + 1):
            s = pending[level]
            pending[level] = 0.0
            d = tau[node] + s
            pivot[node], strength[node] = d, s
            eliminate(chain, node, d, tau[node] / d, acc, level, top, dense, val, matrix)
            if level < top:
                pending[level + 1] += s * tau[node] / d
                node = chain.parent[node]
    return total
