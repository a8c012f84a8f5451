import numpy as np
import pytest
from scipy import stats

from placewise.kernels.people import binomial_from_uniform, draw_means, draw_shares, matched_trials
from placewise.kernels.philox import label_hashes, stream_key, uniform_row

KEY = stream_key(3, "people")
LABELS = label_hashes([f"a{i}" for i in range(50)])


def uniforms(n):
    out = np.empty((len(LABELS), n))
    for i, label in enumerate(LABELS):
        uniform_row(KEY, label, out[i])
    return out


@pytest.mark.parametrize(
    ("n", "p"), [(5, 0.3), (29, 0.5), (20, 0.93), (1000, 0.004), (4000, 0.9995), (12, 0.0), (12, 1.0)]
)
def test_inversion_is_the_binomial_quantile(n, p):
    u = np.random.default_rng(1).random(3000)
    found = np.array([binomial_from_uniform(x, float(n), p) for x in u])
    expected = stats.binom.ppf(u, n, p) if p <= 0.5 else n - stats.binom.ppf(1 - u, n, 1 - p)
    assert (found == expected).all()


def test_small_areas_count_whole_people_exactly():
    rate = np.full((50, 400), 0.37, np.float32)
    drawn = np.empty_like(rate)
    draw_shares(KEY, LABELS, np.full(50, 20.0), rate, rate * rate, drawn)
    assert np.array_equal(np.round(drawn * 20), stats.binom.ppf(uniforms(400), 20, 0.37))


@pytest.mark.parametrize(
    ("people", "p"),
    [(25.0, (0.1, 0.9)), (25.0, (0.4, 0.5)), (300.0, (0.2, 0.7)), (300.0, (0.005, 0.02)), (24.6, (0.3, 0.6))],
)
def test_two_kinds_of_people_keep_mean_and_variance(people, p):
    p = np.array(p)
    m, squares = p.mean(), (p**2).mean()
    rate = np.full((50, 4000), m, np.float32)
    drawn = np.empty_like(rate)
    chance = draw_shares(KEY, LABELS, np.full(50, people), rate, np.full_like(rate, squares), drawn)
    variance = (m - squares) / people
    assert chance == pytest.approx(variance, rel=1e-5)
    assert drawn.mean() == pytest.approx(m, abs=4 * (variance / drawn.size) ** 0.5)
    # a whole number of trials moves the variance of very unequal people in tiny areas, never the mean
    trials = matched_trials(people * m, people * squares, people)
    kept = m / people * (1 - people * m / trials) if people < 30 else variance
    assert drawn.var() == pytest.approx(kept, rel=0.02)
    assert kept == pytest.approx(variance, rel=0.09)
    assert drawn.min() >= 0
    assert drawn.max() <= 1


def test_equal_people_give_back_their_number():
    for n in (3.0, 29.0, 250.0):
        for p in (0.001, 0.3, 0.99):
            assert matched_trials(n * p, n * p * p, n) == n


def test_trials_never_fall_below_the_mean_nor_exceed_people():
    assert matched_trials(1.4, 1.4, 1.5) == 2
    assert matched_trials(9.8, 4.9, 19.6) == 19


def test_large_rare_counts_are_close_to_the_binomial():
    rate = np.full((50, 2000), 0.001, np.float32)
    drawn = np.empty_like(rate)
    draw_shares(KEY, LABELS, np.full(50, 1e6), rate, rate * rate, drawn)
    assert drawn.mean() == pytest.approx(0.001, rel=1e-3)
    assert drawn.std() == pytest.approx((0.001 * 0.999 / 1e6) ** 0.5, rel=0.02)


def test_means_are_truncated_normals():
    rate = np.full((50, 2000), 1.1, np.float32)
    drawn = np.empty_like(rate)
    draw_means(KEY, LABELS, np.full(50, 4.0), rate, np.full_like(rate, 0.64), 1.0, 5.0, drawn)
    law = stats.truncnorm(-0.1 / 0.4, 3.9 / 0.4, loc=1.1, scale=0.4)
    assert np.allclose(drawn, law.ppf(uniforms(2000)), rtol=1e-5)


def test_means_far_from_bounds_are_plain_normals():
    rate = np.full((50, 100), 3.0, np.float32)
    drawn = np.empty_like(rate)
    chance = draw_means(KEY, LABELS, np.full(50, 100.0), rate, np.full_like(rate, 0.25), -np.inf, np.inf, drawn)
    assert np.allclose(drawn, 3 + 0.05 * stats.norm.ppf(uniforms(100)), rtol=1e-6)
    assert chance == pytest.approx(0.0025)


def test_no_variance_draws_the_mean():
    rate = np.full((50, 8), 2.0, np.float32)
    drawn = np.empty_like(rate)
    draw_means(KEY, LABELS, np.full(50, 9.0), rate, np.zeros_like(rate), 0.0, 5.0, drawn)
    assert (drawn == 2).all()
