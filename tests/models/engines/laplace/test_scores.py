"""Values at normal scores are the priors' quantiles, far into both tails."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from placewise.models.engines.laplace.scores import slope_at, value_at
from placewise.models.priors import DISTRIBUTIONS, Prior

# each prior, and the distribution that scipy has for it
SAME: list[tuple[Prior, Any]] = [
    (Prior("half_normal", (0.7,)), stats.halfnorm(scale=0.7)),
    (Prior("half_cauchy", (0.7,)), stats.halfcauchy(scale=0.7)),
    (Prior("gamma", (2.0, 10.0)), stats.gamma(2.0, scale=0.1)),
    (Prior("gamma", (0.5, 3.0)), stats.gamma(0.5, scale=1 / 3)),
    (Prior("inv_gamma", (2.0, 0.3)), stats.invgamma(2.0, scale=0.3)),
    (Prior("exponential", (2.0,)), stats.expon(scale=0.5)),
    # P(sd > 1) = 0.05
    (Prior("pc", (1.0, 0.05)), stats.expon(scale=-1.0 / np.log(0.05))),
    (Prior("uniform", (-1.0, 2.0)), stats.uniform(-1.0, 3.0)),
    (Prior("lognormal", (-1.0, 0.5)), stats.lognorm(0.5, scale=np.exp(-1.0))),
    (Prior("beta", (2.0, 1.5)), stats.beta(2.0, 1.5)),
    (Prior("beta", (0.5, 0.5)), stats.beta(0.5, 0.5)),
]
EACH = pytest.mark.parametrize(("prior", "truth"), SAME, ids=[str(p) for p, _ in SAME])
Z = np.concatenate([-np.geomspace(6.0, 1e-3, 12), [0.0], np.geomspace(1e-3, 6.0, 12)])


@EACH
def test_values_are_quantiles(prior: Prior, truth: Any) -> None:
    found = np.array([value_at(prior, float(z)) for z in Z])
    lower = Z < 0
    assert found[lower] == pytest.approx(truth.ppf(stats.norm.cdf(Z[lower])), rel=1e-7)
    assert found[~lower] == pytest.approx(truth.isf(stats.norm.sf(Z[~lower])), rel=1e-7)
    assert (np.diff(found) > 0.0).all()


def test_half_student_t() -> None:
    prior, truth = Prior("half_student_t", (3.0, 0.0, 0.5)), stats.t(3.0, scale=0.5)
    found = np.array([value_at(prior, float(z)) for z in Z])
    lower = Z < 0
    # half of a t has twice its upper tail
    assert found[lower] == pytest.approx(truth.ppf(0.5 + 0.5 * stats.norm.cdf(Z[lower])), rel=1e-6)
    assert found[~lower] == pytest.approx(truth.isf(0.5 * stats.norm.sf(Z[~lower])), rel=1e-6)
    assert (np.diff(found) > 0.0).all()


@EACH
def test_slopes_are_the_ratio_of_densities(prior: Prior, truth: Any) -> None:
    for z in (-4.0, -1.0, -1e-6, 0.0, 0.5, 4.0):
        assert slope_at(prior, z) == pytest.approx(stats.norm.pdf(z) / truth.pdf(value_at(prior, z)), rel=2e-6)


def test_improper_fixed_and_unknown() -> None:
    assert value_at(Prior("flat"), 0.3) == pytest.approx(np.exp(0.3))
    assert value_at(Prior("fixed", (0.4,)), 2.0) == 0.4
    assert value_at(Prior("score"), -1.2) == -1.2
    with pytest.raises(ValueError, match="no prior of a positive or bounded parameter"):
        value_at(Prior("normal", (0.0, 1.0)), 0.0)


def test_every_prior_of_a_positive_or_bounded_parameter_has_values() -> None:
    whole_line = {"normal", "student_t"}
    for name, distribution in DISTRIBUTIONS.items():
        if distribution.support in ("slopes", "correlations") or name in whole_line:
            continue
        args = tuple(float(x) for x in distribution.example.partition("(")[2].rstrip(")").split(",") if x)
        assert np.isfinite(value_at(Prior(name, args), 0.5)), name
