"""Prior of the core's coefficients at given hyperparameters: its density, gradient and precision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from placewise.kernels.structures import ar1_precision, bym2_precision, scaled_icar, scaled_rw1
from placewise.models.engines import FitProblem
from placewise.models.engines.laplace.hyper import Hyper, Point, student_t_coefficients
from placewise.models.engines.laplace.layout import Layout
from placewise.models.engines.laplace.linked import LinkedScale
from placewise.models.engines.laplace.scores import STEP
from placewise.models.priors import Prior

# precision of a coefficient that is fixed, and share of a random walk's variance that its mean keeps
FIXED_PRECISION = 1e14
MEAN_SHARE = 1e-6


@dataclass(frozen=True, eq=False)
class Moments:
    """What the gradient of the log marginal needs of some coefficients.

    Parameters
    ----------
    mode, shift : ndarray, shape (Q,)
        Their mode, and the first-order shift of their mean.
    cov : ndarray, shape (Q, Q)
        Their covariance.
    """

    mode: np.ndarray
    shift: np.ndarray
    cov: np.ndarray

    def second(self, at: np.ndarray) -> np.ndarray:
        """Second moments about 0 to first order, shape (n, n), less the square of the shift."""
        mode, shift = self.mode[at], self.shift[at]
        cross = np.outer(shift, mode)
        return np.asarray(np.outer(mode, mode) + self.cov[np.ix_(at, at)] + cross + cross.T)


@dataclass(frozen=True, eq=False)
class OwnPriors:
    """Coefficients with a prior of their own, and one prior for all of them; ``sign`` is -1 for thresholds."""

    at: np.ndarray
    prior: Prior
    sign: float

    def density(self, core: np.ndarray) -> np.ndarray:
        """Log density of each draw, shape (R,), without normal constants."""
        a = self.prior.args
        value = self.sign * core[self.at]
        match self.prior.name:
            case "normal":
                return np.asarray(-0.5 * (((value - a[0]) / a[1]) ** 2 + 2.0 * np.log(a[1])).sum(axis=0))
            case "uniform":
                inside = (value > a[0]) & (value < a[1])
                return np.where(inside.all(axis=0), 0.0, -np.inf)
            case "fixed":
                off = (value - a[0]) ** 2 * FIXED_PRECISION
                return np.asarray(-0.5 * (off - np.log(FIXED_PRECISION)).sum(axis=0))
        return np.zeros(core.shape[1])

    def slope(self, core: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gradient of the log density, and a positive curvature that never overstates it; shape (len(at),)."""
        a = self.prior.args
        value = self.sign * core[self.at]
        curve = np.zeros(len(self.at))
        match self.prior.name:
            case "normal":
                curve += 1.0 / a[1] ** 2
                return -self.sign * (value - a[0]) * curve, curve
            case "fixed":
                curve += FIXED_PRECISION
                return -self.sign * (value - a[0]) * curve, curve
        return np.zeros(len(self.at)), curve


def _squares(m: Moments, at: np.ndarray, mean: float) -> np.ndarray:
    """Expected squares about ``mean`` to first order in the shift, shape (n,)."""
    mode = m.mode[at] - mean
    return np.asarray(mode**2 + m.cov[at, at] + 2.0 * m.shift[at] * mode)


@dataclass(frozen=True, eq=False)
class Independent:
    """Coefficients that are independent normal(mean, s²), the logarithm of s one of the hyperparameters' log scales."""

    at: np.ndarray
    scale: str
    mean: float = 0.0

    def precision(self, point: Point) -> np.ndarray:
        """Precisions, shape (n,)."""
        return np.full(len(self.at), np.exp(-2.0 * point.log_scale[self.scale]))

    def log_det(self, point: Point) -> float:
        """Log determinant of the precision."""
        return -2.0 * len(self.at) * point.log_scale[self.scale]

    def gradient(self, point: Point, m: Moments) -> np.ndarray:
        """Derivative of the log marginal in the scores."""
        total = float(_squares(m, self.at, self.mean).sum())
        slope = float(np.exp(-2.0 * point.log_scale[self.scale])) * total - len(self.at)
        return np.asarray(slope * point.jacobian[self.scale])


@dataclass(frozen=True, eq=False)
class LinkedBlock:
    """The linked group's effects where they stand in the core; as ``Independent``."""

    at: np.ndarray
    linked: LinkedScale
    mean: float = 0.0

    def precision(self, point: Point) -> np.ndarray:
        """Precisions, shape (n,)."""
        return self.linked.precision(point, np.arange(len(self.at)))

    def log_det(self, point: Point) -> float:
        """Log determinant of the precision."""
        return float(np.log(self.precision(point)).sum())

    def gradient(self, point: Point, m: Moments) -> np.ndarray:
        """Derivative of the log marginal in the scores."""
        return self.linked.slope(
            point, np.arange(len(self.at)), self.precision(point) * _squares(m, self.at, self.mean) - 1.0
        )


class Structured:
    """Effects of one group with a structure.

    Parameters
    ----------
    at : ndarray of int64
        Their positions in the core.
    kind : str
        rw1, ar1 or bym2.
    group : str
        Whose sd and ρ they have.
    edges : ndarray of int64, shape (E, 2)
    rho : Parameter or None
    """

    def __init__(self, at: np.ndarray, kind: str, group: str, edges: np.ndarray, hyper: Hyper) -> None:
        self.at, self.kind, self.scale, self._hyper = at, kind, group, hyper
        self._name = f"rho_{group}"
        if kind != "ar1":
            self._vectors, self._values = scaled_rw1(len(at)) if kind == "rw1" else scaled_icar(len(at), edges)

    def _unit(self, point: Point):  # type: ignore[no-untyped-def]
        """Precision at sd 1, its derivative in ρ, log determinant and its derivative."""
        if self.kind == "rw1":
            kept = np.maximum(self._values, MEAN_SHARE)
            return (self._vectors / kept) @ self._vectors.T, None, -float(np.log(kept).sum()), 0.0
        rho = float(np.clip(point.values[self._name], MEAN_SHARE - 1.0, 1.0 - MEAN_SHARE))
        return (
            ar1_precision(len(self.at), rho) if self.kind == "ar1" else bym2_precision(self._vectors, self._values, rho)
        )

    def precision(self, point: Point) -> np.ndarray:
        """Precision matrix, shape (n, n)."""
        return np.asarray(np.exp(-2.0 * point.log_scale[self.scale]) * self._unit(point)[0])

    def log_det(self, point: Point) -> float:
        """Log determinant of the precision."""
        return float(self._unit(point)[2]) - 2.0 * len(self.at) * point.log_scale[self.scale]

    def gradient(self, point: Point, m: Moments) -> np.ndarray:
        """Derivative of the log marginal in the scores."""
        matrix, slope, _, log_det_slope = self._unit(point)
        second = np.exp(-2.0 * point.log_scale[self.scale]) * m.second(self.at)
        g = (float((matrix * second).sum()) - len(self.at)) * point.jacobian[self.scale]
        if slope is not None:
            by_rho = 0.5 * log_det_slope - 0.5 * float((slope * second).sum())
            g = g + by_rho * self._hyper.slope_of(self._name, point)
        return np.asarray(g)


class Correlated:
    """A varying intercept and slopes over one factor, whose effects at a level are correlated.

    Parameters
    ----------
    at : ndarray of int64, shape (k, n)
        Positions in the core of k groups' effects at n levels.
    scales : tuple of str
        Log scales of the k groups.
    factor : str
    hyper : Hyper
    """

    def __init__(self, at: np.ndarray, scales: tuple[str, ...], factor: str, hyper: Hyper) -> None:
        self.blocks, self.at, self.scales, self.factor, self._hyper = at, at.ravel(), scales, factor, hyper

    def _small(self, point: Point) -> tuple[np.ndarray, float]:
        """Precision of one level's effects, shape (k, k), and its log determinant."""
        sds = np.array([point.scale(s) for s in self.scales])
        root = sds[:, None] * self._hyper.correlation(self.factor, len(sds), point.values)
        inverse = np.linalg.inv(root)
        return inverse.T @ inverse, -2.0 * float(np.log(np.diag(root)).sum())

    def precision(self, point: Point) -> np.ndarray:
        """Precision matrix, shape (k n, k n)."""
        return np.kron(self._small(point)[0], np.eye(self.blocks.shape[1]))

    def log_det(self, point: Point) -> float:
        """Log determinant of the precision."""
        return float(self.blocks.shape[1] * self._small(point)[1])

    def gradient(self, point: Point, m: Moments) -> np.ndarray:
        """Derivative of the log marginal in the scores; that of the small precision by central differences."""
        k, n = self.blocks.shape
        mode, shift = m.mode[self.blocks], m.shift[self.blocks]
        second = mode @ mode.T + shift @ mode.T + mode @ shift.T
        for i in range(k):
            for j in range(k):
                second[i, j] += m.cov[self.blocks[i], self.blocks[j]].sum()
        out = np.zeros(len(point.z))
        for d in self._hyper.positions(self.scales, f"partial_{self.factor}_"):
            step = np.zeros(len(point.z))
            step[d] = STEP
            (up, det_up), (down, det_down) = (self._small(self._hyper.at(point.z + s)) for s in (step, -step))
            out[d] = 0.5 * (n * (det_up - det_down) - float(((up - down) * second).sum())) / (2.0 * STEP)
        return out


class CorePrior:
    """Prior of all coefficients of the core.

    Parameters
    ----------
    problem : FitProblem
    layout : Layout
    hyper : Hyper
    """

    def __init__(self, problem: FitProblem, layout: Layout, hyper: Hyper) -> None:
        self._size = layout.n_core
        self.own = tuple(_own_priors(problem, layout))
        self.independent = tuple(_independent(problem, layout))
        self.dense = tuple(_dense(problem, layout, hyper))

    def density(self, core: np.ndarray, point: Point) -> np.ndarray:
        """Log density of each draw of the core, shape (Q, R) -> (R,), without normal constants."""
        total = sum((own.density(core) for own in self.own), np.zeros(core.shape[1]))
        for block in self.independent:
            part = core[block.at] - block.mean
            total += 0.5 * block.log_det(point) - 0.5 * block.precision(point) @ part**2
        for dense in self.dense:
            part = core[dense.at]
            total += 0.5 * dense.log_det(point) - 0.5 * (part * (dense.precision(point) @ part)).sum(axis=0)
        return np.asarray(total)

    def add(self, core: np.ndarray, point: Point, score: np.ndarray, matrix: np.ndarray) -> None:
        """Add the gradient to ``score`` and the precision to ``matrix``."""
        for own in self.own:
            slope, curve = own.slope(core)
            score[own.at] += slope
            matrix[own.at, own.at] += curve
        for block in self.independent:
            precision = block.precision(point)
            score[block.at] -= precision * (core[block.at] - block.mean)
            matrix[block.at, block.at] += precision
        for dense in self.dense:
            full = dense.precision(point)
            score[dense.at] -= full @ core[dense.at]
            matrix[np.ix_(dense.at, dense.at)] += full

    def fixed_precision(self, point: Point) -> np.ndarray:
        """Prior precision of each coefficient with an independent prior; 0 elsewhere and where it is flat."""
        found = np.zeros(self._size)
        for own in self.own:
            found[own.at] = own.slope(np.zeros((self._size, 1))[:, 0])[1]
        for block in self.independent:
            found[block.at] = block.precision(point)
        return found

    def gradient(self, point: Point, m: Moments) -> np.ndarray:
        """Derivative of the log marginal in the scores, through the core's prior."""
        blocks = (*self.independent, *self.dense)
        return sum((b.gradient(point, m) for b in blocks), np.zeros(len(point.z)))


def _own_priors(problem: FitProblem, layout: Layout) -> list[OwnPriors]:
    plan, found = problem.priors, []
    if plan.intercept is not None and plan.intercept.name != "student_t":
        found.append(OwnPriors(np.array([0]), plan.intercept, 1.0))
    for prior in dict.fromkeys(s for s in plan.slopes if s is not None and s.name != "student_t"):
        at = layout.slopes.start + np.flatnonzero([s == prior for s in plan.slopes])
        found.append(OwnPriors(at, prior, 1.0))
    if plan.cutpoints is not None and plan.cutpoints.name != "student_t":
        found.append(OwnPriors(np.arange(layout.thresholds.start, layout.thresholds.stop), plan.cutpoints, -1.0))
    items = np.arange(layout.discriminations.start, layout.discriminations.stop)
    if plan.discrimination is not None and len(items):
        found.append(OwnPriors(items, of_logarithm(plan.discrimination), 1.0))
    return found


def of_logarithm(prior: Prior) -> Prior:
    """Prior of the logarithm of a discrimination, which is lognormal or fixed."""
    if prior.name == "fixed":
        return Prior("fixed", (float(np.log(prior.args[0])),))
    return Prior("normal", prior.args)


def _independent(problem: FitProblem, layout: Layout) -> list[Independent | LinkedBlock]:
    design, linked = problem.design, LinkedScale.of(problem)
    found: list[Independent | LinkedBlock] = []
    learned = layout.slopes.start + np.flatnonzero([s is None for s in problem.priors.slopes])
    if len(learned):
        found.append(Independent(learned, "slopes"))
    if layout.deviations.stop > layout.deviations.start:
        found.append(Independent(np.arange(layout.deviations.start, layout.deviations.stop), "deviations"))
    for name, prior in student_t_coefficients(problem):
        kind, _, number = name.removeprefix("mixing_").partition("_")
        start = {"intercept": 0, "slope": layout.slopes.start, "cutpoint": layout.thresholds.start}[kind]
        mean = -prior.args[1] if kind == "cutpoint" else prior.args[1]
        found.append(Independent(np.array([start + int(number or 0)]), name, mean))
    tied = {k for positions in design.correlated for k in positions}
    for k, where in layout.groups.items():
        group = design.groups[k]
        if group.structure is not None or k in tied:
            continue
        at, scale = np.arange(where.start, where.stop), design.area_scale
        if linked is not None and linked.group == group.name:
            found.append(LinkedBlock(at, linked))
        elif scale is None or scale.group != group.name:
            found.append(Independent(at, group.name))
        else:
            classes = scale.index[: len(at)]
            found += [Independent(at[classes == c], f"class_{c}") for c in np.unique(classes)]
    return found


def _dense(problem: FitProblem, layout: Layout, hyper: Hyper) -> list[Structured | Correlated]:
    design = problem.design
    found: list[Structured | Correlated] = []
    for k, where in layout.groups.items():
        group = design.groups[k]
        if group.structure is not None:
            at = np.arange(where.start, where.stop)
            found.append(Structured(at, group.structure.kind, group.name, group.structure.edges, hyper))
    for positions in design.correlated:
        at = np.array([np.arange(layout.groups[k].start, layout.groups[k].stop) for k in positions])
        names = tuple(design.groups[k].name for k in positions)
        found.append(Correlated(at, names, design.groups[positions[0]].dim, hyper))
    return found
