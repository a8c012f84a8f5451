"""Simulated answers and likelihoods agree with scipy's distributions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from placewise.diagnostics.calibration import Experiment
from placewise.diagnostics.calibration.answers import draw_answers, log_likelihood
from placewise.diagnostics.calibration.experiment import Truth, draw_truth
from placewise.errors import ModelError
from placewise.models.design import Design
from placewise.models.prior_plan import PriorPlan
from placewise.models.priors import Prior

N = 4000
CUTS = np.array([[-1.0, 0.5, 2.0]])
EXTRA = {
    "binomial": {"trials": np.full(N, 5.0)},
    "poisson": {"exposure": np.full(N, 2.0)},
    "cumulative": {"levels": ("a", "b", "c", "d")},
}


def _experiment(family: str, **extra: object) -> Experiment:
    plan = PriorPlan(Prior("normal", (0.0, 1.0)), None, None, (), None, (), (), {}, Prior("fixed", (0.7,)))
    return Experiment(Design(True, (), (), N), family, plan, np.arange(0), **(EXTRA.get(family, {}) | extra))


def _truth(eta: float) -> Truth:
    values = {"sigma": np.array([0.7]), "cutpoints": CUTS}
    return Truth(values, np.full((1, N), eta), np.empty((1, 0)))


def _log_density(family: str, y: np.ndarray, eta: float) -> np.ndarray:
    if family == "cumulative":
        below = np.concatenate([[0.0], expit(CUTS[0] - eta), [1.0]])
        return np.log(np.diff(below))[y]
    return {
        "bernoulli": lambda: stats.bernoulli.logpmf(y, expit(eta)),
        "binomial": lambda: stats.binom.logpmf(y, 5, expit(eta)),
        "poisson": lambda: stats.poisson.logpmf(y, 2 * np.exp(eta)),
        "gaussian": lambda: stats.norm.logpdf(y, eta, 0.7),
    }[family]()


@pytest.mark.parametrize("family", ["bernoulli", "binomial", "poisson", "gaussian", "cumulative"])
def test_likelihood_is_scipys_up_to_a_constant(family: str) -> None:
    experiment = _experiment(family)
    response = draw_answers(experiment, _truth(0.3), np.random.default_rng(1))
    values = {name: np.repeat(v, 3, axis=0) for name, v in _truth(0.0).values.items()}
    etas = np.array([-1.0, 0.3, 1.0])
    found = log_likelihood(experiment, values, np.repeat(etas[:, None], N, axis=1), response)
    expected = np.array([_log_density(family, response.y, eta).sum() for eta in etas])
    assert found - found[0] == pytest.approx(expected - expected[0], rel=1e-9)


@pytest.mark.parametrize("family", ["bernoulli", "binomial", "poisson", "gaussian", "cumulative"])
def test_answers_follow_the_family(family: str) -> None:
    y = draw_answers(_experiment(family), _truth(0.3), np.random.default_rng(2)).y
    if family == "gaussian":
        assert stats.kstest(y, stats.norm(0.3, 0.7).cdf).pvalue > 0.001
        return
    kinds, seen = np.unique(y, return_counts=True)
    expected = N * np.exp([_log_density(family, np.array([int(k)]), 0.3)[0] for k in kinds])
    assert (np.abs(seen - expected) < 4.5 * np.sqrt(expected) + 1).all()


def test_known_variances_are_used() -> None:
    experiment = _experiment("gaussian", variance=np.linspace(0.01, 4.0, N))
    response = draw_answers(experiment, _truth(0.0), np.random.default_rng(3))
    assert response.y.std() == pytest.approx(np.sqrt(2.0), rel=0.05)
    assert np.std(response.y / np.sqrt(experiment.variance)) == pytest.approx(1.0, rel=0.05)


def test_ordered_likelihood_is_finite_far_out() -> None:
    experiment = _experiment("cumulative")
    response = draw_answers(experiment, _truth(0.0), np.random.default_rng(4))
    for eta in (-30.0, 30.0):
        assert np.isfinite(log_likelihood(experiment, {"cutpoints": CUTS}, np.full((1, N), eta), response)).all()


def test_truths_lie_inside_the_region_and_an_impossible_one_is_an_error() -> None:
    wide = PriorPlan(Prior("normal", (0.0, 3.0)), None, None, (), None, (), (), {}, None)
    experiment = Experiment(Design(True, (), (), 5), "bernoulli", wide, np.arange(0))
    shares = [draw_truth(experiment, np.random.default_rng(k)).levels[0, 0] for k in range(200)]
    assert 0.02 <= min(shares) < 0.1
    assert 0.9 < max(shares) <= 0.98
    far = PriorPlan(Prior("fixed", (9.0,)), None, None, (), None, (), (), {}, None)
    with pytest.raises(ModelError, match="declared region"):
        draw_truth(Experiment(Design(True, (), (), 5), "bernoulli", far, np.arange(0)), np.random.default_rng(0))
