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
    """Log likelihood of ordered answers 0..K-1 with P(y ≤ k) = logit⁻¹(c_k − η).

    Uses σ(b) − σ(a) = σ(b) σ(−a) (1 − e^(a−b)), which splits into one logistic term for each neighbouring cutpoint and
    a term of the cutpoints alone, and does not cancel.
    """
    category = rows.y.astype(np.int64)
    top, below = n_categories - 1, category > 0
    under = category < top
    counts = np.bincount(category, rows.size, minlength=n_categories)
    value = -(rows.size[under] * pt.softplus(eta[under] - cutpoints[category[under]])).sum()
    value -= (rows.size[below] * pt.softplus(cutpoints[category[below] - 1] - eta[below])).sum()
    if top > 1:
        value += (counts[1:top] * pt.log1mexp(cutpoints[:-1] - cutpoints[1:])).sum()
    return value
