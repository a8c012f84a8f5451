"""Long tables of counts: one row a combination of codes and categories, and the people in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from placewise.errors import Problems
from placewise.geography.areas import AreaTable
from placewise.geography.codes import as_codes, as_numbers, infer, listing
from placewise.geography.joins import positions, reconcile
from placewise.geography.tables import TableFile, open_table, read_raw, require

Factor = tuple[np.ndarray, pd.Series]


@dataclass(frozen=True)
class Wanted:
    """What is read of a long table, and the keys of the project file that name it, for messages.

    Parameters
    ----------
    path : Path
        The file.
    table, count : str
        Keys that name the file and its column of counts.
    codes : mapping of str to str
        Columns of codes, and the key that names each.
    people : str
        Column of counts.
    """

    path: Path
    table: str
    count: str
    codes: Mapping[str, str]
    people: str

    def open(self, problems: Problems, expected: Collection[str] = ()) -> TableFile | None:
        """Find the file and make sure that the columns of codes and of counts are there; None after a problem."""
        before = len(problems)
        file = open_table(self.path, self.table, problems, {*self.codes, *expected, self.people})
        if file is None:
            return None
        for column, key in self.codes.items():
            require(file, [column], key, problems)
        require(file, [self.people], self.count, problems)
        return file if len(problems) == before else None

    def others(self, file: TableFile) -> list[str]:
        """Columns that hold neither codes nor counts."""
        return [c for c in dict.fromkeys(file.columns) if c not in self.codes and c != self.people]


@dataclass(frozen=True, eq=False)
class LongTable:
    """A long table, each column as the places of its rows' values among the distinct ones.

    Parameters
    ----------
    codes : mapping of str to Factor
        Columns of codes: text.
    columns : mapping of str to Factor
        Columns of categories: numbers or text.
    count : ndarray of float64, shape (rows,)
        People, none of them missing, negative or infinite.
    """

    codes: Mapping[str, Factor]
    columns: Mapping[str, Factor]
    count: np.ndarray


def read_long(wanted: Wanted, file: TableFile, columns: Collection[str], problems: Problems) -> LongTable | None:
    """Read the counts, codes and some columns of categories.

    Parameters
    ----------
    wanted : Wanted
        What to read.
    file : TableFile
        The file, open.
    columns : collection of str
        Columns of categories.
    problems : Problems
        Takes everything that is wrong.

    Returns
    -------
    LongTable or None
        None where the columns could not be read; missing values are noted and have place -1.
    """
    raw = read_raw(file, [*wanted.codes, *columns, wanted.people], wanted.table, problems)
    if raw is None:
        return None
    codes = {name: _factor(as_codes, raw.pop(name)) for name in wanted.codes}
    count = _counts(raw.pop(wanted.people), next(iter(codes.values()), None), wanted, problems)
    values = {name: _factor(infer, raw.pop(name)) for name in columns}
    for name, (at, _) in values.items():
        lost = int((at < 0).sum())
        if lost:
            message = f"column {name!r} is missing in {lost:,} rows of {wanted.path.name}"
            problems.add(wanted.table, message, kind="data")
    return LongTable(codes, values, count)


def check_areas(wanted: Wanted, codes: Factor, areas: AreaTable, problems: Problems) -> None:
    """Note rows without an area, and areas that the areas table lacks."""
    at, met = codes
    blank = int((at < 0).sum())
    if blank:
        problems.add(
            wanted.table, f"{blank:,} rows of {wanted.path.name} have no area code in {areas.code!r}", kind="data"
        )
    unknown = met[positions(met, areas.codes) < 0]
    if len(unknown):
        problems.add(
            wanted.table,
            f"{len(unknown):,} area codes of {wanted.path.name} are not in the areas table: {listing(unknown)}",
            reconcile(set(met), set(areas.codes)),
            "data",
        )


def number_cells(columns: Mapping[str, Factor], rows: int) -> tuple[np.ndarray, pd.DataFrame]:
    """Number of each row's cell, in the order of the cells' values, and the table of cells.

    Parameters
    ----------
    columns : mapping of str to Factor
        Values of the cell columns; may be empty, then there is one cell.
    """
    number = np.zeros(rows, dtype=np.int64)
    parts: list[np.ndarray] = []
    for at, levels in columns.values():
        number, met = pd.factorize(number * len(levels) + at, sort=True)
        before, here = np.divmod(met, len(levels))
        parts = [part[before] for part in parts] + [here]
    table = {
        name: levels.take(part).reset_index(drop=True)
        for (name, (_, levels)), part in zip(columns.items(), parts, strict=True)
    }
    return number, pd.DataFrame(table, index=range(int(number.max(initial=0)) + 1))


def _factor(rule: Callable[[pd.Series], pd.Series], values: pd.Series) -> Factor:
    """Distinct values after a rule, sorted, and the place of each row's value among them (-1: missing)."""
    at, uniques = pd.factorize(values)
    place, levels = pd.factorize(rule(pd.Series(uniques)), sort=True)
    return np.append(place, -1).astype(np.int32)[at], pd.Series(levels)


def _counts(values: pd.Series, codes: Factor | None, wanted: Wanted, problems: Problems) -> np.ndarray:
    """People of each row, shape (rows,); none may be missing, negative or infinite."""
    count, text = as_numbers(values)
    faults = {"text": text, "missing": np.isnan(count) & ~text, "negative": count < 0, "infinite": count == np.inf}
    for what, odd in faults.items():
        if odd.any():
            place = "" if codes is None else f", in areas {listing(_met(codes, odd))}"
            problems.add(
                wanted.count,
                f"column {wanted.people!r} is {what} in {int(odd.sum()):,} rows of {wanted.path.name}{place}",
                kind="data",
            )
    return count


def _met(codes: Factor, rows: np.ndarray) -> pd.Series:
    """Distinct codes of some rows, missing ones apart."""
    at = np.unique(codes[0][rows])
    return codes[1].iloc[at[at >= 0]]
