"""The studies of scales and of two surveys in small: known truths, rows, goals."""

from __future__ import annotations

import numpy as np
import pytest
import scales_study
import two_surveys_study
from common.trait_worlds import CUTS, SDS, SLOPES, TraitWorld, make_trait_survey, score_means
from common.world_study import missed
from scipy.special import expit

PLAIN = TraitWorld("plain")


def test_a_trait_varies_as_its_world_says() -> None:
    found = [np.var(make_trait_survey(PLAIN, k, respondents=400, surveys=1).trait) for k in range(6)]
    assert np.mean(found) == pytest.approx(SLOPES @ SLOPES + SDS["area"] ** 2 + SDS["authority"] ** 2, rel=0.1)
    heavy = make_trait_survey(TraitWorld("t", degrees=4.0), 0, respondents=400, surveys=1)
    rest = heavy.trait - heavy.x @ SLOPES
    assert np.mean((rest - rest.mean()) ** 4) / rest.var() ** 2 > 3.5


def test_answers_follow_the_trait_and_the_second_survey_its_scale() -> None:
    own = make_trait_survey(TraitWorld("half", scale=0.5), 1, respondents=8000, surveys=2)
    group = {g.name: g for g in own.design.groups}
    place = np.array([int(label) for label in group["area"].labels])[group["area"].index]
    age = np.array([-0.3, -0.1, 0.0, 0.1, 0.3])[group["age"].index]
    for k, factor in ((0, 1.0), (1, 0.5)):
        mine = own.instruments.survey == k
        assert (own.instruments.answers[mine, 1 - k] == -1).all()
        expected = expit(factor * (own.trait[place] + age)[mine] - CUTS[k][1])
        high = expected > np.median(expected)
        answers = own.instruments.answers[mine, k] > 1
        for part in (high, ~high):
            assert answers[part].mean() == pytest.approx(expected[part].mean(), abs=0.025)


def test_shifts_are_where_they_are_said_to_be() -> None:
    own = make_trait_survey(TraitWorld("far", shift=6.0), 2, respondents=8000, surveys=2, authorities=60)
    authority = next(g for g in own.design.groups if g.name == "authority").index
    second = own.instruments.survey == 1
    shifted = own.shifted[authority]
    answers = own.instruments.answers[:, 1]
    assert answers[second & shifted].mean() > answers[second & ~shifted].mean() + 0.5
    assert 0.3 < own.shifted.mean() < 0.7


def test_one_survey_alone_has_no_second() -> None:
    own = make_trait_survey(PLAIN, 3, respondents=500, surveys=2)
    alone = own.problem(kept=own.instruments.survey == 0)
    assert alone.response.instruments is not None
    assert alone.response.instruments.names == ("survey 1: question",)
    assert [g.name for g in alone.design.groups] == ["age", "authority", "area"]
    assert alone.design.n == 500
    both = own.problem(known=True)
    assert both.priors.sds["authority"].prior.name == "fixed"
    assert all(prior is not None and prior.name == "fixed" for prior in both.priors.slopes)


def test_a_row_of_each_study(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = {"respondents": 1500, "draws": 404, "survey": 0}
    row = two_surveys_study.one_survey(cell | {"world": "shifted"})
    assert set(row) == set(two_surveys_study.MEASURES)
    assert 0.0 < row["rmse"] < 0.5
    assert 0.2 < row["scale"] < 3.0
    monkeypatch.setattr(scales_study, "LEFT_OUT", 3)
    row = scales_study.one_survey(cell | {"world": "as the model says"})
    assert set(row) == set(scales_study.MEASURES)
    assert row["correlation"] > 0.5
    assert row["correlation_ratio"] == pytest.approx(row["correlation"] / row["correlation_oracle"])


def test_goals_missed_are_named() -> None:
    scales = {"world": "as the model says", "slope": 1.02, "slope_se": 0.01, "correlation_ratio": 0.9}
    scales |= {"correlation_ratio_se": 0.01, "moved_by_an_item": 0.05, "moved_by_an_item_se": 0.01}
    assert missed(scales, scales_study.GOALS) == ["correlation_ratio 0.900"]
    two = {"world": "agree", "rmse_ratio": 0.99, "rmse_ratio_se": 0.01, "scale": 1.0, "scale_sd": 0.1, "scale_se": 0.02}
    assert missed(two, two_surveys_study.limits_of(two)) == ["rmse_ratio 0.990"]
    two |= {"rmse_ratio": 0.94, "scale": 1.2}
    assert missed(two, two_surveys_study.limits_of(two)) == ["scale 1.200"]
    two |= {"world": "shifted, unlike the model", "rmse_ratio": 1.05, "scale": 1.04}
    assert missed(two, two_surveys_study.limits_of(two)) == ["rmse_ratio 1.050"]


def test_means_are_scored_apart_from_their_level() -> None:
    truth = np.array([0.0, 1.0, 2.0, 3.0])
    noise = np.linspace(-0.1, 0.1, 21)
    score = score_means(5.0 + truth[:, None] + np.stack([noise, -noise, noise, -noise]), truth)
    assert score["rmse"] == pytest.approx(0.0, abs=1e-12)
    assert score["slope"] == pytest.approx(1.0)
    assert score["coverage"] == 1.0
    off = score_means(2.0 * truth[:, None] + np.stack([noise, -noise, noise, -noise]), truth)
    assert off["rmse"] == pytest.approx(np.std(truth))
    assert off["slope"] == pytest.approx(0.5)
    assert off["coverage"] == 0.0


def test_the_larger_departure_is_found() -> None:
    score, shifted = np.array([0.3, -0.1, 0.5, 0.0]), np.array([True, False, True, False])
    assert two_surveys_study._area_under_curve(score, shifted) == 1.0
    assert two_surveys_study._area_under_curve(-score, shifted) == 0.0
