"""Proposals of hyperparameters and unknowns, each with its exact importance weight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import gammaln, logsumexp, stdtrit
from scipy.stats import qmc

from placewise.errors import ModelError
from placewise.models import inference
from placewise.models.engines.laplace.conditional import Conditional
from placewise.models.engines.laplace.explore import Landscape, in_parallel
from placewise.models.engines.laplace.hyper import Point
from placewise.models.engines.laplace.refine import LOOSE, draw
from placewise.models.quality import DESIGN_ESS, IMPORTANCE_ESS, KHAT

# tails heavier than the posterior's, so that no weight runs away
TAIL_DF = 8.0
# share of a round's points that the effective sample size must reach, or the design is adapted, so many times at most;
# and how far beyond what the draws' quality is judged by
WANTED, ROUNDS, BEYOND = 0.3, 4, 1.2
MOST_KERNELS = 256


@dataclass(frozen=True, eq=False)
class Proposal:
    """Draws at one point of the design.

    Parameters
    ----------
    z : ndarray, shape (d,)
        Normal scores of the hyperparameters.
    point : Point
    core : ndarray, shape (Q, R)
    nodes : ndarray of float32, shape (nodes, R)
    log_joint : ndarray, shape (R,)
        Log density of answers, unknowns and scores, without normal constants; integrated leaves are integrated out.
    log_exact : ndarray, shape (R,)
        Log of the exact density over the density of the unknowns given the hyperparameters.
    """

    z: np.ndarray
    point: Point
    core: np.ndarray
    nodes: np.ndarray
    log_joint: np.ndarray
    log_exact: np.ndarray


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

    Parameters
    ----------
    z : ndarray, shape (n, d)
    weight : ndarray, shape (n,)
        Adding up to 1.
    rng : Generator
    """

    def __init__(self, z: np.ndarray, weight: np.ndarray, rng: np.random.Generator) -> None:
        n, d = z.shape
        ess = 1.0 / np.square(weight).sum()
        ticks = (rng.random() + np.arange(MOST_KERNELS)) / MOST_KERNELS
        self._centres = z[np.minimum(np.searchsorted(np.cumsum(weight), ticks), n - 1)]
        tempered = np.sqrt(weight)
        tempered /= tempered.sum()
        mean = tempered @ z
        cov = (z - mean).T @ ((z - mean) * tempered[:, None]) + 1e-4 * np.eye(d)
        # Silverman's rule, no narrower than half the spread while few points carry the weight
        width = max((4.0 / ((d + 2.0) * ess)) ** (1.0 / (d + 4.0)), 0.5)
        self._root = np.linalg.cholesky(width**2 * cov)

    def sample(self, count: int, seed: int) -> np.ndarray:
        """Independent draws."""
        rng = np.random.default_rng(seed)
        d = len(self._root)
        scale = np.sqrt(TAIL_DF / rng.chisquare(TAIL_DF, count))
        steps = (rng.standard_normal((count, d)) * scale[:, None]) @ self._root.T
        return np.asarray(self._centres[rng.integers(len(self._centres), size=count)] + steps)

    def log_density(self, z: np.ndarray) -> np.ndarray:
        """Log density at each row."""
        d = len(self._root)
        white, centres = (np.linalg.solve(self._root, a.T).T for a in (z, self._centres))
        squares = np.square(white[:, None, :] - centres[None, :, :]).sum(axis=2)
        each = _log_student(squares, d) - np.log(np.diag(self._root)).sum()
        return np.asarray(logsumexp(each, axis=1) - np.log(len(self._centres)))


def _log_student(squares: np.ndarray, d: int) -> np.ndarray:
    """Log density of a d-variate Student t at a squared distance."""
    const = gammaln(0.5 * (TAIL_DF + d)) - gammaln(0.5 * TAIL_DF) - 0.5 * d * np.log(TAIL_DF * np.pi)
    return np.asarray(const - 0.5 * (TAIL_DF + d) * np.log1p(squares / TAIL_DF))


def propose(
    conditional: Conditional,
    landscape: Landscape,
    points: int,
    each: int,
    seed: int,
    jobs: int,
    watch: Callable[[], None] = lambda: None,
) -> tuple[list[Proposal], np.ndarray]:
    """Draw unknowns at every point of a design, which is adapted while its points carry unequal weights.

    Points of several rounds are weighted by the mixture of the rounds' densities (Veach and Guibas 1995; Cappé et al.
    2004).

    Parameters
    ----------
    points, each : int
        Points a round, and draws at each.
    watch : callable
        Called as each point is done.

    Returns
    -------
    proposals : list of Proposal
    log_weight : ndarray, shape (len(proposals), each)
    """
    rounds: list[Density] = [AxisDesign(landscape)]
    found: list[Proposal] = []
    while True:
        z = rounds[-1].sample(points, seed + len(rounds) - 1)
        streams = np.random.SeedSequence([seed, len(rounds)]).spawn(points)

        def at(k: int, z: np.ndarray = z, streams: list[np.random.SeedSequence] = streams) -> Proposal:
            proposal = _propose_at(conditional, landscape, z[k], each, np.random.default_rng(streams[k]))
            watch()
            return proposal

        found += in_parallel(at, range(points), jobs)
        scores = np.array([p.z for p in found])
        mixture = logsumexp([density.log_density(scores) for density in rounds], axis=0) - np.log(len(rounds))
        log_weight = np.array([p.log_exact for p in found]) - mixture[:, None]
        if not scores.shape[1] or len(rounds) == ROUNDS or _suffices(log_weight, points):
            return found, log_weight
        whole = logsumexp(log_weight, axis=1)
        weight = np.exp(whole - logsumexp(whole))
        rounds.append(KernelMixture(scores, weight, np.random.default_rng([seed, len(rounds)])))


def _suffices(log_weight: np.ndarray, points: int) -> bool:
    """Whether the weights of points, and of all draws, are equal enough and have no heavy tail."""
    whole = logsumexp(log_weight, axis=1)
    enough = kish(whole) >= max(WANTED * points, BEYOND * DESIGN_ESS) and kish(log_weight) >= BEYOND * IMPORTANCE_ESS
    return enough and inference.smooth_weights(whole[np.isfinite(whole)])[1] < KHAT / BEYOND


def kish(log_weight: np.ndarray) -> float:
    """Effective sample size of weights, (Σ w)² / Σ w² (Kish 1965)."""
    return float(np.exp(2.0 * logsumexp(log_weight) - logsumexp(2.0 * log_weight)))


def _propose_at(
    conditional: Conditional, landscape: Landscape, z: np.ndarray, each: int, rng: np.random.Generator
) -> Proposal:
    point = conditional.hyper.at(z)
    start, shift = landscape.guess(z)
    try:
        e = conditional.find_mode(point, start, LOOSE)
    except ModelError:
        # far out in the tails a mode may not be found; the point has no weight, and too many of them show in the ESS
        nothing = np.full(each, -np.inf)
        core = np.repeat(landscape.mode.core[:, None], each, axis=1)
        nodes = np.repeat(landscape.mode.nodes[:, None], each, axis=1).astype(np.float32)
        return Proposal(z, point, core, nodes, nothing, nothing)
    core, nodes, log_density = draw(conditional, e, shift, each, rng)
    joint = conditional.log_joint(point, core, nodes, e.tau) + conditional.hyper.log_prior(z)[0]
    conditional.complete(point, core, nodes, rng)
    return Proposal(z, point, core, nodes.astype(np.float32), joint, joint - log_density)
