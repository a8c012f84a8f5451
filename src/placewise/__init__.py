"""Small-area estimation: how people feel about the place they live in, for every neighbourhood.

The public names are imported when they are first used, so that ``import placewise`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from placewise.estimates.draws import AreaDraws
    from placewise.pipeline.fit import Fit
    from placewise.pipeline.model import Model
    from placewise.pipeline.project import Project
    from placewise.surveys.cls.workbook import read_cls_workbook
    from placewise.surveys.design import SurveyDesign

__all__ = ["AreaDraws", "Fit", "Model", "Project", "SurveyDesign", "read_cls_workbook"]

_HOMES = {
    "AreaDraws": "placewise.estimates.draws",
    "Fit": "placewise.pipeline.fit",
    "Model": "placewise.pipeline.model",
    "Project": "placewise.pipeline.project",
    "SurveyDesign": "placewise.surveys.design",
    "read_cls_workbook": "placewise.surveys.cls.workbook",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name == "FayHerriot":
        from placewise.errors import ConfigurationError, Problem

        raise ConfigurationError(
            Problem(
                "placewise.FayHerriot",
                "area-level models are not available in this version",
                'use placewise.Model with family="gaussian", variance=... and a varying intercept for the areas',
                "unavailable",
            )
        )
    raise AttributeError(f"module 'placewise' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
