"""What an area's belonging is made of, and sums over the areas of every level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

# On standardised covariates, logit scale; deprivation and density after the logarithm.
SLOPES = {
    "deprivation": -0.16,
    "density": -0.10,
    "private_rent": -0.12,
    "social_rent": 0.04,
    "degree": 0.06,
    "no_car": 0.0,
    "movers": -0.06,
    "one_person": -0.04,
}
LOGGED = ("deprivation", "density")
AGE = np.array([-0.25, -0.20, 0.0, 0.12, 0.30])
SEX = np.array([0.05, -0.05])
AGE_SEX = np.array([[0.05, -0.05], [0.0, 0.0], [-0.05, 0.05], [0.0, 0.0], [0.05, -0.05]])
# Standard deviations as censuses show them after covariates: geography .166 in all, .64 of the variance the area's own.
SD = {"region": 0.029, "lad": 0.044, "msoa": 0.064, "lsoa": 0.053, "oa": 0.133}
SD_CLASS = {"supergroup": 0.08, "group": 0.06, "subgroup": 0.06}


@dataclass(frozen=True, eq=False)
class Components:
    """What an area's linear predictor is made of.

    Parameters
    ----------
    fixed : ndarray, shape (A,)
        Covariates times slopes.
    effects : dict of str to ndarray, shape (A,)
        Effect of the level or class that each area lies in, by its column.
    """

    fixed: np.ndarray
    effects: dict[str, np.ndarray]


def standardised(areas: pd.DataFrame, name: str) -> np.ndarray:
    """A covariate with mean 0 and standard deviation 1 over the areas, after its logarithm where it is skewed."""
    x = areas[name].to_numpy(dtype=float)
    x = np.log(x) if name in LOGGED else x
    scaled: np.ndarray = (x - x.mean()) / x.std()
    return scaled


def components(areas: pd.DataFrame, slopes: Mapping[str, float], rng: np.random.Generator) -> Components:
    """Covariates with these slopes, and a normal effect of every level and class that the areas have."""
    fixed = np.zeros(len(areas))
    for name, slope in slopes.items():
        fixed += slope * standardised(areas, name)
    effects = {}
    for name, sd in (SD | SD_CLASS).items():
        if name in areas.columns:
            number = areas[name].astype("category").cat.codes.to_numpy()
            effects[name] = rng.normal(0, sd, number.max() + 1)[number]
    return Components(fixed, effects)


def by_level(areas: pd.DataFrame, sums: pd.DataFrame, levels: Sequence[str]) -> pd.DataFrame:
    """Sums of the areas, of every level above them and of the nation.

    Parameters
    ----------
    areas : DataFrame
    sums : DataFrame
        One row an area, in the same order.
    levels : sequence of str
        The areas' code and the levels above, finest first; the last is the region.

    Returns
    -------
    DataFrame
        ``area_level, area_code``, the sums, and the groups by which coverage is scored, ``by_supergroup`` (the areas
        only) and ``by_region``.
    """
    parts = []
    code, region = levels[0], levels[-1]
    for level in (*levels, "national"):
        key = pd.Series("all", index=areas.index) if level == "national" else areas[level]
        part = sums.groupby(key.to_numpy(dtype=object)).sum()
        part.insert(0, "area_level", level)
        part.insert(1, "area_code", part.index)
        if level == code:
            part["by_supergroup"] = areas.set_index(code)["supergroup"].reindex(part.index)
        if level not in (region, "national"):
            part["by_region"] = areas.drop_duplicates(level).set_index(level)[region].reindex(part.index)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
