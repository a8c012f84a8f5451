from __future__ import annotations

import numpy as np
import pytest

from placewise.diagnostics.calibration.predictions import area_eta, index_of, linear_predictor, overall
from placewise.models.design import Column, Design, Group

# three areas in two districts; the last area and district 1 have no respondent; two ages in the frame
DISTRICT = Group("district", "geography", ("d0",), np.array([0, 0]), ("d0", "d1"), np.array([0, 0, 1]), None,
                 np.array([[0], [1]]))  # fmt: skip
AREA = Group("area", "geography", ("a0", "a1"), np.array([0, 1]), ("a0", "a1", "a2"), np.arange(3), None,
             np.arange(3)[:, None])  # fmt: skip
AGE = Group("age", "other", ("old", "young"), np.array([1, 0]), ("old", "young"), None, np.array([1, 0]),
            np.array([[0, 1]]))  # fmt: skip
X = Column("x", np.array([2.0, 3.0]), np.array([2.0, 3.0, 4.0]))
Z = Column("z", np.array([1.0, 0.0]), None, np.array([1.0, 0.0]))
DESIGN = Design(True, (X, Z), (DISTRICT, AREA, AGE), 2)
VALUES = {
    "intercept": np.array([1.0, 2.0]),
    "slopes": np.array([[0.5, 0.1], [0.0, 0.2]]),
    "sd_district": np.array([0.0, 10.0]),
    "effect_district": np.array([[0.3], [0.3]]),
    "sd_area": np.array([0.0, 0.0]),
    "effect_area": np.array([[0.01, 0.02], [0.01, 0.02]]),
    "sd_age": np.array([1.0, 1.0]),
    "effect_age": np.array([[7.0, 5.0], [0.0, 0.0]]),
}


def test_linear_predictor_of_respondents() -> None:
    eta = linear_predictor(DESIGN, VALUES)
    assert eta[0] == pytest.approx([1 + 1.0 + 0.1 + 0.3 + 0.01 + 5.0, 1 + 1.5 + 0.3 + 0.02 + 7.0])
    assert eta[1] == pytest.approx([2 + 0.2 + 0.3 + 0.01, 2 + 0.3 + 0.02])


def test_eta_of_areas_is_of_the_first_cell_and_draws_what_nobody_answered_for() -> None:
    eta = area_eta(DESIGN, VALUES, np.arange(3), np.random.default_rng(0))
    # the first cell is young, for whom z is 1; without spread the unseen district and area add nothing
    assert eta[0] == pytest.approx([1 + 1.0 + 0.1 + 0.31 + 5, 1 + 1.5 + 0.1 + 0.32 + 5, 1 + 2.0 + 0.1 + 5])
    assert eta[1, :2] == pytest.approx([2 + 0.2 + 0.31, 2 + 0.2 + 0.32])
    assert abs(eta[1, 2] - 2.2) > 0.1


def test_two_areas_of_an_unseen_district_share_its_draw() -> None:
    eta = area_eta(DESIGN, VALUES, np.array([2, 2]), np.random.default_rng(0))
    assert eta[:, 0] == pytest.approx(eta[:, 1])


def test_varying_slopes_use_the_areas_own_values() -> None:
    slope = Group("x|district", "geography", ("d0",), np.array([0, 0]), ("d0", "d1"), np.array([0, 0, 1]), None,
                  np.array([[0], [1]]), by=X, factor="district")  # fmt: skip
    design = Design(False, (), (slope,), 2)
    values = {"effect_x|district": np.array([[0.5]]), "sd_x|district": np.array([0.0])}
    assert linear_predictor(design, values)[0] == pytest.approx([1.0, 1.5])
    assert area_eta(design, values, np.arange(3), np.random.default_rng(0))[0] == pytest.approx([1.0, 1.5, 0.0])


def test_overall_levels_by_family() -> None:
    eta = np.array([[0.0, np.log(3.0)]])
    assert overall("bernoulli", {}, eta)[0] == pytest.approx([(0.5 + 0.75) / 2])
    assert overall("poisson", {}, eta)[0] == pytest.approx([2.0])
    assert overall("gaussian", {}, eta).shape == (1, 0)
    shares = overall("cumulative", {"cutpoints": np.array([[0.0, np.log(3.0)]])}, eta)[0]
    assert shares == pytest.approx([(0.5 + 0.25) / 2, (0.25 + 0.25) / 2, (0.25 + 0.5) / 2])


def test_ordered_answers_are_measured_from_the_middle_cutpoint() -> None:
    values = {"cutpoints": np.array([[-1.0, 0.4, 2.0]]), "slopes": np.array([[0.5]])}
    design = Design(False, (X,), (), 2)
    assert area_eta(design, values, np.arange(2), np.random.default_rng(0))[0] == pytest.approx([0.6, 1.1])


def test_index_has_mean_zero_and_sd_one_in_every_draw() -> None:
    index = index_of(np.random.default_rng(1).normal(3.0, 2.0, (5, 50)))
    assert index.mean(axis=1) == pytest.approx(0.0, abs=1e-12)
    assert index.std(axis=1) == pytest.approx(1.0)
