"""Margins brought to one population, and to agree where they share variables.

Published tables do not add up: counts are perturbed and records swapped, table by table, and some tables count
households. Each margin is scaled, in every area, to the population that the areas table declares, else to the total of
the first margin. A margin that shares variables with earlier ones is then raked itself to what those say of the shared
variables: the first to speak is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from placewise.errors import Problems
from placewise.frame.fitting import Tables, fit_tables
from placewise.frame.margins import Margin
from placewise.geography.areas import AreaTable
from placewise.geography.codes import listing
from placewise.kernels.raking import UNSAID

NOTABLE = 1e-6

_EXACT = 1e-13  # of a later margin to the earlier ones: well below the tolerance of the raking itself


@dataclass(frozen=True)
class Discrepancy:
    """How far one margin was from the population and from the margins before it.

    Parameters
    ----------
    name : str
        What the margin is of.
    counted : float
        People of all areas by the margin's own table.
    largest : float
        Largest relative difference from the population of an area.
    area : str
        Where that is.
    areas : int
        Areas in which the two differ.
    silent : int
        Areas in which the table counts nobody, so that the margin says nothing there.
    adjusted : float
        Most people by which a category of an area changed to agree with earlier margins.
    """

    name: str
    counted: float
    largest: float
    area: str
    areas: int
    silent: int
    adjusted: float


@dataclass(frozen=True, eq=False)
class Harmonised:
    """Margins that add up.

    Parameters
    ----------
    target : ndarray of float64, shape (A, K)
        All margins side by side, ``UNSAID`` where one says nothing.
    begin : ndarray of int64, shape (M + 1,)
        Columns of each margin.
    people : ndarray of float64, shape (A,)
        Population of each area.
    discrepancies : tuple of Discrepancy
        One a margin.
    """

    target: np.ndarray
    begin: np.ndarray
    people: np.ndarray
    discrepancies: tuple[Discrepancy, ...]


def harmonise(margins: Sequence[Margin], areas: AreaTable, problems: Problems) -> Harmonised | None:
    """Scale margins to one population and make those that share variables agree.

    Parameters
    ----------
    margins : sequence of Margin
        As read; the first is the population where the areas declare none.
    areas : AreaTable
        Every area.
    problems : Problems
        Takes areas in which nobody lives.

    Returns
    -------
    Harmonised or None
        None when a problem was noted.
    """
    people = areas.population if areas.population is not None else margins[0].counts.sum(axis=1)
    empty = areas.codes[~(people > 0)]
    if len(empty):
        problems.add(
            f"{margins[0].where}.count",
            f"{len(empty):,} of {len(areas):,} areas have nobody in the first margin, which is the population: "
            f"{listing(empty)}",
            "leave out areas where nobody lives, or name areas.population",
            "data",
        )
        return None
    unheard = areas.codes[~np.any([m.counts.any(axis=1) for m in margins], axis=0)]
    if len(unheard):
        problems.add(
            "frame.margins",
            f"{len(unheard):,} of {len(areas):,} areas have nobody in any margin: {listing(unheard)}",
            "leave out areas where nobody lives",
            "data",
        )
        return None
    begin = np.concatenate([[0], np.cumsum([m.counts.shape[1] for m in margins])]).astype(np.int64)
    target = np.empty((len(areas), begin[-1]))
    found = []
    for i, margin in enumerate(margins):
        total = margin.counts.sum(axis=1)
        own = target[:, begin[i] : begin[i + 1]]
        said = total > 0
        np.multiply(margin.counts, (people / np.where(said, total, 1.0))[:, None], out=own)
        earlier = [(m, target[:, begin[j] : begin[j + 1]]) for j, m in enumerate(margins[:i])]
        shared = [(m, t) for m, t in earlier if set(m.grid.variables) & set(margin.grid.variables)]
        adjusted = 0.0
        if shared and said.any():
            agreed = _agree(margin, own, shared, people)
            adjusted = float(np.abs(agreed - own)[said].max())
            own[:] = agreed
        own[~said] = UNSAID
        found.append(_discrepancy(margin, total, people, areas.codes, adjusted))
    return Harmonised(target, begin, people, tuple(found))


def _discrepancy(
    margin: Margin, total: np.ndarray, people: np.ndarray, codes: np.ndarray, adjusted: float
) -> Discrepancy:
    said = total > 0
    gap = np.where(said, np.abs(total / people - 1), 0.0)
    worst = int(gap.argmax())
    return Discrepancy(
        margin.name,
        float(total.sum()),
        float(gap[worst]),
        str(codes[worst]),
        int((gap > NOTABLE).sum()),
        int((~said).sum()),
        adjusted,
    )


def _agree(
    margin: Margin, own: np.ndarray, shared: Sequence[tuple[Margin, np.ndarray]], people: np.ndarray
) -> np.ndarray:
    """A margin's scaled counts (A, K) raked to what earlier margins say of the variables that they share."""
    start = own.copy()
    national = margin.counts.sum(axis=0)
    columns, categories, begin = [], [], [0]
    for earlier, target in shared:
        common = [v for v in margin.grid.variables if v in earlier.grid.variables]
        here, there = margin.grid.places(common), earlier.grid.places(common)
        size = int(here.max()) + 1
        wanted = _grouped(target, there, size)
        wanted[(target < 0).any(axis=1)] = UNSAID
        # people of a category that the margin has empty are spread as in all areas together
        lacking = (_grouped(own, here, size) == 0) & (wanted > 0)
        start += lacking[:, here] * national
        columns.append(wanted)
        categories.append(here + begin[-1])
        begin.append(begin[-1] + size)
    n, k = own.shape
    tables = Tables(start, np.arange(n), np.array(categories), np.array(begin, dtype=np.int64), np.arange(k))
    fitted = fit_tables(tables, np.concatenate(columns, axis=1), people, _EXACT)
    agreed = np.zeros_like(own)
    agreed[np.repeat(np.arange(n), np.diff(fitted.indptr)), fitted.cell] = fitted.count
    return agreed


def _grouped(table: np.ndarray, at: np.ndarray, size: int) -> np.ndarray:
    """Columns of a table summed by group, shape (A, size)."""
    summed = np.zeros((len(table), size))
    for column, group in enumerate(at):
        summed[:, group] += table[:, column]
    return summed
