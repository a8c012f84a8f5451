"""The project that reads both widened surveys, in the made-up country or in a user's own areas."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from string import Template

import numpy as np

from placewise.errors import Problems
from placewise.pipeline.example.adults import Progress
from placewise.pipeline.example.areas import cells
from placewise.pipeline.example.deposits import draw_deposits, write_deposits, write_parquet
from placewise.pipeline.example.own_areas import read_own_areas, settle
from placewise.pipeline.example.sizes import NATIONAL

SURVEY_FILES = (
    "placewise.toml",
    "recode_cls.toml",
    "models/belonging.toml",
    "models/cohesion.toml",
    "models/satisfaction.toml",
)
LEVELS = ("lsoa", "msoa", "lad", "region")
CLASSES = ("supergroup", "group", "subgroup")
EXAMPLE = {role: role for role in ("oa", *LEVELS, *CLASSES, "adults")}


def write_survey_project(folder: Path, columns: Mapping[str, str], *, name: str, title: str, data: str) -> None:
    """Write the project, recode and model files that read both surveys.

    Parameters
    ----------
    folder : Path
    columns : mapping of str to str
        What the table of areas calls each role.
    name, title : str
        Of the project.
    data : str
        Folder of the data, seen from the project.
    """

    def listed(roles: tuple[str, ...]) -> str:
        return ", ".join(f'"{columns[role]}"' for role in roles if role in columns)

    words = {
        **columns,
        "levels": listed(LEVELS),
        "classes": listed(CLASSES),
        "name": name,
        "title": title,
        "data": data,
    }
    for file in SURVEY_FILES:
        text = resources.files(__package__).joinpath("template", "surveys", file).read_text(encoding="utf-8")
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(Template(text).substitute(words), encoding="utf-8")


def write_own_areas(
    folder: Path, table: Path, *, seed: int = 20261122, form: str = "tab", progress: Progress | None = None
) -> None:
    """Draw both surveys in a user's own areas, and write them as a ready project.

    Parameters
    ----------
    folder : Path
        Where to write: project and model files, and under ``data`` the areas, who lives there by age and sex, the
        surveys, and the truth of each outcome.
    table : Path
        The areas: see `own_areas.read_own_areas`.
    seed : int
        The same seed and table give the same tables.
    form : {"tab", "sav", "dta"}
        Of the household panel's files.
    progress : callable, optional
        Called with the number of areas done and in all.

    Raises
    ------
    ConfigurationError, DataError
        With everything that the table lacks.
    """
    problems = Problems()
    found = read_own_areas(table, "--areas", problems)
    problems.raise_if_any()
    assert found is not None
    areas, columns = found
    of_country, of_adults, of_surveys = np.random.SeedSequence(seed).spawn(3)
    country = settle(areas, columns, of_country)
    deposits = draw_deposits(country, NATIONAL, of_adults, of_surveys, progress=progress)
    write_survey_project(folder, columns, name="own-areas", title="A made-up survey in real areas", data="data")
    write_deposits(deposits, folder / "data", form)
    write_parquet(areas, folder / "data" / "areas.parquet")
    living = cells(country.areas, country.counts).rename(columns={"oa": columns["oa"]})
    write_parquet(living, folder / "data" / "cells.parquet")
