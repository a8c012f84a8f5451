"""The one rule for "different from the nation": five classes by probability, and what the headline counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

CLEAR = 0.975
PROBABLE = 0.80

LABELS = ("clearly below", "probably below", "cannot be told from the average", "probably above", "clearly above")
SHORT_LABELS = ("clearly below", "probably below", "not told apart", "probably above", "clearly above")
UNKNOWN = -1


@dataclass(frozen=True)
class Headline:
    """Counts of small areas by class.

    Parameters
    ----------
    areas : int
        All small areas, those without a probability among them.
    counts : tuple of int
        By class, from clearly below to clearly above, on the estimand's own scale.
    wrong_side : float
        Expected number of clear areas that are in truth on the other side, Σ min(p, 1 − p).
    """

    areas: int
    counts: tuple[int, int, int, int, int]
    wrong_side: float

    @property
    def below(self) -> int:
        """Areas clearly below."""
        return self.counts[0]

    @property
    def above(self) -> int:
        """Areas clearly above."""
        return self.counts[4]


def probability_higher(p_above_national: pd.Series, higher_is_better: bool) -> np.ndarray:
    """P(the area's figure is higher than the nation's), from the oriented probability; shape (rows,)."""
    p = p_above_national.to_numpy(dtype=float, na_value=np.nan)
    return p if higher_is_better else 1.0 - p


def verdicts(p_higher: np.ndarray) -> np.ndarray:
    """Class of each probability: 0 clearly below … 4 clearly above, −1 where there is none; int8."""
    tolerance = 1e-9
    found = np.full(len(p_higher), 2, dtype=np.int8)
    found[p_higher <= 1 - PROBABLE + tolerance] = 1
    found[p_higher <= 1 - CLEAR + tolerance] = 0
    found[p_higher >= PROBABLE - tolerance] = 3
    found[p_higher >= CLEAR - tolerance] = 4
    found[~np.isfinite(p_higher)] = UNKNOWN
    return found


def headline(rows: pd.DataFrame, higher_is_better: bool) -> Headline:
    """Count the small areas by class.

    Parameters
    ----------
    rows : DataFrame
        Rows of ``estimates`` of one level, with ``p_above_national``.
    """
    p = probability_higher(rows["p_above_national"], higher_is_better)
    found = verdicts(p)
    clear = (found == 0) | (found == 4)
    n = [int((found == k).sum()) for k in range(5)]
    wrong = float(np.minimum(p[clear], 1 - p[clear]).sum())
    return Headline(areas=len(rows), counts=(n[0], n[1], n[2], n[3], n[4]), wrong_side=wrong)


def sides(higher_is_better: bool) -> tuple[str, str]:
    """What being below and being above means: ("worse", "better") or the reverse."""
    return ("worse", "better") if higher_is_better else ("better", "worse")


def legend_labels(higher_is_better: bool) -> tuple[str, ...]:
    """Labels of the five classes that also say which end is better."""
    below, above = sides(higher_is_better)
    return (f"{SHORT_LABELS[0]} ({below})", *SHORT_LABELS[1:4], f"{SHORT_LABELS[4]} ({above})")
