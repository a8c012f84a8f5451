"""The one known truth: what every adult of the country would answer."""

from __future__ import annotations

import numpy as np
import pandas as pd

from placewise.pipeline.example.names import ANSWERS

# On standardised covariates, logit scale; deprivation and density after the logarithm.
SLOPES = {
    "deprivation": -0.13,
    "density": -0.08,
    "private_rent": -0.10,
    "social_rent": 0.03,
    "degree": 0.05,
    "no_car": 0.0,
    "movers": -0.05,
    "one_person": -0.03,
}
LOGGED = ("deprivation", "density")
AGE = np.array([-0.25, -0.20, 0.0, 0.12, 0.30])
SEX = np.array([0.05, -0.05])
AGE_SEX = np.array([[0.05, -0.05], [0.0, 0.0], [-0.05, 0.05], [0.0, 0.0], [0.05, -0.05]])
CUTPOINTS = np.array([-2.15, -0.60, 1.30])
# Standard deviations as censuses show them after covariates: geography .166 in all, .64 of the variance the area's own.
SD = {"region": 0.029, "lad": 0.044, "msoa": 0.064, "lsoa": 0.053, "oa": 0.133}
SD_CLASS = {"supergroup": 0.08, "group": 0.06, "subgroup": 0.06}


def propensity(areas: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Linear predictor of each area before age and sex, shape (A,)."""
    eta = np.zeros(len(areas))
    for name, slope in SLOPES.items():
        x = areas[name].to_numpy(dtype=float)
        x = np.log(x) if name in LOGGED else x
        eta += slope * (x - x.mean()) / x.std()
    for name, sd in (SD | SD_CLASS).items():
        number = areas[name].astype("category").cat.codes.to_numpy()
        eta += rng.normal(0, sd, number.max() + 1)[number]
    return eta


def answers(eta: np.ndarray, counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Answers of every adult, as counts.

    Parameters
    ----------
    eta : ndarray, shape (A,)
        Linear predictor of the areas.
    counts : ndarray of int, shape (A, ages, sexes)
        Adults.

    Returns
    -------
    ndarray of int, shape (A, ages, sexes, answers)
        Drawn person by person from a cumulative logit.
    """
    person = eta[:, None, None] + AGE[:, None] + SEX + AGE_SEX
    upto = 1 / (1 + np.exp(-(CUTPOINTS - person[..., None])))
    edges = np.concatenate([np.zeros((*upto.shape[:-1], 1)), upto, np.ones((*upto.shape[:-1], 1))], axis=-1)
    return rng.multinomial(counts, np.diff(edges, axis=-1))


def truth_table(areas: pd.DataFrame, given: np.ndarray) -> pd.DataFrame:
    """Share of adults who belong strongly, in every area of every level and the nation.

    Parameters
    ----------
    areas : DataFrame
    given : ndarray of int, shape (A, ages, sexes, answers)

    Returns
    -------
    DataFrame
        ``area_level, area_code, population, truth, n1..n4, mean_score`` and the groups by which coverage is scored,
        ``by_supergroup`` (small areas only) and ``by_region``.
    """
    by_answer = pd.DataFrame(
        given.reshape(len(areas), -1, len(ANSWERS)).sum(axis=1),
        columns=[f"n{k + 1}" for k in range(len(ANSWERS))],
    )
    parts = []
    for level in ("oa", "lsoa", "msoa", "lad", "region", "national"):
        key = pd.Series("all", index=areas.index) if level == "national" else areas[level]
        part = by_answer.groupby(key.to_numpy(dtype=object)).sum()
        part.insert(0, "area_level", level)
        part.insert(1, "area_code", part.index)
        if level == "oa":
            part["by_supergroup"] = areas.set_index("oa")["supergroup"].reindex(part.index)
        if level not in ("region", "national"):
            part["by_region"] = areas.drop_duplicates(level).set_index(level)["region"].reindex(part.index)
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    n = table[[f"n{k + 1}" for k in range(len(ANSWERS))]].to_numpy()
    total = n.sum(axis=1)
    table.insert(2, "population", total)
    table.insert(3, "truth", np.round((n[:, 2] + n[:, 3]) / total, 6))
    table.insert(8, "mean_score", np.round(n @ np.arange(1, len(ANSWERS) + 1) / total, 6))
    return table
