"""How a survey other than the reference departs from what all surveys share: place by place, and in all places alike.

Two kinds of groups that belong to one survey (``Group.survey``). ``discrepancy:SURVEY``: an effect of each area of one
level on that survey's answers alone. ``shift:SURVEY``: one effect on all its answers; only where the survey shares
cutpoints with another, else its own cutpoints take its place. It is a group of one level whose sd is fixed, so that its
prior is normal(0, sd²) and an engine needs nothing of its own for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from placewise.errors import Problems, nearest
from placewise.geography.areas import AreaTable
from placewise.geography.told_levels import below_msoa
from placewise.models.design import Column, Design, Group
from placewise.models.levels import natural_order
from placewise.surveys.instruments import Instruments

DISCREPANCY_OF, SHIFT_OF = "discrepancy:", "shift:"
# respondents of a survey an area, on average, at the level at which it may depart from the others
ENOUGH = 20


def is_shift(group: Group) -> bool:
    """Whether a group is a survey's shift."""
    return bool(group.survey) and group.name == SHIFT_OF + group.survey


def with_discrepancies(
    design: Design,
    instruments: Instruments | None,
    areas: AreaTable,
    places: dict[str, np.ndarray],
    asked: str,
    where: str,
    problems: Problems,
) -> Design:
    """The design with the groups of each survey but the reference.

    Parameters
    ----------
    design : Design
        n respondents.
    instruments : Instruments or None
        Their answers; without several surveys nothing is added.
    areas : AreaTable
    places : mapping of str to ndarray of object, shape (n,)
        Code of each respondent at the levels and classes that their link tells, the finest level first.
    asked : str
        Level or class that the model file names; empty: the finest level at which a survey has 20 respondents an area
        on average, else the coarsest; never one finer than middle layer areas.
    where : str
        File and key, for messages.
    problems : Problems
        Takes a level that there is not, and one whose places may not be told.
    """
    if instruments is None or len(instruments.surveys) < 2 or _cannot_be(asked, areas, places, where, problems):
        return design
    groups, notes = list(design.groups), list(design.notes)
    for s, survey in enumerate(instruments.surveys[1:], start=1):
        own = instruments.survey == s
        by = Column(f"survey:{survey}", own.astype(np.float64))
        level = asked or _level_for(int(own.sum()), areas, places)
        if level:
            groups.append(_discrepancy(survey, level, places[level], by, design, level in areas.levels))
        notes.append(_note(survey, level, asked, instruments.surveys[0]))
    linked = _linked(instruments)
    for s, survey in enumerate(instruments.surveys):
        if linked[s] != s:
            by = Column(f"survey:{survey}", (instruments.survey == s).astype(np.float64))
            zero = np.zeros(design.n, dtype=np.int64)
            groups.append(Group(SHIFT_OF + survey, "other", (survey,), zero, (survey,), by=by, survey=survey))
        if linked[s] != 0:
            notes.append(
                f"Survey {survey!r} has no item in common with {instruments.surveys[0]!r}: they are linked only "
                "through the scale factor of what areas and people of the same kind share."
            )
    return replace(design, groups=tuple(groups), notes=tuple(notes))


def _cannot_be(asked: str, areas: AreaTable, places: dict[str, np.ndarray], where: str, problems: Problems) -> bool:
    """Whether the level that the model file names cannot be used, which is noted."""
    if not asked or (asked in places and not _too_fine(asked, areas)):
        return False
    if asked in places:
        coarser = [repr(name) for name in areas.levels if name in places and not _too_fine(name, areas)]
        problems.add(
            where,
            f"places where surveys disagree are told by their codes, and those of {asked!r} are finer than middle "
            "layer areas: it would be told which of them were sampled",
            f"name a coarser one: {', '.join(coarser)}" if coarser else "name a class, or a level of larger areas",
        )
    elif asked in (*areas.levels, *areas.classes):
        message = f"respondents are linked above {asked!r}, so that it is not known for each"
        problems.add(where, message, nearest(asked, places))
    else:
        problems.add(where, f"{asked!r} is neither a level nor a class of the areas", nearest(asked, places))
    return True


def _too_fine(level: str, areas: AreaTable) -> bool:
    return below_msoa(level, areas.table[level].dropna().unique())


def _level_for(n: int, areas: AreaTable, places: dict[str, np.ndarray]) -> str:
    """The finest level at which a survey of n has enough respondents an area, else the coarsest; may be none."""
    levels = {name: areas.table[name].nunique() for name in areas.levels if name in places}
    several = [name for name, count in levels.items() if count > 1 and not _too_fine(name, areas)]
    return next((name for name in several if n >= ENOUGH * levels[name]), several[-1] if several else "")


def _discrepancy(survey: str, level: str, codes: np.ndarray, by: Column, design: Design, is_level: bool) -> Group:
    """An effect of each area of a level; of areas with respondents of the other surveys only it is a prior draw."""
    labels = tuple(natural_order({str(code) for code in codes}))
    twin = next((g for g in design.groups if g.dim == level and g.labels == labels), None)
    position = {label: k for k, label in enumerate(labels)}
    return Group(
        DISCREPANCY_OF + survey,
        "other",
        labels,
        np.array([position[str(code)] for code in codes], dtype=np.int64),
        labels,
        by=by,
        factor="" if twin is None else level,
        labels_areas=is_level,
        survey=survey,
    )


def _note(survey: str, level: str, asked: str, reference: str) -> str:
    if not level:
        return f"Survey {survey!r} departs nowhere from {reference!r}: no level of larger areas has several."
    why = "" if asked else " (its respondents are too few for a finer one, or it is the finest)"
    return f"Survey {survey!r} may depart from {reference!r} in each {level}{why}."


def _linked(instruments: Instruments) -> Sequence[int]:
    """First survey of those that each is linked to by shared instruments, directly or through others."""
    asks = instruments.asked
    first = list(range(len(asks)))
    for _ in first:
        for a in range(len(asks)):
            for b in range(len(asks)):
                if (asks[a] & asks[b]).any():
                    first[a] = first[b] = min(first[a], first[b])
    return first
