"""The model card stands in the report and in the metadata, before what holds for every outcome."""

from __future__ import annotations

import dataclasses

import pytest

from placewise.publish.context import ReportContext
from placewise.publish.metadata import outcome_metadata
from placewise.publish.report.provenance import method_view
from placewise.publish.uses import CAVEATS, FORBIDDEN_USES


@pytest.fixture
def carded(context: ReportContext) -> ReportContext:
    return dataclasses.replace(
        context,
        good_uses=("to see where;",),
        forbidden_uses=("Do not call an area cold.",),
        limits=("One question only.",),
        card={"Version of the model": "2", "Contact": "the office"},
    )


def test_the_report_says_what_the_card_says(carded: ReportContext) -> None:
    view = method_view(carded)
    assert view["caveats"] == ("One question only.", *CAVEATS)
    assert view["forbidden"] == ("Do not call an area cold.", *FORBIDDEN_USES)
    assert view["good"][0] == "to see where;"
    assert view["facts"][:2] == [("Version of the model", "2"), ("Contact", "the office")]


def test_the_metadata_say_what_the_card_says(carded: ReportContext, context: ReportContext) -> None:
    outcome = outcome_metadata(carded)["placewise:outcome"]
    assert outcome["caveats"][0] == "One question only."
    assert outcome["forbidden_uses"][0] == "Do not call an area cold."
    assert outcome["intended_uses"] == ["to see where;"]
    assert outcome["card"] == {"Version of the model": "2", "Contact": "the office"}
    # without a card, what holds for all
    assert outcome_metadata(context)["placewise:outcome"]["forbidden_uses"] == list(FORBIDDEN_USES)
