from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from placewise.surveys.cls.concepts import CONCEPTS, FACE_TO_FACE, MODE_LABELS, MODES, ORDER, YEARS
from placewise.surveys.cls.published import FIGURES, POSITIVE
from placewise.surveys.cls.totals import check_totals

MEASURES = {
    "belong_neighbourhood": "belonging",
    "belong_britain": "belonging_britain",
    "local_area_satisfaction": "satisfaction",
    "chat_neighbours": "chatting",
    "exchange_favours": "favours",
    "pull_together": "pull_together",
    "cohesion": "get_on",
}


def people(share: float, n: int = 2000, year: str = "2023-24", mode: str = "online") -> pd.DataFrame:
    yes = round(share * n)
    answers = ["fairly strongly"] * yes + ["not very strongly"] * (n - yes)
    return pd.DataFrame({"belonging": answers, "year": year, "mode": mode}).astype("str")


def test_every_figure_is_the_one_that_was_collected(shared: Path) -> None:
    with (shared / "surveys" / "published_estimates.csv").open(encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if (r["survey"], r["group_type"]) == ("CLS", "all")]
    series = {"face-to-face": (FACE_TO_FACE,), "online/paper": tuple(m for m in MODES if m != FACE_TO_FACE)}
    collected = {
        (MEASURES[r["measure"]], r["year"], float(r["estimate"]), series[r["mode"]])
        for r in rows
        if r["measure"] in MEASURES
    }
    assert {(f.concept, f.year, float(f.percent), f.modes) for f in FIGURES} == collected
    assert len(FIGURES) == len(collected) == 35


def test_concepts_positives_and_years_fit_together() -> None:
    for figure in FIGURES:
        assert set(figure.modes) <= set(YEARS[figure.year])
        assert set(POSITIVE[figure.concept]) < set(ORDER[figure.concept])
    for name, order in ORDER.items():
        assert set(CONCEPTS[name].values.values()) == set(order)
    assert set(MODE_LABELS.values()) == set(MODES)


@pytest.mark.parametrize(
    ("share", "verdict"),
    # 61% published; 2.58 standard errors of 2,000 people are 2.8 points, and rounding half of one
    [(0.61, "pass"), (0.64, "pass"), (0.65, "warn"), (0.56, "warn"), (0.68, "fail"), (0.39, "fail")],
)
def test_a_share_is_held_against_its_published_figure(share: float, verdict: str) -> None:
    (check,) = check_totals(people(share), np.ones(2000))
    assert check.verdict == verdict
    assert f"{100 * share:.1f}%; published 61%" in check.message
    assert "about 2,000 respondents, design effect 1.00" in check.message
    assert "gov.uk" in check.message


def test_the_design_effect_widens_what_is_allowed() -> None:
    clusters = np.arange(2000) // 20
    table, weight = people(0.66), np.ones(2000)
    assert check_totals(table, weight)[0].verdict == "warn"
    # clusters of one answer each: twenty respondents count as one
    assert check_totals(table, weight, clusters)[0].verdict == "pass"


def test_each_series_is_held_against_its_own_figures() -> None:
    both = pd.concat([people(0.79, year="2012-13", mode="face-to-face"), people(0.62, year="2018-19")])
    checks = check_totals(both.reset_index(drop=True), np.ones(4000))
    assert [c.verdict for c in checks] == ["pass", "pass"]
    assert [c.name.split(" for ")[1] for c in checks] == ["2012-13, face-to-face", "2018-19, online/paper"]
    (none,) = check_totals(people(0.79, year="2018-19", mode="face-to-face"), np.ones(2000))
    assert none.verdict == "warn"
    assert "none is known" in none.message


def test_weights_that_are_zero_count_nobody() -> None:
    weight = np.r_[np.ones(1000), np.zeros(1000)]
    (check,) = check_totals(people(0.5), weight)
    assert "100.0%; published 61%" in check.message
    assert "about 1,000 respondents;" in check.message
