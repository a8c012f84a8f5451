"""Structured effects in the PyMC model: ρ, the sds of the coefficients and what the coefficients add up to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt

from placewise.models.design import Group
from placewise.models.engines.bases import Basis
from placewise.models.engines.distributions import between
from placewise.models.prior_plan import PriorPlan


def autocorrelation_or_share(group: Group, plan: PriorPlan) -> Any:
    """ρ of a group as a PyMC variable; None where its structure has none."""
    return between(f"rho_{group.name}", plan.rho[group.name]) if group.name in plan.rho else None


def coefficient_sds(basis: Basis, sd: Any, rho: Any) -> Any:
    """Standard deviations of the coefficients w, shape (K,)."""
    if basis.kind == "bym2":
        return sd * pt.sqrt(1.0 - rho + rho * basis.values)
    return sd * np.sqrt(basis.values)


def effects_of(basis: Basis, w: Any, rho: Any) -> Any:
    """Effects u = B(ρ) w, shape (n,)."""
    if basis.kind != "ar1":
        return basis.vectors @ w
    step = np.arange(basis.size)
    lag = np.subtract.outer(step, step)
    # powers from 1 on only: their gradient is finite at ρ = 0
    powers = pt.switch(step == 0, 1.0, rho ** np.maximum(step, 1))
    factor = powers[np.maximum(lag, 0)] * np.where(lag >= 0, 1.0, 0.0)
    return factor @ (w * pt.switch(step == 0, 1.0, pt.sqrt(1.0 - rho**2)))
