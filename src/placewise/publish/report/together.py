"""What an outcome has in common with those that it is modelled with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from placewise.models.joint.couple import FEWEST_SHARED
from placewise.publish.context import ReportContext
from placewise.publish.report.parts import Cell, TablePart
from placewise.publish.report.special import grouping_words
from placewise.publish.wording import joined


def together_view(context: ReportContext) -> dict[str, Any] | None:
    """Sentences and tables of the correlations between outcomes; None where the outcome is modelled by itself."""
    found = context.joint
    if not found:
        return None
    titles: Mapping[str, str] = found["titles"]
    others = joined([f"“{title}”" for name, title in titles.items() if name != context.outcome])
    text = (
        f"This outcome was modelled together with {others}. What the answers to one tell of a place helps with the "
        "others, as far as places that are high on one are high on the other: the correlations below say how far."
    )
    if all(row["set_by_prior"] for row in found["correlations"]):
        text += (
            " Here every one of them is set by the prior: the answers do not tell whether places that are high on one "
            "are high on another, so that modelling these outcomes together helps none of them."
        )
    return {
        "text": text,
        "places": _places(context, found, titles),
        "people": _people(found, titles),
        "note": f"Outcomes that fewer than {FEWEST_SHARED} of the same people answered are treated as having none in "
        "common: what people’s answers have in common cannot be told from so few, and no row tells of it.",
    }


def _pair(row: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    return f"{titles[row['first']]} and {titles[row['second']]}"


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _places(context: ReportContext, found: Mapping[str, Any], titles: Mapping[str, str]) -> TablePart:
    rows = [
        [
            Cell(grouping_words(context, str(row["group"]))),
            Cell(_pair(row, titles)),
            Cell(_number(row["q50"]), float(row["q50"])),
            Cell(f"{_number(row['q05'])} to {_number(row['q95'])}"),
            Cell("set by the prior" if row["set_by_prior"] else "learned from the answers"),
        ]
        for row in found["correlations"]
    ]
    columns = [("Grouping", False), ("Outcomes", False), ("Correlation", True), ("90% interval", True),
               ("Known from", False)]  # fmt: skip
    caption = "How far places that are high on one outcome, beyond the facts known of them, are high on another"
    return TablePart(caption, columns, rows)


def _people(found: Mapping[str, Any], titles: Mapping[str, str]) -> TablePart | None:
    if not found["people"]:
        return None
    rows = [
        [
            Cell(_pair(row, titles)),
            Cell(_number(row["value"]), float(row["value"])),
            Cell(f"{_number(row['lower'])} to {_number(row['upper'])}"),
        ]
        for row in found["people"]
    ]
    columns = [("Outcomes", False), ("Correlation", True), ("90% interval", True)]
    caption = "How far a person's answers go together beyond what the model expects, which is not taken for places"
    return TablePart(caption, columns, rows)


def together_steps(context: ReportContext) -> list[tuple[str, str]]:
    """One step of the method; none where the outcome is modelled by itself."""
    if not context.joint:
        return []
    titles = [title for name, title in context.joint["titles"].items() if name != context.outcome]
    return [
        (
            "Borrow from what goes with it.",
            f"The effects of places and of their classes may be correlated with those of {joined(titles)}. Where the "
            "same people answered, what they have in common is told apart from what their places have.",
        )
    ]
