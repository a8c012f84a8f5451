"""Several cut points of one person as one fraction: Σ_k a_k / (1 + c_k e) has one denominator, so that up to four cut
points cost one division.

The coefficients of numerator and denominator depend on the draw only, e on area and cell. All of the denominator's are
positive, so nothing cancels in it.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from placewise.kernels.compile import inlined, kernel

TILE = 256  # draws at a time, as in ``placewise.kernels.projection``
MOST = 4  # cut points of one fraction
_ONE = np.float32(1)
_LARGEST = 85.0  # log of what a denominator may come to in float32; its negative is as far as a coefficient may fall
_LOST = -16.1  # log of 1e-7: what a fraction may be at its cap


def fractions(log_cuts: np.ndarray, cut_weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fractions of up to four neighbouring cut points each.

    Parameters
    ----------
    log_cuts : ndarray of float64, shape (J, S)
        log c of each cut point, in order.
    cut_weight : ndarray of float64, shape (2, J) or (2, J, S)
        Weights a of the cut points in the value of a person and in its second moment.

    Returns
    -------
    coefficients : ndarray of float32, shape (F, 12, S)
        For each fraction d₁ … d₄ of the denominator 1 + d₁ e + … + d₄ e⁴, then n₀ … n₃ of the value's numerator, then
        of the second moment's; those of cut points that a fraction has not are 0.
    caps : ndarray of float32, shape (F,)
        Largest e at which the denominator stays finite. Cut points so far apart that more than 1e-7 would be lost
        beyond it are not put into one fraction.
    """
    parts, start = [], 0
    while start < len(log_cuts):
        stop = start + 1
        while stop < min(start + MOST, len(log_cuts)) and _together(log_cuts[start : stop + 1]):
            stop += 1
        parts.append(slice(start, stop))
        start = stop
    coefficients = np.stack([_coefficients(np.exp(log_cuts[p]), cut_weight[:, p]) for p in parts])
    caps = np.exp([min(_log_cap(log_cuts[p]), _LARGEST) for p in parts])
    return coefficients.astype(np.float32), caps.astype(np.float32)


def _log_cap(log_cuts: np.ndarray) -> float:
    """Log of the largest e at which no power of it, times its coefficient, is too large."""
    largest = np.cumsum(np.sort(log_cuts, axis=0)[::-1], axis=0).max(axis=1)
    degree = np.arange(1, len(log_cuts) + 1)
    return float(((_LARGEST - degree * np.log(2.0) - largest) / degree).min())


def _together(log_cuts: np.ndarray) -> bool:
    """Whether float32 holds all coefficients, and no cut point has more than 1e-7 left where e is capped."""
    largest_of_degree = np.cumsum(np.sort(log_cuts, axis=0)[::-1], axis=0)
    held = np.abs(largest_of_degree).max() < _LARGEST
    return bool(held and -(log_cuts.min() + _log_cap(log_cuts)) < _LOST)


def _coefficients(cuts: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Elementary symmetric polynomials of all cut points, and of all but each; float64, shape (12, S)."""
    found = np.zeros((3 * MOST, cuts.shape[1]))
    n = len(cuts)
    for degree in range(1, n + 1):
        found[degree - 1] = _symmetric(cuts, degree)
    for k in range(n):
        others = np.delete(cuts, k, axis=0)
        for degree in range(n):
            for row in range(2):
                found[MOST * (row + 1) + degree] += weight[row, k] * _symmetric(others, degree)
    return found


def _symmetric(values: np.ndarray, degree: int) -> np.ndarray:
    """Sum over all choices of ``degree`` rows of their product."""
    return np.asarray(sum(np.prod(values[list(c)], axis=0) for c in combinations(range(len(values)), degree)))


@inlined
def _fraction(
    e: np.float32,
    d1: np.float32,
    d2: np.float32,
    d3: np.float32,
    d4: np.float32,
    v0: np.float32,
    v1: np.float32,
    v2: np.float32,
    v3: np.float32,
    m0: np.float32,
    m1: np.float32,
    m2: np.float32,
    m3: np.float32,
) -> tuple[np.float32, np.float32]:
    inverse = _ONE / ((((d4 * e + d3) * e + d2) * e + d1) * e + _ONE)
    return (((v3 * e + v2) * e + v1) * e + v0) * inverse, (((m3 * e + m2) * e + m1) * e + m0) * inverse


@inlined
def _capped(x: np.float32, b: np.float32, cap: np.float32) -> np.float32:
    e = x * b
    return e if e < cap else cap


@kernel
def set_fraction(
    x: np.ndarray,
    b0: np.ndarray,
    b1: np.ndarray,
    b2: np.ndarray,
    b3: np.ndarray,
    cap: np.float32,
    c: np.ndarray,
    n: int,
    value: np.ndarray,
) -> None:
    """Values and second moments of a person of four cells, from one fraction.

    Parameters
    ----------
    x : ndarray of float32, shape (n or more,)
        The area's part of e.
    b0, b1, b2, b3 : ndarray of float32, shape (n,)
        The cells' parts.
    cap : float32
    c : ndarray of float32, shape (12 * TILE,)
        Coefficients of :func:`fractions`, row by row.
    n : int
        Number of draws.
    value : ndarray of float32, shape (8 * TILE,)
        Values of the four cells, then second moments; filled.
    """
    # offsets into few arrays: the compiler vectorises only where it need not compare many for overlap
    for s in range(n):
        d1, d2, d3, d4 = c[s], c[TILE + s], c[2 * TILE + s], c[3 * TILE + s]
        v0, v1, v2, v3 = c[4 * TILE + s], c[5 * TILE + s], c[6 * TILE + s], c[7 * TILE + s]
        m0, m1, m2, m3 = c[8 * TILE + s], c[9 * TILE + s], c[10 * TILE + s], c[11 * TILE + s]
        p0, q0 = _fraction(_capped(x[s], b0[s], cap), d1, d2, d3, d4, v0, v1, v2, v3, m0, m1, m2, m3)
        p1, q1 = _fraction(_capped(x[s], b1[s], cap), d1, d2, d3, d4, v0, v1, v2, v3, m0, m1, m2, m3)
        p2, q2 = _fraction(_capped(x[s], b2[s], cap), d1, d2, d3, d4, v0, v1, v2, v3, m0, m1, m2, m3)
        p3, q3 = _fraction(_capped(x[s], b3[s], cap), d1, d2, d3, d4, v0, v1, v2, v3, m0, m1, m2, m3)
        value[s] = p0
        value[TILE + s] = p1
        value[2 * TILE + s] = p2
        value[3 * TILE + s] = p3
        value[4 * TILE + s] = q0
        value[5 * TILE + s] = q1
        value[6 * TILE + s] = q2
        value[7 * TILE + s] = q3


@kernel
def add_fraction(
    x: np.ndarray,
    b0: np.ndarray,
    b1: np.ndarray,
    b2: np.ndarray,
    b3: np.ndarray,
    cap: np.float32,
    c: np.ndarray,
    n: int,
    value: np.ndarray,
    scratch: np.ndarray,
) -> None:
    """Add a further fraction to what :func:`set_fraction` filled; ``scratch`` is as ``value``."""
    set_fraction(x, b0, b1, b2, b3, cap, c, n, scratch)
    for s in range(8 * TILE):
        value[s] += scratch[s]
