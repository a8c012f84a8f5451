"""Margins of the frame: how many people of each category live in each area, one or more variables at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from placewise.errors import Problems, nearest
from placewise.frame.grid import Grid
from placewise.frame.long import LongTable, Wanted, check_areas, read_long
from placewise.frame.spec import MarginSpec
from placewise.geography.areas import AreaTable
from placewise.geography.codes import listing
from placewise.geography.joins import positions


@dataclass(frozen=True, eq=False)
class Margin:
    """Counts of people by area and category.

    Parameters
    ----------
    grid : Grid
        One variable or several crossed, with the values that anybody has.
    counts : ndarray of float64, shape (A, K)
        K combinations of the values.
    where : str
        Key of the project file, for messages.
    note : str
        What is unusual about its file; may be empty.
    """

    grid: Grid
    counts: np.ndarray
    where: str
    note: str = ""

    @property
    def name(self) -> str:
        """What the margin is of, in words."""
        return " × ".join(self.grid.variables)


def read_margins(
    specs: Sequence[MarginSpec], areas: AreaTable | None, code: str, problems: Problems
) -> tuple[Margin, ...] | None:
    """Read every margin, and make sure that they speak of the same categories.

    Parameters
    ----------
    specs : sequence of MarginSpec
        ``[frame] margins``.
    areas : AreaTable or None
        None when the areas could not be read: the tables are checked all the same, and None is returned.
    code : str
        Column of area codes, ``areas.code``.
    problems : Problems
        Takes everything that is wrong.

    Returns
    -------
    tuple of Margin, or None
        In the order of ``specs``. None when a problem was noted.
    """
    found = [_read(spec, areas, code, f"frame.margins[{i}]", problems) for i, spec in enumerate(specs)]
    margins = tuple(margin for margin in found if margin is not None)
    if areas is None or len(margins) < len(specs):
        return None
    before = len(problems)
    _check_agreement(margins, problems)
    return margins if len(problems) == before else None


def _read(spec: MarginSpec, areas: AreaTable | None, code: str, where: str, problems: Problems) -> Margin | None:
    before = len(problems)
    wanted = Wanted(spec.table, f"{where}.table", f"{where}.count", {code: f"{where}.table"}, spec.count)
    file = wanted.open(problems, spec.variables)
    if file is None:
        return None
    others = wanted.others(file)
    for name in spec.variables:
        if name not in others:
            message = f"{spec.table.name} has no column {name!r} of categories"
            problems.add(f"{where}.variable", message, nearest(name, others), "data")
    table = None if len(problems) > before else read_long(wanted, file, spec.variables, problems)
    if table is None:
        return None
    if areas is not None:
        check_areas(wanted, table.codes[code], areas, problems)
    if areas is None or len(problems) > before:
        return None
    return _dense(spec, table, areas, where, file.note, problems)


def _dense(
    spec: MarginSpec, table: LongTable, areas: AreaTable, where: str, note: str, problems: Problems
) -> Margin | None:
    """Counts of every area and category, with categories that nobody has left out."""
    columns = []
    for name in spec.variables:
        at, levels = table.columns[name]
        met = np.bincount(at, weights=table.count, minlength=len(levels)) > 0
        columns.append(((np.cumsum(met) - 1)[at], levels[met].reset_index(drop=True)))
    shape = tuple(len(levels) for _, levels in columns)
    if 0 in shape:
        problems.add(f"{where}.count", f"column {spec.count!r} of {spec.table.name} counts nobody", kind="data")
        return None
    place, codes = table.codes[areas.code]
    row = positions(codes, areas.codes)[place]
    without = areas.codes[np.bincount(row, minlength=len(areas)) == 0]
    if len(without):
        problems.add(
            f"{where}.table",
            f"{len(without):,} of {len(areas):,} areas have no row in {spec.table.name}: {listing(without)}",
            "a margin needs every area; rows of zeros say that its table counts nobody there",
            "data",
        )
        return None
    size = int(np.prod(shape))
    present = table.count > 0
    # the levels of a category are there wherever its count is above zero
    number = np.ravel_multi_index(tuple(at[present] for at, _ in columns), shape)
    key = row[present] * size + number
    counts = np.bincount(key, weights=table.count[present], minlength=len(areas) * size).reshape(len(areas), size)
    return Margin(Grid(spec.variables, tuple(levels for _, levels in columns)), counts, where, note)


def _check_agreement(margins: Sequence[Margin], problems: Problems) -> None:
    """Note variables whose categories differ between two margins."""
    first: dict[str, tuple[pd.Series, Margin]] = {}
    for margin in margins:
        for name, levels in zip(margin.grid.variables, margin.grid.levels, strict=True):
            known, earlier = first.setdefault(name, (levels, margin))
            if pd.api.types.is_float_dtype(known) != pd.api.types.is_float_dtype(levels):
                problems.add(
                    f"{margin.where}.variable",
                    f"{name!r} is made of numbers in one and of text in the other of {earlier.where} and here",
                    "write the categories alike",
                    "data",
                )
                continue
            odd = sorted({*map(str, known)} ^ {*map(str, levels)})
            if odd:
                problems.add(
                    f"{margin.where}.variable",
                    f"the categories of {name!r} that people have differ from those of {earlier.where}: {listing(odd)}",
                    nearest(odd[0], [str(v) for v in (levels if odd[0] in {*map(str, known)} else known)]),
                    "data",
                )
