"""The likelihood averaged over the areas in which a respondent may live, in the PyMC model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytensor.tensor as pt

from placewise.models.design import Design
from placewise.models.engines import FitProblem
from placewise.models.engines.averaged import Homes
from placewise.models.engines.pymc_specific import slope_deviations
from placewise.models.link_scale import area_sd_per_unit
from placewise.models.prior_plan import PriorPlan


def area_sd(design: Design, plan: PriorPlan, sds: Mapping[str, Any]) -> Any | None:
    """The sd of areas inside a linked group, from the sds as priors have them; None where respondents name the area."""
    if design.link is None:
        return None
    per_unit = area_sd_per_unit(plan)
    return sds[design.link.area] if per_unit is None else per_unit * sds[design.link.group]


def averaged_logit(problem: FitProblem, homes: Homes, eta: Any, cutpoints: Any | None, sd: Any) -> Any:
    """Log likelihood of answers with P(y > k) = Σ_j w_j (F(t_jk + s) + F(t_jk − s)) / 2, t_jk = η_j − c_k + x_j'δ_k.

    Parameters
    ----------
    problem : FitProblem
    homes : Homes
        The m profiles and their H homes.
    eta : tensor, shape (H,)
        Linear predictor of each home.
    cutpoints : tensor, shape (K−1,), or None
        None for two answers, whose one cutpoint is 0.
    sd : tensor
        Of the areas' own deviations, whose sd inside a group is s.
    """
    deviations = None if cutpoints is None else slope_deviations(problem, problem.rows)
    size = np.diff(homes.start)
    there = np.arange(size.max()) < size[:, None]
    at = homes.start[:-1, None] + np.minimum(np.arange(size.max()), size[:, None] - 1)
    share = np.where(there, homes.share[at], 0.0)
    inside = sd * np.sqrt(homes.apart)[:, None]
    x = homes.x[:, list(problem.design.category_specific)]
    top = homes.counts.shape[1] - 1
    over, under = [], []
    for k in range(top):
        cut = 0.0 if cutpoints is None else cutpoints[k]
        t = (eta - (cut if deviations is None else cut - x @ deviations[:, k]))[at]
        over.append((0.5 * share * (pt.sigmoid(t + inside) + pt.sigmoid(t - inside))).sum(axis=1))
        under.append((0.5 * share * (pt.sigmoid(-t - inside) + pt.sigmoid(inside - t))).sum(axis=1))
    value: Any = 0.0
    for c in range(top + 1):
        own = np.flatnonzero(homes.counts[:, c])
        if len(own):
            chance = _chance(c, [each[own] for each in over], [each[own] for each in under])
            known = pt.gt(chance, 0.0)
            each = pt.switch(known, pt.log(pt.switch(known, chance, 1.0)), -np.inf)
            value = value + (homes.counts[own, c] * each).sum()
    return value


def _chance(c: int, over: list[Any], under: list[Any]) -> Any:
    """Chance of category c, from those above and below each cutpoint: of the two differences the one of small terms."""
    if c == 0:
        return under[0]
    if c == len(over):
        return over[-1]
    return pt.switch(pt.lt(over[c - 1], 0.5), over[c - 1] - over[c], under[c] - under[c - 1])
