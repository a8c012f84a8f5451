"""Given the hyperparameters: mode, log marginal and its gradient against dense algebra and finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from placewise.models.engines.laplace.expansion import Latent
from placewise.models.priors import Prior

CASES: dict[str, dict[str, Any]] = {
    "bernoulli": {"family": "bernoulli"},
    "no chain": {"family": "bernoulli", "depth": 0},
    "one level": {"family": "binomial", "depth": 1, "weighted": True},
    "four levels": {"family": "bernoulli", "depth": 4},
    "poisson with exposure": {"family": "poisson", "weighted": True},
    "gaussian": {"family": "gaussian", "weighted": True},
    "known variances": {"family": "gaussian", "known": True, "weighted": True},
    "cumulative": {"family": "cumulative", "weighted": True},
    "category-specific": {"family": "cumulative", "specific": (0, 1), "depth": 3},
    "random walk": {"family": "poisson", "structures": {"year": "rw1"}},
    "autoregression": {"family": "bernoulli", "structures": {"year": "ar1"}},
    "neighbours": {"family": "cumulative", "structures": {"lsoa": "bym2"}},
    "all structures": {"family": "gaussian", "structures": {"a": "rw1", "b": "ar1", "c": "bym2"}, "depth": 0},
    "varying slopes": {"family": "bernoulli", "slopes": True},
    "correlated slopes": {"family": "poisson", "slopes": True, "correlated": True},
    "declared classes": {"family": "bernoulli", "scale": (np.array([1.0, 2.0, 0.5]),)},
    "learned classes": {"family": "bernoulli", "scale": ()},
    "linked above the area": {"family": "cumulative", "link": 2.5},
    "linked, with a prior of its own": {"link": 2.0, "priors": {"sd:oa": Prior("gamma", (2.0, 5.0))}},
    "linked, areas' sd learned": {"family": "poisson", "link": Prior("half_normal", (0.3,)), "depth": 3},
    "linked in the core": {"family": "gaussian", "link": 2.5, "n": 6, "depth": 1},
    "linked in the core, learned": {"family": "gaussian", "link": Prior("half_normal", (0.5,)), "n": 6, "depth": 1},
    "learned classes in the core": {"family": "gaussian", "scale": (), "n": 6, "depth": 1},
}
EVERY = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
STEP = 1e-4


def scores(size: int) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 0.5, size)


@EVERY
def test_mode_marginal_and_variances(
    make_problem: Any, conditional_of: Any, plain: Any, small_chains: None, case: dict[str, Any]
) -> None:
    conditional = conditional_of(make_problem(**case))
    point = conditional.hyper.at(scores(conditional.hyper.size))
    e = conditional.find_mode(point, conditional.start(), 1e-14)
    dense = plain(conditional.problem, conditional.layout, point.values)
    u = dense.mode(np.concatenate([e.at.core, e.at.nodes]))
    value, gradient, hessian = dense.joint(u)
    assert np.abs(gradient).max() < 1e-6
    assert np.concatenate([e.mode.core, e.mode.nodes]) == pytest.approx(u, abs=1e-7)
    log_det = np.linalg.slogdet(hessian)[1]
    assert e.log_det == pytest.approx(log_det, rel=1e-8)
    assert e.log_marginal == pytest.approx(value - 0.5 * log_det, rel=1e-10)
    moments, shift, spread, _, skew = conditional.describe(e)
    cov, q = np.linalg.inv(hessian), conditional.layout.n_core
    assert moments.cov == pytest.approx(cov[:q, :q], rel=1e-5, abs=1e-9)
    assert spread == pytest.approx(np.diag(cov)[q:], rel=1e-6)
    # the mean shifts by the covariance times the skew, the slope of -log det / 2
    steps = STEP * np.eye(len(u))
    slopes = [np.linalg.slogdet(dense.joint(u + s)[2])[1] - np.linalg.slogdet(dense.joint(u - s)[2])[1] for s in steps]
    assert np.concatenate([moments.shift, shift]) == pytest.approx(cov @ (-0.25 * np.array(slopes) / STEP), abs=1e-5)
    assert np.concatenate([skew.core, skew.nodes]) == pytest.approx(-0.25 * np.array(slopes) / STEP, rel=1e-4, abs=1e-4)


@EVERY
def test_joint_density_anywhere(
    make_problem: Any, conditional_of: Any, plain: Any, small_chains: None, case: dict[str, Any]
) -> None:
    conditional = conditional_of(make_problem(**case))
    point = conditional.hyper.at(scores(conditional.hyper.size))
    layout, start = conditional.layout, conditional.start()
    rng = np.random.default_rng(3)
    core = start.core[:, None] + rng.normal(0, 0.1, (layout.n_core, 3))
    for where in layout.groups.values():
        core[where] -= core[where].mean(axis=0)  # a random walk's mean hardly varies
    nodes = rng.normal(0, 0.3, (layout.n_nodes, 3))
    dense = plain(conditional.problem, layout, point.values)
    found = conditional.log_joint(point, core, nodes, conditional.tau(point))
    for r in range(3):
        u = np.concatenate([core[:, r], nodes[:, r]])
        value, gradient, hessian = dense.joint(u)
        assert found[r] == pytest.approx(value, rel=1e-9)
        e = conditional.expand(point, Latent(core[:, r].copy(), nodes[:, r].copy()))
        assert e.log_joint == pytest.approx(value, rel=1e-9)
        assert e.decrement == pytest.approx(gradient @ np.linalg.solve(hessian, gradient), rel=1e-6)


@EVERY
def test_gradient_of_the_marginal(
    make_problem: Any, conditional_of: Any, small_chains: None, case: dict[str, Any]
) -> None:
    conditional = conditional_of(make_problem(**case))
    z = scores(conditional.hyper.size)
    assert difference(conditional, z, 1e-4) < 2e-5


def difference(conditional: Any, z: np.ndarray, step: float) -> float:
    """Largest difference between the gradient and central differences."""

    def height(z: np.ndarray) -> float:
        return float(conditional.find_mode(conditional.hyper.at(z), conditional.start(), 1e-13).log_marginal)

    gradient, _ = conditional.gradient(conditional.find_mode(conditional.hyper.at(z), conditional.start(), 1e-13))
    slopes = [(height(z + s) - height(z - s)) / (2 * step) for s in step * np.eye(len(z))]
    assert np.abs(slopes).max() > 0.01
    return float(np.abs(gradient - slopes).max())


SD_PRIORS = [
    Prior("half_normal", (0.5,)), Prior("half_cauchy", (0.5,)), Prior("half_student_t", (3.0, 0.0, 0.5)),
    Prior("gamma", (2.0, 10.0)), Prior("inv_gamma", (2.0, 0.3)), Prior("exponential", (2.0,)), Prior("pc", (1.0, 0.05)),
    Prior("uniform", (0.0, 2.0)), Prior("lognormal", (-1.0, 0.5)), Prior("fixed", (0.4,)), Prior("flat"),
]  # fmt: skip


@pytest.mark.parametrize("key", ["sd:oa", "var:age", "sd:geography", "sigma"])
@pytest.mark.parametrize("prior", SD_PRIORS, ids=[p.name for p in SD_PRIORS])
def test_gradient_under_every_prior_of_an_sd(
    make_problem: Any, conditional_of: Any, small_chains: None, prior: Prior, key: str
) -> None:
    conditional = conditional_of(make_problem("gaussian", n=48, priors={key: prior}))
    z = scores(conditional.hyper.size) - 0.3 * (prior.name == "flat")
    assert difference(conditional, z, 1e-4) < 5e-5


@pytest.mark.parametrize(
    "prior", [Prior("uniform", (0.0, 1.0)), Prior("beta", (2.0, 1.5)), Prior("fixed", (0.7,))], ids=str
)
@pytest.mark.parametrize("kind", ["ar1", "bym2"])
def test_gradient_under_every_prior_of_rho(
    make_problem: Any, conditional_of: Any, small_chains: None, prior: Prior, kind: str
) -> None:
    conditional = conditional_of(make_problem(structures={"g": kind}, priors={"rho:g": prior}))
    assert difference(conditional, scores(conditional.hyper.size), 1e-4) < 2e-5


REAL_PRIORS = [
    Prior("normal", (0.2, 0.5)), Prior("student_t", (4.0, 0.0, 0.5)), Prior("uniform", (-3.0, 3.0)),
    Prior("fixed", (0.1,)), Prior("flat"),
]  # fmt: skip


@pytest.mark.parametrize("key", ["intercept", "slope", "slope:x1"])
@pytest.mark.parametrize("prior", REAL_PRIORS, ids=[p.name for p in REAL_PRIORS])
def test_gradient_under_every_prior_of_a_coefficient(
    make_problem: Any, conditional_of: Any, small_chains: None, prior: Prior, key: str
) -> None:
    conditional = conditional_of(make_problem(priors={key: prior}))
    # a student_t's curvature is bounded from above, so that the matrix stays positive definite, and not its own
    tolerance = 5e-3 if prior.name == "student_t" else 2e-5
    assert difference(conditional, scores(conditional.hyper.size), 1e-4) < tolerance
