"""What is said of an area from its row of draws."""

from __future__ import annotations

import math

import numpy as np

from placewise.kernels.compile import inlined, kernel


@kernel
def row_moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each row, float64, shape (B,); values float32, shape (B, S), S > 1."""
    n = values.shape[1]
    mean = np.empty(values.shape[0])
    sd = np.empty(values.shape[0])
    row = np.empty(n)
    for i in range(values.shape[0]):
        for s in range(n):
            row[s] = values[i, s]
        mean[i] = row_sum(row) / n
        sd[i] = math.sqrt(_squares(row, mean[i]) / (n - 1))
    return mean, sd


@kernel
def standardise(
    values: np.ndarray, mean: np.ndarray, scale: np.ndarray, out: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Index of each area in each draw, (value − mean) × scale, written to ``out`` as float32.

    ``mean`` and ``scale`` (±1 / sd, or 0) are float64 of shape (S,). Returns, from the draws in float64, each row's
    mean, standard deviation and share above 0.
    """
    n = values.shape[1]
    centre = np.empty(values.shape[0])
    sd = np.empty(values.shape[0])
    above = np.empty(values.shape[0])
    row = np.empty(n)
    for i in range(values.shape[0]):
        positive = 0
        for s in range(n):
            row[s] = (np.float64(values[i, s]) - mean[s]) * scale[s]
            out[i, s] = row[s]
            positive += row[s] > 0.0
        centre[i] = row_sum(row) / n
        above[i] = positive / n
        sd[i] = math.sqrt(_squares(row, centre[i]) / (n - 1))
    return centre, sd, above


@inlined
def row_sum(row: np.ndarray) -> float:
    """Sum, four side by side, since one would wait for itself."""
    n = len(row)
    t0, t1, t2, t3 = 0.0, 0.0, 0.0, 0.0
    for s in range(0, n - 3, 4):
        t0 += row[s]
        t1 += row[s + 1]
        t2 += row[s + 2]
        t3 += row[s + 3]
    for s in range(n - n % 4, n):
        t0 += row[s]
    whole: float = (t0 + t1) + (t2 + t3)
    return whole


@inlined
def _squares(row: np.ndarray, centre: float) -> float:
    """Sum of squared deviations, four side by side."""
    n = len(row)
    t0, t1, t2, t3 = 0.0, 0.0, 0.0, 0.0
    for s in range(0, n - 3, 4):
        t0 += (row[s] - centre) ** 2
        t1 += (row[s + 1] - centre) ** 2
        t2 += (row[s + 2] - centre) ** 2
        t3 += (row[s + 3] - centre) ** 2
    for s in range(n - n % 4, n):
        t0 += (row[s] - centre) ** 2
    whole: float = (t0 + t1) + (t2 + t3)
    return whole


def sorted_quantiles(values: np.ndarray, probabilities: tuple[float, ...]) -> np.ndarray:
    """Quantiles of rows sorted already, interpolated linearly (type 7); float64, shape (B, Q)."""
    position = (values.shape[1] - 1) * np.asarray(probabilities)
    low = np.floor(position).astype(np.int64)
    high = np.minimum(low + 1, values.shape[1] - 1)
    below = values[:, low].astype(np.float64)
    above = values[:, high].astype(np.float64)
    return np.asarray(below + (position - low) * (above - below))
