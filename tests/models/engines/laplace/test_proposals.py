"""The design over the hyperparameters: its densities, its adaptation to bent posteriors, and where it does not do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from placewise.models.design import Design, Group
from placewise.models.engines import FitOptions, FitProblem
from placewise.models.engines.laplace import densities, proposals
from placewise.models.engines.laplace.densities import AxisDesign, Defended, KernelMixture
from placewise.models.engines.laplace.expansion import Latent
from placewise.models.engines.laplace.explore import Landscape
from placewise.models.engines.laplace.fit import fit
from placewise.models.engines.laplace.proposals import kish
from placewise.models.prior_plan import plan_priors
from placewise.models.priors import Prior
from placewise.models.quality import IMPORTANCE_ESS, KHAT, quality
from placewise.surveys.outcome import Response

OPTIONS = FitOptions(draws=1000, seed=1, jobs=1)
SHARES = np.array([0.05, 0.25, 0.5, 0.75])


def landscape(d: int) -> Landscape:
    rng = np.random.default_rng(d)
    none = Latent(np.empty(0), np.empty(0))
    axes = np.linalg.qr(rng.normal(size=(d, d)))[0] * rng.uniform(0.5, 1.5, d)
    below, above = rng.uniform(0.5, 1.0, d), rng.uniform(1.0, 2.0, d)
    return Landscape(rng.normal(size=d), axes, below, above, none, none, np.zeros(d), (), (), 0)


def test_axis_design_has_its_density() -> None:
    # of one axis by integration, of three by the weights of another density
    line, z = AxisDesign(landscape(1)), np.linspace(-60.0, 60.0, 24_001)
    density = np.exp(line.log_density(z[:, None]))
    assert np.trapezoid(density, z) == pytest.approx(1.0, abs=1e-4)
    points = line.sample(1024, 1)[:, 0]
    assert stats.kstest(points, lambda x: np.interp(x, z, np.cumsum(density) * (z[1] - z[0]))).statistic < 0.01
    design = AxisDesign(landscape(3))
    points = design.sample(4096, 1)
    normal = stats.multivariate_normal(points.mean(axis=0), 0.3 * np.cov(points.T))
    assert np.exp(normal.logpdf(points) - design.log_density(points)).mean() == pytest.approx(1.0, abs=0.05)


def test_kernel_mixture_has_its_density() -> None:
    rng = np.random.default_rng(1)
    z = rng.normal(size=(300, 2)) * [1.0, 3.0]
    weight = rng.exponential(size=300)
    mixture = KernelMixture(z, weight / weight.sum(), rng)
    points = mixture.sample(20_000, 2)
    normal = stats.multivariate_normal(points.mean(axis=0), 0.5 * np.cov(points.T))
    assert np.exp(normal.logpdf(points) - mixture.log_density(points)).mean() == pytest.approx(1.0, abs=0.03)
    assert points.mean(axis=0) == pytest.approx((weight / weight.sum()) @ z, abs=0.3)


def test_some_of_the_prior_is_mixed_in() -> None:
    design = Defended(AxisDesign(landscape(2)))
    points = design.sample(4096, 1)
    assert len(points) == 4096 * (1.0 + densities.PRIOR)
    normal = stats.multivariate_normal(points.mean(axis=0), 0.3 * np.cov(points.T))
    assert np.exp(normal.logpdf(points) - design.log_density(points)).mean() == pytest.approx(1.0, abs=0.03)
    # no weight can run away from the prior's, however far
    far = 40.0 * np.array([[1.0, 0.0], [0.0, -1.0], [0.1, 0.1]])
    prior = stats.multivariate_normal(np.zeros(2)).logpdf(far)
    assert (prior - design.log_density(far) <= np.log(1.0 / densities.PRIOR + 1.0) + 1e-12).all()


def test_kernels_lie_along_a_bend() -> None:
    rng = np.random.default_rng(1)
    angle = rng.uniform(0.0, np.pi, 1000)
    z = np.column_stack([np.cos(angle), np.sin(angle)])
    points = KernelMixture(z, np.full(1000, 1e-3), rng).sample(4000, 2)
    assert np.median(np.abs(np.linalg.norm(points, axis=1) - 1.0)) < 0.2


def test_effective_number_of_weights() -> None:
    assert kish(np.full(50, -700.0)) == pytest.approx(50.0)
    assert kish(np.log([1.0, 1.0, 2.0])) == pytest.approx(16.0 / 6.0)
    assert kish(np.array([0.0, -800.0])) == pytest.approx(1.0)


def ring(n: int, count: int) -> FitProblem:
    """Answers that tell of σ² and several sds only their sum of squares."""
    at = np.arange(n)
    groups = tuple(Group(f"g{k}", "other", tuple(map(str, at)), at) for k in range(count))
    design = Design(True, (), groups, n)
    y = np.random.default_rng(1).normal(size=n)
    own = {"sd": Prior("half_normal", (2.0,)), "sigma": Prior("half_normal", (2.0,))}
    plan = plan_priors(own, None, design, None, "gaussian")
    return FitProblem(design, Response(y=y, kept=np.ones(n, dtype=bool)), "gaussian", plan)


def told_by_sum_of_squares(problem: FitProblem, parts: int) -> tuple[np.ndarray, float]:
    """Quantiles of one of the parts, and median of their sum of squares, by weighting draws of the prior."""
    rng = np.random.default_rng(2)
    prior = np.abs(rng.normal(0.0, 2.0, (400_000, parts)))
    variance, y = (prior**2).sum(axis=1), problem.response.y
    squares, n = ((y - y.mean()) ** 2).sum(), len(y)
    log_weight = -0.5 * ((n - 1) * np.log(variance) + squares / variance)
    log_weight -= 0.5 * (np.log(variance + 9.0 * n) + n * y.mean() ** 2 / (variance + 9.0 * n))
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()

    def points(values: np.ndarray, shares: np.ndarray) -> np.ndarray:
        order = np.argsort(values)
        return np.interp(shares, np.cumsum(weight[order]), values[order])

    return points(prior[:, 0], SHARES), float(points(variance, np.array([0.5]))[0])


def test_a_bent_posterior_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = ring(60, 3)
    found = fit(problem, OPTIONS)
    assert quality(found) == ()
    # σ and the three sds stand for each other: all have the posterior that weighted draws of the prior have
    exact, total = told_by_sum_of_squares(problem, 4)
    draws = [found["posterior"][name].to_numpy().ravel() for name in ("sigma", "sd_g0", "sd_g1", "sd_g2")]
    assert np.quantile(np.concatenate(draws), SHARES) == pytest.approx(exact, abs=0.05)
    assert np.median(np.sum(np.square(draws), axis=0)) == pytest.approx(total, rel=0.05)
    # one round of the design alone would not do
    monkeypatch.setattr(proposals, "ROUNDS", 1)
    attrs = fit(problem, OPTIONS)["posterior"].attrs
    assert attrs["importance_ess"] < IMPORTANCE_ESS / 2
    assert attrs["khat"] > KHAT


@pytest.mark.parametrize("seed", range(1, 7))
def test_arms_of_a_posterior_are_found(seed: int) -> None:
    # the mode is where σ and the sd are alike, but either may be nothing
    problem = ring(60, 1)
    found = fit(problem, replace(OPTIONS, seed=seed))
    assert quality(found) == ()
    exact, _ = told_by_sum_of_squares(problem, 2)
    draws = [found["posterior"][name].to_numpy().ravel() for name in ("sigma", "sd_g0")]
    assert np.quantile(np.concatenate(draws), SHARES) == pytest.approx(exact, abs=0.05)


def test_what_cannot_be_followed_fails_the_checks() -> None:
    # a sphere of seven standard deviations
    reasons = quality(fit(ring(200, 6), OPTIONS))
    assert any("Pareto k" in reason for reason in reasons)
    assert any("effective points" in reason for reason in reasons)


def test_effects_far_from_normal_outside_the_chain_fail_the_checks() -> None:
    rng = np.random.default_rng(1)
    n, levels = 70, 35
    first, second = np.arange(n) % levels, rng.permutation(n) % levels
    eta = 8.0 * (rng.normal(size=levels)[first] + rng.normal(size=levels)[second])
    labels = tuple(map(str, range(levels)))
    design = Design(True, (), (Group("a", "other", labels, first), Group("b", "other", labels, second)), n)
    plan = plan_priors({"sd": Prior("fixed", (8.0,))}, None, design, None, "bernoulli")
    response = Response(y=(rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float), kept=np.ones(n, dtype=bool))
    assert quality(fit(FitProblem(design, response, "bernoulli", plan), OPTIONS))


def test_rounds_go_on_until_the_weights_suffice(make_problem: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = make_problem(slopes=True)
    first = fit(problem, OPTIONS)
    assert quality(first) == ()
    monkeypatch.setattr(proposals, "BEYOND", 1.5 * first["posterior"].attrs["importance_ess"] / IMPORTANCE_ESS)
    further = fit(problem, OPTIONS)["posterior"].attrs
    assert further["design_points"] > first["posterior"].attrs["design_points"]
    assert further["importance_ess"] > first["posterior"].attrs["importance_ess"]
