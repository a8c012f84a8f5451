"""What each of several questions was answered, beside what was foreseen: charts, captions and lines of the checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from placewise.publish.context import AskedItem, ReportContext
from placewise.publish.report import render_report
from placewise.publish.report.foreseen import foreseen_figures, is_of_item, item_rows
from placewise.publish.report.quality import quality_view

Maker = Callable[..., ReportContext]
ASKED = (
    AskedItem(name="first:trust", survey="first", column="trust", wording="Can <b>they</b> be trusted?",
              levels=("few", "some", "many")),
    AskedItem(name="second:stop_to_talk", survey="second", column="stop_to_talk", levels=("1", "2", "3", "4")),
)  # fmt: skip


def answers(*observed: float) -> pd.DataFrame:
    """Three groups, of which 2.0 to 2.2 was foreseen."""
    table = pd.DataFrame({"group": ["North", "Midlands", "South"], "observed": observed, "predicted": 2.1})
    return table.assign(lower=2.0, upper=2.2, p_value=[0.5 if 2.0 <= y <= 2.2 else 0.99 for y in observed])


PREDICTIVE = {
    "first:trust by region": answers(2.1, 2.3, 1.94),
    "first:trust by age": answers(2.1, 2.1, 2.1),
    "second:stop_to_talk by region": answers(2.1, 2.1, 2.1),
    "second:stop_to_talk by age": answers(2.1, 2.1, 2.1),
}
CHECKS: list[dict[str, Any]] = [
    {"name": f"predictive: {name}", "value": share, "threshold": 0.9, "verdict": verdict}
    for name, share, verdict in zip(PREDICTIVE, (1 / 3, 1.0, 1.0, 1.0), ("warn", "pass", "pass", "pass"), strict=True)
]


@pytest.fixture
def scale(make_context: Maker) -> ReportContext:
    khat = {"name": "khat", "value": 0.2134, "threshold": 0.7, "verdict": "pass"}
    return make_context(
        kind="mean", asked=ASKED, predictive=PREDICTIVE, diagnostics={"status": "warn", "checks": [khat, *CHECKS]}
    )


def test_each_chart_has_the_wording_and_a_caption_of_its_own(scale: ReportContext) -> None:
    first, second = foreseen_figures(scale)
    assert first.title == (
        "“Can <b>they</b> be trusted?”, by region: 1 of 3 groups answered as the model would predict"
    )
    assert first.note == (
        "Midlands answered higher (2.30 where 2.00 to 2.20 was foreseen) and South answered lower (1.94 where 2.00 to "
        "2.20 was foreseen)."
    )
    assert "mean answer, 1 = few, 3 = many" in str(first.drawing)
    assert "mean answer, 1 to 4" in str(second.drawing)
    assert second.title.startswith("“stop to talk” (second), by region: 3 of 3 groups")
    assert second.note == "Every group answered inside what the model allows."


def test_answers_too_long_for_an_axis_are_left_to_the_table_of_questions(make_context: Maker) -> None:
    wordy = AskedItem(name="a", survey="s", column="a", levels=("no one in this place at all", "every one of them"))
    (chart,) = foreseen_figures(make_context(asked=(wordy,), predictive={"a by region": answers(2.1, 2.1, 2.1)}))
    assert "mean answer, 1 to 2<" in str(chart.drawing)


def test_what_lies_just_outside_is_not_written_as_on_the_edge(make_context: Maker) -> None:
    (chart,) = foreseen_figures(make_context(kind="mean", predictive={"region": answers(2.1, 1.997, 2.1)}))
    assert chart.note == "Midlands answered lower (1.997 where 2.000 to 2.200 was foreseen)."


def test_a_caption_names_three_groups_and_counts_the_rest(make_context: Maker) -> None:
    table = pd.concat([answers(2.3, 2.3, 2.3), answers(2.3, 2.1, 2.1)])
    (chart,) = foreseen_figures(make_context(kind="mean", predictive={"region": table}))
    assert chart.note.count("answered higher") == 3
    assert chart.note.endswith(" and 1 more is outside.")


def test_the_checks_have_one_line_a_question_and_all_in_a_fold(scale: ReportContext) -> None:
    view = quality_view(scale)
    assert [[cell.text for cell in row] for row in view["checks"].rows] == [
        ["Pareto k of the importance weights", "0.213", "below 0.7", "pass"],
        ["answers to “Can <b>they</b> be trusted?” foreseen, over region and age",
         "4 of 6 groups inside, smallest p 0.02", "about 9 in 10", "warn"],
        ["answers to “stop to talk” (second) foreseen, over region and age",
         "6 of 6 groups inside, smallest p 1.00", "about 9 in 10", "pass"],
    ]  # fmt: skip
    assert view["checks"].caption == "Of 5 checks of the computation, 0 failed and 1 gave a warning"
    assert [row[1].text for row in view["by_question"].rows] == ["0.33", "1.00", "1.00", "1.00"]
    page = render_report(scale)
    assert "<details><summary>Each question’s checks, grouping by grouping (4)</summary>" in page
    assert "<b>they</b>" not in page
    assert page.count("Hollow dot") == 1


def test_checks_without_their_tables_are_told_by_their_verdict(make_context: Maker) -> None:
    ((label, found, _, verdict),) = item_rows(make_context(), CHECKS[:1])
    assert (label.text, found.text, verdict.text) == ("answers to “trust” (first) foreseen, over region", "–", "warn")


def test_checks_of_one_question_stand_by_themselves(make_context: Maker) -> None:
    alone = {"name": "predictive: age", "value": 0.8, "threshold": 0.9, "verdict": "pass"}
    assert not is_of_item(alone)
    view = quality_view(make_context(diagnostics={"status": "pass", "checks": [alone]}))
    assert view["by_question"] is None
    assert [cell.text for cell in view["checks"].rows[0]] == ["answers foreseen, by age", "0.8", "about 0.9", "pass"]
