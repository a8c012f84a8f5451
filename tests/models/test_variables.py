from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from placewise.errors import Problems
from placewise.models.build import build_design
from placewise.models.formula import parse_formula


def test_unknown_names_are_one_problem_with_the_nearest(country):
    (problem,) = country.refuse("depravation + log(densty) + (1 | regoin)")
    assert "'depravation', 'densty', 'regoin'" in problem.message
    for known in ("deprivation", "density", "region"):
        assert f"did you mean '{known}'?" in problem.hint


def test_the_nearest_name_may_be_a_column_that_nobody_asked_for(country):
    problems = Problems()
    formula = parse_formula("incom", "model.formula", problems)
    build_design(
        formula,
        respondents=country.respondents,
        area=country.area,
        areas=country.areas,
        frame=None,
        reference={},
        orders={},
        standardise=True,
        cumulative=False,
        problems=problems,
        elsewhere=["income"],
    )
    assert [p.hint for p in problems] == ["did you mean 'income'?"]


def test_a_name_in_both_tables_is_a_problem_unless_it_is_geography(country):
    both = country.with_answers(density=1.0, region="elsewhere", kind="other")
    (problem,) = both.refuse("density")
    assert "both in the areas table and among the respondents" in problem.message
    assert both.build("kind + (1 | region)").groups[0].labels == ("North", "South")


@pytest.mark.parametrize("text", ["mode", "(1 | mode)", "wave", "log(wave)"])
def test_respondent_columns_need_the_frame_or_a_reference(text: str, country):
    (problem,) = country.refuse(text)
    assert "[frame]" in problem.hint
    assert "[model.reference]" in problem.hint
    (problem,) = replace(country, frame=None).refuse(text)
    assert "no frame" in problem.message


def test_frame_columns_must_be_asked_of_respondents(country):
    without = replace(country, respondents=country.respondents.drop(columns="sex"))
    (problem,) = without.refuse("(1 | sex)")
    assert "not among the respondents" in problem.message


def test_references_are_never_ignored(country):
    (problem,) = country.at(moed="online").refuse("(1 | sex)")
    assert "'moed'" in problem.message
    (problem,) = country.at(sex="male").refuse("(1 | sex)")
    assert "the frame and needs no reference" in problem.message
    (problem,) = country.at(density=2.0).refuse("density")
    assert "the areas table and needs no reference" in problem.message
    (problem,) = country.plain().at(mode="online").refuse("mode")
    assert "needs no reference" in problem.message


def test_reference_values_must_be_known(country):
    (problem,) = country.at(mode="onlin").refuse("(1 | mode)")
    assert "'onlin'" in problem.message
    assert problem.hint == "did you mean 'online'?"
    (problem,) = country.at(wave="four").refuse("wave")
    assert "'four'" in problem.message
    assert country.at(wave=4.0).build("(1 | wave)").groups[0].lookup.tolist() == [[3]]
    assert country.at(wave="4").build("(1 | wave)").groups[0].lookup.tolist() == [[3]]


def test_a_new_level_needs_a_varying_term(country):
    (problem,) = country.at(interviewer="draw").refuse("interviewer")
    assert "(1 | interviewer)" in problem.hint
    (problem,) = country.at(wave="draw").refuse("wave")
    assert "'draw'" in problem.message


def test_no_respondents_and_respondents_without_an_area(country):
    empty = replace(country, respondents=country.respondents[:0], area=country.area[:0])
    assert "no respondents" in empty.refuse("sex")[0].message
    without = replace(country, area=np.where(np.arange(120) < 17, -1, country.area))
    (problem,) = without.refuse("sex")
    assert problem.kind == "data"
    assert "17 respondents have no area" in problem.message
