"""How a survey was read and what it is like, as one self-contained page."""

from __future__ import annotations

from placewise.diagnostics.survey import SurveyDescription
from placewise.publish.page import render_page
from placewise.publish.survey.margins import margins_view
from placewise.publish.survey.opening import checks_view, dropped_view, files_view, opening_view
from placewise.publish.survey.precision import precision_view
from placewise.publish.survey.variables import variables_view

__all__ = ["render_survey"]

SECTIONS = (
    ("glance", "At a glance"),
    ("checks", "What was checked"),
    ("margins", "Beside the population"),
    ("precision", "How precise it is"),
    ("variables", "How each variable was made"),
    ("files", "Files, and who was left out"),
)


def render_survey(described: SurveyDescription, project: str, version: str) -> str:
    """The page of one survey as HTML.

    Parameters
    ----------
    described : SurveyDescription
        What is told of it.
    project : str
        The project's title.
    version : str
        Of placewise.

    Returns
    -------
    str
        One page without remote requests; the same text for the same description.
    """
    return render_page(
        "survey.html.j2",
        ("tables.js",),
        survey=described.account.survey,
        project=project,
        version=version,
        sections=SECTIONS,
        opening=opening_view(described),
        checks=checks_view(described),
        margins=margins_view(described),
        precision=precision_view(described),
        variables=variables_view(described.account),
        files=files_view(described.account),
        dropped=dropped_view(described.account),
        recoded=described.account.recoding is not None,
        notes=described.account.notes,
    )
