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


def tellable(counts: Sequence[int]) -> list[int | None]:
    """Counts of groups that add up to a known total; None for those that are withheld.

    Beside a withheld count the others are to the nearest ten: exact ones would tell what the withheld are together,
    and any other count of some of them, as of those left out of a model, the rest.

    Examples
    --------
    >>> tellable([502, 43, 3]), tellable([502, 43, 0])
    ([500, None, None], [502, 43, 0])
    """
    hidden = withheld(counts)
    exact = not hidden.any()
    return [None if hide else n if exact else nearest_ten(n) for n, hide in zip(counts, hidden, strict=True)]


def told_or_withheld(counts: Sequence[int]) -> list[str]:
    """The counts of ``tellable`` as text.

    Examples
    --------
    >>> told_or_withheld([502, 43, 3])
    ['500', 'not shown', 'fewer than 10']
    """
    return [
        f"{shown:,}" if shown is not None else told(n) if n < THRESHOLD else "not shown"
        for n, shown in zip(counts, tellable(counts), strict=True)
    ]


def told_roughly(count: int) -> str:
    """A count of respondents to the nearest ten as text: from several of them no smaller one can be worked out.

    Examples
    --------
    >>> told_roughly(1234), told_roughly(9)
    ('about 1,230', 'fewer than 10')
    """
    return f"about {nearest_ten(count):,}" if count >= THRESHOLD else told(count)


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
