"""From where Laplace's approximation puts the hyperparameters to where their exact posterior is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import logsumexp

from placewise.errors import ModelError
from placewise.kernels.elimination import backward
from placewise.kernels.leaf_quadrature import COARSE
from placewise.models.engines.laplace.conditional import Conditional
from placewise.models.engines.laplace.expansion import Expansion, Latent
from placewise.models.engines.laplace.explore import Landscape, in_parallel

# Newton's decrement from which one more step, untested, is as good a centre for proposals as the mode itself
LOOSE = 1.0
# how far along each axis the exact posterior is probed, with how many draws a probe
# at 4 units a prior's slope still shows where an sd may be nothing: the tail there is exponential
REACH, PROBES = (1.5, 2.5, 4.0), 16
MOST_MOVES, FAR, FARTHEST = 4, 0.5, 2.0
NARROWEST, WIDEST = 0.5, 2.5
# sd of the log weights of draws by two rules below which the coarse one does
ALIKE = 0.02
# spacing of the grid on which persons are integrated: in sds of what answers leave open, and between which bounds
SPACING, FINEST, COARSEST = 1.25, 0.05, 0.8
# log density where no mode is found
NOWHERE = -1e6
# sd of the log weights at one point beyond which the leaves are integrated one by one, so that more than a seventh of
# the draws' worth is lost; where there are many rows, for which quadrature costs ten times as much, two thirds
ROUGH, ROUGH_OF_MANY, MANY_ROWS = 0.4, 1.0, 20_000
# a person's answers to several items, their own part integrated out, are as good as a measurement with normal error
NEARLY_NORMAL = ("gaussian", "graded_response")


def needs_quadrature(conditional: Conditional, landscape: Landscape, seed: int) -> bool:
    """Whether leaf effects are so far from normal that draws of all unknowns together would be badly weighted."""
    if not conditional.layout.n_nodes or conditional.problem.family in NEARLY_NORMAL:
        return False
    if conditional.averaged is not None:
        return False
    rough = ROUGH if len(conditional.problem.response.y) < MANY_ROWS else ROUGH_OF_MANY
    return float(np.std(_weights(conditional, landscape, landscape.centre, seed))) > rough


def coarsened(conditional: Conditional, landscape: Landscape, seed: int, jobs: int) -> Conditional:
    """The same with fewer nodes of quadrature where they weight draws alike, also of sds far from each other."""
    coarse = Conditional(conditional.problem, conditional.layout, conditional.hyper, COARSE)
    steps = np.concatenate([-2.0 * np.diag(landscape.below), 2.0 * np.diag(landscape.above)])
    points = landscape.centre + steps @ landscape.axes.T

    def apart(z: np.ndarray) -> np.ndarray:
        return np.asarray(_weights(coarse, landscape, z, seed) - _weights(conditional, landscape, z, seed))

    return coarse if float(np.std(in_parallel(apart, list(points), jobs))) < ALIKE else conditional


def sharpened(conditional: Conditional, landscape: Landscape) -> Conditional:
    """Of a scale: persons integrated as finely as its items ask for, and the items' information taken from the mode.

    A person's answers leave of the variance 1 no less than 1 / (1 + Σ a²/3). With a spacing of 1.25 such sds log
    likelihoods err by 3e-5 (root mean square), up or down by where the grid falls (docs/decisions/scales.md).
    """
    layout = conditional.layout
    if not layout.questions.n_items:
        return conditional
    steepness = np.exp(landscape.mode.core[layout.discriminations])
    most = float(((layout.rows.answers >= 0) @ steepness**2).max())
    step = float(np.clip(SPACING / np.sqrt(1.0 + most / 3.0), FINEST, COARSEST))
    finer = replace(layout, rows=layout.rows._replace(step=step))
    own = Conditional(conditional.problem, finer, conditional.hyper)
    items = own.item_information(own.find_mode(own.hyper.at(landscape.centre), landscape.mode))
    return Conditional(conditional.problem, finer, conditional.hyper, items=items)


def _without_leaves(landscape: Landscape) -> Landscape:
    """The leaves' skewness, most of the shift, is in the integrals."""
    return replace(landscape, skew=landscape.mode.times(0.0), skew_slope=())


def refine(conditional: Conditional, landscape: Landscape, seed: int, jobs: int) -> Landscape:
    """Move the landscape's centre and spread to where the exact posterior of the hyperparameters is.

    Laplace's approximation leaves out terms that add up over thousands of small groups. Probes on either side of the
    centre along each axis, their log marginals estimated by importance sampling with common random numbers, give a
    parabola an axis, and its top. About it, the widest of three pairs of probes gives the sd on either side.
    """
    d = len(landscape.centre)
    if conditional.quadrature:
        e = conditional.find_mode(conditional.hyper.at(landscape.centre), landscape.mode)
        landscape = _without_leaves(replace(landscape, mode=e.mode, origin=landscape.centre))
    for _ in range(MOST_MOVES if d else 0):
        below, above = _drops(conditional, landscape, REACH[0], seed, jobs)
        slope, curve = (above - below) / (2.0 * REACH[0]), -(above + below) / REACH[0] ** 2
        move = np.clip(slope / np.maximum(curve, 0.25), -FARTHEST, FARTHEST)
        landscape = replace(landscape, centre=landscape.centre + landscape.axes @ move)
        if np.abs(move).max() < FAR:
            break
    if d:
        probed = [_drops(conditional, landscape, reach, seed, jobs) for reach in REACH]
        sds = np.array(
            [[r / np.sqrt(2.0 * np.maximum(-f, 0.05)) for f in at] for r, at in zip(REACH, probed, strict=True)]
        )
        low, high = np.clip(sds.max(axis=0), NARROWEST, WIDEST)
        landscape = replace(landscape, below=low, above=high)
    return landscape


def _drops(
    conditional: Conditional, landscape: Landscape, reach: float, seed: int, jobs: int
) -> tuple[np.ndarray, np.ndarray]:
    """Log density on either side of the centre along each axis, less that at the centre."""
    d = len(landscape.centre)
    steps = np.concatenate([np.zeros((1, d)), -reach * np.eye(d), reach * np.eye(d)])
    z = landscape.centre + steps @ landscape.axes.T

    def at(k: int) -> float:
        return float(logsumexp(_weights(conditional, landscape, z[k], seed)))

    height = np.array(in_parallel(at, range(len(z)), jobs))
    return height[1 : d + 1] - height[0], height[d + 1 :] - height[0]


def _weights(conditional: Conditional, landscape: Landscape, z: np.ndarray, seed: int) -> np.ndarray:
    """Log weights of a few draws at one vector of scores, prior of the scores included."""
    point = conditional.hyper.at(z)
    start, skew = landscape.guess(z)
    try:
        e = conditional.find_mode(point, start, LOOSE)
    except ModelError:
        return np.full(PROBES, NOWHERE)
    core, nodes, log_density = draw(conditional, e, conditional.solve(e, skew), PROBES, np.random.default_rng(seed))
    exact = conditional.log_joint(point, core, nodes, e.tau)
    # none of a few draws may have cutpoints in order
    return np.asarray(np.maximum(exact - log_density + conditional.hyper.log_prior(z)[0], NOWHERE))


def draw(
    conditional: Conditional, e: Expansion, shift: Latent, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draws of the gaussian approximation in antithetic pairs, and their log density without normal constants.

    Effects of integrated leaves are not drawn but put where they respond to.
    """
    half = (count + 1) // 2
    core = rng.standard_normal((len(e.root), half))
    nodes = rng.standard_normal((len(e.pivot), half))
    nodes[: conditional.n_integrated] = 0.0
    squares = (core**2).sum(axis=0) + (nodes**2).sum(axis=0)
    core = solve_triangular(e.root, core, lower=True, trans="T", check_finite=False)
    nodes *= np.sqrt(e.pivot)[:, None]
    backward(conditional.layout.chain, e.pivot, e.strength, e.dense, e.val, nodes, core)
    centre = e.mode.plus(shift)
    log_density = np.tile(0.5 * e.log_det - 0.5 * squares, 2)[:count]
    both = [np.concatenate([d, -d], axis=1)[:, :count] for d in (core, nodes)]
    return both[0] + centre.core[:, None], both[1] + centre.nodes[:, None], log_density
