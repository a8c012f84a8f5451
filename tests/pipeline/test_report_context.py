"""What the report's context makes of a project's levels."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from placewise.pipeline.report import _middle_level, _predictive


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ((), None),
        (("two",), None),
        (("nine", "two"), "nine"),
        (("nine", "three"), "nine"),
        (("nine",), "nine"),
    ],
)
def test_the_level_of_direct_figures_has_three_areas_or_there_is_none(levels, expected):
    table = pd.DataFrame({"two": list("ab") * 9, "three": list("abc") * 6, "nine": list("abcdefghi") * 2})
    run = SimpleNamespace(data=SimpleNamespace(areas=SimpleNamespace(table=table)))
    assert _middle_level(levels, run) == expected


def test_predictions_of_groups_too_small_to_be_told_are_no_table_and_counts_are_left_out():
    row = {"group": "N", "n": 12, "observed": 2.0, "predicted": 2.1, "lower": 1.9, "upper": 2.3, "p_value": 0.3}
    data = SimpleNamespace(areas=SimpleNamespace(names={"region": {"N": "North"}}))
    found = _predictive(data, {"trust by region": [row], "trust by age": []})
    assert list(found) == ["trust by region"]
    assert list(found["trust by region"]) == ["group", "observed", "predicted", "lower", "upper", "p_value"]
    assert found["trust by region"]["group"].tolist() == ["North"]
