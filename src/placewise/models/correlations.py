"""A correlation matrix by canonical partial correlations, free of each other under an LKJ prior.

Row j of the Cholesky factor is a point on the unit sphere; its entry i is the partial correlation of i and j given all
before i, times what is left of the row's length. Under LKJ(η), whose density is |R|^(η - 1), the partial correlations
are independent, each 2 Beta(α, α) - 1 with α = η + (k - 1 - i) / 2 in column i = 1, …, k - 1 (Lewandowski, Kurowicka
and Joe 2009, section 2.4, the C-vine). The order is that of the lower triangle read row by row: (2, 1), (3, 1), (3, 2).
"""

from __future__ import annotations

import math

import numpy as np

SINGULAR = 1e-7


def partial_priors(k: int, eta: float) -> list[float]:
    """Shape α of each partial correlation's prior, 2 Beta(α, α) - 1, under LKJ(η).

    Parameters
    ----------
    k : int
        Rows of the correlation matrix.
    eta : float
        Above 0; 1 is uniform over correlation matrices, more favours small correlations.

    Returns
    -------
    list of float, length k (k - 1) / 2
    """
    return [eta + 0.5 * (k - 1 - column) for row in range(2, k + 1) for column in range(1, row)]


def correlation_cholesky(partials: np.ndarray) -> np.ndarray:
    """Cholesky factor of the correlation matrix with these partial correlations.

    Parameters
    ----------
    partials : ndarray of float64, shape (..., k (k - 1) / 2)
        Each in [-1, 1], in the order of `partial_priors`.

    Returns
    -------
    ndarray of float64, shape (..., k, k)
        Lower triangular L with rows of length 1 and a diagonal that is not negative; the correlations are L L'.
    """
    partials = np.asarray(partials, dtype=np.float64)
    k = (1 + math.isqrt(1 + 8 * partials.shape[-1])) // 2
    if k * (k - 1) // 2 != partials.shape[-1]:
        raise ValueError(f"{partials.shape[-1]} partial correlations fill no lower triangle")
    factor = np.zeros((*partials.shape[:-1], k, k))
    factor[..., 0, 0] = 1.0
    at = 0
    for row in range(1, k):
        left = np.ones(partials.shape[:-1])
        for column in range(row):
            factor[..., row, column] = partials[..., at] * left
            left = left * np.sqrt((1.0 - partials[..., at]) * (1.0 + partials[..., at]))
            at += 1
        factor[..., row, row] = left
    return factor


def cholesky_of(correlations: np.ndarray) -> np.ndarray:
    """Cholesky factor of correlation matrices, of singular ones too.

    Parameters
    ----------
    correlations : ndarray of float64, shape (..., k, k)
        Positive semidefinite with ones on the diagonal, up to rounding.

    Returns
    -------
    ndarray of float64, shape (..., k, k)
        Lower triangular, with rows of length 1; where a row is spanned by those before, its diagonal is 0.
    """
    factor = np.zeros_like(correlations, dtype=np.float64)
    k = correlations.shape[-1]
    for row in range(k):
        for column in range(row):
            before = np.einsum("...i,...i->...", factor[..., row, :column], factor[..., column, :column])
            left, size = correlations[..., row, column] - before, factor[..., column, column]
            # what rounding leaves beside a diagonal of 0 is no correlation
            factor[..., row, column] = np.where(size > SINGULAR, left / np.where(size > SINGULAR, size, 1.0), 0.0)
        length = np.linalg.norm(factor[..., row, :row], axis=-1)
        factor[..., row, :row] /= np.maximum(length, 1.0)[..., None]
        factor[..., row, row] = np.sqrt(np.maximum(1.0 - np.minimum(length, 1.0) ** 2, 0.0))
    return factor
