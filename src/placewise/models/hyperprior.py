"""Log density of the priors of a posterior's hyperparameters, draw by draw.

Only hyperparameters: the densities of effects given their standard deviations are part of the model, and raising them
to a power would change what the model is, not how much its priors count (Kallioinen et al. 2024).
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from placewise.models.fit import Posterior
from placewise.models.prior_plan import PriorPlan, SdPrior
from placewise.models.priors import Prior


def log_density(prior: Prior, x: np.ndarray) -> np.ndarray:
    """Log density of a prior at ``x``, of the same shape; 0 for flat and fixed ones, which no power changes.

    Raises
    ------
    ValueError
        The prior is not of one number.
    """
    a = prior.args
    match prior.name:
        case "half_normal":
            found = stats.halfnorm(scale=a[0]).logpdf(x)
        case "half_cauchy":
            found = stats.halfcauchy(scale=a[0]).logpdf(x)
        case "half_student_t":
            found = np.log(2.0) + stats.t(a[0], scale=a[2]).logpdf(x)
        case "gamma":
            found = stats.gamma(a[0], scale=1.0 / a[1]).logpdf(x)
        case "inv_gamma":
            found = stats.invgamma(a[0], scale=a[1]).logpdf(x)
        case "exponential":
            found = stats.expon(scale=1.0 / a[0]).logpdf(x)
        case "pc":
            found = stats.expon(scale=-a[0] / np.log(a[1])).logpdf(x)
        case "lognormal":
            found = stats.lognorm(a[1], scale=np.exp(a[0])).logpdf(x)
        case "beta":
            found = stats.beta(a[0], a[1]).logpdf(x)
        case "uniform" | "flat" | "fixed":
            # constant wherever the posterior is
            found = np.zeros_like(x, dtype=np.float64)
        case _:
            raise ValueError(f"{prior} is not the prior of a hyperparameter")
    return np.asarray(found, dtype=np.float64)


def log_hyperprior(posterior: Posterior) -> dict[str, np.ndarray]:
    """Log prior density of every hyperparameter in each draw, each shape (S,), up to a constant.

    The total of the geography and its split, the sds of groups, slopes, deviations, class multipliers and residuals,
    autocorrelations and spatial shares, correlations, discriminations and scales of surveys. The priors of slopes
    shrunk together (``r2d2``, ``horseshoe``) are of the slopes themselves and are left out.
    """
    plan = posterior.priors
    found = _geography(posterior) | {
        f"sd_{name}": _of_sd(prior, posterior.draws(f"sd_{name}"))
        for name, prior in plan.sds.items()
        if posterior.has(f"sd_{name}")
    }
    single = {
        "slope_sd": plan.slope_sd,
        "deviation_sd": plan.deviation_sd,
        "area_scale_sd": plan.area_scale_sd,
        "sigma": plan.sigma,
    }
    single |= {f"rho_{name}": prior for name, prior in plan.rho.items()}
    for name, one in single.items():
        if one is not None and posterior.has(name):
            found[name] = log_density(one, posterior.draws(name))
    for name in ("discrimination", "survey_scale"):
        if plan.discrimination is not None and posterior.has(name):
            found[name] = log_density(plan.discrimination, posterior.draws(name)).sum(axis=1)
    for factor, eta in plan.cor.items():
        if posterior.has(f"cor_{factor}"):
            # the LKJ density, up to a constant
            found[f"cor_{factor}"] = (eta - 1.0) * np.linalg.slogdet(posterior.draws(f"cor_{factor}"))[1]
    return found


def _of_sd(prior: SdPrior, draws: np.ndarray) -> np.ndarray:
    return log_density(prior.prior, draws if prior.on == "sd" else draws**2)


def _geography(posterior: Posterior) -> dict[str, np.ndarray]:
    """Log densities of the total and of its split."""
    plan = posterior.priors
    if plan.total is None:
        return {}
    parts = np.column_stack([_share_of_total(posterior, plan, name) for name in plan.shared])
    square = parts.sum(axis=1)
    found = {"sd_total": _of_sd(plan.total, np.sqrt(square))}
    if len(plan.shared) > 1:
        power = np.array(plan.concentration) - 1.0
        # a part may be so small that its square is nought in floating point
        found["split"] = np.log(np.maximum(parts / square[:, None], np.finfo(float).tiny)) @ power
    return found


def _share_of_total(posterior: Posterior, plan: PriorPlan, name: str) -> np.ndarray:
    """A group's part of the total variance; a linked group's holds that of the areas below it."""
    square: np.ndarray = posterior.draws(f"sd_{name}") ** 2
    if plan.below is not None and name == plan.below[0]:
        return np.asarray(square * (1.0 + plan.below[2] ** 2))
    return square
