"""Partial correlations against the LKJ density itself and against matrices worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from placewise.models.correlations import cholesky_of, correlation_cholesky, partial_priors


def test_two_rows_are_one_correlation() -> None:
    factor = correlation_cholesky(np.array([0.6]))
    np.testing.assert_allclose(factor, [[1.0, 0.0], [0.6, 0.8]], atol=1e-15)
    assert partial_priors(2, 2.0) == [2.0]


def test_partial_correlation_given_the_first() -> None:
    r12, r13, r23_given_1 = 0.5, -0.3, 0.4
    found = correlation_cholesky(np.array([r12, r13, r23_given_1]))
    r = found @ found.T
    np.testing.assert_allclose(np.diag(r), 1.0, atol=1e-15)
    assert r[0, 1] == pytest.approx(r12)
    assert r[0, 2] == pytest.approx(r13)
    assert r[1, 2] == pytest.approx(r12 * r13 + r23_given_1 * np.sqrt((1 - r12**2) * (1 - r13**2)))


@pytest.mark.parametrize(("k", "eta"), [(3, 1.0), (3, 2.0), (4, 0.7), (4, 3.0)])
def test_density_is_a_power_of_the_determinant(k: int, eta: float) -> None:
    """log p(partials) = (η - 1) log|R| + log|dR / dpartials| + constant, the Jacobian by finite differences."""
    rng = np.random.default_rng(k)
    alphas = partial_priors(k, eta)
    below = np.tril_indices(k, -1)

    def correlations(z: np.ndarray) -> np.ndarray:
        factor = correlation_cholesky(z)
        return np.asarray((factor @ factor.T)[below])

    constants = []
    for _ in range(5):
        z = rng.uniform(-0.8, 0.8, len(alphas))
        step = 1e-6 * np.eye(len(z))
        jacobian = np.column_stack([(correlations(z + h) - correlations(z - h)) / 2e-6 for h in step])
        factor = correlation_cholesky(z)
        lkj = (eta - 1) * 2 * np.log(np.diag(factor)).sum() + np.linalg.slogdet(jacobian)[1]
        constants.append(lkj - sum(stats.beta(a, a).logpdf((x + 1) / 2) for a, x in zip(alphas, z, strict=True)))
    np.testing.assert_allclose(constants, constants[0], atol=1e-7)


def test_many_at_once_and_the_bounds() -> None:
    z = np.random.default_rng(0).uniform(-1, 1, (7, 2, 6))
    many = correlation_cholesky(z)
    assert many.shape == (7, 2, 4, 4)
    np.testing.assert_array_equal(many[3, 1], correlation_cholesky(z[3, 1]))
    np.testing.assert_allclose((many**2).sum(axis=-1), 1.0, atol=1e-12)
    np.testing.assert_array_equal(correlation_cholesky(np.array([1.0])), [[1.0, 0.0], [1.0, 0.0]])
    np.testing.assert_array_equal(correlation_cholesky(np.empty(0)), [[1.0]])
    with pytest.raises(ValueError, match="lower triangle"):
        correlation_cholesky(np.zeros(2))


def test_a_factor_comes_back_from_its_correlations() -> None:
    factor = correlation_cholesky(np.random.default_rng(1).uniform(-0.9, 0.9, (20, 6)))
    found = cholesky_of(factor @ factor.transpose(0, 2, 1))
    np.testing.assert_allclose(found, factor, atol=1e-9)


@pytest.mark.parametrize("partials", [[1.0], [-1.0], [1.0, 0.3, 0.2], [0.5, 0.3, 1.0], [-1.0, 1.0, -0.4]])
def test_singular_correlations_have_a_factor_too(partials: list[float]) -> None:
    factor = correlation_cholesky(np.array(partials))
    correlations = factor @ factor.T
    for wanted in (correlations, np.clip(correlations * (1 + 1e-15), -1.0, 1.0)):
        found = cholesky_of(wanted)
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found @ found.T, correlations, atol=1e-7)
        np.testing.assert_allclose((found**2).sum(axis=1), 1.0, atol=1e-12)
