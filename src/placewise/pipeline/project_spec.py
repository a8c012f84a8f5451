"""The project file as typed data. Paths are absolute, resolved against the file they stand in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from placewise.models.spec import ModelSpec


@dataclass(frozen=True)
class JoinSpec:
    """A left join onto the areas table: ``on`` maps the areas' columns to the joined table's."""

    table: Path
    on: Mapping[str, str]


@dataclass(frozen=True)
class GeometrySpec:
    """Where the polygons of one level are, and the column that holds its codes."""

    table: Path
    code: str


@dataclass(frozen=True)
class AreasSpec:
    """Table ``[areas]``."""

    table: Path
    code: str
    levels: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    population: str = ""
    join: tuple[JoinSpec, ...] = ()
    neighbours: Mapping[str, Path] = field(default_factory=dict)
    geometry: Mapping[str, GeometrySpec] = field(default_factory=dict)


@dataclass(frozen=True)
class FrameSpec:
    """Table ``[frame]``: long cells; margins come in a later version."""

    cells: Path
    count: str


@dataclass(frozen=True)
class SurveySpec:
    """Table ``[survey.NAME]``.

    Parameters
    ----------
    area_column, area_level : str
        Column of the survey that holds codes, and the column of the areas table they are codes of.
    """

    name: str
    path: Path
    area_column: str
    area_level: str
    reader: str = "table"
    where: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    missing: tuple[Any, ...] = ()
    weight: str = ""
    psu: str = ""
    strata: str = ""
    mode: str = ""
    person: str = ""


@dataclass(frozen=True)
class ProjectSpec:
    """One project folder: ``placewise.toml`` and ``models/*.toml``.

    Parameters
    ----------
    root : Path
        Folder of ``placewise.toml``.
    variables : mapping of str to tuple of str
        ``[variables.NAME] order``.
    index_base : mapping of str to tuple of str
        ``[index] base``: column of the areas table to the values that belong to the base; empty: all areas.
    models : mapping of str to ModelSpec
        By outcome name (the model file's stem), sorted.
    raw : mapping
        ``placewise.toml``'s tables as read.
    """

    root: Path
    name: str
    title: str
    seed: int
    out: Path
    areas: AreasSpec
    surveys: Mapping[str, SurveySpec]
    models: Mapping[str, ModelSpec]
    frame: FrameSpec | None = None
    variables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    index_base: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)
