"""A model before anybody has answered: its design without respondents, and draws from its priors as a posterior."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from placewise.models import inference
from placewise.models.design import Design, Group
from placewise.models.engines import FitProblem
from placewise.models.engines.shrinkage import shrinkage_scales
from placewise.models.fit import Posterior
from placewise.models.link_scale import with_area_sd
from placewise.models.prior_draws import draw_from_priors, standard_effects


def unanswered(problem: FitProblem, draws: int, seed: int) -> tuple[Design, Posterior]:
    """Design and draws from which areas are projected as from a posterior, by the same functions.

    No level has respondents, so that projection draws every effect from its group's distribution; only effects with a
    structure are drawn here. What belongs to one survey is left out, as it is from any projection.

    Parameters
    ----------
    problem : FitProblem
        Proper priors (`placewise.models.prior_draws.improper_priors`).
    draws : int
        S.
    seed : int

    Returns
    -------
    design : Design
        The problem's, with groups that nobody is in.
    posterior : Posterior
        Draws under the names that every engine uses.
    """
    rng = np.random.default_rng([seed, 2])
    design, plan, asked = problem.design, problem.priors, problem.response.instruments
    categories = [problem.response.levels] if asked is None else asked.levels
    values = draw_from_priors(
        design,
        plan,
        [max(len(own) - 1, 0) for own in categories],
        rng,
        draws,
        scales=None if plan.shrinkage is None else shrinkage_scales(problem),
        instruments=len(asked.names) if asked is not None and asked.scale else 0,
        surveys=1 if asked is None else len(asked.surveys),
    )
    blank = _without_respondents(design)
    for group in blank.groups:
        rho = values.get(f"rho_{group.name}", np.zeros(draws))
        effects = standard_effects(group, len(group.labels), rho, rng)
        values[f"effect_{group.name}"] = values[f"sd_{group.name}"][:, None] * effects
    idata = inference.build({name: drawn[None] for name, drawn in values.items()}, {}, {})
    return blank, Posterior(with_area_sd(idata, plan), plan)


def _without_respondents(design: Design) -> Design:
    """The design with the groups that are projected, none of whose levels has respondents."""
    kept = [k for k, group in enumerate(design.groups) if not group.survey]
    place = {old: new for new, old in enumerate(kept)}
    return replace(
        design,
        groups=tuple(_emptied(design.groups[k]) for k in kept),
        correlated=tuple(tuple(place[k] for k in block) for block in design.correlated),
    )


def _emptied(group: Group) -> Group:
    labels = group.labels if group.structure is not None else ()
    return replace(group, labels=labels, index=np.empty(0, dtype=np.int64), shares=None)
