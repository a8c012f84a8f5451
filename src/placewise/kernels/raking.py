"""Iterative proportional fitting of many small tables at once, each to its own margins.

Deming and Stephan (1940): multiply the table by target over sum, category by category and margin by margin, until all
sums are right. The limit keeps the interactions of the start. Where no table has all margins, because empty cells tie
them together and the margins disagree, the simultaneous steps of Byrne (1993, "Iterative image reconstruction
algorithms based on cross-entropy minimization", IEEE Trans. Image Processing 2) go on to the table whose margins are
nearest in Kullback-Leibler divergence.

Areas stand side by side in tiles, so that the innermost loops run on whole vectors. An area that is done is multiplied
by exactly 1 from then on: its result does not depend on what else is in its tile.
"""

from __future__ import annotations

import numpy as np

from placewise.kernels.compile import kernel

LANES = 32
UNSAID = -1.0  # target of every category of a margin that says nothing of an area

_FIRST_CHECK = 64  # sweeps, then each doubling
_STALLED = 0.7  # share of the error left after a doubling: 0.5 where it falls as 1/t, 1 where margins disagree
_NEARLY = 1e-9  # share of the people that a last simultaneous step may still move
_TINY = np.finfo(np.float64).tiny


@kernel
def count_support(
    seed: np.ndarray, group: np.ndarray, category: np.ndarray, target: np.ndarray, keep: np.ndarray, areas: np.ndarray
) -> np.ndarray:
    """Number of kept cells of each area that are not empty by the seed or by a margin.

    Parameters
    ----------
    seed, group, category, target, keep
        As in :func:`rake_areas`.
    areas : ndarray of int64, shape (kept cells,)
        Takes the number of areas in which each kept cell is not empty.

    Returns
    -------
    ndarray of int64, shape (A,)
    """
    met = np.full(areas.shape[0], -1, np.int64)
    size = np.zeros(group.shape[0], np.int64)
    for i in range(group.shape[0]):
        start = seed[group[i]]
        for c in range(category.shape[1]):
            if start[c] > 0.0 and met[keep[c]] != i and _allowed(target[i], category, c):
                met[keep[c]] = i
                areas[keep[c]] += 1
                size[i] += 1
    return size


@kernel
def _allowed(goal: np.ndarray, category: np.ndarray, c: int) -> bool:
    """Whether no margin empties a cell."""
    allowed = True
    for m in range(category.shape[0]):
        allowed &= goal[category[m, c]] != 0.0
    return allowed


@kernel
def _add_up(table: np.ndarray, category: np.ndarray, sums: np.ndarray) -> None:
    """Add each cell to its category's sum, all areas of a tile."""
    for c in range(table.shape[0]):
        row, into = table[c], sums[category[c]]
        for a in range(LANES):
            into[a] += row[a]


@kernel
def _factors(
    goal: np.ndarray, sums: np.ndarray, busy: np.ndarray, first: int, last: int, factor: np.ndarray, error: np.ndarray
) -> None:
    """Factor of each category of one margin, and the largest relative error so far of each area."""
    for k in range(first, last):
        want, have, by = goal[k], sums[k], factor[k]
        for a in range(LANES):
            ratio = want[a] / have[a] if have[a] > 0.0 else 0.0
            said = want[a] >= 0.0
            miss = abs(have[a] - want[a]) / want[a] if want[a] > 0.0 else 0.0
            by[a] = ratio if said and busy[a] else 1.0
            error[a] = max(error[a], miss)


@kernel
def _scale(
    table: np.ndarray, category: np.ndarray, factor: np.ndarray, following: np.ndarray, sums: np.ndarray
) -> None:
    """Scale to one margin, and add up the next in the same pass."""
    for c in range(table.shape[0]):
        row, by, into = table[c], factor[category[c]], sums[following[c]]
        for a in range(LANES):
            value = row[a] * by[a]
            row[a] = value
            into[a] += value


@kernel
def _rake_tile(
    table: np.ndarray,
    goal: np.ndarray,
    category: np.ndarray,
    begin: np.ndarray,
    tolerance: float,
    most_sweeps: int,
    sweeps: np.ndarray,
) -> None:
    """Rake a tile in place; ``sweeps`` of an area stays 0 where it does not converge."""
    n_margins = category.shape[0]
    sums, factor = np.zeros_like(goal), np.ones_like(goal)
    busy = np.ones(LANES, np.bool_)
    error, before = np.zeros(LANES), np.full(LANES, np.inf)
    check = _FIRST_CHECK
    _add_up(table, category[0], sums)
    for sweep in range(1, most_sweeps + 1):
        error[:] = 0.0
        for m in range(n_margins):
            following = m + 1 if m + 1 < n_margins else 0
            _factors(goal, sums, busy, begin[m], begin[m + 1], factor, error)
            sums[begin[following] : begin[following + 1]] = 0.0
            _scale(table, category[m], factor, category[following], sums)
        running = False
        for a in range(LANES):
            if busy[a]:
                if error[a] <= tolerance:
                    busy[a] = False
                    sweeps[a] = sweep
                elif sweep == check and error[a] > _STALLED * before[a]:
                    busy[a] = False
                running = running or busy[a]
        if not running:
            break
        if sweep == check:
            before[:] = error
            check *= 2


@kernel
def _reconcile_tile(
    table: np.ndarray,
    goal: np.ndarray,
    category: np.ndarray,
    begin: np.ndarray,
    people: np.ndarray,
    most_sweeps: int,
    busy: np.ndarray,
) -> None:
    """Take a tile's busy areas to the tables nearest to all their margins, with the areas' people in all."""
    n_margins = category.shape[0]
    share = np.zeros(LANES)
    for m in range(n_margins):
        share += goal[begin[m]] != UNSAID
    sums, old, factor = np.zeros_like(goal), np.zeros_like(goal), np.ones_like(goal)
    for _ in range(most_sweeps):
        sums[:] = 0.0
        for m in range(n_margins):
            _add_up(table, category[m], sums)
        running = False
        for k in range(goal.shape[0]):
            for a in range(LANES):
                factor[k, a] = 1.0
                if busy[a] and goal[k, a] >= 0.0 and sums[k, a] > 0.0:
                    factor[k, a] = (goal[k, a] / sums[k, a]) ** (1.0 / share[a])
                running = running or (busy[a] and abs(sums[k, a] - old[k, a]) > _NEARLY * people[a])
        if not running:
            break
        old[:] = sums
        for m in range(n_margins):
            for c in range(table.shape[0]):
                row, by = table[c], factor[category[m, c]]
                for a in range(LANES):
                    row[a] *= by[a]
    total = np.zeros(LANES)
    for c in range(table.shape[0]):
        total += table[c]
    for a in range(LANES):
        if busy[a] and total[a] > 0.0:
            table[:, a] *= people[a] / total[a]


@kernel
def _discrepancy(
    table: np.ndarray,
    goal: np.ndarray,
    category: np.ndarray,
    relative: np.ndarray,
    people: np.ndarray,
    where: np.ndarray,
) -> None:
    """Largest difference between a table's sums and its margins: relative, in people, and in which category."""
    sums = np.zeros_like(goal)
    for m in range(category.shape[0]):
        _add_up(table, category[m], sums)
    for k in range(goal.shape[0]):
        for a in range(LANES):
            if goal[k, a] >= 0.0:
                gap = abs(sums[k, a] - goal[k, a])
                if goal[k, a] > 0.0:
                    relative[a] = max(relative[a], gap / goal[k, a])
                if gap >= people[a]:
                    people[a] = gap
                    where[a] = k


@kernel
def _write(
    table: np.ndarray,
    lane: int,
    seed: np.ndarray,
    goal: np.ndarray,
    category: np.ndarray,
    keep: np.ndarray,
    kept: np.ndarray,
    place: int,
    cell: np.ndarray,
    count: np.ndarray,
) -> None:
    """Write an area's cells that are not empty, summed over what is not kept."""
    kept[:] = -1.0
    for c in range(table.shape[0]):
        if seed[c] > 0.0 and _allowed(goal, category, c):
            # a cell that underflows still counts as there
            kept[keep[c]] = max(kept[keep[c]], 0.0) + max(table[c, lane], _TINY)
    for c in range(kept.shape[0]):
        if kept[c] > 0.0:
            cell[place] = c
            count[place] = kept[c]
            place += 1


@kernel
def rake_areas(
    first: int,
    last: int,
    seed: np.ndarray,
    group: np.ndarray,
    category: np.ndarray,
    begin: np.ndarray,
    target: np.ndarray,
    people: np.ndarray,
    keep: np.ndarray,
    tolerance: float,
    most_sweeps: int,
    indptr: np.ndarray,
    cell: np.ndarray,
    count: np.ndarray,
    sweeps: np.ndarray,
    error: np.ndarray,
    moved: np.ndarray,
    where: np.ndarray,
) -> None:
    """Rake areas ``first`` … ``last`` − 1, each from its group's seed to its own margins.

    Parameters
    ----------
    seed : ndarray of float64, shape (G, C)
        Tables to start from; a cell of 0 stays 0.
    group : ndarray of int64, shape (A,)
        Row of ``seed`` of each area.
    category : ndarray of int64, shape (M, C)
        Column of ``target`` that cell c belongs to by margin m.
    begin : ndarray of int64, shape (M + 1,)
        Margin m owns columns ``begin[m]:begin[m + 1]`` of ``target``.
    target : ndarray of float64, shape (A, K)
        Margins, each with the same sum in an area; ``UNSAID`` in all columns of a margin that says nothing of an area.
    people : ndarray of float64, shape (A,)
        That sum.
    keep : ndarray of int64, shape (C,)
        Number of the cell that a cell is summed into, 0, 1, ….
    tolerance : float
        Largest relative error of a margin at which an area is done.
    most_sweeps : int
        Sweeps over all margins after which an area is given up, and its margins reconciled.
    indptr : ndarray of int64, shape (A + 1,)
        Where each area's cells go: cumulative sums of :func:`count_support`.
    cell, count : ndarray of int32 and float64, shape (entries,)
        Filled with kept cells and their people.
    sweeps : ndarray of int64, shape (A,)
        Filled with the sweeps needed; 0 where the margins had to be reconciled.
    error : ndarray of float64, shape (A,)
        Filled with the largest relative error of a margin that is left.
    moved : ndarray of float64, shape (A,)
        Filled with the same error in people.
    where : ndarray of int64, shape (A,)
        Filled with its column of ``target``.
    """
    table = np.zeros((category.shape[1], LANES))
    goal = np.zeros((target.shape[1], LANES))
    size, done = np.zeros(LANES), np.zeros(LANES, np.int64)
    relative, absolute, column = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES, np.int64)
    kept = np.zeros(keep.max() + 1)
    for tile in range(first, last, LANES):
        for a in range(LANES):
            i = min(tile + a, last - 1)
            table[:, a] = seed[group[i]]
            goal[:, a] = target[i]
            size[a] = people[i]
        done[:] = 0
        _rake_tile(table, goal, category, begin, tolerance, most_sweeps, done)
        if done.min() == 0:
            _reconcile_tile(table, goal, category, begin, size, most_sweeps, done == 0)
        relative[:], absolute[:] = 0.0, -1.0
        _discrepancy(table, goal, category, relative, absolute, column)
        for a in range(min(LANES, last - tile)):
            i = tile + a
            sweeps[i], error[i], moved[i], where[i] = done[a], relative[a], absolute[a], column[a]
            _write(table, a, seed[group[i]], target[i], category, keep, kept, indptr[i], cell, count)
