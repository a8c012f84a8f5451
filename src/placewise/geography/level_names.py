"""Levels that are known by the names of their columns."""

from __future__ import annotations

import re
from collections.abc import Sequence

AUTHORITY = r"(lad|ltla)\d*(cd)?|local_?authorit(y|ies)"


def is_authority(column: str) -> bool:
    """Whether a column's name is that of local authorities.

    Examples
    --------
    >>> is_authority("lad22cd"), is_authority("local_authority"), is_authority("ward")
    (True, True, False)
    """
    return re.fullmatch(AUTHORITY, column.lower()) is not None


def compared_level(levels: Sequence[str]) -> str:
    """The level at which outcomes are coupled and fits compared: local authorities, else the largest; empty for none.

    Parameters
    ----------
    levels : sequence of str
        Columns of the areas table, finest first.
    """
    return next((level for level in levels if is_authority(level)), levels[-1] if levels else "")
