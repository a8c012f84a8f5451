"""The coupled effects given sds and correlations, against dense algebra, finite differences and the prior."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from placewise.models.joint.factors import Factor
from placewise.models.joint.stacked import Stacked, correlation_roots

K, Q = 3, 7
SD = np.array([[0.3, 0.5, 0.8], [0.4, 0.0, 0.2]])


@pytest.fixture
def stacked(two_factors: tuple[Factor, ...]) -> Stacked:
    rng = np.random.default_rng(1)
    root = rng.normal(size=(K * Q, K * Q))
    return Stacked(two_factors, (root @ root.T).reshape(K, Q, K, Q), rng.normal(size=(K, Q)))


def prior_covariance(stacked: Stacked, sd: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Of all effects, (K q, K q), level by level."""
    roots = stacked.roots(z)
    found = np.zeros((K, Q, K, Q))
    for slot, f in enumerate(stacked.slot):
        found[:, slot, :, slot] = sd[f][:, None] * (roots[f] @ roots[f].T) * sd[f]
    return found.reshape(K * Q, K * Q)


def dense(stacked: Stacked) -> tuple[np.ndarray, np.ndarray]:
    precision = stacked._precision.transpose(0, 2, 1, 3).reshape(K * Q, K * Q)
    return precision, stacked._linear.ravel()


def test_moments_and_marginal_are_those_of_the_gaussian_model(stacked: Stacked) -> None:
    z = np.array([0.4, -0.3, 0.2, 0.8])
    precision, linear = dense(stacked)
    sigma = prior_covariance(stacked, SD, z)
    whole = np.eye(K * Q) + sigma @ precision
    mean = np.linalg.solve(whole, sigma @ linear)
    loads = stacked.loads(SD, stacked.roots(z))
    found = stacked.whiten(loads)
    assert np.einsum("obq,bq->oq", loads, found.mean.reshape(K, Q)).ravel() == pytest.approx(mean, abs=1e-10)
    expected = 0.5 * linear @ mean - 0.5 * np.linalg.slogdet(whole)[1]
    assert found.log_marginal == pytest.approx(expected, abs=1e-9)


def test_an_outcome_without_a_factor_has_no_effects_of_it(stacked: Stacked) -> None:
    loads = stacked.loads(SD, stacked.roots(np.array([0.4, -0.3, 0.2, 0.8])))
    assert not loads[1, :, stacked.slot == 1].any()
    assert not loads[:, 1, stacked.slot == 1].any()


def test_gradient_is_that_of_finite_differences(stacked: Stacked) -> None:
    z, step = np.array([0.4, -0.3, 0.2, 0.8]), 1e-5
    value, by_score, by_sd = stacked.gradient(SD, z)
    assert value == pytest.approx(stacked.log_marginal(SD, z))
    for j, unit in enumerate(np.eye(4)):
        slope = stacked.log_marginal(SD, z + step * unit) - stacked.log_marginal(SD, z - step * unit)
        assert by_score[j] == pytest.approx(slope / (2 * step), abs=1e-6)
    for f, o in np.argwhere(SD > 0):
        moved = np.ones_like(SD)
        moved[f, o] = np.exp(step)
        slope = stacked.log_marginal(SD * moved, z) - stacked.log_marginal(SD / moved, z)
        assert by_sd[f, o] == pytest.approx(slope / (2 * step), abs=1e-6)


def test_scores_that_are_standard_normal_make_correlations_of_the_lkj_prior() -> None:
    z = np.random.default_rng(2).standard_normal((4000, 3))
    roots = correlation_roots(z, (0, 1, 2), 3)
    correlations = roots @ roots.swapaxes(1, 2)
    # under LKJ(2) of three, each correlation is 2 Beta(2.5, 2.5) - 1
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert stats.kstest(0.5 + 0.5 * correlations[:, i, j], stats.beta(2.5, 2.5).cdf).pvalue > 1e-3


def test_far_scores_stay_correlations() -> None:
    roots = correlation_roots(np.array([[9.0, -9.0, 9.0], [-9.0, 9.0, 0.0]]), (0, 1, 2), 3)
    assert np.isfinite(roots).all()
    assert np.square(roots).sum(axis=2) == pytest.approx(np.ones((2, 3)))
