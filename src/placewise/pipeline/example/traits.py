"""Three traits of every area: belonging, ties to neighbours, satisfaction with the place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from placewise.pipeline.example.truth import AGE, AGE_SEX, SD, SD_CLASS, SEX, Components, standardised

TRAITS = ("belonging", "relationships", "satisfaction")

# sd of a standard logistic variable: linear predictors divided by it are in units of the person's own residual
RESIDUAL = np.pi / np.sqrt(3)

# As `truth.SLOPES`, for the two traits beside belonging.
SLOPES = {
    "relationships": {
        "deprivation": -0.06,
        "density": -0.14,
        "private_rent": -0.12,
        "social_rent": 0.05,
        "movers": -0.08,
        "one_person": -0.02,
    },
    "satisfaction": {
        "deprivation": -0.21,
        "density": -0.07,
        "private_rent": -0.03,
        "social_rent": -0.05,
        "degree": 0.05,
    },
}
# How much an area's effects on each trait vary beside those that censuses show, and how they go with belonging's.
# Belonging differs between areas more than most: 6.4% of its variance in Fone et al. 2006.
FACTOR = {"belonging": 1.25, "relationships": 0.9, "satisfaction": 1.15}
WITH_BELONGING = {"relationships": 0.6, "satisfaction": 0.6}

# Effects of age on the logit scale. The young chat with their neighbours far less, as published (see `published`).
AGES = {
    "relationships": np.array([-1.55, -0.80, -0.05, 0.30, 0.95]),
    "satisfaction": np.array([-0.12, -0.12, -0.02, 0.04, 0.24]),
}
SEXES = {"relationships": np.array([0.08, -0.08]), "satisfaction": np.array([0.0, 0.0])}

# Correlation of one person's residuals, in the order of TRAITS.
PERSON = np.array([[1.0, 0.5, 0.4], [0.5, 1.0, 0.25], [0.4, 0.25, 1.0]])

# Where the covariates are a user's own: how alike their slopes on the traits are, and the sd over areas of what they
# explain of each, logit scale.
SHARED = 0.8
EXPLAINED = {"belonging": 0.31, "relationships": 0.24, "satisfaction": 0.28}


@dataclass(frozen=True, eq=False)
class Country:
    """Areas, who lives there, and the one truth about them.

    Parameters
    ----------
    areas : DataFrame
        A rows under the names ``oa``, ``lsoa``, ``lad``, ``region``, ``supergroup`` and, where there are such,
        ``msoa``, ``group``, ``subgroup``; the areas of a region, an authority or an lsoa stand together.
    counts : ndarray of int, shape (A, ages, sexes)
        Adults.
    eta : ndarray, shape (A, 3)
        Linear predictor of each trait before age and sex, logit scale.
    columns : mapping of str to str
        What a user's own table calls the columns; a name that is not in it stays.
    """

    areas: pd.DataFrame
    counts: np.ndarray
    eta: np.ndarray
    columns: Mapping[str, str]


def area_values(
    areas: pd.DataFrame, belonging: Components, slopes: Mapping[str, Mapping[str, float]], rng: np.random.Generator
) -> np.ndarray:
    """Linear predictors of the three traits before age and sex.

    Parameters
    ----------
    areas : DataFrame
    belonging : Components
        Of belonging, with whose level and class effects those of the other two are correlated.
    slopes : mapping
        By trait and covariate.
    rng : Generator

    Returns
    -------
    ndarray, shape (A, 3)
        Logit scale, in the order of `TRAITS`.
    """
    sds = SD | SD_CLASS
    values = [belonging.fixed + FACTOR["belonging"] * sum(belonging.effects.values())]
    for trait, own in slopes.items():
        eta = np.zeros(len(areas))
        for name, slope in own.items():
            eta += slope * standardised(areas, name)
        with_it = WITH_BELONGING[trait]
        for level, effect in belonging.effects.items():
            number = areas[level].astype("category").cat.codes.to_numpy()
            other = rng.normal(0, sds[level], number.max() + 1)[number]
            eta += FACTOR[trait] * (with_it * effect + np.sqrt(1 - with_it**2) * other)
        values.append(eta)
    return np.stack(values, axis=1)


def drawn_slopes(areas: pd.DataFrame, covariates: list[str], rng: np.random.Generator) -> dict[str, dict[str, float]]:
    """Slopes of a user's own covariates: drawn, then scaled to explain what `EXPLAINED` says of each trait."""
    if not covariates:
        return {trait: {} for trait in TRAITS}
    x = np.stack([standardised(areas, name) for name in covariates], axis=1)
    z = rng.normal(size=(len(TRAITS), len(covariates)))
    z[1:] = SHARED * z[0] + np.sqrt(1 - SHARED**2) * z[1:]
    scaled = {trait: row * EXPLAINED[trait] / (x @ row).std() for trait, row in zip(TRAITS, z, strict=True)}
    return {trait: dict(zip(covariates, row.tolist(), strict=True)) for trait, row in scaled.items()}


def person_effects() -> np.ndarray:
    """What age and sex add to the linear predictors, logit scale, shape (ages, sexes, 3)."""
    belonging = AGE[:, None] + SEX + AGE_SEX
    return np.stack([belonging, *(AGES[trait][:, None] + SEXES[trait] for trait in TRAITS[1:])], axis=-1)


def area_share(country: Country) -> np.ndarray:
    """Share of the variance between adults that lies between areas, of each trait on the logit scale, shape (3,)."""
    between = np.cov(country.eta.T, aweights=country.counts.sum(axis=(1, 2))).diagonal()
    share: np.ndarray = between / (between + RESIDUAL**2)
    return share
