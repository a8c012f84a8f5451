"""Prior and posterior of every standard deviation, and whether the data had a say."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from placewise.models.fit import Posterior
from placewise.models.prior_draws import draw_prior
from placewise.models.prior_plan import PriorPlan, SdPrior
from placewise.models.priors import Prior

SET_BY_PRIOR = 0.7
PRIOR_DRAWS = 20_000
# rows that are no groups, and the variables they tell of
VARIABLES = {
    "slopes": "slope_sd",
    "category_specific": "deviation_sd",
    "area_scale": "area_scale_sd",
    "residual": "sigma",
}


def sd_table(posterior: Posterior) -> pd.DataFrame:
    """One row a standard deviation.

    Returns
    -------
    DataFrame
        ``group, prior, mean, q05, q50, q95, set_by_prior``; the last is true where the posterior sd of log sd exceeds
        0.7 times the prior's. Priors without a finite spread of log sd (flat, fixed) are never marked.
    """
    plan = posterior.priors
    prior_spread = _spread_of_log(plan)
    rows = []
    if plan.below is not None:
        prior_spread[plan.below[1]] = 0.0
    for group, text in _described(plan).items():
        name = VARIABLES.get(group, f"sd_{group}")
        if not posterior.has(name):  # one that is fixed need not be drawn
            continue
        draws = posterior.draws(name)
        low, mid, high = np.quantile(draws, [0.05, 0.5, 0.95])
        spread = prior_spread.get(group, math.inf)
        positive = draws[draws > 0]
        decided = positive.size > 0 and bool(np.std(np.log(positive)) > SET_BY_PRIOR * spread)
        rows.append((group, text, float(draws.mean()), float(low), float(mid), float(high), decided))
    return pd.DataFrame(rows, columns=["group", "prior", "mean", "q05", "q50", "q95", "set_by_prior"])


def draw_sd(prior: SdPrior, rng: np.random.Generator, n: int = PRIOR_DRAWS) -> np.ndarray:
    """Draws of a standard deviation from its prior, shape (n,); empty for one that is flat or fixed."""
    if prior.prior.name in ("flat", "fixed"):
        return np.empty(0)
    values = draw_prior(prior.prior, rng, n)
    return np.sqrt(values) if prior.on == "var" else values


def spread_of_log(prior: Prior) -> float:
    """The sd of the logarithm of what has this prior, by simulation; infinite for one that is flat or fixed."""
    return _log_sd(draw_sd(SdPrior(prior), np.random.default_rng(0)))


def _described(plan: PriorPlan) -> dict[str, str]:
    text = {name: str(prior) for name, prior in plan.sds.items()}
    if plan.total is not None:
        several = len(plan.shared) > 1
        for name, weight in zip(plan.shared, plan.concentration, strict=True):
            part = f", of which its share, Dirichlet weight {weight:.3g} of {sum(plan.concentration):.3g}"
            text[name] = f"total {plan.total}{part if several else ''}"
    if plan.below is not None:
        linked, area, ratio = plan.below
        text[linked] += f", with that of {area}" if linked in plan.shared else ""
        text[area] = f"{ratio:.3g} times that of {linked}"
    return text | {name: str(prior) for name, prior in _further(plan).items()}


def _further(plan: PriorPlan) -> dict[str, Prior]:
    """Priors of standard deviations that are of no group."""
    priors = {
        "slopes": plan.slope_sd,
        "category_specific": plan.deviation_sd,
        "area_scale": plan.area_scale_sd,
        "residual": plan.sigma,
    }
    return {name: prior for name, prior in priors.items() if prior is not None}


def _spread_of_log(plan: PriorPlan) -> dict[str, float]:
    """Prior sd of log sd, by simulation."""
    rng = np.random.default_rng(0)
    found = {name: _log_sd(draw_sd(prior, rng)) for name, prior in plan.sds.items()}
    if plan.total is not None:
        total = draw_sd(plan.total, rng)
        if len(total):
            split = rng.dirichlet(plan.concentration, PRIOR_DRAWS)
            found |= {name: _log_sd(total * np.sqrt(split[:, k])) for k, name in enumerate(plan.shared)}
    return found | {name: _log_sd(draw_sd(SdPrior(prior), rng)) for name, prior in _further(plan).items()}


def _log_sd(draws: np.ndarray) -> float:
    positive = draws[draws > 0]
    return float(np.std(np.log(positive))) if len(positive) > 1 and np.ptp(positive) > 0 else math.inf
