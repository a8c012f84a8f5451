"""Which areas are meant, and how their difference is told."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from placewise.errors import ConfigurationError
from placewise.pipeline.comparison import Comparison, _find

CODES = np.array(["E1", "E2", "E3", "E4"], dtype=object)
LAD = np.array(["L1", "L1", "L2", "L3"], dtype=object)


@pytest.fixture
def release():
    predictor = SimpleNamespace(code="oa", codes=CODES, levels={"lad": LAD})
    names = {
        "oa": {"E1": "Mill", "E2": "Mill", "E3": "Ford", "E4": "Northwick"},
        "lad": {"L1": "Easton", "L2": "Northwick", "L3": "Ford"},
    }
    return SimpleNamespace(predictor=predictor, names=names)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("E1", "E3", ("oa", "E1", "E3")),
        ("L1", "L2", ("lad", "L1", "L2")),
        ("easton", "Northwick", ("lad", "L1", "L2")),
        ("Northwick", "L3", ("lad", "L2", "L3")),
        ("Northwick", "Ford", ("oa", "E4", "E3")),
        ("E1", "ford", ("oa", "E1", "E3")),
    ],
)
def test_areas_are_found_by_code_or_name_at_the_finest_level_of_both(release, a, b, expected):
    assert _find(release, a, b) == expected


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ("E1", "L2", "'E1' is an area of 'oa' and 'L2' one of 'lad' (name two areas of one level)"),
        ("Easton", "E3", "'Easton' is an area of 'lad' and 'E3' one of 'oa' (name two areas of one level)"),
        ("Mill", "E3", "2 areas of 'oa' are called 'Mill' (write a code: E1, E2)"),
        ("Eastn", "L2", "there is no area 'Eastn' (did you mean 'Easton'?)"),
        ("Easton", "E9", "there is no area 'E9' (known: 'E1', 'E2'"),
    ],
)
def test_what_is_meant_must_be_clear(release, a, b, message):
    with pytest.raises(ConfigurationError) as error:
        _find(release, a, b)
    assert message in str(error.value)


def comparison(p: float = 0.04, **changes: object) -> Comparison:
    ends = {f"ci{w}_{end}": s * w / 1000 - 0.05 for w in (50, 90, 95) for end, s in (("lower", -1), ("upper", 1))}
    difference = pd.Series({"mean": -0.05, "sd": 0.03, **ends, "p_greater": p})
    given = {"level": "lad", "a": "L1", "b": "L2", "name_a": "Easton", "name_b": "L2", "difference": difference}
    return Comparison(**(given | {"kind": "share", "index": False, "higher_is_better": True} | changes))


def test_a_difference_of_shares_is_told_in_points_with_its_direction():
    assert comparison().text().splitlines() == [
        "Easton (L1) minus L2, lad, in percentage points",
        "Easton is lower, which is worse, with probability 0.96",
        "difference  -5 (sd 3)",
        "50%         -10 to +0",
        "90%         -14 to +4",
        "95%         -14.5 to +4.5",
    ]


def test_direction_follows_the_polarity_and_the_index_is_oriented():
    assert "lower, which is better," in comparison(higher_is_better=False).text()
    told = comparison(p=0.999, index=True, higher_is_better=False)
    assert "Easton is higher, which is better, with probability over 0.99" in told.text()
    assert "points of the index" in told.text()
    assert "difference  -0.05 (sd 0.03)" in told.text()
    assert told.as_dict()["unit"] == "index"
    assert told.as_dict()["higher_is_better"] is True


def test_json_has_the_names_and_the_estimand_s_own_units():
    told = comparison(failed=True).as_dict()
    assert (told["a"], told["name_a"], told["unit"], told["mean"], told["flag"]) == (
        "L1", "Easton", "share", -0.05, "failed_checks"
    )  # fmt: skip
    assert "failed_checks" in comparison(failed=True).text()
    assert "flag" not in comparison().as_dict()
