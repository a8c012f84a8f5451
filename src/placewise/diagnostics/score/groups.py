"""Groups in which coverage is reported, looked up in the areas table for areas of every level."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from placewise.diagnostics.score.tables import read_table
from placewise.errors import ConfigurationError, DataError, Problem, nearest


def sole_group(group: pd.Series, key: pd.Series) -> pd.Series:
    """Group of every larger area that lies in one only, else missing; indexed by the larger area's code."""
    position, labels = pd.factorize(group)
    inside = pd.Series(position, index=group.index).groupby(key, sort=False)
    lowest = inside.min()
    # A missing group has position -1 and is in the way of a sole one.
    sole = (lowest == inside.max()) & (lowest >= 0)
    names = pd.Series(labels).astype(str).reindex(lowest.where(sole))
    return pd.Series(names.to_numpy(), index=lowest.index).rename_axis("area_code")


def read_areas(path: Path, levels: Sequence[str]) -> pd.DataFrame:
    """Table of the small areas, the columns named after ``levels`` as text."""
    table = read_table(path, levels)
    return table.assign(**{level: table[level].astype(str) for level in levels if level in table.columns})


def require_columns(table: pd.DataFrame, names: Sequence[str], where: str) -> None:
    """Raise one ConfigurationError naming every column that the user asked for in vain."""
    known = [str(column) for column in table.columns]
    lacking = [Problem(where, f"column {n!r} is missing", nearest(n, known)) for n in names if n not in table.columns]
    if lacking:
        raise ConfigurationError(lacking)


def add_groups(truth: pd.DataFrame, areas: pd.DataFrame, by: Sequence[str], where: str) -> pd.DataFrame:
    """Give the truth a ``by_`` column for each column of the areas table.

    Parameters
    ----------
    truth : DataFrame
        ``area_level, area_code`` and more.
    areas : DataFrame
        The small areas: codes of the truth's levels in columns of their names, and the columns in ``by``.
    by : sequence of str
    where : str
        The areas' file, for messages.
    """
    require_columns(areas, by, where)
    levels = [level for level in truth["area_level"].astype(str).unique() if level in areas.columns]
    if not levels:
        named = ", ".join(truth["area_level"].astype(str).unique())
        raise DataError(Problem(where, f"has none of the truth's levels as a column ({named})", kind="data"))
    keys = pd.MultiIndex.from_arrays([truth["area_level"].astype(str), truth["area_code"].astype(str)])
    for column in by:
        found = pd.concat({level: sole_group(areas[column], areas[level]) for level in levels})
        truth = truth.assign(**{f"by_{column}": found.reindex(keys).to_numpy()})
    return truth
