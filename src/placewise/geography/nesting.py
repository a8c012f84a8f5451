"""Codes, nesting and names of the areas: each area once, in one parent at every level."""

from __future__ import annotations

import itertools

import pandas as pd

from placewise.errors import Problems
from placewise.geography.codes import listing


def check_codes(table: pd.DataFrame, code: str, problems: Problems) -> None:
    """Note missing and duplicated area codes."""
    codes = table[code]
    missing = int(codes.isna().sum())
    if missing:
        problems.add("areas.code", f"{missing:,} of {len(table):,} areas have no code in column {code!r}", kind="data")
    twice = codes[codes.duplicated() & codes.notna()].unique()
    if len(twice):
        problems.add(
            "areas.code",
            f"{len(twice):,} codes stand more than once in column {code!r}: {listing(twice)}",
            "each area needs one row",
            "data",
        )


def check_complete(table: pd.DataFrame, code: str, column: str, where: str, problems: Problems) -> None:
    """Note areas whose level, class or covariate is missing."""
    lost = table.loc[table[column].isna(), code]
    if len(lost):
        problems.add(
            where,
            f"column {column!r} is missing for {len(lost):,} of {len(table):,} areas: {listing(lost)}",
            kind="data",
        )


def check_nesting(table: pd.DataFrame, levels: tuple[str, ...], problems: Problems) -> None:
    """Note codes of a level that lie in more than one area of the next level.

    Parameters
    ----------
    levels : tuple of str
        Finest first.
    """
    for level, parent in itertools.pairwise(levels):
        pairs = table[[level, parent]].dropna().drop_duplicates()
        split = pairs[pairs[level].duplicated(keep=False)]
        if split.empty:
            continue
        parents = split.groupby(level, sort=True)[parent].agg(lambda codes: " and ".join(sorted(codes)))
        shown = [f"{child} in {which}" for child, which in parents.iloc[:11].items()]
        problems.add(
            "areas.levels",
            f"{len(parents):,} areas of {level!r} lie in more than one {parent!r}: {listing(shown)}",
            "levels are nested, finest first",
            "data",
        )


def read_names(table: pd.DataFrame, level: str, column: str, problems: Problems) -> dict[str, str]:
    """Names of a level's codes; a code with two names is a problem."""
    pairs = table[[level, column]].dropna().drop_duplicates()
    split = pairs.loc[pairs[level].duplicated(keep=False), level].unique()
    if len(split):
        message = f"{len(split):,} codes of {level!r} have more than one name in {column!r}: {listing(sorted(split))}"
        problems.add(f"areas.names.{level}", message, "give each code one name", "data")
    return dict(zip(pairs[level], pairs[column], strict=True))
