"""The respondents of an outcome, of one survey or of several, and their answers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from placewise.errors import Problems
from placewise.models.spec import ModelSpec

if TYPE_CHECKING:
    from placewise.geography.areas import AreaTable
    from placewise.surveys.items import Answers
    from placewise.surveys.outcome import Response
    from placewise.surveys.respondents import Respondents
    from placewise.surveys.spec import SurveySpec


@dataclass(frozen=True, eq=False, repr=False)
class Answered:
    """Who answered and what.

    Parameters
    ----------
    respondents : Respondents
        Of all surveys, one under another.
    response : Response
        Their answers.
    parts : tuple of Respondents
        Those of each survey.
    """

    respondents: Respondents
    response: Response
    parts: tuple[Respondents, ...]


def read_answers(
    model: ModelSpec,
    surveys: Sequence[SurveySpec],
    areas: AreaTable | None,
    used: Collection[str],
    where: str,
    problems: Problems,
) -> Answered | None:
    """Read every survey of an outcome: those who answered and have every covariate, and their answers.

    Parameters
    ----------
    model : ModelSpec
    surveys : sequence of SurveySpec
        Those of the outcome that can be read, the reference first.
    areas : AreaTable or None
        None where they could not be read: the surveys are checked all the same.
    used : collection of str
        Columns of the formula.
    where : str
        Model file, for messages.
    problems : Problems
        Takes everything that is wrong with any survey.

    Returns
    -------
    Answered or None
        None where a problem was noted.
    """
    if not model.outcome.is_measured:
        return _of_one_question(model, surveys[0], areas, used, where, problems) if surveys else None
    from placewise.surveys.items import join_answers
    from placewise.surveys.stacking import stack

    outcome, before = model.outcome, len(problems)
    found = [_items(model, survey, areas, used, where, problems) for survey in surveys]
    parts, answers = [part for part, _ in found if part is not None], [a for _, a in found if a is not None]
    stacked = parts[0] if len(parts) == 1 else None
    if len(parts) > 1:
        persons = {survey.name: survey.person for survey in surveys}
        stacked = stack(parts, used, persons, f"{where}: model.formula", problems)
    if stacked is None or len(answers) < len(outcome.surveys) or len(problems) > before:
        return None
    scale = outcome.family == "graded_response"
    response = join_answers(answers, outcome.different, scale, problems, f"{where}: outcome")
    return None if response is None else Answered(stacked, response, tuple(parts))


def _of_one_question(
    model: ModelSpec,
    survey: SurveySpec,
    areas: AreaTable | None,
    used: Collection[str],
    where: str,
    problems: Problems,
) -> Answered | None:
    from placewise.surveys.outcome import encode_response
    from placewise.surveys.readers import READERS
    from placewise.surveys.reading import complete_cases

    outcome = model.outcome
    beside = {"trials": outcome.trials, "exposure": outcome.exposure, "variance": outcome.variance}
    needed = [c for c in (outcome.response, *beside.values()) if c]
    key = "outcome.response" if len(needed) == 1 else "outcome"
    respondents = READERS[survey.reader](survey, areas, used, problems, needed, _asks(where, key))
    if respondents is None:
        return None
    respondents = complete_cases(respondents, used)
    response = encode_response(
        respondents,
        problems,
        where=where,
        response=outcome.response,
        family=outcome.family,
        order=outcome.order,
        success=outcome.success,
        **beside,
    )
    if response is None:
        return None
    kept = respondents.take(response.kept, response.dropped)
    return Answered(kept, response, (kept,))


def _items(
    model: ModelSpec,
    survey: SurveySpec,
    areas: AreaTable | None,
    used: Collection[str],
    where: str,
    problems: Problems,
) -> tuple[Respondents | None, Answers | None]:
    """Respondents of one survey with an answer to one question or more, and their answers."""
    from placewise.surveys.items import encode_items
    from placewise.surveys.readers import READERS
    from placewise.surveys.reading import complete_cases
    from placewise.surveys.stacking import SURVEY

    several = len(model.outcome.surveys) > 1
    questions = model.outcome.questions[survey.name]
    wanted = [name for name in used if not (several and name == SURVEY)]
    columns = [question.column for question in questions]
    key = "items" if model.outcome.items else "response"
    respondents = READERS[survey.reader](survey, areas, wanted, problems, columns, _asks(where, f"outcome.{key}"))
    if respondents is None:
        return None, None
    respondents = complete_cases(respondents, wanted)
    answers = encode_items(respondents, questions, problems, f"{where}: outcome.{key}")
    return (respondents, None) if answers is None else (respondents.take(answers.kept, answers.dropped), answers)


def _asks(where: str, key: str) -> str:
    """What follows the name of a column that a survey lacks: the model file and the key that ask for it."""
    return f", which {where} asks for in {key}"
