"""What is said of priors on the published scale: shares of the largest variance, tails, and what has no measure."""

from __future__ import annotations

import json

import numpy as np
import pytest

from placewise.diagnostics.prior_predictive import (
    AreaFigures,
    area_figures,
    compare_with_prior,
    largest_plausible,
    prior_checks,
)
from placewise.estimates.predictor import Estimand

SHARE = Estimand("", "share", "logit", lower=0.0, upper=1.0)
SCORE = Estimand("", "mean", "logit", lower=1.0, upper=4.0)


def _figures(national: float, spread: float, seed: int = 1, draws: int = 1000, areas: int = 400) -> AreaFigures:
    rng = np.random.default_rng(seed)
    middle = national + 0.02 * rng.standard_normal(draws)
    return area_figures(middle + spread * rng.standard_normal((areas, draws)), np.ones(areas))


def test_mean_and_sd_are_by_population() -> None:
    values = np.array([[0.0], [1.0], [1.0]])
    found = area_figures(values, np.array([2.0, 1.0, 1.0]))
    assert found.national == pytest.approx(0.5)
    assert found.spread == pytest.approx(0.5)
    whole = area_figures(np.array([[0.0], [1.0]]), np.ones(2))
    # of all areas at either end, the variance is the largest there can be
    assert whole.spread**2 == pytest.approx(3.0 * largest_plausible(SHARE, "cumulative", whole)[0] ** 2)


def test_the_limit_follows_the_scale_of_the_estimand() -> None:
    at = AreaFigures(np.array([0.5]), np.array([0.1]), np.zeros((1, 1)))
    assert largest_plausible(SHARE, "bernoulli", at) == pytest.approx(np.sqrt(0.25 / 3))
    score = AreaFigures(np.array([2.5]), np.array([0.1]), np.zeros((1, 1)))
    assert largest_plausible(SCORE, "cumulative", score) == pytest.approx(3.0 * np.sqrt(0.25 / 3))
    normal = Estimand("", "mean", "identity", sigma=np.array([2.0]))
    # a third of the variance of persons is between areas where σ²_between is half of σ²
    assert largest_plausible(normal, "gaussian", at) == pytest.approx(np.sqrt(2.0))
    assert largest_plausible(Estimand("", "mean", "identity"), "gaussian", at) is None
    assert largest_plausible(Estimand("", "mean", "log", lower=0.0), "poisson", at) == pytest.approx(1.0)
    latent = Estimand("", "latent", "identity")
    assert largest_plausible(latent, "cumulative", at) == pytest.approx(np.pi / np.sqrt(6))
    # a person's own part of a scale has variance 1: σ² / (σ² + 1) is a third at σ² = 1/2
    assert largest_plausible(latent, "graded_response", at) == pytest.approx(np.sqrt(0.5))
    assert largest_plausible(latent, "poisson", at) is None


@pytest.mark.parametrize(
    ("prior", "posterior", "wide", "far"),
    [
        ((0.5, 0.1), (0.5, 0.1), "pass", "pass"),
        ((0.5, 0.35), (0.5, 0.35), "warn", "pass"),
        ((0.5, 0.1), (0.6, 0.1), "pass", "warn"),
        ((0.5, 0.1), (0.5, 0.2), "pass", "warn"),
    ],
    ids=["sound", "too wide", "another level", "another spread"],
)
def test_priors_are_judged(prior: tuple[float, float], posterior: tuple[float, float], wide: str, far: str) -> None:
    before, after = _figures(*prior), _figures(*posterior, seed=2)
    told = compare_with_prior(before, after, largest_plausible(SHARE, "cumulative", before))
    found = {check.name: check for check in prior_checks(told)}
    assert (found["prior: spread"].verdict, found["prior: conflict"].verdict) == (wide, far)
    assert told["national"]["prior"][1] == pytest.approx(prior[0], abs=0.01)
    assert told["figures"]["posterior"][2] - told["figures"]["posterior"][0] == pytest.approx(
        2 * 1.645 * np.hypot(posterior[1], 0.02), rel=0.05
    )


def test_what_is_beyond_numbers_is_null_and_counted_as_too_wide() -> None:
    draws = np.full((3, 20), 1.0)
    draws[0, :3] = np.inf
    before = area_figures(draws, np.ones(3))
    after = area_figures(np.full((3, 20), 1.0) + np.arange(3)[:, None], np.ones(3))
    told = compare_with_prior(before, after, largest_plausible(Estimand("", "mean", "log"), "poisson", before))
    assert told["spread"]["prior"] == [0.0, 0.0, None]
    assert told["beyond"] == pytest.approx(0.15)
    json.dumps(told, allow_nan=False)


def test_nothing_is_judged_where_nothing_can_be_drawn() -> None:
    assert prior_checks({"improper": ["intercept"]}) == []
    known = compare_with_prior(_figures(0.5, 0.1), _figures(0.5, 0.1), None)
    assert [check.name for check in prior_checks(known)] == ["prior: conflict"]
