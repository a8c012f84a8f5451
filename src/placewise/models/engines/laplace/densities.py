"""Densities over the scores of the hyperparameters, from which points of a design are drawn."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import gammaln, logsumexp, ndtri, stdtrit
from scipy.stats import qmc

from placewise.models.engines.laplace.explore import Landscape

# tails heavier than the posterior's, so that no weight runs away
TAIL_DF = 8.0
# kernels of a mixture, neighbours whose spread each takes, and the share of the whole spread that each has at least
KERNELS, NEAREST, LEAST_SPREAD = 256, 64, 0.05
# points of the prior for each point of a round's own density
PRIOR = 0.125


class Density(Protocol):
    """A density over the scores that can be drawn from."""

    def sample(self, count: int, seed: int) -> np.ndarray:
        """Draws, shape (count, d)."""

    def log_density(self, z: np.ndarray) -> np.ndarray:
        """Log density at each row, shape (n,)."""


class AxisDesign:
    """A quasi-random design: along each axis of the landscape a Student t density with two scales, one a side."""

    def __init__(self, landscape: Landscape) -> None:
        self._land = landscape

    def sample(self, count: int, seed: int) -> np.ndarray:
        """Scrambled Sobol points mapped to the density."""
        land = self._land
        if not len(land.centre):
            return np.zeros((count, 0))
        uniform = np.clip(qmc.Sobol(len(land.centre), rng=seed).random(count), 1e-9, 1.0 - 1e-9)
        turn = land.below / (land.below + land.above)
        left = land.below * stdtrit(TAIL_DF, 0.5 * np.minimum(uniform / turn, 1.0))
        right = -land.above * stdtrit(TAIL_DF, 0.5 * np.minimum((1.0 - uniform) / (1.0 - turn), 1.0))
        return np.asarray(land.centre + np.where(uniform < turn, left, right) @ land.axes.T)

    def log_density(self, z: np.ndarray) -> np.ndarray:
        """Log density at each row."""
        land = self._land
        w = np.linalg.solve(land.axes, (z - land.centre).T).T if len(land.centre) else z
        scaled = np.where(w < 0.0, w / land.below, w / land.above)
        each = _log_student(scaled**2, 1) + np.log(2.0 / (land.below + land.above))
        return np.asarray(each.sum(axis=1) - np.linalg.slogdet(land.axes)[1])


class KernelMixture:
    """A mixture of Student t densities about weighted points: it follows a posterior that is bent.

    Each kernel has the spread of the nearest of the others, so that it lies along the bend (Givens and Raftery 1996).

    Parameters
    ----------
    z : ndarray, shape (n, d)
    weight : ndarray, shape (n,)
        Adding up to 1.
    rng : Generator
    """

    def __init__(self, z: np.ndarray, weight: np.ndarray, rng: np.random.Generator) -> None:
        ticks = (rng.random() + np.arange(KERNELS)) / KERNELS
        self._centres = z[np.minimum(np.searchsorted(np.cumsum(weight), ticks), len(z) - 1)]
        # weights tempered, so that the spread is not of the few heaviest alone
        tempered = np.sqrt(weight)
        tempered /= tempered.sum()
        apart = z - tempered @ z
        whole = apart.T @ (apart * tempered[:, None]) + 1e-4 * np.eye(z.shape[1])
        white = np.linalg.solve(np.linalg.cholesky(whole), self._centres.T).T
        squares = np.square(white[:, None, :] - white[None, :, :]).sum(axis=2)
        near = self._centres[np.argsort(squares, axis=1, kind="stable")[:, :NEAREST]] - self._centres[:, None, :]
        # where many centres are one heavy point, some of the whole spread remains
        own = np.einsum("knd,kne->kde", near, near) / NEAREST + LEAST_SPREAD * whole
        self._roots = np.linalg.cholesky(own)

    def sample(self, count: int, seed: int) -> np.ndarray:
        """Independent draws."""
        rng = np.random.default_rng(seed)
        steps = rng.standard_normal((count, self._roots.shape[1]))
        steps *= np.sqrt(TAIL_DF / rng.chisquare(TAIL_DF, count))[:, None]
        kernel = rng.integers(KERNELS, size=count)
        return np.asarray(self._centres[kernel] + np.einsum("ndk,nk->nd", self._roots[kernel], steps))

    def log_density(self, z: np.ndarray) -> np.ndarray:
        """Log density at each row."""
        d = z.shape[1]
        each = np.empty((KERNELS, len(z)))
        for k, (centre, root) in enumerate(zip(self._centres, self._roots, strict=True)):
            white = solve_triangular(root, (z - centre).T, lower=True, check_finite=False)
            each[k] = _log_student(np.square(white).sum(axis=0), d) - np.log(np.diag(root)).sum()
        return np.asarray(logsumexp(each, axis=0) - np.log(KERNELS))


class Defended:
    """A density with some of the prior, in which normal scores are standard normal, mixed in.

    No weight is then larger than the most that the answers can favour a point; and what the density leaves out, such as
    an arm of the posterior along which one sd stands for another, is met by some points (Hesterberg 1995).

    Parameters
    ----------
    density : Density
    """

    def __init__(self, density: Density) -> None:
        self._density = density

    def sample(self, count: int, seed: int) -> np.ndarray:
        """Draws of the density, and ``PRIOR`` times as many of the prior after them, shape (count or more, d)."""
        own = self._density.sample(count, seed)
        if not own.shape[1]:
            return own
        uniform = qmc.Sobol(own.shape[1], rng=seed + 1).random(int(PRIOR * count))
        return np.concatenate([own, ndtri(np.clip(uniform, 1e-9, 1.0 - 1e-9))])

    def log_density(self, z: np.ndarray) -> np.ndarray:
        """Log density at each row."""
        own = self._density.log_density(z)
        if not z.shape[1]:
            return own
        prior = -0.5 * np.square(z).sum(axis=1) - 0.5 * z.shape[1] * np.log(2.0 * np.pi)
        return np.asarray(np.logaddexp(own, prior + np.log(PRIOR)) - np.log1p(PRIOR))


def _log_student(squares: np.ndarray, d: int) -> np.ndarray:
    """Log density of a d-variate Student t at a squared distance."""
    const = gammaln(0.5 * (TAIL_DF + d)) - gammaln(0.5 * TAIL_DF) - 0.5 * d * np.log(TAIL_DF * np.pi)
    return np.asarray(const - 0.5 * (TAIL_DF + d) * np.log1p(squares / TAIL_DF))
