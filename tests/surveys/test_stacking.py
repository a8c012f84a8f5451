from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from placewise.errors import Problems
from placewise.surveys.respondents import Dropped, Respondents
from placewise.surveys.stacking import stack


def part(name: str, link: str = "oa", **more: object) -> Respondents:
    table = pd.DataFrame({"sex": pd.Series(["male", "female"], dtype="str"), "who": [1.0, 2.0]})
    codes = np.array(["E1", "E2"], dtype=object)
    made = Respondents(name, table, link, codes, np.array([0, 1]), None, None, None, 5, available=("sex", "who"))
    return dataclasses.replace(made, **more)  # type: ignore[arg-type]


def stacked(*parts: Respondents, used: tuple[str, ...] = ("sex",)) -> tuple[Respondents | None, list[str]]:
    problems = Problems()
    found = stack(parts, used, {"first": "who", "second": "who"}, "m.toml: model.formula", problems)
    return found, [str(p) for p in problems]


def test_surveys_stand_one_under_another_and_nothing_of_theirs_is_mixed_up() -> None:
    first = part("first", weight=np.array([1.0, 3.0]), psu=np.array(["1", "2"], dtype=object))
    second = part("second", strata=np.array(["s", "s"], dtype=object), dropped=(Dropped("sex", "blank", 20),))
    found, problems = stacked(first, second)
    assert problems == []
    assert found is not None
    assert found.table["survey"].tolist() == ["first", "first", "second", "second"]
    assert found.table["survey"].dtype == "str"
    assert found.table["who"].tolist() == ["first:1", "first:2", "second:1", "second:2"]
    assert found.weight is not None
    assert found.weight.tolist() == [0.5, 1.5, 1.0, 1.0]
    assert found.psu is not None
    assert found.psu.tolist() == ["first:1", "first:2", "second:0", "second:1"]
    assert found.strata is not None
    assert found.strata.tolist() == ["first:", "first:", "second:s", "second:s"]
    assert found.area.tolist() == [0, 1, 0, 1]
    assert found.dropped == (Dropped("second: sex", "blank", 20),)
    assert found.read == 10


def test_without_weights_or_units_there_are_none() -> None:
    found, _ = stacked(part("first"), part("second"))
    assert found is not None
    assert (found.weight, found.psu, found.strata) == (None, None, None)


def test_columns_of_one_survey_are_missing_in_the_other() -> None:
    table = pd.DataFrame({"sex": pd.Series(["male", "female"], dtype="str"), "year": [2020.0, 2021.0]})
    declared = {"year": np.array([True, False])}
    found, problems = stacked(part("first"), part("second", table=table, declared=declared))
    assert problems == []
    assert found is not None
    assert found.table["year"].isna().tolist() == [True, True, False, False]
    assert found.declared["year"].tolist() == [False, False, True, False]
    assert found.table["who"].isna().tolist() == [False, False, True, True]


def test_a_column_that_is_text_in_one_survey_is_text() -> None:
    table = pd.DataFrame({"sex": pd.Series(["male", "female"], dtype="str"), "who": pd.Series(["x", "y"], dtype="str")})
    found, _ = stacked(part("other"), part("second", table=table))
    assert found is not None
    assert found.table["who"].tolist() == ["1", "2", "second:x", "second:y"]


@pytest.mark.parametrize(
    ("second", "used", "message"),
    [
        (part("second", link="lad"), ("sex",), "surveys linked at different levels are not available"),
        (
            part("second", table=pd.DataFrame({"gender": ["a", "b"]}), available=("gender", "sexe")),
            ("sex",),
            "survey 'second' has no column 'sex', survey 'first' has (did you mean 'sexe'?)",
        ),
        (
            part("second", table=pd.DataFrame({"sex": [1.0, 2.0]})),
            ("sex",),
            "'sex' holds numbers in survey 'second' and text in survey 'first'",
        ),
    ],
)
def test_surveys_that_do_not_fit_together_are_told(second: Respondents, used: tuple[str, ...], message: str) -> None:
    found, problems = stacked(part("first"), second, used=used)
    assert found is None
    assert [message in p for p in problems] == [True]


def test_names_that_no_survey_has_are_left_to_the_areas() -> None:
    found, problems = stacked(part("first"), part("second"), used=("deprivation", "survey"))
    assert problems == []
    assert found is not None
