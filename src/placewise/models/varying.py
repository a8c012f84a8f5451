"""Slopes that vary over a grouping: each column of a varying term is a group of its own, on the grouping's levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from placewise.errors import Problems
from placewise.models.design import Group
from placewise.models.fixed import drop_redundant, fixed_columns
from placewise.models.parts import PartMaker
from placewise.models.terms import Formula, GroupTerm
from placewise.models.variables import Surroundings

MOST_CORRELATED = 10


class VaryingSlopes:
    """Makes the groups of varying slopes, term by term, and remembers which effects are correlated.

    Parameters
    ----------
    formula : Formula
    maker : PartMaker
        The one that makes the fixed columns: a slope's column is transformed and standardised as the fixed one is.
    data : Surroundings
    problems : Problems
    """

    def __init__(self, formula: Formula, maker: PartMaker, data: Surroundings, problems: Problems) -> None:
        self._formula, self._maker, self._data, self._problems = formula, maker, data, problems
        self._blocks: dict[str, tuple[str, ...]] = {}
        self._made: set[str] = set()
        self.dropped: list[str] = []

    def groups(self, term: GroupTerm, base: Group) -> list[Group]:
        """One group a column of the term, over the levels of ``base``; none where a problem was noted.

        Categories become indicators as in fixed terms, all of them where the term has no varying intercept. Columns
        that the others explain among the respondents are left out, with a sentence.
        """
        if not term.slopes:
            return []
        before = len(self._problems)
        written = term.written(base.name)
        columns = fixed_columns(
            replace(self._formula, terms=term.slopes), self._maker, self._data, term.intercept, self._problems
        )
        kept, dropped = drop_redundant(columns, term.intercept)
        self.dropped += [f"In {written}, {sentence}" for sentence in dropped]
        names = [f"{column.name}|{base.name}" for column in kept]
        self._check_once(names, written)
        if term.correlated:
            self._correlate(([base.name] if term.intercept else []) + names, base.name, written)
        if len(self._problems) > before:
            return []
        over_areas = base.role == "geography"
        return [
            replace(base, name=name, role="other", by=column, factor=base.name, labels_areas=over_areas)
            for name, column in zip(names, kept, strict=True)
        ]

    def _check_once(self, names: Sequence[str], written: str) -> None:
        for name in names:
            if name in self._made:
                column, _, factor = name.rpartition("|")
                message = f"the slope of {column} varies over {factor} twice, in {written} and before"
                self._problems.add(self._formula.where, message, "write it once")
        self._made.update(names)

    def _correlate(self, names: Sequence[str], factor: str, written: str) -> None:
        """Remember effects that are correlated; one set a grouping, so that its correlations have one name."""
        if len(names) < 2:
            return
        if len(names) > MOST_CORRELATED:
            self._problems.add(
                self._formula.where,
                f"{written} correlates {len(names)} effects, at most {MOST_CORRELATED} are",
                f"write {written.replace(' | ', ' || ')} for uncorrelated ones",
            )
        if factor in self._blocks:
            self._problems.add(
                self._formula.where,
                f"correlated effects over {factor} stand in two brackets",
                f"write them in one, or || in all but one: (x + z | {factor})",
            )
        self._blocks[factor] = tuple(names)

    def aligned(self, groups: Sequence[Group]) -> list[Group]:
        """The groups, slopes on all levels of their grouping where its effects have a structure and so do."""
        structured = {group.name: group for group in groups if group.structure is not None}
        for name in structured.keys() & self._blocks.keys():
            self._problems.add(
                self._formula.where,
                f"effects of {name!r} have a structure and cannot be correlated with slopes over it",
                f"write (x || {name}), or leave out its structure",
            )
        made = []
        for group in groups:
            base = structured.get(group.factor)
            if base is not None:
                group = replace(
                    group, labels=base.labels, index=base.index, all_labels=base.all_labels, lookup=base.lookup
                )
            made.append(group)
        return made

    def correlated(self, groups: Sequence[Group]) -> tuple[tuple[int, ...], ...]:
        """Positions in ``groups`` of each set of correlated effects, the intercept first."""
        position: Mapping[str, int] = {group.name: i for i, group in enumerate(groups)}
        return tuple(tuple(position[name] for name in names) for names in self._blocks.values())
