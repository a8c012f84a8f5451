"""The poststratification frame: who lives in each area, as counts of cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from placewise.frame.report import RakingReport


@dataclass(frozen=True, eq=False)
class Frame:
    """Counts of people by area and cell, sparse over areas.

    Parameters
    ----------
    cells : DataFrame
        C rows, one a distinct cell (combination of the cell columns); text columns as ``str``, numbers float64.
    indptr : ndarray of int64, shape (A + 1,)
        Area a owns entries ``indptr[a]:indptr[a + 1]``, in the order of the areas table.
    cell : ndarray of int32, shape (entries,)
        Row of ``cells``.
    count : ndarray of float64, shape (entries,)
        People, scaled to the area's population where one is declared; may be fractional, never zero or negative.
    available : tuple of str
        Every column of the frame's file, also those that were not read: for hints.
    notes : tuple of str
        Harmless findings, one sentence each.
    report : RakingReport or None
        How raking went, where the frame was raked from margins.
    """

    cells: pd.DataFrame
    indptr: np.ndarray
    cell: np.ndarray
    count: np.ndarray
    available: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    report: RakingReport | None = None

    @property
    def n_cells(self) -> int:
        """Number of distinct cells."""
        return len(self.cells)

    def population(self) -> np.ndarray:
        """Sum of counts in each area, shape (A,)."""
        return people_of(self.indptr, self.count)


def people_of(indptr: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Sum of the counts of each area's cells, shape (A,); area a's are ``count[indptr[a]:indptr[a + 1]]``."""
    people = np.zeros(len(indptr) - 1)
    inhabited = np.diff(indptr) > 0
    people[inhabited] = np.add.reduceat(count, indptr[:-1][inhabited])
    return people
