"""Category-specific slopes and the area's sd by class in the PyMC model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from placewise.models.design import Design, Group
from placewise.models.engines import FitProblem
from placewise.models.engines.distributions import positive
from placewise.models.engines.rows import Rows
from placewise.models.link_scale import link_scale
from placewise.models.prior_plan import PriorPlan, SdPrior

# a category that hardly anybody gave still has some chance
LEAST_SHARE = 1e-3


def slope_deviations(problem: FitProblem, rows: Rows) -> Any | None:
    """Deviations of the category-specific slopes at each cutpoint, normal(0, ω²), shape (q, K−1); None without any.

    A deviation with information I from the respondents is sampled as r sqrt(1 + I ω²) / ω. All r start at 0: the
    cutpoints of every respondent are then those of the model without deviations, which are in order.
    """
    plan = problem.priors
    if plan.deviation_sd is None:
        return None
    information = _information(problem, rows)
    omega = positive("deviation_sd", SdPrior(plan.deviation_sd))
    r = pm.Flat("raw_deviations", shape=information.shape, initval=np.zeros(information.shape))
    signal = information * omega**2
    ratio = r / pt.sqrt(1.0 + signal)
    pm.Potential("prior_deviations", (-0.5 * ratio**2 - 0.5 * pt.log1p(signal)).sum())
    return pm.Deterministic("slope_deviations", ratio * omega, dims=("covariate_specific", "cutpoint"))


def _information(problem: FitProblem, rows: Rows) -> np.ndarray:
    """Fisher information about each deviation at the overall distribution, the cutpoint projected out; (q, K−1)."""
    share = np.bincount(rows.y.astype(np.int64), rows.size, minlength=len(problem.response.levels)) / rows.size.sum()
    share = np.maximum(share, LEAST_SHARE) / np.maximum(share, LEAST_SHARE).sum()
    below = np.cumsum(share)[:-1]
    about_cut = (below * (1.0 - below)) ** 2 * (1.0 / share[:-1] + 1.0 / share[1:])
    x = rows.x[:, list(problem.design.category_specific)]
    x = x - np.average(x, axis=0, weights=rows.size)
    return np.asarray(np.outer(rows.size @ x**2, about_cut))


def specific_logit(eta: Any, rows: Rows, cutpoints: Any, design: Design, deviations: Any, n_categories: int) -> Any:
    """Log likelihood of ordered answers 0..K−1 with P(y ≤ k) = logit⁻¹(c_k − x'δ_k − η).

    As ``cumulative_logit``, the two cutpoints next to each answer being the row's own; −∞ where these are not in
    order, since the answer then has no chance.
    """
    category, top = rows.y.astype(np.int64), n_categories - 1
    x = rows.x[:, list(design.category_specific)]

    def cut(of: np.ndarray, k: np.ndarray) -> Any:
        return cutpoints[k] - (x[of] * deviations.T[k]).sum(axis=1)

    under, over = np.flatnonzero(category < top), np.flatnonzero(category > 0)
    inside = np.flatnonzero((category > 0) & (category < top))
    value = -(rows.size[under] * pt.softplus(eta[under] - cut(under, category[under]))).sum()
    value -= (rows.size[over] * pt.softplus(cut(over, category[over] - 1) - eta[over])).sum()
    if len(inside):
        gap = cut(inside, category[inside] - 1) - cut(inside, category[inside])
        ordered = pt.lt(gap, 0.0)
        chance = pt.switch(ordered, pt.log1mexp(pt.switch(ordered, gap, -1.0)), -np.inf)
        value += (rows.size[inside] * chance).sum()
    return value


def area_multipliers(design: Design, plan: PriorPlan) -> Any | None:
    """Multiplier of the area's sd for each class: declared, or exp(ω ε) with ε ~ normal(0, 1); None without classes."""
    scale = design.area_scale
    if scale is None:
        return None
    if plan.area_scale_sd is None:
        return pt.as_tensor(np.asarray(scale.multipliers, dtype=np.float64))
    omega = positive("area_scale_sd", SdPrior(plan.area_scale_sd))
    each = pm.Normal("raw_area_scale", 0.0, 1.0, shape=len(scale.classes))
    return pm.Deterministic("area_scale", pt.exp(omega * each), dims="area_class")


def linked_sds(design: Design, plan: PriorPlan, sds: Mapping[str, Any]) -> dict[str, Any]:
    """The sd of each level at which respondents are linked: of its own deviation and its areas' mean; else none."""
    link = design.link
    if link is None:
        return {}
    scale = link_scale(design, plan)
    sd = sds[link.group]
    own = pt.sqrt(sd**2 + scale.squares * sds[link.area] ** 2) if scale.learned else sd * scale.multipliers
    return {link.group: own}


def sd_of_levels(group: Group, design: Design, sd: Any, multipliers: Any | None) -> Any:
    """The sd of a group's effects: one, or one for each level where the area's own differs by class."""
    scale = design.area_scale
    if multipliers is None or scale is None or scale.group != group.name:
        return sd
    return sd * multipliers[scale.index[: len(group.labels)]]
