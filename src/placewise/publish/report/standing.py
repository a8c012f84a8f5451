"""Which areas stand out: beside the nation, beside what is expected of them, and beside areas like them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from placewise.estimates.lists import StandingOut, stand_out
from placewise.publish.context import ReportContext
from placewise.publish.report.parts import Cell, TablePart
from placewise.publish.wording import Scale, count, percent, probability, typical

ENOUGH_DRAWS = 4000  # behind a list that is published


def standing_view(context: ReportContext) -> dict[str, Any]:
    """Sentences on the lists, and tables; ``known`` is False where the run has no level for the tables."""
    view: dict[str, Any] = {"lists": _lists(context), "known": context.standing is not None, "tables": []}
    if 0 < context.draws < ENOUGH_DRAWS:
        view["lists"].append(
            f"This run has {count(context.draws)} draws; a list that is published needs {count(ENOUGH_DRAWS)} or more."
        )
    found = context.standing
    if found is None:
        return view
    many = context.words(found["level"])[1]
    names = dict(zip(context.rows(found["level"])["area_code"], context.rows(found["level"])["area_name"], strict=True))
    view["sentence"] = (
        f"What would be expected of {many} follows from who lives there, from the facts about their areas and from the "
        "classes these belong to, and from nothing else about the place. The tables compare rates: the chance in who "
        "happens to live in an area is left out."
    )
    for side in ("better", "worse"):
        view["tables"].append(_beyond(context, found[side], side, many, names))
    view["tables"].append(_pairs(context, found["pairs"], many, names))
    return view


def _lists(context: ReportContext) -> list[str]:
    """One sentence a list of areas better or worse than the nation."""
    rows = context.rows(context.code)[["area_code", "p_above_national"]].rename(columns={"p_above_national": "p"})
    many = context.words(context.code)[1]
    said = []
    for side, table in (("better", rows), ("worse", rows.assign(p=1.0 - rows["p"]))):
        found = stand_out(table)
        if len(found.table):
            said.append(f"On the list of {many} {side} than the nation are {count(len(found.table))}; {_wrong(found)}.")
        else:
            said.append(f"No {many} can be put on a list of those {side} than the nation with enough confidence.")
    return said


def _wrong(found: StandingOut) -> str:
    return f"the expected share of them on the wrong side is {percent(found.wrong_share)}"


def _beyond(
    context: ReportContext, found: Mapping[str, Any], side: str, many: str, names: Mapping[str, str]
) -> TablePart:
    scale = Scale(context.kind)
    width, body = _width(found), []
    for row in found["rows"]:
        body.append(
            [
                Cell(str(names.get(row["area_code"], row["area_code"]))),
                Cell(scale.number(row["rate"], width)),
                Cell(scale.number(row["expected"], width)),
                Cell(_difference(context, row, width)),
                Cell(probability(row["p"])),
            ]
        )
    columns = [
        ("Area", False), ("Rate", True), ("Expected", True), ("Difference, 90% interval", True),
        (f"Probability {side}", True),
    ]  # fmt: skip
    caption = f"{count(found['found'])} {many} do {side} than expected, given who lives there"
    if not found["rows"]:
        return TablePart(f"No {many} surely do {side} than expected, given who lives there", columns, [])
    shown = f", the {count(len(body))} surest of them" if len(body) < found["found"] else ""
    return TablePart(
        f"{caption}{shown}; expected share on the wrong side {percent(found['wrong_share'])}", columns, body
    )


def _pairs(context: ReportContext, found: Mapping[str, Any], many: str, names: Mapping[str, str]) -> TablePart:
    scale = Scale(context.kind)
    width, body = _width(found), []
    for row in found["rows"]:
        first, second = (str(names.get(row[side], row[side])) for side in ("a", "b"))
        body.append(
            [
                Cell(first), Cell(second), Cell(scale.number(row["rate_a"], width)),
                Cell(scale.number(row["rate_b"], width)), Cell(_difference(context, row, width)),
                Cell(probability(row["p"])),
            ]
        )  # fmt: skip
    columns = [
        ("Area", False), ("Like it", False), ("Rate", True), ("Rate of the other", True),
        ("Difference, 90% interval", True), ("Probability higher", True),
    ]  # fmt: skip
    if not body:
        return TablePart(f"No two {many} that are alike surely differ", columns, [])
    wrong = percent(found["wrong_share"])
    return TablePart(
        f"Pairs of {many} that are alike in people and facts and differ in the outcome; expected share on the wrong "
        f"side {wrong}",
        columns,
        body,
    )


def _width(found: Mapping[str, Any]) -> float:
    """The interval's width by which all rows of a table are rounded."""
    return typical(row["ci90_upper"] - row["ci90_lower"] for row in found["rows"])


def _difference(context: ReportContext, row: Mapping[str, Any], width: float) -> str:
    """A difference with its interval, in points where the estimand is a share."""
    scale, unit = Scale(context.kind), " points" if context.kind == "share" else ""
    decimals = scale.decimals(width)
    rounded = (round(row[name] * scale.factor, decimals) + 0.0 for name in ("difference", "ci90_lower", "ci90_upper"))
    middle, low, high = (f"{value:+,.{max(decimals, 0)}f}" for value in rounded)
    return f"{middle}{unit} ({low} to {high})".replace("-", "−")
