"""Checks of predictions question by question, and linear predictors of several surveys, on a posterior made by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest

from placewise.geography.areas import AreaTable
from placewise.models import inference
from placewise.models.design import Column, Design, Group
from placewise.models.fit import Posterior
from placewise.models.prior_plan import PriorPlan
from placewise.models.spec import EstimandSpec, ModelSpec, OutcomeSpec
from placewise.pipeline.drivers import group_effects
from placewise.pipeline.load import OutcomeData
from placewise.pipeline.predictive import linear_predictor, predictive_checks
from placewise.pipeline.weighting import ratios
from placewise.surveys.instruments import Instruments
from placewise.surveys.outcome import Response
from placewise.surveys.respondents import Respondents

N, AREAS, SCALE, DRAWS = 3000, 40, 0.5, 200
CUTS, SLOPES = np.array([-1.0, 0.8, -0.3, 1.2]), np.array([0.9, 1.6])
DEPARTURE = np.array([0.4, -0.4])
LEVELS = (("no", "rather", "yes"),) * 2
MODEL = ModelSpec(
    OutcomeSpec("o", "O", ("first", "second"), "graded_response", estimands=(EstimandSpec("", "score"),)), "x"
)


@pytest.fixture(scope="module")
def data() -> OutcomeData:
    rng = np.random.default_rng(8)
    x = rng.normal(size=AREAS)
    table = pd.DataFrame({
        "oa": [f"E{i:02d}" for i in range(AREAS)], "lad": [f"L{i % 2}" for i in range(AREAS)],
        "region": [f"R{i % 8}" for i in range(AREAS)], "x": x,
    })  # fmt: skip
    areas = AreaTable(table, "oa", ("lad", "region"), (), None, np.ones(AREAS, dtype=bool))
    row, survey = rng.integers(AREAS, size=N), (np.arange(N) >= N // 2).astype(np.int64)
    eta = 0.7 * x[row]
    trait = np.where(survey, SCALE * eta + DEPARTURE[row % 2], eta) + rng.normal(size=N)
    chance = rng.logistic(size=(N, 2)) + SLOPES * trait[:, None]
    answers = np.column_stack([(chance[:, [m]] > CUTS[2 * m : 2 * m + 2]).sum(axis=1) for m in range(2)])
    answers[rng.uniform(size=answers.shape) < 0.1] = -1
    answers[(answers < 0).all(axis=1), 0] = 1
    people = Respondents("both", pd.DataFrame({"w": np.ones(N)}), "oa", areas.codes[row], row, None, None, None, N)
    by = Column("survey:second", survey.astype(float))
    lad = row % 2
    design = Design(
        True,
        (Column("x", x[row], x),),
        (Group("discrepancy:second", "other", ("L0", "L1"), lad, ("L0", "L1"), by=by, survey="second"),),
        N,
    )
    found = Instruments(("a", "b"), LEVELS, answers.astype(np.int8), ("first", "second"), survey, True)
    response = Response(np.zeros(N, dtype=np.int64), np.ones(N, dtype=bool), instruments=found)
    return OutcomeData(areas, None, people, design, response, (people,))


@pytest.fixture(scope="module")
def posterior() -> Posterior:
    rng = np.random.default_rng(9)

    def around(values: Any) -> np.ndarray:
        return np.asarray(values) + 0.02 * rng.normal(size=(1, DRAWS, *np.shape(values)))

    values = {
        "cutpoints": around(CUTS), "discrimination": around(SLOPES), "survey_scale": around([SCALE]),
        "slopes": around([0.7]), "effect_discrepancy:second": around(DEPARTURE),
        "sd_discrepancy:second": np.abs(around(0.3)),
    }  # fmt: skip
    dims = {
        "cutpoints": ["cutpoint"], "discrimination": ["instrument"], "survey_scale": ["survey"],
        "slopes": ["covariate"], "effect_discrepancy:second": ["discrepancy:second"],
    }  # fmt: skip
    return Posterior(inference.build(values, dims, {}), PriorPlan(None, None, None, (None,), None, (), (), {}, None))


def test_a_survey_s_trait_is_scaled_and_departs(data: OutcomeData, posterior: Posterior) -> None:
    instruments = data.response.instruments
    found = linear_predictor(data.design, posterior, np.array([3, 90]), instruments)
    second, lad = instruments.survey == 1, data.design.groups[0].index
    for k, draw in enumerate((3, 90)):
        eta = posterior.draws("slopes")[draw, 0] * data.design.columns[0].values
        own = posterior.draws("survey_scale")[draw, 0] * eta + posterior.draws("effect_discrepancy:second")[draw][lad]
        np.testing.assert_allclose(found[k], np.where(second, own, eta), rtol=1e-12)


def test_answers_of_the_model_s_own_kind_pass_question_by_question(data: OutcomeData, posterior: Posterior) -> None:
    found = {check.name: check for check in predictive_checks(MODEL, data, posterior, 1)}
    assert set(found) == {"a by region", "a by survey", "b by region", "b by survey"}
    assert [check.check().verdict for check in found.values()] == ["pass"] * 4
    table = found["b by survey"].table
    instruments = data.response.instruments
    rows = instruments.answers[:, 1] >= 0
    observed = pd.Series(instruments.answers[rows, 1] + 1.0).groupby(instruments.survey[rows]).mean()
    np.testing.assert_allclose(table["observed"], observed)
    np.testing.assert_allclose(table["predicted"], observed, atol=0.05)
    assert "answers to 'b'" in found["b by survey"].check().sentence


def test_an_item_that_means_something_else_in_one_survey_shows(data: OutcomeData, posterior: Posterior) -> None:
    instruments = data.response.instruments
    answers = instruments.answers.copy()
    second = (instruments.survey == 1) & (answers[:, 1] >= 0)
    answers[second, 1] = np.minimum(answers[second, 1] + (np.arange(second.sum()) % 4 == 0), 2)
    other = dataclasses.replace(instruments, answers=answers)
    wrong = dataclasses.replace(data, response=dataclasses.replace(data.response, instruments=other))
    found = {check.name: check for check in predictive_checks(MODEL, wrong, posterior, 1)}
    assert found["a by survey"].table["inside"].all()
    assert dict(zip(*found["b by survey"].table[["group", "inside"]].to_numpy().T, strict=True)) == {
        "first": True,
        "second": False,
    }


def test_departures_are_no_drivers_and_fixed_effects_have_ratios(data: OutcomeData, posterior: Posterior) -> None:
    assert group_effects(posterior, data.design) == {}
    found = ratios(data, "graded_response", posterior, np.ones(N))
    cuts = [f"cutpoint {label}" for label in data.response.instruments.cut_labels]
    assert list(found) == [*cuts, "x"]
    assert all(np.isfinite(value) for value in found.values())
