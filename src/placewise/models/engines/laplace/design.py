"""Proposals of hyperparameters and unknowns, each with its exact importance weight."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import logsumexp, stdtrit
from scipy.stats import qmc

from placewise.kernels.elimination import backward
from placewise.models.engines.laplace.conditional import Conditional, Expansion, Latent
from placewise.models.engines.laplace.explore import Landscape, in_parallel
from placewise.models.engines.laplace.hyper import Point

LOOSE = 1e-2
# how far along each axis the exact posterior is probed, with how many draws a probe and how often
REACH, PROBES, ROUNDS = 1.5, 16, 2
TAIL_DF = 8.0
NARROWEST, WIDEST, FARTHEST_MOVE = 0.5, 2.5, 2.0


def refine(conditional: Conditional, landscape: Landscape, seed: int, jobs: int) -> Landscape:
    """Move the landscape's centre and spread to where the exact posterior of the hyperparameters is.

    Laplace's approximation leaves out terms that add up over thousands of small groups. Probes on either side of the
    centre along each axis, their log marginals estimated by importance sampling with common random numbers, give a
    parabola an axis: its top, and the posterior's sd on either side.
    """
    d = len(landscape.centre)
    for last in [False] * (ROUNDS - 1) + [True]:
        if not d:
            break
        steps = np.concatenate([np.zeros((1, d)), -REACH * np.eye(d), REACH * np.eye(d)])
        z = landscape.centre + steps @ landscape.axes.T
        height = _heights(conditional, landscape, z, seed, jobs)
        low, high = height[1 : d + 1] - height[0], height[d + 1 :] - height[0]
        if not last:
            slope, curve = (high - low) / (2.0 * REACH), -(high + low) / REACH**2
            move = np.clip(slope / np.maximum(curve, 0.25), -FARTHEST_MOVE, FARTHEST_MOVE)
            landscape = replace(landscape, centre=landscape.centre + landscape.axes @ move)
        else:
            sds = [np.clip(REACH / np.sqrt(2.0 * np.maximum(-f, 0.05)), NARROWEST, WIDEST) for f in (low, high)]
            landscape = replace(landscape, below=sds[0], above=sds[1])
    return landscape


def _heights(conditional: Conditional, landscape: Landscape, z: np.ndarray, seed: int, jobs: int) -> np.ndarray:
    """Log posterior density of the hyperparameters at some scores by importance sampling, up to a constant."""

    def at(k: int) -> float:
        point = conditional.hyper.at(z[k])
        start, shift = landscape.guess(z[k])
        e = conditional.find_mode(point, start, LOOSE)
        core, nodes, log_density = draw(conditional, e, shift, PROBES, np.random.default_rng(seed))
        exact = conditional.log_joint(point, core, nodes, e.tau) - log_density
        return float(logsumexp(exact)) + conditional.hyper.log_prior(z[k])[0]

    return np.array(in_parallel(at, range(len(z)), jobs))


@dataclass(frozen=True, eq=False)
class Proposals:
    """Draws at one point of the design.

    Parameters
    ----------
    point : Point
    core : ndarray, shape (Q, R)
    nodes : ndarray of float32, shape (nodes, R)
    log_weight : ndarray, shape (R,)
        Log of exact density over proposal density, up to a constant common to all points.
    laplace : float
        What the log marginal density by Laplace's approximation says of the point's log weight.
    """

    point: Point
    core: np.ndarray
    nodes: np.ndarray
    log_weight: np.ndarray
    laplace: float


def scores(landscape: Landscape, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A quasi-random design over the hyperparameters and its log density, up to a constant.

    Scrambled Sobol points, mapped along the landscape's axes by a Student t density with two scales, one a side: its
    tails are heavier than the posterior's, so that no weight runs away.
    """
    d = len(landscape.centre)
    if d == 0:
        return np.zeros((count, 0)), np.zeros(count)
    uniform = np.clip(qmc.Sobol(d, rng=seed).random(count), 1e-9, 1.0 - 1e-9)
    low, high = landscape.below, landscape.above
    turn = low / (low + high)
    left = low * stdtrit(TAIL_DF, 0.5 * np.minimum(uniform / turn, 1.0))
    right = -high * stdtrit(TAIL_DF, 0.5 * np.minimum((1.0 - uniform) / (1.0 - turn), 1.0))
    w = np.where(uniform < turn, left, right)
    log_q = -0.5 * (TAIL_DF + 1.0) * np.log1p(np.where(w < 0.0, w / low, w / high) ** 2 / TAIL_DF).sum(axis=1)
    return landscape.centre + w @ landscape.axes.T, log_q


def propose(
    conditional: Conditional, landscape: Landscape, points: int, each: int, seed: int, jobs: int
) -> list[Proposals]:
    """Draw unknowns at every point of a design, with exact weights."""
    z, log_q = scores(landscape, points, seed)
    streams = np.random.SeedSequence(seed).spawn(points)

    def at(k: int) -> Proposals:
        point = conditional.hyper.at(z[k])
        start, shift = landscape.guess(z[k])
        e = conditional.find_mode(point, start, LOOSE)
        core, nodes, log_density = draw(conditional, e, shift, each, np.random.default_rng(streams[k]))
        prior = conditional.hyper.log_prior(z[k])[0]
        exact = conditional.log_joint(point, core, nodes, e.tau)
        return Proposals(
            point, core, nodes.astype(np.float32), exact - log_density + prior - log_q[k],
            e.log_marginal + prior - float(log_q[k]),
        )  # fmt: skip

    return in_parallel(at, range(points), jobs)


def draw(
    conditional: Conditional, e: Expansion, shift: Latent, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draws of the gaussian approximation in antithetic pairs, and their log density without normal constants."""
    half = (count + 1) // 2
    core = rng.standard_normal((len(e.root), half))
    nodes = rng.standard_normal((len(e.pivot), half))
    squares = (core**2).sum(axis=0) + (nodes**2).sum(axis=0)
    core = solve_triangular(e.root, core, lower=True, trans="T", check_finite=False)
    nodes *= np.sqrt(e.pivot)[:, None]
    backward(conditional.layout.chain, e.pivot, e.strength, e.dense, e.val, nodes, core)
    centre = e.mode.plus(shift)
    log_density = np.tile(0.5 * e.log_det - 0.5 * squares, 2)[:count]
    both = [np.concatenate([d, -d], axis=1)[:, :count] for d in (core, nodes)]
    return (
        np.ascontiguousarray(both[0] + centre.core[:, None]), np.ascontiguousarray(both[1] + centre.nodes[:, None]),
        log_density,
    )  # fmt: skip
