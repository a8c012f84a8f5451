"""What other choices would have given stands in tables: survey weights, less of a second survey, other priors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from placewise.publish.context import ReportContext
from placewise.publish.report import render_report
from placewise.publish.report.alternatives import alternatives_view

Maker = Callable[..., ReportContext]


def _row(**changes: Any) -> dict[str, Any]:
    row = {
        "mean": 0.62, "sd": 0.01, "national": 0.1, "areas": 24, "largest": -0.3, "beyond": 0, "spread": 0.1,
        "clear": 0.2, "width": 0.15,
    }  # fmt: skip
    return row | changes


def _tried(**changes: Any) -> dict[str, Any]:
    verdict = {"value": 0.01, "threshold": 0.05, "leans": False}
    weights = _row(
        moved=["L03", "L07"], shifts=[-1.2, 0.6], corrected={}, ratios={"sex": 0.9}, chance=3.5, largest=-1.2
    )
    tried = {
        "level": "lad",
        "weights": weights,
        "surveys": [{"survey": "uk_hls", "power": 0.5, **_row()}, {"survey": "uk_hls", "power": 0.0, **_row(mean=0.6)}],
        "priors": {"published": _row(national=0.0, largest=0.0), "refits": []},
        "powers": {"national": verdict, "spread": verdict, "clear": verdict},
    }
    return tried | changes


def test_weights_and_a_second_survey_stand_beside_the_published_figures(make_context: Maker) -> None:
    context = make_context(alternatives=_tried())
    page = render_report(context)
    name = context.rows("lad").set_index("area_code")["area_name"]["L03"]
    for said in (
        "2 of 24 local authorities move by more than half of their own uncertainty",
        "would move up to about 4 of them so far by chance alone",
        "Where survey weights would move the figures of local authorities most",
        f'<th scope="row">{name}</th>',
        "−1.20",
        "What survey weights and less of one survey would change",
        "Each answer of “uk hls” counted half",
        "Without the answers of “uk hls”",
        "the largest ratio of variances is 0.90; above 1.2 it would be corrected",
        "As published",
        "The survey itself decided every size",
    ):
        assert said in page, said


def test_it_says_that_other_choices_were_tried_without_the_other_outcomes(make_context: Maker) -> None:
    joint = {"titles": {"belonging": "Belonging", "trust": "Trust"}, "correlations": [], "people": []}
    for context, said in ((make_context(alternatives=_tried()), ""), (make_context(alternatives=_tried(), joint=joint),
                          "What follows is of this outcome fitted by itself")):  # fmt: skip
        view = alternatives_view(context)
        assert view is not None
        assert view["of"].startswith(said)
        assert bool(view["of"]) == bool(said)


def test_what_was_not_tried_or_failed_is_not_told_as_a_figure(make_context: Maker) -> None:
    page = render_report(make_context(alternatives=_tried(weights=None, surveys=[])))
    assert "The survey has no weights" in page
    assert "would move the figures of local authorities most" not in page
    assert "With survey weights" not in page
    failed = {"survey": "b", "power": 0.0, "failed": "no mode was found"}
    page = render_report(make_context(alternatives=_tried(weights={"failed": "no mode was found"}, surveys=[failed])))
    assert "was tried and failed: no mode was found" in page
    assert page.count(">failed<") == 2
