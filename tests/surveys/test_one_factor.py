"""One factor by maximum likelihood: exact where the covariances are of one factor."""

from __future__ import annotations

import numpy as np
import pytest

from placewise.surveys.one_factor import LEAST_UNIQUENESS, fit_one_factor

LOADINGS, OWN = np.array([0.5, 1.0, 0.8, 2.0]), np.array([1.0, 0.5, 0.7, 3.0])


def covariance(loadings: np.ndarray = LOADINGS) -> np.ndarray:
    return np.outer(loadings, loadings) + np.diag(OWN)


def test_exact_covariances_give_back_their_factor():
    found = fit_one_factor(covariance())
    assert found.proper
    np.testing.assert_allclose(found.loadings, LOADINGS, rtol=1e-9)
    np.testing.assert_allclose(found.uniquenesses, OWN, rtol=1e-9)
    # (0.5 + 1 + 0.8 + 2)^2 = 18.49, and 5.2 of their own.
    assert found.omega == pytest.approx(18.49 / 23.69, rel=1e-10)


def test_units_of_the_items_do_not_matter():
    rng = np.random.default_rng(0)
    sample = np.cov(rng.normal(size=(80, 1)) * LOADINGS + rng.normal(size=(80, 4)), rowvar=False)
    units = np.array([1.0, 10.0, 0.01, 3.0])
    one, two = fit_one_factor(sample), fit_one_factor(sample * np.outer(units, units))
    np.testing.assert_allclose(two.loadings, one.loadings * units, rtol=1e-8)


def test_most_loadings_are_positive_and_a_turned_item_is_negative():
    found = fit_one_factor(covariance(LOADINGS * np.array([1, -1, 1, 1])))
    assert np.sign(found.loadings).tolist() == [1, -1, 1, 1]


def test_the_change_of_omega_is_that_of_small_steps():
    gradient = fit_one_factor(covariance()).omega_gradient()
    np.testing.assert_allclose(gradient, gradient.T, atol=1e-14)
    for i, j in ((0, 0), (1, 1), (0, 1), (2, 3)):
        step = np.zeros((4, 4))
        step[i, j] = step[j, i] = 1e-5
        up, down = (fit_one_factor(covariance() + s * step).omega for s in (1, -1))
        assert (gradient * step).sum() / 1e-5 == pytest.approx((up - down) / 2e-5, rel=1e-5)


def test_a_heywood_case_is_owned_up_to():
    # An item that explains the others better than they explain each other.
    sample = np.array([[1.0, 0.9, 0.9], [0.9, 1.0, 0.7], [0.9, 0.7, 1.0]])
    found = fit_one_factor(sample)
    assert not found.proper
    assert found.uniquenesses[0] == pytest.approx(LEAST_UNIQUENESS, rel=1e-6)
