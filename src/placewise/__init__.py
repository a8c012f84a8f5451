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
    from placewise.surveys.scale_quality import scale_quality
    from placewise.surveys.variance_function import fit_variance_function

__all__ = [
    "AreaDraws",
    "Fit",
    "Model",
    "Project",
    "SurveyDesign",
    "fit_variance_function",
    "read_cls_workbook",
    "scale_quality",
]

_HOMES = {
    "AreaDraws": "placewise.estimates.draws",
    "Fit": "placewise.pipeline.fit",
    "Model": "placewise.pipeline.model",
    "Project": "placewise.pipeline.project",
    "SurveyDesign": "placewise.surveys.design",
    "fit_variance_function": "placewise.surveys.variance_function",
    "read_cls_workbook": "placewise.surveys.cls.workbook",
    "scale_quality": "placewise.surveys.scale_quality",
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
