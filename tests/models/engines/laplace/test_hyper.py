"""Hyperparameters in normal scores: their priors, what follows from them, and the derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from placewise.models.engines.laplace.hyper import Hyper, Parameter
from placewise.models.priors import Prior

CASES: dict[str, dict[str, Any]] = {
    "shared total": {"depth": 3},
    "one level alone": {"depth": 1},
    "gaussian": {"family": "gaussian", "priors": {"var:age": Prior("inv_gamma", (2.0, 0.1))}},
    "deviations": {"family": "cumulative", "specific": (0,)},
    "structures": {"structures": {"a": "ar1", "b": "bym2"}},
    "correlated": {"slopes": True, "correlated": True},
    "classes": {"scale": ()},
    "flat": {"priors": {"sd:age": Prior("flat"), "var:oa": Prior("flat")}},
    "fixed": {"priors": {"sd:age": Prior("fixed", (0.3,)), "sd:geography": Prior("fixed", (0.5,))}},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_derivatives_of_log_scales(make_problem: Any, case: dict[str, Any]) -> None:
    hyper = Hyper(make_problem(**case))
    z, step = np.random.default_rng(1).normal(0, 0.7, hyper.size), 1e-5
    point = hyper.at(z)
    assert set(point.jacobian) == set(point.log_scale)
    for k, v in enumerate(np.eye(hyper.size)):
        up, down = hyper.at(z + step * v), hyper.at(z - step * v)
        for name, row in point.jacobian.items():
            slope = (up.log_scale[name] - down.log_scale[name]) / (2 * step)
            assert row[k] == pytest.approx(slope, abs=1e-7), (hyper.free[k].name, name)
        for parameter in hyper.parameters:
            slope = (up.values[parameter.name] - down.values[parameter.name]) / (2 * step)
            assert hyper.slope_of(parameter.name, point)[k] == pytest.approx(slope, rel=1e-6, abs=1e-7)


def test_prior_of_the_scores(make_problem: Any) -> None:
    hyper = Hyper(
        make_problem(priors={"sd:age": Prior("flat"), "var:oa": Prior("flat"), "sd:msoa": Prior("gamma", (2.0, 10.0))})
    )
    assert [p.name for p in hyper.free] == ["sd_oa", "sd_msoa", "sd_age", "slope_sd"]
    z = np.array([0.4, -1.0, 0.7, 0.2])
    value, gradient = hyper.log_prior(z)
    # flat on a variance is 2 sd d(sd); on an sd, d(sd): as functions of the logarithm
    assert value == pytest.approx(2 * 0.4 + 0.7 - 0.5 * (1.0 + 0.04))
    assert gradient == pytest.approx([2.0, 1.0, 1.0, -0.2])


def test_sticks_are_the_dirichlet(make_problem: Any) -> None:
    problem = make_problem(n=48, depth=4)
    hyper, alpha = Hyper(problem), np.array(problem.priors.concentration)
    draws = np.random.default_rng(2).normal(size=(4000, hyper.size))
    split = np.array([hyper.at(z).split for z in draws])
    assert split.sum(axis=1) == pytest.approx(1.0)
    total = alpha.sum()
    assert split.mean(axis=0) == pytest.approx(alpha / total, abs=4 * 0.5 / np.sqrt(4000))
    exact = (np.diag(alpha / total) - np.outer(alpha, alpha) / total**2) / (total + 1)
    assert np.cov(split.T) == pytest.approx(exact, abs=0.1 * exact.max())
    for k, name in enumerate(problem.priors.shared):
        assert stats.kstest(split[:, k], stats.beta(alpha[k], total - alpha[k]).cdf).pvalue > 1e-3, name
        point = hyper.at(draws[0])
        assert point.scale(name) == pytest.approx(point.values["sd_total"] * np.sqrt(point.split[k]))


def test_a_prior_on_the_variance() -> None:
    parameter = Parameter("sd_g", Prior("inv_gamma", (2.0, 0.1)), squared=True)
    draws = np.array([parameter.value(z) for z in np.random.default_rng(3).normal(size=2000)])
    assert stats.kstest(draws**2, stats.invgamma(2.0, scale=0.1).cdf).pvalue > 1e-3


def test_correlations_follow_lkj(make_problem: Any) -> None:
    hyper = Hyper(make_problem(slopes=True, correlated=True, priors={"cor:eth": Prior("lkj", (1.5,))}))
    draws = np.random.default_rng(4).normal(size=(3000, hyper.size))
    roots = np.array([hyper.correlation("eth", 3, hyper.at(z).values) for z in draws])
    found = roots @ roots.swapaxes(1, 2)
    # each correlation of an LKJ(η) matrix of three is 2 Beta(η + 1/2, η + 1/2) - 1
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert stats.kstest(0.5 + 0.5 * found[:, a, b], stats.beta(2.0, 2.0).cdf).pvalue > 1e-3
    names = [hyper.free[k].name for k in hyper.positions(("eth", "x0|eth"), "partial_eth_")]
    assert names == ["sd_eth", "sd_x0|eth", "partial_eth_0", "partial_eth_1", "partial_eth_2"]


def test_sds_of_classes(make_problem: Any) -> None:
    declared = Hyper(make_problem(scale=(np.array([1.0, 2.0, 0.5]),))).at(np.zeros(4))
    assert [declared.scale(f"class_{k}") / declared.scale("oa") for k in range(3)] == pytest.approx([1.0, 2.0, 0.5])
    hyper = Hyper(make_problem(scale=()))
    z = np.zeros(hyper.size)
    z[[p.name == "area_scale_1" for p in hyper.free]] = -1.3
    point = hyper.at(z)
    ratio = point.scale("class_1") / point.scale("oa")
    assert ratio == pytest.approx(np.exp(-1.3 * point.values["area_scale_sd"]))
    assert point.scale("class_0") == pytest.approx(point.scale("oa"))
