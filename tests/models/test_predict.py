"""From a fitted model to what every estimand is computed from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from placewise.models import inference
from placewise.models.fit import Posterior
from placewise.models.predict import build_estimand
from placewise.models.prior_plan import PriorPlan
from placewise.models.spec import EstimandSpec, OutcomeSpec

ORDER = ("none", "little", "some", "much", "all")
CUTS = np.array([-1.5, -0.2, 0.4, 2.0])


def _posterior(**variables: np.ndarray) -> Posterior:
    dims = {name: ["cutpoint"] * (v.ndim - 2) for name, v in variables.items()}
    idata = inference.build(variables, dims, {"cutpoint": list("abcd")})
    return Posterior(idata, PriorPlan(None, None, None, (), None, (), (), {}, None))


def _outcome(family: Any, **more: Any) -> OutcomeSpec:
    return OutcomeSpec("o", "O", ("s",), family, order=ORDER if family == "cumulative" else (), **more)


def _probabilities(eta: float) -> np.ndarray:
    return np.diff(np.concatenate([[0.0], expit(CUTS - eta), [1.0]]))


def _value(estimand: Any, eta: float, second: bool = False) -> float:
    weights = estimand.weights2 if second else estimand.weights
    constant = estimand.constant2 if second else estimand.constant
    return float(constant + weights @ expit(estimand.cuts[:, 0] - eta))


@pytest.mark.parametrize("chosen", [("much", "all"), ("none",), ("little", "much"), ORDER[:4]])
@pytest.mark.parametrize("eta", [-2.0, 0.3, 4.0])
def test_share_is_the_sum_of_its_categories(chosen: tuple[str, ...], eta: float) -> None:
    spec = EstimandSpec("", "share", chosen)
    estimand = build_estimand(spec, _outcome("cumulative"), _posterior(cutpoints=np.tile(CUTS, (2, 3, 1))))
    expected = sum(p for p, name in zip(_probabilities(eta), ORDER, strict=True) if name in chosen)
    assert _value(estimand, eta) == pytest.approx(expected, abs=1e-14)
    assert estimand.cuts.shape[1] == 6


@pytest.mark.parametrize("eta", [-2.0, 0.3, 4.0])
def test_mean_score_and_its_second_moment(eta: float) -> None:
    spec = EstimandSpec("", "mean")
    estimand = build_estimand(spec, _outcome("cumulative"), _posterior(cutpoints=np.tile(CUTS, (2, 3, 1))))
    scores = np.arange(1, 6)
    assert _value(estimand, eta) == pytest.approx(scores @ _probabilities(eta), abs=1e-13)
    assert _value(estimand, eta, second=True) == pytest.approx(scores**2 @ _probabilities(eta), abs=1e-12)
    assert (estimand.lower, estimand.upper) == (1.0, 5.0)


def test_binary_share_is_the_inverse_logit() -> None:
    estimand = build_estimand(EstimandSpec("", "share"), _outcome("bernoulli"), _posterior(intercept=np.zeros((2, 3))))
    assert _value(estimand, 0.7) == pytest.approx(expit(0.7), abs=1e-15)


def test_links_of_the_other_families() -> None:
    gaussian = build_estimand(EstimandSpec("", "mean"), _outcome("gaussian"), _posterior(sigma=np.ones((2, 3))))
    assert (gaussian.kind, gaussian.link) == ("mean", "identity")
    assert gaussian.sigma is not None
    assert gaussian.sigma.tolist() == [1.0] * 6
    poisson = build_estimand(EstimandSpec("", "mean"), _outcome("poisson"), _posterior(intercept=np.zeros((2, 3))))
    assert (poisson.kind, poisson.link) == ("mean", "log")


@pytest.mark.parametrize("family", ["bernoulli", "gaussian", "poisson", "cumulative"])
def test_a_latent_estimand_is_the_predictor_itself_without_bounds_or_people(family: str) -> None:
    latent = build_estimand(EstimandSpec("", "latent"), _outcome(family), _posterior(intercept=np.zeros((2, 3))))
    assert (latent.kind, latent.link) == ("latent", "identity")
    assert (latent.lower, latent.upper) == (-np.inf, np.inf)
