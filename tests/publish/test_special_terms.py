"""Structures, varying slopes and sds by class are told in plain words, and nothing is where there are none."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from placewise.publish.context import ReportContext, SpecialTerms, SurveyUse
from placewise.publish.report import render_report

Maker = Callable[..., ReportContext]

RELATIONS = pd.DataFrame(
    [
        ("next", "age", "", "", "uniform(-1, 1)", 0.81, 0.6, 0.93, False),
        ("neighbours", "lad", "", "", "uniform(0, 1)", 0.4, 0.05, 0.9, True),
        ("correlation", "lad", "intercept", "private_rent", "lkj(2)", -0.2, -0.7, 0.4, True),
        ("class", "type", "suburb", "", "log ~ normal(0, ω²)", 1.3, 0.9, 1.8, False),
    ],
    columns=["kind", "group", "first", "second", "prior", "mean", "q05", "q95", "set_by_prior"],
)


def test_the_method_says_what_was_used(make_context: Maker) -> None:
    special = SpecialTerms(
        structures={"age": "ar1", "year": "rw1", "lad": "bym2"},
        slopes=[("private_rent", "lad", True), ("log(income)", "lad", True), ("sex[male]", "region", False)],
        category_specific=["deprivation"],
        area_scale="type",
        declared=True,
        shrinkage="r2d2(0.5, 2)",
    )
    text = render_report(make_context(special=special))
    for said in (
        "Let it vary.",
        "The groups of age stand in order and each leans towards the one before",
        "The groups of year stand in order and each is held near the next",
        "Neighbouring local authorities lean towards each other",
        "The slopes of private rent and log(income) differ by local authorities, and may go with how high",
        "The slope of sex[male] differs by regions.",
        "The slope of deprivation may differ from one step of the answers to the next.",
        "How much output areas differ from what is expected depends on type, as was declared beforehand.",
        "drawn towards zero together (r2d2(0.5, 2))",
    ):
        assert said in text, said
    assert "Let it vary." not in render_report(make_context())


def test_the_method_says_how_items_and_surveys_tell_of_one_thing(make_context: Maker) -> None:
    surveys = [SurveyUse(name="first", respondents=900), SurveyUse(name="second", respondents=700)]
    text = render_report(make_context(special=SpecialTerms(items=("a", "b", "second:d")), surveys=surveys))
    for said in (
        "Measure.",
        "3 questions tell of one trait.",
        "The figures are those of “first”. The answers of “second” count as far as they follow the same differences",
    ):
        assert said in text, said
    assert "Measure." not in render_report(make_context())


def test_departures_of_a_survey_are_called_so(make_context: Maker) -> None:
    table = pd.DataFrame({
        "group": ["discrepancy:second"], "prior": ["half_normal(0.1)"], "mean": [0.1], "q05": [0.01], "q95": [0.2],
        "set_by_prior": [True],
    })  # fmt: skip
    assert "departures of the survey “second” from place to place" in render_report(make_context(sds=table))


def test_what_ties_effects_together_stands_in_a_table(make_context: Maker) -> None:
    text = render_report(make_context(relations=RELATIONS))
    for said in (
        "What ties effects together",
        "age: correlation with the next",
        "local authorities: share of the variance that neighbours have in common",
        "local authorities: correlation of intercept and slope of private rent",
        "type suburb: size of the output areas&#39; own effects beside the usual",
        "−0.70 to 0.40",
    ):
        assert said in text, said
    for none in (None, RELATIONS.iloc[:0], pd.concat([RELATIONS] * 11)):
        assert "What ties effects together" not in render_report(make_context(relations=none))


def test_sds_of_no_grouping_are_named_in_words(make_context: Maker) -> None:
    sds = make_context().sds
    assert sds is not None
    text = render_report(make_context(sds=sds.assign(group=["category_specific", "area_scale"])))
    assert "slopes from one step of the answers to the next" in text
    assert "category_specific" not in text
    assert "category specific" not in text
