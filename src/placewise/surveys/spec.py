"""Table ``[survey.NAME]`` of the project file as typed data. Paths are absolute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


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
