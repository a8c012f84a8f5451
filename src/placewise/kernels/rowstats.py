"""What is said of an area from its row of draws."""

from __future__ import annotations

import math

import numpy as np

from placewise.kernels.compile import kernel


@kernel
def row_moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each row, float64, shape (B,); values float32, shape (B, S), S > 1."""
    n = values.shape[1]
    mean = np.empty(values.shape[0])
    sd = np.empty(values.shape[0])
    for i in range(values.shape[0]):
        total = 0.0
        for s in range(n):
            total += np.float64(values[i, s])
        centre = total / n
        squares = 0.0
        for s in range(n):
            d = np.float64(values[i, s]) - centre
            squares += d * d
        mean[i] = centre
        sd[i] = math.sqrt(squares / (n - 1))
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
        total = 0.0
        positive = 0
        for s in range(n):
            row[s] = (np.float64(values[i, s]) - mean[s]) * scale[s]
            out[i, s] = row[s]
            total += row[s]
            positive += row[s] > 0.0
        centre[i] = total / n
        above[i] = positive / n
        squares = 0.0
        for s in range(n):
            squares += (row[s] - centre[i]) ** 2
        sd[i] = math.sqrt(squares / (n - 1))
    return centre, sd, above


def sorted_quantiles(values: np.ndarray, probabilities: tuple[float, ...]) -> np.ndarray:
    """Quantiles of rows sorted already, interpolated linearly (type 7); float64, shape (B, Q)."""
    position = (values.shape[1] - 1) * np.asarray(probabilities)
    low = np.floor(position).astype(np.int64)
    high = np.minimum(low + 1, values.shape[1] - 1)
    below = values[:, low].astype(np.float64)
    above = values[:, high].astype(np.float64)
    return np.asarray(below + (position - low) * (above - below))
