"""Draws of the separate fits, drawn again in proportion to what the coupled model makes of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln, logsumexp

from placewise.models.engines.laplace.explore import in_parallel
from placewise.models.engines.laplace.proposals import kish
from placewise.models.joint.stacked import Stacked
from placewise.models.quality import IMPORTANCE_ESS

# share of the prior in the proposals, degrees of freedom of the rest, and how much wider than the posterior it is
PRIOR, TAIL_DF, WIDER = 0.1, 8.0, 1.1
STEP, LEAST_CURVATURE = 0.1, 0.5
# rounds of as many proposals as draws, or as many proposals in all, end when the weights are worth this share of the
# draws, and enough for their quality beyond its threshold
MOST_ROUNDS, MOST_PROPOSALS, WANTED, BEYOND = 4, 4000, 0.5, 1.2


@dataclass(frozen=True, eq=False)
class Proposals:
    """Proposals of sds and correlations, n of them.

    Parameters
    ----------
    chosen : ndarray of int64, shape (n, K)
        Which draw of each outcome's separate fit.
    z : ndarray, shape (n, scores)
        Normal scores of the correlations.
    log_weight : ndarray, shape (n,)
    """

    chosen: np.ndarray
    z: np.ndarray
    log_weight: np.ndarray

    def __len__(self) -> int:
        """Number of proposals."""
        return len(self.log_weight)


class CorrelationDensity:
    """A density over the scores of the correlations given the sds: Student t about the mode, and some of the prior.

    The mode moves with the log sds as it does to first order at their means.

    Parameters
    ----------
    stacked : Stacked
    log_sd : ndarray, shape (factors, K)
        Posterior means of the log sds.
    """

    def __init__(self, stacked: Stacked, log_sd: np.ndarray) -> None:
        sd, size = np.exp(log_sd), stacked.n_scores
        self._centre = log_sd

        def downhill(z: np.ndarray) -> tuple[float, np.ndarray]:
            value, slope, _ = stacked.gradient(sd, z)
            return 0.5 * z @ z - value, z - slope

        found = minimize(downhill, np.zeros(size), jac=True, method="L-BFGS-B", bounds=[(-6.0, 6.0)] * size)
        self._mode = np.asarray(found.x)
        ends = [
            [stacked.gradient(sd, self._mode + sign * STEP * unit)[1:] for sign in (1.0, -1.0)] for unit in np.eye(size)
        ]
        curve = np.array([(down[0] - up[0]) / (2.0 * STEP) for up, down in ends]).reshape(size, size) + np.eye(size)
        cross = np.array([((up[1] - down[1]) / (2.0 * STEP)).ravel() for up, down in ends]).reshape(size, -1)
        values, vectors = np.linalg.eigh(0.5 * (curve + curve.T))
        spread = vectors / np.sqrt(np.maximum(values, LEAST_CURVATURE))
        self._follow = spread @ spread.T @ cross
        self._root = WIDER * spread
        self._log_det = float(np.linalg.slogdet(self._root)[1])

    def centre(self, log_sd: np.ndarray) -> np.ndarray:
        """Modes, (n, factors, K) -> (n, scores)."""
        apart = np.clip(log_sd - self._centre, -1.0, 1.0).reshape(len(log_sd), -1)
        return np.asarray(self._mode + apart @ self._follow.T)

    def sample(self, log_sd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One draw for each set of log sds, shape (n, scores)."""
        n, size = len(log_sd), len(self._mode)
        steps = rng.standard_normal((n, size))
        tails = np.sqrt(TAIL_DF / rng.chisquare(TAIL_DF, n))[:, None]
        own = self.centre(log_sd) + (steps * tails) @ self._root.T
        return np.where(rng.random((n, 1)) < PRIOR, steps, own)

    def log_density(self, z: np.ndarray, log_sd: np.ndarray) -> np.ndarray:
        """Log density of each draw, shape (n,)."""
        size = z.shape[1]
        white = np.linalg.solve(self._root, (z - self.centre(log_sd)).T)
        own = gammaln(0.5 * (TAIL_DF + size)) - gammaln(0.5 * TAIL_DF) - 0.5 * size * np.log(TAIL_DF * np.pi)
        own = own - self._log_det - 0.5 * (TAIL_DF + size) * np.log1p(np.square(white).sum(axis=0) / TAIL_DF)
        return np.asarray(np.logaddexp(own + np.log1p(-PRIOR), _log_prior(z) + np.log(PRIOR)))


def _log_prior(z: np.ndarray) -> np.ndarray:
    """Log density of independent standard normals, shape (n,)."""
    return np.asarray(-0.5 * np.square(z).sum(axis=1) - 0.5 * z.shape[1] * np.log(2.0 * np.pi))


def propose(stacked: Stacked, apart: np.ndarray, sds: np.ndarray, rng: np.random.Generator, jobs: int) -> Proposals:
    """Weigh the separate fits' draws, correlations drawn to each, by the coupled model.

    A proposal is a draw of each outcome's separate fit, which are free of each other and may be put together in any
    way, and correlations from their density q. Its weight is what the answers of all outcomes together say of sds and
    correlations, over what those of each outcome alone say of its sds, times the prior of the correlations over q.

    Parameters
    ----------
    stacked : Stacked
        All outcomes.
    apart : ndarray, shape (S, K)
        Log density of each outcome's answers alone at the sds of each draw.
    sds : ndarray, shape (S, factors, K)
        Sds of the coupled effects in each draw; 0 where an outcome lacks the factor.
    """
    n_draws, _, k = sds.shape
    log_sds = np.log(np.maximum(sds, 1e-9))
    density = CorrelationDensity(stacked, log_sds.mean(axis=0))
    found: list[Proposals] = []
    while True:
        paired = np.column_stack([rng.permutation(n_draws) if found else np.arange(n_draws) for _ in range(k)])
        each = np.take_along_axis(log_sds, paired[:, None, :], axis=0)
        z = density.sample(each, rng)

        def together(s: int, each: np.ndarray = each, z: np.ndarray = z) -> float:
            return stacked.log_marginal(np.exp(each[s]), z[s])

        value = np.array(in_parallel(together, range(n_draws), jobs))
        separate = np.take_along_axis(apart, paired, axis=0).sum(axis=1)
        found.append(Proposals(paired, z, value - separate + _log_prior(z) - density.log_density(z, each)))
        whole = _joined(found)
        enough = kish(whole.log_weight) >= max(WANTED * n_draws, BEYOND * IMPORTANCE_ESS)
        if enough or len(whole) >= max(MOST_ROUNDS * n_draws, MOST_PROPOSALS):
            return whole


def _joined(rounds: list[Proposals]) -> Proposals:
    return Proposals(
        np.concatenate([p.chosen for p in rounds]),
        np.concatenate([p.z for p in rounds]),
        np.concatenate([p.log_weight for p in rounds]),
    )


def resampled(log_weight: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Systematic resampling, in random order; positions kept."""
    weight = np.exp(log_weight - logsumexp(log_weight))
    ticks = (rng.random() + np.arange(draws)) / draws
    chosen = np.minimum(np.searchsorted(np.cumsum(weight), ticks), len(weight) - 1)
    return np.asarray(rng.permutation(chosen))
