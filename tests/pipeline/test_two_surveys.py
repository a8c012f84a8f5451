"""Scales and several surveys from the project's files to what is fitted, and what is told of them without a fit."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tomli_w
from two_surveys import AREAS, LADS, ORDER, SCALE, write_two_surveys

from placewise import cli
from placewise.models.spec import EstimandSpec
from placewise.pipeline import modelling
from placewise.pipeline.answers import direct_table, responses, survey_uses, values_of
from placewise.pipeline.baselines import fit_baselines
from placewise.pipeline.describe import describe_folder
from placewise.pipeline.inputs import input_files
from placewise.pipeline.load import OutcomeData, ProjectInputs
from placewise.pipeline.project_file import read_project
from placewise.pipeline.project_spec import ProjectSpec
from placewise.pipeline.report import estimand_words
from placewise.surveys.disclosure import THRESHOLD

N = (590, 500)
SCORE = EstimandSpec("", "score")


def model_of(changes: dict[str, Any]) -> dict[str, Any]:
    """The scale's model file with keys, written with dots, replaced or deleted by None."""
    tables = copy.deepcopy(SCALE)
    for path, value in changes.items():
        table, _, key = path.partition(".")
        tables[table] = {k: v for k, v in {**tables.get(table, {}), key: value}.items() if v is not None}
    return tables


ONE_QUESTION = {
    "outcome.family": "cumulative",
    "outcome.items": None,
    "outcome.response": {"first": "a", "second": "d"},
    "outcome.estimand": {"share": ["yes"]},
}


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[ProjectSpec, OutcomeData]]:
    kept: dict[str, tuple[ProjectSpec, OutcomeData]] = {}

    def data(changes: dict[str, Any]) -> tuple[ProjectSpec, OutcomeData]:
        key = json.dumps(changes)
        if key not in kept:
            folder = write_two_surveys(tmp_path_factory.mktemp("two") / "project", model_of(changes))
            spec = read_project(folder)
            kept[key] = (spec, ProjectInputs(spec).outcome(spec.models["ties"]))
        return kept[key]

    return data


def test_both_surveys_become_one_table_of_answers(read) -> None:
    spec, data = read({})
    found = data.response.instruments
    assert found.names == ("first:a", "b", "first:c", "second:d")
    assert found.answers.shape == (sum(N), 4)
    assert found.scale
    assert [len(part) for part in data.parts] == list(N)
    assert data.respondents.table["survey"].value_counts().to_dict() == {"first": N[0], "second": N[1]}
    written = pd.read_csv(spec.root / "second.csv")
    own = found.answers[N[0] :]
    assert (own[:, 3] == -1).sum() == (written["d"] == "-9").sum() == 20
    assert [ORDER[k] for k in own[20:, 3]] == written["d"][20:].tolist()
    assert [ORDER[k] for k in own[:, 1]] == written["b"].tolist()
    assert (own[:, [0, 2]] == -1).all()
    # ten people answered no item, twenty did not answer one
    assert [(d.column, d.count) for d in data.respondents.dropped] == [("first", 10)]
    assert (found.answers[: N[0], 0] == -1).sum() == 20


def test_the_design_has_the_second_survey_s_departures(read) -> None:
    _, data = read({})
    groups = {g.name: g for g in data.design.groups}
    assert list(groups) == ["sex", "region", "lad", "oa", "discrepancy:second", "shift:second"]
    lad = np.array([f"L{int(code[1:]) % LADS:02d}" for code in data.respondents.codes])
    assert (np.array(groups["discrepancy:second"].labels)[groups["discrepancy:second"].index] == lad).all()
    plan = modelling.plan(spec_model(read({})), data)
    assert str(plan.discrimination) == "lognormal(0, 0.5)"
    assert any("may depart from 'first' in each lad" in note for note in data.notes)


def spec_model(found: tuple[ProjectSpec, OutcomeData]) -> Any:
    return found[0].models["ties"]


def test_one_question_of_each_survey_has_cutpoints_of_its_own(read) -> None:
    _, data = read(ONE_QUESTION)
    found = data.response.instruments
    assert found.names == ("first:a", "second:d")
    assert not found.scale
    assert (found.answers >= 0).sum(axis=1).tolist() == [1] * len(found.answers)
    assert not any(g.name.startswith("shift") for g in data.design.groups)
    assert any("scale factor" in note for note in data.notes)
    assert [(d.column, d.reason, d.count) for d in data.respondents.dropped] == [
        ("first: a", "declared missing code", 10),
        ("first: a", "blank", 20),
        ("second: d", "declared missing code", 20),
    ]


def test_a_scale_of_one_survey_has_no_departures(read) -> None:
    _, data = read({"outcome.survey": "first", "outcome.items": ["a", "b", "c"]})
    assert data.response.instruments.names == ("a", "b", "c")
    assert [g.name for g in data.design.groups] == ["sex", "region", "lad", "oa"]
    assert len(data.parts) == 1


def test_modes_inside_surveys_are_predicted_at_the_reference(read, tmp_path: Path) -> None:
    folder = write_two_surveys(tmp_path / "project", model_of({"model.reference": {"mode": "web"}}))
    for name in ("first", "second"):
        table = pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)
        table["mode"] = np.array(["web", "phone"])[np.arange(len(table)) % 2]
        table.to_csv(folder / f"{name}.csv", index=False)
    model = model_of({"model.reference": {"mode": "web"}, "model.formula": "poor + (1 | survey:mode)"})
    (folder / "models" / "ties.toml").write_text(tomli_w.dumps(model))
    spec = read_project(folder)
    data = ProjectInputs(spec).outcome(spec.models["ties"])
    group = next(g for g in data.design.groups if g.name == "survey:mode")
    assert group.labels == ("first:phone", "first:web", "second:phone", "second:web")
    assert group.all_labels[int(group.lookup[0, 0])] == "first:web"


def test_surveys_linked_above_the_area_at_one_level_are_read(tmp_path: Path) -> None:
    folder = write_two_surveys(tmp_path / "project")
    for survey in ("first", "second"):
        relink(folder, survey, "lad")
    spec = read_project(folder)
    data = ProjectInputs(spec).outcome(spec.models["ties"])
    assert data.design.link.group == "lad"
    groups = {g.name: g for g in data.design.groups}
    assert groups["discrepancy:second"].labels == groups["lad"].labels
    assert groups["discrepancy:second"].dim == "lad"
    assert direct_table(data, SCORE, "region") is not None
    assert fit_baselines(data, spec.models["ties"].outcome) is None


def test_every_survey_s_own_items_are_described(tmp_path: Path) -> None:
    described = describe_folder(write_two_surveys(tmp_path / "project"), quiet=True)
    scales = {name: found.to_json()["scales"] for name, found in described.surveys.items()}
    assert [scale["items"] for scale in scales["first"]] == [["a", "b", "c"]]
    assert [scale["items"] for scale in scales["second"]] == [["b", "d"]]


def test_direct_figures_are_the_reference_survey_s_scores(read) -> None:
    spec, data = read({})
    values = values_of(data, SCORE)
    written = pd.read_csv(spec.root / "first.csv")[10:]
    scores = written[["a", "b", "c"]].replace({word: k + 1 for k, word in enumerate(ORDER)}).astype(float)
    np.testing.assert_allclose(values[: N[0]], scores.mean(axis=1))
    assert np.isnan(values[N[0] :]).all()
    table = direct_table(data, SCORE, "region")
    lad = written["oa"].str[1:].astype(int) % LADS
    expected = [np.average(scores.mean(axis=1)[lad % 3 == k], weights=written["w"][lad % 3 == k]) for k in range(3)]
    np.testing.assert_allclose(table["direct"], expected)
    item = values_of(data, EstimandSpec("", "share", ("yes",), "a"))
    assert np.isnan(item[: N[0]]).sum() == 20
    assert np.nanmean(item) == pytest.approx((written["a"].dropna() == "yes").mean())
    common = values_of(data, EstimandSpec("", "share", ("yes",), "b"))
    assert np.isfinite(common).sum() == N[0]


def test_baselines_are_of_the_reference_survey(read) -> None:
    _, data = read(ONE_QUESTION)
    found = fit_baselines(data, spec_model(read(ONE_QUESTION)).outcome)
    national = next(b for b in found.baselines if b.name == "national")
    values = values_of(data, EstimandSpec("", "share", ("yes",)))
    rows = np.isfinite(values)
    assert rows.sum() == len(data.parts[0])
    weight = data.respondents.weight[rows]
    np.testing.assert_allclose(national.areas, np.average(values[rows], weights=weight), rtol=1e-12)
    assert len(national.areas) == AREAS


def test_the_report_is_told_of_every_survey(read) -> None:
    changes = {"outcome.question": {"first": "Do you know them?", "second": "Do you talk to them?"}}
    spec, data = read(changes)
    uses = survey_uses(data, spec.surveys, spec.models["ties"].outcome)
    assert [(u.name, u.respondents, u.question) for u in uses] == [
        ("first", N[0], "Do you know them?"), ("second", N[1], "Do you talk to them?"),
    ]  # fmt: skip
    assert [u.weight for u in uses] == ["w", ""]
    assert [sum(count for _, count in u.dropped) for u in uses] == [10, 0]
    tables = responses(data)
    assert set(tables) == {"sex in first", "sex in second"}
    assert tables["sex in second"]["respondents"].sum() == N[1]
    assert {"first.csv", "second.csv"} <= {path.name for path in input_files(spec, spec.models["ties"])}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "mean score over the items of the scale"),
        ({"outcome.estimand": {"item": "a", "share": ["yes"]}}, "share who answer 'yes' to the item 'a'"),
        (ONE_QUESTION, "share who answer 'yes'"),
    ],
)
def test_what_is_published_is_said_in_words(read, changes: dict[str, Any], words: str) -> None:
    outcome = spec_model(read(changes)).outcome
    assert estimand_words(outcome, outcome.estimands[0]) == words


def benchmark(targets: dict[str, float], estimand: Any = "score") -> tuple[dict[str, Any], Callable[[Path], None]]:
    """Changes of the model file, and how its targets are written."""
    changes = {"outcome.estimand": estimand, "benchmark.level": "region", "benchmark.targets": "targets.csv"}
    table = pd.DataFrame({"code": list(targets), "estimate": list(targets.values()), "se": 0.02})
    return changes, lambda folder: table.to_csv(folder / "targets.csv", index=False)


def test_targets_of_a_score_lie_between_its_categories(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes, written = benchmark({"R0": 2.1, "R1": 1.9, "R2": 2.9})
    folder = write_two_surveys(tmp_path / "project", model_of(changes))
    written(folder)
    assert cli.main(["check", "--project", str(folder)]) == 0, capsys.readouterr().err


def as_lsoas(folder: Path) -> None:
    """Give the areas table a level of pairs of small areas."""
    table = pd.read_csv(folder / "areas.csv")
    pairs = (np.arange(len(table)) // (2 * LADS)).astype(str)
    table.assign(lsoa=table["lad"] + "-" + pairs).to_csv(folder / "areas.csv", index=False)
    project = tomllib.loads((folder / "placewise.toml").read_text())
    project["areas"]["levels"] = ["lsoa", "lad", "region"]
    (folder / "placewise.toml").write_text(tomli_w.dumps(project))


BAD: dict[str, tuple[dict[str, Any], Callable[[Path], None] | None, int, list[str]]] = {
    "a second survey without a column": (
        {}, lambda f: retitle(f / "second.csv", "sex", "gender"), 1, ["survey 'second' has no column 'sex'"]),
    "an item that nobody answered": (
        {}, lambda f: replaced(f / "second.csv", "d", "-9"), 1, ["no respondent of survey 'second'", "'d'"]),
    "undeclared answers in both": (
        {}, lambda f: (some(f / "first.csv", "a", "8"), some(f / "second.csv", "d", "dk")), 1,
        ["in 'a' of survey 'first'", "'8' (30)", "in 'd' of survey 'second'", "'dk' (30)"]),
    "an item of one answer": ({}, lambda f: replaced(f / "first.csv", "c", "yes"), 1, ["same answer in 'first:c'"]),
    "an item misspelt": (
        {"outcome.items": {"first": ["a", "b", "cc"], "second": ["b", "d"]}}, None, 1,
        ["survey.first: first.csv has no column 'cc', which models/ties.toml asks for in outcome.items"]),
    "an item misspelt that has an order of its own": (
        {"outcome.items": {"first": ["a", "bb", "c"], "second": ["b", "d"]},
         "outcome.order": {"first": dict.fromkeys("abc", ORDER), "second": ORDER}}, None, 2,
        ["models/ties.toml: outcome.items: survey 'first' has no column 'bb' (did you mean 'b', as in outcome.order"]),
    "the survey as a term": ({"model.formula": "poor + (1 | survey)"}, None, 2, ["shifts a whole survey"]),
    "an unknown level of departures": ({"model.discrepancy": "lda"}, None, 2, ["did you mean 'lad'?"]),
    "departures in places that may not be told": (
        {"model.discrepancy": "lsoa"}, as_lsoas, 2, ["would be told which of them were sampled", "'lad', 'region'"]),
    "surveys linked at different levels": (
        {}, lambda f: relink(f, "second", "lad"), 2, ["surveys linked at different levels are not available"]),
    "a prior of a shift that is none": (
        {**ONE_QUESTION, "model.priors": {"shift": "normal(0, 1)"}}, None, 2, ["no survey has an item in common"]),
    "targets beyond the last category": (*benchmark({"R0": 2.1, "R1": 3.2, "R2": 2.0}), 1, ["outside (1, 3)", "'R1'"]),
    "targets in the middle of an item": (
        *benchmark({"R0": 0.3, "R1": 0.4, "R2": 0.3}, {"item": "a", "share": ["rather"]}), 2,
        ["a share of answers in the middle of the order"]),
    "a binary outcome of two surveys": (
        {**ONE_QUESTION, "outcome.family": "bernoulli", "outcome.order": None}, None, 2,
        ["a bernoulli outcome has one survey", "two categories"]),
}  # fmt: skip


def retitle(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new, 1))


def replaced(path: Path, column: str, value: str) -> None:
    pd.read_csv(path).assign(**{column: value}).to_csv(path, index=False)


def some(path: Path, column: str, value: str) -> None:
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.loc[100:129, column] = value
    table.to_csv(path, index=False)


def relink(folder: Path, survey: str, level: str) -> None:
    table = pd.read_csv(folder / f"{survey}.csv")
    table[level] = [f"L{int(code[1:]) % LADS:02d}" for code in table["oa"]]
    table.drop(columns="oa").to_csv(folder / f"{survey}.csv", index=False)
    project = tomllib.loads((folder / "placewise.toml").read_text())
    project["survey"][survey]["area"] = level
    (folder / "placewise.toml").write_text(tomli_w.dumps(project))


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_with_any_survey_is_told_at_once(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changes, spoil, status, words = BAD[name]
    folder = write_two_surveys(tmp_path / "project", model_of(changes))
    if spoil is not None:
        spoil(folder)
    assert cli.main(["check", "--project", str(folder)]) == status
    told = capsys.readouterr().err
    for word in words:
        assert word in told
    assert told.count("error: ") == 1
    assert "Traceback" not in told


@pytest.mark.parametrize("key", ["discrepancy", "sd:discrepancy:second"])
def test_a_prior_of_departures_is_not_blamed_for_a_level_that_there_is_not(
    key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = model_of({"model.discrepancy": "lda", "model.priors": {key: "half_normal(0.05)"}})
    assert cli.main(["check", "--project", str(write_two_surveys(tmp_path / "project", model))]) == 2
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "error: models/ties.toml: model.discrepancy: 'lda' is neither a level nor a class of the areas "
        "(did you mean 'lad'?)"
    ]


def test_check_tells_of_both_surveys_and_of_no_small_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_two_surveys(tmp_path / "project")
    table = pd.read_csv(folder / "second.csv", dtype=str)
    table.loc[:3, ["b", "d"]] = "-9"
    table.to_csv(folder / "second.csv", index=False)
    assert cli.main(["check", "--project", str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["outcomes"] == [
        "ties: about 1,090 respondents (about 590 of 'first', about 500 of 'second'), 240 areas"
    ]
    left = [note for note in told["notes"] if "left out" in note]
    assert left[0].startswith("ties: about 10 respondents left out: first: no item answered")
    assert left[1].startswith(f"ties: fewer than {THRESHOLD} respondents left out: second: no item answered")
