"""Priors as PyMC variables and as log densities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from placewise.models.prior_plan import SdPrior
from placewise.models.priors import Prior


def _exact(prior: Prior) -> list[Any]:
    """Arguments as double-precision arrays: PyTensor rounds plain Python floats to single precision."""
    return [np.asarray(x, dtype=np.float64) for x in prior.args]


def positive(name: str, prior: SdPrior) -> Any:
    """A standard deviation as a PyMC variable of that name, whichever scale its prior is on."""
    if prior.on == "sd":
        return _positive(name, prior.prior)
    return pm.Deterministic(name, pt.sqrt(_positive(f"{name}_squared", prior.prior)))


def _positive(name: str, prior: Prior) -> Any:
    a = _exact(prior)
    match prior.name:
        case "half_normal":
            return pm.HalfNormal(name, sigma=a[0])
        case "half_cauchy":
            return pm.HalfCauchy(name, beta=a[0])
        case "half_student_t":
            return pm.HalfStudentT(name, nu=a[0], sigma=a[2])
        case "gamma":
            return pm.Gamma(name, alpha=a[0], beta=a[1])
        case "inv_gamma":
            return pm.InverseGamma(name, alpha=a[0], beta=a[1])
        case "exponential":
            return pm.Exponential(name, lam=a[0])
        case "pc":
            return pm.Exponential(name, lam=-np.log(a[1]) / a[0])
        case "uniform":
            return pm.Uniform(name, lower=a[0], upper=a[1])
        case "lognormal":
            return pm.LogNormal(name, mu=a[0], sigma=a[1])
        case "flat":
            return pm.HalfFlat(name)
        case "fixed":
            return pm.Deterministic(name, pt.as_tensor(a[0]))
    raise ValueError(f"{prior} is not a distribution of a standard deviation")


def real(name: str, prior: Prior) -> Any:
    """A parameter on the whole line as a PyMC variable of that name."""
    a = _exact(prior)
    match prior.name:
        case "normal":
            return pm.Normal(name, mu=a[0], sigma=a[1])
        case "student_t":
            return pm.StudentT(name, nu=a[0], mu=a[1], sigma=a[2])
        case "uniform":
            return pm.Uniform(name, lower=a[0], upper=a[1])
        case "flat":
            return pm.Flat(name)
        case "fixed":
            return pm.Deterministic(name, pt.as_tensor(a[0]))
    raise ValueError(f"{prior} is not a distribution on the whole line")


def between(name: str, prior: Prior) -> Any:
    """An autocorrelation, or a share between 0 and 1, as a PyMC variable of that name."""
    a = _exact(prior)
    match prior.name:
        case "uniform":
            return pm.Uniform(name, lower=a[0], upper=a[1])
        case "beta":
            return pm.Beta(name, alpha=a[0], beta=a[1])
        case "fixed":
            return pm.Deterministic(name, pt.as_tensor(a[0]))
    raise ValueError(f"{prior} is not a distribution between two bounds")


def log_density(x: Any, prior: Prior) -> Any:
    """Log density of a prior on the whole line at ``x``, elementwise."""
    a = _exact(prior)
    match prior.name:
        case "normal":
            return pm.logp(pm.Normal.dist(mu=a[0], sigma=a[1]), x)
        case "student_t":
            return pm.logp(pm.StudentT.dist(nu=a[0], mu=a[1], sigma=a[2]), x)
        case "uniform":
            return pm.logp(pm.Uniform.dist(lower=a[0], upper=a[1]), x)
        case "flat":
            return 0.0 * x
    raise ValueError(f"{prior} is not a distribution on the whole line")
