from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from placewise.errors import Problems
from placewise.surveys.instruments import Instruments
from placewise.surveys.items import Answers, Question, encode_items, join_answers, shared_columns
from placewise.surveys.respondents import Respondents

ORDER = ("no", "rather", "yes")


def people(name: str = "first", **columns: list[str | None]) -> Respondents:
    table = pd.DataFrame({k: pd.Series(v, dtype="str") for k, v in columns.items()})
    n = len(table)
    codes = np.array(["E1"] * n, dtype=object)
    return Respondents(
        name, table, "oa", codes, np.zeros(n, dtype=np.int64), None, None, None, n, available=(*columns, "other")
    )


def encoded(respondents: Respondents, *columns: str) -> tuple[Answers | None, list[str]]:
    problems = Problems()
    found = encode_items(respondents, [Question(c, ORDER) for c in columns], problems, "m.toml: outcome.items")
    return found, [str(p) for p in problems]


def test_missing_items_stay_missing_and_only_persons_without_any_answer_leave() -> None:
    found, problems = encoded(people(a=["yes", None, "no", None], b=["no", "rather", None, None]), "a", "b")
    assert problems == []
    assert found is not None
    assert found.values.dtype == np.int8
    assert found.values.tolist() == [[2, 0], [-1, 1], [0, -1]]
    assert found.kept.tolist() == [True, True, True, False]
    [lost] = found.dropped
    assert (lost.column, lost.count) == ("", 1)
    assert lost.reason.startswith("no item answered: ")


def test_declared_codes_and_blanks_are_told_apart_where_all_are_missing() -> None:
    respondents = people(a=["yes", None, None, "no"], b=["no", None, None, "yes"])
    declared = {"a": np.array([False, True, True, False]), "b": np.array([False, True, False, False])}
    respondents = Respondents(**{**vars(respondents), "declared": declared})
    found, _ = encoded(respondents, "a", "b")
    assert found is not None
    assert [(d.reason, d.count) for d in found.dropped] == [
        ("no item answered: declared missing codes only", 1),
        ("no item answered: blank, or blank and declared missing codes", 1),
    ]
    alone, _ = encoded(respondents, "a")
    assert alone is not None
    assert [(d.column, d.reason, d.count) for d in alone.dropped] == [("a", "declared missing code", 2)]


@pytest.mark.parametrize(
    ("columns", "asked", "message"),
    [
        ({"a": ["yes", "no"]}, ("a", "othr"), "survey 'first' has no column 'othr' (did you mean 'other'?)"),
        ({"a": ["yes"] * 12 + ["8"] * 11}, ("a",), "answers in 'a' of survey 'first' are not in outcome.order"),
        ({"a": ["yes", "no"], "b": [None, None]}, ("a", "b"), "no respondent of survey 'first' has an answer in 'b'"),
        ({"a": ["yes", None]}, ("a",), "fewer than two respondents of survey 'first' have an answer in 'a', expected"),
        ({"a": [None, None]}, ("a",), "fewer than two respondents of survey 'first' have an answer in 'a', expected"),
        (
            {"a": ["yes", None], "b": ["no", None]},
            ("a", "b"),
            "fewer than two respondents of survey 'first' have an answer in 'a', 'b', expected two or more",
        ),
    ],
)
def test_answers_that_cannot_be_used_are_told(columns: dict[str, list[str]], asked: tuple[str], message: str) -> None:
    found, problems = encoded(people(**columns), *asked)
    assert found is None
    assert [message in p for p in problems] == [True]


def joined(scale: bool = True, different: tuple[str, ...] = ()) -> Instruments:
    first, _ = encoded(people(a=["yes", "no", "yes"], b=["no", "rather", None]), "a", "b")
    second, _ = encoded(people("second", b=["yes", "no"], d=[None, "rather"]), "b", "d")
    assert first is not None
    assert second is not None
    second = Answers(second.survey, second.questions, np.array([[2, -1], [0, 1], [1, 0]]), np.ones(3, bool), ())
    problems = Problems()
    response = join_answers([first, second], different, scale, problems, "m.toml: outcome")
    assert list(problems) == []
    assert response is not None
    assert response.instruments is not None
    assert response.y.tolist() == [2, 0, 2, 2, 0, 1]
    assert response.levels == ()
    told = "common to several surveys, with the same parameters in each: 'b'" in response.notes
    assert told == (not different)
    return response.instruments


def test_items_of_one_name_are_one_instrument() -> None:
    found = joined()
    assert found.names == ("first:a", "b", "second:d")
    assert found.surveys == ("first", "second")
    assert found.survey.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.answers.tolist() == [[2, 0, -1], [0, 1, -1], [2, -1, -1], [-1, 2, -1], [-1, 0, 1], [-1, 1, 0]]
    assert found.cuts.tolist() == [0, 2, 4, 6]
    assert found.cut_labels[2:4] == ["b: no | rather", "b: rather | yes"]
    assert found.asked.tolist() == [[True, True, False], [False, True, True]]
    assert [found.named("a", "first"), found.named("b", "second"), found.named("d", "second")] == [0, 1, 2]


def test_a_common_item_that_differs_is_two() -> None:
    found = joined(different=("b",))
    assert found.names == ("first:a", "first:b", "second:b", "second:d")
    assert found.asked.sum(axis=0).tolist() == [1, 1, 1, 1]


def test_items_of_one_survey_keep_their_names() -> None:
    own, _ = encoded(people(a=["yes", "no"], b=["no", "yes"]), "a", "b")
    assert own is not None
    response = join_answers([own], (), True, Problems(), "m.toml: outcome")
    assert response is not None
    assert response.instruments is not None
    assert response.instruments.names == ("a", "b")
    assert response.notes == ("no respondent answered 'rather' in 'a'", "no respondent answered 'rather' in 'b'")


def test_one_answer_to_an_item_teaches_nothing() -> None:
    own, _ = encoded(people(a=["yes", "no"], b=["no", "no"]), "a", "b")
    assert own is not None
    problems = Problems()
    assert join_answers([own], (), True, problems, "m.toml: outcome") is None
    assert "all respondents gave the same answer in 'b'" in str(next(iter(problems)))


def test_shared_columns_are_those_of_several_surveys() -> None:
    asked = {"x": (Question("a", ORDER), Question("b", ORDER)), "y": (Question("b", ORDER), Question("c", ORDER))}
    assert shared_columns(asked) == ("b",)
    assert shared_columns(asked, ["b"]) == ()
