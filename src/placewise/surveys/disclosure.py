"""Counts of respondents as they may be told: none below the threshold."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

THRESHOLD = 10
# Among more answers than this a rare one may be free text, and could tell who gave it.
FEW_ANSWERS = 10
RARE = "others, each rare"


def told(count: int) -> str:
    """A count of respondents as text.

    Examples
    --------
    >>> told(1234), told(9)
    ('1,234', 'fewer than 10')
    """
    return f"{count:,}" if count >= THRESHOLD else f"fewer than {THRESHOLD}"


def told_of(count: int, total: int, unit: str) -> str:
    """How many of how many; only respondents are kept from being counted out.

    Examples
    --------
    >>> told_of(3, 30, "areas"), told_of(3, 120, "respondents")
    ('3 of 30 areas', 'fewer than 10 of 120 respondents')
    """
    shown = told if unit == "respondents" else "{:,}".format
    return f"{shown(count)} of {shown(total)} {unit}"


def withheld(counts: Sequence[int] | np.ndarray) -> np.ndarray:
    """Which counts of groups that add up to a known total are not told.

    Those below the threshold, and the next smallest where the others would tell how many these are together.

    Returns
    -------
    ndarray of bool

    Examples
    --------
    >>> withheld([500, 40, 3]).tolist(), withheld([500, 40, 7, 8]).tolist(), withheld([500, 40, 0]).tolist()
    ([False, True, True], [False, False, True, True], [False, False, False])
    """
    numbers = np.asarray(counts, dtype=float)
    few = (numbers > 0) & (numbers < THRESHOLD)
    if 0 < numbers[few].sum() < THRESHOLD:
        rest = np.where(few | (numbers == 0), np.inf, numbers)
        if np.isfinite(rest).any():
            few[rest.argmin()] = True
    return few


def told_or_withheld(counts: Sequence[int]) -> list[str]:
    """Counts of groups that add up to a known total, as text.

    Examples
    --------
    >>> told_or_withheld([500, 40, 3])
    ['500', 'not shown', 'fewer than 10']
    """
    hidden = withheld(counts)
    return [
        f"{n:,}" if not hide else told(n) if n < THRESHOLD else "not shown"
        for n, hide in zip(counts, hidden, strict=True)
    ]


def blurred(value: float | None) -> float | None:
    """A share or a mean to four digits: all of them would tell the exact number of people it is of.

    Examples
    --------
    >>> blurred(2063 / 4994), blurred(3.63214), blurred(None)
    (0.4131, 3.632, None)
    """
    return None if value is None else float(f"{value:.4g}")


def nearest_ten(count: int) -> int:
    """A count to the nearest ten: beside an exact total it does not tell how few are missing from it.

    Examples
    --------
    >>> nearest_ten(4998), nearest_ten(12)
    (5000, 10)
    """
    return 10 * round(count / 10)


def rare(counts: Mapping[str, int], known: Collection[str] = ()) -> list[str]:
    """Answers that are not to be named: those of few respondents among many answers, but for those known elsewhere.

    Examples
    --------
    >>> rare({**{f"town {k}": 20 for k in range(12)}, "my farm": 1})
    ['my farm']
    >>> rare({"yes": 500, "no": 3})
    []
    """
    if len(counts) <= FEW_ANSWERS:
        return []
    return [answer for answer, count in counts.items() if count < THRESHOLD and answer not in known]
