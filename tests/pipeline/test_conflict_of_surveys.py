"""Two surveys of one outcome, one place apart from the others, and one with too few respondents to be told of."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from placewise.geography.areas import AreaTable
from placewise.models import inference
from placewise.models.design import Column, Design, Group
from placewise.models.fit import Posterior
from placewise.models.prior_plan import PriorPlan, SdPrior
from placewise.models.priors import Prior
from placewise.pipeline import conflict
from placewise.pipeline.conflict import survey_conflicts
from placewise.pipeline.outcome import OutcomeRun
from placewise.surveys.instruments import Instruments
from placewise.surveys.outcome import Response

PLACES, EACH, DRAWS, TAU = 15, 120, 800, 0.05
CUTS = ([-1.0, 0.5], [0.2])
CODES = tuple(f"L{k:02d}" for k in range(PLACES))


def _likelihood(answers: np.ndarray, cuts: list[float]) -> tuple[float, float]:
    """Mean and variance of a place's trait by its answers to one question alone, the cutpoints known."""
    grid = np.linspace(-4.0, 4.0, 801)
    below = np.vstack([np.zeros(801), expit(np.array(cuts)[:, None] - grid), np.ones(801)])
    log = np.log(np.diff(below, axis=0))[answers].sum(axis=0)
    weight = np.exp(log - log.max()) / np.exp(log - log.max()).sum()
    mean = float(weight @ grid)
    return mean, float(weight @ (grid - mean) ** 2)


def _places(answers: np.ndarray, place: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draws of each place's effect, normal(0, .3²), and departure, normal(0, TAU²), given both surveys' answers."""
    effects, departures = np.empty((2, DRAWS, PLACES))
    for k in range(PLACES):
        (m1, v1), (m2, v2) = (
            _likelihood(answers[(place == k) & (answers[:, s] >= 0), s], cuts) for s, cuts in enumerate(CUTS)
        )
        told = np.array([1 / 0.3**2, 1 / v1, 1 / (v2 + TAU**2)])
        effects[:, k] = told @ [0.0, m1, m2] / told.sum() + rng.standard_normal(DRAWS) / np.sqrt(told.sum())
        left = TAU**2 / (TAU**2 + v2)
        departures[:, k] = left * (m2 - effects[:, k]) + np.sqrt(left * v2) * rng.standard_normal(DRAWS)
    return effects, departures


def _run(shift: float, few: bool = True) -> Any:
    """A posterior by hand, the cutpoints known and everything else nearly gaussian."""
    rng = np.random.default_rng(4)
    place = np.tile(np.repeat(np.arange(PLACES), EACH), 2)
    survey = np.repeat([0, 1], PLACES * EACH)
    kept = ~((place == 2) & (survey == 1) & (np.arange(len(place)) % EACH >= 5)) if few else np.ones(len(place), bool)
    place, survey = place[kept], survey[kept]
    effect = 0.3 * rng.standard_normal(PLACES)
    mean = effect[place] + np.where((survey == 1) & (place == 0), shift, 0.0)
    answers = np.full((len(place), 2), -1, dtype=np.int8)
    for s, cuts in enumerate(CUTS):
        rows = survey == s
        above = expit(mean[rows, None] - np.array(cuts))
        answers[rows, s] = (above > rng.random((rows.sum(), 1))).sum(axis=1)
    asked = Instruments(("a: q", "b: q"), (("1", "2", "3"), ("no", "yes")), answers, ("a", "b"), survey, False)
    second = Column("survey:b", (survey == 1).astype(float))
    groups = (
        Group("lad", "geography", CODES, place),
        Group("discrepancy:b", "other", CODES, place, by=second, factor="lad", labels_areas=True, survey="b"),
    )
    design = Design(False, (), groups, len(place))
    table = pd.DataFrame({"oa": CODES, "lad": CODES})
    areas = AreaTable(table, "oa", ("lad",), (), None, np.ones(PLACES, dtype=bool))
    response = Response(answers.max(axis=1).astype(np.int64), np.ones(len(place), dtype=bool), instruments=asked)
    data = SimpleNamespace(areas=areas, design=design, response=response)
    effects, departures = _places(answers, place, rng)
    drawn = {
        "cutpoints": np.broadcast_to(np.array([-1.0, 0.5, 0.2]), (DRAWS, 3)),
        "survey_scale": np.exp(0.01 * rng.standard_normal((DRAWS, 1))),
        "effect_lad": effects,
        "sd_lad": np.full(DRAWS, 0.3),
        "effect_discrepancy:b": departures,
        "sd_discrepancy:b": TAU * np.exp(0.3 * rng.standard_normal(DRAWS)),
    }
    sds = {"lad": SdPrior(Prior("fixed", (0.3,))), "discrepancy:b": SdPrior(Prior("half_normal", (0.1,)))}
    plan = PriorPlan(
        None, Prior("normal", (0.0, 3.0)), None, (), None, (), (), sds, None,
        discrimination=Prior("lognormal", (0.0, 0.5)),
    )  # fmt: skip
    posterior = Posterior(inference.build({name: d[None] for name, d in drawn.items()}, {}, {}), plan)
    model = SimpleNamespace(outcome=SimpleNamespace(family="cumulative"))
    return SimpleNamespace(data=data, posterior=posterior, model=model, predictor=None)


@pytest.fixture
def published_half(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the trait's unit, half a unit of the published figure."""
    monkeypatch.setattr(conflict, "_published_slope", lambda predictor: 0.5)


@pytest.mark.usefixtures("published_half")
def test_the_place_apart_is_named_and_the_one_of_few_respondents_is_not_told_of() -> None:
    told = survey_conflicts(cast(OutcomeRun, _run(2.0)))["b"]
    assert told["beyond"] == ["L00"]
    assert "L00" in told["apart"]
    assert told["agreement"]["p"] < 0.01
    assert (told["reference"], told["level"], told["withheld"], told["untold"]) == ("a", "lad", 1, 0)
    rows = {row["code"]: row for row in told["areas"]}
    assert len(rows) == told["compared"] == PLACES - 1
    assert "L02" not in json.dumps(told, allow_nan=False)
    # two units of the trait, half as much in the published figure
    assert rows["L00"]["difference"] == pytest.approx(1.0, abs=3 * rows["L00"]["se"])
    assert told["scale"]["mean"] == pytest.approx(1.0, abs=0.02)
    assert not told["scale"]["set_by_prior"]
    # the logarithm of a half-normal has an sd of 1.11
    assert not told["sd"]["set_by_prior"]
    assert told["sd"]["prior"] == "half_normal(0.1)"


@pytest.mark.usefixtures("published_half")
def test_surveys_that_agree_have_no_place_apart() -> None:
    told = survey_conflicts(cast(OutcomeRun, _run(0.0, few=False)))["b"]
    assert told["beyond"] == []
    assert told["agreement"]["p"] > 0.01
    assert told["withheld"] == 0
    assert np.std([row["z"] for row in told["areas"]]) == pytest.approx(1.0, abs=0.4)


@pytest.mark.usefixtures("published_half")
def test_places_of_few_respondents_alone_leave_nothing_to_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conflict, "THRESHOLD", EACH + 1)
    told = survey_conflicts(cast(OutcomeRun, _run(2.0)))["b"]
    assert (told["compared"], told["withheld"], told["areas"], told["apart"]) == (0, PLACES, [], [])
    assert told["agreement"]["p"] == 1


def test_one_survey_has_no_conflicts() -> None:
    run = _run(0.0)
    run.data.response = replace(run.data.response, instruments=None)
    assert survey_conflicts(cast(OutcomeRun, run)) == {}
