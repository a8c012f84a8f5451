"""Priors made narrower or wider: what a model would say had one standard deviation been expected half or twice."""

from __future__ import annotations

import math
from dataclasses import replace

from placewise.models.fit import Posterior
from placewise.models.prior_plan import PriorPlan, SdPrior
from placewise.models.priors import Prior
from placewise.models.sd_table import sd_table

GEOGRAPHY = "geography"


def rescaled(prior: Prior, factor: float) -> Prior:
    """Prior of ``factor * x`` where x, which is above 0, has ``prior``.

    Raises
    ------
    ValueError
        The prior has no scale: it is flat, or none of a standard deviation.
    """
    a = prior.args
    match prior.name:
        case "half_normal" | "half_cauchy" | "fixed":
            return Prior(prior.name, (factor * a[0],))
        case "half_student_t":
            return Prior("half_student_t", (a[0], 0.0, factor * a[2]))
        case "gamma":
            return Prior("gamma", (a[0], a[1] / factor))
        case "inv_gamma":
            return Prior("inv_gamma", (a[0], a[1] * factor))
        case "exponential":
            return Prior("exponential", (a[0] / factor,))
        case "pc":
            return Prior("pc", (factor * a[0], a[1]))
        case "uniform":
            return Prior("uniform", (factor * a[0], factor * a[1]))
        case "lognormal":
            return Prior("lognormal", (a[0] + math.log(factor), a[1]))
    raise ValueError(f"{prior} has no scale")


def set_by_prior(posterior: Posterior) -> tuple[str, ...]:
    """Standard deviations that the answers say little about, by the names that `with_scaled` takes.

    Levels that share the geography's total are told once, as ``geography``: their sds move together, since the split
    between them has a prior of its own. An area's sd that follows from another by a ratio moves with that one.
    """
    plan, table = posterior.priors, sd_table(posterior)
    found = []
    for group in table.loc[table["set_by_prior"].astype(bool), "group"]:
        name = plan.below[0] if plan.below is not None and group == plan.below[1] else str(group)
        found.append(GEOGRAPHY if name in plan.shared else name)
    return tuple(dict.fromkeys(found))


def with_scaled(plan: PriorPlan, name: str, factor: float) -> PriorPlan:
    """The plan with one prior's scale multiplied.

    Parameters
    ----------
    name : str
        A group, ``geography`` for the total, or ``slopes``, ``category_specific``, ``area_scale``, ``residual``.
    factor : float
        Of the standard deviation, also where the prior is on its square.
    """
    if name == GEOGRAPHY and plan.total is not None:
        return replace(plan, total=_scaled_sd(plan.total, factor))
    if name in plan.sds:
        return replace(plan, sds={**plan.sds, name: _scaled_sd(plan.sds[name], factor)})
    if name == "slopes" and plan.slope_sd is not None:
        return replace(plan, slope_sd=rescaled(plan.slope_sd, factor))
    if name == "category_specific" and plan.deviation_sd is not None:
        return replace(plan, deviation_sd=rescaled(plan.deviation_sd, factor))
    if name == "area_scale" and plan.area_scale_sd is not None:
        return replace(plan, area_scale_sd=rescaled(plan.area_scale_sd, factor))
    if name == "residual" and plan.sigma is not None:
        return replace(plan, sigma=rescaled(plan.sigma, factor))
    raise ValueError(f"the plan has no prior of a standard deviation {name!r}")


def _scaled_sd(prior: SdPrior, factor: float) -> SdPrior:
    return SdPrior(rescaled(prior.prior, factor if prior.on == "sd" else factor**2), prior.on)
