"""Reads the poststratification frame: long cells, made sparse over areas and scaled to their population."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np
import pandas as pd

from placewise.errors import Problems
from placewise.frame.cells import Frame
from placewise.frame.spec import FrameSpec
from placewise.geography.areas import AreaTable
from placewise.geography.codes import as_codes, as_numbers, infer, listing
from placewise.geography.joins import positions, reconcile
from placewise.geography.tables import TableFile, open_table, read_raw, require

NOTABLE = 1e-6
Factor = tuple[np.ndarray, pd.Series]


def read_frame(
    spec: FrameSpec, areas: AreaTable | None, code: str, cell_columns: Collection[str] | None, problems: Problems
) -> Frame | None:
    """Read who lives in each area.

    Parameters
    ----------
    spec : FrameSpec
        Table ``[frame]`` of the project file.
    areas : AreaTable or None
        None when the areas could not be read: the counts are checked all the same, and None is returned.
    code : str
        Column of area codes, ``areas.code``.
    cell_columns : collection of str, or None
        Columns that formulas use, of which the file may lack some; cells are summed over all others. None keeps
        every column.
    problems : Problems
        Takes everything that is wrong.

    Returns
    -------
    Frame or None
        Cells in the order of their values, entries in the order of areas and cells, whatever the order of the file's
        rows. None when a problem was noted.
    """
    before = len(problems)
    file = open_table(spec.cells, "frame.cells", problems, {code, spec.count})
    if file is None:
        return None
    require(file, [code], "frame.cells", problems)
    require(file, [spec.count], "frame.count", problems)
    if len(problems) > before:
        return None
    columns = _cell_columns(file, code, spec.count, cell_columns)
    raw = read_raw(file, [code, *columns, spec.count], "frame.cells", problems)
    if raw is None:
        return None
    codes = _factor(as_codes, raw.pop(code))
    count = _counts(raw.pop(spec.count), codes, spec, problems)
    values = {name: _factor(infer, raw.pop(name)) for name in columns}
    for name, (at, _) in values.items():
        lost = int((at < 0).sum())
        if lost:
            message = f"column {name!r} is missing in {lost:,} rows of {spec.cells.name}"
            problems.add("frame.cells", message, kind="data")
    if areas is not None:
        _check_codes(codes, areas, spec, problems)
    if areas is None or len(problems) > before:
        return None
    present = count > 0
    number, cells = _number_cells({n: (at[present], levels) for n, (at, levels) in values.items()}, int(present.sum()))
    key = positions(codes[1], areas.codes)[codes[0][present]] * len(cells)
    key += number
    del codes, values, number
    return _sparse(key, count[present], cells, areas, file, problems)


def _factor(rule: Callable[[pd.Series], pd.Series], values: pd.Series) -> Factor:
    """Distinct values after a rule, sorted, and the place of each row's value among them (-1: missing)."""
    at, uniques = pd.factorize(values)
    place, levels = pd.factorize(rule(pd.Series(uniques)), sort=True)
    return np.append(place, -1).astype(np.int32)[at], pd.Series(levels)


def _cell_columns(file: TableFile, code: str, count: str, wanted: Collection[str] | None) -> list[str]:
    return [c for c in dict.fromkeys(file.columns) if c not in (code, count) and (wanted is None or c in wanted)]


def _counts(values: pd.Series, codes: Factor, spec: FrameSpec, problems: Problems) -> np.ndarray:
    """People of each row, shape (rows,); none may be missing, negative or infinite."""
    count, text = as_numbers(values)
    faults = {"text": text, "missing": np.isnan(count) & ~text, "negative": count < 0, "infinite": count == np.inf}
    for what, odd in faults.items():
        if odd.any():
            problems.add(
                "frame.count",
                f"column {spec.count!r} is {what} in {int(odd.sum()):,} rows of "
                f"{spec.cells.name}, in areas {listing(_met(codes, odd))}",
                kind="data",
            )
    return count


def _met(codes: Factor, rows: np.ndarray) -> pd.Series:
    """Distinct codes of some rows, missing ones apart."""
    at = np.unique(codes[0][rows])
    return codes[1].iloc[at[at >= 0]]


def _check_codes(codes: Factor, areas: AreaTable, spec: FrameSpec, problems: Problems) -> None:
    at, met = codes
    blank = int((at < 0).sum())
    if blank:
        problems.add(
            "frame.cells", f"{blank:,} rows of {spec.cells.name} have no area code in {areas.code!r}", kind="data"
        )
    unknown = met[positions(met, areas.codes) < 0]
    if len(unknown):
        problems.add(
            "frame.cells",
            f"{len(unknown):,} area codes of {spec.cells.name} are not in the areas table: {listing(unknown)}",
            reconcile(set(met), set(areas.codes)),
            "data",
        )


def _number_cells(columns: dict[str, Factor], rows: int) -> tuple[np.ndarray, pd.DataFrame]:
    """Number of each row's cell, in the order of the cells' values, and the table of cells.

    Parameters
    ----------
    columns : dict of str to Factor
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


def _sparse(
    key: np.ndarray, count: np.ndarray, cells: pd.DataFrame, areas: AreaTable, file: TableFile, problems: Problems
) -> Frame | None:
    """Sum the rows of one area and cell (``key``: area times cells plus cell), and scale areas to their population."""
    if (key[1:] < key[:-1]).any():
        order = np.argsort(key, kind="stable")
        key, count = key[order], count[order]
        del order
    repeats = key[1:] == key[:-1]
    if repeats.any():
        first = np.flatnonzero(np.append(True, ~repeats))
        key, count = key[first], np.add.reduceat(count, first)
    indptr = np.searchsorted(key, np.arange(len(areas) + 1, dtype=np.int64) * len(cells)).astype(np.int64)
    empty = areas.codes[np.diff(indptr) == 0]
    if len(empty):
        problems.add(
            "frame.cells",
            f"{len(empty):,} of {len(areas):,} areas have nobody in {file.path.name}: {listing(empty)}",
            "every area needs people; leave out areas where nobody lives",
            "data",
        )
        return None
    notes = [file.note] if file.note else []
    if areas.population is not None:
        total = np.add.reduceat(count, indptr[:-1])
        count *= np.repeat(areas.population / total, np.diff(indptr))
        notes += _discrepancy(total, areas.population, areas.codes)
    return Frame(cells, indptr, (key % len(cells)).astype(np.int32), count, file.columns, tuple(notes))


def _discrepancy(total: np.ndarray, population: np.ndarray, codes: np.ndarray) -> list[str]:
    """A note on how far the frame was from the population, where it was."""
    gap = np.abs(total / population - 1)
    if gap.max() <= NOTABLE:
        return []
    worst = int(gap.argmax())
    return [
        f"the frame was scaled to the population in {int((gap > NOTABLE).sum()):,} areas; the largest discrepancy "
        f"is {codes[worst]} with {total[worst]:,.6g} in the frame and {population[worst]:,.6g} people"
    ]
