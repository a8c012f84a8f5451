"""Section 7: is it any good."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from placewise.publish.context import ReportContext
from placewise.publish.figures.shrinkage import draw_shrinkage
from placewise.publish.report.alternatives import alternatives_view
from placewise.publish.report.conflict import conflict_views
from placewise.publish.report.expected import expected_view
from placewise.publish.report.foreseen import HOW_TO_READ, by_grouping, foreseen_figures, is_of_item, item_rows
from placewise.publish.report.parts import Cell, FigurePart, TablePart
from placewise.publish.wording import CHECKS_NOTES, Scale, check_words, count, even, limit_words, percent

CHECK_COLUMNS = [("Check", False), ("Found", True), ("Limit", True), ("Verdict", False)]


def quality_view(context: ReportContext) -> dict[str, Any]:
    """Baselines, shrinkage, convergence, predictive checks, accuracy, sensitivity."""
    return {
        "baselines": _baselines(context),
        "baselines_note": context.baselines_note,
        "direct": _direct(context),
        "fitted_error": _fitted_error(context),
        "checks": _checks(context),
        "checks_note": CHECKS_NOTES.get(context.engine, CHECKS_NOTES[""]),
        "escalation": context.escalation,
        "by_question": _item_checks(context),
        "predictive": foreseen_figures(context),
        "predictive_note": HOW_TO_READ,
        "accuracy": _accuracy(context),
        "sensitivity": _sensitivity(context),
        "conflicts": conflict_views(context),
        "expected": expected_view(context),
        "alternatives": alternatives_view(context),
    }


def _baselines(context: ReportContext) -> TablePart | None:
    if context.baselines is None or context.baselines.empty:
        return None
    scale = Scale(context.kind)
    table = context.baselines
    error = table["error"].to_numpy(dtype=float, na_value=np.nan)
    covered = bool(table["coverage"].notna().any())
    errors = _errors(scale, error)
    best = str(table["method"].iloc[int(np.nanargmin(error))]) if np.isfinite(error).any() else None
    rows = [
        [
            Cell(str(r["method"])),
            Cell(text, float(r["error"])),
            *([Cell(percent(float(r["coverage"])) if pd.notna(r["coverage"]) else "not known")] if covered else []),
        ]
        for text, (_, r) in zip(errors, table.iterrows(), strict=True)
    ]
    caption = "Errors could not be computed"
    if best is not None:
        named = f"{best[:1].lower()}{best[1:]}"
        caption = f"Of the simple methods, {named} errs least on areas left out; this model was not tried that way here"
    columns = [("Method", False), ("Typical error", True)]
    return TablePart(caption, columns + [("Truth inside the 90% interval", True)] * covered, rows)


def _fitted_error(context: ReportContext) -> str:
    if context.fitted_error is None:
        return ""
    (error,) = _errors(Scale(context.kind), [context.fitted_error])
    return (
        f"This model's own error, {error}, is on the respondents it was "
        "fitted to. It has seen their answers, so this is no test of it and does not compare with the errors above; "
        "the model was not fitted with areas left out in this run."
    )


def _errors(scale: Scale, values: Iterable[float]) -> list[str]:
    """Errors of one column, in points where figures are per cent."""
    unit = " points" if scale.kind == "share" else ""
    found = even(value * scale.factor for value in values)
    return [text if text == "not known" else text + unit for text in found]


def _direct(context: ReportContext) -> FigurePart | None:
    if context.direct is None or len(context.direct) < 3:
        return None
    both = context.direct.merge(
        context.rows(context.direct_level)[["area_code", "mean"]], on="area_code", how="inner", validate="1:1"
    ).dropna(subset=["direct", "mean"])
    if len(both) < 3:
        return None
    direct, modelled = both["direct"].to_numpy(dtype=float), both["mean"].to_numpy(dtype=float)
    spread = float(np.std(modelled) / np.std(direct)) if np.std(direct) > 0 else 1.0
    many = context.words(context.direct_level)[1]
    title = (
        f"Over {count(len(both))} {many}, modelled figures spread {spread:.1f} times as far as direct ones"
        if spread < 0.95
        else f"Over {count(len(both))} {many}, modelled and direct figures spread alike"
    )
    drawing = draw_shrinkage(
        direct, both["lower"].to_numpy(dtype=float), both["upper"].to_numpy(dtype=float), modelled,
        "shrinkage", f"{title}.", context.kind == "share",
    )  # fmt: skip
    note = (
        "On the dashed line both agree. The answers of a few people in one area scatter by chance; the model pulls "
        "them towards what areas like it show, the more the fewer there are."
    )
    return FigurePart(title, Markup(drawing), note)


def _checks(context: ReportContext) -> TablePart | None:
    checks = context.diagnostics.get("checks", ())
    if not checks:
        return None
    of_items = [c for c in checks if is_of_item(c)]
    rows = [_check(c) for c in checks if not is_of_item(c)] + item_rows(context, of_items)
    failed = sum(c.get("verdict") == "fail" for c in checks)
    warned = sum(c.get("verdict") == "warn" for c in checks)
    caption = "Every check of the computation passed"
    if failed or warned:
        caption = f"Of {len(checks)} checks of the computation, {failed} failed and {warned} gave a warning"
    return TablePart(caption, CHECK_COLUMNS, rows)


def _item_checks(context: ReportContext) -> TablePart | None:
    """The checks of the answers to each of several questions, by each grouping."""
    found = [c for c in context.diagnostics.get("checks", ()) if is_of_item(c)]
    if not found:
        return None
    caption = "Share of groups that answered inside what was foreseen, grouping by grouping"
    return TablePart(caption, CHECK_COLUMNS, [by_grouping(context, c, _limit(c)) for c in found])


def _check(check: Mapping[str, Any]) -> list[Cell]:
    return [
        Cell(check_words(str(check.get("name", "")))),
        Cell(_figure(check.get("value")) + (f" of {count(check['of'])}" if check.get("of") else "")),
        Cell(_limit(check)),
        Cell(str(check.get("verdict", "")), look=f"verdict {check.get('verdict', '')}"),
    ]


def _limit(check: Mapping[str, Any]) -> str:
    """The limit and on which side of it a figure passes."""
    if check.get("threshold") is None:
        return _figure(None)
    return f"{limit_words(str(check.get('name', '')))} {_figure(check['threshold'])}".strip()


def _figure(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool | str):
        return str(value)
    number = float(value)
    if not np.isfinite(number):
        return "not known"
    return f"{number:,.0f}" if abs(number) >= 100 or number.is_integer() else f"{number:.3g}"


def _accuracy(context: ReportContext) -> TablePart | None:
    if context.accuracy is None or context.accuracy.empty:
        return None
    errors = _errors(Scale(context.kind), context.accuracy["rmse"].to_numpy(dtype=float, na_value=np.nan))
    rows = [
        [
            Cell(
                context.words(str(r["level"]))[1] if r["level"] in [context.code, *context.levels] else str(r["level"])
            ),
            Cell(count(float(r["areas"]))),
            Cell(text),
            Cell(f"{r['correlation']:.2f}" if pd.notna(r["correlation"]) else "–"),
            Cell(percent(float(r["coverage"])) if pd.notna(r["coverage"]) else "–"),
        ]
        for text, (_, r) in zip(errors, context.accuracy.iterrows(), strict=True)
    ]
    first = context.accuracy.iloc[0]
    caption = f"The truth lies inside {percent(float(first['coverage']))} of the 90% intervals of the small areas"
    columns = [("Level", False), ("Areas", True), ("Typical error", True), ("Correlation", True), ("Inside 90%", True)]
    return TablePart(caption, columns, rows)


def _sensitivity(context: ReportContext) -> TablePart | None:
    if context.sensitivity is None or context.sensitivity.empty:
        return None
    rows = [
        [Cell(str(r["setting"])), Cell(str(r["quantity"])), Cell(_figure(r["value"]))]
        for _, r in context.sensitivity.iterrows()
    ]
    return TablePart(
        "What moves when an assumption does", [("Setting", False), ("Quantity", False), ("Value", True)], rows
    )
