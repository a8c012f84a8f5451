"""Table ``[areas]`` of the project file as typed data. Paths are absolute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


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
class CentroidSpec:
    """Columns of the areas' population-weighted centroids, and their reference system as an EPSG code."""

    x: str
    y: str
    epsg: int = 4326


@dataclass(frozen=True)
class AreasSpec:
    """Table ``[areas]``; ``imputed`` maps a covariate to the column of its standard errors, 0 where it is known."""

    table: Path
    code: str
    levels: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    population: str = ""
    centroid: CentroidSpec | None = None
    join: tuple[JoinSpec, ...] = ()
    neighbours: Mapping[str, Path] = field(default_factory=dict)
    geometry: Mapping[str, GeometrySpec] = field(default_factory=dict)
    imputed: Mapping[str, str] = field(default_factory=dict)
