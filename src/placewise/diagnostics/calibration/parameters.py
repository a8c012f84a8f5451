"""Truths drawn from the priors of a model: what can be simulated, and one draw of everything."""

from __future__ import annotations

import numpy as np

from placewise.errors import Problems
from placewise.models.design import Design
from placewise.models.prior_draws import Values, draw_from_priors, improper_priors, standard_effects
from placewise.models.prior_plan import PriorPlan

__all__ = ["Values", "check_can_simulate", "draw_parameters"]


def check_can_simulate(design: Design, plan: PriorPlan) -> None:
    """Refuse what has no proper prior to draw from, or is not simulated in this version.

    Raises
    ------
    ConfigurationError
        A flat prior; correlated slopes, category-specific slopes, the area's sd by class, collective shrinkage.
    """
    found = Problems()
    for name in improper_priors(design, plan):
        found.add(f"prior of {name}", "nothing can be drawn from flat()", "give it a proper prior")
    absent = {
        "correlated varying slopes": design.correlated,
        "category-specific slopes": design.category_specific,
        "the area's sd by class": design.area_scale,
        "collective shrinkage of slopes": plan.shrinkage,
    }
    for name, there in absent.items():
        if there:
            found.add("model", f"{name} cannot be simulated in this version", "leave them out", "unavailable")
    found.raise_if_any()


def draw_parameters(design: Design, plan: PriorPlan, n_categories: int, rng: np.random.Generator) -> Values:
    """One draw of every parameter from its prior.

    Parameters
    ----------
    design : Design
        Columns and groups; effects are drawn for ``all_labels``, sampled or not.
    plan : PriorPlan
        Proper priors (`check_can_simulate`).
    n_categories : int
        Of an ordered answer; ignored without a prior of cutpoints.
    rng : Generator

    Returns
    -------
    mapping of str to ndarray, shapes (1, …)
        Names as in a posterior; ``effect_<group>`` has shape (1, len(all_labels)).
    """
    values = draw_from_priors(design, plan, [max(n_categories - 1, 0)], rng, 1)
    for group in design.groups:
        rho = values.get(f"rho_{group.name}", np.zeros(1))
        effects = standard_effects(group, len(group.all_labels or group.labels), rho, rng)
        values[f"effect_{group.name}"] = values[f"sd_{group.name}"][:, None] * effects
    return values
