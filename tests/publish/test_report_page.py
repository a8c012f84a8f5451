from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from placewise.publish import palette
from placewise.publish.context import IndexContext, ReportContext, Shapes, SurveyUse
from placewise.publish.index_page import render_index, summarise
from placewise.publish.metadata import outcome_metadata
from placewise.publish.page import security_policy, style_sheet
from placewise.publish.report import SECTIONS, render_report
from placewise.publish.wording import CHECKS, limit_words

Maker = Callable[..., ReportContext]
VOID = {"meta", "input", "br", "img", "link", "hr"}


class Outline(HTMLParser):
    """Checks nesting and collects headings, ids and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.stack.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        self.ids += [v or "" for k, v in attrs if k == "id"]
        self.attributes += [(tag, k, v or "") for k, v in attrs]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, k, v or "") for k, v in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.stack, tag
        assert self.stack.pop() == tag


def outline(page: str) -> Outline:
    parser = Outline()
    parser.feed(page)
    parser.close()
    assert parser.stack == []
    return parser


def index_page(*contexts: ReportContext) -> str:
    return render_index(IndexContext(title="All", date="2026-11-22", outcomes=[summarise(c) for c in contexts]))


def test_the_first_page_links_to_the_pages_of_surveys_that_there_are(context: ReportContext) -> None:
    pages = [("cls", "surveys/cls.html"), ("ukhls", "surveys/ukhls.html")]
    made = IndexContext(title="All", date="2026-11-22", outcomes=[summarise(context)], surveys=pages)
    text = render_index(made)
    assert '<a href="surveys/cls.html">cls</a>, <a href="surveys/ukhls.html">ukhls</a>.' in text
    assert "surveys/" not in index_page(context)


@pytest.fixture(scope="module")
def page(context: ReportContext) -> str:
    return render_report(context)


def test_sections_are_all_there_in_order(page: str) -> None:
    at = [page.index(f'<section id="{ident}"') for ident, _ in SECTIONS]
    assert at == sorted(at)
    assert len(at) == 9


@pytest.mark.parametrize("which", ["report", "index"])
def test_page_is_well_formed_with_headings_in_order_and_ids_once(which: str, page: str, context: ReportContext) -> None:
    found = outline(page if which == "report" else index_page(context, context))
    assert found.headings[0] == 1
    assert found.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(found.headings, found.headings[1:], strict=False))
    assert len(found.ids) == len(set(found.ids))
    named = {v for _, k, v in found.attributes if k in ("aria-labelledby", "aria-controls", "aria-describedby")}
    assert named <= set(found.ids)


def test_nothing_is_remote_and_no_style_attribute_needs_leave(page: str, context: ReportContext) -> None:
    for text in (page, index_page(context)):
        found = outline(text)
        assert not [a for a in found.attributes if a[1] == "style" or a[1].startswith("on")]
        targets = [v for _, k, v in found.attributes if k in ("src", "href", "xlink:href", "srcset", "action", "data")]
        assert all(re.match(r"#|data:image/png;base64,|[\w./%-]+$", v) for v in targets), targets
        assert "//" not in "".join(targets).replace("data:image/png;base64,", "")
        assert "@import" not in text
        assert not re.search(r"\b(url|fetch|import|XMLHttpRequest|WebSocket)\((?!#)", style_sheet())


def test_policy_allows_exactly_the_page_s_own_script_and_style(page: str) -> None:
    style = re.search(r"<style>(.*?)</style>", page, re.S)
    script = re.search(r"<script>(.*?)</script>", page, re.S)
    policy = re.search(r'Security-Policy" content="([^"]+)"', page)
    assert style
    assert script
    assert policy
    allowed = policy.group(1).replace("&#39;", "'")
    assert allowed == security_policy(style.group(1), script.group(1))
    assert allowed.startswith("default-src 'none'")
    assert "unsafe" not in allowed
    assert len(re.findall(r"<script>", page)) == 1


def test_text_from_data_is_escaped_everywhere(make_context: Maker) -> None:
    evil = "<script>alert(1)</script>"
    base = make_context()
    estimates = base.estimates.copy()
    lads = estimates["area_level"] == "lad"
    estimates.loc[lads, "area_name"] = evil
    estimates.loc[estimates.index[0], "area_code"] = evil
    regions = estimates["area_level"] == "region"
    estimates.loc[regions, "area_name"] = "A & $B$ \u2603 </text>"
    assert base.group_effects
    changed = dataclasses.replace(
        base, estimates=estimates, title=evil, question=evil, project_title=evil, formula=evil, notes=(evil,),
        estimand=evil, attribution=(evil,), command=evil, data_hashes={evil: evil}, people=evil,
        group_effects={evil: base.group_effects["age"].assign(level=evil)},
        diagnostics={"status": "warn", "checks": [{"name": evil, "value": 1, "threshold": 0, "verdict": "warn"}]},
    )  # fmt: skip
    for text in (render_report(changed), index_page(changed)):
        assert "alert(1)" in text
        assert evil not in text
        assert "</text> </text>" not in text
        outline(text)


def test_varying_slopes_are_called_so(make_context: Maker) -> None:
    base = make_context()
    sds = base.sds.assign(group=["log(income)|lad", *base.sds["group"][1:]])
    text = render_report(make_context(sds=sds, group_effects={"no_car|age": base.group_effects["age"]}))
    assert "slope of log(income) by local authorities" in text
    assert "By age, slope of no car: " in text
    assert "difference from the average slope, model scale" in text
    assert "|lad" not in text


def test_same_context_same_bytes(context: ReportContext, page: str) -> None:
    assert render_report(context) == page
    assert index_page(context) == index_page(context)


def test_tables_have_captions_and_scoped_headers(page: str) -> None:
    tables = re.findall(r"<table.*?</table>", page, re.S)
    assert len(tables) > 8
    for table in tables:
        assert "<caption>" in table
        assert table.count("<th ") == table.count('<th scope="')
        assert '<th scope="row"' in table


def test_every_drawing_has_a_name(page: str) -> None:
    drawings = re.findall(r"<svg [^>]*>", page)
    assert all("aria-labelledby" in d or 'aria-hidden="true"' in d for d in drawings)
    for ident in re.findall(r'<svg [^>]*aria-labelledby="([^"]+)"', page):
        assert re.search(rf'<title id="{ident}">[^<]+</title>', page)


def test_failed_run_carries_a_watermark_and_says_why(make_context: Maker) -> None:
    check = {"name": "largest R-hat", "value": 1.2, "threshold": 1.01, "verdict": "fail"}
    failed = make_context(diagnostics={"status": "fail", "checks": [check]})
    for text in (render_report(failed), index_page(failed)):
        assert 'class="watermark"' in text
        assert "Largest R-hat: 1.2, limit 1.01" in text
        assert "do not use" in text
    assert 'class="watermark"' not in render_report(make_context())


def test_what_is_not_known_is_said(make_context: Maker) -> None:
    bare = make_context(
        geometry={}, slopes=None, sds=None, group_effects={}, explained=None, chance_share=None, baselines=None,
        direct=None, predictive={}, responses={}, diagnostics={}, surveys=(), question="", notes=(), attribution=(),
    )  # fmt: skip
    text = render_report(bare)
    outline(text)
    for said in (
        "No boundaries were given for this run", "Simpler methods were not compared", "was not computed in this run",
        "The truth is not known", "checks of the computation were not run", "no count of the population by group",
        "The project states no licence",
    ):  # fmt: skip
        assert said in text


def test_methods_without_intervals_have_no_column_of_them(make_context: Maker) -> None:
    table = pd.DataFrame({"method": ["class look-up", "national mean"], "error": [0.055, 0.0724], "coverage": np.nan})
    text = render_report(make_context(baselines=table))
    assert "5.50 points" in text
    assert "Truth inside the 90% interval" not in text
    assert "Truth inside the 90% interval" in render_report(make_context())


def test_the_model_s_own_error_takes_no_part_in_the_contest(make_context: Maker) -> None:
    table = pd.DataFrame({"method": ["class look-up", "national mean"], "error": [0.055, 0.0724], "coverage": np.nan})
    table["method"] = ["Class look-up", "National mean"]
    text = render_report(make_context(baselines=table, fitted_error=0.0123))
    assert "Of the simple methods, class look-up errs least on areas left out; this model was not tried" in text
    assert "This model&#39;s own error, 1.23 points, is on the respondents it was fitted to." in text
    assert "own error" not in render_report(make_context(baselines=table))


LAPLACE_CHECKS = [
    {"name": "khat", "value": 0.21, "threshold": 0.7, "verdict": "pass", "sentence": "Pareto k is 0.21."},
    {
        "name": "importance_ess",
        "value": 1320.0,
        "threshold": 400.0,
        "verdict": "pass",
        "sentence": "Worth 1,320.",
        "of": 4096,
    },
    {"name": "separation", "value": 0.0, "threshold": 0.0, "verdict": "pass", "sentence": "None."},
]


def test_nothing_in_the_report_of_an_approximation_speaks_of_chains(make_context: Maker) -> None:
    told = make_context(engine="laplace", diagnostics={"status": "pass", "checks": LAPLACE_CHECKS}, versions={})
    pages = (render_report(told), index_page(told), json.dumps(outcome_metadata(told)))
    for text in pages:
        read = re.sub(r"(?s)<script>.*?</script>", "", text)
        assert not re.search(r"(?i)\b(chains?|r-?hat|samplers?|nuts|mcmc|diverg\w+|different starts)\b", read)
    assert "Pareto k of the importance weights" in pages[0]
    assert "nested Laplace approximation corrected by importance weights (laplace), 2,000 draws" in pages[0]
    assert "from different starts" in render_report(make_context())


def test_the_limit_of_a_check_says_on_which_side_of_it_figures_pass(make_context: Maker) -> None:
    chance = {"name": "predictive: age", "value": 0.8, "threshold": 0.9, "verdict": "pass"}
    found = make_context(engine="laplace", diagnostics={"status": "pass", "checks": [*LAPLACE_CHECKS, chance]})
    rows = dict(re.findall(r'<tr><th scope="row">([^<]+)</th>(.*?)</tr>', re.sub(r"\n\s*", "", render_report(found))))
    cells = {name: re.findall(r"<td[^>]*>([^<]*)</td>", row)[:2] for name, row in rows.items()}
    assert cells["Pareto k of the importance weights"] == ["0.21", "below 0.7"]
    assert cells["draws that the importance weights are worth"] == ["1,320 of 4,096", "at least 400"]
    assert cells["slopes that only the prior holds"] == ["0", "at most 0"]
    assert [row[1] for name, row in cells.items() if name.startswith("answers foreseen")] == ["about 0.9"]


def test_every_check_that_an_engine_makes_has_a_side() -> None:
    # what lies below the link is told or not: there is no limit
    assert {name for name in CHECKS if not limit_words(name)} == {"below_link"}
    assert limit_words("another") == ""


def test_an_escalation_is_told_in_report_and_metadata(make_context: Maker) -> None:
    sentence = "The fast engine (laplace) was tried first and set aside: its weights are worth 12 draws."
    told = make_context(escalation=sentence)
    assert sentence in render_report(told)
    assert outcome_metadata(told)["placewise:outcome"]["model"]["escalation"] == sentence
    assert "escalation" not in outcome_metadata(make_context())["placewise:outcome"]["model"]


def test_people_answer_a_survey_that_is_called_one(make_context: Maker) -> None:
    told = make_context(surveys=(SurveyUse(name="community", respondents=4812),))
    assert "the answers of 4,812 adults to the survey “community”" in render_report(told)


def test_a_difference_that_rounds_to_nought_has_no_sign(make_context: Maker) -> None:
    shares = pd.DataFrame({"category": ["a", "b"], "respondents": [400, 600], "survey_share": [0.4, 0.6]})
    text = render_report(make_context(responses={"sex": shares.assign(frame_share=[0.404, 0.57])}))
    cells = re.findall(r'<td class="number ">([^<]*)</td></tr>', text)
    assert "0" in cells
    assert "+3" in cells
    assert "−0" not in cells


def test_one_level_and_few_areas_are_ranked_themselves(make_context: Maker) -> None:
    base = make_context(small=51)
    rows = base.estimates[base.estimates["area_level"].isin(["oa", "national"])]
    text = render_report(dataclasses.replace(base, estimates=rows, levels=(), geometry={}, direct=None))
    assert "Output areas side by side" in text
    assert "All 51 output areas, best first" in text


def test_groups_below_ten_are_not_counted_out(page: str) -> None:
    row = re.search(r'<tr><th scope="row">16-24</th>(.*?)</tr>', page)
    assert row
    assert "fewer than 10" in row.group(1)
    assert '<td class="number ">7</td>' not in row.group(1)
    assert "0%" not in row.group(1)
    assert not re.search(r"\b620\b", page), "the total less the others would tell the seven"


def test_text_has_the_contrast_of_wcag_aa() -> None:
    for ground in (palette.PAPER, palette.PANEL):
        for ink in (palette.TEXT, palette.MUTED, palette.ACCENT, palette.WARN, palette.FAIL, palette.PASS):
            assert palette.contrast(ink, ground) >= 4.5, (ink, ground)
    for colour in palette.DIVERGING:
        assert max(palette.contrast(colour, ink) for ink in ("#ffffff", palette.TEXT)) >= 4.5
    assert palette.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert palette.contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_middle_of_the_diverging_palette_is_grey_and_its_ends_are_darkest() -> None:
    light = [palette.luminance(c) for c in palette.DIVERGING]
    assert light[2] == max(light)
    assert light[0] < light[1]
    assert light[4] < light[3]
    channels = [int(palette.DIVERGING[2][k : k + 2], 16) for k in (1, 3, 5)]
    assert max(channels) - min(channels) <= 12


def national_size(make_context: Maker) -> ReportContext:
    """188,880 areas with random figures, which compress worse than real ones."""
    base = make_context()
    n = 188_880
    rng = np.random.default_rng(1)
    rows = base.estimates[base.estimates["area_level"] == "oa"].sample(n, replace=True, random_state=1)
    rows = rows.reset_index(drop=True)
    shift = rng.normal(0, 0.03, n)
    for column in ("mean", "ci90_lower", "ci90_upper", "triple_goal"):
        rows[column] = rows[column] + shift
    rows["p_above_national"], rows["reliability"] = rng.uniform(size=n), rng.uniform(size=n)
    rows["rank_ci90_lower"], rows["rank_ci90_upper"] = rng.integers(1, n, n), rng.integers(1, n, n)
    rows["area_code"] = rows["area_name"] = [f"E{k:08d}" for k in rng.choice(10**7, n, replace=False)]
    rest = base.estimates[base.estimates["area_level"] != "oa"]
    areas = pd.DataFrame({"oa": rows["area_code"], "lad": rng.choice([f"L{k:02d}" for k in range(24)], n)})
    areas["region"] = areas["lad"].map(dict(zip(base.areas["lad"], base.areas["region"], strict=True)))
    return dataclasses.replace(base, estimates=pd.concat([rows, rest], ignore_index=True), areas=areas)


def test_national_report_stays_below_ten_megabytes(make_context: Maker) -> None:
    text = render_report(national_size(make_context))
    assert len(text.encode("utf-8")) < 10_000_000
    assert "Of 188,880 output areas" in text


def test_many_polygons_become_an_image(make_context: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("placewise.publish.figures.maps.RASTER_ABOVE", 20)
    monkeypatch.setattr("placewise.publish.report.places.RASTER_ABOVE", 20)
    text = render_report(make_context())
    assert text.count('<img src="data:image/png;base64,') == 2
    assert 'alt="Map of local authorities by class' in text


def test_map_titles_hold_the_figures(page: str) -> None:
    assert re.search(r"<title>Alderby: \d+% \(\d+% to \d+%\), [a-z ]+; reliability 0\.\d\d</title>", page)


def test_geometry_of_other_areas_is_said(make_context: Maker) -> None:
    square = make_context().geometry["lad"].wkb[0]
    text = render_report(make_context(geometry={"lad": Shapes(codes=["X"], wkb=[square])}))
    assert "match none of its areas" in text


def dump(page: Path, fragment: str, profile: Path) -> str:
    command = [
        shutil.which("chromium") or "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
        "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={profile}", "--virtual-time-budget=5000", "--dump-dom", f"{page.as_uri()}#{fragment}",
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium to run the page's script")
def test_browser_opens_the_card_of_an_area(context: ReportContext, page: str, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(page, encoding="utf-8")
    row = context.rows("oa").iloc[16]
    shown = dump(file, f"area={row['area_code']}", tmp_path / "profile")
    card = re.search(r'<article id="card"(.*?)</article>', shown, re.S)
    assert card
    text = re.sub(r"<[^>]+>", " ", card.group(1))
    assert f"to be {100 * row['mean']:.0f}%" in text
    assert f"({100 * row['ci90_lower']:.0f}% to {100 * row['ci90_upper']:.0f}%)" in text
    assert "Alderby, North" in text
    assert f"Grade {row['grade']}" in text
    assert f"between {row['rank_ci90_lower']:.0f} and {row['rank_ci90_upper']:.0f}" in text
    assert '<th scope="col" class="number"><button type="button">Estimate</button>' in shown


def test_charts_fit_a_screen_of_500_points_with_text_that_can_be_read(page: str, make_context: Maker) -> None:
    room = 500 - 2 * 24
    narrowest = re.search(r"\.scroll > svg \{ width: 100%; min-width: (\d+)rem; \}", style_sheet())
    assert narrowest is not None
    assert 16 * int(narrowest[1]) <= room, "no chart scrolls sideways"
    both = page + index_page(make_context())
    widths = [float(w) for w in re.findall(r'<div class="scroll"[^>]*><svg viewBox="0 0 ([\d.]+) ', both)]
    assert len(widths) > 6
    assert all(10 * room / width >= 8 for width in widths), "small print is 10 points of the drawing"


def test_what_was_checked_about_a_survey_is_shown_worst_first(make_context: Maker) -> None:
    checks = [
        ("belonging rises with chatting", "pass", "weighted correlation 0.31"),
        ("belonging as published for 2023-24", "fail", "50.0% of 600 respondents; published 61%"),
    ]
    page = render_report(make_context(surveys=(SurveyUse(name="cls", respondents=600, checks=checks),)))
    outline(page)
    assert "1 of 2 checks of the survey did not pass" in page
    assert page.index("published 61%") < page.index("weighted correlation 0.31")
    assert "checks of the survey" not in render_report(make_context(surveys=(SurveyUse(name="a", respondents=600),)))
