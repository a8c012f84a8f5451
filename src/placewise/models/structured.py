"""Groups whose effects depend on each other: every level in order, and which levels are neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, cast

import numpy as np
import pandas as pd

from placewise.errors import Problems, nearest
from placewise.geography.codes import as_labels, listing
from placewise.models.design import Group, Structure
from placewise.models.levels import NEW_LEVEL, is_numbers, natural_order
from placewise.models.terms import Formula
from placewise.models.variables import Surroundings, Variable

# beyond this a dense decomposition of the levels' covariance takes minutes
MOST_LEVELS = 2_000
UNEQUAL = 1e-9


def structure_groups(
    groups: Sequence[Group],
    dropped: Sequence[str],
    variables: Mapping[str, Variable],
    data: Surroundings,
    formula: Formula,
    problems: Problems,
) -> tuple[list[Group], list[str]]:
    """Give the groups named in ``[model] structure`` their structure; every problem is noted.

    Parameters
    ----------
    groups : sequence of Group
        With independent effects.
    dropped : sequence of str
        Sentences on groups left out.
    variables : mapping of str to Variable
        Columns of the formula.
    data : Surroundings
        ``structure`` and ``neighbours`` among it.
    formula : Formula
        Whose groups they are; one that is not among them for a problem that was noted is passed over.

    Returns
    -------
    groups : list of Group
        In the same order.
    notes : list of str
        Sentences on what the reader should know.
    """
    wanted = {name: kind for name, kind in data.structure.items() if kind != "iid"}
    known = [group.name for group in groups if group.by is None]
    known += possible_groups(formula) if len(problems) else []
    where, notes = formula.where, list[str]()
    check_structures(data.structure, known, data.neighbours, where, problems, dropped)
    made = []
    for group in groups:
        kind = wanted.get(group.name) if group.by is None else None
        if kind == "bym2":
            group = _spatial(group, data, key_of(where, group.name), problems)
        elif kind is not None:
            group = _ordered(group, kind, variables, data, key_of(where, group.name), problems, notes)
        made.append(group)
    return made, notes


def possible_groups(formula: Formula) -> list[str]:
    """Every name that a group of the formula may have, whatever the data."""
    joined = [":".join(part) for group in formula.groups for part in (group.columns, group.finest)]
    return list(dict.fromkeys([*formula.group_columns(), *joined]))


def check_structures(
    structure: Mapping[str, str],
    groups: Sequence[str],
    neighbours: Mapping[str, object],
    where: str,
    problems: Problems,
    dropped: Sequence[str] = (),
) -> None:
    """Note what can be told of ``[model] structure`` without the data: unknown groups, neighbours that are lacking.

    Parameters
    ----------
    structure : mapping of str to str
        Kind by group.
    groups : sequence of str
        Names of the formula's groups.
    neighbours : mapping
        By level; only its keys are looked at.
    where : str
        File and key of the formula.
    dropped : sequence of str
        Sentences on groups left out.
    """
    for name, kind in structure.items():
        here = key_of(where, name)
        if name not in groups:
            why = [sentence for sentence in dropped if sentence.startswith(f"(1 | {name}) ")]
            message = f"the group {name!r} was left out of the model" if why else f"the formula has no group {name!r}"
            problems.add(here, message, why[0].rstrip(".") if why else nearest(name, groups))
        elif kind == "bym2" and name not in neighbours:
            known = f"neighbours are given for {listing(neighbours)}" if neighbours else "name a table of pairs there"
            problems.add(
                here, f"bym2 effects need the neighbours of {name!r}, and [areas] neighbours lacks them", known
            )


def key_of(where: str, group: str) -> str:
    """The key of one group's structure, from that of the formula."""
    return f"{where.removesuffix('formula')}structure.{group}"


def _ordered(
    group: Group,
    kind: str,
    variables: Mapping[str, Variable],
    data: Surroundings,
    where: str,
    problems: Problems,
    notes: list[str],
) -> Group:
    """A group along an order, declared or of numbers."""
    variable = variables.get(group.name)
    single = variable is not None or (data.areas is not None and group.name == data.areas.code)
    if not single:
        problems.add(where, f"{kind} effects follow one order, {group.name!r} combines columns", "name a single column")
        return group
    if NEW_LEVEL in group.all_labels:
        message = f"{kind} effects have no new level, and [model.reference] draws one of {group.name!r}"
        problems.add(where, message, "predict at one of its values")
        return group
    declared = data.orders.get(group.name)
    among = None if variable is None else variable.among
    if declared is None and among is not None and isinstance(among.dtype, pd.CategoricalDtype) and among.cat.ordered:
        declared = tuple(as_labels(pd.Series(among.cat.categories)))
    if declared is None and not is_numbers(group.all_labels):
        message = f"{kind} effects need an order of {group.name!r}, whose values are text"
        problems.add(where, message, f"declare it: [variables.{group.name}] order = [...]")
        return group
    labels = tuple(natural_order(group.all_labels)) if declared is None else declared
    if declared is None:
        steps = np.diff([float(label) for label in labels])
        if np.ptp(steps) > UNEQUAL * steps.max():
            notes.append(f"{kind} effects of {group.name} take its values to be equally spaced, which they are not.")
    return _with(group, labels, Structure(cast(Literal["rw1", "ar1"], kind)), where, problems)


def _spatial(group: Group, data: Surroundings, where: str, problems: Problems) -> Group:
    """A group of areas some of which are neighbours."""
    if group.name not in data.neighbours:  # noted already
        return group
    pairs = data.neighbours[group.name]
    if not {"a", "b"} <= set(pairs.columns):
        problems.add(where, f"the table of neighbours of {group.name!r} lacks a column 'a' or 'b'", kind="data")
        return group
    a, b = as_labels(pairs["a"]), as_labels(pairs["b"])
    odd = pd.isna(a) | pd.isna(b) | (a == b)
    if odd.any():
        message = f"{int(odd.sum()):,} of {len(a):,} pairs of neighbours of {group.name!r} are not two codes"
        problems.add(where, message, "each pair names two areas, none is its own neighbour", "data")
        return group
    labels = tuple(natural_order({*group.all_labels, *a, *b}))
    position = {label: k for k, label in enumerate(labels)}
    ends = np.array([[position[x] for x in side] for side in (a, b)], dtype=np.int64).T.reshape(-1, 2)
    edges = np.unique(np.sort(ends, axis=1), axis=0)
    return _with(group, labels, Structure("bym2", edges), where, problems)


def _with(group: Group, labels: tuple[str, ...], structure: Structure, where: str, problems: Problems) -> Group:
    """The group with all of its levels, in that order, among the respondents' too."""
    if len(labels) > MOST_LEVELS:
        message = f"{structure.kind} effects of {len(labels):,} levels; at most {MOST_LEVELS:,} are fitted"
        problems.add(where, message, "name a coarser level", "unavailable")
        return group
    if group.shares is not None:
        message = f"{group.name!r} has a structure, and respondents are linked above the area, which does not tell it"
        problems.add(where, message, "leave out its structure", "unavailable")
        return group
    position = {label: k for k, label in enumerate(labels)}
    moved = np.array([position[label] for label in group.all_labels], dtype=np.int64)
    lookup = None if group.lookup is None else moved[group.lookup]
    return replace(
        group, labels=labels, index=moved[group.index], all_labels=labels, lookup=lookup, structure=structure
    )
