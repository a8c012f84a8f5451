"""The page of a survey: one file, nothing remote, everything escaped, nothing of a few."""

from __future__ import annotations

import html
import itertools
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from placewise.diagnostics.survey import SurveyDescription
from placewise.diagnostics.survey.describe import NumberFacts
from placewise.diagnostics.survey.design import ClusterFacts, WeightFacts
from placewise.diagnostics.survey.margins import Margin, Share
from placewise.diagnostics.survey.scales import describe_scale
from placewise.publish.survey import SECTIONS, render_survey
from placewise.surveys.account import Account, Check, DesignRead, FileRead, Mapped, VariableAccount
from placewise.surveys.design import SurveyDesign
from placewise.surveys.respondents import Dropped

VOID = {"meta", "link", "br", "hr", "img", "input"}
EVIL = "<script>alert('x')</script>"


class Nesting(HTMLParser):
    """Checks that every element is closed where it should be, and collects ids, links and headings."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.stack.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        for name, value in attrs:
            if name == "id":
                self.ids.append(str(value))
            if name in ("href", "src"):
                self.links.append(str(value))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.stack.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag


def description(verdict: str = "pass", **changes: object) -> SurveyDescription:
    sex = VariableAccount(
        "sex",
        "c_sex_dv",
        wording=f"Sex? {EVIL}",
        mapping=(Mapped("1", EVIL, "male", 480), Mapped("2", "Female", "female", 500), Mapped("-9", "", "", 4)),
        answered=980,
        declared=4,
        blank=16,
        file="c_indresp.tab",
    )
    trust = VariableAccount("trust", "c_trust", kind="number", answered=990, blank=10, transformed="6 − value")
    absent = VariableAccount("mode", "", wording="How?")
    account = Account(
        "cls",
        "ukhls",
        (FileRead("c_indresp.tab", 1003, 300, "ab" * 32, "tab", "c_indresp.tab: read as latin-1"),),
        (sex, trust, absent),
        (Dropped("lsoa", "no area", 3),),
        design=DesignRead("w", "psu", "strata"),
        read=1003,
        kept=1000,
        notes=("One note.",),
    )
    compared = Margin(
        "sex",
        "frame",
        980,
        (
            Share("female", 500, False, 0.51, 0.48, 0.01, 1.3, 0.46, 0.5, 0.5),
            Share("male", 480, False, 0.49, 0.52, 0.01, 1.3, 0.46, 0.5, 0.5),
        ),
    )
    place = Margin(
        "lad",
        "areas",
        1000,
        (
            Share(EVIL, 600, False, 0.6, 0.61, 0.02, 2.0, 0.57, 0.65, 0.6),
            Share("B", 391, False, 0.391, 0.38, 0.02, 2.0, 0.34, 0.42, 0.3),
            Share("C", 9, True, 0.009, population=0.1),
        ),
    )
    own = Margin("chats", "", 1000, (Share("no", 400, False, 0.4, 0.41, 0.02, 1.5), Share("yes", 600, False, 0.6)))
    told: dict[str, object] = {
        "account": account,
        "margins": (compared, place, own),
        "numbers": (NumberFacts("trust", 990, 3.21, 1.02, 3.25, 0.04, 1.4),),
        "weights": WeightFacts(1.2, 833.3, 0.45, 0.03),
        "clusters": ClusterFacts(100, 10, 2, 10.0),
        "deff": 1.4,
        "checks": (Check("direction", verdict, "belonging rises with satisfaction"),),  # type: ignore[arg-type]
        **changes,
    }
    return SurveyDescription(**told)  # type: ignore[arg-type]


@pytest.mark.parametrize("verdict", ["pass", "warn", "fail"])
def test_the_page_is_sound_and_has_every_section(verdict: str) -> None:
    page = render_survey(description(verdict), "A town", "0.1")
    parsed = Nesting()
    parsed.feed(page)
    assert parsed.stack == []
    assert len(parsed.ids) == len(set(parsed.ids))
    assert {ident for ident, _ in SECTIONS} <= set(parsed.ids)
    assert all(link.startswith("#") for link in parsed.links)
    assert parsed.headings[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(parsed.headings))
    assert ("This survey failed a check" in page) == (verdict == "fail")
    assert render_survey(description(verdict), "A town", "0.1") == page


def test_scales_are_told_with_their_items() -> None:
    common = np.arange(300) % 30 / 10.0
    items = pd.DataFrame({f"talk_{j}": common + np.sin(np.arange(300) * (j + 2.0)) for j in range(3)})
    items["talk_0"] = items["talk_0"].where(np.arange(300) >= 4)
    good = describe_scale("ties", items, list(items), (), SurveyDesign(np.ones(300)))
    bad = describe_scale("odd", items, ["talk_9"], (), None)
    page = render_survey(description(scales=(good, bad)), "A town", "0.1")
    parsed = Nesting()
    parsed.feed(page)
    assert parsed.stack == []
    assert re.search(r"Ties: alpha 0\.\d\d \(95% interval 0\.\d\d to 0\.\d\d\); omega 0\.\d\d", page)
    assert "Odd: no scale can be made of its items: no column &#39;talk_9&#39;." in page
    assert [html.unescape(c) for c in re.findall(r"<td[^>]*>(few)</td>", page)] == ["few"]
    assert "Scales of several items" not in render_survey(description(), "A town", "0.1")


def test_what_comes_from_data_is_escaped_and_nothing_is_remote() -> None:
    page = render_survey(description(), EVIL, "0.1")
    assert "<script>alert" not in page
    assert "default-src 'none'" in html.unescape(page)
    assert not re.search(r"""(src|href|url\()\s*=?\s*["']?(https?:)?//""", page)


def test_counts_below_ten_stand_nowhere() -> None:
    page = render_survey(description(), "A town", "0.1")
    text = re.sub(r"<(script|style).*?</\1>|<svg.*?</svg>", "", page, flags=re.DOTALL)
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", text)
    assert "fewer than 10" in cells
    assert "not shown" in cells
    # four with a missing code, three without an area, nine in an area
    assert not {"3", "4", "9"} & set(cells)
    assert "1,003" not in text
    assert "1,000 of 1,000 rows read" in text


def test_a_survey_without_design_population_or_checks_says_so() -> None:
    plain = description(
        margins=(), numbers=(), weights=None, clusters=None, deff=None, checks=(), account=Account("cls")
    )
    page = render_survey(plain, "A town", "0.1")
    for said in (
        "none: everyone counts once",
        "nothing to check this survey against",
        "cannot be set beside the population",
        "nothing can be said about its design",
        "No variable was asked for",
        "Every row of the file is a respondent here",
    ):
        assert said in page
