"""Values of a problem's unknowns, and the log joint density expanded about one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from placewise.errors import ModelError, Problem
from placewise.models.engines.laplace.hyper import Point


@dataclass(frozen=True, eq=False)
class Latent:
    """One value of all unknowns: the core, shape (Q,), and the effects of the chain's nodes, shape (nodes,)."""

    core: np.ndarray
    nodes: np.ndarray

    def plus(self, other: Latent, by: float = 1.0) -> Latent:
        """Sum with a multiple of another."""
        return Latent(self.core + by * other.core, self.nodes + by * other.nodes)

    def times(self, by: float) -> Latent:
        """A multiple."""
        return Latent(by * self.core, by * self.nodes)


@dataclass(frozen=True, eq=False)
class Expansion:
    """The log joint density at one value of the unknowns, expanded to second order, the chain eliminated.

    Parameters
    ----------
    at : Latent
    log_joint : float
        Log density of answers and unknowns given the hyperparameters, without normal constants.
    step : Latent
        Newton's step.
    decrement : float
        Gradient times step: twice what the step gains if the density is quadratic.
    root : ndarray, shape (Q, Q)
        Lower Cholesky factor of the core's matrix.
    log_det : float
        Log determinant of the whole negative Hessian.
    pivot, strength, dense, val : ndarray
        As ``placewise.kernels.elimination.assemble`` sets them.
    tau : ndarray, shape (nodes,)
    point : Point
    """

    at: Latent
    log_joint: float
    step: Latent
    decrement: float
    root: np.ndarray
    log_det: float
    pivot: np.ndarray
    strength: np.ndarray
    dense: np.ndarray
    val: np.ndarray
    tau: np.ndarray
    point: Point

    @property
    def mode(self) -> Latent:
        """Where the last step leads."""
        return self.at.plus(self.step)

    @property
    def log_marginal(self) -> float:
        """Laplace's approximation of the log density of the answers given the hyperparameters."""
        return self.log_joint + 0.5 * self.decrement - 0.5 * self.log_det


def cholesky(matrix: np.ndarray) -> np.ndarray:
    """Lower factor of the core's matrix.

    Raises
    ------
    ModelError
        If it is not positive definite.
    """
    try:
        return np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        raise unbounded() from None


def unbounded() -> ModelError:
    """What is told where the density has no mode."""
    return ModelError(
        Problem(
            "model",
            "the answers do not bound an estimate: some combination of the covariates separates them, or says nothing "
            "about them, and its prior is flat",
            'give the slopes a proper prior, such as slope = "normal(0, 1)", or leave the default in place',
            "model",
        )
    )
