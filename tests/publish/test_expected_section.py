"""What the model expected before any answer stands in the report, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from placewise.publish.context import ReportContext
from placewise.publish.report import render_report

Maker = Callable[..., ReportContext]

TOLD: dict[str, Any] = {
    "draws": 1000,
    "areas": 500,
    "national": {"prior": [0.05, 0.46, 0.94], "posterior": [0.62, 0.64, 0.65], "tail": 0.7},
    "spread": {"prior": [0.021, 0.099, 0.234], "posterior": [0.088, 0.098, 0.109], "tail": 0.99},
    "figures": {"prior": [0.03, 0.46, 0.97], "posterior": [0.45, 0.65, 0.78]},
    "beyond": 0.026,
}


def test_expectation_and_answers_stand_side_by_side(make_context: Maker) -> None:
    page = render_report(make_context(expected=TOLD))
    for said in (
        "output areas were expected to differ by 2.1 to 23 points (standard deviation); with the answers it is",
        "Expected before any answer, 90%",
        "5% to 94%",
        "62% to 65%",
        "2.6% of the expectation is on larger differences than in any outcome known",
    ):
        assert said in page, said
    assert "Expected before any answer" not in render_report(make_context())


def test_a_warning_is_told_where_the_figures_are(make_context: Maker) -> None:
    sentence = "Before any answer the priors put 31.0% of their weight on small areas that differ too much."
    checks = [{"name": "prior: spread", "value": 0.31, "threshold": 0.1, "verdict": "warn", "sentence": sentence}]
    page = render_report(make_context(expected=TOLD, diagnostics={"status": "warn", "checks": checks}))
    assert page.count(sentence) >= 1
    assert "weight of the priors on differences larger than in any outcome known" in page


def test_flat_priors_and_figures_beyond_numbers_are_said(make_context: Maker) -> None:
    page = render_report(make_context(expected={"improper": ["intercept", "slope:log(density)"]}))
    assert "the prior of intercept and slope by log(density) is flat" in page
    wide = {**TOLD, "spread": {**TOLD["spread"], "prior": [0.0, 1.0, None]}}
    assert "0.0 points or any more (standard deviation)" in render_report(make_context(expected=wide))
