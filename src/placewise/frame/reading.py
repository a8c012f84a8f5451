"""Reads the poststratification frame: long cells, made sparse over areas and scaled to their population."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from placewise.errors import Problems
from placewise.frame.cells import Frame
from placewise.frame.long import Wanted, check_areas, number_cells, read_long
from placewise.frame.spec import FrameSpec
from placewise.geography.areas import AreaTable
from placewise.geography.codes import listing
from placewise.geography.joins import positions
from placewise.geography.tables import TableFile

NOTABLE = 1e-6


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
    wanted = Wanted(spec.cells, "frame.cells", "frame.count", {code: "frame.cells"}, spec.count)
    file = wanted.open(problems)
    if file is None:
        return None
    columns = [c for c in wanted.others(file) if cell_columns is None or c in cell_columns]
    table = read_long(wanted, file, columns, problems)
    if table is None:
        return None
    codes, count, values = table.codes[code], table.count, table.columns
    if areas is not None:
        check_areas(wanted, codes, areas, problems)
    if areas is None or len(problems) > before:
        return None
    present = count > 0
    number, cells = number_cells({n: (at[present], levels) for n, (at, levels) in values.items()}, int(present.sum()))
    key = positions(codes[1], areas.codes)[codes[0][present]] * len(cells)
    key += number
    count = count[present]
    del codes, values, number, table, present
    return _sparse(key, count, cells, areas, file, problems)


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
