"""The first page of a run: all outcomes at a glance."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from placewise.publish.context import IndexContext, OutcomeSummary, ReportContext
from placewise.publish.figures.bars import draw_class_bar
from placewise.publish.figures.dots import Dot, draw_dots
from placewise.publish.page import render_page
from placewise.publish.palette import ACCENT, DIVERGING
from placewise.publish.report.opening import STATUS_BADGES, headline_words, status_reason
from placewise.publish.report.parts import FigurePart
from placewise.publish.report.places import ranked_level
from placewise.publish.uses import FORBIDDEN_USES
from placewise.publish.verdicts import SHORT_LABELS, headline
from placewise.publish.wording import Scale, count, percent

MOST_STRIPS = 14


def summarise(context: ReportContext) -> OutcomeSummary:
    """What the index page says about one outcome; plain data, to be kept beside its report."""
    found = headline(context.rows(context.code), context.higher_is_better)
    nation = context.rows("national").iloc[0]
    level = next(
        (name for name in reversed([context.code, *context.levels]) if 2 <= len(context.rows(name)) <= MOST_STRIPS),
        ranked_level(context),
    )
    rows = context.rows(level).sort_values("index", ascending=False, kind="stable") if level else None
    strip = (
        []
        if rows is None or len(rows) > MOST_STRIPS
        else [
            (str(r.area_name), float(r.mean), float(r.ci90_lower), float(r.ci90_upper))  # type: ignore[arg-type]
            for r in rows.itertuples(index=False)
        ]
    )
    return OutcomeSummary(
        name=context.outcome,
        title=context.title,
        question=context.question,
        estimand=context.estimand,
        kind=context.kind,
        status=context.status,
        reason=status_reason(context),
        sentence=headline_words(context, found),
        respondents=context.respondents,
        people=context.people,
        areas=found.areas,
        areas_called=context.words(context.code)[1],
        national=(float(nation["mean"]), float(nation["ci90_lower"]), float(nation["ci90_upper"])),
        counts=found.counts,
        strip=strip,
        strip_called=context.words(level)[1] if level else "",
    )


def render_index(project: IndexContext) -> str:
    """The first page of a run as HTML.

    Parameters
    ----------
    project : IndexContext
        One summary an outcome, from ``summarise``.

    Returns
    -------
    str
        One page without remote requests; the same text for the same summaries.
    """
    return render_page(
        "index.html.j2",
        (),
        project=project,
        outcomes=[_view(summary, k) for k, summary in enumerate(project.outcomes)],
        failed=any(s.status == "fail" for s in project.outcomes),
        overview=_overview(project),
        forbidden=FORBIDDEN_USES,
    )


def _overview(project: IndexContext) -> str:
    n = len(project.outcomes)
    areas = max((s.areas for s in project.outcomes), default=0)
    called = next((s.areas_called for s in project.outcomes if s.areas == areas), "areas")
    what = "one outcome" if n == 1 else f"{count(n)} outcomes"
    return (
        f"Modelled estimates of {what} for {count(areas)} {called} and the larger areas that they make up. Every "
        "figure comes with an interval that says how well it is known."
    )


def _view(summary: OutcomeSummary, k: int) -> dict[str, Any]:
    scale = Scale(summary.kind)
    mean, lower, upper = summary.national
    total = max(sum(summary.counts), 1)
    spoken = ", ".join(f"{percent(n / total)} {w}" for n, w in zip(summary.counts, SHORT_LABELS, strict=True))
    return {
        "summary": summary,
        "badge": STATUS_BADGES.get(summary.status, STATUS_BADGES[""]),
        "national": scale.number(mean, upper - lower),
        "interval": scale.interval(lower, upper),
        "bar": Markup(draw_class_bar(summary.counts, f"classes-{k}", f"{summary.title}: {spoken}.")),
        "legend": [(DIVERGING[j], SHORT_LABELS[j], count(n)) for j, n in enumerate(summary.counts)],
        "strip": _strip(summary, k),
    }


def _strip(summary: OutcomeSummary, k: int) -> FigurePart | None:
    if len(summary.strip) < 2:
        return None
    scale = Scale(summary.kind)
    ends = sorted(summary.strip, key=lambda row: row[1])
    low, high = ends[0], ends[-1]
    title = (
        f"{summary.strip_called[:1].upper()}{summary.strip_called[1:]}: from {scale.number(low[1], low[3] - low[2])} "
        f"({low[0]}) to {scale.number(high[1], high[3] - high[2])} ({high[0]})"
    )
    dots = [Dot(*row, ACCENT) for row in summary.strip]
    drawing = draw_dots(
        dots, f"strip-{k}", f"{title}.", "estimate and 90% interval", summary.national[0], "nation",
        summary.kind == "share", width=440.0,
    )  # fmt: skip
    return FigurePart(title, Markup(drawing))
