from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from placewise.errors import Problems
from placewise.surveys.outcome import Response, encode_response
from placewise.surveys.respondents import Dropped, Respondents

ORDER = ("bad", "fair", "good")


def respondents(**columns: Any) -> Respondents:
    table = pd.DataFrame(columns)
    n = len(table)
    return Respondents(
        "cls",
        table,
        "oa",
        np.full(n, "E1", dtype=object),
        np.zeros(n, np.int64),
        None,
        None,
        None,
        n,
        available=(*table.columns, "health"),
    )


def encode(family: str, y: list[Any], beside: dict[str, list[Any]] | None = None, **how: Any) -> Response:
    problems = Problems()
    people = respondents(y=y, **(beside or {}))
    found = encode_response(people, problems, where="models/m.toml", response="y", family=family, **how)
    assert found is not None, list(map(str, problems))
    return found


def faults(family: str, y: list[Any], beside: dict[str, list[Any]] | None = None, **how: Any) -> str:
    problems = Problems()
    people = respondents(y=y, **(beside or {}))
    assert encode_response(people, problems, where="models/m.toml", response="y", family=family, **how) is None
    assert {p.kind for p in problems} == {"data"}
    return "\n".join(map(str, problems))


def test_categories_in_their_order() -> None:
    found = encode("cumulative", ["good", None, "bad", "good"], order=ORDER)
    assert found.y.tolist() == [2, 0, 2]
    assert found.y.dtype == np.int64
    assert found.kept.tolist() == [True, False, True, True]
    assert found.levels == ORDER
    assert found.dropped == (Dropped("y", "blank", 1),)
    assert found.notes == ("no respondent answered 'fair'",)


def test_numeric_categories_match_their_text() -> None:
    assert encode("cumulative", [1.0, 3.0, 2.0], order=("1", "2", "3")).y.tolist() == [0, 2, 1]


def test_undeclared_categories_are_counted_from_ten_on() -> None:
    text = faults("cumulative", ["good", "bad"] * 5 + ["don't know"] * 12 + ["Fair"] * 3, order=ORDER)
    assert "outcome.response: answers are not in outcome.order: \"don't know\" (12), 'Fair' (fewer than 10)" in text
    assert "survey's missing" in text


def test_zero_and_one() -> None:
    assert encode("bernoulli", [0, 1, 1, np.nan]).y.tolist() == [0.0, 1.0, 1.0]
    text = faults("bernoulli", [0.0, 1.0] * 20 + [-9.0] * 11 + [97.0])
    assert "answers are not 0 or 1: '-9' (11), '97' (fewer than 10)" in text


def test_text_answers_need_successes() -> None:
    assert encode("bernoulli", ["yes", "no", "yes"], success=("yes",)).y.tolist() == [1.0, 0.0, 1.0]
    assert "name the answers in outcome.success" in faults("bernoulli", ["yes", "no"])
    assert "no respondent answered 'Yes' (did you mean 'yes'?)" in faults("bernoulli", ["yes", "no"], success=("Yes",))


@pytest.mark.parametrize(
    ("y", "success", "stray"),
    [
        (["yes", "no", "97"], ("yes",), ["97"]),
        ([1.0, 2.0, 8.0, 9.0], ("1",), ["8", "9"]),
        ([1.0, 2.0, -9.0], ("1",), ["-9"]),
        ([1.0, 2.0, 3.0, 4.0, 97.0], ("1", "2"), ["97"]),
        ([float(k) for k in range(11)], ("8", "9", "10"), []),
        ([1.0, 3.0], ("1",), []),
        ([0.0, 8.0], ("8",), []),
    ],
)
def test_codes_for_no_answer_are_no_failures(y: list[Any], success: tuple[str, ...], stray: list[str]) -> None:
    if stray:
        text = faults("bernoulli", y, success=success)
        assert "answers look like codes for no answer" in text
        assert all(repr(s) in text for s in stray)
    else:
        assert encode("bernoulli", y, success=success).y.sum() == len(success)


def test_binomial_counts() -> None:
    found = encode("binomial", [0, 3, 5, 1], {"n": [4, 3, np.nan, 2]}, trials="n")
    assert found.y.tolist() == [0.0, 3.0, 1.0]
    assert found.trials is not None
    assert found.trials.tolist() == [4.0, 3.0, 2.0]
    assert found.dropped == (Dropped("n", "blank", 1),)
    assert "more successes than trials for fewer than 10" in faults("binomial", [5, 1], {"n": [4, 4]}, trials="n")
    assert "not whole numbers of successes: '1.5'" in faults("binomial", [1.5, 1], {"n": [4, 4]}, trials="n")
    assert "outcome.trials: answers are not whole numbers above zero" in faults(
        "binomial", [0, 1], {"n": [0, 4]}, trials="n"
    )
    assert "all trials for every respondent" in faults("binomial", [2, 3], {"n": [2, 3]}, trials="n")


def test_poisson_counts() -> None:
    found = encode("poisson", [0, 3], {"t": [1.5, 2.0]}, exposure="t")
    assert found.exposure is not None
    assert found.exposure.tolist() == [1.5, 2.0]
    assert "'-1'" in faults("poisson", [-1, 2])
    assert "outcome.exposure" in faults("poisson", [1, 2], {"t": [0.0, 1.0]}, exposure="t")
    assert "same answer" in faults("poisson", [0, 0])


def test_gaussian_values() -> None:
    found = encode("gaussian", [1.5, -2.0], {"v": [0.1, 0.2]}, variance="v")
    assert found.variance is not None
    assert found.y.tolist() == [1.5, -2.0]
    assert "not finite numbers: 'inf'" in faults("gaussian", [1.0, np.inf])
    assert "not finite numbers: 'refused'" in faults("gaussian", ["1.5", "refused", "2"])
    assert "outcome.variance" in faults("gaussian", [1.0, 2.0], {"v": [0.0, 1.0]}, variance="v")


@pytest.mark.parametrize(
    ("family", "y", "how"),
    [
        ("bernoulli", [1, 1, 1], {}),
        ("bernoulli", ["yes", "yes"], {"success": ("yes",)}),
        ("cumulative", ["fair"] * 4, {"order": ORDER}),
        ("gaussian", [2.5, 2.5], {}),
    ],
)
def test_one_single_answer_teaches_nothing(family: str, y: list[Any], how: dict[str, Any]) -> None:
    assert "all respondents gave the same answer in 'y'" in faults(family, y, **how)


def test_nobody_and_one_respondent_are_told_alike() -> None:
    told = faults("gaussian", [np.nan, np.nan])
    assert "fewer than two respondents of survey 'cls' have an answer in 'y', expected two or more" in told
    assert faults("gaussian", [1.0, np.nan]) == told


def test_a_missing_column_names_the_nearest_of_the_file() -> None:
    problems = Problems()
    assert (
        encode_response(
            respondents(y=[1]), problems, where="models/m.toml", response="helth", family="gaussian", variance="v"
        )
        is None
    )
    response, variance = map(str, problems)
    assert "did you mean 'health'?" in response
    assert "no column 'v'" in variance


def test_declared_missing_codes_are_told_from_blanks() -> None:
    people = respondents(y=[1.0, 0.0, np.nan, np.nan])
    object.__setattr__(people, "declared", {"y": np.array([False, False, False, True])})
    found = encode_response(people, Problems(), where="m", response="y", family="bernoulli")
    assert found is not None
    assert found.dropped == (Dropped("y", "declared missing code", 1), Dropped("y", "blank", 1))


def test_rare_answers_are_not_told_when_there_are_many() -> None:
    rare = [f"written by person {i:02d}" for i in range(30)]
    assert "answers are not finite numbers: 30 answers, each rare" in faults("gaussian", rare)
    text = faults("gaussian", rare + ["refused"] * 12)
    assert "answers are not finite numbers: 'refused' (12), 30 others" in text
    assert "person" not in text


def test_messages_list_ten_answers_at_most() -> None:
    text = faults("cumulative", ["bad", "good", *[f"{k:02d}" + "x" * 100 for k in range(15)] * 10], order=ORDER)
    assert "answers are not in outcome.order" in text
    assert "fewer than 10 others" in text
    assert text.count("(10)") == 10
    assert "x" * 40 not in text
