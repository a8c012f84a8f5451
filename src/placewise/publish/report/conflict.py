"""How each further survey departs from the reference: in all places alike, and place by place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from placewise.diagnostics.conflict import DISAGREE
from placewise.publish.context import ReportContext
from placewise.publish.figures.dots import Dot, draw_dots
from placewise.publish.palette import ACCENT, DIVERGING, FAINT
from placewise.publish.report.parts import Cell, FigurePart, TablePart
from placewise.publish.wording import count, joined, label_words, percent

MOST_ROWS, MOST_NAMED = 30, 5
HALF = 1.645


def conflict_views(context: ReportContext) -> list[dict[str, Any]]:
    """One part a survey: what was found in words, a chart of places, scale and departures; none with one survey."""
    return [_view(context, k, name, told) for k, (name, told) in enumerate(context.conflicts.items())]


def _view(context: ReportContext, number: int, name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    other, reference, many = _survey(name), _survey(told["reference"]), _many(context, told)
    apart = bool(told["apart"] or told["beyond"]) or told["agreement"]["p"] < DISAGREE
    return {
        "title": f"The survey {other} {'does not agree' if apart else 'agrees'} with {reference}"
        f"{' everywhere' if apart else ' as far as can be told'}",
        "said": " ".join(_sentences(context, other, reference, many, told)),
        "figure": _figure(context, f"conflict-{number}", other, reference, many, told),
        "table": _table(other, reference, many, told),
        "note": "How to read it: the scale says how strongly what moves the answers of the reference survey moves "
        "those of this one. Departures are what is left between places: the model lets them be and keeps them out of "
        "the published figures, which are those of the reference survey. “Set by the prior” means that the answers "
        "could not tell the size.",
    }


def _survey(name: str) -> str:
    return f"“{label_words(name)}”"


def _many(context: ReportContext, told: Mapping[str, Any]) -> str:
    level = str(told["level"])
    return context.words(level)[1] if level in context.levels else f"groups of {label_words(level)}"


def _sentences(context: ReportContext, other: str, reference: str, many: str, told: Mapping[str, Any]) -> list[str]:
    if not told["compared"]:
        return [f"In none of the {many} have both surveys ten respondents, so that they cannot be compared."]
    p, beyond = float(told["agreement"]["p"]), list(told["beyond"])
    chance = "less than 0.1%" if p < 0.001 else f"{100 * p:.1f}%" if p < 0.1 else percent(p)
    said = [
        f"Both surveys were compared in {count(told['compared'])} {many}, apart from a difference that is the same in "
        f"all of them. Were that the only one, differences between places as large as these would come about by chance "
        f"with a probability of {chance}."
    ]
    said.append(
        f"In {count(len(told['apart']))} of the {many} they differ by more than chance in who was asked explains"
        f"{_named(context, told, told['apart'])}, in {count(len(beyond))} by more than even departures of the size "
        f"that the model allows for{_named(context, told, beyond)}."
    )
    if told["apart"] or beyond:
        said.append(
            f"About one in {round(1 / told['rate'])} of such findings is wrong. Find out there who was asked, and how, "
            "before using either survey."
        )
    if told["withheld"]:
        said.append(f"{count(told['withheld'])} with fewer than ten respondents of either survey are left out.")
    if told["untold"]:
        said.append(f"{count(told['untold'])} cannot be compared, since {reference} says next to nothing of them.")
    return said


def _named(context: ReportContext, told: Mapping[str, Any], codes: Sequence[str]) -> str:
    """The first few places in brackets, and how many more there are."""
    named = [_place(context, told, code) for code in codes[:MOST_NAMED]]
    if not named:
        return ""
    more = len(codes) - len(named)
    return f" ({', '.join(named)} and {count(more)} more)" if more else f" ({joined(named)})"


def _place(context: ReportContext, told: Mapping[str, Any], code: str) -> str:
    rows = context.rows(str(told["level"])).set_index("area_code")["area_name"]
    return str(rows.get(code, code))


def _figure(
    context: ReportContext, ident: str, other: str, reference: str, many: str, told: Mapping[str, Any]
) -> FigurePart | None:
    if not told["areas"]:
        return None
    beyond, apart = set(told["beyond"]), set(told["apart"])
    factor = 100.0 if context.kind == "share" else 1.0
    rows = sorted(told["areas"], key=lambda row: -abs(row["z"]))[:MOST_ROWS]
    rows.sort(key=lambda row: -row["difference"])
    dots = []
    for row in rows:
        middle, half = row["difference"] * factor, HALF * row["se"] * factor
        colour = DIVERGING[0] if row["code"] in beyond else ACCENT if row["code"] in apart else FAINT
        dots.append(Dot(_place(context, told, row["code"]), middle, middle - half, middle + half, colour))
    title = f"In {count(len(apart))} of {count(told['compared'])} {many} the surveys differ by more than chance"
    if len(rows) < told["compared"]:
        title += f"; the {count(len(rows))} that differ most"
    unit = "points" if context.kind == "share" else "units of the figure"
    axis = f"{other.strip('“”')} less {reference.strip('“”')}, {unit}"
    drawing = draw_dots(dots, ident, f"{title}.", axis, 0.0, "as elsewhere")
    note = (
        f"To the right: the answers of {other} are higher there, beside {reference}, than elsewhere. The line holds "
        "90% of what chance in who was asked allows. Grey: chance may be all there is. Blue: more than chance. Orange: "
        "more than the model allows for. Translated to the published scale at the average area."
    )
    return FigurePart(title, Markup(drawing), note)


def _table(other: str, reference: str, many: str, told: Mapping[str, Any]) -> TablePart:
    rows: Sequence[Sequence[Cell]] = [
        _row(f"Scale of {other}, that of {reference} being 1", told["scale"]),
        _row(f"Departures between {many} (standard deviation, model scale)", told["sd"]),
    ]
    scale = told["scale"]
    caption = f"What moves {reference} moves {other} about as strongly"
    if scale["q05"] > 1.0 or scale["q95"] < 1.0:
        caption = f"What moves {reference} moves {other} {scale['mean']:.1f} times as strongly"
    columns = [("Quantity", False), ("Value", True), ("90% interval", True), ("Prior", False), ("Known from", False)]
    return TablePart(caption, columns, rows)


def _row(label: str, row: Mapping[str, Any]) -> list[Cell]:
    return [
        Cell(label),
        Cell(f"{row['mean']:.2f}"),
        Cell(f"{row['q05']:.2f} to {row['q95']:.2f}"),
        Cell(str(row["prior"])),
        Cell("set by the prior" if row["set_by_prior"] else "learned from the answers"),
    ]
