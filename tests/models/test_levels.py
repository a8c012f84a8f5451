from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from placewise.errors import Problems
from placewise.models.levels import encode, natural_order, stray_text
from placewise.models.variables import Surroundings, Variable


def plain(orders: dict[str, tuple[str, ...]] | None = None) -> Surroundings:
    return Surroundings(pd.DataFrame({"x": [0]}), np.zeros(1, dtype=int), None, None, {}, orders or {})


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["10", "9", "2.5", "-1"], ["-1", "2.5", "9", "10"]),
        (["b10", "b9", "a"], ["a", "b9", "b10"]),
        (["65+", "16-24", "100+", "25-34"], ["16-24", "25-34", "65+", "100+"]),
        (["nan", "2", "10"], ["2", "10", "nan"]),
        (["01", "1", "001"], ["001", "01", "1"]),
        ([], []),
    ],
)
def test_natural_order(labels: list[str], expected: list[str]):
    assert natural_order(labels) == expected


@given(st.sets(st.text(max_size=6), max_size=12))
def test_natural_order_does_not_depend_on_the_order_given(labels: set[str]):
    listed = sorted(labels)
    assert natural_order(listed) == natural_order(listed[::-1])
    assert sorted(natural_order(listed)) == listed


def test_declared_order_leads_and_numbers_become_labels():
    problems = Problems()
    series = pd.Series([3.0, 1.0, 2.0, 1.0])
    levels = encode(Variable("x", "respondents", series, None), plain({"x": ("3", "2", "1", "0")}), "w", problems)
    assert levels is not None
    assert levels.labels == ("3", "2", "1")
    assert levels.among.tolist() == [0, 2, 1, 2]


def test_categorical_columns_keep_their_order():
    series = pd.Series(pd.Categorical(["low", "high", "low"], categories=["low", "mid", "high"]))
    levels = encode(Variable("x", "respondents", series, None), plain(), "w", Problems())
    assert levels is not None
    assert levels.labels == ("low", "high")


def test_values_beyond_the_declared_order_are_a_problem():
    problems = Problems()
    series = pd.Series(["a", "b", "z"], dtype="str")
    assert encode(Variable("x", "respondents", series, None), plain({"x": ("a", "b")}), "w", problems) is None
    assert "'z'" in str(next(iter(problems)))


def test_missing_categories_are_counted():
    problems = Problems()
    series = pd.Series(["a", None, None], dtype="str")
    assert encode(Variable("x", "respondents", series, None), plain(), "w", problems) is None
    problem = next(iter(problems))
    assert "missing for fewer than 10 of fewer than 10 respondents" in problem.message
    assert problem.kind == "data"


def test_text_in_a_column_of_numbers_is_found():
    assert stray_text(["1", "2.5", "-3", "n/a"]) == ["n/a"]
    assert stray_text(["a", "b", "1"]) == []
    assert stray_text(["1", "2"]) == []
