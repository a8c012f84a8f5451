from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from placewise.errors import PlacewiseError
from placewise.pipeline.project_file import read_project, to_toml
from placewise.surveys.spec import GeographyFile, LookupFile

Make = Callable[..., Path]
MINIMAL: dict[str, Any] = {
    "survey.cls": {
        "reader": "ukhls",
        "path": "data",
        "waves": ["c", "f"],
        "geography": {"path": "data", "vintage": "lsoa21"},
    }
}


def test_the_least_that_a_project_says(make_project: Make) -> None:
    folder = make_project(MINIMAL)
    project = read_project(folder)
    survey = project.surveys["cls"]
    assert (survey.reader, survey.waves, survey.path) == ("ukhls", ("c", "f"), project.root / "data")
    assert survey.geography == GeographyFile(project.root / "data", "lsoa21")
    assert (survey.area_column, survey.area_level, survey.weight, survey.weights) == ("", "", "", {})
    assert tomllib.loads(to_toml(project))["survey"]["cls"] == MINIMAL["survey.cls"]


def test_everything_that_a_project_may_say(make_project: Make) -> None:
    lookup = {"path": "data/cells.csv", "from": "LSOA11CD", "to": "LSOA21CD"}
    keys = {
        "geography": {"path": "data", "vintage": "oac", "file": "{w}_oac", "lookup": lookup},
        "area": {"column": "{w}_oac", "level": "lsoa21cd"},
        "weight": {"c": "c_indinub_xw"},
        "where": {"gor_dv": [1, 2]},
        "psu": "psu",
        "strata": "strata",
    }
    survey = read_project(make_project({"survey.cls": {**MINIMAL["survey.cls"], **keys}})).surveys["cls"]
    assert survey.geography is not None
    assert survey.geography.file == "{w}_oac"
    assert survey.geography.lookup is not None
    assert isinstance(survey.geography.lookup, LookupFile)
    assert (survey.geography.lookup.source, survey.geography.lookup.target) == ("LSOA11CD", "LSOA21CD")
    assert (survey.area_column, survey.area_level) == ("{w}_oac", "lsoa21cd")
    assert (survey.weights, survey.weight) == ({"c": "c_indinub_xw"}, "")
    named = {**MINIMAL["survey.cls"], "area": "lsoa21cd", "weight": "indscui_xw"}
    survey = read_project(make_project({"survey.cls": named})).surveys["cls"]
    # the study's own name of the column follows from the vintage
    assert (survey.area_column, survey.area_level, survey.weight) == ("", "lsoa21cd", "indscui_xw")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"waves": None}, "survey.cls.waves: this key is required"),
        ({"waves": []}, "expected at least 1 value"),
        ({"waves": ["c", "ba"]}, "survey.cls.waves[1]: expected one of 'a', 'b'"),
        ({"waves": ["c", "c"]}, "'c' stands there more than once"),
        ({"geography": None}, "survey.cls.geography: this key is required"),
        ({"geography": {"path": "data", "vintage": "lsoa2021"}}, "did you mean 'lsoa21'?"),
        ({"geography": {"path": "elsewhere", "vintage": "lad"}}, "there is no folder 'elsewhere'"),
        ({"path": "download"}, "there is no folder 'download'"),
        ({"missing": [-9]}, "survey.cls.missing: unknown key"),
        ({"area": "lsoa2021"}, "did you mean 'lsoa21cd'?"),
        ({"weight": {"d": "d_indscub_xw"}}, "wave 'd' is not among the waves (waves: c, f)"),
        ({"weight": {"z": "x"}}, "survey.cls.weight.z: expected one of"),
        (
            {"geography": {"path": "data", "vintage": "lad", "lookup": {"path": "data/cells.csv"}}},
            "lookup.from: this key",
        ),
    ],
)
def test_settings_that_are_wrong(make_project: Make, changes: dict[str, Any], message: str) -> None:
    table = {key: value for key, value in {**MINIMAL["survey.cls"], **changes}.items() if value is not None}
    with pytest.raises(PlacewiseError) as error:
        read_project(make_project({"survey.cls": table}))
    assert message in str(error.value)
