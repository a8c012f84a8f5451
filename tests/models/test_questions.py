"""The questions of a model file: items, categories and surveys that fit together, and those that do not."""

from __future__ import annotations

from typing import Any

import pytest
from edited_tables import DELETE, edited
from model_files import CUMULATIVE, GAUSSIAN, read

from placewise.surveys.items import Question

SCALE = {
    "outcome.survey": ["cls", "ukhls"],
    "outcome.family": "graded_response",
    "outcome.response": DELETE,
    "outcome.items": {"cls": ["b", "c"], "ukhls": ["c", "d", "e"]},
    "outcome.order": {"cls": ["no", "yes"], "ukhls": [1, 2, 3]},
    "outcome.different": ["c"],
    "outcome.estimand": {"item": "c", "share": ["yes"]},
}


def test_a_scale_over_two_surveys_keeps_the_questions_of_each() -> None:
    changes = SCALE | {
        "outcome.question": {"cls": "How often …?", "ukhls": "Do you …?"},
        "model.discrepancy": "lad22cd",
        "model.priors": {"discrimination": "lognormal(0, 1)", "discrepancy": "half_normal(0.2)"},
    }
    tables = edited(CUMULATIVE, changes)
    spec, problems = read(tables, surveys=["ukhls", "cls"])
    assert problems == []
    assert spec is not None
    outcome = spec.outcome
    assert (outcome.surveys, outcome.items, outcome.order) == (("cls", "ukhls"), ("b", "c"), ("no", "yes"))
    assert outcome.questions == {
        "cls": (Question("b", ("no", "yes")), Question("c", ("no", "yes"))),
        "ukhls": tuple(Question(item, ("1", "2", "3")) for item in "cde"),
    }
    assert outcome.different == ("c",)
    assert (outcome.question, outcome.wordings["ukhls"]) == ("How often …?", "Do you …?")
    assert spec.discrepancy == "lad22cd"
    assert set(spec.priors) == {"discrimination", "discrepancy"}
    assert spec.raw == tables


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (["no", "yes"], [("no", "yes")] * 4),
        ({"b": ["no", "yes"], "c": [1, 2, 3]}, [("no", "yes"), ("1", "2", "3")] * 2),
        ({"cls": {"b": ["no", "yes"], "c": [1, 2]}, "ukhls": [1, 2]}, [("no", "yes"), *[("1", "2")] * 3]),
    ],
)
def test_orders_are_of_all_of_each_item_or_of_each_survey(order: Any, expected: list[tuple[str, ...]]) -> None:
    changes = {"outcome.items": ["b", "c"], "outcome.order": order, "outcome.different": ["b", "c"]}
    spec, problems = read(edited(CUMULATIVE, SCALE | changes | {"outcome.estimand": "score"}))
    assert problems == []
    assert spec is not None
    assert [q.levels for s in ("cls", "ukhls") for q in spec.outcome.questions[s]] == expected


def test_one_question_of_two_surveys_has_a_column_and_an_order_in_each() -> None:
    changes = {
        "outcome.survey": ["cls", "ukhls"],
        "outcome.response": {"cls": "belonging", "ukhls": "scopngbha"},
        "outcome.order": {"cls": ["not at all", "not very", "fairly", "very"], "ukhls": ["1", "2", "3"]},
        "model.priors": {"shift": "normal(0, 0.2)"},
    }
    spec, problems = read(edited(CUMULATIVE, changes))
    assert problems == []
    assert spec is not None
    assert spec.outcome.response == "belonging"
    assert spec.outcome.questions["ukhls"] == (Question("scopngbha", ("1", "2", "3")),)
    assert spec.outcome.is_measured
    alone, _ = read(CUMULATIVE)
    assert alone is not None
    assert not alone.outcome.is_measured


MISFITS: list[tuple[dict[str, Any], str]] = [
    ({"outcome.different": DELETE}, "outcome.order: 'c' has other categories in survey 'ukhls' than in 'cls'"),
    ({"outcome.wordings": {"cc": "Trust?"}}, "outcome.wordings.cc: 'cc' is not an item of this outcome (did you mean"),
    ({"outcome.different": ["b"]}, "'b' is not an item that several surveys ask"),
    ({"outcome.survey": "cls", "outcome.items": ["b", "c"], "outcome.order": ["no", "yes"]}, "there is one survey"),
    ({"outcome.items": {"cls": ["b"], "ukhls": ["b", "c"]}}, "the reference survey are a scale, expected at least 2"),
    ({"outcome.items": {"cls": ["b", "c"]}}, "outcome.items: there is none for survey 'ukhls'"),
    ({"outcome.order": {"cls": ["no", "yes"]}}, "outcome.order: there is none for survey 'ukhls'"),
    ({"outcome.order": {"cls": ["no", "yes"], "ukls": [1, 2]}}, "'ukls' is not a survey of this outcome"),
    ({"outcome.order": {"b": ["no", "yes"], "c": [1, 2]}}, "outcome.order: there is none for item 'd'"),
    ({"outcome.order": {"cls": {"b": ["no", "yes"]}, "ukhls": [1, 2]}}, "order.cls: there is none for item 'c'"),
    (
        {"outcome.survey": "cls", "outcome.items": ["b", "c"], "outcome.order": {"bb": [1, 2], "cc": [1, 2]}},
        "'bb' is not an item of this outcome",
    ),
    ({"outcome.order": {"b": {"b": [1, 2]}, "c": [1, 2]}}, "expected a list of categories for each item"),
    ({"outcome.order": [str(k) for k in range(101)]}, "expected at most 100 categories, got 101"),
    ({"outcome.response": "b", "outcome.items": DELETE}, "outcome.response: a scale has several items"),
    ({"outcome.items": DELETE}, "outcome.items: this key is required"),
    ({"outcome.estimand": {"item": "c", "share": ["ja"]}}, "'ja' is not a category of outcome.order"),
    ({"model.priors": {"intercept": "normal(0, 1)"}}, "a graded_response model has no intercept"),
    ({"model.priors": {"shift": "normal(1, 1)"}}, "a shift is normal about 0"),
    ({"model.priors": {"discrimination": "normal(1, 1)"}}, "'discrimination' cannot be negative"),
    ({"model.priors": {"discrepancy": "normal(0, 1)"}}, "'discrepancy' cannot be negative"),
]


@pytest.mark.parametrize(("changes", "message"), MISFITS)
def test_questions_that_do_not_fit_together_are_refused(changes: dict[str, Any], message: str) -> None:
    spec, problems = read(edited(edited(CUMULATIVE, SCALE), changes), surveys=["cls", "ukhls"])
    assert spec is None
    assert any(message in str(p) for p in problems), [str(p) for p in problems]


@pytest.mark.parametrize("family", ["gaussian", "bernoulli", "poisson"])
def test_other_families_have_one_survey(family: str) -> None:
    spec, problems = read(edited(GAUSSIAN, {"outcome.survey": ["cls", "ukhls"], "outcome.family": family}))
    assert spec is None
    assert [p.where for p in problems] == ["models/belonging.toml: outcome.survey"]
    assert f"a {family} outcome has one survey, got 2" in str(problems[0])
    assert ("two categories" in problems[0].hint) == (family == "bernoulli")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"outcome.items": ["a", "b"]}, "outcome.items: there is 'response' too"),
        ({"outcome.items": ["a", "b"], "outcome.response": DELETE}, "a gaussian outcome has one response and no items"),
    ],
)
def test_items_belong_to_scales(changes: dict[str, Any], message: str) -> None:
    spec, problems = read(edited(GAUSSIAN, changes))
    assert spec is None
    assert any(message in str(p) for p in problems)
