"""From Laplace's posterior to the exact one, on problems made so that the two differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from placewise.models.design import Design, Group
from placewise.models.engines import FitOptions, FitProblem
from placewise.models.engines.laplace.expansion import Latent
from placewise.models.engines.laplace.explore import survey_landscape
from placewise.models.engines.laplace.fit import fit
from placewise.models.engines.laplace.proposals import kish, propose
from placewise.models.engines.laplace.refine import coarsened, draw, needs_quadrature, refine
from placewise.models.engines.laplace.scores import value_at
from placewise.models.prior_plan import plan_priors
from placewise.models.priors import Prior
from placewise.models.quality import IMPORTANCE_ESS
from placewise.surveys.outcome import Response

WIDE = Prior("half_normal", (2.0,))


def small_groups(family: str, count: int, sd: float) -> FitProblem:
    """Groups of two answers, and nothing else."""
    rng = np.random.default_rng(1)
    at = np.repeat(np.arange(count), 2)
    eta = 0.5 + sd * rng.normal(size=count)[at]
    y = rng.random(2 * count) < expit(eta) if family == "bernoulli" else rng.poisson(np.exp(eta))
    design = Design(True, (), (Group("oa", "geography", tuple(map(str, range(count))), at),), 2 * count)
    plan = plan_priors({"sd:oa": WIDE}, None, design, "oa", family)
    return FitProblem(design, Response(y=y.astype(float), kept=np.ones(2 * count, dtype=bool)), family, plan)


def exact_sd(problem: FitProblem) -> np.ndarray:
    """5%, 50% and 95% points of the area's sd by brute force: intercept × sd on a grid, 120 nodes an integral."""
    counts = np.bincount(problem.response.y.reshape(-1, 2).sum(axis=1).astype(int), minlength=3)
    x, w = np.polynomial.hermite_e.hermegauss(120)
    mu, sd = np.linspace(-1.0, 2.0, 91), np.linspace(0.02, 3.5, 175)
    p = expit(mu[:, None, None] + sd[None, :, None] * x)
    height = sum(n * np.log((w / w.sum() * p**k * (1 - p) ** (2 - k)).sum(axis=2)) for k, n in enumerate(counts))
    height += stats.norm.logpdf(mu, 0.0, 3.0)[:, None] + stats.halfnorm.logpdf(sd, scale=2.0)
    density = np.exp(height - height.max()).sum(axis=0)
    return np.interp([0.05, 0.5, 0.95], np.cumsum(density) / density.sum(), sd)


def test_many_groups_of_two(conditional_of: Callable[..., Any]) -> None:
    problem = small_groups("bernoulli", 400, 1.5)
    exact = exact_sd(problem)
    conditional, z = conditional_of(problem), np.linspace(-3.0, 3.0, 41)
    height = [conditional.find_mode(conditional.hyper.at(np.array([s])), conditional.start()).log_marginal for s in z]
    density = np.exp(np.array(height) - max(height)) * stats.norm.pdf(z)
    sd = [value_at(WIDE, float(s)) for s in z]
    plain = np.interp([0.05, 0.5, 0.95], np.cumsum(density) / density.sum(), sd)
    # Laplace's approximation alone is off by a third, out of the exact interval
    assert plain[1] < exact[0]
    found = fit(problem, FitOptions(draws=2000, seed=1))["posterior"]
    assert found.attrs["quadrature"] == 9
    assert found.attrs["importance_ess"] > IMPORTANCE_ESS
    assert np.log(np.quantile(found["sd_oa"], [0.05, 0.5, 0.95]) / exact) == pytest.approx(0.0, abs=0.05)


def test_leaves_that_look_normal_only_at_the_wrong_place(conditional_of: Callable[..., Any]) -> None:
    problem = small_groups("bernoulli", 400, 1.0)
    conditional = conditional_of(problem)
    land = survey_landscape(conditional, 1)
    # where Laplace's approximation puts the sd the weights are even; where it is they are not
    assert not needs_quadrature(conditional, land, 1)
    assert needs_quadrature(conditional, refine(conditional, land, 1, 1), 1)
    found = fit(problem, FitOptions(draws=2000, seed=1))["posterior"]
    assert found.attrs["quadrature"] == 9
    assert np.log(np.quantile(found["sd_oa"], [0.05, 0.5, 0.95]) / exact_sd(problem)) == pytest.approx(0.0, abs=0.06)


@pytest.mark.parametrize("family", ["bernoulli", "poisson"])
def test_wide_leaves_need_quadrature(conditional_of: Callable[..., Any], family: str) -> None:
    problem = small_groups(family, 200, 1.5)
    ess = {}
    for quadrature in (False, True):
        conditional = conditional_of(problem)
        land = survey_landscape(conditional, 1)
        assert needs_quadrature(conditional, land, 1)
        conditional = conditional_of(problem, quadrature)
        _, log_weight = propose(conditional, refine(conditional, land, 1, 1), 64, 8, 1, 1)
        ess[quadrature] = kish(log_weight) / log_weight.size
    assert ess[False] < 0.15
    assert ess[True] > 0.6


@pytest.mark.parametrize(("sd", "nodes"), [(0.2, 5), (1.5, 9)])
def test_narrow_leaves_need_few_nodes(conditional_of: Callable[..., Any], sd: float, nodes: int) -> None:
    conditional = conditional_of(small_groups("bernoulli", 400, sd), True)
    land = refine(conditional, survey_landscape(conditional_of(conditional.problem), 1), 1, 1)
    assert coarsened(conditional, land, 1, 1).quadrature_nodes == nodes


def test_centre_is_moved_to_the_exact_mode(conditional_of: Callable[..., Any]) -> None:
    problem = small_groups("bernoulli", 400, 1.5)
    conditional = conditional_of(problem)
    land = survey_landscape(conditional, 1)
    moved = refine(conditional_of(problem, True), land, 1, 1)
    before, after = (value_at(WIDE, float(at.centre[0])) for at in (land, moved))
    exact = exact_sd(problem)
    assert before < 0.8 * exact[1]
    assert after == pytest.approx(exact[1], rel=0.1)


def test_draws_are_of_the_approximation(make_problem: Any, conditional_of: Any, plain: Any, small_chains: None) -> None:
    conditional = conditional_of(make_problem("cumulative", n=24))
    e = conditional.find_mode(conditional.hyper.at(np.zeros(conditional.hyper.size)), conditional.start())
    zero = e.mode.times(0.0)
    shift = Latent(zero.core + 0.3, zero.nodes)
    count = 40_000
    core, nodes, log_density = draw(conditional, e, shift, count, np.random.default_rng(1))
    u = np.concatenate([core, nodes])
    centre = np.concatenate([e.mode.core + 0.3, e.mode.nodes])
    # in antithetic pairs the mean is the centre
    assert u.mean(axis=1) == pytest.approx(centre, abs=1e-9)
    dense = plain(conditional.problem, conditional.layout, e.point.values)
    cov = np.linalg.inv(dense.joint(np.concatenate([e.at.core, e.at.nodes]))[2])
    assert np.cov(u) == pytest.approx(cov, abs=0.03 * cov.max())
    exact = stats.multivariate_normal(centre, cov).logpdf(u[:, :200].T) + 0.5 * len(u) * np.log(2 * np.pi)
    assert log_density[:200] == pytest.approx(exact, abs=1e-5)
