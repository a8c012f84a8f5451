"""Log likelihoods of a linear predictor, in closed form and stable for large |η|.

Rows that share their design are added up first (sufficient statistics), which leaves the likelihood unchanged up to a
constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytensor.tensor as pt

from placewise.models.engines import FitProblem


@dataclass(frozen=True, eq=False)
class Rows:
    """The data of a likelihood after equal rows have been added up.

    Parameters
    ----------
    x : ndarray, shape (m, p)
        Fixed columns.
    index : tuple of ndarray, each shape (m,)
        Position of each row in each group.
    y : ndarray, shape (m,)
        Sum of answers (bernoulli, binomial, poisson), the answer (gaussian) or the category (cumulative).
    size : ndarray, shape (m,)
        Trials (bernoulli, binomial), exposure (poisson), known variance (gaussian) or respondents (cumulative).
    information : ndarray, shape (m,)
        Approximate Fisher information of each row about its η.
    """

    x: np.ndarray
    index: tuple[np.ndarray, ...]
    y: np.ndarray
    size: np.ndarray
    information: np.ndarray


def collect_rows(problem: FitProblem) -> Rows:
    """Add up rows with the same design (and, for ordered answers, the same answer)."""
    design, response = problem.design, problem.response
    x, index = design.matrix, np.column_stack([g.index for g in design.groups] or [np.zeros(design.n, dtype=np.int64)])
    y = np.asarray(response.y, dtype=np.float64)
    if problem.family == "gaussian":
        known = response.variance
        variance = np.full(design.n, y.var()) if known is None else np.asarray(known, dtype=np.float64)
        return Rows(x, tuple(index.T[: len(design.groups)]), y, variance, 1.0 / variance)
    key = [x, index] + ([y[:, None]] if problem.family == "cumulative" else [])
    packed = np.ascontiguousarray(np.column_stack(key)).view(np.void(8 * sum(k.shape[1] for k in key)).dtype).ravel()
    _, first, inverse = np.unique(packed, return_index=True, return_inverse=True)
    weight = {"binomial": response.trials, "poisson": response.exposure}.get(problem.family)
    size = np.ones(design.n) if weight is None else np.asarray(weight, dtype=np.float64)
    total = np.bincount(inverse, size)
    summed = y[first] if problem.family == "cumulative" else np.bincount(inverse, y)
    information = total * _unit_information(problem.family, y, size)
    return Rows(x[first], tuple(index[first].T[: len(design.groups)]), summed, total, information)


def _unit_information(family: str, y: np.ndarray, size: np.ndarray) -> float:
    """Fisher information about η of one person, at the overall distribution of answers."""
    if family == "poisson":
        return float(y.sum() / size.sum())
    if family == "cumulative":
        share = np.bincount(y.astype(np.int64)) / len(y)
        return float((1.0 - np.sum(share**3)) / 3.0)
    p = float(y.sum() / size.sum())
    return max(p * (1.0 - p), 1e-3)


def binomial_logit(eta: Any, rows: Rows) -> Any:
    """Σ y η − n log(1 + e^η)."""
    return (rows.y * eta - rows.size * pt.softplus(eta)).sum()


def poisson_log(eta: Any, rows: Rows) -> Any:
    """Σ y η − t e^η, t the exposure."""
    return (rows.y * eta - rows.size * pt.exp(eta)).sum()


def gaussian_identity(eta: Any, rows: Rows, sigma: Any | None) -> Any:
    """Normal log density with variance σ², or the known variances where ``sigma`` is None."""
    variance = rows.size if sigma is None else sigma**2
    return (-0.5 * (rows.y - eta) ** 2 / variance).sum() - 0.5 * (pt.log(variance) * np.ones_like(rows.y)).sum()


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
