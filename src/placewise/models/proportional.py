"""Proportional odds checked: score tests of a slope that is the same at every cutpoint, without fitting the model.

The marginal cumulative logit P(y ≤ k) = logit⁻¹(c_k − x'β) on the fixed columns alone is fitted by Fisher scoring. For
each covariate the score statistic U'I⁻¹U (Rao) asks whether its slope at cutpoints 2 … K−1 may differ from the one at
cutpoint 1; all cutpoints and slopes are nuisances. Groups are left out: the statistics order the covariates, they are
no verdict on the multilevel model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from scipy.stats import chi2

from placewise.models.design import Column
from placewise.models.terms import Formula, Term

MOST_STEPS = 50
CONVERGED = 1e-9
# condition of the information beyond which a slope has run away
SINGULAR = 1e10


@dataclass(frozen=True)
class ScoreTest:
    """Departure of one covariate from proportional odds.

    Parameters
    ----------
    name : str
        The fixed term.
    statistic : float
        Score statistic.
    df : int
        Its degrees of freedom, (K − 2) × columns of the term.
    """

    name: str
    statistic: float
    df: int

    @property
    def p_value(self) -> float:
        """Probability of a larger statistic under proportional odds."""
        return float(chi2.sf(self.statistic, self.df))

    def __str__(self) -> str:
        """As notes show it."""
        return f"{self.name} ({self.statistic:.1f} on {self.df})"


def term_columns(formula: Formula, columns: Sequence[Column]) -> dict[str, tuple[int, ...]]:
    """Positions of each fixed term's columns; empty where all of them were left out."""
    return {
        str(term): tuple(k for k, column in enumerate(columns) if _pattern(term).fullmatch(column.name))
        for term in formula.terms
    }


def _pattern(term: Term) -> re.Pattern[str]:
    """Names of a term's columns: each factor as written, its category or degree in brackets."""
    return re.compile(":".join(rf"{re.escape(str(f))}(\[.*\])?" for f in term.factors), re.DOTALL)


def score_tests(x: np.ndarray, y: np.ndarray, terms: Mapping[str, Sequence[int]]) -> list[ScoreTest] | None:
    """Test the slopes of each term.

    Parameters
    ----------
    x : ndarray of float64, shape (n, p)
        Fixed columns, none of them constant.
    y : ndarray of int64, shape (n,)
        Categories 0..K−1; those that nobody gave are passed over, three at least are needed.
    terms : mapping of str to sequence of int
        Columns of each term; a term without columns is passed over.

    Returns
    -------
    list of ScoreTest, or None
        Largest statistic per degree of freedom first; None where the marginal model has no maximum (separation).
    """
    answer = np.unique(y, return_inverse=True)[1]
    x = (x - x.mean(axis=0)) / x.std(axis=0)  # changes no statistic
    cuts, beta = _fit(x, answer)
    if not np.isfinite(beta).all():
        return None
    score, information = _score_and_information(x, answer, cuts, beta)
    null, p, m = _null_map(x.shape[1], len(cuts)), x.shape[1], len(cuts)
    tests = []
    for name, own in terms.items():
        if len(own):
            free = np.zeros((m * (1 + p), (m - 1) * len(own)))
            at = [k * (1 + p) + 1 + j for k in range(1, m) for j in own]
            free[at, np.arange(len(at))] = 1.0
            both = np.column_stack([null, free])
            u = both.T @ score
            tests.append(ScoreTest(name, float(u @ np.linalg.solve(both.T @ information @ both, u)), len(at)))
    return sorted(tests, key=lambda test: -test.statistic / test.df)


def _null_map(p: int, m: int) -> np.ndarray:
    """From (cutpoints, common slopes) to cutpoint and slopes at each of the m cutpoints."""
    to = np.zeros((m * (1 + p), m + p))
    for k in range(m):
        to[k * (1 + p), k] = 1.0
        to[k * (1 + p) + 1 : (k + 1) * (1 + p), m:] = np.eye(p)
    return to


def _fit(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cutpoints and slopes at the maximum; NaN slopes where Fisher scoring does not arrive at one."""
    share = np.cumsum(np.bincount(y))[:-1] / len(y)
    cuts, beta = np.log(share / (1.0 - share)), np.zeros(x.shape[1])
    to = _null_map(x.shape[1], len(cuts))
    value = _log_likelihood(x, y, cuts, beta)
    for _ in range(MOST_STEPS):
        score, information = _score_and_information(x, y, cuts, beta)
        score, information = to.T @ score, to.T @ information @ to
        if not np.isfinite(information).all() or np.linalg.cond(information) > SINGULAR:
            break
        step = np.linalg.solve(information, score)
        if score @ step < CONVERGED:
            return cuts, beta
        for _ in range(MOST_STEPS):
            found = _log_likelihood(x, y, cuts + step[: len(cuts)], beta + step[len(cuts) :])
            if found >= value:
                break
            step /= 2.0
        cuts, beta, value = cuts + step[: len(cuts)], beta + step[len(cuts) :], found
    return cuts, np.full(x.shape[1], np.nan)


def _log_likelihood(x: np.ndarray, y: np.ndarray, cuts: np.ndarray, beta: np.ndarray) -> float:
    if (np.diff(cuts) <= 0).any():
        return -np.inf
    with np.errstate(divide="ignore"):
        return float(np.log(_category_probability(_cumulative(x, cuts, beta), y)).sum())


def _cumulative(x: np.ndarray, cuts: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """P(y ≤ k) with 0 and 1 at the ends, shape (n, m + 2)."""
    inside = expit(cuts - (x @ beta)[:, None])
    return np.column_stack([np.zeros(len(x)), inside, np.ones(len(x))])


def _category_probability(cumulative: np.ndarray, y: np.ndarray) -> np.ndarray:
    rows = np.arange(len(y))
    return np.asarray(cumulative[rows, y + 1] - cumulative[rows, y])


def _score_and_information(
    x: np.ndarray, y: np.ndarray, cuts: np.ndarray, beta: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Score and Fisher information of a cutpoint and slopes at every cutpoint, at a point where slopes are common.

    Parameters in the order (c_1, β_1), (c_2, β_2) …; shapes (m (1 + p),) and (m (1 + p), m (1 + p)).
    """
    n, m, size = len(y), len(cuts), 1 + x.shape[1]
    z = np.column_stack([np.ones(n), -x])
    cumulative = _cumulative(x, cuts, beta)
    density = (cumulative * (1.0 - cumulative))[:, 1:-1]
    chance = np.diff(cumulative, axis=1)
    # a category without chance, at a point far from the maximum, gives a NaN that stops the search
    with np.errstate(divide="ignore", invalid="ignore"):
        own, each = 1.0 / _category_probability(cumulative, y), 1.0 / chance
        weight = density**2 * (each[:, :-1] + each[:, 1:])
        beside = -density[:, :-1] * density[:, 1:] * each[:, 1:-1]
        part = density * own[:, None]
    score, information = np.empty((m, size)), np.zeros((m, size, m, size))
    for k in range(m):
        score[k] = z.T @ (part[:, k] * ((y == k).astype(float) - (y == k + 1)))
        information[k, :, k] = (z.T * weight[:, k]) @ z
        if k + 1 < m:
            information[k, :, k + 1] = (z.T * beside[:, k]) @ z
            information[k + 1, :, k] = information[k, :, k + 1].T
    return score.ravel(), information.reshape(m * size, m * size)
