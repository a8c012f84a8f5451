"""The report of one outcome as one self-contained page."""

from __future__ import annotations

from placewise.publish.context import ReportContext
from placewise.publish.page import render_page
from placewise.publish.report.model import drivers_view
from placewise.publish.report.opening import headline_view, what_this_is
from placewise.publish.report.places import map_view, ranking_view
from placewise.publish.report.provenance import method_view, respondents_view
from placewise.publish.report.quality import quality_view
from placewise.publish.report.search import search_view
from placewise.publish.report.standing import standing_view
from placewise.publish.wording import sentence_case

__all__ = ["render_report"]

SECTIONS = (
    ("what", "What this is"),
    ("headline", "The headline"),
    ("map", "The map"),
    ("find", "Find an area"),
    ("ranking", "Areas side by side"),
    ("drivers", "What drives it"),
    ("quality", "Is it any good?"),
    ("respondents", "Who answered"),
    ("method", "How it was made"),
)


def render_report(context: ReportContext) -> str:
    """The report of one outcome as HTML.

    Parameters
    ----------
    context : ReportContext
        What the run knows; the sections say in a sentence what it does not.

    Returns
    -------
    str
        One page without remote requests; the same text for the same context.

    Raises
    ------
    DataError
        Where the geometry cannot be read.
    """
    ranking = ranking_view(context)
    sections = [
        (ident, f"{sentence_case(ranking['level'])} side by side" if ident == "ranking" and ranking["level"] else title)
        for ident, title in SECTIONS
    ]
    return render_page(
        "report.html.j2",
        ("tables.js", "figures.js", "card.js", "search.js"),
        context=context,
        sections=sections,
        what=what_this_is(context),
        headline=headline_view(context),
        map=map_view(context),
        find=search_view(context),
        ranking=ranking,
        standing=standing_view(context),
        drivers=drivers_view(context),
        quality=quality_view(context),
        respondents=respondents_view(context),
        method=method_view(context),
    )
