"""From posterior draws to areas: the rate of each area in each draw, poststratified over its cells.

The linear predictor is split into a part of the area and a part of the cell, each exponentiated once, so that the
innermost loop over areas × cells × draws multiplies and divides only: σ(a + b) = 1 / (1 + e⁻ᵃ e⁻ᵇ). Four cells share
one division. Where covariates or effects vary over areas and cells together, cells that share them form a *bundle* and
an area has one part a bundle.

Everything is element by element over draws: an area's numbers depend neither on the other areas of its block nor on
the block's size.
"""

from __future__ import annotations

import numpy as np

from placewise.kernels.compile import inlined, kernel
from placewise.kernels.cuts import add_fraction, set_fraction
from placewise.kernels.exponential import exp_row

LOGIT, LOG, IDENTITY = 0, 1, 2
SHARE_OF_ONE_CUT, SHARE, MEAN = 0, 1, 2

TILE = 256  # draws at a time, so that the cells' part stays in the processor's cache
_ONE = np.float32(1)
_ZERO = np.float32(0)
_CAP = np.float32(1.3e9)  # e^21: four (1 + e^21) multiply to less than the largest float32; σ(-21) is below 1e-9
REACH = np.float32(40)  # either part's largest absolute value: their product stays finite


@kernel
def area_part(
    i: int,
    s0: int,
    n: int,
    exponentiate: bool,
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
    out: np.ndarray,
    bits: np.ndarray,
) -> None:
    """Linear predictor of area i without its cells' part, or its exponential, one row a bundle."""
    first = out[0]
    base = base[s0 : s0 + n]
    for s in range(n):
        first[s] = base[s]
    for k in range(x.shape[1]):
        value = x[i, k]
        slope = beta[k, s0 : s0 + n]
        for s in range(n):
            first[s] += value * slope[s]
    for e in range(pick.shape[1]):
        effect = rows[pick[i, e], s0 : s0 + n]
        for s in range(n):
            first[s] += effect[s]
    for e in range(slope_pick.shape[1]):
        value = slope_x[i, e]
        effect = rows[slope_pick[i, e], s0 : s0 + n]
        for s in range(n):
            first[s] += value * effect[s]
    for g in range(out.shape[0] - 1, -1, -1):
        part = out[g]
        if g > 0:
            part[:n] = first[:n]
        for k in range(mixed_x.shape[1]):
            value = mixed_x[i, k] * bundle_x[g, k]
            slope = mixed_beta[k, s0 : s0 + n]
            for s in range(n):
                part[s] += value * slope[s]
        for e in range(mixed_pick.shape[2]):
            effect = rows[mixed_pick[i, g, e], s0 : s0 + n]
            for s in range(n):
                part[s] += effect[s]
        for e in range(mixed_slope_pick.shape[2]):
            value = mixed_slope_x[i, g, e]
            effect = rows[mixed_slope_pick[i, g, e], s0 : s0 + n]
            for s in range(n):
                part[s] += value * effect[s]
        if exponentiate:
            for s in range(n):
                part[s] = min(max(sign * part[s], -REACH), REACH)
            exp_row(part, n, bits)


@kernel
def _add_four(
    x: np.ndarray,
    b0: np.ndarray,
    b1: np.ndarray,
    b2: np.ndarray,
    b3: np.ndarray,
    w0: np.float32,
    w1: np.float32,
    w2: np.float32,
    w3: np.float32,
    n: int,
    total: np.ndarray,
) -> None:
    """Add the shares of four cells, and their squares, with one division a draw."""
    for s in range(n):
        e0 = x[s] * b0[s]
        e1 = x[s] * b1[s]
        e2 = x[s] * b2[s]
        e3 = x[s] * b3[s]
        q0 = _ONE + (e0 if e0 < _CAP else _CAP)
        q1 = _ONE + (e1 if e1 < _CAP else _CAP)
        q2 = _ONE + (e2 if e2 < _CAP else _CAP)
        q3 = _ONE + (e3 if e3 < _CAP else _CAP)
        left = q0 * q1
        right = q2 * q3
        inverse = _ONE / (left * right)
        right *= inverse
        left *= inverse
        p0 = q1 * right
        p1 = q0 * right
        p2 = q3 * left
        p3 = q2 * left
        total[s] += (w0 * p0 + w1 * p1) + (w2 * p2 + w3 * p3)
        total[TILE + s] += (w0 * p0 * p0 + w1 * p1 * p1) + (w2 * p2 * p2 + w3 * p3 * p3)


@inlined
def _next_four(
    j: int, last: int, cell: np.ndarray, weight: np.ndarray, bundle: np.ndarray, index: np.ndarray, share: np.ndarray
) -> int:
    """Gather up to four entries of one bundle from j on; places left empty weigh nothing. Returns the next entry."""
    g = bundle[cell[j]]
    k = 0
    while k < 4 and j < last and bundle[cell[j]] == g:
        index[k] = cell[j]
        share[k] = weight[j]
        k += 1
        j += 1
    for empty in range(k, 4):
        index[empty] = index[0]
        share[empty] = _ZERO
    return j


@kernel
def _one_cut(
    first: int,
    last: int,
    cell: np.ndarray,
    weight: np.ndarray,
    bundle: np.ndarray,
    area: np.ndarray,
    cells: np.ndarray,
    s0: int,
    n: int,
    total: np.ndarray,
) -> None:
    """Share beyond one cut point: Σ w σ and Σ w σ² over the entries of an area, sorted by bundle."""
    index = np.zeros(4, np.int64)
    share = np.zeros(4, np.float32)
    j = first
    while j < last:
        j = _next_four(j, last, cell, weight, bundle, index, share)
        # slices, not offsets: only an index that is surely positive leaves the loop a vector loop
        b0, b1 = cells[index[0], 0, s0 : s0 + n], cells[index[1], 0, s0 : s0 + n]
        b2, b3 = cells[index[2], 0, s0 : s0 + n], cells[index[3], 0, s0 : s0 + n]
        x = area[bundle[index[0]]]
        _add_four(x, b0, b1, b2, b3, share[0], share[1], share[2], share[3], n, total)


@kernel
def _several_cuts(
    kind: int,
    first: int,
    last: int,
    cell: np.ndarray,
    weight: np.ndarray,
    bundle: np.ndarray,
    area: np.ndarray,
    cells: np.ndarray,
    constant: np.ndarray,
    coefficients: np.ndarray,
    caps: np.ndarray,
    s0: int,
    n: int,
    total: np.ndarray,
    value: np.ndarray,
) -> None:
    """Any combination of cut points: Σ w g, with Σ w g² (share) or Σ w (second moment − g²) (mean).

    The constant comes last: fractions give the value less its constant, whose second moment leaves the same variance.
    """
    index = np.zeros(4, np.int64)
    share = np.zeros(4, np.float32)
    j = first
    while j < last:
        j = _next_four(j, last, cell, weight, bundle, index, share)
        b0, b1 = cells[index[0], 0, s0 : s0 + n], cells[index[1], 0, s0 : s0 + n]
        b2, b3 = cells[index[2], 0, s0 : s0 + n], cells[index[3], 0, s0 : s0 + n]
        x = area[bundle[index[0]]]
        set_fraction(x, b0, b1, b2, b3, caps[0], coefficients[0], n, value[0])
        for f in range(1, caps.shape[0]):
            add_fraction(x, b0, b1, b2, b3, caps[f], coefficients[f], n, value[0], value[1])
        _square(kind, value[0], n)
        _add_weighted(value[0, : 4 * TILE], share[0], share[1], share[2], share[3], n, total[:TILE])
        _add_weighted(value[0, 4 * TILE :], share[0], share[1], share[2], share[3], n, total[TILE:])
    for s in range(n):
        part = total[s]
        total[s] = constant[0] + part
        total[TILE + s] += constant[1] if kind == MEAN else constant[0] * (constant[0] + part + part)


@kernel
def _square(kind: int, value: np.ndarray, n: int) -> None:
    """Turn second moments of a person into variances (means), or leave squares of values in their place (shares)."""
    for k in range(4):
        g, q = value[k * TILE : k * TILE + n], value[(4 + k) * TILE : (4 + k) * TILE + n]
        if kind == MEAN:
            for s in range(n):
                q[s] -= g[s] * g[s]
        else:
            for s in range(n):
                q[s] = g[s] * g[s]


@kernel
def _add_weighted(
    value: np.ndarray, w0: np.float32, w1: np.float32, w2: np.float32, w3: np.float32, n: int, total: np.ndarray
) -> None:
    """Add the weighted sum of four rows of ``value``."""
    for s in range(n):
        total[s] += (w0 * value[s] + w1 * value[TILE + s]) + (w2 * value[2 * TILE + s] + w3 * value[3 * TILE + s])


@kernel
def _without_cuts(
    link: int,
    first: int,
    last: int,
    cell: np.ndarray,
    weight: np.ndarray,
    bundle: np.ndarray,
    area: np.ndarray,
    cells: np.ndarray,
    s0: int,
    n: int,
    total: np.ndarray,
) -> None:
    """Identity: Σ w (a + b); log: Σ w eᵃ eᵇ, both parts exponentiated already; over entries sorted by bundle.

    Four at a time: a sum of hundreds of cells one by one errs by more in single precision.
    """
    index = np.zeros(4, np.int64)
    share = np.zeros(4, np.float32)
    j = first
    while j < last:
        j = _next_four(j, last, cell, weight, bundle, index, share)
        b0, b1 = cells[index[0], 0, s0 : s0 + n], cells[index[1], 0, s0 : s0 + n]
        b2, b3 = cells[index[2], 0, s0 : s0 + n], cells[index[3], 0, s0 : s0 + n]
        w0, w1, w2, w3 = share[0], share[1], share[2], share[3]
        x = area[bundle[index[0]]]
        if link == LOG:
            for s in range(n):
                total[s] += x[s] * ((w0 * b0[s] + w1 * b1[s]) + (w2 * b2[s] + w3 * b3[s]))
        else:
            for s in range(n):
                total[s] += (w0 * (x[s] + b0[s]) + w1 * (x[s] + b1[s])) + (w2 * (x[s] + b2[s]) + w3 * (x[s] + b3[s]))


@kernel
def project_block(
    link: int,
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
    indptr: np.ndarray,
    cell: np.ndarray,
    weight: np.ndarray,
    bundle: np.ndarray,
    cells: np.ndarray,
    constant: np.ndarray,
    coefficients: np.ndarray,
    caps: np.ndarray,
    rate: np.ndarray,
    spread: np.ndarray,
) -> None:
    """Rates of a block of B areas in all S draws.

    Parameters
    ----------
    link : {LOGIT, LOG, IDENTITY}
    kind : {SHARE_OF_ONE_CUT, SHARE, MEAN}
        ``SHARE_OF_ONE_CUT``: the value of a person is σ of one cut point, no constant.
    sign : float32
        Positive where the value is written with σ(cut − η), negative where with σ(η − cut); what η is multiplied by.
    base : ndarray of float32, shape (S,)
        Part of every area.
    x, beta : ndarray of float32, shapes (B, p) and (p, S)
        Columns that vary over areas only, and their slopes.
    rows, pick : ndarray of float32, shape (U, S), and of int64, shape (B, q)
        Effects that occur in the block, and the row of each factor that varies over areas only.
    slope_pick, slope_x : ndarray of int64 and of float32, shape (B, t)
        The same for varying slopes, with the value of their column.
    bundle_x, mixed_x, mixed_beta : ndarray of float32, shapes (G, m), (B, m), (m, S)
        Columns that vary over both: their factor over bundles, over areas, and their slopes.
    mixed_pick : ndarray of int64, shape (B, G, r)
        Row of ``rows`` of each factor that varies over both.
    mixed_slope_pick, mixed_slope_x : ndarray of int64 and of float32, shape (B, G, v)
        The same for varying slopes, with the value of their column.
    indptr, cell, weight : ndarray of int64 (B + 1,), int32 and float32 (entries,)
        The block's frame, sorted by bundle within an area; weights sum to 1 in an area.
    bundle : ndarray of int64, shape (C,)
        Bundle of each cell.
    cells : ndarray of float32, shape (C, 1, S)
        The cells' part: exp(sign (cell − cut)) for one cut point, exp(sign cell) for several, exp(cell) for the log,
        cell for the identity.
    constant : ndarray of float32, shape (2,)
        Constant of a person's value and, for a mean, of the variance of persons.
    coefficients, caps : ndarray of float32, shapes (F, 12, S) and (F,)
        Fractions of several cut points (``placewise.kernels.cuts.fractions``); none for one cut point and other links.
    rate, spread : ndarray of float32, shape (B, S)
        Filled with Σ w g, and for the logit with Σ w g² (shares) or Σ w Var(person) (means).
    """
    n_draws = rate.shape[1]
    area = np.empty((bundle_x.shape[0], TILE), np.float32)
    total = np.empty(2 * TILE, np.float32)
    value = np.zeros((2, 8 * TILE), np.float32)
    tile = np.empty((caps.shape[0], 12 * TILE), np.float32)
    bits = np.empty(TILE, np.int32)
    for s0 in range(0, n_draws, TILE):
        n = min(TILE, n_draws - s0)
        for f in range(caps.shape[0]):
            for r in range(12):
                tile[f, r * TILE : r * TILE + n] = coefficients[f, r, s0 : s0 + n]
        for i in range(rate.shape[0]):
            first, last = indptr[i], indptr[i + 1]
            area_part(
                i, s0, n, link != IDENTITY, sign, base, x, beta, rows, pick, slope_pick, slope_x,
                bundle_x, mixed_x, mixed_beta, mixed_pick, mixed_slope_pick, mixed_slope_x, area, bits,
            )  # fmt: skip
            total[:] = _ZERO
            if link != LOGIT:
                _without_cuts(link, first, last, cell, weight, bundle, area, cells, s0, n, total)
            elif kind == SHARE_OF_ONE_CUT:
                _one_cut(first, last, cell, weight, bundle, area, cells, s0, n, total)
            else:
                _several_cuts(
                    kind, first, last, cell, weight, bundle, area, cells, constant, tile, caps, s0, n, total, value
                )
            rate[i, s0 : s0 + n] = total[:n]
            spread[i, s0 : s0 + n] = total[TILE : TILE + n]
