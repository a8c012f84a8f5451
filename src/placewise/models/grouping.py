"""Grouping factors: which group a respondent is in, and which an area's people of a cell are in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from placewise.errors import Problems
from placewise.models.design import BelowLink, Group, Role
from placewise.models.levels import Levels
from placewise.models.parts import PartMaker
from placewise.models.structured import structure_groups
from placewise.models.terms import Formula, GroupTerm
from placewise.models.variables import Surroundings, Variable
from placewise.models.varying import VaryingSlopes

MOST_PAIRS = 5_000_000
MOST_UNMET = 0.01
# names that the posterior gives to dimensions and standard deviations of its own
RESERVED = frozenset({
    "chain", "draw", "covariate", "covariate_specific", "cutpoint", "geography", "total",
    "area_class", "area_scale", "category_specific",
})  # fmt: skip


@dataclass(frozen=True, eq=False)
class Groups:
    """Grouping factors of a formula, positions of correlated ones, and sentences on those left out or worth a note."""

    groups: tuple[Group, ...]
    correlated: tuple[tuple[int, ...], ...]
    dropped: tuple[str, ...]
    notes: tuple[str, ...]
    link: BelowLink | None = None


def build_groups(
    formula: Formula, variables: dict[str, Variable], maker: PartMaker, data: Surroundings, problems: Problems
) -> Groups:
    """Grouping factors in the order of the formula, the area's own after the last of the geography.

    The intercept of a grouping is one group, however often it is written; slopes come where the formula has them.
    """
    before = len(problems)
    made: dict[str, Group] = {}
    varying = VaryingSlopes(formula, maker, data, problems)
    own = None if data.areas is None or data.link is not None else _own_effect(data)
    dropped: list[str] = []
    notes: list[str] = []
    for term in formula.groups:
        if any(name not in variables for name in (*term.columns, *term.slope_names())):
            continue
        if _is_area(term, variables, data):
            if own is not None:
                made |= {group.name: group for group in varying.groups(term, own)}
            elif term.slopes:
                _refuse_below(term.written(term.columns[-1]), data, formula.where, problems)
            continue
        columns = _shortest(term, variables, data)
        base = _build(columns, variables, maker, data, formula.where, problems)
        if base is None:
            continue
        twin = _twin(base, made, data) if term.intercept and base.name not in made else ""
        written = term.written(base.name)
        if len(base.all_labels) < 2:
            dropped.append(f"{written} was left out: it has one level only, {base.all_labels[0]!r}.")
            continue
        if twin and term.slopes:
            problems.add(formula.where, f"{written} divides the areas as {twin} does", f"write {term.written(twin)}")
            continue
        if twin:
            dropped.append(f"{written} was left out: it divides the areas as {twin} does.")
            continue
        if term.intercept and base.name not in made:
            made[base.name] = base
            if len(base.labels) == 1:
                notes.append(f"All respondents are in one level of {base.name}: its sd is set by the prior.")
        made |= {group.name: group for group in varying.groups(term, base)}
    notes += _unmet_categories(formula, variables, maker, data, problems)
    ordered = list(made.values())
    last = max((i for i, group in enumerate(ordered) if group.role == "geography"), default=len(ordered) - 1)
    if own is not None:
        ordered.insert(last + 1, own)
    link = None
    if data.link is not None:
        linked = _linked_group(made, data, formula.where, problems)
        if linked is not None and linked.name not in made:
            ordered.insert(last + 1, linked)
        link = None if linked is None else _below(linked, data)
    _check_names(ordered, formula.where, problems)
    ordered, more = structure_groups(ordered, dropped, variables, data, formula, problems)
    ordered = varying.aligned(ordered)
    correlated = varying.correlated(ordered) if len(problems) == before else ()
    return Groups(tuple(ordered), correlated, (*dropped, *varying.dropped), (*notes, *more), link)


def _linked_group(made: dict[str, Group], data: Surroundings, where: str, problems: Problems) -> Group | None:
    """The group at whose levels respondents are linked: the formula's, or one that it need not name."""
    assert data.link is not None
    assert data.areas is not None
    level = data.link.level
    if level in made:
        return made[level]
    variables = {level: Variable(level, "areas", None, data.areas.table[level])}
    maker = PartMaker(variables, data, False, where, problems)
    group = _build((level,), variables, maker, data, where, problems)
    twin = None if group is None else _twin(group, made, data)
    return made.get(twin, group) if twin else group


def _below(linked: Group, data: Surroundings) -> BelowLink:
    """What is known of the areas inside the linked groups; how much they differ is settled later."""
    assert data.link is not None
    assert data.areas is not None
    assert linked.lookup is not None
    parent = linked.lookup[linked.area_index, 0]
    return BelowLink(linked.name, data.areas.code, tuple(data.areas.codes), parent, data.link.share)


def _refuse_below(written: str, data: Surroundings, where: str, problems: Problems) -> None:
    """Note a term of which the respondents' link says nothing."""
    assert data.link is not None
    assert data.areas is not None
    problems.add(
        where,
        f"respondents are linked at {data.link.level!r}, which does not tell {written}",
        f"leave it out: the effect of {data.areas.code!r} stands for all that differs below the link",
    )


def _check_names(groups: Sequence[Group], where: str, problems: Problems) -> None:
    """Note names that variables and dimensions of a posterior cannot bear."""
    factors = {group.factor for group in groups if group.by is not None}
    reserved = RESERVED | {f"{factor}_term{number}" for factor in factors for number in ("", "2")}
    for name in dict.fromkeys(name for group in groups for name in (group.dim, group.name)):
        if name in reserved or "/" in name or name.endswith("_squared"):
            problems.add(where, f"no grouping can be called {name!r} in a posterior", "rename the column")


def _is_area(term: GroupTerm, variables: dict[str, Variable], data: Surroundings) -> bool:
    """Whether the groups are the areas themselves."""
    return (
        data.areas is not None
        and data.areas.code in term.columns
        and all(variables[name].place == "areas" for name in term.columns)
    )


def _shortest(term: GroupTerm, variables: dict[str, Variable], data: Surroundings) -> tuple[str, ...]:
    """In a nesting the finest columns alone where their codes occur within one parent each."""
    places = {variables[name].place for name in term.columns}
    if term.finest == term.columns or len(places) > 1 or places == {"reference"}:
        return term.columns
    table = data.respondents
    if places == {"areas"} and data.areas is not None:
        table = data.areas.table
    elif places == {"frame"} and data.frame is not None:
        table = data.frame.cells
    together = table[list(term.columns)].drop_duplicates()
    return term.finest if len(together) == len(together[list(term.finest)].drop_duplicates()) else term.columns


def _build(
    columns: tuple[str, ...],
    variables: dict[str, Variable],
    maker: PartMaker,
    data: Surroundings,
    where: str,
    problems: Problems,
) -> Group | None:
    """One grouping factor; None where a problem was noted."""
    found = [maker.levels(name) for name in columns]
    levels = [one for one in found if one is not None]
    if len(levels) < len(columns):
        return None
    name, role = ":".join(columns), _role(columns, data)
    if data.areas is None:
        ids, count = _combine([one.among for one in levels])
        labels = tuple(_labels(levels, [one.among for one in levels], ids, count))
        return Group(name, role, labels, ids, labels)
    places = [variables[column].place for column in columns]
    over_areas = [one.projected for one, place in zip(levels, places, strict=True) if place == "areas"]
    over_cells = [one.projected for one, place in zip(levels, places, strict=True) if place == "frame"]
    area_index, area_rows = _distinct(over_areas)
    cell_index, cell_rows = _distinct(over_cells)
    pairs = len(area_rows) * len(cell_rows)
    if pairs > MOST_PAIRS:
        problems.add(
            where,
            f"(1 | {name}) has {pairs} groups, at most {MOST_PAIRS} are projected",
            "use a coarser level",
            "unavailable",
        )
        return None
    mixed = data.link is not None and not all(data.link.tells(codes) for codes in over_areas if codes is not None)
    if mixed and (role == "geography" or set(places) != {"areas"}):
        _refuse_below(f"(1 | {name})", data, where, problems)
        return None
    codes = [
        np.concatenate([one.inside if mixed else one.among, _on_grid(one, place, area_rows, cell_rows)])
        for one, place in zip(levels, places, strict=True)
    ]
    ids, count = _combine(codes)
    n = len(codes[0]) - pairs
    order, met = _met_first(ids[:n], count)
    position = np.argsort(order)
    all_labels = tuple(_labels(levels, codes, ids, count)[order])
    if len(set(all_labels)) < count:
        problems.add(where, f"two combinations of (1 | {name}) share one label", "take : out of the categories", "data")
        return None
    lookup = position[ids[n:]].reshape(len(area_rows), len(cell_rows))
    index, shares = position[ids[:n]], None
    if mixed and data.link is not None:
        index, shares = data.link.shares_of(index, met)
    return Group(
        name,
        role,
        all_labels[:met],
        index,
        all_labels,
        area_index if over_areas else None,
        cell_index if over_cells else None,
        lookup,
        shares=shares,
    )


def _met_first(ids: np.ndarray, count: int) -> tuple[np.ndarray, int]:
    """Levels in order, those that occur among the ids first, and how many these are."""
    met = np.bincount(ids, minlength=count) > 0
    return np.concatenate([np.flatnonzero(met), np.flatnonzero(~met)]), int(met.sum())


def _role(columns: tuple[str, ...], data: Surroundings) -> Role:
    if data.areas is not None and set(columns) <= {data.areas.code, *data.areas.levels}:
        return "geography"
    return "class" if data.areas is not None and set(columns) <= set(data.areas.classes) else "other"


def _distinct(codes: Sequence[np.ndarray | None]) -> tuple[np.ndarray, np.ndarray]:
    """Which combination each row has, and one row for each combination; one row where there is no column."""
    present = [one for one in codes if one is not None]
    if not present:
        return np.zeros(0, dtype=np.int64), np.zeros(1, dtype=np.int64)
    ids, _ = _combine(present)
    return ids, np.unique(ids, return_index=True)[1]


def _on_grid(levels: Levels, place: str, area_rows: np.ndarray, cell_rows: np.ndarray) -> np.ndarray:
    """Codes of one column over every pair of an area's and a cell's combination, the cells running fastest."""
    assert levels.projected is not None
    if place == "areas":
        return np.repeat(levels.projected[area_rows], len(cell_rows))
    if place == "frame":
        return np.tile(levels.projected[cell_rows], len(area_rows))
    return np.full(len(area_rows) * len(cell_rows), levels.projected[0])


def _combine(codes: Sequence[np.ndarray]) -> tuple[np.ndarray, int]:
    """Number the combinations of several columns, the first column coarsest; two at a time, so nothing overflows."""
    ids = np.unique(codes[0], return_inverse=True)[1]
    for code in codes[1:]:
        ids = np.unique(ids * (int(code.max(initial=0)) + 1) + code, return_inverse=True)[1]
    return ids.astype(np.int64), int(ids.max(initial=-1)) + 1


def _labels(levels: Sequence[Levels], codes: Sequence[np.ndarray], ids: np.ndarray, count: int) -> np.ndarray:
    """Label of each combination: the categories joined by colons; object array, shape (count,)."""
    row = np.empty(count, dtype=np.int64)
    row[ids] = np.arange(len(ids))
    texts = [np.array(one.labels, dtype=object)[code[row]] for one, code in zip(levels, codes, strict=True)]
    joined: np.ndarray = texts[0]
    for text in texts[1:]:
        joined = joined + ":" + text
    return joined


def _own_effect(data: Surroundings) -> Group:
    """The area's own effect: sampled areas first, each part in the order of the table."""
    assert data.areas is not None
    codes, count = data.areas.codes, len(data.areas)
    sampled = np.bincount(data.area, minlength=count) > 0
    order = np.concatenate([np.flatnonzero(sampled), np.flatnonzero(~sampled)])
    position = np.empty(count, dtype=np.int64)
    position[order] = np.arange(count)
    labels = tuple(codes[order])
    return Group(
        data.areas.code,
        "geography",
        labels[: int(sampled.sum())],
        position[data.area],
        labels,
        position,
        None,
        np.arange(count).reshape(-1, 1),
    )


def _twin(group: Group, made: dict[str, Group], data: Surroundings) -> str:
    """Name of an earlier group, or the code column, with the same division of the areas; empty where there is none."""
    if data.areas is None or group.area_index is None or group.cell_index is not None:
        return ""
    if len(group.all_labels) == len(data.areas):
        return data.areas.code
    for other in made.values():
        if other.by is not None or other.area_index is None or other.cell_index is not None:
            continue
        together = _combine([other.area_index, group.area_index])[1]
        if together == len(other.all_labels) == len(group.all_labels):
            return other.name
    return ""


def _unmet_categories(
    formula: Formula, variables: dict[str, Variable], maker: PartMaker, data: Surroundings, problems: Problems
) -> list[str]:
    """Categories of the frame that no respondent has: noted up to 1% of the people, a problem beyond."""
    notes = []
    for name in formula.group_columns():
        levels = maker.levels(name) if name in variables and variables[name].place == "frame" else None
        if levels is None or levels.projected is None or levels.met().all():
            continue
        people = np.bincount(levels.projected, weights=data.cell_population(), minlength=len(levels.labels))
        unmet = ~levels.met()
        share = float(people[unmet].sum() / people.sum())
        named = ", ".join(repr(levels.labels[k]) for k in np.flatnonzero(unmet))
        if share > MOST_UNMET:
            problems.add(
                formula.where,
                f"no respondent has {name!r} {named}, {share:.1%} of the people of the frame "
                f"(at most {MOST_UNMET:.0%})",
                "merge categories in the survey and the frame",
                "data",
            )
        else:
            source = "distribution of the others" if data.structure.get(name, "iid") == "iid" else "posterior"
            notes.append(
                f"No respondent has {name} {named} ({share:.2%} of the people): the effect is drawn from the {source}."
            )
    return notes
