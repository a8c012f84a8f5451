"""Log likelihoods of a linear predictor as PyTensor graphs, in closed form and stable for large |η|."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt

from placewise.models.engines.rows import Rows


def binomial_logit(eta: Any, rows: Rows) -> Any:
    """Σ y η − n log(1 + e^η)."""
    return (rows.y * eta - rows.size * pt.softplus(eta)).sum()


def poisson_log(eta: Any, rows: Rows) -> Any:
    """Σ y η − t e^η, t the exposure."""
    return (rows.y * eta - rows.size * pt.exp(eta)).sum()


def gaussian_identity(eta: Any, rows: Rows, sigma: Any | None) -> Any:
    """Normal log density with variance σ², or the known variances where ``sigma`` is None."""
    variance = rows.size if sigma is None else sigma**2
    return -0.5 * (rows.weight * ((rows.y - eta) ** 2 / variance + pt.log(variance))).sum()


def cumulative_logit(eta: Any, rows: Rows, cutpoints: Any, n_categories: int) -> Any:
    """Log likelihood of ordered answers 0..K-1 to one question, with P(y ≤ k) = logit⁻¹(c_k − η)."""
    category = rows.y.astype(np.int64)
    return ordered_logit(eta, rows.size, category - 1, np.where(category < n_categories - 1, category, -1), cutpoints)


def ordered_logit(eta: Any, size: np.ndarray, lower: np.ndarray, upper: np.ndarray, cutpoints: Any) -> Any:
    """Log likelihood of ordered answers that lie between two cutpoints, or beyond one.

    Uses σ(b) − σ(a) = σ(b) σ(−a) (1 − e^(a−b)), which splits into one logistic term for each neighbouring cutpoint and
    a term of the cutpoints alone, and does not cancel.

    Parameters
    ----------
    eta : tensor, shape (m,)
    size : ndarray of float64, shape (m,)
        How often each answer was given.
    lower, upper : ndarray of int64, shape (m,)
        Position of the cutpoint below and above each answer; -1 where there is none.
    cutpoints : tensor, shape (C,)
    """
    under, over = np.flatnonzero(upper >= 0), np.flatnonzero(lower >= 0)
    value = -(size[under] * pt.softplus(eta[under] - cutpoints[upper[under]])).sum()
    value -= (size[over] * pt.softplus(cutpoints[lower[over]] - eta[over])).sum()
    inside = (lower >= 0) & (upper >= 0)
    if inside.any():
        counts = np.bincount(lower[inside], size[inside])
        below = np.flatnonzero(counts)
        value += (counts[below] * pt.log1mexp(cutpoints[below] - cutpoints[below + 1])).sum()
    return value
