"""How well the fitted model foresees what was answered: a chart a question, and a line a question among the checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from placewise.publish.context import ReportContext
from placewise.publish.figures.dots import Dot, draw_dots
from placewise.publish.palette import ACCENT, DIVERGING
from placewise.publish.report.parts import Cell, FigurePart
from placewise.publish.wording import PREDICTIVE, Scale, count, joined, label_words

MOST_GROUPS, MOST_NAMED = 40, 3
# letters of the lowest and the highest answer that fit below a chart
LONGEST_ANSWERS = 36
VERDICTS = ("pass", "warn", "fail")
# what the report calls the column that names the survey
SURVEY = "survey"
HOW_TO_READ = (
    "Filled dot and line: what the fitted model would expect respondents to answer, with a 90% interval. Hollow dot: "
    "what they answered. About one in ten may lie outside."
)


def foreseen_figures(context: ReportContext) -> list[FigurePart]:
    """Charts of answers beside predictions; of several questions by the largest areas and by survey alone."""
    shown = [(name, table) for name, table in context.predictive.items() if len(table) and _is_shown(context, name)]
    return [_figure(context, f"check-{k}", name, table) for k, (name, table) in enumerate(shown)]


def _is_shown(context: ReportContext, name: str) -> bool:
    item, _, grouping = name.rpartition(" by ")
    return not item or grouping in {*context.levels[-1:], SURVEY}


def item_words(context: ReportContext, item: str) -> str:
    """A question in quotation marks: its wording where the model file gives it, else its column and survey."""
    asked = next((a for a in context.asked if a.name == item), None)
    if asked is not None and asked.wording:
        return f"“{asked.wording}”"
    survey, colon, column = item.rpartition(":")
    return f"“{label_words(column)}” ({survey})" if colon else f"“{label_words(item)}”"


def _figure(context: ReportContext, ident: str, name: str, table: pd.DataFrame) -> FigurePart:
    table = table.head(MOST_GROUPS)
    inside = int(_inside(table).sum())
    item, _, grouping = name.rpartition(" by ")
    label = context.words(grouping)[0] if grouping in context.levels else label_words(grouping)
    by = f"{item_words(context, item)}, by {label}" if item else f"By {label}"
    title = f"{by}: {inside} of {len(table)} groups answered as the model would predict"
    dots = [
        Dot(
            str(r["group"]), float(r["predicted"]), float(r["lower"]), float(r["upper"]),
            ACCENT if r["lower"] <= r["observed"] <= r["upper"] else DIVERGING[0], float(r["observed"]),
        )
        for _, r in table.iterrows()
    ]  # fmt: skip
    axis = _axis(context, item) if item else context.estimand
    drawing = draw_dots(dots, ident, f"{title}.", axis, percent=context.kind == "share" and not item)
    return FigurePart(title, Markup(drawing), _finding(Scale("mean" if item else context.kind), table))


def _axis(context: ReportContext, item: str) -> str:
    asked = next((a for a in context.asked if a.name == item), None)
    if asked is None or len(asked.levels) < 2:
        return "mean answer"
    lowest, highest, steps = asked.levels[0], asked.levels[-1], len(asked.levels)
    if (lowest, highest) == ("1", str(steps)) or len(lowest + highest) > LONGEST_ANSWERS:
        return f"mean answer, 1 to {steps}"
    return f"mean answer, 1 = {lowest}, {steps} = {highest}"


def _inside(table: pd.DataFrame) -> pd.Series:
    return (table["observed"] >= table["lower"]) & (table["observed"] <= table["upper"])


def _finding(scale: Scale, table: pd.DataFrame) -> str:
    """Which groups answered otherwise than foreseen."""
    outside = table[~_inside(table)]
    said = []
    for _, r in outside.head(MOST_NAMED).iterrows():
        lower, upper, observed = float(r["lower"]), float(r["upper"]), float(r["observed"])
        way, beyond = ("higher", observed - upper) if observed > upper else ("lower", lower - observed)
        # so fine that what lies outside is not written as if it lay on the edge
        width = min(upper - lower, 10.0 * beyond)
        figures = f"{scale.number(observed, width)} where {scale.interval(lower, upper, width)} was foreseen"
        said.append(f"{r['group']} answered {way} ({figures})")
    if not said:
        return "Every group answered inside what the model allows."
    more = len(outside) - len(said)
    if more:
        said.append(f"{count(more)} more {'is' if more == 1 else 'are'} outside")
    return f"{joined(said)}."


def item_rows(context: ReportContext, checks: Sequence[Mapping[str, Any]]) -> list[list[Cell]]:
    """One row a question for its checks over all groupings: how many groups lie inside, and the least probable.

    Parameters
    ----------
    checks : sequence of mapping
        Those of ``is_of_item``.
    """
    by_item: dict[str, list[Mapping[str, Any]]] = {}
    for check in checks:
        by_item.setdefault(_item(check), []).append(check)
    rows = []
    for item, own in by_item.items():
        verdict = max((str(c.get("verdict", "pass")) for c in own), key=VERDICTS.index)
        tables = [context.predictive[name] for c in own if (name := _name(c)) in context.predictive]
        found = _summary(pd.concat(tables)) if tables else "–"
        label = f"answers to {item_words(context, item)} foreseen, over {joined(_groupings(own))}"
        rows.append([Cell(label), Cell(found), Cell("about 9 in 10"), Cell(verdict, look=f"verdict {verdict}")])
    return rows


def by_grouping(context: ReportContext, check: Mapping[str, Any], limit: str) -> list[Cell]:
    """One row for one check of ``is_of_item``."""
    verdict, value = str(check.get("verdict", "")), check.get("value")
    label = f"answers to {item_words(context, _item(check))} foreseen, by {_groupings([check])[0]}"
    share = "–" if value is None else f"{value:.2f}"
    return [Cell(label), Cell(share), Cell(limit), Cell(verdict, look=f"verdict {verdict}")]


def is_of_item(check: Mapping[str, Any]) -> bool:
    """Whether a check is of the answers to one of several questions."""
    return str(check.get("name", "")).startswith(PREDICTIVE) and bool(_item(check))


def _name(check: Mapping[str, Any]) -> str:
    return str(check.get("name", "")).removeprefix(PREDICTIVE)


def _item(check: Mapping[str, Any]) -> str:
    return _name(check).rpartition(" by ")[0]


def _groupings(checks: Sequence[Mapping[str, Any]]) -> list[str]:
    return [label_words(_name(c).rpartition(" by ")[2]) for c in checks]


def _summary(table: pd.DataFrame) -> str:
    """How many of how many groups lie inside; the smallest two-sided probability of answers as far out."""
    inside = f"{int(_inside(table).sum())} of {len(table)} groups inside"
    if "p_value" not in table:
        return inside
    below = table["p_value"].to_numpy(dtype=float)
    least = float(np.nanmin(2.0 * np.minimum(below, 1.0 - below)))
    return f"{inside}, smallest p {'below 0.01' if least < 0.01 else f'{least:.2f}'}"
