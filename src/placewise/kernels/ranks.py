"""Ranks of areas within each draw: exact by sorting, or from a fine histogram of each draw.

Ranks ascend with the value and run from 1 to n; ties share the middle of their ranks.
"""

from __future__ import annotations

import numpy as np

from placewise.kernels.compile import inlined, kernel

_ONE = np.float32(1)
_ZERO = np.float32(0)
_HALF_RANK = np.float32(0.5)
_TILE = 64  # draws whose values are placed at a time
_NEAR = 8  # draws whose counts stay in the processor's cache


@kernel
def ranks_of_sorted(order: np.ndarray, sorted_values: np.ndarray, out: np.ndarray) -> None:
    """Middle ranks from a sort of T draws: ``order`` and ``sorted_values`` (T, n), ``out`` float32 (n, T)."""
    n = order.shape[1]
    for t in range(order.shape[0]):
        start = 0
        while start < n:
            stop = start + 1
            while stop < n and sorted_values[t, stop] == sorted_values[t, start]:
                stop += 1
            middle = 0.5 * (start + 1 + stop)
            for j in range(start, stop):
                out[order[t, j], t] = middle
            start = stop


@inlined
def _place(value: np.float32, centre: np.float32, scale: np.float32, cells: np.float32) -> np.float32:
    # x / (1 + |x|) spreads a bell over (-1, 1): narrow cells in the middle, and no value falls outside
    x = (value - centre) * scale
    return (x / (_ONE + abs(x)) + _ONE) * cells


@kernel
def place_bins(pilot: np.ndarray, centre: np.ndarray, scale: np.ndarray, table: np.ndarray, bins: int) -> None:
    """Lay the bins of each draw by a pilot of the areas: half of them evenly, half where the pilot's values are.

    Parameters
    ----------
    pilot : ndarray of float32, shape (m, S)
    centre, scale : ndarray of float32, shape (S,)
        Middle and width of each draw's values.
    table : ndarray of float32, shape (S, M + 1)
        Filled with the bin, as a real number, at which each of M cells of the scale begins.
    bins : int
    """
    cells = table.shape[1] - 1
    for s in range(table.shape[0]):
        count = np.zeros(cells)
        for i in range(pilot.shape[0]):
            place = _place(pilot[i, s], centre[s], scale[s], np.float32(0.5 * cells))
            count[min(max(int(place), 0), cells - 1)] += 1.0
        start = 0.0
        for j in range(cells):
            table[s, j] = start
            start += 0.5 * bins * (1.0 / cells + count[j] / pilot.shape[0])
        table[s, cells] = bins


@kernel
def sketch_bins(
    values: np.ndarray, centre: np.ndarray, scale: np.ndarray, table: np.ndarray, bins: int, out: np.ndarray
) -> None:
    """Bin of each value, uint16 of shape (B, S); bins as laid by :func:`place_bins`, at most 65,536."""
    cells = table.shape[1] - 1
    half, last_cell, last_bin = np.float32(0.5 * cells), np.float32(cells - 1), np.float32(bins - 1)
    place = np.empty(_TILE, np.float32)
    for s0 in range(0, values.shape[1], _TILE):
        n = min(_TILE, values.shape[1] - s0)
        middle, width, rows = centre[s0 : s0 + n], scale[s0 : s0 + n], table[s0 : s0 + n]
        for i in range(values.shape[0]):
            value, found = values[i, s0 : s0 + n], out[i, s0 : s0 + n]
            for s in range(n):
                place[s] = max(_place(value[s], middle[s], width[s], half), _ZERO)
            for s in range(n):
                j = np.uint32(min(place[s], last_cell))
                start = rows[s, j]
                found[s] = np.uint16(min(start + (place[s] - np.float32(j)) * (rows[s, j + 1] - start), last_bin))


@kernel
def add_to_sketch(bins: np.ndarray, member: np.ndarray, counts: np.ndarray) -> None:
    """Count the members' bins, (B, S), in ``counts``, uint32 of shape (S, K + 1): bin b is counted at b + 1."""
    for s0 in range(0, bins.shape[1], _NEAR):
        n = min(_NEAR, bins.shape[1] - s0)
        table = counts[s0 : s0 + n]
        for i in range(bins.shape[0]):
            if member[i]:
                row = bins[i, s0 : s0 + n]
                for s in range(n):
                    table[s, np.uint32(row[s]) + 1] += np.uint32(1)


@kernel
def widen(values: np.ndarray, member: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    """Extend the smallest and largest value of each draw, float32 of shape (S,), by those of the members."""
    for i in range(values.shape[0]):
        if member[i]:
            for s in range(values.shape[1]):
                low[s] = min(low[s], values[i, s])
                high[s] = max(high[s], values[i, s])


@kernel
def sketch_ranks(bins: np.ndarray, below: np.ndarray, out: np.ndarray) -> None:
    """Ranks read off the cumulated sketch: the middle of those in the value's bin; ``out`` float32, shape (B, S)."""
    for s0 in range(0, bins.shape[1], _NEAR):
        n = min(_NEAR, bins.shape[1] - s0)
        table = below[s0 : s0 + n]
        for i in range(bins.shape[0]):
            row, rank = bins[i, s0 : s0 + n], out[i, s0 : s0 + n]
            for s in range(n):
                b = np.uint32(row[s])
                rank[s] = _HALF_RANK * (np.float32(table[s, b]) + np.float32(table[s, b + 1]) + _ONE)


@kernel
def sketch_order(
    below: np.ndarray,
    centre: np.ndarray,
    scale: np.ndarray,
    table: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    total: np.ndarray,
) -> None:
    """Add each draw's order statistics, spread evenly inside a bin, to ``total``, float64 of shape (n,)."""
    bins, cells = below.shape[1] - 1, table.shape[1] - 1
    for s in range(below.shape[0]):
        j = 0
        left = np.float64(low[s])
        for b in range(bins):
            while j < cells - 1 and table[s, j + 1] <= b + 1:
                j += 1
            place = j + (b + 1 - np.float64(table[s, j])) / (np.float64(table[s, j + 1]) - np.float64(table[s, j]))
            t = min(max(2.0 * place / cells - 1.0, -1.0 + 1e-9), 1.0 - 1e-9)
            edge = np.float64(centre[s]) + t / (1.0 - abs(t)) / np.float64(scale[s])
            right = min(max(edge, left), np.float64(high[s]))
            first, last = np.int64(below[s, b]), np.int64(below[s, b + 1])
            for r in range(first, last):
                total[r] += left + (r - first + 0.5) / (last - first) * (right - left)
            left = right


@kernel
def orient_ranks(ranks: np.ndarray, n: int, higher_is_better: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turn ascending ranks, float32 (B, S), into ranks where 1 is best, in place.

    Returns the mean ascending rank and the shares of draws in the top and the bottom tenth: the rank's middle,
    (rank − ½) / n, below .1 or above .9.
    """
    mean = np.empty(ranks.shape[0])
    top = np.empty(ranks.shape[0])
    bottom = np.empty(ranks.shape[0])
    edge = 0.1 * n
    for i in range(ranks.shape[0]):
        # sums of halves in double precision are exact, in whatever order
        t0, t1 = 0.0, 0.0
        in_top, in_bottom = 0.0, 0.0
        for s in range(ranks.shape[1]):
            r = np.float64(ranks[i, s])
            if s % 2 == 0:
                t0 += r
            else:
                t1 += r
            if higher_is_better:
                r = n + 1.0 - r
                ranks[i, s] = r
            in_top += 1.0 if r - 0.5 < edge else 0.0
            in_bottom += 1.0 if n + 0.5 - r < edge else 0.0
        total = t0 + t1
        mean[i] = total / ranks.shape[1]
        top[i] = in_top / ranks.shape[1]
        bottom[i] = in_bottom / ranks.shape[1]
    return mean, top, bottom
