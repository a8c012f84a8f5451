"""Where the hyperparameters' posterior lies: its mode, its spread along each axis, and how the unknowns follow it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy.optimize import minimize

from placewise.errors import ModelError
from placewise.models.engines.laplace.conditional import Conditional
from placewise.models.engines.laplace.expansion import Latent

A = TypeVar("A")
B = TypeVar("B")

# steps of differences: at most .2, half an sd where the posterior is narrow, which a small one tells
STEP, SMALL_STEP = 0.2, 1e-3
LEAST_CURVATURE = 0.2
FARTHEST = 6.0
NOWHERE = 1e10
# Newton's decrement at which a mode is found, while the hyperparameters' own is looked for
NEAR = 1e-6


@dataclass(frozen=True, eq=False)
class Landscape:
    """The posterior of the hyperparameters about its mode.

    Parameters
    ----------
    centre : ndarray, shape (d,)
        Normal scores at the mode.
    axes : ndarray, shape (d, d)
        Columns: one unit of each of the independent coordinates in which it is about standard normal.
    below, above : ndarray, shape (d,)
        Its sd along each axis on either side.
    mode, skew : Latent
        Mode of the unknowns there, and what the covariance times gives the first-order shift of their mean.
    origin : ndarray, shape (d,)
        Scores at which they were found.
    mode_slope, skew_slope : tuple of Latent
        Their derivatives by each score.
    evaluations : int
        Log marginals computed.
    """

    centre: np.ndarray
    axes: np.ndarray
    below: np.ndarray
    above: np.ndarray
    mode: Latent
    skew: Latent
    origin: np.ndarray
    mode_slope: tuple[Latent, ...]
    skew_slope: tuple[Latent, ...]
    evaluations: int

    def guess(self, z: np.ndarray) -> tuple[Latent, Latent]:
        """Mode and skew at other scores, by the first derivatives.

        The shift itself would not do: towards an sd of nothing it vanishes faster than a straight line.
        """
        mode, skew = self.mode, self.skew
        step = np.clip(z - self.origin, -2.0, 2.0)
        for by, slope in zip(step, self.mode_slope, strict=True):
            mode = mode.plus(slope, by)
        # without slopes it is the same everywhere
        for by, slope in zip(step, self.skew_slope, strict=False):
            skew = skew.plus(slope, by)
        return mode, skew


def in_parallel(function: Callable[[A], B], items: Sequence[A], jobs: int) -> list[B]:
    """Apply a function to each item, on several threads; the kernels release the interpreter's lock."""
    if jobs < 2:
        return [function(item) for item in items]
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(function, items))


def survey_landscape(conditional: Conditional, jobs: int) -> Landscape:
    """Find the mode of the hyperparameters' Laplace posterior and describe it.

    Raises
    ------
    ModelError
        If the answers do not bound an estimate.
    """
    hyper, d = conditional.hyper, conditional.hyper.size
    centre = hyper.start()
    last = [conditional.find_mode(hyper.at(centre), conditional.start()).at]
    count = 1

    def objective(z: np.ndarray) -> tuple[float, np.ndarray]:
        nonlocal count
        count += 1
        try:
            e = conditional.find_mode(hyper.at(z), last[0], NEAR)
        except ModelError:
            return NOWHERE, np.zeros(d)
        last[0] = e.at
        gradient, _ = conditional.gradient(e)
        prior, prior_slope = hyper.log_prior(z)
        return -(e.log_marginal + prior), -(gradient + prior_slope)

    if d:
        # one point after the other here, so that the threads share each
        with ThreadPoolExecutor(jobs) as conditional.pool:
            bounds, options = [(-FARTHEST, FARTHEST)] * d, {"gtol": 0.02, "ftol": 1e-9, "maxiter": 100, "maxcor": 20}
            found = minimize(objective, centre, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
            centre = np.asarray(found.x)
        conditional.pool = None
    e = conditional.find_mode(hyper.at(centre), last[0])
    mode, (level, skew) = e.mode, conditional.gradient(e)
    level = level + hyper.log_prior(centre)[1]

    def slope_at(z: np.ndarray) -> tuple[np.ndarray, Latent, Latent]:
        e = conditional.find_mode(hyper.at(z), mode, 1e-4)
        gradient, skew = conditional.gradient(e)
        return gradient + hyper.log_prior(z)[1], e.mode, skew

    near = in_parallel(slope_at, [centre + SMALL_STEP * v for v in np.eye(d)], jobs)
    sharp = np.array([(level - n[0])[k] / SMALL_STEP for k, n in enumerate(near)]).reshape(d)
    step = np.minimum(STEP, 0.5 / np.sqrt(np.maximum(sharp, 1.0)))
    ends = in_parallel(
        slope_at, [centre + s * h * v for h, v in zip(step, np.eye(d), strict=True) for s in (1.0, -1.0)], jobs
    )
    up, down = ends[::2], ends[1::2]
    hessian = np.array([(b[0] - a[0]) / (2.0 * h) for a, b, h in zip(up, down, step, strict=True)]).reshape(d, d)
    curvature, vectors = np.linalg.eigh(0.5 * (hessian + hessian.T))
    axes = vectors / np.sqrt(np.maximum(curvature, LEAST_CURVATURE))

    modes = tuple(_difference(a[1], b[1], h) for a, b, h in zip(up, down, step, strict=True))
    skews = tuple(_difference(a[2], b[2], h) for a, b, h in zip(up, down, step, strict=True))
    ones = np.ones(d)
    return Landscape(centre, axes, ones, ones, mode, skew, centre, modes, skews, count + 3 * d)


def _difference(up: Latent, down: Latent, step: float) -> Latent:
    """Central difference."""
    by = 0.5 / step
    return Latent(by * (up.core - down.core), by * (up.nodes - down.nodes))
