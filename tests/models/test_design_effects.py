"""The sandwich from draws against closed forms, and what happens where it is applied to every parameter."""

import numpy as np
import pytest

from placewise.models.design_effects import RATIO, cluster_sums, design_effect_ratios, widened


def _regression(seed, clusters=60, each=10, within=0.0, draws=6000):
    """Least squares under a flat prior: exact posterior draws, and the cluster-robust variance of the slopes."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(clusters), each)
    x = np.column_stack([np.ones(len(cluster)), rng.standard_normal(clusters)[cluster]])
    y = x @ [0.3, 0.5] + within * rng.standard_normal(clusters)[cluster] + rng.standard_normal(len(cluster))
    bread = np.linalg.inv(x.T @ x)
    beta = bread @ x.T @ y
    residual = y - x @ beta
    theta = beta + rng.standard_normal((draws, 2)) @ np.linalg.cholesky(bread).T
    scores = np.array([x[cluster == c].T @ residual[cluster == c] for c in range(clusters)])
    robust = bread @ (scores.T @ scores) @ bread * clusters / (clusters - 1)
    each_loglik = -0.5 * (y - theta @ x.T) ** 2
    return theta, cluster_sums(each_loglik, cluster), np.diag(robust) / np.diag(bread)


@pytest.mark.parametrize("within", [0.0, 0.7])
def test_ratios_are_those_of_the_cluster_robust_variance(within):
    theta, loglik, robust = _regression(1, within=within)
    np.testing.assert_allclose(design_effect_ratios(theta, loglik), robust, rtol=0.12)


def test_clusters_alike_inside_are_found_and_only_their_parameters_widened():
    theta, loglik, _ = _regression(2, within=0.7)
    ratio = design_effect_ratios(theta, loglik)
    assert (ratio > 2).all()
    wide = widened(theta, np.array([ratio[0], 1.1]))
    np.testing.assert_allclose(wide[:, 0].std(), theta[:, 0].std() * np.sqrt(ratio[0]))
    assert wide[:, 0].mean() == pytest.approx(theta[:, 0].mean())
    np.testing.assert_allclose(wide[:, 1], theta[:, 1], rtol=1e-12)


def test_the_order_of_respondents_does_not_count():
    rng = np.random.default_rng(3)
    values, cluster = rng.standard_normal((5, 40)), rng.integers(0, 7, 40)
    turn = rng.permutation(40)
    np.testing.assert_allclose(cluster_sums(values, cluster), cluster_sums(values[:, turn], cluster[turn]), atol=1e-12)
    assert cluster_sums(values, cluster)[2, 3] == pytest.approx(values[2, cluster == 3].sum())


def test_a_sandwich_on_every_effect_of_a_hierarchy_hardly_ever_holds_the_truth():
    # 40 areas of 5 answers, sd between areas .1 and of an answer 1: known, so that the posterior is exact
    rng = np.random.default_rng(4)
    areas, each, between, draws = 40, 5, 0.1, 800
    inside = {"posterior": [], "rule": [], "blanket": []}
    for _ in range(25):
        truth = between * rng.standard_normal(areas)
        y = truth[:, None] + rng.standard_normal((areas, each))
        variance = 1.0 / (each + between**-2)
        theta = variance * y.sum(axis=1) + np.sqrt(variance) * rng.standard_normal((draws, areas))
        loglik = -0.5 * ((y[None] - theta[:, :, None]) ** 2).sum(axis=2)
        ratio = design_effect_ratios(theta, loglik)
        for name, threshold in (("posterior", np.inf), ("rule", RATIO), ("blanket", 0.0)):
            low, high = np.quantile(widened(theta, ratio, threshold), [0.05, 0.95], axis=0)
            inside[name].append(np.mean((truth >= low) & (truth <= high)))
    assert np.mean(inside["posterior"]) == pytest.approx(0.9, abs=0.03)
    assert np.mean(inside["rule"]) == pytest.approx(0.9, abs=0.03)
    assert np.mean(inside["blanket"]) < 0.45
