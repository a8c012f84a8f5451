"""Where benchmarked areas are to stand in each draw: the mathematics, without areas, links or files.

Target b_l ~ N(θ_l + d_l, se_l²) and discrepancy d_l ~ N(0, τ²) of model and target. Each draw of θ_l is replaced by a
draw of θ_l + d_l given the targets. τ → ∞ leaves nothing of the model (``drawn``), τ = 0 is Bayesian updating.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from placewise.estimates.scale import LinkScale
from placewise.kernels.philox import label_hashes, stream_key, uniform_row

_GRID = 400
_REACH = 8.0  # times the scale of τ's prior
_ITERATIONS = 200
_NEAR_END = 0.01  # of the way from an end of the range to the target


def uniforms(seed: int, stream: str, codes: np.ndarray, n_draws: int) -> np.ndarray:
    """One uniform an area and draw, keyed by the area's code; float64, shape (len(codes), S)."""
    out = np.empty((len(codes), n_draws))
    key = stream_key(seed, f"benchmark:{stream}")
    for row, label in zip(out, label_hashes(codes), strict=True):
        uniform_row(key, label, row)
    return out


def normals(seed: int, stream: str, codes: np.ndarray, n_draws: int) -> np.ndarray:
    """The same as standard normals."""
    return np.asarray(special.ndtri(uniforms(seed, stream, codes, n_draws)))


def draw_targets(estimate: np.ndarray, se: np.ndarray, uniform: np.ndarray, lower: float, upper: float) -> np.ndarray:
    """Draws of N(estimate, se²) between two ends.

    Parameters
    ----------
    estimate, se : ndarray of float64, shape (L,)
    uniform : ndarray of float64, shape (L, S)
    lower, upper : float
        Ends, which no draw reaches.

    Returns
    -------
    ndarray of float64, shape (L, S)
    """
    out = np.repeat(estimate[:, None], uniform.shape[1], axis=1)
    unsure = se > 0
    b, s = estimate[unsure, None], se[unsure, None]
    low, high = special.ndtr((lower - b) / s), special.ndtr((upper - b) / s)
    out[unsure] = b + s * special.ndtri(low + uniform[unsure] * (high - low))
    return out


@dataclass(frozen=True, eq=False)
class Discrepancy:
    """How far model and targets differ beyond their standard errors, as the targets tell it.

    Parameters
    ----------
    draws : ndarray of float64, shape (S,)
        Of τ.
    """

    draws: np.ndarray

    @property
    def quantiles(self) -> tuple[float, float, float]:
        """Median, 5% and 95% points."""
        middle, low, high = np.quantile(self.draws, [0.5, 0.05, 0.95])
        return float(middle), float(low), float(high)


def estimate_discrepancy(residual: np.ndarray, covariance: np.ndarray, uniform: np.ndarray) -> Discrepancy:
    """Posterior of τ given r = b − E θ ~ N(0, V + diag(se²) + τ² I).

    The prior is half-Cauchy with the median sd of r as scale, so that results keep the units of the outcome and one
    target is enough; τ is drawn by inverting its distribution on a grid.

    Parameters
    ----------
    residual : ndarray of float64, shape (L,)
    covariance : ndarray of float64, shape (L, L)
        V + diag(se²).
    uniform : ndarray of float64, shape (S,)
    """
    roots, vectors = np.linalg.eigh(covariance)
    roots = np.maximum(roots, 0.0)
    rotated = vectors.T @ residual
    scale = float(np.median(np.sqrt(np.diagonal(covariance))))
    if scale == 0.0:
        scale = float(np.abs(residual).max()) or 1.0
    largest = _REACH * max(scale, float(np.sqrt(np.mean(residual**2))))
    tau = largest * np.linspace(0.0, 1.0, _GRID) ** 2
    variance = np.maximum(roots[:, None] + tau**2, 1e-12 * scale**2)
    log_density = -0.5 * (np.log(variance) + rotated[:, None] ** 2 / variance).sum(axis=0) - np.log1p(
        (tau / scale) ** 2
    )
    density = np.exp(log_density - log_density.max())
    mass = np.concatenate([[0.0], np.cumsum(np.diff(tau) * (density[1:] + density[:-1]) / 2)])
    return Discrepancy(np.interp(uniform * mass[-1], mass, tau))


def condition(
    theta: np.ndarray,
    used: np.ndarray,
    estimate: np.ndarray,
    se: np.ndarray,
    tau: np.ndarray,
    noise: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """Draws of θ + d given the targets, by conditioning each draw on its own pathway (Matheron's rule).

    With (θ, d, b) jointly normal, θ_s + d_s + Cov(θ + d, b) Var(b)⁻¹ (b − θ_s − d_s − ε_s) is an exact draw, ε_s being
    a draw of the target's error; it keeps what else belongs to draw s.

    Parameters
    ----------
    theta : ndarray of float64, shape (L, S)
        Draws of the model.
    used : ndarray of bool, shape (L,)
        Areas whose targets count; the others move as far as they are correlated with these.
    estimate, se : ndarray of float64, shape (used,)
    tau : ndarray of float64, shape (S,)
    noise : ndarray of float64, shape (L, S), and shape (used, S)
        Standard normals of discrepancies and of the targets' errors.

    Returns
    -------
    ndarray of float64, shape (L, S)
    """
    centred = theta - theta.mean(axis=1, keepdims=True)
    across = centred @ centred[used].T / (theta.shape[1] - 1)
    roots, vectors = np.linalg.eigh(across[used] + np.diag(se**2))
    moved = theta + tau * noise[0]
    innovation = estimate[:, None] - moved[used] - se[:, None] * noise[1]
    spread = np.maximum(roots, 0.0)[:, None] + tau**2
    part = np.divide(vectors.T @ innovation, spread, out=np.zeros_like(innovation), where=spread > 0)
    weight = vectors @ part
    moved += across @ weight
    moved[used] += tau**2 * weight
    return np.asarray(moved)


def centred_on(values: np.ndarray, estimate: np.ndarray, scale: LinkScale) -> np.ndarray:
    """Draws shifted on the scale until each row's mean is the target.

    Parameters
    ----------
    values : ndarray of float64, shape (L, S)
    estimate : ndarray of float64, shape (L,)
        Strictly between the ends of the scale.
    """
    on_scale = scale.forward(values)
    one = np.ones(values.shape[1])
    shift = np.array([
        shift_to_mean(row, one, float(b), scale) for row, b in zip(on_scale, estimate, strict=True)
    ])  # fmt: skip
    return scale.inverse(on_scale + shift[:, None])


def shift_to_mean(on_scale: np.ndarray, weight: np.ndarray, target: float, scale: LinkScale) -> float:
    """The c for which Σ w f(x + c) / Σ w is the target, f the inverse of the scale; to the last digits of float64.

    Parameters
    ----------
    on_scale : ndarray of float64, shape (n,)
        Values on the scale, infinite at its ends.
    weight : ndarray of float64, shape (n,)
        Not negative, some above 0.
    target : float
        Strictly between the ends.

    Raises
    ------
    ArithmeticError
        No shift reaches the target: too many values lie at an end.
    """
    total = weight.sum()
    finite = np.isfinite(on_scale)
    if not finite.any():
        raise ArithmeticError("every value lies at an end of its range")

    def miss(c: float) -> float:
        return float(weight @ scale.inverse(on_scale + c) / total) - target

    middle = float(scale.forward(np.array([target]))[0])
    low = middle - float(on_scale[finite].max()) - 1.0
    high = middle - float(on_scale[finite].min()) + 1.0
    if miss(low) > 0 or miss(high) < 0:
        raise ArithmeticError("too many values lie at an end of their range")
    for _ in range(_ITERATIONS):
        c = (low + high) / 2
        if c in (low, high):
            break
        low, high = (c, high) if miss(c) < 0 else (low, c)
    return min(low, high, key=lambda c: abs(miss(c)))


def inside(values: np.ndarray, middle: np.ndarray, scale: LinkScale) -> tuple[np.ndarray, int]:
    """Draws that left the range, brought back to near its end; the draws, and how many there were.

    A normal distribution does not know of ends: a draw beyond one is set to 1% of the way from it to the middle.
    """
    low, high = np.full_like(middle, -np.inf), np.full_like(middle, np.inf)
    if np.isfinite(scale.lower):
        low = scale.lower + _NEAR_END * (middle - scale.lower)
    if np.isfinite(scale.upper):
        high = scale.upper - _NEAR_END * (scale.upper - middle)
    within = np.clip(values, low[:, None], high[:, None])
    return within, int((within != values).sum())
