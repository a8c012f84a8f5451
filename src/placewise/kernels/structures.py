"""Covariances and precisions of effects that depend on each other: random walks, autoregressions, neighbourhoods.

All are for effects of standard deviation 1. Intrinsic ones are scaled so that the geometric mean of the marginal
variances is 1 in each connected component: Riebler et al. (2016), Statistical Methods in Medical Research 25,
1145-1165; Freni-Sterrantino et al. (2018), Spatial and Spatio-temporal Epidemiology 26, 25-34.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


class Precision(NamedTuple):
    """A precision matrix that depends on one parameter ρ.

    Parameters
    ----------
    matrix : ndarray, shape (n, n)
        Inverse of the covariance.
    derivative : ndarray, shape (n, n)
        Of ``matrix``, by ρ.
    log_det : float
        Logarithm of its determinant.
    log_det_derivative : float
        Of ``log_det``, by ρ.
    """

    matrix: np.ndarray
    derivative: np.ndarray
    log_det: float
    log_det_derivative: float


def path_edges(n: int) -> np.ndarray:
    """Each of n levels beside the next, shape (n - 1, 2)."""
    return np.column_stack([np.arange(n - 1), np.arange(1, n)]).astype(np.int64)


def scaled_rw1(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Covariance of a random walk of order one over n levels, which sums to zero.

    Returns
    -------
    vectors : ndarray, shape (n, n)
        Orthonormal eigenvectors V, one a column.
    values : ndarray, shape (n,)
        Eigenvalues d: the covariance is V diag(d) V'. The first is 0 and belongs to the constant.
    """
    return scaled_icar(n, path_edges(n))


def scaled_icar(n: int, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Covariance of an intrinsic conditional autoregression over n areas, which sums to zero in each component.

    An area without neighbours has variance 1 and is independent of all others.

    Parameters
    ----------
    n : int
        Areas.
    edges : ndarray of int64, shape (E, 2)
        Pairs of positions that are neighbours; a pair named twice counts once.

    Returns
    -------
    vectors : ndarray, shape (n, n)
        Orthonormal eigenvectors V, one a column; each is zero outside its component.
    values : ndarray, shape (n,)
        Eigenvalues d: the covariance is V diag(d) V'. They are 0 for the constant of each component of two areas or
        more, and 1 for an area without neighbours.

    Raises
    ------
    ValueError
        If an area is its own neighbour, or a position is not one of 0..n-1.
    """
    a, b = np.asarray(edges, dtype=np.int64).reshape(-1, 2).T
    if (a == b).any() or min(a.min(initial=0), b.min(initial=0)) < 0 or max(a.max(initial=-1), b.max(initial=-1)) >= n:
        raise ValueError(f"neighbours must be pairs of different positions in 0..{n - 1}")
    graph = coo_array((np.ones(len(a)), (a, b)), shape=(n, n))
    count, component = connected_components(graph, directed=False)
    adjacent = np.zeros((n, n))
    adjacent[a, b] = adjacent[b, a] = 1.0
    vectors, values = np.zeros((n, n)), np.ones(n)
    start = 0
    for k in range(count):
        inside = np.flatnonzero(component == k)
        stop = start + len(inside)
        own = adjacent[np.ix_(inside, inside)]
        vectors[inside, start:stop], values[start:stop] = _scaled_component(own)
        start = stop
    return vectors, values


def _scaled_component(adjacent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvectors and eigenvalues of one connected component's covariance."""
    m = len(adjacent)
    if m == 1:
        return np.ones((1, 1)), np.ones(1)
    precision, vectors = np.linalg.eigh(np.diag(adjacent.sum(axis=0)) - adjacent)
    values = np.zeros(m)
    values[1:] = 1.0 / precision[1:]
    vectors[:, 0] = 1.0 / np.sqrt(m)
    marginal = np.square(vectors) @ values
    return vectors, values / np.exp(np.log(marginal).mean())


def bym2_precision(vectors: np.ndarray, values: np.ndarray, rho: float) -> Precision:
    """Precision of √(1 − ρ) v + √ρ s, v independent normal(0, 1) and s from `scaled_icar`.

    Parameters
    ----------
    vectors, values : ndarray, shapes (n, n) and (n,)
        From `scaled_icar`.
    rho : float
        Share of the spatial part in the variance, 0 ≤ ρ < 1.
    """
    variance = 1.0 - rho + rho * values
    slope = values - 1.0
    return Precision(
        (vectors / variance) @ vectors.T,
        -(vectors * (slope / variance**2)) @ vectors.T,
        -float(np.log(variance).sum()),
        -float((slope / variance).sum()),
    )


def ar1_precision(n: int, rho: float) -> Precision:
    """Precision of a stationary autoregression of order one with marginal standard deviation 1.

    Parameters
    ----------
    n : int
        Levels, in order.
    rho : float
        Correlation of an effect with the next, -1 < ρ < 1.
    """
    rest = 1.0 - rho**2
    inner = np.r_[0.0, np.ones(max(n - 2, 0)), 0.0][:n]
    matrix = np.diag((1.0 + rho**2 * inner) / rest)
    derivative = np.diag(2.0 * rho * (1.0 + inner) / rest**2)
    if n == 1:
        return Precision(np.ones((1, 1)), np.zeros((1, 1)), 0.0, 0.0)
    a, b = path_edges(n).T
    matrix[a, b] = matrix[b, a] = -rho / rest
    derivative[a, b] = derivative[b, a] = -(1.0 + rho**2) / rest**2
    return Precision(matrix, derivative, -(n - 1) * float(np.log(rest)), 2.0 * rho * (n - 1) / rest)
