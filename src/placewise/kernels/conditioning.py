"""Deviations of areas drawn given their weighted mean."""

from __future__ import annotations

import numpy as np

from placewise.kernels.compile import kernel
from placewise.kernels.normal import ndtri_row
from placewise.kernels.philox import uniform_row


@kernel
def deviations_given_mean(
    key: np.uint64,
    group_key: np.uint64,
    labels: np.ndarray,
    group_labels: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    share: np.ndarray,
    group_sd: np.ndarray,
    area_sd: np.ndarray,
    mean: np.ndarray,
    wanted: np.ndarray,
    out: np.ndarray,
) -> None:
    """Draw what the areas of a group have beyond its given mean deviation.

    The deviation of area j is d_j = u + v_j, u ~ N(0, σ²) and v_j ~ N(0, τ²). Given Σ w_j d_j = m, a draw of the d_j is
    one from their prior moved by K_j (m − Σ w_j d_j), K_j = (σ² + τ² w_j) / (σ² + τ² Σ w_j²): conditioning by kriging
    (Rue and Held 2005, section 2.3). Written is d_j − m, whose weighted sum is nought.

    Parameters
    ----------
    key, group_key : uint64
        Of the streams of the v_j and of the u.
    labels : ndarray of uint64, shape (n,), group_labels : ndarray of uint64, shape (G,)
        Hashes of areas and groups.
    first, last : ndarray of int64, shape (G,)
        Where each group's areas begin and end.
    share : ndarray of float64, shape (n,)
        w_j, which sum to 1 in a group.
    group_sd, area_sd : ndarray of float64, shape (S,)
        σ and τ in each draw.
    mean : ndarray of float32, shape (G, S)
        m.
    wanted : ndarray of int64, shape (n,)
        Row of ``out`` of each area, -1 where it is not wanted.
    out : ndarray of float32, shape (r, S)
    """
    n = group_sd.shape[0]
    uniform = np.empty(n)
    common = np.empty(n)
    middle = np.empty(n)
    for g in range(first.shape[0]):
        size = last[g] - first[g]
        kept = 0
        for j in range(size):
            kept += wanted[first[g] + j] >= 0
        own, other = np.empty((kept, n)), np.empty(n)
        uniform_row(group_key, group_labels[g], uniform)
        ndtri_row(uniform, common)
        middle[:] = 0.0
        squares, at = 0.0, 0
        for j in range(size):
            weight = share[first[g] + j]
            squares += weight * weight
            uniform_row(key, labels[first[g] + j], uniform)
            row = other
            if wanted[first[g] + j] >= 0:
                row = own[at]
                at += 1
            ndtri_row(uniform, row)
            for s in range(n):
                middle[s] += weight * row[s]
        at = -1
        for j in range(size):
            to = wanted[first[g] + j]
            if to < 0:
                continue
            at += 1
            weight = share[first[g] + j]
            for s in range(n):
                group, area = group_sd[s] * group_sd[s], area_sd[s] * area_sd[s]
                total = group + area * squares
                gain = (group + area * weight) / total if total > 0.0 else 1.0
                drawn = group_sd[s] * common[s]
                lacking = mean[g, s] - drawn - area_sd[s] * middle[s]
                out[to, s] = drawn + area_sd[s] * own[at, s] + gain * lacking - mean[g, s]
