"""Structured effects as a linear map of independent coefficients: u = B(ρ) w with w_k ~ normal(0, σ² d_k(ρ))."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from scipy.linalg import solve_triangular

from placewise.kernels.structures import scaled_icar, scaled_rw1
from placewise.models.design import Group

# ρ before anything was sampled
TYPICAL_RHO = 0.5


@dataclass(frozen=True, eq=False)
class Basis:
    """The map of one group's coefficients to its effects.

    Parameters
    ----------
    kind : {"rw1", "ar1", "bym2"}
        Of the structure.
    vectors : ndarray, shape (n, K)
        B of rw1 and bym2: eigenvectors of the covariance. Those of no variance are left out for rw1. ar1: empty.
    values : ndarray, shape (K,)
        Variances of the coefficients of the structured part, for σ = 1. ar1: ones.
    """

    kind: Literal["rw1", "ar1", "bym2"]
    vectors: np.ndarray
    values: np.ndarray

    @property
    def size(self) -> int:
        """Number of coefficients, K."""
        return len(self.values)

    def matrix(self, rho: float) -> np.ndarray:
        """B(ρ), shape (n, K); for ar1 the Cholesky factor of the correlations."""
        if self.kind != "ar1":
            return self.vectors
        lag = np.subtract.outer(np.arange(self.size), np.arange(self.size))
        factor = np.where(lag >= 0, np.power(rho, np.maximum(lag, 0)), 0.0)
        factor[:, 1:] *= np.sqrt(1.0 - rho**2)
        return factor

    def variances(self, rho: float) -> np.ndarray:
        """d(ρ), shape (K,)."""
        return 1.0 - rho + rho * self.values if self.kind == "bym2" else self.values

    def coefficients(self, effects: np.ndarray, rho: float) -> np.ndarray:
        """The w of effects u, shape (K,)."""
        if self.kind == "ar1":
            return np.asarray(solve_triangular(self.matrix(rho), effects, lower=True))
        return np.asarray(self.vectors.T @ effects)


@lru_cache(maxsize=16)
def basis_of(group: Group) -> Basis | None:
    """The basis of a group's effects; None where they are independent."""
    if group.structure is None:
        return None
    n = len(group.labels)
    if group.structure.kind == "ar1":
        return Basis("ar1", np.empty((n, 0)), np.ones(n))
    if group.structure.kind == "rw1":
        vectors, values = scaled_rw1(n)
        return Basis("rw1", vectors[:, 1:], values[1:])
    return Basis("bym2", *scaled_icar(n, group.structure.edges))


def size_of(group: Group) -> int:
    """Number of coefficients that a group's effects are made of."""
    basis = basis_of(group)
    return len(group.labels) if basis is None else basis.size
