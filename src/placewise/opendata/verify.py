"""Whether a source's table is what the catalogue says: all its areas, cells that add up, totals near the published."""

from __future__ import annotations

import numpy as np
import pandas as pd

from placewise.errors import Problems
from placewise.geography.codes import listing
from placewise.opendata.spec import Source

_CHANGED = "has the publisher changed the table, or is the file cut short?"


def verify_table(table: pd.DataFrame, source: Source, name: str, problems: Problems) -> None:
    """Note what is wrong with a table that could be read.

    Parameters
    ----------
    table : DataFrame
        From ``reading.read_source``.
    name : str
        The file's name, for messages.
    """
    before = len(problems)
    if source.areas is not None and table.index.nunique() != source.areas:
        found = f"{name}: {table.index.nunique():,} areas, expected {source.areas:,}"
        problems.add(source.name, found, _CHANGED, "data")
    for column in table.columns:
        lost = table.index[table[column].isna()]
        if len(lost):
            problems.add(
                source.name, f"{name}: {column!r} is missing for {len(lost):,} areas: {listing(lost)}", kind="data"
            )
    if source.values == "text" or len(problems) > before:
        return
    _verify_counts(table, source, name, problems)


def _verify_counts(table: pd.DataFrame, source: Source, name: str, problems: Problems) -> None:
    numbers = table.to_numpy(dtype=np.float64)
    if not np.isfinite(numbers).all():
        problems.add(source.name, f"{name}: values that are not finite", kind="data")
        return
    if not source.parts:
        return
    if (numbers < 0).any():
        problems.add(
            source.name, f"{name}: counts below 0 in {int((numbers < 0).any(axis=1).sum()):,} areas", kind="data"
        )
    apart = np.abs(table[list(source.parts)].sum(axis=1) - table["total"]) > 0.5
    if apart.any():
        problems.add(
            source.name,
            f"{name}: {', '.join(source.parts)} do not add up to the total in {int(apart.sum()):,} of {len(table):,} "
            f"areas: {listing(table.index[apart])}",
            _CHANGED,
            "data",
        )
    control = source.control
    if control is None:
        return
    total = float(table[control.column].sum())
    if abs(total - control.total) > control.tolerance * control.total:
        problems.add(
            source.name,
            f"{name}: {control.column!r} adds up to {total:,.0f}, published are {control.total:,.0f}",
            _CHANGED,
            "data",
        )
