"""The data of a likelihood: equal rows added up (sufficient statistics), which leaves it unchanged up to a constant."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from placewise.models.engines import FitProblem
from placewise.models.engines.instrument_information import information_of
from placewise.surveys.instruments import Instruments

ORDERED = ("cumulative", "graded_response")


@dataclass(frozen=True, eq=False)
class Rows:
    """The data of a likelihood after equal rows have been added up.

    Parameters
    ----------
    x : ndarray, shape (m, p)
        Fixed columns.
    index : tuple of ndarray, each shape (m,)
        Position of each row in each group.
    y : ndarray, shape (m,)
        Sum of answers (bernoulli, binomial, poisson), the answer (gaussian) or the category (ordered answers; of the
        first where there are several).
    size : ndarray, shape (m,)
        Trials (bernoulli, binomial), exposure (poisson), known variance (gaussian) or respondents (ordered answers).
    weight : ndarray, shape (m,)
        Power of each row's likelihood (gaussian); elsewhere ones, as the weights are in ``y`` and ``size``.
    information : ndarray, shape (m,)
        Approximate Fisher information of each row about its η.
    by : tuple of ndarray or None, each shape (m,)
        For each group the values of the column whose slope varies; None for a varying intercept.
    shares : tuple of ndarray or None, each shape (m, labels)
        For each group the share of each of its levels in a row; None where a row is in one level, that of ``index``.
    instruments : Instruments or None
        Every answer of a row and its survey, where there are several questions.
    first : ndarray of int64, shape (m,)
        One respondent of each row.
    """

    x: np.ndarray
    index: tuple[np.ndarray, ...]
    y: np.ndarray
    size: np.ndarray
    weight: np.ndarray
    information: np.ndarray
    by: tuple[np.ndarray | None, ...] = ()
    shares: tuple[np.ndarray | None, ...] = ()
    instruments: Instruments | None = None
    first: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def incidence(self, k: int, levels: int) -> np.ndarray:
        """How often each level of group k counts in each row, shape (m, levels)."""
        share = self.shares[k]
        found = np.eye(levels)[self.index[k]] if share is None else share
        by = self.by[k]
        return found if by is None else by[:, None] * found


def collect_rows(problem: FitProblem) -> Rows:
    """Add up rows with the same design (and, for ordered answers, the same answers)."""
    design, response = problem.design, problem.response
    x, index = design.matrix, np.column_stack([g.index for g in design.groups] or [np.zeros(design.n, dtype=np.int64)])
    by = [None if g.by is None else g.by.values for g in design.groups]
    shares = tuple(g.shares for g in design.groups)
    y = np.asarray(response.y, dtype=np.float64)
    power = np.ones(design.n) if problem.weights is None else np.asarray(problem.weights, dtype=np.float64)
    if problem.family == "gaussian":
        known = response.variance
        variance = np.full(design.n, y.var()) if known is None else np.asarray(known, dtype=np.float64)
        return Rows(x, tuple(index.T[: len(design.groups)]), y, variance, power, power / variance, tuple(by), shares)
    ordered, instruments = problem.family in ORDERED, response.instruments
    key = [x, index, *(b[:, None] for b in by if b is not None)]
    if instruments is not None:
        key += [instruments.answers.astype(np.float64), instruments.survey[:, None].astype(np.float64)]
    elif ordered:
        key.append(y[:, None])
    packed = np.ascontiguousarray(np.column_stack(key)).view(np.void(8 * sum(k.shape[1] for k in key)).dtype).ravel()
    _, first, inverse = np.unique(packed, return_index=True, return_inverse=True)
    weight = {"binomial": response.trials, "poisson": response.exposure}.get(problem.family)
    size = power * (np.ones(design.n) if weight is None else np.asarray(weight, dtype=np.float64))
    total = np.bincount(inverse, size)
    answers = y if ordered else power * y
    summed = y[first] if ordered else np.bincount(inverse, answers)
    met = None if instruments is None else instruments.take(first)
    each_tells = _unit_information(problem.family, answers, size) if met is None else information_of(met, total)
    information = total * each_tells
    groups = tuple(index[first].T[: len(design.groups)])
    values = tuple(None if b is None else b[first] for b in by)
    # rows of one level of the linked group, which is one of the groups, have the same shares
    each = tuple(None if share is None else share[first] for share in shares)
    return Rows(x[first], groups, summed, total, np.ones(len(first)), information, values, each, met, first)


def _unit_information(family: str, y: np.ndarray, size: np.ndarray) -> float:
    """Fisher information about η of one person, at the overall distribution of answers."""
    if family == "poisson":
        return float(y.sum() / size.sum())
    if family == "cumulative":
        share = np.bincount(y.astype(np.int64), size) / size.sum()
        return float((1.0 - np.sum(share**3)) / 3.0)
    p = float(y.sum() / size.sum())
    return max(p * (1.0 - p), 1e-3)
