from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from placewise.errors import Problems
from placewise.pipeline.community_life_keys import KEYS, community_life_keys
from placewise.schema import Place, walk
from placewise.surveys.sources import survey_files
from placewise.surveys.spec import CommunityLifeKeys, SurveySpec


def keys(**written: Any) -> tuple[CommunityLifeKeys | None, list[str]]:
    problems = Problems()
    found = walk(written, KEYS, Place("placewise.toml", problems, Path("/")))
    return (None if problems else community_life_keys(found)), [str(p) for p in problems]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({}, {}),
        ({"year": "2023/24", "mode": "Web"}, {"year": "2023-24", "mode": "online"}),
        ({"year": 2023, "mode": "CMode"}, {"year": "2023-24", "mode_column": "CMode"}),
        ({"year": "SurveyYear"}, {"year_column": "SurveyYear"}),
        ({"year": {"column": "2016-17"}}, {"year_column": "2016-17"}),
        ({"mode": ["online", "Postal"]}, {"mode_column": "mode", "modes": ("online", "paper")}),
        (
            {"mode": {"column": "M", "keep": ["face to face"]}, "pool_modes": True},
            {"mode_column": "M", "modes": ("face-to-face",), "pool_modes": True},
        ),
        ({"aliases": {"belonging": "Q1", "sex": ["A", "B"]}}, {"aliases": {"belonging": ("Q1",), "sex": ("A", "B")}}),
    ],
)
def test_what_a_project_may_say(written: dict[str, Any], expected: dict[str, Any]) -> None:
    assert keys(**written) == (CommunityLifeKeys(**expected), [])


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"year": "2022-23"}, "there was no Community Life Survey in 2022-23"),
        ({"year": 2031}, "2031-32 is not a survey year known here"),
        ({"year": "2023-25"}, "'2023-25' is no survey year"),
        ({"year": ["2023-24"]}, "expected a survey year or a column, got a list"),
        ({"mode": ["onlin"]}, "'onlin' is no mode of interview (did you mean 'online'?)"),
        ({"mode": {"keep": ["online"]}}, "mode.column: this key is required"),
        ({"aliases": {"mode": "CMode"}}, "'mode' is no concept (name its column by the key 'mode'"),
        ({"pool_modes": "yes"}, "expected true or false"),
        ({"codebook": "nowhere.csv"}, "there is no file 'nowhere.csv'"),
    ],
)
def test_what_it_may_not(written: dict[str, Any], message: str) -> None:
    found, problems = keys(**written)
    assert found is None
    assert len(problems) == 1
    assert message in problems[0]


def test_a_changed_codebook_is_a_changed_input(tmp_path: Path) -> None:
    book = CommunityLifeKeys(codebook=tmp_path / "codebook.csv")
    spec = SurveySpec("cls", tmp_path / "cls.tab", "LAD", "lad", reader="cls", community_life=book)
    assert survey_files(spec) == (tmp_path / "cls.tab", tmp_path / "codebook.csv")
