"""Likelihood of ordered answers whose chances are averaged over the places in which a respondent may live.

P(y > k) = Σ_j w_j F(η_j + b_k + z_j'd_k) over the homes j of a profile, F the logistic function. Each home is two, one
above and one below by the sd of what else differs between the areas inside: the mean over a normal deviation, to third
order. An answer of two categories has one threshold, nought.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from placewise.kernels.compile import inlined, kernel


class Profiles(NamedTuple):
    """Respondents alike in all but their answer, and where they may live.

    Parameters
    ----------
    x : ndarray of float64, shape (H, p)
        Columns of each home; coefficients 0..p-1 of the core.
    col : ndarray of int32, shape (H, K), val : ndarray of float64, shape (H, K)
        Further coefficients of the core that a home meets, and their values.
    z : ndarray of float64, shape (H, q)
        Covariates whose slope differs by cutpoint.
    share : ndarray of float64, shape (H,)
        Weight of each home in its profile.
    start : ndarray of int64, shape (m + 1,)
        First home of each profile, and H.
    leaf : ndarray of int64, shape (m,)
        Leaf of the chain.
    counts : ndarray of float64, shape (m, C)
        How often each category was answered.
    ordered : bool
        Whether threshold k is coefficient p + k, and deviation j of cutpoint k is p + C − 1 + k q + j; else there is
        one threshold, nought.
    """

    x: np.ndarray
    col: np.ndarray
    val: np.ndarray
    z: np.ndarray
    share: np.ndarray
    start: np.ndarray
    leaf: np.ndarray
    counts: np.ndarray
    ordered: bool


@inlined
def _both(t: float) -> tuple[float, float]:
    """F(t) and 1 − F(t), without cancellation."""
    small = np.exp(-abs(t))
    large = 1.0 / (1.0 + small)
    return (large, small * large) if t > 0.0 else (small * large, large)


@inlined
def _chance(c: int, top: int, over: np.ndarray, under: np.ndarray) -> float:
    """Chance of a category, from those above and below each cutpoint: of the two differences the one of small terms."""
    found: float = under[0]
    if c == top:
        found = over[top - 1]
    elif c > 0:
        found = over[c - 1] - over[c] if over[c - 1] < 0.5 else under[c] - under[c - 1]
    return found


@kernel
def averaged_log_likelihood(
    profiles: Profiles, core: np.ndarray, above: np.ndarray, spread: np.ndarray, out: np.ndarray
) -> None:
    """Log likelihood of several draws at once.

    Parameters
    ----------
    profiles : Profiles
    core : ndarray of float64, shape (Q, R)
    above : ndarray of float64, shape (leaves, R)
        Sum of the effects of each leaf and its ancestors.
    spread : ndarray of float64, shape (m,)
        Sd of what else differs between the homes of each profile.
    out : ndarray of float64, shape (R,)
        The sums are added to it; −∞ where an answer has no chance.
    """
    n_draws, p, q = core.shape[1], profiles.x.shape[1], profiles.z.shape[1]
    top = profiles.counts.shape[1] - 1
    e, b = np.empty(n_draws), np.zeros(n_draws)
    over, under = np.empty((n_draws, top)), np.empty((n_draws, top))
    for i in range(len(profiles.leaf)):
        over[:] = 0.0
        under[:] = 0.0
        for h in range(profiles.start[i], profiles.start[i + 1]):
            e[:] = above[profiles.leaf[i]]
            for a in range(p):
                v = profiles.x[h, a]
                for r in range(n_draws):
                    e[r] += v * core[a, r]
            for k in range(profiles.col.shape[1]):
                v, c = profiles.val[h, k], profiles.col[h, k]
                for r in range(n_draws):
                    e[r] += v * core[c, r]
            half = 0.5 * profiles.share[h]
            for k in range(top):
                if profiles.counts[i, k] == 0.0 and profiles.counts[i, k + 1] == 0.0:
                    continue
                if profiles.ordered:
                    b[:] = core[p + k]
                    for j in range(q):
                        v, c = profiles.z[h, j], p + top + k * q + j
                        for r in range(n_draws):
                            b[r] += v * core[c, r]
                for r in range(n_draws):
                    high, low = _both(e[r] + b[r] + spread[i])
                    more, less = _both(e[r] + b[r] - spread[i])
                    over[r, k] += half * (high + more)
                    under[r, k] += half * (low + less)
        for c in range(top + 1):
            size = profiles.counts[i, c]
            if size > 0.0:
                for r in range(n_draws):
                    chance = _chance(c, top, over[r], under[r])
                    out[r] += size * np.log(chance) if chance > 0.0 else -np.inf


@kernel
def averaged_slope(
    profiles: Profiles, core: np.ndarray, above: np.ndarray, spread: np.ndarray, score: np.ndarray, slope: np.ndarray
) -> float:
    """Log likelihood of one draw, and its gradient.

    Parameters
    ----------
    profiles, spread
        As in ``averaged_log_likelihood``.
    core : ndarray of float64, shape (Q,)
    above : ndarray of float64, shape (leaves,)
    score : ndarray of float64, shape (Q,)
        Gradient in the core; added to.
    slope : ndarray of float64, shape (leaves,)
        Gradient in the leaves' effects; added to.
    """
    p, q, top = profiles.x.shape[1], profiles.z.shape[1], profiles.counts.shape[1] - 1
    longest = int((profiles.start[1:] - profiles.start[:-1]).max())
    t = np.empty((longest, top))
    over, under, by_over = np.empty(top), np.empty(top), np.empty(top)
    total = 0.0
    for i in range(len(profiles.leaf)):
        first, leaf = profiles.start[i], profiles.leaf[i]
        over[:] = 0.0
        under[:] = 0.0
        for h in range(first, profiles.start[i + 1]):
            e = above[leaf]
            for a in range(p):
                e += profiles.x[h, a] * core[a]
            for k in range(profiles.col.shape[1]):
                e += profiles.val[h, k] * core[profiles.col[h, k]]
            for k in range(top):
                b = core[p + k] if profiles.ordered else 0.0
                for j in range(q):
                    b += profiles.z[h, j] * core[p + top + k * q + j]
                t[h - first, k] = e + b
                high, low = _both(e + b + spread[i])
                more, less = _both(e + b - spread[i])
                over[k] += 0.5 * profiles.share[h] * (high + more)
                under[k] += 0.5 * profiles.share[h] * (low + less)
        by_over[:] = 0.0
        for c in range(top + 1):
            size = profiles.counts[i, c]
            if size > 0.0:
                chance = _chance(c, top, over, under)
                total += size * np.log(chance)
                if c > 0:
                    by_over[c - 1] += size / chance
                if c < top:
                    by_over[c] -= size / chance
        for h in range(first, profiles.start[i + 1]):
            whole = 0.0
            for k in range(top):
                high, low = _both(t[h - first, k] + spread[i])
                more, less = _both(t[h - first, k] - spread[i])
                own = 0.5 * profiles.share[h] * by_over[k] * (high * low + more * less)
                whole += own
                if profiles.ordered:
                    score[p + k] += own
                    for j in range(q):
                        score[p + top + k * q + j] += own * profiles.z[h, j]
            slope[leaf] += whole
            for a in range(p):
                score[a] += whole * profiles.x[h, a]
            for k in range(profiles.col.shape[1]):
                score[profiles.col[h, k]] += whole * profiles.val[h, k]
    return total
