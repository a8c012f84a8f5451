"""Whether answers run the way their labels say: who belongs is satisfied with the area, and chats to neighbours."""

from __future__ import annotations

import numpy as np
import pandas as pd

from placewise.errors import Problems
from placewise.surveys.account import Check
from placewise.surveys.cls.concepts import ORDER
from placewise.surveys.disclosure import THRESHOLD, nearest_ten, told

FIRST = "belonging"
AGAINST = ("satisfaction", "chatting")


def check_direction(table: pd.DataFrame, weight: np.ndarray, where: str, problems: Problems) -> tuple[Check, ...]:
    """Correlate belonging with satisfaction and with chatting; a correlation that is not positive is a problem.

    Parameters
    ----------
    table : DataFrame
        n respondents, recoded; concepts that the file lacks are no columns.
    weight : ndarray of float64, shape (n,)
        Respondents whose weight is not a positive number are left out.
    where : str
        Survey, for messages.
    problems : Problems
        Takes what runs the wrong way.

    Returns
    -------
    tuple of Check
        One for each pair; a warning where it could not be looked at.
    """
    return tuple(_check(table, other, weight, where, problems) for other in AGAINST)


def _check(table: pd.DataFrame, other: str, weight: np.ndarray, where: str, problems: Problems) -> Check:
    name = f"{FIRST} rises with {other}"
    absent = [concept for concept in (FIRST, other) if concept not in table.columns]
    if absent:
        return Check(name, "warn", f"not checked: the file has no column that is known as {' or '.join(absent)}")
    x, y = (answer_scores(table[concept], concept) for concept in (FIRST, other))
    strange = [concept for concept, s in ((FIRST, x), (other, y)) if s is None]
    if x is None or y is None:
        return Check(name, "warn", f"not checked: the recode file gives {' and '.join(strange)} answers of its own")
    both = np.isfinite(x) & np.isfinite(y) & np.isfinite(weight) & (weight > 0)
    if both.sum() < THRESHOLD:
        return Check(name, "warn", f"not checked: {told(int(both.sum()))} respondents answered both")
    r = weighted_correlation(x[both], y[both], weight[both])
    if np.isnan(r):
        return Check(name, "warn", "not checked: all who answered both gave the same answer to one of them")
    n = told(nearest_ten(int(both.sum())))
    found = f"weighted correlation {r:.2f} over about {n} respondents, expected above 0"
    if r > 0:
        return Check(name, "pass", found)
    problems.add(
        f"{where}: {FIRST} and {other}",
        f"{found}: one of the two runs the other way round",
        "compare the value labels of both columns, or the codebook, with the questionnaire of the year",
        "data",
    )
    return Check(name, "fail", found)


def answer_scores(values: pd.Series, concept: str) -> np.ndarray | None:
    """Answers as 0, 1, … in the order of ``ORDER``, numbers as they are; None where some are not the concept's own.

    Returns
    -------
    ndarray of float64, shape (n,), or None
        NaN where missing.
    """
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.to_numpy(dtype=float)
    scores = {answer: float(i) for i, answer in enumerate(ORDER[concept])}
    found = values.map(scores).to_numpy(dtype=float)
    return None if (np.isnan(found) & values.notna().to_numpy()).any() else found


def weighted_correlation(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    """Pearson's correlation with weights; NaN where one of the two does not vary.

    Examples
    --------
    >>> round(weighted_correlation(np.array([0., 1, 2]), np.array([0., 2, 1]), np.array([1., 1, 0.5])), 6)
    0.597614
    """
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    share = weight / weight.sum()
    x, y = x - share @ x, y - share @ y
    return float(share @ (x * y) / np.sqrt((share @ x**2) * (share @ y**2)))
