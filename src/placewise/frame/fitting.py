"""Tables of areas fitted to their margins: the kernel run in blocks on threads, its results collected."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from placewise.kernels.raking import count_support, rake_areas

TOLERANCE = 1e-9
MOST_SWEEPS = 1024
THREADS = 2

_BLOCK = 2048  # areas; any size gives the same numbers


@dataclass(frozen=True, eq=False)
class Tables:
    """What is raked, for C cells of a seed and M margins with K categories in all.

    Parameters
    ----------
    seed : ndarray of float64, shape (G, C)
    group : ndarray of int64, shape (A,)
        Row of ``seed`` of each area.
    category : ndarray of int64, shape (M, C)
        Column of the targets that a cell belongs to.
    begin : ndarray of int64, shape (M + 1,)
        Columns of each margin.
    keep : ndarray of int64, shape (C,)
        Number of the cell that a cell is summed into.
    """

    seed: np.ndarray
    group: np.ndarray
    category: np.ndarray
    begin: np.ndarray
    keep: np.ndarray

    def support(self, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Number of kept cells that are not empty in each area, and of areas in which each kept cell is not empty."""
        areas: np.ndarray = np.zeros(int(self.keep.max()) + 1, dtype=np.int64)
        size: np.ndarray = count_support(self.seed, self.group, self.category, target, self.keep, areas)
        return size, areas


@dataclass(frozen=True, eq=False)
class Fitted:
    """Raked tables, sparse, and how well each area's margins are met.

    Parameters
    ----------
    indptr, cell, count
        As in ``placewise.frame.cells.Frame``.
    sweeps : ndarray of int64, shape (A,)
        Sweeps over all margins; 0 where the margins had to be reconciled.
    error : ndarray of float64, shape (A,)
        Largest relative difference from a margin.
    moved : ndarray of float64, shape (A,)
        Largest difference from a margin in people.
    where : ndarray of int64, shape (A,)
        Column of the targets in which that is.
    """

    indptr: np.ndarray
    cell: np.ndarray
    count: np.ndarray
    sweeps: np.ndarray
    error: np.ndarray
    moved: np.ndarray
    where: np.ndarray


def fit_tables(
    tables: Tables,
    target: np.ndarray,
    people: np.ndarray,
    tolerance: float = TOLERANCE,
    most_sweeps: int = MOST_SWEEPS,
    threads: int = THREADS,
) -> Fitted:
    """Rake every area's table.

    Parameters
    ----------
    tables : Tables
        Seeds, and which cell belongs to which category.
    target : ndarray of float64, shape (A, K)
        Margins with the same sum in an area, see :func:`placewise.kernels.raking.rake_areas`.
    people : ndarray of float64, shape (A,)
        That sum.
    tolerance : float
        Largest relative error of a margin.
    most_sweeps : int
        After which an area's margins are reconciled.
    threads : int
        Decides nothing but the time.
    """
    size, _ = tables.support(target)
    indptr = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    n = len(people)
    cell, count = np.empty(indptr[-1], dtype=np.int32), np.empty(indptr[-1])
    sweeps, where = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    error, moved = np.zeros(n), np.zeros(n)

    def rake(first: int) -> None:
        rake_areas(
            first, min(first + _BLOCK, n), tables.seed, tables.group, tables.category, tables.begin, target, people,
            tables.keep, tolerance, most_sweeps, indptr, cell, count, sweeps, error, moved, where,
        )  # fmt: skip

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(rake, range(0, n, _BLOCK)):
            pass
    return Fitted(indptr, cell, count, sweeps, error, moved, where)
