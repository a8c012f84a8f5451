"""What the report and the metadata say of outcomes that are modelled together."""

from __future__ import annotations

from collections.abc import Callable

from placewise.publish.context import ReportContext
from placewise.publish.metadata import outcome_metadata
from placewise.publish.report import render_report
from placewise.publish.report.together import together_view

MakeContext = Callable[..., ReportContext]
TITLES = {"belonging": "Belonging <b>here</b>", "trust": "Trust"}
CORRELATIONS = [
    {
        "group": "lad22cd",
        "first": "belonging",
        "second": "trust",
        "mean": 0.4,
        "q05": -0.12,
        "q50": 0.42,
        "q95": 0.81,
        "set_by_prior": True,
    }
]
PEOPLE = [{"first": "belonging", "second": "trust", "value": 0.27, "lower": 0.25, "upper": 0.29}]
JOINT = {"titles": TITLES, "correlations": CORRELATIONS, "people": PEOPLE}


def test_an_outcome_by_itself_says_nothing_of_others(make_context: MakeContext) -> None:
    context = make_context()
    assert together_view(context) is None
    assert outcome_metadata(context)["placewise:outcome"]["joint"] is None
    assert "modelled together" not in render_report(context)


def test_correlations_of_places_and_people_stand_in_the_report(make_context: MakeContext) -> None:
    page = render_report(make_context(outcome="trust", joint=JOINT))
    assert "modelled together with “Belonging &lt;b&gt;here&lt;/b&gt;”" in page
    assert "−0.12 to 0.81" in page
    assert "0.25 to 0.29" in page
    assert "<b>here</b>" not in page
    assert "Borrow from what goes with it." in page
    assert "fewer than 50 of the same people answered are treated as having none in common" in page


def test_correlations_that_are_all_the_priors_are_said_to_help_nobody(make_context: MakeContext) -> None:
    learned = {**CORRELATIONS[0], "group": "region", "set_by_prior": False}
    said = "modelling these outcomes together helps none of them"
    for correlations, helps_none in ((CORRELATIONS, True), ([*CORRELATIONS, learned], False), ([learned], False)):
        view = together_view(make_context(outcome="trust", joint={**JOINT, "correlations": correlations}))
        assert view is not None
        assert (said in view["text"]) == helps_none


def test_without_the_same_people_there_is_one_table(make_context: MakeContext) -> None:
    view = together_view(make_context(outcome="trust", joint={**JOINT, "people": []}))
    assert view is not None
    assert view["people"] is None
    assert [cell.text for cell in view["places"].rows[0]][1:] == [
        "Belonging <b>here</b> and Trust", "0.42", "−0.12 to 0.81", "set by the prior",
    ]  # fmt: skip


def test_the_metadata_names_the_outcomes_and_how_they_go_together(make_context: MakeContext) -> None:
    found = outcome_metadata(make_context(outcome="trust", joint=JOINT))["placewise:outcome"]["joint"]
    assert found == {"outcomes": ["belonging", "trust"], "correlations": CORRELATIONS, "people": PEOPLE}
