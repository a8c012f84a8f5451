"""Whether a larger area's mean is the population-weighted mean of its small areas' means."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from placewise.diagnostics.score.numbers import rounded
from placewise.diagnostics.score.tables import Level


def incoherence(small: Level, larger: Mapping[str, Level], national_mean: float) -> dict[str, float | None]:
    """Largest gap at every level whose areas the truth also names in a ``by_`` column.

    Parameters
    ----------
    small : Level
        Small areas with a published estimate.
    larger : mapping of str to Level
        Every other level that the truth holds.
    national_mean : float
        Population-weighted mean of the small areas' estimates.
    """
    gaps: dict[str, float | None] = {}
    national = larger.get("national")
    if national is not None and national.published.sum() == 1:
        gaps["national"] = rounded(abs(national.values("mean")[national.published][0] - national_mean))
    for name, group in small.groups.items():
        level = larger.get(name)
        if level is None or not level.published.any():
            continue
        stated = pd.Series(level.values("mean"), index=level.codes)[level.published]
        gaps[name] = rounded(_largest_gap(small, group, stated))
    return gaps


def _largest_gap(small: Level, group: pd.Series, stated: pd.Series) -> float:
    position = stated.index.get_indexer(pd.Index(group.astype(str)))
    inside = position >= 0
    people = np.bincount(position[inside], small.population[inside], len(stated))
    total = np.bincount(position[inside], (small.values("mean") * small.population)[inside], len(stated))
    met = people > 0
    if not met.any():
        return float("nan")
    return float(np.abs(total[met] / people[met] - stated.to_numpy()[met]).max())
