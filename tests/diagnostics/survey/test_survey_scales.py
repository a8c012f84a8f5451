"""Scales of a survey: told with their reasons, and nothing of a few."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from placewise.diagnostics.survey.scales import describe_scale
from placewise.surveys.design import SurveyDesign
from placewise.surveys.scale_quality import scale_quality

ORDER = ("no", "rather", "yes")


def items(n: int = 400, turned: bool = False) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    common = rng.normal(size=n)
    scores = {f"q{j}": np.digitize(common + rng.normal(size=n), [-0.7, 0.7]) for j in range(4)}
    if turned:
        scores["q2"] = 2 - scores["q2"]
    return pd.DataFrame({name: pd.Series(np.array(ORDER)[k], dtype="str") for name, k in scores.items()})


def test_categories_are_scored_in_their_order():
    table = items()
    scored = table.apply(lambda c: c.map({"no": 1, "rather": 2, "yes": 3})).astype(float)
    design = SurveyDesign(np.ones(400), np.arange(400) // 4)
    found = describe_scale("trust", table, list(table), ORDER, design)
    expected = scale_quality(scored, design)
    assert found.quality.weighted.alpha == expected.weighted.alpha
    assert found.quality.weighted.omega == expected.weighted.omega
    assert found.check().verdict == "pass"


def test_a_turned_item_is_a_warning():
    found = describe_scale("trust", items(turned=True), ["q0", "q1", "q2", "q3"], ORDER, SurveyDesign(np.ones(400)))
    check = found.check()
    assert check.verdict == "warn"
    assert "'q2' runs against the others" in check.message


@pytest.mark.parametrize(
    ("names", "order", "said"),
    [(["q0", "q9"], ORDER, "no column 'q9'"), (["q0", "q1"], (), "holds text"), (["q0"], ORDER, "1 items given")],
)
def test_items_that_make_no_scale_have_a_reason(names, order, said):
    found = describe_scale("trust", items(), names, order, SurveyDesign(np.ones(400)))
    assert found.quality is None
    assert said in found.check().message
    assert said in found.to_json()["problem"]


def test_few_missing_answers_cannot_be_counted_from_the_json():
    table = items()
    table.loc[:3, "q0"] = None
    table.loc[:39, "q1"] = None
    found = describe_scale("trust", table, list(table), ORDER, SurveyDesign(np.ones(400)))
    told = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert [row["share_missing"] for row in told["unweighted"]["items"]] == [None, 0.1, 0.0, 0.0]
    assert [row["answered"] for row in told["unweighted"]["items"]] == [400, 360, 400, 400]
    assert (told["complete"], told["share_complete"]) == (360, 0.9)
    few = describe_scale("trust", table.drop(columns="q1"), ["q0", "q2", "q3"], ORDER, SurveyDesign(np.ones(400)))
    assert few.to_json()["share_complete"] is None
    assert few.share_missing(0) is None


def test_each_item_is_scored_by_its_own_answers() -> None:
    table, design = items(), SurveyDesign(np.ones(400))
    expected = describe_scale("trust", table, list(table), ORDER, design)
    table["q3"] = table["q3"].map({"no": "seldom", "rather": "often", "yes": "always"})
    own = dict.fromkeys(table, ORDER) | {"q3": ("seldom", "often", "always")}
    found = describe_scale("trust", table, list(table), own, design)
    assert found.quality.weighted.alpha == expected.quality.weighted.alpha
    assert found.check() == expected.check()
