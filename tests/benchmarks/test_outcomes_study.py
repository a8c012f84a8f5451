"""The study of the example's outcomes in small: worlds as the model files say, true values, rows, goals, page."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import outcomes_study
import pandas as pd
import pytest
from common.known_truth import of_level
from common.outcome_worlds import Item, OutcomeSurvey, expected_value, make_outcome_survey, model_of, outcome_worlds
from common.trait_worlds import TraitWorld, cutpoints, draw_answers
from common.world_study import missed

from placewise.models.priors import Prior
from placewise.models.spec import EstimandSpec
from placewise.surveys.instruments import Instruments
from placewise.surveys.items import Question

OUTCOMES = ("belonging", "relationships", "satisfaction")
LEVELS = ("never", "seldom", "often", "always")


def survey_of(name: str, respondents: int = 500, **more: float) -> OutcomeSurvey:
    world = replace(outcome_worlds()[name], **more)
    return make_outcome_survey(world, respondents, 0, n_areas=max(600, respondents // 2))


def instruments_of(own: OutcomeSurvey) -> Instruments:
    assert own.response.instruments is not None
    return own.response.instruments


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_surveys_ask_what_the_model_file_names(outcome: str) -> None:
    own, spec = survey_of(outcome), model_of(outcome)
    instruments = instruments_of(own)
    assert instruments.surveys == tuple(spec.outcome.questions)
    for s, questions in enumerate(spec.outcome.questions.values()):
        assert instruments.asked[s].sum() == len(questions)
        first = instruments.named(questions[0].column, instruments.surveys[s])
        assert instruments.levels[first] == questions[0].levels
    assert (instruments.answers >= 0).any(axis=1).all()
    assert own.outcome.estimands == spec.outcome.estimands[:1]
    assert own.plan.sds["discrepancy:household"].prior == spec.priors["discrepancy"]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_oracle_knows_sds_and_slopes_and_no_more(outcome: str) -> None:
    own, world = survey_of(outcome), outcome_worlds()[outcome]
    known = {name: prior.prior for name, prior in own.oracle.sds.items()}
    assert known["discrepancy:household"] == Prior("fixed", (world.discrepancy,))
    assert {prior.name for prior in known.values()} == {"fixed"}
    levels = [known[name].args[0] for name in ("area", "lsoa", "msoa", "district", "region")]
    assert sum(sd**2 for sd in levels) == pytest.approx(world.total**2)
    assert all(slope is not None and slope.name == "fixed" for slope in own.oracle.slopes)
    assert (own.oracle.total, own.oracle.cutpoints) == (None, own.plan.cutpoints)
    assert own.oracle.discrimination == own.plan.discrimination


@pytest.mark.parametrize("trait", [TraitWorld("logit"), TraitWorld("probit", probit=True)])
@pytest.mark.parametrize("scale", [True, False])
def test_true_values_are_means_over_people(trait: TraitWorld, scale: bool) -> None:
    rng = np.random.default_rng(1)
    steep = (0.8, 2.2) if scale else (1.0,)
    items = [Item(Question(f"q{k}", LEVELS), a, cutpoints(a, 0.2 * k - 0.1, 4)) for k, a in enumerate(steep)]
    t = 0.7 + (rng.standard_normal(200_000) if scale else np.zeros(200_000))
    answers = np.column_stack([draw_answers(item.discrimination * t, item.cuts, trait, rng) for item in items])
    found = expected_value(EstimandSpec("", "score"), items, np.array([0.7]), trait, scale)
    assert found[0] == pytest.approx(1.0 + answers.mean(), abs=0.01)
    if not scale:
        share = EstimandSpec("", "share", ("often", "always"))
        found = expected_value(share, items, np.array([0.7]), trait, scale)
        assert found[0] == pytest.approx((answers >= 2).mean(), abs=0.005)


@pytest.mark.parametrize("name", ["belonging", "satisfaction, unlike the model"])
def test_the_reference_answers_as_the_areas_truth_says(name: str) -> None:
    own = survey_of(name, 8000, ages=1e-9)
    instruments = instruments_of(own)
    answers = instruments.answers[instruments.survey == 0][:, instruments.asked[0]]
    seen = np.where(answers >= 0, answers + 1.0, np.nan)
    if name != "belonging":
        seen = (seen >= 4.0).astype(float)
    group = next(g for g in own.design.groups if g.name == "area")
    codes = np.array(group.labels)[group.index][instruments.survey == 0]
    truth = pd.Series(own.truth, index=own.areas.codes)[codes].to_numpy()
    high = truth > np.median(truth)
    for part in (high, ~high):
        assert np.nanmean(seen[part]) == pytest.approx(truth[part].mean(), abs=0.04)
    assert truth[high].mean() - truth[~high].mean() > 0.09


def test_larger_areas_are_weighted_by_people() -> None:
    areas = survey_of("satisfaction").areas
    values = np.arange(float(len(areas)))
    found = of_level(areas, "region", values)
    inside = (areas.table["region"] == found.index[0]).to_numpy()
    assert found.iloc[0] == pytest.approx(np.average(values[inside], weights=areas.weights[inside]))


def test_from_cells_to_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    csv = tmp_path / "outcomes.csv"
    words = f"outcomes_study.py --surveys 2 --respondents 600 --areas 600 --draws 150 --threads 1 --csv {csv}"
    monkeypatch.setattr(sys, "argv", [*words.split(), "--worlds", "satisfaction"])
    outcomes_study.main()
    rows = pd.read_csv(csv)
    assert rows["error"].isna().all()
    assert rows[[*outcomes_study.MEASURES, *outcomes_study.GAPS]].notna().all(axis=None)
    assert rows["cov_area"].between(0.6, 1.0).all()
    assert rows["rmse_area"].between(0.01, 0.2).all()
    assert rows["scale"].between(0.2, 3.0).all()
    table = outcomes_study.summary_of(rows)
    assert table["pooled_area"].iloc[0] <= table["ece_area"].iloc[0] + 1e-9
    assert csv.with_suffix(".html").read_text().count("<svg ") == 1
    assert "pooled_district" in capsys.readouterr().out


def test_goals_are_those_of_the_model_and_coverage_alone_elsewhere() -> None:
    row = {f"{name}_{step}": 0.9 for name in ("cov", "cov_index") for step in ("area", "district")}
    for step in ("area", "district"):
        row |= {f"rmse_ratio_{step}": 1.0, f"slope_{step}": 1.0, f"pooled_{step}": 0.01}
    row |= {"nation_z": 0.0}
    row |= {f"{name}_se": 0.005 for name in list(row)}

    def found(world: str, **other: float) -> list[str]:
        cell = row | other | {"world": world}
        return missed(cell, outcomes_study.limits_of(cell))

    assert found("belonging") == []
    assert found("belonging", pooled_district=0.04, cov_area=0.85) == ["cov_area 0.850", "pooled_district 0.040"]
    assert found("belonging, unlike the model", pooled_district=0.04, slope_area=2.0, cov_area=0.85) == []
    assert found("belonging, unlike the model", cov_index_district=0.8) == ["cov_index_district 0.800"]


def test_a_fit_that_the_engine_gives_up_on_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    from placewise.errors import ModelError, Problem

    def timid(problem: object, options: object) -> None:
        raise ModelError(Problem("fit", "no mode was found", kind="model"))

    monkeypatch.setattr(outcomes_study, "engine_named", lambda name: timid)
    cell = {"world": "satisfaction", "respondents": 200, "areas": 600, "draws": 50, "survey": 0}
    assert outcomes_study.one_survey(cell) == {"error": "fit: no mode was found"}
