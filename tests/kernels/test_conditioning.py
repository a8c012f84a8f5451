"""Deviations given their weighted mean, beside dense matrix algebra."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri

from placewise.kernels.conditioning import deviations_given_mean
from placewise.kernels.philox import label_hashes, stream_key, uniform_row

AREA, GROUP = stream_key(3, "area"), stream_key(3, "group")


def normals(key, label, n):
    uniform = np.empty(n)
    uniform_row(key, label, uniform)
    return ndtri(uniform)


def drawn(share, sigma, tau, mean, wanted=None):
    """Rows of one group of areas in every draw."""
    labels, group = label_hashes([f"a{j}" for j in range(len(share))]), label_hashes(["g"])
    out = np.full((len(share), len(sigma)), np.nan, dtype=np.float32)
    wanted = np.arange(len(share)) if wanted is None else wanted
    deviations_given_mean(
        AREA, GROUP, labels, group, np.array([0]), np.array([len(share)]), share, sigma, tau,
        mean[None].astype(np.float32), wanted, out,
    )  # fmt: skip
    return out


def conditional(share, sigma, tau):
    """Mean of the deviations a unit of their weighted mean, and their covariance given it."""
    prior = sigma**2 * np.ones((len(share), len(share))) + tau**2 * np.eye(len(share))
    gain = prior @ share / (share @ prior @ share)
    return gain, prior - np.outer(gain, share @ prior)


@pytest.mark.parametrize(("sigma", "tau"), [(0.1, 0.25), (0.2, 0.05), (0.3, 0.0), (0.0, 0.4)])
def test_rows_are_a_linear_map_of_normals_with_the_exact_conditional_moments(sigma, tau):
    share, n = np.array([0.5, 0.3, 0.15, 0.05]), 203
    gain, covariance = conditional(share, sigma, tau)
    # from (u, v_1, …, v_4): the prior's draw moved onto the given mean
    root = np.column_stack([np.full(4, sigma), tau * np.eye(4)])
    root = root - np.outer(gain, share @ root)
    assert np.allclose(root @ root.T, covariance, atol=1e-14)
    z = np.array([normals(GROUP, label_hashes(["g"])[0], n)] + [normals(AREA, h, n) for h in label_hashes(
        [f"a{j}" for j in range(4)])])  # fmt: skip
    mean = np.random.default_rng(1).normal(0, 0.2, n).astype(np.float32).astype(float)
    found = drawn(share, np.full(n, sigma), np.full(n, tau), mean)
    assert np.abs(found - (root @ z + np.outer(gain - 1.0, mean))).max() < 1e-7


def test_weighted_sums_are_nought_and_many_draws_have_the_conditional_spread():
    share, n = np.array([0.7, 0.2, 0.1]), 40_000
    sigma, tau = np.full(n, 0.12), np.full(n, 0.3)
    found = drawn(share, sigma, tau, np.full(n, 0.25)).astype(float)
    assert np.abs(share @ found).max() < 1e-7
    gain, covariance = conditional(share, 0.12, 0.3)
    assert np.allclose(found.mean(axis=1), 0.25 * (gain - 1.0), atol=5 * 0.3 / np.sqrt(n))
    assert np.allclose(np.cov(found), covariance, atol=5 * 0.09 * np.sqrt(2 / n))


def test_rows_that_are_not_wanted_are_left_alone():
    share, sd = np.array([0.6, 0.4]), np.full(9, 0.2)
    whole = drawn(share, sd, sd, np.zeros(9))
    part = drawn(share, sd, sd, np.zeros(9), np.array([-1, 0]))
    assert np.array_equal(part[0], whole[1])
    assert np.isnan(part[1]).all()


def test_areas_that_do_not_differ_have_the_mean_of_their_group():
    assert np.array_equal(drawn(np.array([0.5, 0.5]), np.zeros(4), np.zeros(4), np.ones(4)), np.zeros((2, 4)))


def test_areas_are_covered_at_the_right_ratio_and_shown_at_half_and_double():
    rng, groups, each, n = np.random.default_rng(8), 400, 5, 400
    sigma, right, noise = 0.08, 2.4, 0.15
    share = rng.dirichlet(np.full(each, 8.0), groups)
    truth = rng.normal(0, sigma, (groups, 1)) + rng.normal(0, right * sigma, (groups, each))
    squares = (share**2).sum(axis=1)
    answers = (share * truth).sum(axis=1) + rng.normal(0, noise, groups)
    covered = {}
    for factor in (0.5, 1.0, 2.0):
        # what the answers tell of is kept: the variance of a typical group's mean
        ratio = factor * right
        own = sigma * np.sqrt((1 + right**2 * squares.mean()) / (1 + ratio**2 * squares.mean()))
        prior = own**2 * (1 + ratio**2 * squares)
        shrink = prior / (prior + noise**2)
        mean = (shrink * answers)[:, None] + np.sqrt(shrink)[:, None] * noise * rng.standard_normal((groups, n))
        out = np.empty((groups * each, n), dtype=np.float32)
        first = each * np.arange(groups)
        deviations_given_mean(
            AREA, GROUP, label_hashes([f"a{j}" for j in range(len(out))]), label_hashes(map(str, range(groups))),
            first, first + each, share.ravel(), np.full(n, own), np.full(n, ratio * own), mean.astype(np.float32),
            np.arange(len(out)), out,
        )  # fmt: skip
        drawn_deviation = out.reshape(groups, each, n) + mean[:, None]
        low, high = np.quantile(drawn_deviation, [0.05, 0.95], axis=2)
        covered[factor] = float(np.mean((low <= truth) & (truth <= high)))
    assert covered[1.0] == pytest.approx(0.90, abs=0.03)
    assert covered[0.5] < covered[1.0] - 0.05
    assert covered[2.0] > covered[1.0] + 0.01
