"""The project file as typed data. Paths are absolute, resolved against the file they stand in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from placewise.frame.spec import FrameSpec, RakedFrameSpec
from placewise.geography.spec import AreasSpec, GeometrySpec, JoinSpec
from placewise.models.spec import ModelSpec
from placewise.surveys.spec import SurveySpec

__all__ = ["AreasSpec", "FrameSpec", "GeometrySpec", "JoinSpec", "ProjectSpec", "RakedFrameSpec", "SurveySpec"]


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
    joint : tuple of str
        ``[joint] outcomes``: outcomes that are modelled together; empty where each is by itself.
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
    frame: FrameSpec | RakedFrameSpec | None = None
    variables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    index_base: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    joint: tuple[str, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict)
