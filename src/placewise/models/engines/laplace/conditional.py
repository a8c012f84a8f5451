"""Coefficients and effects given the hyperparameters: their mode, a gaussian approximation, and exact densities."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from typing import TypeVar

import numpy as np
from scipy.linalg import solve_triangular

from placewise.errors import ModelError
from placewise.kernels.chain import add_up, pass_down
from placewise.kernels.elimination import assemble, backward, forward
from placewise.kernels.elimination_moments import moments
from placewise.kernels.graded import answer_probabilities, graded_log_likelihood, item_information
from placewise.kernels.latent import GRADED, Rows, log_likelihood
from placewise.kernels.leaf_quadrature import (
    Rule,
    assemble_marginal,
    draw_leaves,
    leaf_marginals,
)
from placewise.models.engines import FitProblem
from placewise.models.engines.laplace.averaged import Averaged
from placewise.models.engines.laplace.core_prior import CorePrior, Moments
from placewise.models.engines.laplace.expansion import Expansion, Latent, cholesky, unbounded
from placewise.models.engines.laplace.hyper import Hyper, Point
from placewise.models.engines.laplace.layout import Layout, answer_counts, area_classes
from placewise.models.engines.laplace.linked import LinkedScale

T = TypeVar("T")

MOST_STEPS = 60
MOST_HALVINGS = 30
# steps with another point's information on the items before each step has its own
MOST_ROUGH_STEPS = 2
# a decrement that rounding may leave
STALLED = 1e-4
# step of differences by a survey's scale, in its normal score
SCALE_STEP = 0.02


class Conditional:
    """A problem's unknowns given its hyperparameters.

    Parameters
    ----------
    problem : FitProblem
    layout : Layout
    hyper : Hyper
    quadrature : Rule or None
        By which the finest level of the chain is integrated instead of being expanded with all else.
    items : ndarray, shape (T, T), or None
        Negative Hessian in a scale's thresholds and discriminations to take for that of any point: proposals need it
        nearly, and it is most of the work.

    Attributes
    ----------
    pool : ThreadPoolExecutor or None
        Threads that one expansion may use; the numbers do not depend on it.
    averaged : Averaged or None
        The likelihood where it is the mean over the areas inside linked groups.
    tilt : Latent or None
        Gradient of the linear function of the unknowns that stands for what the average adds, where one is expanded.
    """

    def __init__(
        self,
        problem: FitProblem,
        layout: Layout,
        hyper: Hyper,
        quadrature: Rule | None = None,
        items: np.ndarray | None = None,
    ) -> None:
        self.items = items
        self.problem, self.layout, self.hyper, self.quadrature = problem, layout, hyper, quadrature
        self.prior = CorePrior(problem, layout, hyper)
        self._classes = area_classes(problem, layout)
        self._linked = LinkedScale.of(problem)
        self.pool: ThreadPoolExecutor | None = None
        self.averaged = Averaged.of(problem, layout)
        self.tilt: Latent | None = None

    def _over_parts(self, function: Callable[[int, int], T]) -> list[T]:
        """Apply a function to each run of leaves; the results are in order, whichever thread made them."""
        ends = [int(end) for end in self.layout.parts]
        if self.pool is None:
            return [function(a, b) for a, b in itertools.pairwise(ends)]
        return list(self.pool.map(function, ends[:-1], ends[1:]))

    def tau(self, point: Point) -> np.ndarray:
        """Prior precision of each node's effect, shape (nodes,)."""
        tau = np.empty(self.layout.n_nodes)
        for level, classes in zip(self.layout.levels, self._classes, strict=True):
            name = self.problem.design.groups[level.group].name
            if self._linked is not None and self._linked.group == name:
                tau[level.nodes] = self._linked.precision(point, level.labels)
            elif classes is None:
                tau[level.nodes] = np.exp(-2.0 * point.log_scale[name])
            else:
                scales = np.array([point.log_scale[f"class_{k}"] for k in range(int(classes.max()) + 1)])
                tau[level.nodes] = np.exp(-2.0 * scales[classes])
        return tau

    def variance(self, point: Point) -> float:
        """Residual variance of a gaussian outcome; 0 where it is known for each row, and elsewhere."""
        return float(np.exp(2.0 * point.log_scale["sigma"])) if "sigma" in point.log_scale else 0.0

    def rows(self, point: Point) -> Rows:
        """The data, the trait multiplied by the scale of each survey."""
        rows = self.layout.rows_at(self.hyper.survey_scale(point))
        return rows if self.items is None else rows._replace(known=True)

    @cached_property
    def _with_own_items(self) -> Conditional:
        """The same with every point's own information on the items."""
        return Conditional(self.problem, self.layout, self.hyper, self.quadrature)

    def item_information(self, e: Expansion) -> np.ndarray:
        """Negative Hessian in a scale's thresholds and discriminations, shape (T, T), of its lower triangle."""
        above, rows = np.ascontiguousarray(self.above(e.at.nodes[:, None])[:, 0]), self.rows(e.point)

        def part(first: int, last: int) -> np.ndarray:
            matrix = np.zeros((self.layout.n_core, self.layout.n_core))
            item_information(rows, first, last, e.at.core, above, matrix)
            return matrix

        at = slice(self.layout.thresholds.start, self.layout.discriminations.stop)
        return np.asarray(np.sum(self._over_parts(part), axis=0)[at, at])

    def start(self) -> Latent:
        """A first value: the overall answer in the intercept or the cutpoints, 0 elsewhere."""
        layout, core = self.layout, np.zeros(self.layout.n_core)
        rows = layout.rows
        if layout.thresholds.stop > layout.thresholds.start:
            for first, counts in answer_counts(layout):
                below = np.cumsum(counts + 0.5)[:-1] / (counts + 0.5).sum()
                at = layout.thresholds.start + first
                core[at : at + len(below)] = -np.log(below / (1.0 - below))
        elif layout.intercept:
            if self.problem.family == "gaussian":
                core[0] = float(np.average(rows.y, weights=rows.weight))
            else:
                mean = (rows.y.sum() + 0.5) / (rows.size.sum() + 1.0)
                core[0] = np.log(mean) if self.problem.family == "poisson" else np.log(mean / (1.0 - mean))
        return Latent(core, np.zeros(layout.n_nodes))

    @property
    def quadrature_nodes(self) -> int:
        """Nodes by which a leaf is integrated, 0 where none is."""
        return 0 if self.quadrature is None else len(self.quadrature.abscissa)

    @property
    def n_integrated(self) -> int:
        """Leaves whose effects are integrated out; they are the first nodes."""
        return self.layout.chain.n_leaves if self.quadrature else 0

    def above(self, nodes: np.ndarray) -> np.ndarray:
        """Sums over each leaf and its ancestors, integrated leaves left out; (nodes, R) -> (leaves, R)."""
        if not len(nodes):
            return np.zeros((self.layout.chain.n_leaves, nodes.shape[1]))
        total = nodes.copy()
        total[: self.n_integrated] = 0.0
        pass_down(self.layout.chain, total)
        return total[: self.layout.chain.n_leaves]

    def expand(self, point: Point, at: Latent) -> Expansion:
        """Log joint density, Newton's step and the eliminated Hessian at one value.

        Raises
        ------
        ModelError
            If the negative Hessian is not positive definite.
        """
        layout, chain = self.layout, self.layout.chain
        q, n, out = layout.n_core, layout.n_nodes, self.n_integrated
        tau, variance = self.tau(point), self.variance(point)
        above, rows = np.ascontiguousarray(self.above(at.nodes[:, None])[:, 0]), self.rows(point)
        slope, leaves = np.zeros(chain.n_leaves), at.nodes[:out].copy()
        pivot, strength = np.empty(n), np.empty(n)
        dense, val = np.empty((n, layout.rows.x.shape[1])), np.empty(len(chain.col))

        def part(first: int, last: int) -> tuple[float, np.ndarray, np.ndarray]:
            matrix, score = np.zeros((q, q)), np.zeros(q)
            into = (matrix, score, slope, pivot, strength, dense, val)
            if self.quadrature:
                by = (above, leaves, tau, variance, self.quadrature.abscissa, self.quadrature.log_weight)
                return assemble_marginal(rows, chain, first, last, at.core, *by, *into), matrix, score
            return assemble(rows, chain, first, last, at.core, above, tau, variance, *into), matrix, score

        parts = self._over_parts(part)
        total = sum(p[0] for p in parts)
        matrix, score = sum((p[1] for p in parts), np.zeros((q, q))), sum((p[2] for p in parts), np.zeros(q))
        if self.items is not None:
            at_items = slice(layout.thresholds.start, layout.discriminations.stop)
            matrix[at_items, at_items] += self.items
        nodes = np.zeros(n)
        if n:
            nodes[: chain.n_leaves] = slope
            add_up(chain, nodes)
            nodes -= tau * at.nodes
            nodes[:out] = 0.0
        at = Latent(at.core, np.concatenate([leaves, at.nodes[out:]]))
        log_joint = total + float(self.prior.density(at.core[:, None], point)[0])
        log_joint += 0.5 * float(np.log(tau[out:]).sum() - tau[out:] @ at.nodes[out:] ** 2)
        self.prior.add(at.core, point, score, matrix)
        if self.tilt is not None:
            log_joint += float(self.tilt.core @ at.core + self.tilt.nodes @ at.nodes)
            score, nodes = score + self.tilt.core, nodes + self.tilt.nodes
        root = cholesky(matrix)
        found = Expansion(at, log_joint, at, 0.0, root, 0.0, pivot, strength, dense, val, tau, point)
        if not (pivot > 0.0).all():
            raise unbounded()
        step = self.solve(found, Latent(score, nodes))
        log_det = 2.0 * float(np.log(np.diag(root)).sum()) + float(np.log(pivot[out:]).sum())
        decrement = float(score @ step.core + nodes @ step.nodes)
        return replace(found, step=step, log_det=log_det, decrement=decrement)

    def solve(self, e: Expansion, rhs: Latent) -> Latent:
        """Solve the whole negative Hessian."""
        core, nodes = rhs.core.copy(), rhs.nodes.copy()
        chain = self.layout.chain
        forward(chain, e.pivot, e.strength, e.dense, e.val, nodes, core)
        half = solve_triangular(e.root, core, lower=True, check_finite=False)
        core = solve_triangular(e.root, half, lower=True, trans="T", check_finite=False)
        nodes = nodes[:, None]
        backward(chain, e.pivot, e.strength, e.dense, e.val, nodes, core[:, None])
        return Latent(core, nodes[:, 0])

    def find_mode(self, point: Point, start: Latent, tolerance: float = 1e-8) -> Expansion:
        """Newton's method with halving, until the next step would gain less than half the tolerance.

        Raises
        ------
        ModelError
            If the mode is not found: nothing bounds an estimate.
        """
        e = self.try_expand(point, start)
        if e is None:
            e = self.expand(point, self.start())
        for k in range(MOST_STEPS):
            if e.decrement <= tolerance:
                return e
            if k == MOST_ROUGH_STEPS and self.items is not None:
                return self._with_own_items.find_mode(point, e.at, tolerance)
            by = 1.0
            for _ in range(MOST_HALVINGS):
                new = self.try_expand(point, e.at.plus(e.step, by))
                if new is not None and new.log_joint >= e.log_joint - 1e-9 * (1.0 + abs(e.log_joint)):
                    break
                by *= 0.5
            else:
                break
            e = new
        if e.decrement > STALLED:
            raise unbounded()
        return e

    def try_expand(self, point: Point, at: Latent) -> Expansion | None:
        """``expand``, or None where the density is not finite or too steep to factorise."""
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # a step too far is told by what is not finite
                e = self.expand(point, at)
        except ModelError:
            return None
        return e if np.isfinite(e.log_joint) and np.isfinite(e.decrement) else None

    def describe(self, e: Expansion) -> tuple[Moments, np.ndarray, np.ndarray, float, Latent]:
        """Variances and mean shift of the gaussian approximation.

        Returns
        -------
        core : Moments
        shift : ndarray, shape (nodes,)
            First-order shift of the mean of each node's effect from its mode.
        spread : ndarray, shape (nodes,)
            Variance of each node's effect.
        information : float
            Gaussian rows: the sum of information times variance.
        skew : Latent
            Slope of half the negative log determinant in the unknowns: the covariance times it is the shift.
        """
        layout, chain = self.layout, self.layout.chain
        inverse = solve_triangular(e.root, np.eye(layout.n_core), lower=True, check_finite=False)
        cov = inverse.T @ inverse
        leaf_skew, spread = np.zeros(chain.n_leaves), np.zeros(layout.n_nodes)
        above, rows = np.ascontiguousarray(self.above(e.at.nodes[:, None])[:, 0]), self.rows(e.point)

        def part(first: int, last: int) -> tuple[float, np.ndarray]:
            skew = np.zeros(layout.n_core)
            found = moments(
                rows, chain, first, last, e.at.core, above, e.tau, self.variance(e.point),
                e.pivot, e.dense, e.val, cov, skew, leaf_skew, spread,
            )  # fmt: skip
            return found, skew

        parts = self._over_parts(part)
        information = sum(p[0] for p in parts)
        skew = sum((p[1] for p in parts), np.zeros(layout.n_core))
        nodes = np.zeros(layout.n_nodes)
        if layout.n_nodes:
            nodes[: chain.n_leaves] = leaf_skew
            add_up(chain, nodes)
        slope = Latent(skew, nodes)
        shift = self.solve(e, slope)
        return Moments(e.at.core, shift.core, cov), shift.nodes, spread, information, slope

    def gradient(self, e: Expansion) -> tuple[np.ndarray, Latent]:
        """Gradient of ``log_marginal`` in the scores, and ``skew``, from which the first-order shift of the mean is."""
        core, shift, spread, information, skew = self.describe(e)
        point, design = e.point, self.problem.design
        g = self.prior.gradient(point, core)
        part = e.tau * (e.at.nodes**2 + spread + 2.0 * shift * e.at.nodes) - 1.0
        for level, classes in zip(self.layout.levels, self._classes, strict=True):
            own, name = part[level.nodes], design.groups[level.group].name
            if self._linked is not None and self._linked.group == name:
                g = g + self._linked.slope(point, level.labels, own)
            elif classes is None:
                g = g + own.sum() * point.jacobian[name]
            else:
                for k in np.unique(classes):
                    g = g + own[classes == k].sum() * point.jacobian[f"class_{k}"]
        if "sigma" in point.log_scale:
            rows = self.layout.rows
            squares = self._residual_squares(e) / self.variance(point)
            g = g + (squares - rows.weight.sum() + information) * point.jacobian["sigma"]
        for k in self.hyper.survey_scale_scores:
            g[k] += self._slope_along(e, k)
        return g, skew

    def _slope_along(self, e: Expansion, k: int) -> float:
        """Derivative of the log marginal in one score, by central differences; nothing else depends on it.

        The modes are as near as one step, which the log marginal takes into account.
        """
        step = np.zeros(len(e.point.z))
        step[k] = SCALE_STEP
        ends = [self.expand(self.hyper.at(e.point.z + by), e.at).log_marginal for by in (step, -step)]
        return (ends[0] - ends[1]) / (2.0 * SCALE_STEP)

    def _residual_squares(self, e: Expansion) -> float:
        rows = self.layout.rows
        above = self.above(e.at.nodes[:, None])[:, 0]
        eta = np.repeat(above, np.diff(rows.start)) + rows.x @ e.at.core[: rows.x.shape[1]]
        eta += (rows.val * e.at.core[rows.col]).sum(axis=1)
        return float(rows.weight @ np.square(rows.y - eta))

    def log_joint(self, point: Point, core: np.ndarray, nodes: np.ndarray, tau: np.ndarray) -> np.ndarray:
        """Exact log density of answers and unknowns for several draws, without normal constants.

        Parameters
        ----------
        point : Point
        core : ndarray, shape (Q, R)
        nodes : ndarray, shape (nodes, R)
        tau : ndarray, shape (nodes,)

        Returns
        -------
        ndarray, shape (R,)
        """
        out, variance = self.n_integrated, self.variance(point)
        total = self.prior.density(core, point)
        total += 0.5 * np.log(tau[out:]).sum() - 0.5 * tau[out:] @ nodes[out:] ** 2
        above = self.above(nodes)
        if self.averaged is not None:
            return np.asarray(total + self.averaged.log_likelihood(point, core, above))
        rows = self.rows(point)
        answers = answer_probabilities(rows, core) if rows.family == GRADED else np.empty((0, 0, 0))
        for first, last in zip(self.layout.parts[:-1], self.layout.parts[1:], strict=True):
            part = np.zeros(core.shape[1])
            if self.quadrature:
                rule = (self.quadrature.abscissa, self.quadrature.log_weight)
                leaf_marginals(rows, first, last, core, above, nodes, tau, variance, *rule, part)
            elif rows.family == GRADED:
                graded_log_likelihood(rows, first, last, core, above, answers, part)
            else:
                log_likelihood(rows, first, last, core, above, variance, part)
            total += part
        return total

    def complete(self, point: Point, core: np.ndarray, nodes: np.ndarray, rng: np.random.Generator) -> None:
        """Draw the integrated leaves' effects given all else, in place; ``nodes`` (nodes, R) says where to look."""
        out = self.n_integrated
        if self.quadrature is None:
            return
        tau, above = self.tau(point), self.above(nodes)
        uniform = rng.random((2, out, core.shape[1]))
        leaves = np.empty((out, core.shape[1]))
        variance = self.variance(point)
        draw_leaves(
            self.rows(point), 0, out, core, above, nodes, tau, variance, self.quadrature.strata, uniform, leaves
        )
        nodes[:out] = leaves
