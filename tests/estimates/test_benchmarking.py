import numpy as np
import pytest
from scipy import integrate, special, stats

from placewise.estimates.benchmarking import (
    centred_on,
    condition,
    draw_targets,
    estimate_discrepancy,
    inside,
    normals,
    shift_to_mean,
    uniforms,
)
from placewise.estimates.scale import LinkScale

SHARE = LinkScale("logit", 0.0, 1.0, 1)
SCORE = LinkScale("logit", 1.0, 4.0, 1)
COUNT = LinkScale("log", 0.0, np.inf, 1)
PLAIN = LinkScale("identity", -np.inf, np.inf, 1)


def test_a_shift_meets_a_mean_to_the_last_digits():
    rng = np.random.default_rng(1)
    weight = rng.uniform(0.5, 2.0, 300)
    for scale, values, target in (
        (SHARE, rng.uniform(0, 1, 300), 0.37),
        (SHARE, np.append(rng.uniform(0, 0.001, 298), [0.0, 1.0]), 0.02),
        (SCORE, rng.uniform(1, 4, 300), 3.9),
        (COUNT, rng.gamma(2, 1, 300), 11.0),
        (PLAIN, rng.normal(500, 1, 300), -3.0),
    ):
        on_scale = scale.forward(values)
        moved = scale.inverse(on_scale + shift_to_mean(on_scale, weight, target, scale))
        assert np.average(moved, weights=weight) == pytest.approx(target, abs=1e-12)
        assert (np.diff(moved[np.argsort(values)]) >= 0).all()


def test_a_mean_that_no_shift_reaches():
    with pytest.raises(ArithmeticError, match="too many values lie at an end"):
        shift_to_mean(SHARE.forward(np.array([0.0, 0.0, 0.5])), np.ones(3), 0.5, SHARE)
    with pytest.raises(ArithmeticError, match="every value"):
        shift_to_mean(SHARE.forward(np.array([0.0, 1.0])), np.ones(2), 0.4, SHARE)


def test_drawn_targets_have_the_targets_spread_and_stay_inside():
    codes = np.array(["a", "b", "c"], dtype=object)
    uniform = uniforms(3, "target", codes, 20_000)
    drawn = draw_targets(np.array([0.4, 0.02, 0.7]), np.array([0.03, 0.02, 0.0]), uniform, 0.0, 1.0)
    assert drawn[0].mean() == pytest.approx(0.4, abs=4 * 0.03 / np.sqrt(20_000))
    assert drawn[0].std() == pytest.approx(0.03, rel=0.02)
    assert drawn.min() > 0
    expected = stats.truncnorm(-1.0, 49.0, 0.02, 0.02)
    assert stats.kstest(drawn[1], expected.cdf).pvalue > 0.001
    assert (drawn[2] == 0.7).all()


def test_uniforms_belong_to_the_code_and_the_stream():
    codes = np.array(["a", "b"], dtype=object)
    one = uniforms(3, "target", codes, 50)
    assert np.array_equal(one[::-1], uniforms(3, "target", codes[::-1], 50))
    assert not np.array_equal(one, uniforms(3, "area", codes, 50))
    assert not np.array_equal(one, uniforms(4, "target", codes, 50))


def _gaussian(rng, n_areas, n_draws):
    root = rng.normal(size=(n_areas, n_areas)) / np.sqrt(n_areas)
    return 0.5 + 0.05 * root @ rng.normal(size=(n_areas, n_draws))


@pytest.mark.parametrize("tau", [0.0, 0.04])
def test_conditioning_has_the_moments_of_the_closed_form(tau):
    rng = np.random.default_rng(4)
    theta = _gaussian(rng, 5, 200_000)
    used = np.array([True, True, False, True, False])
    b, se = np.array([0.55, 0.42, 0.5]), np.array([0.02, 0.05, 0.01])
    noise = (rng.normal(size=(5, 200_000)), rng.normal(size=(3, 200_000)))
    found = condition(theta, used, b, se, np.full(200_000, tau), noise)
    total = np.cov(theta) + tau**2 * np.eye(5)
    gain = total[:, used] @ np.linalg.inv(total[np.ix_(used, used)] + np.diag(se**2))
    mean = theta.mean(axis=1) + gain @ (b - theta[used].mean(axis=1))
    covariance = total - gain @ total[used]
    assert np.allclose(found.mean(axis=1), mean, atol=6e-4)
    assert np.allclose(np.cov(found), covariance, atol=2e-5)


def test_updating_agrees_with_importance_weights():
    rng = np.random.default_rng(5)
    theta = _gaussian(rng, 3, 400_000)
    b, se = theta.mean(axis=1) + np.array([0.03, -0.02, 0.01]), np.array([0.05, 0.04, 0.06])
    weight = np.exp(-0.5 * (((b[:, None] - theta) / se[:, None]) ** 2).sum(axis=0))
    weight /= weight.sum()
    mean = theta @ weight
    sd = np.sqrt(((theta - mean[:, None]) ** 2) @ weight)
    noise = (rng.normal(size=theta.shape), rng.normal(size=theta.shape))
    found = condition(theta, np.ones(3, bool), b, se, np.zeros(400_000), noise)
    assert np.allclose(found.mean(axis=1), mean, atol=5e-4)
    assert np.allclose(found.std(axis=1), sd, rtol=0.01)


def test_a_large_discrepancy_leaves_nothing_of_the_model():
    rng = np.random.default_rng(6)
    theta = _gaussian(rng, 4, 20_000)
    b, se = np.array([0.1, 0.9, 0.4, 0.6]), np.full(4, 0.02)
    noise = (rng.normal(size=theta.shape), rng.normal(size=theta.shape))
    found = condition(theta, np.ones(4, bool), b, se, np.full(20_000, 50.0), noise)
    assert np.allclose(found.mean(axis=1), b, atol=1e-3)
    assert np.allclose(found.std(axis=1), se, rtol=0.03)


def test_the_draws_that_belong_together_stay_together():
    rng = np.random.default_rng(7)
    theta = _gaussian(rng, 3, 5_000)
    noise = (np.zeros_like(theta), rng.normal(size=theta.shape))
    vague = condition(theta, np.ones(3, bool), np.full(3, 0.5), np.full(3, 100.0), np.zeros(5_000), noise)
    assert np.abs(vague - theta).max() < 1e-3


def test_discrepancy_has_the_posterior_of_a_numerical_integral():
    rng = np.random.default_rng(8)
    root = rng.normal(size=(6, 6)) / 3
    covariance = 0.02**2 * (root @ root.T + np.eye(6))
    residual = np.array([0.05, -0.06, 0.02, 0.08, -0.03, 0.01])
    uniform = (np.arange(4000) + 0.5) / 4000
    found = estimate_discrepancy(residual, covariance, uniform).draws
    scale = np.median(np.sqrt(np.diagonal(covariance)))

    def density(tau):
        likelihood = stats.multivariate_normal(np.zeros(6), covariance + tau**2 * np.eye(6)).pdf(residual)
        return likelihood / (1 + (tau / scale) ** 2)

    total = integrate.quad(density, 0, 0.5, limit=200)[0]
    for tau in (0.02, 0.04, 0.07):
        expected = integrate.quad(density, 0, tau, limit=200)[0] / total
        assert (found <= tau).mean() == pytest.approx(expected, abs=0.005)


def test_discrepancy_is_small_where_targets_agree_and_keeps_units():
    rng = np.random.default_rng(9)
    covariance, uniform = 0.02**2 * np.eye(60), rng.uniform(size=2000)
    agree = estimate_discrepancy(rng.normal(0, 0.02, 60), covariance, uniform).quantiles
    far = rng.normal(0, 0.1, 60)
    apart = estimate_discrepancy(far, covariance, uniform).quantiles
    assert agree[0] < 0.012
    assert apart[1] < np.sqrt(np.mean(far**2) - 0.02**2) < apart[2]
    residual = rng.normal(0, 0.03, 60)
    one = estimate_discrepancy(residual, covariance, uniform).draws
    assert np.allclose(estimate_discrepancy(1000 * residual, 1e6 * covariance, uniform).draws, 1000 * one)


def test_means_are_centred_within_the_range():
    rng = np.random.default_rng(10)
    values = special.expit(rng.normal(-3, 1, (4, 500)))
    b = np.array([0.01, 0.2, 0.5, 0.97])
    moved = centred_on(values, b, SHARE)
    assert np.allclose(moved.mean(axis=1), b, atol=1e-12)
    assert moved.min() > 0
    assert moved.max() < 1
    assert (np.diff(moved, axis=1) * np.diff(values, axis=1) > 0).all()


def test_draws_outside_the_range_come_back_and_are_counted():
    values = np.array([[-0.1, 0.3, 1.2], [0.2, 0.4, 0.6]])
    within, outside = inside(values, np.array([0.3, 0.4]), SHARE)
    assert outside == 2
    assert within[0] == pytest.approx([0.003, 0.3, 0.993])
    assert np.array_equal(within[1], values[1])
    assert inside(values, np.array([0.3, 0.4]), PLAIN)[1] == 0


def test_normals_are_standard():
    drawn = normals(3, "area", np.array(["x", "y"], dtype=object), 20_000)
    assert stats.kstest(drawn[0], "norm").pvalue > 0.001
    assert abs(np.corrcoef(drawn)[0, 1]) < 0.03
