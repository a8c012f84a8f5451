"""Proposals of hyperparameters and unknowns, each with its exact importance weight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from placewise.errors import ModelError
from placewise.models import inference
from placewise.models.engines.laplace.conditional import Conditional
from placewise.models.engines.laplace.densities import AxisDesign, Defended, Density, KernelMixture
from placewise.models.engines.laplace.explore import Landscape, in_parallel
from placewise.models.engines.laplace.hyper import Point
from placewise.models.engines.laplace.refine import LOOSE, draw
from placewise.models.quality import DESIGN_ESS, IMPORTANCE_ESS, KHAT

# share of a round's points that the effective sample size must reach, or the design is adapted, so many times at most;
# and how far beyond what the draws' quality is judged by
WANTED, ROUNDS, BEYOND = 0.3, 4, 1.2


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
        Integrated leaves are where they respond to, until ``complete_chosen`` draws them.
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
    rounds: list[Density] = [Defended(AxisDesign(landscape))]
    found: list[Proposal] = []
    while True:
        z = rounds[-1].sample(points, seed + len(rounds) - 1)
        streams = np.random.SeedSequence([seed, len(rounds)]).spawn(len(z))

        def at(k: int, z: np.ndarray = z, streams: list[np.random.SeedSequence] = streams) -> Proposal:
            proposal = _propose_at(conditional, landscape, z[k], each, np.random.default_rng(streams[k]))
            watch()
            return proposal

        found += in_parallel(at, range(len(z)), jobs)
        scores = np.array([p.z for p in found])
        mixture = logsumexp([density.log_density(scores) for density in rounds], axis=0) - np.log(len(rounds))
        log_weight = np.array([p.log_exact for p in found]) - mixture[:, None]
        if not scores.shape[1] or len(rounds) == ROUNDS or _suffices(log_weight, points):
            return found, log_weight
        whole = logsumexp(log_weight, axis=1)
        weight = np.exp(whole - logsumexp(whole))
        rounds.append(Defended(KernelMixture(scores, weight, np.random.default_rng([seed, len(rounds)]))))


def complete_chosen(
    conditional: Conditional, proposals: Sequence[Proposal], chosen: np.ndarray, seed: int, jobs: int
) -> None:
    """Draw the integrated leaves of the proposals that are kept, in place: each costs as much as its weight did.

    Parameters
    ----------
    chosen : ndarray of int64, shape (S,)
        Positions among all draws, those of each point of the design one after another.
    """
    each = len(proposals[0].log_exact)
    kept = np.unique(chosen)
    parts = np.split(kept % each, np.searchsorted(kept, each * np.arange(1, len(proposals))))

    def at(k: int) -> None:
        if not len(parts[k]):
            return
        proposal, rng = proposals[k], np.random.default_rng([seed, 2, k])
        nodes = proposal.nodes[:, parts[k]].astype(np.float64)
        conditional.complete(proposal.point, proposal.core[:, parts[k]], nodes, rng)
        proposal.nodes[: conditional.n_integrated, parts[k]] = nodes[: conditional.n_integrated]

    if conditional.n_integrated:
        in_parallel(at, range(len(proposals)), jobs)


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
    start, skew = landscape.guess(z)
    try:
        e = conditional.find_mode(point, start, LOOSE)
    except ModelError:
        # far out in the tails a mode may not be found; the point has no weight, and too many of them show in the ESS
        nothing = np.full(each, -np.inf)
        core = np.repeat(landscape.mode.core[:, None], each, axis=1)
        nodes = np.repeat(landscape.mode.nodes[:, None], each, axis=1).astype(np.float32)
        return Proposal(z, point, core, nodes, nothing, nothing)
    core, nodes, log_density = draw(conditional, e, conditional.solve(e, skew), each, rng)
    joint = conditional.log_joint(point, core, nodes, e.tau) + conditional.hyper.log_prior(z)[0]
    return Proposal(z, point, core, nodes.astype(np.float32), joint, joint - log_density)
