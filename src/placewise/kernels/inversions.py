"""Pairs that change order: inversions, counted while sorting."""

from __future__ import annotations

import numpy as np

from placewise.kernels.compile import kernel


@kernel
def count_inversions(values: np.ndarray) -> int:
    """Pairs i < j with ``values[i] > values[j]``, in n log n steps.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        Sorted in place.
    """
    n = values.shape[0]
    merged = np.empty_like(values)
    found = 0
    width = 1
    while width < n:
        for start in range(0, n, 2 * width):
            middle = min(start + width, n)
            stop = min(start + 2 * width, n)
            left, right = start, middle
            for k in range(start, stop):
                if right >= stop or (left < middle and values[left] <= values[right]):
                    merged[k] = values[left]
                    left += 1
                else:
                    merged[k] = values[right]
                    right += 1
                    found += middle - left
        values[:] = merged
        width *= 2
    return found
