from __future__ import annotations

from typing import Any

import pytest

from placewise.errors import Problems
from placewise.models.estimands import read_estimands
from placewise.models.spec import EstimandSpec
from placewise.schema import Place

ORDER = ("bad", "fair", "good", "very good")


def read(value: Any, family: str = "cumulative", success: tuple[str, ...] = (), items: tuple[str, ...] = ()) -> Any:
    problems = Problems()
    columns = items if family == "graded_response" else ("answer",) if family == "cumulative" else ()
    found = read_estimands(
        value, family, dict.fromkeys(columns, ORDER), success, items, Place("m.toml", problems, key="estimand")
    )
    return found, [str(p) for p in problems]


@pytest.mark.parametrize(
    ("value", "family", "expected"),
    [
        ({"share": ["good", "very good"]}, "cumulative", EstimandSpec("", "share", ("good", "very good"))),
        ("mean", "cumulative", EstimandSpec("", "mean")),
        ("latent", "bernoulli", EstimandSpec("", "latent")),
        ("mean", "bernoulli", EstimandSpec("", "share")),
        ("mean", "gaussian", EstimandSpec("", "mean")),
        ("score", "graded_response", EstimandSpec("", "score")),
        ({"item": "d", "share": ["good"]}, "graded_response", EstimandSpec("", "share", ("good",), "d")),
        (None, "cumulative", EstimandSpec("", "mean")),
        (None, "binomial", EstimandSpec("", "share")),
        (None, "poisson", EstimandSpec("", "mean")),
        (None, "graded_response", EstimandSpec("", "score")),
    ],
)
def test_one_estimand(value: Any, family: str, expected: EstimandSpec) -> None:
    assert read(value, family, items=("c", "d")) == ((expected,), [])


def test_a_table_of_names_holds_several_and_the_first_is_primary() -> None:
    found, problems = read({"well": {"share": ["good", "very good"]}, "average": "mean"})
    assert problems == []
    assert found == (EstimandSpec("well", "share", ("good", "very good")), EstimandSpec("average", "mean"))


def test_the_share_of_successes_may_name_them() -> None:
    assert read({"share": ["yes"]}, "bernoulli", success=("yes",)) == ((EstimandSpec("", "share"),), [])


@pytest.mark.parametrize(
    ("value", "family", "message"),
    [
        ("maen", "cumulative", "estimand: this is no estimand"),
        (3, "cumulative", "this is no estimand"),
        ({}, "cumulative", "there is no estimand in it"),
        ({"shares": ["good"]}, "cumulative", "estimand.shares: this is no estimand"),
        ({"share": ["good"], "itm": "d"}, "cumulative", "estimand.itm: unknown key (did you mean 'item'?)"),
        ({"item": "d"}, "graded_response", "estimand.share: this key is required"),
        ({"share": []}, "cumulative", "expected at least 1 value"),
        ({"share": "good"}, "cumulative", "expected a list"),
        ({"share": ["god"]}, "cumulative", "'god' is not a category of outcome.order (did you mean 'good'?)"),
        ({"share": list(ORDER)}, "cumulative", "the share of all categories is 1 everywhere"),
        ({"share": ["good"], "item": "d"}, "cumulative", "a cumulative outcome has no items"),
        ({"share": ["good"]}, "graded_response", "the share of a scale needs its item"),
        ({"share": ["good"], "item": "z"}, "graded_response", "'z' is not an item of outcome.items"),
        ({"share": ["1"]}, "binomial", "a binomial outcome has no categories"),
        ({"share": ["no"]}, "bernoulli", "the share of a bernoulli outcome is that of its successes"),
        ({"share": ["1"]}, "gaussian", "a gaussian outcome has no 'share' (it has 'mean', 'latent')"),
        ("score", "cumulative", "a cumulative outcome has no 'score'"),
        ({"../up": "mean"}, "cumulative", "cannot be a name"),
    ],
)
def test_what_is_no_estimand_of_the_outcome_is_refused(value: Any, family: str, message: str) -> None:
    _, problems = read(value, family, success=("yes",), items=("c", "d"))
    assert len(problems) == 1
    assert message in problems[0]
