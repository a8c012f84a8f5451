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
