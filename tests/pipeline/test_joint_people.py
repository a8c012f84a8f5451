"""Who answered for several outcomes, and surveys that do not say."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from placewise.geography.spec import AreasSpec
from placewise.models import inference
from placewise.models.design import Design, Group, Structure
from placewise.models.spec import ModelSpec, OutcomeSpec
from placewise.pipeline.joint import people_of, problems_of, told
from placewise.pipeline.project_spec import ProjectSpec
from placewise.pipeline.widened import level_of, widened
from placewise.surveys.spec import SurveySpec


def spec_of(person: str, levels: tuple[str, ...] = ("msoa21cd", "lad22cd", "rgn24cd")) -> ProjectSpec:
    models = {n: ModelSpec(OutcomeSpec(n, n, ("cls",), "bernoulli"), "x") for n in ("belonging", "trust")}
    surveys = {
        "cls": SurveySpec("cls", Path("s.csv"), "code", "code", person=person),
        "panel": SurveySpec("panel", Path("p"), "code", "code", reader="ukhls"),
    }
    areas = AreasSpec(Path("a.csv"), "code", levels=levels)
    joint = ("belonging", "trust")
    return ProjectSpec(Path(), "p", "P", 1, Path("out"), areas, surveys, models, joint=joint)


def data_of(table: dict[str, Any], groups: tuple[Group, ...] = ()) -> Any:
    n = len(next(iter(table.values())))
    respondents = SimpleNamespace(name="cls", table=pd.DataFrame(table))
    return SimpleNamespace(respondents=respondents, design=Design(True, (), groups, n))


def group(name: str, role: Any = "geography", **more: Any) -> Group:
    return Group(name, role, ("a", "b"), np.array([0, 1, 1]), ("a", "b", "c"), **more)


def test_local_authorities_are_coupled_else_the_largest_areas() -> None:
    assert level_of(spec_of("id")) == "lad22cd"
    assert level_of(spec_of("id", ("small", "large"))) == "large"


def test_people_carry_their_survey_and_those_without_a_name_are_nobody_else() -> None:
    table = {"id": [7.0, 8.0, np.nan]}
    found = people_of(data_of(table), spec_of("id"), ["cls"], "trust")
    assert found.tolist() == ["cls:7", "cls:8", "trust: cls#2"]
    # the third row of another outcome's table is somebody else
    assert people_of(data_of(table), spec_of("id"), ["cls"], "belonging")[2] != found[2]
    assert len(set(people_of(data_of(table), spec_of(""), ["cls"], "trust"))) == 3


def test_people_of_stacked_surveys_are_told_apart_by_survey() -> None:
    # stacking tells whose a declared identifier is, and knows of no other
    table = {"survey": ["cls", "panel"], "id": ["cls:7", None], "pidp": [None, "7"]}
    assert people_of(data_of(table), spec_of("id"), ["cls", "panel"], "trust").tolist() == ["cls:7", "panel:7"]


def test_a_survey_behind_two_outcomes_says_who_answered() -> None:
    data = {n: data_of({"id": [1, 2, 3]}, (group("lad22cd"),)) for n in ("belonging", "trust")}
    assert problems_of(spec_of("id"), data) == []
    found = problems_of(spec_of(""), data)
    assert [p.where for p in found] == ["survey.cls.person"]
    assert "belonging and trust are modelled together" in found[0].message


def test_what_cannot_be_coupled_is_told_with_its_group() -> None:
    plain, structured = group("lad22cd"), group("lad22cd", structure=Structure("bym2"))
    data = {"belonging": data_of({"id": [1, 2, 3]}, (plain,)), "trust": data_of({"id": [1, 2, 3]}, (structured,))}
    found = problems_of(spec_of("id"), data)
    assert [p.kind for p in found] == ["unavailable"]
    assert "'lad22cd' of outcome 'trust' has a structure" in found[0].message


def test_outcomes_that_share_no_grouping_have_nothing_to_couple() -> None:
    one, other = (data_of({"id": [1, 2, 3]}, (group(name, "class"),)) for name in ("oac", "ruc"))
    found = problems_of(spec_of("id"), {"belonging": one, "trust": other})
    assert "nothing to couple" in found[0].message


def test_only_groups_that_may_be_coupled_hold_every_level(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("placewise.pipeline.widened.replace", lambda data, design: design)
    groups = (group("lad22cd"), group("oac", "class"), group("msoa21cd"), group("age", "other"))
    found = widened(data_of({"id": [1, 2, 3]}, groups), spec_of("id"))
    assert [len(g.labels) for g in found.groups] == [3, 3, 2, 2]


def test_a_correlation_as_wide_as_its_prior_is_set_by_it() -> None:
    rng = np.random.default_rng(1)
    # LKJ(2) of two: 2 Beta(2, 2) - 1
    wide, known = 2.0 * rng.beta(2.0, 2.0, 4000) - 1.0, rng.normal(0.4, 0.1, 4000)
    draws = {f"cor_{name}": np.ones((1, 4000, 2, 2)) for name in ("lad", "oac")}
    for name, own in (("lad", known), ("oac", wide)):
        draws[f"cor_{name}"][0, :, 0, 1] = draws[f"cor_{name}"][0, :, 1, 0] = own
    dims = {f"cor_{name}": [f"{name}_outcome", f"{name}_outcome2"] for name in ("lad", "oac")}
    coords = {dim: ["belonging", "trust"] for both in dims.values() for dim in both}
    found = told(inference.build(draws, dims, coords, None, {"people": "[]", "joint_khat": 0.1}))
    rows = {row["group"]: row for row in found["correlations"]}
    assert {name: row["set_by_prior"] for name, row in rows.items()} == {"lad": False, "oac": True}
    assert rows["lad"]["q50"] == pytest.approx(0.4, abs=0.01)
    assert (found["people"], found["measures"]) == ([], {"khat": 0.1})
