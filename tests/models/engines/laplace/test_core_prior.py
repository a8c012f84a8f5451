"""Own priors of coefficients: densities, slopes and curvatures; precisions of blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from placewise.models.engines.laplace.core_prior import Correlated, Moments, OwnPriors, Structured
from placewise.models.priors import Prior

CONSTANT = 0.5 * np.log(2 * np.pi)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_density_and_slope(sign: float) -> None:
    prior, truth = Prior("normal", (0.3, 0.8)), stats.norm(0.3, 0.8)
    own = OwnPriors(np.array([1, 2]), prior, sign)
    core = np.random.default_rng(1).normal(size=(4, 3))
    exact = truth.logpdf(sign * core[[1, 2]]).sum(axis=0) + 2 * CONSTANT
    assert own.density(core) == pytest.approx(exact)
    slope, curve = own.slope(core[:, 0])
    for k, at in enumerate((1, 2)):
        step = np.zeros((4, 1))
        step[at] = 1e-5
        up, down = own.density(core[:, :1] + step)[0], own.density(core[:, :1] - step)[0]
        assert slope[k] == pytest.approx((up - down) / 2e-5, abs=1e-8)
        # a step by slope over curvature never leads down
        moved = core[:, :1].copy()
        moved[at] += slope[k] / curve[k]
        assert own.density(moved)[0] >= own.density(core[:, :1])[0]
    assert (curve > 0.0).all()


@pytest.mark.parametrize(
    ("family", "key", "args"), [("bernoulli", "slope", (4.0, 0.3, 0.8)), ("cumulative", "cutpoints", (5.0, 1.0, 2.0))]
)
def test_student_t_is_a_normal_of_mixed_scale(
    make_problem: Any, conditional_of: Any, family: str, key: str, args: tuple[float, float, float]
) -> None:
    conditional = conditional_of(make_problem(family, depth=0, priors={key: Prior("student_t", args)}))
    first = conditional.layout.slopes.start if key == "slope" else conditional.layout.thresholds.start
    sign = 1.0 if key == "slope" else -1.0
    block = next(b for b in conditional.prior.independent if b.scale.startswith("mixing") and b.at[0] == first)
    k = [p.name for p in conditional.hyper.free].index(block.scale)
    z = np.linspace(-7.0, 7.0, 2001)
    sds = []
    for value in z:
        point = np.zeros(conditional.hyper.size)
        point[k] = value
        sds.append(conditional.hyper.at(point).scale(block.scale))
    for x in (-2.0, 0.5, 4.0):
        mixed = np.trapezoid(stats.norm.pdf(z) * stats.norm.pdf(sign * x, block.mean, sds), z)
        assert mixed == pytest.approx(stats.t.pdf(x, *args), rel=1e-5)


def test_bounded_flat_and_fixed() -> None:
    core = np.array([[0.5, 1.5]])
    at = np.array([0])
    assert OwnPriors(at, Prior("uniform", (0.0, 1.0)), 1.0).density(core).tolist() == [0.0, -np.inf]
    assert OwnPriors(at, Prior("uniform", (-1.0, 0.0)), -1.0).density(core).tolist() == [0.0, -np.inf]
    assert OwnPriors(at, Prior("flat"), 1.0).density(core).tolist() == [0.0, 0.0]
    fixed = OwnPriors(at, Prior("fixed", (0.5,)), 1.0)
    assert fixed.density(core)[0] - fixed.density(core)[1] > 1e10
    slope, curve = fixed.slope(np.array([0.7]))
    assert 0.7 + slope[0] / curve[0] == pytest.approx(0.5)


def test_second_moments_count_the_shift_once() -> None:
    rng = np.random.default_rng(2)
    mode, shift, root = rng.normal(size=4), 1e-6 * rng.normal(size=4), rng.normal(size=(4, 4))
    cov = root @ root.T
    at = np.array([0, 3])
    exact = cov + np.outer(mode + shift, mode + shift)
    assert Moments(mode, shift, cov).second(at) == pytest.approx(exact[np.ix_(at, at)], abs=1e-10)


@pytest.mark.parametrize("kind", ["rw1", "ar1", "bym2"])
def test_structures_and_their_log_determinant(make_problem: Any, conditional_of: Any, kind: str) -> None:
    conditional = conditional_of(make_problem(depth=0, structures={"g": kind}))
    (block,) = conditional.prior.dense
    assert isinstance(block, Structured)
    point = conditional.hyper.at(np.full(conditional.hyper.size, 0.3))
    precision = block.precision(point)
    assert block.log_det(point) == pytest.approx(np.linalg.slogdet(precision)[1], rel=1e-8)
    variance = np.diag(np.linalg.inv(precision)) / point.scale("g") ** 2
    if kind == "ar1":
        assert variance == pytest.approx(1.0)
    elif kind == "rw1":
        assert np.exp(np.log(variance).mean()) == pytest.approx(1.0, abs=1e-5)
        # the sum of the effects hardly varies
        assert np.linalg.inv(precision).sum() < 1e-5 * point.scale("g") ** 2 * len(precision)
    else:
        assert variance[4] == pytest.approx(1.0)


def test_correlated_effects_of_one_level(make_problem: Any, conditional_of: Any) -> None:
    conditional = conditional_of(make_problem(depth=0, slopes=True, correlated=True))
    (block,) = conditional.prior.dense
    assert isinstance(block, Correlated)
    point = conditional.hyper.at(np.random.default_rng(3).normal(size=conditional.hyper.size))
    covariance = np.linalg.inv(block.precision(point))
    sds = [point.scale(name) for name in ("eth", "x0|eth", "x1|eth")]
    root = conditional.hyper.correlation("eth", 3, point.values)
    for a in range(3):
        for b in range(3):
            own = covariance[4 * a : 4 * a + 4, 4 * b : 4 * b + 4]
            assert own == pytest.approx(sds[a] * sds[b] * (root @ root.T)[a, b] * np.eye(4), abs=1e-10)
    assert block.log_det(point) == pytest.approx(-np.linalg.slogdet(covariance)[1])


def test_precisions_that_separation_asks_for(make_problem: Any, conditional_of: Any) -> None:
    priors = {"slope:x1": Prior("normal", (0.0, 2.0)), "intercept": Prior("flat")}
    conditional = conditional_of(make_problem(depth=0, priors=priors))
    point = conditional.hyper.at(np.zeros(conditional.hyper.size))
    found = conditional.prior.fixed_precision(point)
    assert found[:3] == pytest.approx([0.0, point.scale("slopes") ** -2, 0.25])
    assert found[3:] == pytest.approx(point.scale("age") ** -2)
