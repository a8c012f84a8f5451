"""What an outcome that is modelled with others adds to its data before its own fit."""

from __future__ import annotations

from dataclasses import replace

from placewise.geography.level_names import compared_level
from placewise.pipeline.load import OutcomeData
from placewise.pipeline.project_spec import ProjectSpec


def level_of(spec: ProjectSpec) -> str:
    """The level of the geography that is coupled: local authorities, else the largest areas."""
    return compared_level(spec.areas.levels)


def widened(data: OutcomeData, spec: ProjectSpec) -> OutcomeData:
    """The data of an outcome of ``[joint]``, its groups that may be coupled holding every level."""
    from placewise.models.joint.factors import candidates
    from placewise.models.joint.factors import widened as widen

    return replace(data, design=widen(data.design, candidates(data.design, level_of(spec))))
