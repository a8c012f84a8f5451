"""Margins and design effects of a survey, against closed forms and counts by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from placewise.diagnostics.survey import check_margins, describe_survey
from placewise.diagnostics.survey.design import cluster_facts, weight_facts
from placewise.diagnostics.survey.margins import frame_population, margin, places
from placewise.frame.cells import Frame
from placewise.geography.areas import AreaTable
from placewise.surveys.account import Account, Check
from placewise.surveys.design import SurveyDesign
from placewise.surveys.respondents import Respondents

N = 200
RNG = np.random.default_rng(7)


def people(**columns: object) -> Respondents:
    i = np.arange(N)
    table = pd.DataFrame(
        {
            "sex": pd.Series(np.where(i % 4 == 0, "male", "female"), dtype="str"),
            "tenure": pd.Series(np.where(i < 5, "caravan", np.where(i < 120, "own", "rent")), dtype="str"),
            "trust": i % 5 + 1.0,
            "person": i + 1.0,
            **columns,
        }
    )
    codes = np.array([f"E{k}" for k in i % 4], dtype=object)
    weight = np.where(i % 4 == 0, 3.0, 1.0)
    account = Account("cls", checks=(Check("direction", "pass", "as it should be"),), read=N, kept=N)
    return Respondents("cls", table, "oa", codes, i % 4, weight, None, None, N, account=account)


def design(of: Respondents | None = None) -> SurveyDesign:
    return SurveyDesign.of(of or people())


@pytest.fixture
def areas() -> AreaTable:
    table = pd.DataFrame({"oa": [f"E{k}" for k in range(6)], "lad": list("aabbcc"), "region": list("RRRRSS")})
    names = {"region": {"R": "North", "S": "South"}}
    population = 1000 * np.array([1.0, 2, 3, 4, 5, 5])
    return AreaTable(table.astype("str"), "oa", ("lad", "region"), (), population, np.ones(6, dtype=bool), names)


@pytest.fixture
def frame() -> Frame:
    cells = pd.DataFrame({"sex": ["female", "male", "female"], "tenure": ["own", "own", "rent"]}).astype("str")
    indptr = np.arange(0, 21, 3)
    cell = np.tile(np.arange(3, dtype=np.int32), 6)
    return Frame(cells, indptr, cell, np.tile([20.0, 30.0, 50.0], 6))


def test_shares_with_and_without_weights_beside_the_populations(frame: Frame) -> None:
    found = margin("sex", people().table["sex"], design(), frame_population(frame, "sex"), "frame")
    female, male = found.shares
    assert (female.category, female.respondents, male.respondents) == ("female", 150, 50)
    assert (female.unweighted, female.weighted, female.population) == (0.75, 0.5, 0.7)
    assert found.answered == N
    assert found.source == "frame"
    # everyone a unit of the only stratum: s² of w(y − mean)/Σw, n/(n − 1) of its squares
    score = np.where(people().table["sex"] == "male", 3.0 * 0.5, -0.5) / 300
    assert male.se == pytest.approx(np.sqrt(N / (N - 1) * (score**2).sum()), rel=1e-12)


def test_equal_weights_have_a_design_effect_of_one_and_clusters_of_alike_their_size() -> None:
    plain = replace(people(), weight=None)
    share = margin("sex", plain.table["sex"], design(plain)).shares[0]
    assert share.deff == pytest.approx(1.0, rel=1e-12)
    assert share.weighted == share.unweighted
    # ten of each unit answer alike: the effect is the size of a unit, but for the degrees of freedom
    alike = pd.Series(np.repeat(RNG.permuted(np.array(["a", "b"] * 10)), 10), dtype="str")
    clustered = replace(plain, psu=np.repeat(np.arange(20), 10).astype(object))
    found = margin("x", alike, design(clustered)).shares[0]
    assert found.deff == pytest.approx(10 * (20 / 19) / (N / (N - 1)), rel=1e-12)


def test_who_did_not_answer_is_outside_the_shares(frame: Frame) -> None:
    sex = people().table["sex"].where(np.arange(N) % 2 == 0)
    found = margin("sex", sex, design())
    assert found.answered == 100
    assert [s.unweighted for s in found.shares] == [0.5, 0.5]
    assert [s.weighted for s in found.shares] == [0.25, 0.75]
    assert found.source == ""


def test_few_respondents_are_not_told_nor_could_be_worked_out(frame: Frame) -> None:
    found = margin("tenure", people().table["tenure"], design(), frame_population(frame, "tenure"), "frame")
    caravan, own, rent = found.to_json()["shares"]
    # five live in caravans: the next smallest group is not told either
    assert caravan["respondents"] is None
    assert rent["respondents"] is None
    assert rent["unweighted"] is rent["weighted"] is rent["se"] is None
    assert own["respondents"] == 120
    assert own["unweighted"] == 0.575
    assert rent["population"] == 0.5
    assert "5," not in json.dumps(caravan)
    assert found.strange() == ("caravan",)


def test_margins_of_places_are_of_levels_that_the_link_tells(areas: AreaTable) -> None:
    (region, lad) = places(people(), design(), areas, None)
    assert (region.variable, lad.variable) == ("region", "lad")
    assert [(s.category, s.population, s.respondents) for s in region.shares] == [
        ("North", 0.5, N),
        ("South", 0.5, 0),
    ]
    assert region.lacking() == ("South",)
    assert [s.unweighted for s in lad.shares] == [0.5, 0.5, 0.0]
    above = replace(people(), link="lad", codes=np.array(list("ab") * 100, dtype=object))
    assert [m.variable for m in places(above, design(), areas, None)] == ["region", "lad"]
    highest = replace(people(), link="region", codes=np.array(["R"] * N, dtype=object))
    assert [m.variable for m in places(highest, design(), areas, None)] == ["region"]


def test_kishs_effect_is_one_plus_the_squared_variation_of_the_weights() -> None:
    facts = weight_facts(people())
    assert facts is not None
    weight = people().weight
    assert weight is not None
    assert facts.deff == pytest.approx(1 + weight.var() / weight.mean() ** 2, rel=1e-12)
    assert facts.n_eff == pytest.approx(N / facts.deff, rel=1e-12)
    assert facts.cv == pytest.approx(weight.std() / weight.mean(), rel=1e-12)
    assert facts.heaviest is None
    assert weight_facts(replace(people(), weight=None)) is None


def test_units_are_counted_within_strata() -> None:
    strata = np.repeat(["x", "y", "z", "z"], 50).astype(object)
    psu = np.array([f"p{k // 25 % 2}" for k in range(N)], dtype=object)
    psu[strata == "y"] = "p0"
    facts = cluster_facts(replace(people(), psu=psu, strata=strata))
    assert facts is not None
    assert (facts.units, facts.strata, facts.lonely, facts.respondents) == (5, 3, 1, 40.0)
    assert cluster_facts(people()) is None
    only_strata = cluster_facts(replace(people(), strata=strata))
    assert only_strata is not None
    assert (only_strata.units, only_strata.strata) == (None, 3)


def test_a_description_orders_checks_and_leaves_out_who_a_respondent_is(areas: AreaTable, frame: Frame) -> None:
    found = describe_survey(people(), areas, frame, first={"tenure"}, without={"person"})
    assert [m.variable for m in found.margins] == ["tenure", "sex", "region", "lad"]
    assert [n.variable for n in found.numbers] == ["trust"]
    (trust,) = found.numbers
    values, weight = people().table["trust"], people().weight
    assert trust.weighted == pytest.approx(np.average(values, weights=weight), rel=1e-12)
    assert trust.sd == pytest.approx(values.std(), rel=1e-12)
    by_name = {check.name: check for check in found.checks}
    assert by_name["direction"].verdict == "pass"
    assert by_name["tenure beside the frame"].verdict == "fail"
    assert "'caravan'" in by_name["tenure beside the frame"].message
    assert by_name["sex beside the frame"].verdict == "warn"
    assert "'female' has 20.0 points less than in the frame" in by_name["sex beside the frame"].message
    assert by_name["region beside the areas"].verdict == "warn"
    assert "no respondent has 'South'" in by_name["region beside the areas"].message
    json.dumps(found.to_json(), allow_nan=False)
    with pytest.raises(ValueError, match="no account"):
        describe_survey(replace(people(), account=None), areas, frame)


def test_a_survey_like_its_population_passes_and_says_how_near(areas: AreaTable, frame: Frame) -> None:
    plain = replace(people(), weight=None)
    sex = {check.name: check for check in describe_survey(plain, areas, frame).checks}["sex beside the frame"]
    # 75% of respondents and 70% of the population are female
    assert sex == Check(sex.name, "pass", "the shares are within 5.0 points of the population's")


def test_respondents_are_not_counted_by_neighbourhoods(areas: AreaTable) -> None:
    # 20,000 people in three authorities, then 10,000
    assert [m.variable for m in places(people(), design(), areas, None)] == ["region", "lad"]
    assert areas.population is not None
    smaller = replace(areas, population=areas.population / 2)
    assert [m.variable for m in places(people(), design(), smaller, None)] == ["region"]
    by_class = replace(smaller, levels=("region",), classes=("lad",))
    assert [m.variable for m in places(people(), design(), by_class, None)] == ["region", "lad"]


def test_rare_answers_among_many_are_not_named() -> None:
    towns = pd.Series([f"town {k % 12}" for k in range(N)], dtype="str")
    towns[[3, 5]] = "my farm"
    found = margin("town", towns, design())
    assert len(found.shares) == 13
    assert "farm" not in json.dumps(found.to_json())
    assert "my farm" in {s.category for s in margin("town", towns, design(), {"my farm": 9.0}, "frame").shares}


def sexes(women: int, of: int = 10_000) -> Respondents:
    table = pd.DataFrame({"sex": pd.Series(np.where(np.arange(of) < women, "female", "male"), dtype="str")})
    account = Account("cls", read=of, kept=of)
    nobody = np.full(of, -1)
    return Respondents(
        "cls", table, "oa", np.full(of, "E0", dtype=object), nobody, None, None, None, of, account=account
    )


def test_a_share_beyond_sampling_error_and_three_points_warns(frame: Frame) -> None:
    # 70% of the population are female; 1.96 √(.7 · .3 / 10,000) is .9 points
    [near] = check_margins(sexes(6_620), frame)
    [far] = check_margins(sexes(6_590), frame)
    [exchanged] = check_margins(sexes(3_000), frame)
    assert (near.name, near.verdict, far.verdict) == ("sex beside the frame", "pass", "warn")
    assert exchanged.verdict == "warn"
    assert "'female' has 40.0 points less than in the frame" in exchanged.message
    assert "are labels exchanged" in exchanged.message
    # of 200 respondents sampling error alone is 6 points
    assert check_margins(sexes(124, 200), frame)[0].verdict == "pass"
    assert check_margins(sexes(6_620), None) == ()


def test_sexes_as_even_as_in_the_population_do_not_show_exchanged_labels(frame: Frame) -> None:
    even = replace(frame, count=np.tile([20.0, 49.0, 31.0], 6))
    [check] = check_margins(sexes(5_100), even)
    assert check.verdict == "pass"
    assert "exchanged, it would not show here" in check.message
    assert "exchanged" not in check_margins(sexes(7_000), frame)[0].message
