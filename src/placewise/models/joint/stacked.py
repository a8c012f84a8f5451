"""The coupled effects of all outcomes as one gaussian model, given their sds and correlations.

Stacked over K outcomes with q slots each, the answers say h'u − u'𝓘u / 2 of the effects u. Their prior at one level of
factor f is normal(0, D R D), D the outcomes' sds and R their correlations; u = L v with v standard normal and L the
lower Cholesky factors of the levels. Then v | answers is normal(M⁻¹L'h, M⁻¹) with M = I + L'𝓘L, and the log marginal
likelihood is h'L M⁻¹ L'h / 2 − log|M| / 2. An sd of 0, or an outcome without the factor, is no special case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.linalg import cholesky, lapack, solve_triangular
from scipy.special import betaincinv, ndtr

from placewise.models.correlations import correlation_cholesky, partial_priors
from placewise.models.joint.factors import Factor

# of the prior of correlations, LKJ(2): density |R|^(η − 1) (Lewandowski, Kurowicka and Joe 2009)
ETA = 2.0
STEP = 1e-5


@dataclass(frozen=True, eq=False)
class Whitened:
    """v given the answers: lower Cholesky factor of M, shape (K q, K q), its mean, and the log marginal likelihood."""

    root: np.ndarray
    mean: np.ndarray
    log_marginal: float


def correlation_roots(z: np.ndarray, members: Sequence[int], n_outcomes: int) -> np.ndarray:
    """Cholesky factor of one factor's correlations, shape (..., K, K), rows of outcomes without it 0.

    Parameters
    ----------
    z : ndarray, shape (..., k (k - 1) / 2)
        Normal scores of the partial correlations of the k members; standard normal under LKJ(2).
    """
    k = len(members)
    shapes = np.array(partial_priors(k, ETA)).reshape(-1)
    # from the lower tail on either side, which keeps the digits
    partial = np.sign(z) * (1.0 - 2.0 * betaincinv(shapes, shapes, ndtr(-np.abs(z))))
    own = correlation_cholesky(partial)
    found = np.zeros((*z.shape[:-1], n_outcomes, n_outcomes))
    at = np.array(members)
    found[..., at[:, None], at] = own
    return found


class Stacked:
    """The coupled effects of several outcomes.

    Parameters
    ----------
    factors : sequence of Factor
    precision : ndarray, shape (K, q, K, q)
        𝓘.
    linear : ndarray, shape (K, q)
        h.
    """

    def __init__(self, factors: Sequence[Factor], precision: np.ndarray, linear: np.ndarray) -> None:
        self.factors = tuple(factors)
        self.n_outcomes, self.q = linear.shape
        self._precision, self._linear = np.ascontiguousarray(precision.transpose(0, 2, 1, 3)), linear
        self.slot = np.repeat(np.arange(len(factors)), [len(f.labels) for f in factors])
        sizes = [len(f.members) * (len(f.members) - 1) // 2 for f in factors]
        ends = np.cumsum([0, *sizes])
        self.scores = tuple(slice(int(a), int(b)) for a, b in pairwise(ends))

    @property
    def n_scores(self) -> int:
        """Correlations over all factors."""
        return self.scores[-1].stop

    def roots(self, z: np.ndarray) -> np.ndarray:
        """Cholesky factors of the correlations of each factor, (..., scores) -> (..., factors, K, K)."""
        each = [
            correlation_roots(z[..., at], f.members, self.n_outcomes)
            for f, at in zip(self.factors, self.scores, strict=True)
        ]
        return np.stack(each, axis=-3)

    def loads(self, sd: np.ndarray, roots: np.ndarray) -> np.ndarray:
        """L by slot, shape (K, K, q); ``sd`` (factors, K) and ``roots`` (factors, K, K)."""
        return np.ascontiguousarray((sd[:, :, None] * roots).transpose(1, 2, 0)[:, :, self.slot])

    def whiten(self, loads: np.ndarray) -> Whitened:
        """v given the answers."""
        k, q = self.n_outcomes, self.q
        matrix = np.zeros((k * q, k * q))
        for p in range(k):
            # 𝓘 L of column p, then L' of each row from p on: the lower triangle
            right = [sum(self._precision[a, b] * loads[b, p] for b in range(p, k)) for a in range(k)]
            for o in range(p, k):
                block = sum(loads[a, o][:, None] * right[a] for a in range(o, k))
                matrix[o * q : (o + 1) * q, p * q : (p + 1) * q] = block
        matrix[np.diag_indices(k * q)] += 1.0
        root = cholesky(matrix, lower=True, overwrite_a=True, check_finite=False)
        right = np.einsum("aoq,aq->oq", loads, self._linear).ravel()
        half = solve_triangular(root, right, lower=True, check_finite=False)
        mean = solve_triangular(root, half, lower=True, trans="T", check_finite=False)
        return Whitened(root, mean, float(0.5 * half @ half - np.log(np.diag(root)).sum()))

    def log_marginal(self, sd: np.ndarray, z: np.ndarray) -> float:
        """Log density of the answers given sds (factors, K) and scores of the correlations."""
        return self.whiten(self.loads(sd, self.roots(z))).log_marginal

    def gradient(self, sd: np.ndarray, z: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Log marginal, and its slopes in the scores (scores,) and in the log sds (factors, K)."""
        k, q, roots = self.n_outcomes, self.q, self.roots(z)
        found = self.whiten(self.loads(sd, roots))
        inverse = lapack.dpotri(found.root, lower=1)[0].reshape(k, q, k, q)
        mean = found.mean.reshape(k, q)
        by_score, by_sd = np.zeros(self.n_scores), np.zeros(sd.shape)
        for f, (factor, at) in enumerate(zip(self.factors, self.scores, strict=True)):
            own, members = np.flatnonzero(self.slot == f), np.array(factor.members)
            # dpotri fills the lower triangle
            lower = np.array([[inverse[o, own, p, own].sum() for p in members] for o in members])
            second = np.tril(lower) + np.tril(lower, -1).T + mean[np.ix_(members, own)] @ mean[np.ix_(members, own)].T
            excess = second - len(own) * np.eye(len(members))
            chosen = roots[f][np.ix_(members, members)]
            half = solve_triangular(chosen, np.diag(1.0 / np.maximum(sd[f, members], 1e-12)), lower=True)
            weight = 0.5 * half.T @ excess @ half

            def covariance(score: np.ndarray, f: int = f, members: np.ndarray = members) -> np.ndarray:
                root = correlation_roots(score, tuple(members), k)[np.ix_(members, members)]
                return np.asarray(np.outer(sd[f, members], sd[f, members]) * (root @ root.T))

            whole = covariance(z[at])
            by_sd[f, members] = 2.0 * (weight * whole).sum(axis=1)
            for j, unit in enumerate(np.eye(at.stop - at.start)):
                slope = (covariance(z[at] + STEP * unit) - covariance(z[at] - STEP * unit)) / (2.0 * STEP)
                by_score[at.start + j] = float((weight * slope).sum())
        return found.log_marginal, by_score, by_sd
