from __future__ import annotations

import pytest

from placewise.errors import Problem, Problems
from placewise.models.formula import parse_formula
from placewise.models.survey_terms import check_survey_terms, with_survey_reference
from placewise.models.terms import Formula

BOTH = ("first", "second")


def parsed(text: str) -> Formula:
    problems = Problems()
    formula = parse_formula(text, "m.toml: model.formula", problems)
    assert list(problems) == []
    assert formula is not None
    return formula


def checked(text: str, surveys: tuple[str, ...] = BOTH) -> list[Problem]:
    problems = Problems()
    check_survey_terms(parsed(text), surveys, problems)
    return list(problems)


@pytest.mark.parametrize("formula", ["survey", "x + survey", "(1 | survey)", "(1 | survey/mode)", "(x | survey)"])
def test_a_shift_of_a_whole_survey_is_refused(formula: str) -> None:
    [problem] = checked(formula)
    assert "shifts a whole survey as its cutpoints do" in problem.message
    assert "(1 | survey:mode)" in problem.hint
    assert problem.kind == "configuration"


def test_what_differs_inside_surveys_is_not() -> None:
    assert checked("x + (1 | survey:mode) + (0 + x | survey)") == []
    assert [p.kind for p in checked("survey:mode")] == ["unavailable"]


def test_a_column_of_that_name_in_one_survey_is_the_user_s() -> None:
    assert checked("survey + (1 | survey)", ("first",)) == []
    formula = parsed("(1 | survey)")
    assert with_survey_reference({"survey": 8.0}, formula, ("first",), "m.toml", Problems()) == {"survey": 8.0}


def test_areas_are_predicted_at_the_reference_survey() -> None:
    problems = Problems()
    formula = parsed("(1 | survey:mode)")
    found = with_survey_reference({"mode": "online"}, formula, BOTH, "m.toml", problems)
    assert found == {"mode": "online", "survey": "first"}
    assert with_survey_reference({"mode": "online"}, parsed("x"), BOTH, "m.toml", problems) == {"mode": "online"}
    assert list(problems) == []
    with_survey_reference({"survey": "second"}, formula, BOTH, "m.toml", problems)
    assert "the reference survey is 'first'" in str(next(iter(problems)))
