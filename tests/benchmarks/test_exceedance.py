"""Calibration of probabilities over surveys: what one survey cannot tell, and what many can."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from common.exceedance import gap_columns, gaps_of, pooled_ece, with_pooled_ece
from scipy.stats import norm

from placewise.diagnostics.score.numbers import calibration_error

AREAS = 3000


def surveys(count: int, times: float) -> np.ndarray:
    """Gaps of surveys whose areas share part of their error; ``times`` of the true sd is taken for it."""
    rng = np.random.default_rng(5)
    found = []
    for _ in range(count):
        mean = rng.normal(0.0, 1.0, AREAS)
        side = np.where(np.arange(AREAS) % 2 == 0, 1.0, -1.0)
        error = 0.3 * rng.normal() * side + 0.4 * rng.normal(size=AREAS)
        found.append(list(gaps_of(norm.cdf(mean / (0.5 * times)), mean + error > 0.0).values()))
    return np.array(found)


def test_gaps_of_one_survey_add_up_to_its_error() -> None:
    probability, happened = np.array([0.05, 0.45, 0.45, 1.0]), np.array([False, True, False, True])
    gaps = gaps_of(probability, happened)
    assert list(gaps) == list(gap_columns())
    assert gaps["gap_0"] == pytest.approx(0.05 / 4)
    assert gaps["gap_4"] == pytest.approx(-0.1 / 4)
    assert gaps["gap_9"] == 0.0
    assert sum(map(abs, gaps.values())) == pytest.approx(calibration_error(probability, happened))


def test_right_probabilities_are_far_off_in_one_survey_and_not_in_many() -> None:
    gaps = surveys(200, 1.0)
    assert np.abs(gaps).sum(axis=1).mean() > 0.018
    error, se = pooled_ece(gaps)
    assert error < 0.005
    assert 0.0 < se < 0.003


def test_wrong_probabilities_stay_wrong_in_many() -> None:
    error, se = pooled_ece(surveys(200, 0.5))
    assert error - 2.0 * se > 0.02


def test_standard_error_is_that_of_repeated_studies() -> None:
    gaps = surveys(1000, 0.5).reshape(50, 20, -1)
    found = np.array([pooled_ece(own) for own in gaps])
    assert found[:, 1].mean() == pytest.approx(found[:, 0].std(ddof=1), rel=0.3)
    assert np.isnan(pooled_ece(gaps[0, :1])[1])


def test_every_cell_has_its_own() -> None:
    gaps = surveys(6, 1.0)
    rows = pd.DataFrame(gaps, columns=list(gap_columns())).assign(world=["a", "b"] * 3, size=10)
    table = with_pooled_ece(pd.DataFrame({"world": ["b", "a"], "size": 10}), rows, ["world", "size"])
    assert table["ece_pooled"].tolist() == [pooled_ece(gaps[1::2])[0], pooled_ece(gaps[::2])[0]]
    assert table["ece_pooled_se"].notna().all()
