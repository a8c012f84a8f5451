"""Which groups of several outcomes are the same places or classes, so that their effects go together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from placewise.errors import Problem
from placewise.models.design import Design, Group


@dataclass(frozen=True, eq=False, repr=False)
class Factor:
    """One grouping whose effects are correlated across outcomes, level by level.

    Parameters
    ----------
    name : str
        Name of the group, the same in each outcome.
    labels : tuple of str, length n
        Levels of any outcome.
    positions : mapping of int to ndarray of int64, shape (n,)
        By number of the outcome: where each level stands among the labels of its group, -1 where it has none.
    """

    name: str
    labels: tuple[str, ...]
    positions: Mapping[int, np.ndarray]

    @property
    def members(self) -> tuple[int, ...]:
        """Numbers of the outcomes that have the group, increasing."""
        return tuple(self.positions)


def group_named(design: Design, name: str) -> Group | None:
    """The varying intercept of that name; None where the design has none."""
    return next((g for g in design.groups if g.name == name and g.by is None), None)


def candidates(design: Design, level: str) -> tuple[str, ...]:
    """Names of the groups that may be coupled: that of a level of the geography, and classes.

    Parameters
    ----------
    design : Design
    level : str
        Column of the level; empty for none.
    """
    return tuple(
        g.name
        for g in design.groups
        if g.by is None and not g.survey and (g.role == "class" or (level and g.name == level))
    )


def coupled_names(designs: Sequence[Design], level: str) -> tuple[str, ...]:
    """Names of the candidates that two or more outcomes have."""
    found: dict[str, int] = {}
    for design in designs:
        for name in candidates(design, level):
            found[name] = found.get(name, 0) + 1
    return tuple(name for name, count in found.items() if count > 1)


def problems_of(name: str, design: Design, coupled: Sequence[str]) -> list[Problem]:
    """Why an outcome's groups cannot be coupled: their effects must be independent with one sd."""
    tied = {design.groups[k].name for block in design.correlated for k in block}
    why = {
        "a structure": {g.name for g in design.groups if g.structure is not None},
        "slopes that are correlated with it": tied,
        "an sd that differs by class": {design.area_scale.group} if design.area_scale is not None else set(),
        "an sd that differs by the areas inside": {design.link.group} if design.link is not None else set(),
    }
    return [
        Problem(
            "joint.outcomes",
            f"{group!r} of outcome {name!r} has {what}, which a joint model does not carry",
            f"leave {what} out of models/{name}.toml, or {name!r} out of [joint]",
            "unavailable",
        )
        for group in coupled
        for what, names in why.items()
        if group in names
    ]


def widened(design: Design, coupled: Sequence[str]) -> Design:
    """The design with every level of the coupled groups among their labels, met by a respondent or not.

    What one outcome's respondents do not tell of a place, another outcome's may.
    """
    return replace(design, groups=tuple(_widened(g) if g.name in coupled else g for g in design.groups))


def _widened(group: Group) -> Group:
    more = len(group.all_labels) - len(group.labels)
    if more <= 0:
        return group
    shares = None if group.shares is None else np.pad(group.shares, ((0, 0), (0, more)))
    return replace(group, labels=group.all_labels, shares=shares)


def factors_of(designs: Sequence[Design], coupled: Sequence[str]) -> tuple[Factor, ...]:
    """The coupled groups of all outcomes, their levels matched by label."""
    found = []
    for name in coupled:
        groups = {o: group for o, design in enumerate(designs) if (group := group_named(design, name)) is not None}
        labels = tuple(dict.fromkeys(label for group in groups.values() for label in group.labels))
        positions = {}
        for o, group in groups.items():
            own = {label: k for k, label in enumerate(group.labels)}
            positions[o] = np.array([own.get(label, -1) for label in labels], dtype=np.int64)
        found.append(Factor(name, labels, positions))
    return tuple(found)


def met(group: Group) -> np.ndarray:
    """Whether a respondent is in each level, shape (len(labels),)."""
    if group.shares is not None:
        return np.asarray(group.shares.sum(axis=0) > 0)
    return np.bincount(group.index, minlength=len(group.labels)) > 0
