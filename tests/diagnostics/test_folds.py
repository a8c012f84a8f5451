"""Grouped folds and held-out scores against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import poisson

from placewise.diagnostics.folds import grouped_folds, score_predictions


def test_each_group_is_held_out_once_and_whole():
    groups = np.array(list("aabbbcccdd"), dtype=object)
    folds = grouped_folds(groups, 3)
    assert len(folds) == 3
    held = np.concatenate([rows for _, rows in folds])
    assert sorted(held) == list(range(10))
    for train, rows in folds:
        assert not set(groups[train]) & set(groups[rows])
    again = grouped_folds(groups, 3)
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(folds, again, strict=True))


def test_more_folds_than_groups_leave_out_one_and_a_single_group_makes_none():
    assert len(grouped_folds(np.array(list("aabbc")), 10)) == 3
    assert grouped_folds(np.array(list("aaa")), 10) == []


def test_share_has_brier_log_score_and_error_of_group_means():
    y = np.array([1.0, 0, 0, 0] * 5 + [1.0, 1, 0, 0] * 5)
    p = np.repeat([0.35, 0.4], 20)
    groups = np.repeat(["a", "b"], 20)
    score = score_predictions("share", y, np.ones(40), p, groups)
    assert score.rmse == pytest.approx(0.1)
    variance = (0.25 * 0.75 / 19 + 0.5 * 0.5 / 19) / 2
    assert score.noise == pytest.approx(variance**0.5)
    assert score.rmse_net == pytest.approx(max(0.1**2 - variance, 0) ** 0.5)
    assert score.mse == pytest.approx(np.mean((y - p) ** 2))
    assert score.log_score == pytest.approx(np.mean(np.log(np.where(y == 1, p, 1 - p))))
    assert (score.respondents, score.groups) == (40, 2)


def test_trials_count_as_so_many_people():
    rng = np.random.default_rng(1)
    people = (rng.random((30, 8)) < 0.4).astype(float)
    p = rng.uniform(0.2, 0.6, 30)
    groups = np.repeat(["a", "b"], 15)
    together = score_predictions("share", people.mean(axis=1), np.full(30, 8.0), p, groups)
    apart = score_predictions("share", people.ravel(), np.ones(240), np.repeat(p, 8), np.repeat(groups, 8))
    assert together.mse == pytest.approx(apart.mse)
    assert together.log_score == pytest.approx(apart.log_score)
    assert together.rmse == pytest.approx(apart.rmse)


def test_rates_have_the_poisson_log_score_and_means_none():
    exposure, rate = np.array([2.0, 5, 1] * 5), np.array([1.5, 0.7, 2.2] * 5)
    count = np.array([3.0, 4, 0] * 5)
    score = score_predictions("rate", count / exposure, exposure, rate, np.full(15, "a"))
    assert score.log_score == pytest.approx(poisson.logpmf(count, exposure * rate).mean())
    assert score_predictions("mean", count, np.ones(15), rate, np.full(15, "a")).log_score is None


def test_small_groups_have_no_mean_of_their_own():
    score = score_predictions("mean", np.arange(9.0), np.ones(9), np.zeros(9), np.full(9, "a"))
    assert (score.groups, score.rmse, score.noise, score.rmse_net) == (0, None, None, None)
    assert score.mse == pytest.approx(np.mean(np.arange(9.0) ** 2))


def test_a_certain_prediction_that_is_wrong_costs_much_but_not_everything():
    score = score_predictions("share", np.ones(10), np.ones(10), np.zeros(10), np.full(10, "a"))
    assert score.log_score == pytest.approx(np.log(1e-6))
