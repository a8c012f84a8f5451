"""What the model has beyond fixed terms and independent effects, in plain words."""

from __future__ import annotations

from typing import Any

from placewise.publish.context import ReportContext
from placewise.publish.report.parts import Cell, TablePart
from placewise.publish.wording import joined, label_words

MOST_ROWS = 40
# how groups that belong to one survey are called in a posterior
DISCREPANCY = "discrepancy:"

STRUCTURES = {
    "rw1": "The groups of {of} stand in order and each is held near the next (a random walk).",
    "ar1": "The groups of {of} stand in order and each leans towards the one before, as far as the answers say.",
    "bym2": "Neighbouring {of} lean towards each other, as far as the answers say (BYM2).",
}


def grouping_words(context: ReportContext, name: str) -> str:
    """How a grouping is called: a level by what its areas are called, a survey's own by what it is."""
    if name.startswith(DISCREPANCY):
        return f"departures of the survey “{name.removeprefix(DISCREPANCY)}” from place to place"
    return context.words(name)[1] if name in (context.code, *context.levels) else label_words(name)


def special_steps(context: ReportContext) -> list[tuple[str, str]]:
    """One step of the method that says what was used; none where nothing was."""
    special = context.special
    said = [STRUCTURES[kind].format(of=grouping_words(context, name)) for name, kind in special.structures.items()]
    over: dict[tuple[str, bool], list[str]] = {}
    for column, factor, tied in special.slopes:
        over.setdefault((factor, tied), []).append(label_words(column))
    for (factor, tied), columns in over.items():
        end = ", and may go with how high the answers are there" if tied else ""
        said.append(f"{_slopes(columns, 'differs', 'differ')} by {grouping_words(context, factor)}{end}.")
    if special.category_specific:
        columns = [label_words(c) for c in special.category_specific]
        said.append(f"{_slopes(columns, 'may differ', 'may differ')} from one step of the answers to the next.")
    if special.area_scale:
        how = "as was declared beforehand" if special.declared else "as far as the answers say"
        small, by = context.words(context.code)[1], grouping_words(context, special.area_scale)
        said.append(f"How much {small} differ from what is expected depends on {by}, {how}.")
    if special.shrinkage:
        said.append(f"The slopes of all facts are drawn towards zero together ({special.shrinkage}).")
    steps = [("Measure.", " ".join(_measured(context)))] if _measured(context) else []
    return [*steps, ("Let it vary.", " ".join(said))] if said else steps


def _measured(context: ReportContext) -> list[str]:
    """How several questions, or several surveys, tell of one thing."""
    said, names = [], [f"“{survey.name}”" for survey in context.surveys]
    if context.special.items:
        said.append(
            f"{len(context.special.items)} questions tell of one trait. How much each tells of it is learned, and what "
            "persons have of it beyond what is known of them is averaged over: chance in one answer counts little."
        )
    if len(names) > 1:
        said.append(
            f"The figures are those of {names[0]}. The answers of {joined(names[1:])} count as far as they follow the "
            "same differences, which is learned; where they depart from it, place by place, that is kept apart."
        )
    return said


def _slopes(columns: list[str], one: str, many: str) -> str:
    return f"The slope{'s' * (len(columns) > 1)} of {joined(columns)} {one if len(columns) == 1 else many}"


def relations_part(context: ReportContext) -> TablePart | None:
    """Autocorrelations, spatial shares, correlations of slopes and multipliers by class."""
    table = context.relations
    if table is None or table.empty or len(table) > MOST_ROWS:
        return None
    rows = [
        [
            Cell(_words(context, {str(key): value for key, value in row.items()})),
            Cell(f"{row['mean']:.2f}".replace("-", "−"), float(row["mean"])),
            Cell(f"{row['q05']:.2f} to {row['q95']:.2f}".replace("-", "−")),
            Cell(str(row["prior"])),
            Cell("set by the prior" if bool(row["set_by_prior"]) else "learned from the answers"),
        ]
        for _, row in table.iterrows()
    ]
    columns = [("Quantity", False), ("Value", True), ("90% interval", True), ("Prior", False), ("Known from", False)]
    return TablePart("What ties effects together", columns, rows)


def _words(context: ReportContext, row: dict[str, Any]) -> str:
    group = grouping_words(context, str(row["group"]))
    match row["kind"]:
        case "next":
            return f"{group}: correlation with the next"
        case "neighbours":
            return f"{group}: share of the variance that neighbours have in common"
        case "class":
            small = context.words(context.code)[1]
            return f"{group} {row['first']}: size of the {small}' own effects beside the usual"
    first, second = (
        "intercept" if name == "intercept" else f"slope of {label_words(str(name))}"
        for name in (row["first"], row["second"])
    )
    return f"{group}: correlation of {first} and {second}"
