"""The sd of the effects at which respondents are linked above the area, level by level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from placewise.models.design import Design
from placewise.models.prior_plan import PriorPlan


@dataclass(frozen=True, eq=False)
class LinkScale:
    """How the sd of a linked group's effect follows from the sds of the group and of the areas inside.

    Parameters
    ----------
    squares : ndarray of float64, shape (labels,)
        Σ_j w_j² over the areas inside each level.
    multipliers : ndarray of float64, shape (labels,)
        Of the group's sd as engines know it; ones where the areas' sd is learned.
    learned : bool
        Whether the areas' sd is a parameter τ of its own: the variance is then σ² + τ² Σ_j w_j².
    """

    squares: np.ndarray
    multipliers: np.ndarray
    learned: bool


def link_scale(design: Design, plan: PriorPlan) -> LinkScale:
    """Multipliers of the levels with respondents.

    While the model is fitted, a linked group that shares the geography's total has the sd of its own deviations and the
    areas' together, σ √(1 + r²): both are one part of the total. `with_area_sd` takes them apart.
    """
    link = design.link
    assert link is not None
    group = next(g for g in design.groups if g.name == link.group and g.by is None)
    squares = link.squares(len(group.labels))
    if link.ratio is None:
        return LinkScale(squares, np.ones(len(squares)), True)
    return LinkScale(squares, np.sqrt(1.0 + link.ratio**2 * squares) / _unit(plan), False)


def with_area_sd(idata: Any, plan: PriorPlan) -> Any:
    """Posterior with the sd of the linked group's own deviations and that of the areas below, in their places.

    Parameters
    ----------
    idata : InferenceData
        Of an engine; changed in place.
    plan : PriorPlan
    """
    if plan.below is None:
        return idata
    linked, area, ratio = plan.below
    found = idata.posterior
    found[f"sd_{linked}"] = found[f"sd_{linked}"] / _unit(plan)
    found[f"sd_{area}"] = found[f"sd_{linked}"] * ratio
    return idata


def area_sd_per_unit(plan: PriorPlan) -> float | None:
    """The sd of the areas inside over that of the linked group as engines know it; None where it is learned."""
    return None if plan.below is None else plan.below[2] / _unit(plan)


def _unit(plan: PriorPlan) -> float:
    """What the sd of the linked group is divided by, since it holds the areas' as well."""
    assert plan.below is not None
    linked, _, ratio = plan.below
    return float(np.sqrt(1.0 + ratio**2)) if linked in plan.shared else 1.0
