"""Scales of several items, as a survey's page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from placewise.diagnostics.survey.scales import ScaleFacts
from placewise.publish.report.parts import Cell, TablePart
from placewise.publish.wording import label_words, percent, sentence_case
from placewise.surveys.scale_quality import Coefficient, Reliability

COLUMNS = [("Item", False), ("Without an answer", True), ("Mean", True), ("Goes with the rest", True),
           ("Loading", True), ("Alpha without it", True)]  # fmt: skip


def scales_view(scales: Sequence[ScaleFacts]) -> list[dict[str, Any]]:
    """A sentence and a table for each scale."""
    return [{"lead": _lead(scale), "table": _table(scale)} for scale in scales]


def _lead(scale: ScaleFacts) -> str:
    title = sentence_case(label_words(scale.name))
    if scale.quality is None:
        return f"{title}: no scale can be made of its items: {scale.problem}."
    found = scale.quality.weighted or scale.quality.unweighted
    parts = [f"{title}: {_told('alpha', found.alpha)}", _told("omega", found.omega)]
    if scale.quality.weighted is not None:
        parts.append(f"unweighted alpha {scale.quality.unweighted.alpha.value:.2f}")
    scored = scale.share_scored
    if scored is not None:
        parts.append(
            f"{percent(scored)} answered enough for a score ({scale.quality.minimum} of {len(scale.quality.items)})"
        )
    return f"{'; '.join(parts)}."


def _told(name: str, found: Coefficient) -> str:
    if np.isnan(found.value):
        return f"no {name} ({found.method})"
    interval = "" if np.isnan(found.lower) else f" (95% interval {found.lower:.2f} to {found.upper:.2f})"
    return f"{name} {found.value:.2f}{interval}"


def _table(scale: ScaleFacts) -> TablePart | None:
    if scale.quality is None:
        return None
    found: Reliability = scale.quality.weighted or scale.quality.unweighted
    rows = []
    for k, row in enumerate(found.table.to_dict("records")):
        missing = scale.share_missing(k)
        turned = " (runs against the others)" if row["against"] else ""
        rows.append(
            [
                Cell(f"{label_words(row['item'])}{turned}"),
                Cell("few" if missing is None else percent(missing)),
                *(Cell(_number(row[c])) for c in ("mean", "item_rest", "loading", "alpha_without")),
            ]
        )
    return TablePart(f"Items of {label_words(scale.name)}", COLUMNS, rows)


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.2f}".replace("-", "−")
