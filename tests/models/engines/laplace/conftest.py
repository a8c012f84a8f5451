"""Small problems of every family and structure, and the same models written with dense matrices, from scratch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from placewise.kernels.leaf_quadrature import FINE
from placewise.models.design import AreaScale, BelowLink, Column, Design, Group, Structure
from placewise.models.engines import FitProblem
from placewise.models.engines.laplace import layout as layout_module
from placewise.models.engines.laplace.conditional import Conditional
from placewise.models.engines.laplace.hyper import Hyper
from placewise.models.engines.laplace.layout import Layout, lay_out
from placewise.models.prior_plan import plan_priors
from placewise.models.priors import Prior
from placewise.surveys.outcome import Response

# a square with a diagonal, a pair, and the island 4
EDGES = np.array([[0, 1], [1, 2], [2, 3], [0, 3], [0, 2], [5, 6]])
LEVELS = ("a", "b", "c", "d")

MakeProblem = Callable[..., FitProblem]


@pytest.fixture
def small_chains(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups of a few levels are eliminated as large ones are."""
    monkeypatch.setattr(layout_module, "SMALLEST_LEVEL", 4)


def labels_of(index: np.ndarray) -> tuple[str, ...]:
    return tuple(map(str, range(int(index.max()) + 1)))


def groups_of(structures: Mapping[str, str], n: int, depth: int, rng: np.random.Generator) -> list[Group]:
    """A nested chain ``oa`` ⊂ ``msoa`` ⊂ ``lad`` ⊂ ``region`` of some depth, and age; structures by name."""
    found, at = [], np.arange(n) // 2
    for name in ("oa", "msoa", "lad", "region")[:depth]:
        found.append(Group(name, "geography", labels_of(at), at))
        at = at // 3 if name == "oa" else at // 2
    sizes = {"rw1": 6, "ar1": 5, "bym2": 7}
    for name, kind in {"age": "", **structures}.items():
        levels = sizes.get(kind, 5)
        # of a structure the last level has no respondent
        index = rng.integers(0, levels - bool(kind), n)
        own = Structure(kind, EDGES) if kind == "bym2" else Structure(kind) if kind else None
        found.append(Group(name, "other", tuple(map(str, range(levels))), index, structure=own))
    return found


def linked(design: Design, how: float | Prior, rng: np.random.Generator) -> Design:
    """Respondents linked at ``oa``, of three areas each; areas of an ``oa`` are of up to three of five classes."""
    n, oa = design.n, next(g for g in design.groups if g.name == "oa")
    count = len(oa.labels)
    share = rng.dirichlet(np.ones(3), count)
    kinds = np.zeros((count, 5))
    np.add.at(kinds, (np.repeat(np.arange(count), 3), rng.integers(0, 5, 3 * count)), share.ravel())
    group = Group("kind", "class", tuple("vwxyz"), kinds.argmax(axis=1)[oa.index], shares=kinds[oa.index])
    codes, parent = tuple(map(str, range(3 * count))), np.repeat(np.arange(count), 3)
    ratio, prior = (None, how) if isinstance(how, Prior) else (how, None)
    link = BelowLink("oa", "cell", codes, parent, share.ravel(), ratio, prior, True)
    assert n == len(oa.index)
    return replace(design, groups=(*design.groups, group), link=link)


def answers(family: str, eta: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    """A response drawn from the family, with trials, exposure or known variances where it has them."""
    n = len(eta)
    p = 1.0 / (1.0 + np.exp(-eta))
    match family:
        case "bernoulli":
            return {"y": (rng.random(n) < p).astype(float)}
        case "binomial":
            trials = rng.integers(1, 6, n)
            return {"y": rng.binomial(trials, p).astype(float), "trials": trials.astype(float)}
        case "poisson":
            exposure = rng.uniform(0.5, 3.0, n)
            return {"y": rng.poisson(exposure * np.exp(eta)).astype(float), "exposure": exposure}
        case "gaussian":
            return {"y": eta + rng.normal(size=n)}
    y = np.digitize(eta + rng.logistic(size=n), [-1.0, 0.5, 2.0])
    return {"y": y, "levels": LEVELS}


@pytest.fixture(scope="session")
def make_problem() -> MakeProblem:
    """A problem of one family; keywords say which structures, priors and weights it has."""

    def make(
        family: str = "bernoulli", *, n: int = 96, depth: int = 2, structures: Mapping[str, str] | None = None,
        slopes: bool = False, correlated: bool = False, specific: tuple[int, ...] = (), scale: Any = None,
        priors: Mapping[str, Prior] | None = None, weighted: bool = False, known: bool = False, seed: int = 3,
        link: float | Prior | None = None,
    ) -> FitProblem:  # fmt: skip
        rng = np.random.default_rng(seed)
        columns = tuple(Column(f"x{k}", rng.normal(size=n)) for k in range(2))
        groups = groups_of(structures or {}, n, depth, rng)
        if slopes:
            index = rng.integers(0, 4, n)
            groups.append(Group("eth", "other", labels_of(index), index))
            for column in columns:
                groups.append(Group(f"{column.name}|eth", "other", labels_of(index), index, by=column, factor="eth"))
        k = len(groups)
        together = ((k - 3, k - 2, k - 1),) if correlated else ()
        classes = np.arange(n // 2) % 3
        by = None if scale is None else AreaScale("oa", "kind", ("k", "l", "m"), classes, *scale)
        design = Design(True, columns, tuple(groups), n, correlated=together, category_specific=specific, area_scale=by)
        if link is not None:
            design = linked(design, link, rng)
        eta = 0.2 + 0.5 * columns[0].values + rng.normal(0, 0.6, n // 2 + 1)[np.arange(n) // 2]
        made = answers(family, eta, rng)
        if known:
            made["variance"] = rng.uniform(0.3, 2.0, n)
        response = Response(kept=np.ones(n, dtype=bool), **made)
        size = {"y_mean": float(np.mean(made["y"])), "y_sd": float(np.std(made["y"]))} if family == "gaussian" else {}
        area = "oa" if link is None else "cell"
        plan = plan_priors(priors or {}, None, design, area, family, known_variance=known, **size)
        return FitProblem(design, response, family, plan, rng.uniform(0.3, 2.0, n) if weighted else None)

    return make


@pytest.fixture(scope="session")
def conditional_of() -> Callable[..., Conditional]:
    """The engine's view of a problem."""

    def make(problem: FitProblem, quadrature: bool = False) -> Conditional:
        return Conditional(problem, lay_out(problem), Hyper(problem), FINE if quadrature else None)

    return make


@dataclass(frozen=True, eq=False)
class Plain:
    """A problem at given hyperparameters as dense matrices, in the engine's order of unknowns: core, then nodes.

    Parameters
    ----------
    problem : FitProblem
    layout : Layout
        Read for the order of unknowns only.
    values : mapping of str to float
        Of every hyperparameter.
    """

    problem: FitProblem
    layout: Layout
    values: Mapping[str, float]

    @property
    def size(self) -> int:
        return self.layout.n_core + self.layout.n_nodes

    @property
    def place(self) -> dict[int, np.ndarray]:
        """Positions of each group's effects by label; -1 for labels that no respondent has."""
        found = {k: np.arange(where.start, where.stop) for k, where in self.layout.groups.items()}
        for level in self.layout.levels:
            at = np.full(len(self.problem.design.groups[level.group].labels), -1)
            at[level.labels] = self.layout.n_core + np.arange(level.nodes.start, level.nodes.stop)
            found[level.group] = at
        return found

    @property
    def coefficients(self) -> np.ndarray:
        """Linear predictors of all respondents, thresholds apart."""
        design, out = self.problem.design, np.zeros((self.problem.design.n, self.size))
        out[:, 0] = self.layout.intercept
        out[:, self.layout.slopes] = design.matrix
        rows = np.arange(design.n)
        for k, group in enumerate(design.groups):
            if group.shares is not None:
                out[:, self.place[k]] += group.shares
                continue
            out[rows, self.place[k][group.index]] += 1.0 if group.by is None else group.by.values
        return out

    def cut(self, k: int) -> np.ndarray:
        """Predictors of P(y > k)."""
        design, out = self.problem.design, self.coefficients
        out[:, self.layout.thresholds.start + k] += 1.0
        q = len(design.category_specific)
        at = self.layout.deviations.start + k * q
        out[:, at : at + q] += design.matrix[:, list(design.category_specific)]
        return out

    def sds(self, k: int) -> np.ndarray:
        """Sd of each effect of one group."""
        design, plan, v = self.problem.design, self.problem.priors, self.values
        name = design.groups[k].name
        if name in plan.shared:
            left, shares = 1.0, []
            for j in range(len(plan.shared) - 1):
                shares.append(left * v[f"stick_{j}"])
                left *= 1.0 - v[f"stick_{j}"]
            sd = v["sd_total"] * np.sqrt([*shares, left][plan.shared.index(name)])
        else:
            sd = v[f"sd_{name}"]
        sds, scale = np.full(len(design.groups[k].labels), sd), design.area_scale
        if scale is not None and scale.group == name:
            learned = scale.multipliers is None
            by = [np.exp(v["area_scale_sd"] * v[f"area_scale_{c}"]) for c in range(3)] if learned else scale.multipliers
            sds *= np.array(by)[scale.index]
        link = design.link
        if link is not None and link.group == name:
            squares = (link.share.reshape(-1, 3) ** 2).sum(axis=1)
            # a shared part of the total is that of group and areas together
            own = sd / np.sqrt(1 + link.ratio**2) if link.ratio and name in plan.shared else sd
            below = v["sd_cell"] if link.ratio is None else link.ratio * own
            sds = np.sqrt(own**2 + below**2 * squares)
        return sds

    def correlations(self, k: int) -> np.ndarray:
        """Correlations among one group's levels."""
        group = self.problem.design.groups[k]
        n = len(group.labels)
        if group.structure is None:
            return np.eye(n)
        rho = self.values.get(f"rho_{group.name}", 0.0)
        if group.structure.kind == "ar1":
            return np.asarray(rho ** np.abs(np.subtract.outer(range(n), range(n))))
        if group.structure.kind == "rw1":
            # the engine lets the mean of a random walk vary by a millionth
            return scaled_pinv(n, np.column_stack([range(n - 1), range(1, n)])) + 1e-6 / n
        spatial = np.eye(n)
        for inside in ([0, 1, 2, 3], [5, 6]):
            edges = np.array([[inside.index(a), inside.index(b)] for a, b in EDGES.tolist() if a in inside])
            spatial[np.ix_(inside, inside)] = scaled_pinv(len(inside), edges)
        return (1.0 - rho) * np.eye(n) + rho * spatial

    @property
    def covariance(self) -> np.ndarray:
        """Prior covariance of all unknowns; the unit matrix for those with a prior of their own."""
        design, out = self.problem.design, np.eye(self.size)
        learned = self.layout.slopes.start + np.flatnonzero([s is None for s in self.problem.priors.slopes])
        out[learned, learned] = self.values.get("slope_sd", 1.0) ** 2
        deviations = np.arange(self.layout.deviations.start, self.layout.deviations.stop)
        out[deviations, deviations] = self.values.get("deviation_sd", 1.0) ** 2
        for k in range(len(design.groups)):
            there = self.place[k] >= 0
            at, sds = self.place[k][there], self.sds(k)[there]
            out[np.ix_(at, at)] = sds[:, None] * self.correlations(k)[np.ix_(there, there)] * sds
        for block in design.correlated:
            root = self.partial_root(design.groups[block[0]].dim, len(block))
            for a, i in enumerate(block):
                for b, j in enumerate(block):
                    both = np.diag(self.sds(i) * self.sds(j)) * (root @ root.T)[a, b]
                    out[np.ix_(self.place[i], self.place[j])] = both
        return out

    def partial_root(self, factor: str, k: int) -> np.ndarray:
        """Cholesky factor of three correlations from partial ones, by the recursion of partial correlations."""
        assert k == 3
        a, b, c = (2.0 * self.values[f"partial_{factor}_{j}"] - 1.0 for j in range(3))
        third = c * np.sqrt((1 - a**2) * (1 - b**2)) + a * b
        return np.linalg.cholesky(np.array([[1.0, a, b], [a, 1.0, third], [b, third, 1.0]]))

    @property
    def own(self) -> dict[int, tuple[float, float]]:
        """Mean and sd of each coefficient with a normal prior of its own, thresholds turned round."""
        plan, found = self.problem.priors, dict[int, tuple[float, float]]()
        if plan.intercept is not None:
            found[0] = (plan.intercept.args[0], plan.intercept.args[1])
        for k, prior in enumerate(plan.slopes):
            if prior is not None:
                found[self.layout.slopes.start + k] = (prior.args[0], prior.args[1])
        if plan.cutpoints is not None:
            for k in range(self.layout.thresholds.start, self.layout.thresholds.stop):
                found[k] = (-plan.cutpoints.args[0], plan.cutpoints.args[1])
        return found

    def prior(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and covariance of all unknowns."""
        mean, covariance = np.zeros(self.size), self.covariance
        for k, (centre, sd) in self.own.items():
            mean[k], covariance[k, k] = centre, sd**2
        return mean, covariance

    def likelihood(self, u: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Log likelihood without constants, gradient and negative Hessian."""
        problem, response = self.problem, self.problem.response
        y, a = np.asarray(response.y, dtype=float), self.coefficients
        power = np.ones(len(y)) if problem.weights is None else problem.weights
        if problem.family == "cumulative":
            return self._ordered(u, y, power)
        e = a @ u
        if problem.family == "gaussian":
            variance = np.full(len(y), self.values.get("sigma", 1.0) ** 2)
            variance = variance if response.variance is None else np.asarray(response.variance)
            value, slope, curve = (
                -0.5 * (y - e) ** 2 / variance - 0.5 * np.log(variance),
                (y - e) / variance,
                1 / variance,
            )
        elif problem.family == "poisson":
            mean = np.exp(e) * (1.0 if response.exposure is None else response.exposure)
            value, slope, curve = y * e - mean, y - mean, mean
        else:
            trials, p = 1.0 if response.trials is None else response.trials, 1.0 / (1.0 + np.exp(-e))
            value = y * np.log(p) + (trials - y) * np.log(1.0 - p)
            slope, curve = y - trials * p, trials * p * (1.0 - p)
        return float(power @ value), a.T @ (power * slope), (a.T * (power * curve)) @ a

    def _ordered(self, u: np.ndarray, y: np.ndarray, power: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        cuts = [self.cut(k) for k in range(3)]
        chances = [np.ones(len(y)), *(1.0 / (1.0 + np.exp(-a @ u)) for a in cuts), np.zeros(len(y))]
        chance = np.select([y == k for k in range(4)], [chances[k] - chances[k + 1] for k in range(4)])
        slope, curved = np.zeros((len(y), len(u))), np.zeros((len(u), len(u)))
        for k, a in enumerate(cuts):
            sign, p = (y == k + 1) * 1.0 - (y == k), chances[k + 1]
            slope += (sign * p * (1.0 - p))[:, None] * a
            curved += (a.T * (power * sign * p * (1.0 - p) * (1.0 - 2.0 * p) / chance)) @ a
        return float(power @ np.log(chance)), (power / chance) @ slope, (slope.T * (power / chance**2)) @ slope - curved

    def joint(self, u: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Log joint density without normal constants, gradient and negative Hessian."""
        value, gradient, hessian = self.likelihood(u)
        mean, covariance = self.prior()
        precision = np.linalg.inv(covariance)
        off = precision @ (u - mean)
        value -= 0.5 * float((u - mean) @ off + np.linalg.slogdet(covariance)[1])
        return value, gradient - off, hessian + precision

    def mode(self, u: np.ndarray) -> np.ndarray:
        """Mode, from a value near it."""
        for _ in range(30):
            _, gradient, hessian = self.joint(u)
            u = u + np.linalg.solve(hessian, gradient)
        return u


def scaled_pinv(n: int, edges: np.ndarray) -> np.ndarray:
    """Covariance of an intrinsic autoregression with a geometric mean of 1 of its variances."""
    laplacian = np.zeros((n, n))
    for a, b in edges:
        laplacian[[a, b], [a, b]] += 1.0
        laplacian[[a, b], [b, a]] -= 1.0
    covariance = np.linalg.pinv(laplacian)
    return np.asarray(covariance / np.exp(np.log(np.diag(covariance)).mean()))


@pytest.fixture(scope="session")
def plain() -> type[Plain]:
    return Plain


@pytest.fixture(scope="session")
def fixed_sds() -> Callable[[FitProblem, Mapping[str, float]], FitProblem]:
    """The problem with sds that are known."""

    def make(problem: FitProblem, sds: Mapping[str, float]) -> FitProblem:
        own = {f"sd:{name}": Prior("fixed", (sd,)) for name, sd in sds.items() if name != "sigma"}
        own |= {"slope": Prior("normal", (0.0, 1.0))}
        own |= {"sigma": Prior("fixed", (sds["sigma"],))} if "sigma" in sds else {}
        known = problem.response.variance is not None
        plan = plan_priors(own, None, problem.design, "oa", problem.family, known_variance=known)
        return replace(problem, priors=plan)

    return make
