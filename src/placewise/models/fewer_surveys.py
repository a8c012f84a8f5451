"""A model of several surveys without one of them: what the others say alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from placewise.models.design import Column, Design, Group
from placewise.models.prior_plan import PriorPlan
from placewise.surveys.instruments import Instruments
from placewise.surveys.outcome import Response


def without_survey(
    design: Design, response: Response, plan: PriorPlan, number: int
) -> tuple[Design, Response, PriorPlan]:
    """Design, answers and priors of the other surveys' respondents.

    Levels that only the survey's respondents are in stay, so that effects keep their labels; questions that only it
    asks go, and so do its departures and their priors.

    Parameters
    ----------
    design : Design
    response : Response
        With instruments.
    plan : PriorPlan
    number : int
        Position of the survey among the instruments' surveys; not 0, the reference.
    """
    asked = response.instruments
    assert asked is not None
    survey, kept = asked.surveys[number], asked.survey != number
    left = [k for k, group in enumerate(design.groups) if group.survey != survey]
    place = {old: new for new, old in enumerate(left)}
    gone = {group.name for group in design.groups if group.survey == survey}
    columns = tuple(_column(column, kept) for column in design.columns)
    smaller = replace(
        design,
        columns=columns,
        groups=tuple(_group(design.groups[k], kept) for k in left),
        n=int(kept.sum()),
        correlated=tuple(tuple(place[k] for k in block) for block in design.correlated),
    )
    answers = replace(
        response, y=response.y[kept], kept=np.ones(int(kept.sum()), dtype=bool), instruments=_others(asked, number)
    )
    return smaller, answers, replace(plan, sds={name: sd for name, sd in plan.sds.items() if name not in gone})


def _column(column: Column, kept: np.ndarray) -> Column:
    return replace(column, values=column.values[kept])


def _group(group: Group, kept: np.ndarray) -> Group:
    return replace(
        group,
        index=group.index[kept],
        by=None if group.by is None else _column(group.by, kept),
        shares=None if group.shares is None else group.shares[kept],
    )


def _others(asked: Instruments, number: int) -> Instruments:
    """The other surveys' answers, without questions that none of them asks."""
    kept = asked.survey != number
    answers = asked.answers[kept]
    met = np.flatnonzero((answers >= 0).any(axis=0))
    survey = asked.survey[kept]
    return Instruments(
        tuple(asked.names[m] for m in met),
        tuple(asked.levels[m] for m in met),
        answers[:, met],
        tuple(name for k, name in enumerate(asked.surveys) if k != number),
        survey - (survey > number),
        asked.scale,
    )
