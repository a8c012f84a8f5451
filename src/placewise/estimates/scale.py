"""The scale on which an area's figure moves with the linear predictor: where a shift of η is nearly a shift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from placewise.estimates.predictor import Estimand

# points at which a curve is looked at, and the share of its steepest that counts as level
_POINTS, _NOTHING = 200, 1e-3


@dataclass(frozen=True)
class LinkScale:
    """Logit between two ends, logarithm above 0, or the figure itself.

    Parameters
    ----------
    link : {"logit", "log", "identity"}
    lower, upper : float
        Ends of what the figure can be; infinite where there is none.
    direction : int
        +1 where a larger η is a larger figure, -1 where a smaller one, 0 where it is neither.
    """

    link: Literal["logit", "log", "identity"]
    lower: float
    upper: float
    direction: int

    def forward(self, values: np.ndarray) -> np.ndarray:
        """From the figure to the scale; the ends are infinite."""
        if self.link == "identity":
            return np.asarray(values, dtype=np.float64)
        if self.link == "log":
            with np.errstate(divide="ignore"):
                return np.asarray(np.log(values))
        share = (np.asarray(values, dtype=np.float64) - self.lower) / (self.upper - self.lower)
        return np.asarray(special.logit(np.clip(share, 0.0, 1.0)))

    def inverse(self, values: np.ndarray) -> np.ndarray:
        """From the scale to the figure."""
        if self.link == "identity":
            return np.asarray(values, dtype=np.float64)
        if self.link == "log":
            return np.asarray(np.exp(values))
        return np.asarray(self.lower + (self.upper - self.lower) * special.expit(values))

    def moved(self, values: np.ndarray, by: np.ndarray) -> np.ndarray:
        """The figures after a shift on the scale."""
        return self.inverse(self.forward(values) + by)


def scale_of_estimand(estimand: Estimand) -> LinkScale:
    """Scale of an estimand's population-weighted means.

    A share of answers in the middle of an ordered question first grows with η and then falls: its direction is 0.
    """
    if estimand.kind == "latent" or estimand.link == "identity":
        return LinkScale("identity", -np.inf, np.inf, 1)
    if estimand.link == "log":
        return LinkScale("log", 0.0, np.inf, 1)
    direction = _direction(estimand)
    low, high = (0.0, 1.0) if estimand.kind == "share" else (estimand.lower, estimand.upper)
    return LinkScale("logit", low, high, direction)


def _direction(estimand: Estimand) -> int:
    """Whether the value of a person rises or falls with η wherever it is."""
    steps = estimand.weights
    if steps.ndim == 2:
        # weights of a smooth curve may differ in sign where the curve itself rises throughout
        cuts = estimand.cuts.mean(axis=1)
        at = np.linspace(cuts.min(), cuts.max(), _POINTS)
        steps = np.diff(special.expit(at - cuts[:, None]).T @ steps.mean(axis=1))
        steps = steps[np.abs(steps) > _NOTHING * np.abs(steps).max()]
    signs = set(np.sign(steps[steps != 0.0]).astype(int).tolist())
    return -signs.pop() if len(signs) == 1 else 0
