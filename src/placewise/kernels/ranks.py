"""Ranks of areas within each draw: exact by sorting, or from a fine histogram of each draw.

Ranks ascend with the value and run from 1 to n; ties share the middle of their ranks.
"""

from __future__ import annotations

import numpy as np

from placewise.kernels.compile import inlined, kernel

_ONE = np.float32(1)
_HALF_RANK = np.float32(0.5)


@kernel
def ranks_of_sorted(order: np.ndarray, sorted_values: np.ndarray, out: np.ndarray) -> None:
    """Middle ranks from a sort: of T draws at a time, ``order`` and ``sorted_values`` (T, n), ``out`` float32 (n, T)."""
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
def _bin(value, centre, scale, bins):  # type: ignore[no-untyped-def]
    # x / (1 + |x|) spreads a bell over (-1, 1): narrow bins in the middle, and no value falls outside
    x = (value - centre) * scale
    t = x / (_ONE + abs(x))
    return min(max(int((t + _ONE) * np.float32(0.5 * bins)), 0), bins - 1)


@kernel
def add_to_sketch(values, member, centre, scale, counts, low, high):  # type: ignore[no-untyped-def]
    """Count the members' values in each draw's bins.

    Parameters
    ----------
    values : ndarray of float32, shape (B, S)
    member : ndarray of bool, shape (B,)
    centre, scale : ndarray of float32, shape (S,)
        Where the bins lie and how wide they are in each draw.
    counts : ndarray of uint32, shape (S, K + 1)
        Bin b is counted at b + 1.
    low, high : ndarray of float32, shape (S,)
        Smallest and largest value so far.
    """
    bins = counts.shape[1] - 1
    n_draws = values.shape[1]
    for s0 in range(0, n_draws, 8):
        for i in range(values.shape[0]):
            if member[i]:
                for s in range(s0, min(s0 + 8, n_draws)):
                    v = values[i, s]
                    counts[s, _bin(v, centre[s], scale[s], bins) + 1] += 1
                    low[s] = min(low[s], v)
                    high[s] = max(high[s], v)


@kernel
def sketch_ranks(values, centre, scale, below, out):  # type: ignore[no-untyped-def]
    """Ranks read off the cumulated sketch: the middle of those in the value's bin; ``out`` float32, shape (B, S)."""
    bins = below.shape[1] - 1
    n_draws = values.shape[1]
    for s0 in range(0, n_draws, 8):
        for i in range(values.shape[0]):
            for s in range(s0, min(s0 + 8, n_draws)):
                b = _bin(values[i, s], centre[s], scale[s], bins)
                out[i, s] = _HALF_RANK * (np.float32(below[s, b]) + np.float32(below[s, b + 1]) + _ONE)


@kernel
def sketch_order(below, centre, scale, low, high, total):  # type: ignore[no-untyped-def]
    """Add each draw's order statistics, spread evenly inside a bin, to ``total``, float64 of shape (n,)."""
    bins = below.shape[1] - 1
    for s in range(below.shape[0]):
        for b in range(bins):
            first, last = np.int64(below[s, b]), np.int64(below[s, b + 1])
            if last > first:
                left = max(_edge(b, bins, centre[s], scale[s]), np.float64(low[s]))
                right = min(_edge(b + 1, bins, centre[s], scale[s]), np.float64(high[s]))
                step = (right - left) / (last - first)
                for j in range(first, last):
                    total[j] += left + (j - first + 0.5) * step


@inlined
def _edge(b, bins, centre, scale):  # type: ignore[no-untyped-def]
    t = min(max(2.0 * b / bins - 1.0, -1.0 + 1e-9), 1.0 - 1e-9)
    return np.float64(centre) + t / (1.0 - abs(t)) / np.float64(scale)


@kernel
def orient_ranks(ranks, n, higher_is_better):  # type: ignore[no-untyped-def]
    """Turn ascending ranks, float32 (B, S), into ranks where 1 is best, in place.

    Returns the mean ascending rank and the shares of draws in the top and the bottom tenth: the rank's middle,
    (rank − ½) / n, below .1 or above .9.
    """
    mean = np.empty(ranks.shape[0])
    top = np.empty(ranks.shape[0])
    bottom = np.empty(ranks.shape[0])
    edge = 0.1 * n
    for i in range(ranks.shape[0]):
        total = 0.0
        in_top = 0
        in_bottom = 0
        for s in range(ranks.shape[1]):
            r = np.float64(ranks[i, s])
            total += r
            if higher_is_better:
                r = n + 1.0 - r
                ranks[i, s] = r
            in_top += r - 0.5 < edge
            in_bottom += n + 0.5 - r < edge
        mean[i] = total / ranks.shape[1]
        top[i] = in_top / ranks.shape[1]
        bottom[i] = in_bottom / ranks.shape[1]
    return mean, top, bottom
