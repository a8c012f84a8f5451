"""Respondents linked above the area: which group each is in, and what the areas inside it are like together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from placewise.errors import Problems, nearest
from placewise.geography.areas import AreaTable
from placewise.models.design import Design
from placewise.models.prior_plan import AREA_SPLIT


@dataclass(frozen=True, eq=False, repr=False)
class LinkedRows:
    """Respondents who tell a group of areas and not which area of it.

    Parameters
    ----------
    level : str
        Column of the areas table by which they are linked.
    parent : ndarray of int64, shape (A,)
        Group of each area, numbered 0..G-1.
    share : ndarray of float64, shape (A,)
        Share of the group's population that lives in the area.
    own : ndarray of int64, shape (n,)
        Group of each respondent.
    """

    level: str
    parent: np.ndarray
    share: np.ndarray
    own: np.ndarray

    @cached_property
    def n_groups(self) -> int:
        """Number of groups, G."""
        return int(self.parent.max()) + 1

    @cached_property
    def first(self) -> np.ndarray:
        """Row of one area of each group, shape (G,)."""
        return np.unique(self.parent, return_index=True)[1]

    @cached_property
    def inside(self) -> np.ndarray:
        """Rows of the areas that respondents may live in."""
        return np.flatnonzero(np.bincount(self.own, minlength=self.n_groups)[self.parent] > 0)

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Population-weighted mean over the areas of each respondent's group; (A,) -> (n,)."""
        total = np.bincount(self.parent, self.share * values, self.n_groups)
        return np.asarray(total[self.own])

    def shares_of(self, labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Labels of the areas in ``inside`` as the respondents have them.

        Parameters
        ----------
        labels : ndarray of int64, shape (len(inside),)
            0..count-1.
        count : int

        Returns
        -------
        index : ndarray of int64, shape (n,)
            The label that most people of the respondent's group have.
        shares : ndarray of float64, shape (n, count), or None
            Share of each label; None where no group has two.
        """
        table = np.zeros((self.n_groups, count))
        np.add.at(table, (self.parent[self.inside], labels), self.share[self.inside])
        index = table.argmax(axis=1)[self.own]
        several = (table > 0).sum(axis=1)[self.own] > 1
        return index.astype(np.int64), table[self.own] if several.any() else None

    def tells(self, labels: np.ndarray) -> bool:
        """Whether areas that share a respondents' group have one label; (A,) of any type."""
        inside = self.inside
        codes = np.unique(labels[inside], return_inverse=True)[1]
        known = np.full(self.n_groups, -1)
        known[self.parent[inside]] = codes
        return bool((known[self.parent[inside]] == codes).all())


def link_rows(level: str, codes: np.ndarray, areas: AreaTable) -> LinkedRows:
    """Find the group of each area and each respondent.

    Parameters
    ----------
    level : str
        A level or class of the areas table.
    codes : ndarray of object, shape (n,)
        The respondents', each of which some area has.
    areas : AreaTable
    """
    labels, parent = np.unique(areas.table[level].to_numpy(dtype=object), return_inverse=True)
    own = np.searchsorted(labels, codes.astype(object))
    people = np.bincount(parent, areas.weights)
    share = np.divide(areas.weights, people[parent], out=np.zeros(len(areas)), where=people[parent] > 0)
    return LinkedRows(level, parent.astype(np.int64), share, own.astype(np.int64))


def codes_at(column: str, link: str, area: np.ndarray, codes: np.ndarray, areas: AreaTable) -> np.ndarray | None:
    """Level or class of each respondent; None where the place they are linked by does not tell it.

    Parameters
    ----------
    column : str
        Of the areas table.
    link : str
        Column by which respondents are linked.
    area : ndarray of int64, shape (n,)
        Their row of the areas table, where they are linked at the area.
    codes : ndarray of object, shape (n,)
        Their codes of ``link``.
    areas : AreaTable

    Returns
    -------
    ndarray of object, shape (n,), or None
    """
    labels = areas.table[column].to_numpy(dtype=object)
    if link == areas.code:
        return np.asarray(labels[area], dtype=object)
    rows = link_rows(link, codes, areas)
    return np.asarray(labels[rows.first[rows.own]], dtype=object) if rows.tells(labels) else None


def with_below_link(
    design: Design,
    asked: Mapping[str, Any],
    split: float | None,
    priors: Mapping[str, Any],
    areas: AreaTable,
    where: str,
    problems: Problems,
) -> Design:
    """The design with what is known of the areas below the level at which respondents are linked.

    The ratio r of the sd of the areas inside a linked group to that of the groups is declared, follows from the prior's
    split, or is left open by a prior of the areas' sd. By the split, the area has ``AREA_SPLIT`` times as much variance
    as there are levels, and each level of the geography between it and the link as much as the link.

    Parameters
    ----------
    design : Design
    asked : mapping
        ``[model.below_link]``: nothing, ``ratio`` or ``sd``.
    split : float or None
        ``split:geography``.
    priors : mapping of str to Prior
        What the user wrote.
    areas : AreaTable
    where : str
        File and table, for messages.
    problems : Problems
        Takes what is wrong.
    """
    link = design.link
    if link is None:
        if asked:
            problems.add(f"{where}.below_link", "respondents are linked at the area itself", "leave this table out")
        return design
    for key in (f"sd:{areas.code}", f"var:{areas.code}"):
        if key in priors:
            hint = f'[model.below_link] sd = "{priors[key]}"' if key.startswith("sd:") else "[model.below_link] ratio"
            message = f"respondents are linked at {link.group!r}, which does not tell how the areas inside differ"
            problems.add(f"{where}.priors.{key!r}", message, hint)
    if any(design.groups[k].name == link.group for block in design.correlated for k in block):
        message = f"respondents are linked at {link.group!r}, whose effects cannot be correlated with slopes"
        problems.add(f"{where}.formula", message, f"write (x || {link.group})", "unavailable")
    if any(g.name == link.group and g.structure is not None for g in design.groups):
        message = f"respondents are linked at {link.group!r}, whose effects cannot have a structure"
        problems.add(f"{where}.structure", message, "name a level above it, or leave it out", "unavailable")
    if "sd" in asked:
        return replace(design, link=replace(link, ratio=None, prior=asked["sd"], declared=True))
    if "ratio" in asked:
        return replace(design, link=replace(link, ratio=float(asked["ratio"]), declared=True))
    return replace(design, link=replace(link, ratio=default_ratio(design, areas, split)))


def default_ratio(design: Design, areas: AreaTable, split: float | None) -> float:
    """√(1.5 L + m): L levels above the area, of which m lie between it and the link; for L = 4, m = 0 it is 2.4."""
    assert design.link is not None
    between = areas.levels.index(design.link.group) if design.link.group in areas.levels else 0
    above = max(sum(g.role == "geography" for g in design.groups), 1)
    weight = AREA_SPLIT if split is None else split
    return float(np.sqrt(weight * (above + between) + between))


def check_link(level: str, areas: AreaTable, where: str, problems: Problems) -> None:
    """Note a link that is no grouping of several areas."""
    count = areas.table[level].nunique()
    if count == len(areas):
        hint = f"link respondents by {areas.code!r}"
        problems.add(where, f"respondents are linked at {level!r}, each of which is one area", hint, "data")
    elif count < 2:
        hint = nearest(level, [areas.code, *areas.levels]) or f"link them at a finer level or at {areas.code!r}"
        problems.add(where, f"respondents are linked at {level!r}, of which there is only one", hint, "data")
