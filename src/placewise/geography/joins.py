"""The areas table and what is joined onto it: left joins whose keys must match."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from placewise.errors import Problems, nearest
from placewise.geography.codes import as_codes, listing
from placewise.geography.spec import AreasSpec, JoinSpec
from placewise.geography.tables import TableFile, open_table, read_raw, require


@dataclass(frozen=True, eq=False)
class Assembled:
    """Columns of the areas table and its joins, as they stand in the files.

    Parameters
    ----------
    frame : DataFrame
        A rows, in the order of the areas table.
    available : tuple of str
        Every column of every file, in the files' order.
    notes : tuple of str
        What is unusual about a file.
    """

    frame: pd.DataFrame
    available: tuple[str, ...]
    notes: tuple[str, ...]


def assemble(spec: AreasSpec, wanted: Collection[str] | None, problems: Problems) -> Assembled | None:
    """Read the wanted columns from the areas table and the tables joined onto it.

    Parameters
    ----------
    wanted : collection of str, or None
        Columns to read where a file has them; None reads all.

    Returns
    -------
    Assembled or None
        None when a problem was noted.
    """
    before = len(problems)
    keys = {left for join in spec.join for left in join.on}
    main = open_table(spec.table, "areas.table", problems, {spec.code, *keys})
    files = [
        (join, open_table(join.table, f"areas.join[{i}]", problems, join.on.values()))
        for i, join in enumerate(spec.join)
    ]
    joins = [(join, file) for join, file in files if file is not None]
    if main is None or len(joins) < len(files):
        return None
    available = tuple(dict.fromkeys([*main.columns, *(c for _, file in joins for c in file.columns)]))
    chosen = {*available} if wanted is None else {*wanted, *keys}
    _tell_clashes(main, joins, chosen, problems)
    raw = read_raw(main, [c for c in dict.fromkeys(main.columns) if c in chosen], "areas.table", problems)
    if raw is None or len(problems) > before:
        return None
    frame = pd.DataFrame({name: raw.labelled(name) for name in raw.frame.columns})
    for i, (join, file) in enumerate(joins):
        right = [c for c in dict.fromkeys(file.columns) if c in chosen and c not in join.on.values()]
        joined = _join(frame, join, file, [c for c in right if c not in frame.columns], f"areas.join[{i}]", problems)
        if joined is None:
            return None
        frame = joined
    notes = tuple(file.note for file in [main, *(f for _, f in joins)] if file.note)
    return Assembled(frame, available, notes) if len(problems) == before else None


def reconcile(found: Collection[str], known: Collection[str]) -> str:
    """How two sets of codes compare, as text for a message.

    Examples
    --------
    >>> reconcile({"a", "b", "x"}, {"a", "b", "c"})
    '2 codes in both, 1 only here, 1 only in the areas'
    """
    here, there = set(found), set(known)
    both, extra, lost = len(here & there), len(here - there), len(there - here)
    return f"{both:,} codes in both, {extra:,} only here, {lost:,} only in the areas"


def _tell_clashes(
    main: TableFile, joins: Sequence[tuple[JoinSpec, TableFile]], chosen: Collection[str], problems: Problems
) -> None:
    home = dict.fromkeys(main.columns, main.path.name)
    for i, (join, file) in enumerate(joins):
        if not require(file, join.on.values(), f"areas.join[{i}]", problems):
            continue
        for column in dict.fromkeys(file.columns):
            if column in join.on.values() or column not in chosen:
                continue
            if column in home:
                problems.add(
                    f"areas.join[{i}]",
                    f"column {column!r} stands in {home[column]} and in {file.path.name}",
                    "rename or remove one",
                    "data",
                )
            home.setdefault(column, file.path.name)


def _join(
    frame: pd.DataFrame, join: JoinSpec, file: TableFile, columns: list[str], where: str, problems: Problems
) -> pd.DataFrame | None:
    absent = [left for left in join.on if left not in frame.columns]
    for left in absent:
        problems.add(where, f"no column {left!r} to join on in the areas table", nearest(left, frame.columns), "data")
    if absent:
        return None
    raw = read_raw(file, [*join.on.values(), *columns], where, problems)
    if raw is None:
        return None
    left_keys = _keys(frame, list(join.on))
    right_keys = pd.Index(_keys(raw.frame, list(join.on.values())))
    twice = right_keys[right_keys.duplicated() & right_keys.notna()].unique()
    if len(twice):
        problems.add(
            where,
            f"{len(twice):,} keys stand more than once in {file.path.name}: {listing(twice)}",
            "a join needs one row for each key",
            "data",
        )
        return None
    at = right_keys.get_indexer(pd.Index(left_keys))
    at[left_keys.isna()] = -1
    lost = left_keys[at < 0]
    if len(lost):
        without = int(lost.isna().sum())
        blank = f"{without:,} areas have no key; " if without else ""
        problems.add(
            where,
            f"{len(lost):,} of {len(frame):,} areas have no row in {file.path.name}: {blank}"
            f"{listing(lost.dropna().unique())}",
            reconcile(right_keys.dropna(), left_keys.dropna()),
            "data",
        )
        return None
    taken = {name: raw.labelled(name).iloc[at].reset_index(drop=True) for name in columns}
    return pd.concat([frame, pd.DataFrame(taken)], axis=1) if taken else frame


def _keys(frame: pd.DataFrame, columns: list[str]) -> pd.Series:
    """Join keys as text, several columns joined by a unit separator; missing where any is."""
    keys = as_codes(frame[columns[0]])
    for column in columns[1:]:
        keys = keys.str.cat(as_codes(frame[column]), sep="\x1f")
    return keys.reset_index(drop=True)


def positions(codes: pd.Series, known: np.ndarray) -> np.ndarray:
    """Row of each code among those known, -1 where unknown or missing; shape (n,), int64."""
    factor, uniques = pd.factorize(codes)
    at = pd.Index(known).get_indexer(pd.Index(uniques))
    return np.append(at, -1)[factor].astype(np.int64)
