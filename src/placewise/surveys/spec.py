"""Table ``[survey.NAME]`` of the project file as typed data. Paths are absolute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class LookupFile:
    """Table ``lookup`` of a survey's geography: the areas' code of each code of the geography file.

    Parameters
    ----------
    path : Path
        The table.
    source, target : str
        Its columns, ``from`` and ``to`` in the project file.
    """

    path: Path
    source: str
    target: str


@dataclass(frozen=True)
class GeographyFile:
    """Table ``geography`` of a survey: a file that says where households lived.

    Parameters
    ----------
    path : Path
        Folder that holds a file a wave, or the file of the only wave.
    vintage : str
        Which codes it holds.
    column, file : str
        Names of its variable and of the file, ``{w}`` standing for the wave; empty for those of the vintage.
    """

    path: Path
    vintage: str
    column: str = ""
    file: str = ""
    lookup: LookupFile | None = None


@dataclass(frozen=True)
class SurveySpec:
    """Table ``[survey.NAME]``.

    Parameters
    ----------
    area_column, area_level : str
        Column of the survey that holds codes, and the column of the areas table they are codes of.
    waves : tuple of str
        Letters, in the order in which they are pooled (ukhls).
    geography : GeographyFile or None
        Where households lived (ukhls).
    weights : mapping of wave to str
        The user's own choice of weight (ukhls).
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
    recode: Path | None = None
    waves: tuple[str, ...] = ()
    geography: GeographyFile | None = None
    weights: Mapping[str, str] = field(default_factory=dict)
