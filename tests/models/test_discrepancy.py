from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from placewise.errors import Problems
from placewise.geography.areas import AreaTable
from placewise.models.design import Column, Design, Group
from placewise.models.discrepancy import is_shift, with_discrepancies
from placewise.models.prior_plan import check_collective_keys, plan_priors
from placewise.models.priors import Prior
from placewise.surveys.instruments import Instruments

N, OAS = 240, 40
TABLE = pd.DataFrame({
    "oa": [f"A{a:02d}" for a in range(OAS)],
    "msoa": [f"S{a % 20:02d}" for a in range(OAS)],
    "lad": [f"L{a % 4}" for a in range(OAS)],
    "region": [f"R{a % 2}" for a in range(OAS)],
    "kind": ["ab"[a % 2] for a in range(OAS)],
})  # fmt: skip
AREAS = AreaTable(TABLE, "oa", ("msoa", "lad", "region"), ("kind",), None, np.ones(OAS, dtype=bool))
ROW = np.arange(N) % OAS
PLACES = {c: TABLE[c].to_numpy(dtype=object)[ROW] for c in ("msoa", "lad", "region", "kind")}
LAD = Group("lad", "geography", ("L0", "L1", "L2", "L3"), ROW % 4, ("L0", "L1", "L2", "L3"))
DESIGN = Design(True, (Column("x", np.zeros(N)),), (LAD,), N)


def measured(asked: list[list[bool]], sizes: tuple[int, ...]) -> Instruments:
    """Surveys of these sizes that ask these of the items."""
    survey = np.repeat(np.arange(len(sizes)), sizes)
    answers = np.where(np.array(asked)[survey], 0, -1).astype(np.int8)
    names = tuple("abcdef"[: answers.shape[1]])
    surveys = ("first", "second", "third")[: len(sizes)]
    return Instruments(names, (("no", "yes"),) * len(names), answers, surveys, survey, True)


COMMON = measured([[True, True, False], [False, True, True]], (140, 100))
NONE_COMMON = measured([[True, False], [False, True]], (140, 100))


def build(
    instruments: Instruments | None,
    asked: str = "",
    places: dict[str, np.ndarray] | None = None,
    areas: AreaTable = AREAS,
):
    problems = Problems()
    shown = PLACES if places is None else places
    design = with_discrepancies(DESIGN, instruments, areas, shown, asked, "m.toml: model.discrepancy", problems)
    return design, [str(p) for p in problems]


def test_a_second_survey_departs_place_by_place_and_as_a_whole() -> None:
    design, problems = build(COMMON)
    assert problems == []
    places, shift = design.groups[1:]
    assert (places.name, places.survey, places.role) == ("discrepancy:second", "second", "other")
    # twenty respondents of the second survey in each of four authorities, five in each of twenty neighbourhoods
    assert (places.dim, places.labels) == ("lad", LAD.labels)
    np.testing.assert_array_equal(places.index, LAD.index)
    np.testing.assert_array_equal(places.by.values, np.repeat([0.0, 1.0], [140, 100]))
    assert places.lookup is None
    assert places.labels_areas
    assert (shift.name, shift.survey, shift.labels) == ("shift:second", "second", ("second",))
    np.testing.assert_array_equal(shift.by.values, places.by.values)
    assert [is_shift(g) for g in design.groups] == [False, False, True]
    assert "lad" in design.geography
    assert any("'second' may depart from 'first' in each lad" in note for note in design.notes)


@pytest.mark.parametrize(("size", "level"), [(100, "lad"), (60, "region"), (20, "region")])
def test_the_level_is_the_finest_with_twenty_respondents_an_area_else_the_coarsest(size: int, level: str) -> None:
    design, _ = build(measured([[True, True], [True, True]], (N - size, size)))
    assert len(design.groups[1].labels) == {"lad": 4, "region": 2}[level]
    assert any(f"in each {level}" in note for note in design.notes)


def test_the_model_file_may_name_the_level_or_a_class() -> None:
    assert len(build(COMMON, "msoa")[0].groups[1].labels) == 20
    kind = build(COMMON, "kind")[0].groups[1]
    assert (kind.labels, kind.labels_areas, kind.dim) == (("a", "b"), False, "discrepancy:second")


@pytest.mark.parametrize(
    ("asked", "places", "message"),
    [
        ("lda", PLACES, "'lda' is neither a level nor a class of the areas (did you mean 'lad'?)"),
        ("msoa", {"lad": PLACES["lad"]}, "respondents are linked above 'msoa'"),
    ],
)
def test_a_level_that_is_not_known_is_told(asked: str, places: dict[str, np.ndarray], message: str) -> None:
    design, problems = build(COMMON, asked, places)
    assert design is DESIGN
    assert [message in p for p in problems] == [True]


def _small(name: str, code: str) -> tuple[AreaTable, dict[str, np.ndarray]]:
    """The authorities' column under another name and with other codes, and where respondents are."""
    column = TABLE["lad"].str.replace("L", code)
    table = TABLE.drop(columns="lad").assign(**{name: column})
    places = {"msoa": PLACES["msoa"], name: column.to_numpy(dtype=object)[ROW], "region": PLACES["region"]}
    return AreaTable(table, "oa", ("msoa", name, "region"), (), None, np.ones(OAS, dtype=bool)), places


@pytest.mark.parametrize(("name", "code"), [("lsoa21cd", "L"), ("place", "E0100000")])
def test_places_finer_than_middle_layer_areas_are_not_told(name: str, code: str) -> None:
    areas, places = _small(name, code)
    design, (problem,) = build(COMMON, name, places, areas)
    assert design is DESIGN
    assert f"those of '{name}' are finer than middle layer areas" in problem
    assert "name a coarser one: 'msoa', 'region'" in problem
    # twenty respondents in each of them, so that it would be chosen
    assert len(build(COMMON, "", places, areas)[0].groups[1].labels) == 2
    areas, places = _small("ward", "E0500000")
    assert len(build(COMMON, "", places, areas)[0].groups[1].labels) == 4


def test_without_a_common_item_cutpoints_take_the_place_of_a_shift() -> None:
    design, _ = build(NONE_COMMON)
    assert [g.name for g in design.groups] == ["lad", "discrepancy:second"]
    assert any("linked only through the scale factor" in note for note in design.notes)
    assert not any("scale factor" in note for note in build(COMMON)[0].notes)


@pytest.mark.parametrize(
    ("asked", "shifted"),
    [
        # the third shares with both of the others: their shifts are told apart from one another
        ([[True, False, False], [False, True, False], [True, True, True]], ["second", "third"]),
        # the second and third share with each other only: one shift between them
        ([[True, False, False], [False, True, False], [False, True, True]], ["third"]),
        ([[True, False, False], [False, True, False], [False, False, True]], []),
        ([[True, True, True]] * 3, ["second", "third"]),
    ],
)
def test_as_many_shifts_as_shared_cutpoints_tell(asked: list[list[bool]], shifted: list[str]) -> None:
    design, _ = build(measured(asked, (80, 80, 80)))
    assert [g.survey for g in design.groups if is_shift(g)] == shifted
    assert [g.survey for g in design.groups if g.survey and not is_shift(g)] == ["second", "third"]


def test_one_survey_departs_from_nothing() -> None:
    assert build(None)[0] is DESIGN
    assert build(measured([[True, True]], (N,)))[0] is DESIGN


def test_areas_without_levels_have_no_departures_but_a_shift() -> None:
    design, problems = build(COMMON, places={})
    assert problems == []
    assert [g.name for g in design.groups] == ["lad", "shift:second"]
    assert any("departs nowhere" in note for note in design.notes)


def test_priors_of_departures_and_shifts() -> None:
    design, _ = build(COMMON)
    plan = plan_priors({}, None, design, "oa", "graded_response", instruments=True)
    assert str(plan.sds["discrepancy:second"]) == "half_normal(0.1)"
    assert str(plan.sds["shift:second"]) == "fixed(0.5)"
    assert plan.shared == ("lad",)
    written = {"discrepancy": Prior("half_normal", (0.3,)), "shift": Prior("normal", (0.0, 0.2))}
    plan = plan_priors(written, None, design, "oa", "graded_response", instruments=True)
    assert str(plan.sds["discrepancy:second"]) == "half_normal(0.3)"
    assert str(plan.sds["shift:second"]) == "fixed(0.2)"
    own = {"sd:discrepancy:second": Prior("half_normal", (1.0,))}
    assert str(plan_priors(own, None, design, "oa", "cumulative").sds["discrepancy:second"]) == "half_normal(1)"


def test_priors_that_no_survey_takes_are_told() -> None:
    written = {"discrepancy": Prior("half_normal", (0.3,)), "shift": Prior("normal", (0.0, 0.2))}
    for design, count in ((build(COMMON)[0], 0), (build(NONE_COMMON)[0], 1), (DESIGN, 2)):
        problems = Problems()
        check_collective_keys(written, None, design, "m.toml", problems)
        assert len(problems) == count


def test_a_shift_has_its_prior_under_its_own_key() -> None:
    problems = Problems()
    check_collective_keys({"sd:shift:second": Prior("half_normal", (1.0,))}, None, build(COMMON)[0], "m.toml", problems)
    assert ["write its prior under 'shift'" in str(p) for p in problems] == [True]
