"""What benchmarking to published figures moved, as a paragraph and a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from placewise.publish.context import ReportContext
from placewise.publish.report.parts import Cell, TablePart
from placewise.publish.wording import Scale, count, percent, typical

_ROWS = 40  # areas in the table: those that moved most
_MODES = {
    "drawn": "Each simulated figure was moved to a draw of the published one, its standard error included",
    "exact": "Each simulated figure was moved to a draw of the published one, and the means then to the published "
    "figures themselves",
    "update": "The published figures and the survey were weighed against each other, each by its own uncertainty",
}


def benchmark_view(context: ReportContext) -> dict[str, Any] | None:
    """Sentences and a table; None where nothing was benchmarked."""
    found = context.benchmark
    if not found:
        return None
    _, many = ("", "the nation") if found["level"] == "national" else context.words(found["level"])
    return {"sentences": _sentences(context, found, many), "table": _table(context, found)}


def _sentences(context: ReportContext, found: Mapping[str, Any], many: str) -> list[str]:
    scale, unused = Scale(context.kind), sum(not row["used"] for row in found["areas"])
    unit = " points" if context.kind == "share" else ""
    small = context.words(context.code)[1]
    median, largest = (f"{scale.factor * found[name]:.2g}{unit}" for name in ("median_move", "largest_move"))
    said = [
        f"{_MODES[found['mode']]} ({many}, {_figures(len(found['areas']))}).",
        f"The figure of half of the {context.people} moved by less than {median}, that of no area by more than "
        f"{largest}; {_pairs(found)} of all pairs of {small} changed order.",
    ]
    if found["surprising"]:
        said.append(
            f"More than three standard deviations from what the survey led to expect: {_figures(found['surprising'])}. "
            "Survey and publication may not measure the same."
        )
    if unused:
        said.append(f"Too uncertain to be used: {_figures(unused)}. Such an area moved as its surroundings did.")
    if found["discrepancy"] is not None:
        middle, low, high = (f"{scale.factor * value:.2g}" for value in found["discrepancy"])
        said.append(
            f"Survey and publication differ by about {middle}{unit} (90% interval {low} to {high}) beyond their errors."
        )
    return said


def _figures(number: int) -> str:
    return f"{count(number)} figure{'s' * (number != 1)}"


def _pairs(found: Mapping[str, Any]) -> str:
    return percent(found["pairs_changed"] / max(found["pairs"], 1)) if found["pairs_changed"] else "none"


def _table(context: ReportContext, found: Mapping[str, Any]) -> TablePart:
    scale = Scale(context.kind)
    names = dict(zip(context.estimates["area_code"], context.estimates["area_name"], strict=True))
    rows = sorted(found["areas"], key=lambda row: -abs(row["after"] - row["before"]))
    # three standard errors and a third: the width of a 90% interval; where a target has none, the estimate's
    published = typical(3.3 * (row["target_se"] or row["after_sd"]) for row in rows[:_ROWS])
    before, after = (typical(3.3 * row[f"{when}_sd"] for row in rows[:_ROWS]) for when in ("before", "after"))
    cells = []
    for row in rows[:_ROWS]:
        cells.append(
            [
                Cell(str(names.get(row["area_code"], row["area_code"]))),
                Cell(scale.number(row["target"], published)),
                Cell(scale.number(row["before"], before)),
                Cell(scale.number(row["after"], after)),
                Cell("yes" if row["used"] else "no, too uncertain"),
            ]
        )
    shown = "" if len(rows) <= _ROWS else f", the {_ROWS} that moved most"
    columns = [("Area", False), ("Published", True), ("Survey alone", True), ("After", True), ("Used", False)]
    return TablePart(f"Published figures and what became of them{shown}", columns, cells)
