from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from placewise.errors import ConfigurationError, DataError, PlacewiseError
from placewise.pipeline.project_file import read_project

Make = Callable[..., Path]
Edit = Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]

MARGIN = {"table": "data/cells.csv", "variable": "age", "count": "n"}

BAD_PROJECTS: list[tuple[dict[str, Any], str, int]] = [
    ({"projct": {"name": "x"}}, "placewise.toml: projct: unknown key (did you mean 'project'?)", 2),
    ({"project.nme": "x"}, "project.nme: unknown key (did you mean 'name'?)", 2),
    ({"project": "x"}, "project: expected a table, got the text 'x'", 2),
    ({"project.seed": "1"}, "project.seed: expected a whole number", 2),
    ({"project.out": "."}, "project.out: results would lie among the project's own files", 2),
    ({"project.out": "../.."}, "results would lie among the project's own files", 2),
    ({"project.out": "data/cls.csv"}, "'data/cls.csv' is a file, not a folder", 2),
    ({"project.out": "${NOT_SET_HERE}/x"}, "the environment variable 'NOT_SET_HERE' is not set", 2),
    ({"areas": None}, "areas: this key is required", 2),
    ({"areas": []}, "areas: expected a table, got an empty list", 2),
    ({"areas.code": None}, "areas.code: this key is required", 2),
    ({"areas.table": None}, "areas.table: this key is required", 2),
    ({"areas.table": "data/areas.xlsx"}, "expected a file that ends in .parquet or .csv", 2),
    ({"areas.table": "data/area.parquet"}, "areas.table: there is no file 'data/area.parquet'", 1),
    ({"areas.table": "data\0"}, "control character", 2),
    ({"areas.table": "${NOT_SET_HERE}/a.csv"}, "areas.table: the environment variable 'NOT_SET_HERE' is not set", 2),
    ({"areas.levels": "lad22cd"}, "areas.levels: expected a list, got the text 'lad22cd'", 2),
    ({"areas.levels": ["lsoa21cd", "lad22cd", "lad22cd"]}, "'lad22cd' stands there more than once", 2),
    ({"areas.levels": ["lsoa21cd", "lad22cd", "national"]}, "'national' is the name of a row of the estimates", 2),
    ({"areas.classes": ["lad22cd"]}, "areas: column 'lad22cd' has two roles among code, levels and classes", 2),
    ({"areas.join": [{"table": "data/covariates.csv", "on": {}}]}, "areas.join[0].on: no column to join on", 2),
    ({"areas.join": [{"table": "data/covariates.csv"}]}, "areas.join[0].on: this key is required", 2),
    ({"areas.join": {"table": "x.csv"}}, "areas.join: expected a list, got a table", 2),
    ({"areas.names": {"lad22": "nm"}}, "areas.names.lad22: 'lad22' is not the code column, a level or a class", 2),
    ({"areas.neighbours": {"oac21_supergroup": "data/adjacency.csv"}}, "is not the code column or a level", 2),
    ({"areas.neighbours": {"lad22cd": "data/none.csv"}}, "areas.neighbours.lad22cd: there is no file", 1),
    ({"areas.geometry": {"lad22cd": "data/lad.parquet"}}, "areas.geometry.lad22cd: expected a table", 2),
    ({"areas.population": 3}, "areas.population: expected text, got the number 3", 2),
    ({"frame": {"cells": "data/cells.csv"}}, "frame.count: this key is required", 2),
    ({"frame.count": None}, "frame.count: this key is required", 2),
    (
        {"frame.margins": [MARGIN]},
        "there are 'margins' or 'seed'",
        2,
    ),
    ({"frame": {"seed": {"table": "data/cells.csv", "count": "n"}}}, "frame.margins: this key is required", 2),
    ({"frame": {"margins": []}}, "frame.margins: expected at least 1 value", 2),
    ({"frame": {"margins": [{**MARGIN, "variable": ["age", "age"]}]}}, "'age' stands there more than once", 2),
    ({"frame": {"margins": [{**MARGIN, "variable": 3}]}}, "variable: expected a list, got the number 3", 2),
    ({"frame": {"margins": [MARGIN, MARGIN]}}, "stands there more than once", 2),
    ({"frame": {"margins": [{**MARGIN, "table": "data/none.csv"}]}}, "frame.margins[0].table: there is no file", 1),
    (
        {"frame": {"margins": [MARGIN], "seed": {"table": "data/cells.csv", "count": "n", "by": ["rgn"]}}},
        "frame.seed.by[0]: 'rgn' is not the code column, a level or a class of [areas] (did you mean 'rgn24cd'?)",
        2,
    ),
    ({"variables.age": {}}, "variables.age.order: this key is required", 2),
    ({"variables.age": {"order": ["a", "a"]}}, "'a' stands there more than once", 2),
    ({"survey": None}, "survey: this key is required", 2),
    ({"survey": {}}, "survey: there is no survey", 2),
    ({"survey": {"path": "data/cls.csv"}}, "survey.path: expected a table, got the text 'data/cls.csv'", 2),
    ({"survey.cls.path": None}, "survey.cls.path: this key is required", 2),
    ({"survey.cls.path": "data/cls.xlsx"}, "ends in .csv or .tab or .parquet or .sav or .dta", 2),
    ({"survey.cls.area": None}, "survey.cls.area: this key is required", 2),
    ({"survey.cls.area": "lsoa11cd"}, 'did you mean \'lsoa21cd\'?; or area = { column = "lsoa11cd", level = "…" }', 2),
    ({"survey.cls.area": {"column": "x"}}, "survey.cls.area.level: this key is required", 2),
    ({"survey.cls.area": {"column": "x", "level": "lsoa"}}, "survey.cls.area.level: 'lsoa' is not the code column", 2),
    ({"survey.cls.area": 3}, "survey.cls.area: expected text", 2),
    ({"survey.cls.where": {"survey": 8}}, "survey.cls.where.survey: expected a list, got the number 8", 2),
    ({"survey.cls.missing": -9}, "survey.cls.missing: expected a list", 2),
    ({"survey.cls.wieght": "w"}, "survey.cls.wieght: unknown key (did you mean 'weight'?)", 2),
    ({"survey.cls.waves": ["c"]}, "survey.cls.waves: unknown key", 2),
    ({"survey.cls.reader": "tabel"}, "survey.cls.reader: expected one of 'table', 'ukhls', 'cls'", 2),
    ({"survey": {"../up": {"path": "data/cls.csv", "area": "oa21cd"}}}, "cannot be a name", 2),
    ({"index.base": {"ctry": "E"}}, "index.base.ctry: expected a list, got the text 'E'", 2),
    ({"index.bse": {}}, "index.bse: unknown key (did you mean 'base'?)", 2),
]


@pytest.mark.parametrize(("changes", "message", "status"), BAD_PROJECTS)
def test_a_bad_project_is_refused_with_a_reason_and_an_exit_status(
    make_project: Make, changes: dict[str, Any], message: str, status: int
) -> None:
    folder = make_project(changes)
    before = sorted(folder.rglob("*"))
    with pytest.raises(PlacewiseError) as error:
        read_project(folder)
    assert message in str(error.value)
    assert error.value.exit_status == status
    assert isinstance(error.value, ConfigurationError if status == 2 else DataError)
    assert sorted(folder.rglob("*")) == before
