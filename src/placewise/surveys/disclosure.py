"""Counts of respondents as they may be told: none below the threshold."""

from __future__ import annotations

THRESHOLD = 10


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
