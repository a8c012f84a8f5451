"""One name of an item in three places: the message names the place that is wrong."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from placewise.errors import Problems
from placewise.models.item_names import check_item_names
from placewise.schema import Place

ASKED = {"first": ("proud", "stay"), "second": ("trust",)}


def told(order: Collection[str], has: dict[str, set[str]]) -> list[str]:
    problems = Problems()
    outcome = Place("m.toml", problems, key="outcome")
    check_item_names(order, ASKED, outcome.at("order"), outcome.at("items"), lambda survey: has.get(survey, set()))
    return [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("has", "message"),
    [
        (
            {"first": {"proud", "stay"}},
            "m.toml: outcome.order.prowd: 'prowd' is not an item of this outcome (did you mean 'proud'?)",
        ),
        (
            {"first": {"prowd", "stay"}},
            "m.toml: outcome.items: survey 'first' has no column 'proud' (did you mean 'prowd', as in outcome.order?)",
        ),
        (
            {},
            "m.toml: outcome.order.prowd: 'prowd' is not an item of this outcome, and item 'proud' has no order "
            "(write one name here and in outcome.items)",
        ),
        (
            {"first": {"proud", "prowd"}},
            "m.toml: outcome.order.prowd: 'prowd' is not an item of this outcome, and item 'proud' has no order "
            "(write one name here and in outcome.items)",
        ),
    ],
)
def test_a_name_in_two_spellings_is_one_problem_where_the_survey_says(has: dict[str, set[str]], message: str) -> None:
    assert told(["prowd", "stay", "trust"], has) == [message]


def test_names_that_agree_need_no_survey() -> None:
    assert told(["trust", "stay", "proud"], {}) == []


def test_an_item_left_out_tells_which_line_to_delete_and_one_added_which_to_write() -> None:
    assert told(["proud", "stay", "trust", "belonging"], {}) == [
        "m.toml: outcome.order.belonging: 'belonging' is not an item of this outcome "
        "(delete this line, or name 'belonging' in outcome.items too)"
    ]
    assert told(["proud", "stay"], {}) == [
        "m.toml: outcome.order: there is none for item 'trust' "
        "(write trust = [lowest, …, highest], or take 'trust' out of outcome.items)"
    ]
