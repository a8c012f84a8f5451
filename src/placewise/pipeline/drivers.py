"""What drives an outcome, from the posterior: slopes, effects of groups, what covariates explain."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from placewise.geography.areas import AreaTable
from placewise.models.design import Design, Group
from placewise.models.fit import Posterior

MOST_LEVELS = 60


def slopes(posterior: Posterior, design: Design) -> pd.DataFrame | None:
    """Table ``name, mean, q05, q95`` of the fixed columns, on the link scale; None where there are none."""
    if not design.columns:
        return None
    return _summary("name", [c.name for c in design.columns], posterior.draws("slopes"))


def group_effects(posterior: Posterior, design: Design) -> dict[str, pd.DataFrame]:
    """Tables ``level, mean, q05, q95`` of the groups that are not geography and have few enough levels to be shown.

    Each level's effect is less the mean over the levels in the same draw: what all of them have in common cannot be
    told from the intercept, and would hide how they differ. Effects on the answers of one survey alone drive nothing.
    """
    of_all = [g for g in design.groups if not g.survey]
    shown = [g for g in of_all if g.dim not in design.geography and len(g.labels) <= MOST_LEVELS]
    tables = {}
    for group in shown:
        draws = posterior.draws(f"effect_{group.name}")
        tables[group.name] = _summary("level", list(group.labels), draws - draws.mean(axis=1, keepdims=True))
    return tables


def explained_share(posterior: Posterior, design: Design, areas: AreaTable) -> float | None:
    """Share of the variance between small areas, on the link scale, that the covariates explain.

    The variance of x'β over the areas, weighted by population, against the same plus the variances of all groups that
    differ between areas, slopes that vary among them; the posterior mean. None where no covariate varies over areas.
    """
    over = {k: c.area for k, c in enumerate(design.columns) if c.area is not None and c.cell is None}
    if not over:
        return None
    x = np.column_stack(list(over.values()))
    beta = posterior.draws("slopes")[:, list(over)]
    covariance = np.atleast_2d(np.cov(x.T, aweights=areas.weights))
    fixed = np.einsum("sj,jk,sk->s", beta, covariance, beta)
    total = fixed + _variance_of_groups(posterior, design, areas)
    return float(np.mean(fixed / total)) if (total > 0).all() else None


def _variance_of_groups(posterior: Posterior, design: Design, areas: AreaTable) -> np.ndarray:
    """Variance of the sum of an area's effects, averaged over the areas by population; shape (S,)."""
    of_area: dict[int, np.ndarray] = {}
    for k, group in enumerate(design.groups):
        if group.cell_index is None and (group.by is None or group.by.cell is None):
            by_area = None if group.by is None else group.by.area
            if group.area_index is not None or by_area is not None:
                of_area[k] = np.ones(len(areas)) if by_area is None else by_area
    sd = {k: _typical_sd(posterior, design, design.groups[k], areas) for k in of_area}

    def covariance(a: int, b: int) -> np.ndarray:
        return np.asarray(sd[a] * sd[b] * np.average(of_area[a] * of_area[b], weights=areas.weights))

    total = sum((covariance(k, k) for k in of_area), start=np.zeros(posterior.n_draws))
    if design.link is not None:
        total = total + posterior.draws(f"sd_{design.link.area}") ** 2
    for block in design.correlated:
        correlations = posterior.draws(f"cor_{design.groups[block[0]].dim}")
        for (i, a), (j, b) in combinations(enumerate(block), 2):
            if a in of_area and b in of_area:
                total = total + 2.0 * correlations[:, i, j] * covariance(a, b)
    return total


def _typical_sd(posterior: Posterior, design: Design, group: Group, areas: AreaTable) -> np.ndarray:
    """A group's sd; where it differs by class, the root of its square's mean over the people; shape (S,)."""
    sd: np.ndarray = posterior.draws(f"sd_{group.name}")
    scale = design.area_scale
    if scale is None or scale.group != group.name or group.area_index is None:
        return sd
    multipliers = posterior.draws("area_scale") if scale.multipliers is None else scale.multipliers
    people = np.bincount(scale.index[group.area_index], areas.weights, minlength=len(scale.classes))
    return np.asarray(sd * np.sqrt(multipliers**2 @ people / people.sum()))


def _summary(column: str, names: list[str], draws: np.ndarray) -> pd.DataFrame:
    values: Mapping[str, Any] = {
        column: names,
        "mean": draws.mean(axis=0),
        "q05": np.quantile(draws, 0.05, axis=0),
        "q95": np.quantile(draws, 0.95, axis=0),
    }
    return pd.DataFrame(values)
