"""How the area's own standard deviation differs between classes of areas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from placewise.errors import Problems, nearest
from placewise.geography.areas import AreaTable
from placewise.models.design import AreaScale, Design


def with_area_scale(design: Design, asked: Any, areas: AreaTable | None, where: str, problems: Problems) -> Design:
    """The design with the classes by which the area's own sd differs.

    Parameters
    ----------
    design : Design
        With the area's own group.
    asked : str, mapping or None
        A class or level of the areas table; or that as ``by`` with ``multipliers``, declared by its labels: classes
        that are not named have 1.
    areas : AreaTable or None
    where : str
        File and key, for messages.
    problems : Problems
        Takes what is wrong.
    """
    if asked is None:
        return design
    if areas is None:
        problems.add(where, "there is no areas table whose areas could differ", "leave this key out")
        return design
    if design.link is not None:
        message = f"respondents are linked at {design.link.group!r}, which does not tell how the areas inside differ"
        problems.add(where, message, "leave this key out", "unavailable")
        return design
    by = asked["by"] if isinstance(asked, Mapping) else asked
    declared = asked.get("multipliers") if isinstance(asked, Mapping) else None
    known = (*areas.classes, *areas.levels)
    if by not in known:
        hint = nearest(by, known) or "declare it under areas.classes"
        problems.add(where, f"{by!r} is neither a class nor a level of the areas table", hint)
        return design
    classes, of_area = np.unique(areas.table[by].to_numpy(dtype=object), return_inverse=True)
    if len(classes) < 2:
        problems.add(where, f"all areas have the same {by!r}", "leave this key out", "data")
    for label in declared or ():
        if label not in classes:
            problems.add(f"{where}.multipliers", f"{by!r} has no area in {label!r}", nearest(label, classes))
    multipliers = None if declared is None else np.array([declared.get(label, 1.0) for label in classes])
    at = next(k for k, g in enumerate(design.groups) if g.name == areas.code)
    group = design.groups[at]
    if any(at in together for together in design.correlated):
        message = f"the areas' effects are correlated with slopes and have one sd, which cannot differ by {by!r}"
        problems.add(where, message, f"leave out this key, or write (x || {areas.code})")
    if group.structure is not None:
        message = f"the areas' {group.structure.kind} effects have one sd, which cannot differ by {by!r}"
        problems.add(where, message, "leave out this key, or the structure")
    index = np.empty(len(areas), dtype=np.int64)
    index[np.asarray(group.area_index)] = of_area
    return replace(design, area_scale=AreaScale(areas.code, by, tuple(classes), index, multipliers))
