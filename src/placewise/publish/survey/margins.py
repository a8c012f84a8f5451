"""Respondents beside the population, one variable a figure and a table."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from placewise.diagnostics.survey import SurveyDescription
from placewise.diagnostics.survey.margins import Margin, Share
from placewise.publish.figures.dots import Dot, draw_dots
from placewise.publish.palette import ACCENT, DIVERGING
from placewise.publish.report.parts import Cell, FigurePart, TablePart
from placewise.publish.wording import count, label_words, level_words, percent
from placewise.surveys.disclosure import THRESHOLD, nearest_ten, told

SOURCES = {"frame": "the frame", "areas": "the table of areas"}
# Shares that differ by less are alike to a reader.
ALIKE = 0.01


def margins_view(described: SurveyDescription) -> dict[str, Any]:
    """Variables that the population has too, with figures, and the others as tables."""
    weighted = described.weights is not None
    compared = [m for m in described.margins if m.source]
    others = [m for m in described.margins if not m.source]
    return {
        "compared": [(_figure(m, k, weighted), _table(m, weighted), _folded(m)) for k, m in enumerate(compared)],
        "others": [_table(m, weighted) for m in others],
        "weighted": weighted,
    }


def _folded(margin: Margin) -> bool:
    """Whether the figure is enough and the table is shown on request: places are many."""
    return margin.source == "areas"


def _called(margin: Margin) -> str:
    """Levels by what people call them, everything else by its name."""
    level = level_words(margin.variable)[0] if margin.source == "areas" else ""
    return label_words(margin.variable) if not level or level.endswith(" area") else level


def _figure(margin: Margin, k: int, weighted: bool) -> FigurePart | None:
    """Shares with their 90% intervals, the population's as hollow dots."""
    shown = [s for s in margin.shares if not s.hidden and s.population is not None and s.weighted is not None]
    if len(shown) < 2:
        return None
    dots = []
    for s in shown:
        assert s.weighted is not None
        assert s.population is not None
        low, high = (s.weighted if end is None else end for end in (s.lower, s.upper))
        colour = ACCENT if low <= s.population <= high else DIVERGING[0]
        dots.append(Dot(s.category, s.weighted, low, high, colour, s.population))
    title = _finding(margin, weighted)
    drawing = draw_dots(
        dots, f"margin-{k}", f"{title}.", "share of respondents" + (", weighted" if weighted else ""), percent=True
    )
    return FigurePart(title, Markup(drawing))


def _finding(margin: Margin, weighted: bool) -> str:
    called = _called(margin)
    gaps = margin.gaps(weighted)
    if not gaps:
        return f"By {called}"
    category, gap = max(gaps, key=lambda pair: round(abs(pair[1]), 9))
    who = "weighted respondents" if weighted else "respondents"
    if abs(gap) < ALIKE:
        return f"By {called}: {who} are as the population is"
    points = f"{100 * abs(gap):.0f} point{'s' * (abs(gap) >= 0.015)} {'more' if gap > 0 else 'less'}"
    return f"By {called}: {category} is {points} among {who} than in {SOURCES[margin.source]}"


def _table(margin: Margin, weighted: bool) -> TablePart:
    compared = bool(margin.source)
    columns = [("Group", False), ("Share", True)] + [("Weighted", True)] * weighted
    columns += [("Population", True), ("Difference, points", True)] * compared
    columns += [("90% interval", True), ("Respondents", True), ("Design effect", True)]
    rows = [_row(s, weighted, compared) for s in margin.shares]
    answered = told(nearest_ten(margin.answered)) if margin.answered >= THRESHOLD else told(margin.answered)
    caption = f"{_called(margin)[:1].upper()}{_called(margin)[1:]}: about {answered} respondents"
    return TablePart(caption, columns, rows)


def _row(share: Share, weighted: bool, compared: bool) -> list[Cell]:
    cells = [Cell(share.category), Cell("–" if share.hidden else percent(share.unweighted))]
    best = share.weighted if weighted else share.unweighted
    if weighted:
        cells.append(Cell(_share(share.weighted)))
    if compared:
        gap = None if share.hidden or best is None or share.population is None else best - share.population
        cells += [Cell(_share(share.population)), Cell("–" if gap is None else _points(gap))]
    few = "not shown" if share.respondents >= THRESHOLD else told(share.respondents)
    deff = "–" if share.deff is None else f"{share.deff:.2f}"
    respondents = few if share.hidden else count(nearest_ten(share.respondents))
    return [*cells, Cell(_interval(share)), Cell(respondents), Cell(deff)]


def _share(share: float | None) -> str:
    return "–" if share is None else percent(share)


def _interval(share: Share) -> str:
    if share.lower is None or share.upper is None:
        return "–"
    return f"{100 * share.lower:.0f} to {100 * share.upper:.0f}%"


def _points(gap: float) -> str:
    return f"{100 * gap:+.1f}".replace("-", "−") if abs(gap) >= 0.0005 else "0"
