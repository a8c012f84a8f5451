"""Answers to the items of a scale, or to one question of several surveys, encoded together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from placewise.errors import Problems, nearest
from placewise.surveys.instruments import Instruments
from placewise.surveys.outcome import Response, positions_in_order
from placewise.surveys.respondents import Dropped, Respondents


@dataclass(frozen=True)
class Question:
    """One question of one survey.

    Parameters
    ----------
    column : str
        Column that holds the answers.
    levels : tuple of str
        Answers, lowest first.
    """

    column: str
    levels: tuple[str, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Answers:
    """What the respondents of one survey answered.

    Parameters
    ----------
    survey : str
    questions : tuple of Question, length Q
    values : ndarray of int8, shape (m, Q)
        Category of each answer, -1 where there is none; every one of the m has one or more.
    kept : ndarray of bool, shape (n,)
        Which of the n respondents these are.
    dropped : tuple of Dropped
        Why the others are left out.
    """

    survey: str
    questions: tuple[Question, ...]
    values: np.ndarray
    kept: np.ndarray
    dropped: tuple[Dropped, ...]


def encode_items(
    respondents: Respondents, questions: Sequence[Question], problems: Problems, where: str
) -> Answers | None:
    """Turn one survey's answers into categories; an item that is not answered is missing, not a reason to leave.

    Parameters
    ----------
    respondents : Respondents
        n of them, whose columns include the questions'.
    questions : sequence of Question
    problems : Problems
        Takes what is wrong: columns that are absent, undeclared answers with their counts, questions without answers.
    where : str
        Model file and key, for messages.

    Returns
    -------
    Answers or None
        None when a problem was noted.
    """
    before = len(problems)
    absent = [q.column for q in questions if q.column not in respondents.table.columns]
    for column in absent:
        problems.add(
            where,
            f"survey {respondents.name!r} has no column {column!r}",
            nearest(column, respondents.available),
            "data",
        )
    if absent:
        return None
    values = _categories(respondents, questions, problems, where)
    kept = np.asarray((values >= 0).any(axis=1))
    if len(problems) == before and kept.sum() < 2:
        asked = ", ".join(repr(question.column) for question in questions)
        problems.add(
            where,
            f"fewer than two respondents of survey {respondents.name!r} have an answer in {asked}, "
            "expected two or more",
            kind="data",
        )
    if len(problems) > before:
        return None
    return Answers(respondents.name, tuple(questions), values[kept], kept, _left_out(respondents, questions, ~kept))


def _categories(respondents: Respondents, questions: Sequence[Question], problems: Problems, where: str) -> np.ndarray:
    """Category of each answer, -1 where there is none or none that is declared; (n, Q)."""
    table = respondents.table
    values = np.full((len(table), len(questions)), -1, dtype=np.int8)
    for k, question in enumerate(questions):
        answered = table[question.column].notna().to_numpy()
        # of one question none and one are told alike
        if not answered.any() and len(questions) > 1:
            problems.add(
                where,
                f"no respondent of survey {respondents.name!r} has an answer in {question.column!r}",
                "leave it out for this survey",
                "data",
            )
            continue
        values[answered, k] = positions_in_order(
            table.loc[answered, question.column],
            question.levels,
            f"in {question.column!r} of survey {respondents.name!r} are not in outcome.order",
            where,
            problems,
        )
    return values


def _left_out(respondents: Respondents, questions: Sequence[Question], lost: np.ndarray) -> tuple[Dropped, ...]:
    """Why those without any answer have none."""
    declared = lost.copy()
    for question in questions:
        declared &= respondents.declared.get(question.column, False)
    column = questions[0].column if len(questions) == 1 else ""
    none = "" if len(questions) == 1 else "no item answered: "
    counts = {"declared missing code": int(declared.sum()), "blank": int((lost & ~declared).sum())}
    reasons = {"declared missing code": f"{none}declared missing codes only"} if none else {}
    reasons |= {"blank": f"{none}blank, or blank and declared missing codes"} if none else {}
    return tuple(Dropped(column, reasons.get(reason, reason), n) for reason, n in counts.items() if n)


def shared_columns(surveys: Mapping[str, Sequence[Question]], different: Collection[str] = ()) -> tuple[str, ...]:
    """Items that several surveys ask and that have the same parameters in all of them."""
    times = Counter(question.column for questions in surveys.values() for question in questions)
    return tuple(column for column, count in times.items() if count > 1 and column not in different)


def join_answers(
    answered: Sequence[Answers], different: Collection[str], scale: bool, problems: Problems, where: str
) -> Response | None:
    """The answers of all surveys, one under another.

    Parameters
    ----------
    answered : sequence of Answers
        The reference's first.
    different : collection of str
        Items that have parameters of their own in each survey, though several ask them.
    scale : bool
        Whether the questions are items of a scale.
    problems : Problems
        Takes instruments with one answer only.
    where : str
        Model file and key, for messages.
    """
    common = shared_columns({own.survey: own.questions for own in answered}, different)
    several = len(answered) > 1
    names: dict[str, tuple[str, ...]] = {}
    placed: list[list[str]] = []
    for own in answered:
        called = [q.column if q.column in common or not several else f"{own.survey}:{q.column}" for q in own.questions]
        names |= {name: q.levels for name, q in zip(called, own.questions, strict=True)}
        placed.append(called)
    position = {name: k for k, name in enumerate(names)}
    values = np.full((sum(len(own.values) for own in answered), len(names)), -1, dtype=np.int8)
    start = 0
    for own, called in zip(answered, placed, strict=True):
        stop = start + len(own.values)
        values[start:stop, [position[name] for name in called]] = own.values
        start = stop
    shared = ", ".join(repr(name) for name in common)
    notes = [f"common to several surveys, with the same parameters in each: {shared}"] if common else []
    for k, (name, levels) in enumerate(names.items()):
        met = np.bincount(values[values[:, k] >= 0, k], minlength=len(levels)) > 0
        if met.sum() < 2:
            message = f"all respondents gave the same answer in {name!r}"
            problems.add(where, message, "nothing can be learned from one answer", "data")
            return None
        notes += [f"no respondent answered {levels[j]!r} in {name!r}" for j in np.flatnonzero(~met)]
    surveys = tuple(own.survey for own in answered)
    survey = np.repeat(np.arange(len(answered)), [len(own.values) for own in answered])
    instruments = Instruments(tuple(names), tuple(names.values()), values, surveys, survey, scale)
    first = values[np.arange(len(values)), (values >= 0).argmax(axis=1)]
    return Response(
        first.astype(np.int64), np.ones(len(values), dtype=bool), notes=tuple(notes), instruments=instruments
    )
