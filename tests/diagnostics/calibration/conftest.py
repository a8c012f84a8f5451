"""Models small enough for an exact posterior by linear algebra, and the engines that draw from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from placewise.diagnostics.calibration import Experiment
from placewise.models import inference
from placewise.models.design import Column, Design, Group
from placewise.models.engines import FitOptions, FitProblem
from placewise.models.prior_plan import PriorPlan, SdPrior
from placewise.models.priors import Prior

A, N = 24, 60
CELLS = 16  # of the grid over the area's sd
LEARNED = Prior("uniform", (0.2, 1.6))

Fit = Callable[[FitProblem, FitOptions], Any]


def nested(name: str, parent: np.ndarray, area: np.ndarray) -> Group:
    """One level of the geography; levels without a respondent stand last, as designs have them."""
    code = parent[area]
    met = np.bincount(code, minlength=parent.max() + 1) > 0
    order = np.concatenate([np.flatnonzero(met), np.flatnonzero(~met)])
    position = np.argsort(order)
    labels = tuple(f"{name}{k}" for k in order)
    lookup = np.arange(len(order))[:, None]
    return Group(name, "geography", labels[: int(met.sum())], position[code], labels, position[parent], None, lookup)


@pytest.fixture(scope="session")
def design() -> Design:
    """24 areas of which two thirds have respondents, in 6 districts and 2 regions; one covariate and three ages."""
    rng = np.random.default_rng(1)
    area = rng.integers(0, 16, N)
    district = np.arange(A) // 4
    x = rng.normal(size=A)
    age = rng.integers(0, 3, N)
    groups = (
        nested("region", district // 3, area),
        nested("district", district, area),
        nested("area", np.arange(A), area),
        Group("age", "other", ("a", "b", "c"), age, ("a", "b", "c"), None, np.arange(3), np.arange(3)[None]),
    )
    return Design(True, (Column("x", x[area], x),), groups, N)


@pytest.fixture(scope="session")
def experiment(design: Design) -> Experiment:
    """Gaussian answers; every sd is known but the area's."""
    known = {"region": 0.3, "district": 0.4, "age": 0.5}
    sds = {name: SdPrior(Prior("fixed", (sd,))) for name, sd in known.items()} | {"area": SdPrior(LEARNED)}
    slopes = (Prior("normal", (0.0, 0.5)),)
    plan = PriorPlan(Prior("normal", (1.0, 2.0)), None, None, slopes, None, (), (), sds, Prior("fixed", (0.7,)))
    return Experiment(design, "gaussian", plan, np.arange(A))


@pytest.fixture(scope="session")
def exact() -> Fit:
    """Independent draws from the exact posterior: the area's sd on a fine grid, all else by linear algebra."""

    def fit(problem: FitProblem, options: FitOptions) -> Any:
        design, plan, rng = problem.design, problem.priors, np.random.default_rng(options.seed)
        sigma = plan.sigma.args[0]
        blocks = [np.ones((design.n, 1)), design.matrix]
        blocks += [np.equal.outer(g.index, np.arange(len(g.labels))).astype(float) for g in design.groups]
        x, sizes = np.concatenate(blocks, axis=1), [b.shape[1] for b in blocks]
        mean = np.zeros(x.shape[1])
        mean[0] = plan.intercept.args[0]
        edges = np.linspace(*LEARNED.args, CELLS + 1)
        middle = (edges[:-1] + edges[1:]) / 2
        found = [_posterior(x, sizes, problem.response.y, mean, _widths(design, plan, sd), sigma) for sd in middle]
        weight = np.exp(np.array([f[0] for f in found]) - max(f[0] for f in found))
        cell = np.sort(rng.choice(CELLS, options.draws, p=weight / weight.sum()))
        theta = np.concatenate([_draw(*found[k][1:], int((cell == k).sum()), rng) for k in range(CELLS)])
        order = rng.permutation(options.draws)
        sd = middle[cell] + (rng.random(options.draws) - 0.5) * (edges[1] - edges[0])
        return _idata(problem, theta[order], sd[order], sizes)

    return fit


def _widths(design: Design, plan: PriorPlan, area_sd: float) -> list[float]:
    sds = [area_sd if g.name == "area" else plan.sds[g.name].prior.args[0] for g in design.groups]
    return [plan.intercept.args[1], plan.slopes[0].args[1], *sds]


def _posterior(
    x: np.ndarray, sizes: list[int], y: np.ndarray, mean: np.ndarray, widths: list[float], sigma: float
) -> tuple[float, np.ndarray, np.ndarray]:
    """Log marginal likelihood up to a constant, mean, and Cholesky factor of the precision."""
    precision = np.repeat(widths, sizes) ** -2.0
    factor = np.linalg.cholesky(x.T @ x / sigma**2 + np.diag(precision))
    score = x.T @ (y - x @ mean) / sigma**2
    half = np.linalg.solve(factor, score)
    log_marginal = 0.5 * half @ half + 0.5 * np.log(precision).sum() - np.log(np.diag(factor)).sum()
    return float(log_marginal), mean + np.linalg.solve(factor.T, half), factor


def _draw(mean: np.ndarray, factor: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    return mean + np.linalg.solve(factor.T, rng.standard_normal((len(mean), count))).T


def _idata(problem: FitProblem, theta: np.ndarray, area_sd: np.ndarray, sizes: list[int]) -> Any:
    parts = np.split(theta, np.cumsum(sizes)[:-1], axis=1)
    plan, ones = problem.priors, np.ones(len(theta))
    draws = {"intercept": parts[0][:, 0], "slopes": parts[1], "sigma": ones * plan.sigma.args[0]}
    dims, coords = {"slopes": ["covariate"]}, {"covariate": ["x"]}
    for group, part in zip(problem.design.groups, parts[2:], strict=True):
        sd = plan.sds[group.name].prior
        draws[f"sd_{group.name}"] = ones * sd.args[0] if sd.name == "fixed" else area_sd
        draws[f"effect_{group.name}"] = part
        dims[f"effect_{group.name}"] = [group.name]
        coords[group.name] = list(group.labels)
    return inference.build({name: d[None] for name, d in draws.items()}, dims, coords)


@pytest.fixture(scope="session")
def options() -> FitOptions:
    return FitOptions(draws=200)


@pytest.fixture(scope="session")
def yes_or_no() -> Experiment:
    """An intercept alone and five yes-or-no answers: much of the prior lies outside the sane region."""
    plan = PriorPlan(Prior("normal", (0.0, 3.0)), None, None, (), None, (), (), {}, None)
    return Experiment(Design(True, (), (), 5), "bernoulli", plan, np.empty(0, dtype=np.int64))


@pytest.fixture(scope="session")
def by_grid() -> Fit:
    """Exact draws of the intercept of yes-or-no answers under its unrestricted prior."""
    grid = np.linspace(-14.0, 14.0, 4001)

    def fit(problem: FitProblem, options: FitOptions) -> Any:
        y, rng = problem.response.y, np.random.default_rng(options.seed)
        log = y.sum() * grid - len(y) * np.logaddexp(0.0, grid) - 0.5 * (grid / problem.priors.intercept.args[1]) ** 2
        weight = np.exp(log - log.max())
        drawn = rng.choice(grid, options.draws, p=weight / weight.sum())
        return inference.build({"intercept": drawn[None]}, {}, {})

    return fit
