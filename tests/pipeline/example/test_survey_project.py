"""The project that comes with the example: both readers read its surveys, in every format, and find nothing amiss."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from placewise.errors import Problems
from placewise.geography.reading import read_areas
from placewise.pipeline.check import check_folder
from placewise.pipeline.project_file import read_project
from placewise.pipeline.run import RunOptions
from placewise.surveys.readers import READERS
from placewise.surveys.respondents import Respondents

COLUMNS = {
    "cls": ("age", "sex", "belonging", "satisfaction", "chatting", "favours", "pull_together", "trust", "get_on"),
    "panel": ("age", "sex", "nbrsnci", "tenure", "ethnic_group", "economic_activity", "qualification", "urban"),
}


def read(folder: Path, survey: str) -> Respondents:
    spec = read_project(folder / "surveys")
    problems = Problems()
    areas = read_areas(spec.areas, {}, problems, ())
    found = READERS[spec.surveys[survey].reader](spec.surveys[survey], areas, COLUMNS[survey], problems)
    problems.raise_if_any()
    assert isinstance(found, Respondents)
    return found


@pytest.mark.parametrize("form", ["tab", "sav", "dta"])
def test_the_project_has_no_problem(written: dict[str, Path], form: str) -> None:
    assert "no problems" in check_folder(written[form] / "surveys", RunOptions()).text()


def test_every_format_gives_the_same_respondents(written: dict[str, Path]) -> None:
    first = read(written["tab"], "panel")
    assert len(first.table) > 150
    for form in ("sav", "dta"):
        other = read(written[form], "panel")
        pd.testing.assert_frame_equal(other.table, first.table)
        for part in ("codes", "weight", "psu", "strata"):
            assert (getattr(other, part) == getattr(first, part)).all(), part


@pytest.mark.parametrize("survey", ["cls", "panel"])
def test_every_check_of_the_readers_passes(survey: str, standard: Path) -> None:
    found = read(standard, survey)
    assert found.account is not None
    verdicts = {check.name: check.verdict for check in found.account.checks}
    assert set(verdicts.values()) == {"pass"}, verdicts
    assert len(verdicts) == {"cls": 18, "panel": 5}[survey]
    assert found.table[[*COLUMNS[survey]]].notna().mean().min() > 0.95
