"""How two surveys of one outcome differ is told in words, with a chart, and nothing is told of one survey."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from placewise.publish.context import ReportContext
from placewise.publish.report import render_report

Maker = Callable[..., ReportContext]

SIZE = {"prior": "half_normal(0.1)", "mean": 0.08, "q05": 0.01, "q95": 0.2, "set_by_prior": True}
TOLD: dict[str, Any] = {
    "reference": "cls",
    "level": "lad",
    "compared": 22,
    "withheld": 2,
    "untold": 0,
    "scale": {"prior": "lognormal(0, 0.5)", "mean": 0.52, "q05": 0.4, "q95": 0.66, "set_by_prior": False},
    "sd": SIZE,
    "agreement": {"statistic": 60.0, "degrees": 21.0, "p": 0.00002},
    "rate": 0.1,
    "apart": ["L03", "L05"],
    "beyond": ["L03"],
    "areas": [
        {"code": f"L{k:02d}", "difference": 0.2 if k == 3 else 0.01, "se": 0.03, "z": 6.0 if k == 3 else 0.3, "p": 0.5}
        for k in range(22)
    ],
}


def test_a_survey_that_departs_is_told_with_its_places(make_context: Maker) -> None:
    context = make_context(conflicts={"ukhls": TOLD})
    page = render_report(context)
    name = context.rows("lad").set_index("area_code")["area_name"]["L03"]
    for said in (
        "The survey “ukhls” does not agree with “cls” everywhere",
        "with a probability of less than 0.1%",
        f"In 2 of the local authorities they differ by more than chance in who was asked explains ({name} and ",
        f"in 1 by more than even departures of the size that the model allows for ({name}).",
        "About one in 10 of such findings is wrong.",
        "2 with fewer than ten respondents of either survey are left out.",
        "moves “ukhls” 0.5 times as strongly",
        "In 2 of 22 local authorities the surveys differ by more than chance",
        "set by the prior",
    ):
        assert said in page, said


def test_surveys_that_agree_are_said_to(make_context: Maker) -> None:
    agreed = {
        **TOLD,
        "apart": [],
        "beyond": [],
        "agreement": {"statistic": 20.0, "degrees": 21.0, "p": 0.52},
        "withheld": 0,
    }
    agreed["scale"] = {**TOLD["scale"], "q05": 0.9, "q95": 1.2}
    page = render_report(make_context(conflicts={"ukhls": agreed}))
    assert "agrees with “cls” as far as can be told" in page
    assert "with a probability of 52%" in page
    assert "about as strongly" in page
    assert "fewer than ten respondents of either" not in page
    assert "Scale of “ukhls”" not in render_report(make_context())


def test_surveys_that_cannot_be_compared_are_said_to_be_so(make_context: Maker) -> None:
    nothing = {**TOLD, "compared": 0, "areas": [], "apart": [], "beyond": [], "agreement": {"p": 1.0}}
    page = render_report(make_context(conflicts={"ukhls": nothing}))
    assert "In none of the local authorities have both surveys ten respondents" in page


def test_the_check_has_words(make_context: Maker) -> None:
    checks = [{"name": "surveys: ukhls", "value": 1.0, "threshold": 0.0, "verdict": "warn", "sentence": "s"}]
    page = render_report(make_context(diagnostics={"status": "warn", "checks": checks}))
    assert "areas where ukhls departs from the reference survey unexpectedly" in page
