"""Predictive checks hold for answers drawn from the model and fail for others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from placewise.diagnostics.checks import group_means, predictive_check

GROUPS, DRAWS = 40, 800


def labels() -> list[str]:
    return [f"G{g:02d}" for g in range(GROUPS)]


def fitted_and_answers(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    n = rng.integers(30, 400, GROUPS)
    fitted = np.clip(rng.uniform(0.2, 0.8, GROUPS) + 0.02 * rng.standard_normal((DRAWS, GROUPS)), 0, 1)
    return n, fitted, rng.binomial(n, fitted[17]) / n


def test_answers_from_the_model_pass_in_nine_groups_of_ten():
    inside = []
    for seed in range(25):
        n, fitted, observed = fitted_and_answers(seed)
        found = predictive_check("region", labels(), n, observed, fitted, seed=1)
        inside.append(found.table["inside"].mean())
        assert found.withheld == 0
    # 1,000 groups; binomial ties make intervals a little wide.
    assert 0.88 < np.mean(inside) < 0.95


def test_shifted_answers_warn_and_name_the_worst_group():
    n, fitted, observed = fitted_and_answers(3)
    observed = np.clip(observed + 0.1, 0, 1)
    observed[7] = 0.999
    check = predictive_check("region", labels(), n, observed, fitted, seed=1).check()
    assert check.verdict == "warn"
    assert check.name == "predictive: region"
    assert check.value < 0.7
    assert "G07" in check.where
    n, fitted, observed = fitted_and_answers(3)
    assert predictive_check("region", labels(), n, observed, fitted, seed=1).check().verdict == "pass"


def test_replicates_are_the_same_every_time():
    n, fitted, observed = fitted_and_answers(5)
    one, two = (predictive_check("region", labels(), n, observed, fitted, seed=9).table for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    other = predictive_check("class", labels(), n, observed, fitted, seed=9).table
    assert not other["p_value"].equals(one["p_value"])


def test_means_have_normal_replicates():
    n = np.array([100, 100])
    fitted = np.full((4000, 2), 3.0)
    found = predictive_check(
        "region", ["a", "b"], n, np.array([3.0, 3.3]), fitted, seed=2, variance=np.full((4000, 2), 1.0)
    ).table
    assert found["lower"].to_numpy() == pytest.approx([3 - 0.1645, 3 - 0.1645], abs=0.01)
    assert found["p_value"].tolist() == pytest.approx([0.5, 0.9987], abs=0.03)
    assert found["inside"].tolist() == [True, False]


def test_small_groups_are_withheld_and_counted():
    n, fitted = np.array([9, 10]), np.full((100, 2), 0.5)
    found = predictive_check("region", ["few", "enough"], n, np.array([0.5, 0.5]), fitted, seed=1)
    assert found.table["group"].tolist() == ["enough"]
    assert found.withheld == 1
    alone = predictive_check("region", ["few"], n[:1], np.array([0.5]), fitted[:, :1], seed=1)
    assert alone.check().value is None


def test_group_means_by_key_for_answers_and_for_draws():
    codes = np.array(["b", "a", None, "b", "a", "b"], dtype=object)
    values = np.array([1.0, 2.0, 99.0, 4.0, 6.0, 7.0])
    found, n, means = group_means(values, codes)
    assert (found, n.tolist(), means.tolist()) == (["a", "b"], [2, 3], [4.0, 4.0])
    _, _, draws = group_means(np.vstack([values, 2 * values]), codes)
    assert draws.tolist() == [[4.0, 4.0], [8.0, 8.0]]
