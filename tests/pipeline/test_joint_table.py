"""The table ``[joint]``: read strictly, and what it asks of the outcomes named on the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from placewise.errors import ConfigurationError
from placewise.pipeline.project_file import read_project

Make = Callable[..., Path]
TOGETHER = {"joint": {"outcomes": ["belonging", "trust"]}}


@pytest.fixture
def three(make_project: Make) -> Callable[..., Path]:
    """A project of three outcomes, with some changes."""

    def make(changes: dict[str, Any]) -> Path:
        folder = make_project(changes)
        model = (folder / "models" / "belonging.toml").read_text("utf-8")
        for name in ("trust", "health"):
            (folder / "models" / f"{name}.toml").write_text(model, "utf-8")
        return folder

    return make


def test_without_the_table_each_outcome_is_by_itself(three: Make) -> None:
    assert read_project(three({})).joint == ()


def test_the_outcomes_stand_in_their_order(three: Make) -> None:
    spec = read_project(three({"joint": {"outcomes": ["trust", "belonging"]}}))
    assert spec.joint == ("trust", "belonging")
    assert list(spec.models) == ["belonging", "health", "trust"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"outcomes": ["belonging", "trsut"]}, "did you mean 'trust'"),
        ({"outcomes": ["belonging"]}, "at least 2 values"),
        ({"outcomes": ["belonging", "belonging"]}, "more than once"),
        ({"outcomes": "belonging"}, "expected a list"),
        ({"outcome": ["belonging", "trust"]}, "outcomes"),
        ({}, "required"),
    ],
)
def test_what_is_wrong_with_the_table_is_told(three: Make, table: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        read_project(three({"joint": table}))
    assert message in str(error.value)
    assert error.value.exit_status == 2


def test_an_outcome_of_several_is_not_run_without_the_others(three: Make) -> None:
    with pytest.raises(ConfigurationError) as error:
        read_project(three(TOGETHER), outcomes=["belonging", "health"])
    assert "'belonging' is modelled together with 'trust'" in str(error.value)
    assert "--outcome belonging --outcome trust" in str(error.value)


def test_all_of_them_or_none_may_be_named(three: Make) -> None:
    folder = three(TOGETHER)
    assert read_project(folder, outcomes=["belonging", "trust"]).joint == ("belonging", "trust")
    assert read_project(folder, outcomes=["health"]).joint == ()


def test_the_folder_of_what_outcomes_have_in_common_is_no_outcome(three: Make) -> None:
    folder = three(TOGETHER)
    (folder / "models" / "trust.toml").rename(folder / "models" / "joint.toml")
    with pytest.raises(ConfigurationError, match="rename its model file"):
        read_project(folder)
