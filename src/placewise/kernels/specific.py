"""From posterior draws to areas where slopes differ by cutpoint: each cell of each area has cutpoints of its own.

As ``placewise.kernels.projection``, with one part of the area a bundle and cutpoint. Cutpoints that cross in a draw are
sorted, which is to sort the probabilities, and the areas × draws where any did are counted.
"""

from __future__ import annotations

import numpy as np

from placewise.kernels.compile import kernel
from placewise.kernels.exponential import exp_row
from placewise.kernels.projection import MEAN, REACH, TILE, area_part

_ONE = np.float32(1)
_ZERO = np.float32(0)


@kernel
def _parts_of_cutpoints(
    i: int,
    s0: int,
    n: int,
    sign: np.float32,
    linear: np.ndarray,
    own_x: np.ndarray,
    own_slopes: np.ndarray,
    both_x: np.ndarray,
    bundle_x: np.ndarray,
    both_slopes: np.ndarray,
    parts: np.ndarray,
    bits: np.ndarray,
) -> None:
    """The area's part for each bundle and cutpoint, exponentiated."""
    for g in range(parts.shape[0]):
        for j in range(parts.shape[1]):
            part = parts[g, j]
            for s in range(n):
                part[s] = linear[g, s]
            for k in range(own_x.shape[1]):
                value = own_x[i, k]
                slope = own_slopes[j, k, s0 : s0 + n]
                for s in range(n):
                    part[s] += value * slope[s]
            for k in range(both_x.shape[1]):
                value = both_x[i, k] * bundle_x[g, k]
                slope = both_slopes[j, k, s0 : s0 + n]
                for s in range(n):
                    part[s] += value * slope[s]
            for s in range(n):
                part[s] = min(max(sign * part[s], -REACH), REACH)
            exp_row(part, n, bits)


@kernel
def _sort_crossed(n: int, sign: np.float32, below: np.ndarray, mark: np.ndarray) -> None:
    """Bring probabilities into the order of the cutpoints, shape (J, n), and mark the draws that were not."""
    found = False
    for j in range(below.shape[0] - 1):
        for s in range(n):
            if sign * (below[j, s] - below[j + 1, s]) > _ZERO:
                mark[s] = True
                found = True
    if not found:
        return
    for _ in range(below.shape[0] - 1):
        for j in range(below.shape[0] - 1):
            for s in range(n):
                first, second = below[j, s], below[j + 1, s]
                if sign * (first - second) > _ZERO:
                    below[j, s], below[j + 1, s] = second, first


@kernel
def _add_cells(
    kind: int,
    first: int,
    last: int,
    s0: int,
    n: int,
    sign: np.float32,
    cell: np.ndarray,
    weight: np.ndarray,
    bundle: np.ndarray,
    parts: np.ndarray,
    cells: np.ndarray,
    constant: np.ndarray,
    cut_weight: np.ndarray,
    below: np.ndarray,
    mark: np.ndarray,
    total: np.ndarray,
) -> None:
    """Add Σ w g, with Σ w g² (share) or Σ w (second moment − g²) (mean), over the entries of an area."""
    for e in range(first, last):
        w = weight[e]
        if w == _ZERO:
            continue
        for j in range(cells.shape[1]):
            a, b = parts[bundle[cell[e]], j], cells[cell[e], j, s0 : s0 + n]
            for s in range(n):
                below[j, s] = _ONE / (_ONE + a[s] * b[s])
        _sort_crossed(n, sign, below, mark)
        for s in range(n):
            value, second = constant[0], constant[1]
            for j in range(cells.shape[1]):
                value += cut_weight[0, j] * below[j, s]
                second += cut_weight[1, j] * below[j, s]
            total[s] += w * value
            total[TILE + s] += w * (second - value * value) if kind == MEAN else w * value * value


@kernel
def project_specific(
    kind: int,
    sign: np.float32,
    base: np.ndarray,
    x: np.ndarray,
    beta: np.ndarray,
    rows: np.ndarray,
    pick: np.ndarray,
    slope_pick: np.ndarray,
    slope_x: np.ndarray,
    bundle_x: np.ndarray,
    mixed_x: np.ndarray,
    mixed_beta: np.ndarray,
    mixed_pick: np.ndarray,
    mixed_slope_pick: np.ndarray,
    mixed_slope_x: np.ndarray,
    own_x: np.ndarray,
    own_slopes: np.ndarray,
    both_x: np.ndarray,
    both_bundle_x: np.ndarray,
    both_slopes: np.ndarray,
    indptr: np.ndarray,
    cell: np.ndarray,
    weight: np.ndarray,
    bundle: np.ndarray,
    cells: np.ndarray,
    constant: np.ndarray,
    cut_weight: np.ndarray,
    rate: np.ndarray,
    spread: np.ndarray,
    crossed: np.ndarray,
) -> None:
    """Rates of a block of B areas in all S draws, with slopes that differ by cutpoint.

    Parameters
    ----------
    kind, sign, base … mixed_slope_x, indptr … cut_weight, rate, spread
        As ``project_block``'s; ``cells`` holds what cells alone add to each cutpoint too, and there is one cut for each
        of the K−1 cutpoints, in order.
    own_x, own_slopes : ndarray of float32, shapes (B, q) and (J, q, S)
        Columns that vary over areas only, and the deviations of their slopes at each cutpoint.
    both_x, both_bundle_x, both_slopes : ndarray of float32, shapes (B, r), (G, r) and (J, r, S)
        Columns that vary over both.
    crossed : ndarray of int64, shape (B,)
        Filled with the number of draws in which cutpoints of a cell where people live were out of order.
    """
    n_draws, n_cuts = rate.shape[1], cells.shape[1]
    linear = np.empty((bundle_x.shape[0], TILE), np.float32)
    parts = np.empty((bundle_x.shape[0], n_cuts, TILE), np.float32)
    below = np.empty((n_cuts, TILE), np.float32)
    total = np.empty(2 * TILE, np.float32)
    mark = np.empty(TILE, np.bool_)
    bits = np.empty(TILE, np.int32)
    crossed[:] = 0
    for s0 in range(0, n_draws, TILE):
        n = min(TILE, n_draws - s0)
        for i in range(rate.shape[0]):
            area_part(
                i, s0, n, False, sign, base, x, beta, rows, pick, slope_pick, slope_x,
                bundle_x, mixed_x, mixed_beta, mixed_pick, mixed_slope_pick, mixed_slope_x, linear, bits,
            )  # fmt: skip
            _parts_of_cutpoints(
                i, s0, n, sign, linear, own_x, own_slopes, both_x, both_bundle_x, both_slopes, parts, bits
            )
            total[:] = _ZERO
            mark[:] = False
            _add_cells(
                kind, indptr[i], indptr[i + 1], s0, n, sign, cell, weight, bundle, parts, cells,
                constant, cut_weight, below, mark, total,
            )  # fmt: skip
            rate[i, s0 : s0 + n] = total[:n]
            spread[i, s0 : s0 + n] = total[TILE : TILE + n]
            crossed[i] += mark[:n].sum()
