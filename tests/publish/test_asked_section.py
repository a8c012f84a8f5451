"""What was asked, and what values the figures can take, stand where the report begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from placewise.publish.context import AskedItem, ReportContext, SurveyUse
from placewise.publish.report import render_report
from placewise.publish.report.opening import scale_words, what_this_is

Maker = Callable[..., ReportContext]
SURVEYS = (
    SurveyUse(name="first", respondents=900, question="How is it <here>?"),
    SurveyUse(name="second", respondents=700, question="And there?"),
)
ASKED = (
    AskedItem(name="first:trust", survey="first", column="trust", wording="Are they trusted?", levels=("few", "many")),
    AskedItem(name="first:chat", survey="first", column="chat", levels=("never", "monthly", "daily")),
    AskedItem(name="second:help", survey="second", column="help", levels=("1", "2", "3", "4", "5")),
)


def test_every_survey_has_its_question_and_every_item_its_answers(make_context: Maker) -> None:
    context = make_context(surveys=SURVEYS, asked=ASKED, kind="mean")
    view = what_this_is(context)
    assert view["facts"][:2] == [
        ("Question of “first”", "“How is it <here>?”"),
        ("Question of “second”", "“And there?”"),
    ]
    assert [[cell.text for cell in row] for row in view["asked"].rows] == [
        ["“Are they trusted?”", "first", "few < many"],
        ["chat", "first", "never < monthly < daily"],
        ["help", "second", "1 < 2 < 3 < 4 < 5"],
    ]
    page = render_report(context)
    assert "How is it &lt;here&gt;?" in page
    assert "The score runs from 1, where everybody gives the lowest answer to every question, to 2.5" in page


def test_one_question_needs_no_table(make_context: Maker) -> None:
    same = tuple(SurveyUse(name=s.name, respondents=s.respondents, question="One?") for s in SURVEYS)
    view = what_this_is(make_context(surveys=same, asked=ASKED[:1], question="One?"))
    assert view["asked"] is None
    assert view["facts"][0] == ("Question", "“One?”")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"kind": "mean", "asked": ASKED[1:2], "surveys": SURVEYS[:1]},
            "from 1, where everybody gives the lowest answer, to 3",
        ),
        ({"kind": "mean", "asked": ()}, "there 0 is the national average"),
        ({"kind": "share"}, "from 0%, nobody, to 100%, everybody"),
        ({"kind": "latent"}, "only differences can be read"),
    ],
)
def test_the_scale_says_which_values_there_are(make_context: Maker, changes: dict[str, Any], said: str) -> None:
    found = scale_words(make_context(**changes))
    assert said in found
    assert "above 0 is better" in found
