"""Hyperparameters as normal scores: z such that Φ(z) is the prior's distribution function at the value.

In these coordinates every proper prior is a standard normal, so a hyperparameter that the data say little about has
a nearly normal posterior, whatever its prior; none has a boundary, and none runs away.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from placewise.models.priors import Prior

STEP = 1e-5


def value_at(prior: Prior, z: float) -> float:
    """Value of a parameter whose normal score is z; ``flat()`` is improper, its score is the logarithm.

    Parameters
    ----------
    prior : Prior
        Of a positive or bounded parameter.
    z : float
        Normal score.
    """
    a = prior.args
    p, q = special.ndtr(z), special.ndtr(-z)
    match prior.name:
        case "half_normal":
            return float(a[0] * (special.ndtri(0.5 + 0.5 * p) if z < 0 else -special.ndtri(0.5 * q)))
        case "half_cauchy":
            return float(a[0] * (np.tan(0.5 * np.pi * p) if z < 0 else 1.0 / np.tan(0.5 * np.pi * q)))
        case "half_student_t":
            upper = special.stdtrit(a[0], 0.5 + 0.5 * p) if z < 0 else -special.stdtrit(a[0], 0.5 * q)
            return float(a[2] * upper)
        case "gamma":
            return float((special.gammaincinv(a[0], p) if z < 0 else special.gammainccinv(a[0], q)) / a[1])
        case "inv_gamma":
            return float(a[1] / (special.gammainccinv(a[0], p) if z < 0 else special.gammaincinv(a[0], q)))
        case "exponential":
            return float(-special.log_ndtr(-z) / a[0])
        case "pc":
            return float(special.log_ndtr(-z) * a[0] / np.log(a[1]))
        case "uniform":
            return float(a[0] + (a[1] - a[0]) * p)
        case "lognormal":
            return float(np.exp(a[0] + a[1] * z))
        case "beta":
            return float(special.betaincinv(a[0], a[1], p) if z < 0 else 1.0 - special.betaincinv(a[1], a[0], q))
        case "fixed":
            return float(a[0])
        case "score":
            return z
        case "flat":
            return float(np.exp(z))
    raise ValueError(f"{prior} is no prior of a positive or bounded parameter")


def slope_at(prior: Prior, z: float) -> float:
    """Derivative of ``value_at`` in z, by a central difference of relative error about 1e-9."""
    return (value_at(prior, z + STEP) - value_at(prior, z - STEP)) / (2.0 * STEP)
