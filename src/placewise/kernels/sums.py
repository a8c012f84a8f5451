"""Running sums over areas, in float64 and in the areas' order: the same whatever the blocks."""

from __future__ import annotations

import numpy as np

from placewise.kernels.compile import kernel


@kernel
def add_to_levels(
    values: np.ndarray,
    weight: np.ndarray,
    ends: np.ndarray,
    running: np.ndarray,
    running_weight: np.ndarray,
    means: np.ndarray,
    next_row: np.ndarray,
) -> None:
    """Weighted means of every area of every level, as areas pass by.

    Parameters
    ----------
    values : ndarray of float32, shape (B, S)
        Areas in the hierarchy's order.
    weight : ndarray of float64, shape (B,)
    ends : ndarray of int64, shape (B,)
        How many levels, counted from the finest, end with each area.
    running : ndarray of float64, shape (L + 1, S)
        Sums under way, kept between blocks; the last row is that of the whole.
    running_weight : ndarray of float64, shape (L + 1,)
    means : ndarray of float32, shape (groups of all levels, S)
        Filled as areas of a level end.
    next_row : ndarray of int64, shape (L,)
        Row of ``means`` that each level fills next.
    """
    n_draws = values.shape[1]
    for i in range(values.shape[0]):
        w = weight[i]
        for s in range(n_draws):
            running[0, s] += w * np.float64(values[i, s])
        running_weight[0] += w
        for level in range(ends[i]):
            for s in range(n_draws):
                total = running[level, s]
                means[next_row[level], s] = total / running_weight[level]
                running[level + 1, s] += total
                running[level, s] = 0.0
            running_weight[level + 1] += running_weight[level]
            running_weight[level] = 0.0
            next_row[level] += 1


@kernel
def add_moments(
    values: np.ndarray, weight: np.ndarray, shift: np.ndarray, first: np.ndarray, second: np.ndarray
) -> None:
    """Weighted sums of values less a shift, and of their squares, in each draw.

    Parameters
    ----------
    values : ndarray of float32, shape (B, S)
    weight : ndarray of float64, shape (B,)
        Areas of weight 0 are passed over.
    shift : ndarray of float64, shape (S,)
        Near the mean, so that no digits cancel.
    first, second : ndarray of float64, shape (S,)
        Added to.
    """
    for i in range(values.shape[0]):
        w = weight[i]
        if w > 0.0:
            for s in range(values.shape[1]):
                d = np.float64(values[i, s]) - shift[s]
                first[s] += w * d
                second[s] += w * d * d


@kernel
def add_to_groups(values: np.ndarray, weight: np.ndarray, group: np.ndarray, sums: np.ndarray) -> None:
    """Add weighted draws of areas to those of their groups; ``sums`` is float64, shape (G, S)."""
    for i in range(values.shape[0]):
        row = sums[group[i]]
        for s in range(values.shape[1]):
            row[s] += weight[i] * np.float64(values[i, s])
