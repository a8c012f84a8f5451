"""A project folder to edit, for tests of what reads one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from edited_tables import edited

PROJECT: dict[str, Any] = {
    "project": {"name": "dynamics", "title": "Community Dynamics", "seed": 20261122, "out": "reports/dynamics"},
    "areas": {
        "table": "data/areas.parquet",
        "join": [{"table": "data/covariates.csv", "on": {"oa21cd": "OA"}}],
        "code": "oa21cd",
        "levels": ["lsoa21cd", "lad22cd", "rgn24cd"],
        "classes": ["oac21_supergroup"],
        "names": {"lad22cd": "lad24nm"},
        "population": "adults",
        "neighbours": {"lad22cd": "data/adjacency.csv"},
        "geometry": {"lad22cd": {"table": "data/lad.parquet", "code": "ltla21_code"}},
    },
    "frame": {"cells": "data/cells.csv", "count": "N"},
    "variables": {"age": {"order": ["16-24", "25+"]}},
    "survey": {
        "cls": {
            "reader": "table",
            "path": "data/cls.csv",
            "area": "lsoa21cd",
            "where": {"survey": [8]},
            "missing": [-9, "refused"],
            "weight": "weight",
            "psu": "psu",
            "strata": "strata",
        },
        "polls": {"path": "${POLLS}/polls.csv", "area": {"column": "OA", "level": "oa21cd"}},
    },
    "index": {"base": {"ctry": ["E", "W"]}},
}
MODEL: dict[str, Any] = {
    "outcome": {
        "survey": "cls",
        "response": "belonging",
        "family": "cumulative",
        "order": ["not", "fairly", "very"],
        "estimand": {"share": ["fairly", "very"]},
    },
    "model": {"formula": "deprivation + (1 | age)", "priors": {"sd:geography": "gamma(4, 25)"}},
}
FILES = ("areas.parquet", "covariates.csv", "adjacency.csv", "lad.parquet", "cells.csv", "cls.csv", "polls.csv")


@pytest.fixture
def project_tables() -> dict[str, Any]:
    """Tables of a project file that uses nearly every key."""
    return copy.deepcopy(PROJECT)


@pytest.fixture
def model_tables() -> dict[str, Any]:
    """Tables of its model file."""
    return copy.deepcopy(MODEL)


@pytest.fixture
def edit() -> Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]:
    """The function that edits tables."""
    return edited


@pytest.fixture
def make_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes a project folder with some changes; data files are there but empty."""
    folder = tmp_path / "project"
    (folder / "data").mkdir(parents=True)
    (folder / "models").mkdir()
    for name in FILES:
        (folder / "data" / name).touch()
    monkeypatch.setenv("POLLS", str(folder / "data"))

    def write(project: dict[str, Any] | None = None, model: dict[str, Any] | None = None) -> Path:
        (folder / "placewise.toml").write_text(tomli_w.dumps(edited(PROJECT, project or {})))
        (folder / "models" / "belonging.toml").write_text(tomli_w.dumps(edited(MODEL, model or {})))
        return folder

    return write
