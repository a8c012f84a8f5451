"""What each row answers: one question, one of several surveys' questions, or the items of a scale."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from placewise.models.engines import FitProblem
from placewise.models.engines.rows import Rows


@dataclass(frozen=True, eq=False)
class Questions:
    """Questions of a problem, and which of them each row answers.

    Parameters
    ----------
    n_cut : int
        Cutpoints of all questions; 0 unless answers are ordered.
    n_items : int
        Items with a discrimination.
    low, high : ndarray of int32, shape (m,)
        First threshold of the question that a row answers, and the next question's.
    answers : ndarray of int8, shape (m, M)
        Category of the answer to each item of a scale, -1 for none.
    cuts : ndarray of int64, shape (M + 1,)
        First threshold of each item of a scale, and their number.
    survey : ndarray of int64, shape (m,)
        Survey of each row; its scale multiplies the trait.
    labels : list of str
        Of the cutpoints.
    """

    n_cut: int
    n_items: int
    low: np.ndarray
    high: np.ndarray
    answers: np.ndarray
    cuts: np.ndarray
    survey: np.ndarray
    labels: list[str]


def questions_of(problem: FitProblem) -> Questions:
    """Questions that the rows of ``collected`` answer."""
    instruments = problem.response.instruments
    if instruments is None:
        return _one_question(problem)
    n, cuts = len(instruments.answers), instruments.cuts
    n_cut = int(cuts[-1])
    if instruments.scale:
        none = np.zeros(n, dtype=np.int32)
        answers = np.ascontiguousarray(instruments.answers, dtype=np.int8)
        return Questions(
            n_cut, len(instruments.names), none, none, answers, cuts, instruments.survey, instruments.cut_labels
        )
    asked = _asked(instruments.answers)
    low, high = cuts[asked].astype(np.int32), cuts[asked + 1].astype(np.int32)
    empty = np.empty((n, 0), dtype=np.int8)
    return Questions(
        n_cut, 0, low, high, empty, np.zeros(1, dtype=np.int64), instruments.survey, instruments.cut_labels
    )


def _one_question(problem: FitProblem) -> Questions:
    levels, m = problem.response.levels, len(problem.rows.y)
    n_cut = len(levels) - 1 if problem.family == "cumulative" else 0
    labels = [f"{a} | {b}" for a, b in itertools.pairwise(levels)] if n_cut else []
    low, high = np.zeros(m, dtype=np.int32), np.full(m, n_cut, dtype=np.int32)
    empty, survey = np.empty((m, 0), dtype=np.int8), np.zeros(m, dtype=np.int64)
    return Questions(n_cut, 0, low, high, empty, np.zeros(1, dtype=np.int64), survey, labels)


def _asked(answers: np.ndarray) -> np.ndarray:
    """The question that each respondent answered, shape (n,)."""
    return np.asarray((answers >= 0).argmax(axis=1))


def collected(problem: FitProblem) -> Rows:
    """The data of the likelihood: equal rows added up, but for several questions, of which each respondent is a row."""
    instruments, design = problem.response.instruments, problem.design
    if instruments is None:
        return problem.rows
    n = len(instruments.answers)
    size = np.ones(n) if problem.weights is None else np.asarray(problem.weights, dtype=np.float64)
    y = np.zeros(n)
    if not instruments.scale:
        asked = _asked(instruments.answers)
        y = (instruments.cuts[asked] + instruments.answers[np.arange(n), asked]).astype(np.float64)
    groups = design.groups
    return Rows(
        design.matrix, tuple(g.index for g in groups), y, size, np.ones(n), size,
        tuple(None if g.by is None else g.by.values for g in groups), tuple(g.shares for g in groups),
    )  # fmt: skip
