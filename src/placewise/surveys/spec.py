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
    file : str
        Name of the file without its ending, ``{w}`` standing for the wave; empty for that of the vintage.
    """

    path: Path
    vintage: str
    file: str = ""
    lookup: LookupFile | None = None


@dataclass(frozen=True)
class CommunityLifeKeys:
    """What a project says of a deposit of the Community Life Survey, whose own names are not confirmed.

    Parameters
    ----------
    year, year_column : str
        The survey year of the whole file, such as ``2023-24``, or the column that holds it; one of the two is empty.
    mode, mode_column : str
        The mode of all interviews, or the column that holds it.
    modes : tuple of str
        Modes to keep; empty: all.
    pool_modes : bool
        Whether face-to-face interviews may stand beside others.
    codebook : Path or None
        Labels of codes that the file does not label.
    aliases : mapping of concept to tuple of str
        Names its column may have.
    """

    year: str = ""
    year_column: str = ""
    mode: str = ""
    mode_column: str = ""
    modes: tuple[str, ...] = ()
    pool_modes: bool = False
    codebook: Path | None = None
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class SurveySpec:
    """Table ``[survey.NAME]``.

    Parameters
    ----------
    area_column, area_level : str
        Column of the survey that holds codes, and the column of the areas table they are codes of. For ukhls the
        first is a variable of the geography file, ``{w}`` standing for the wave, and both may be empty: then they
        follow from the vintage.
    waves : tuple of str
        Letters, in the order in which they are pooled (ukhls).
    geography : GeographyFile or None
        Where households lived (ukhls).
    weights : mapping of wave to str
        The user's own choice of weight (ukhls).
    community_life : CommunityLifeKeys or None
        Of a deposit of the Community Life Survey (cls).
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
    community_life: CommunityLifeKeys | None = None
