"""What a formula may say of the survey itself, where there are several: not what its cutpoints say already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from placewise.errors import Problems
from placewise.models.terms import Call, Formula
from placewise.surveys.stacking import SURVEY


def check_survey_terms(formula: Formula, surveys: Sequence[str], problems: Problems) -> None:
    """Note terms that shift a whole survey, which its cutpoints or the model's own shift do.

    Parameters
    ----------
    formula : Formula
    surveys : sequence of str
        Of the outcome; one survey may have a column of that name.
    problems : Problems
        Takes what is wrong.
    """
    if len(surveys) < 2:
        return
    message = "shifts a whole survey as its cutpoints do: the two cannot be told apart"
    hint = f"leave it out; what differs inside a survey can be written (1 | {SURVEY}:mode)"
    for term in formula.terms:
        if term.factors and str(term) == SURVEY:
            problems.add(formula.where, f"{SURVEY!r} {message}", hint)
        elif SURVEY in term.names() and not any(isinstance(factor, Call) for factor in term.factors):
            problems.add(formula.where, f"{str(term)!r} is not available over surveys", hint, "unavailable")
    for group in formula.groups:
        if group.columns == (SURVEY,) and group.intercept:
            problems.add(formula.where, f"(1 | {SURVEY}) {message}", hint)


def with_survey_reference(
    reference: Mapping[str, str | float],
    formula: Formula,
    surveys: Sequence[str],
    where: str,
    problems: Problems,
) -> Mapping[str, str | float]:
    """``[model.reference]`` with the survey, which is the first.

    Parameters
    ----------
    reference : mapping of str to str or float
        As the model file has it.
    formula, surveys, problems
        As ``check_survey_terms``.
    where : str
        Model file, for messages.
    """
    if len(surveys) < 2 or SURVEY not in formula.variables():
        return reference
    if reference.get(SURVEY, surveys[0]) != surveys[0]:
        problems.add(
            f"{where}: model.reference.{SURVEY}",
            f"the reference survey is {surveys[0]!r}, the first of outcome.survey",
            "put another first, or leave this key out",
        )
    return {**reference, SURVEY: surveys[0]}
