"""Areas: codes, nesting, correlated covariates, classes, and who lives in each."""

from __future__ import annotations

import numpy as np
import pandas as pd

from placewise.pipeline.example.land import Land
from placewise.pipeline.example.names import AGES, LOCAL_AUTHORITIES, REGIONS, SEXES, SUPERGROUPS, Size, code

COVARIATES = ("deprivation", "density", "private_rent", "social_rent", "degree", "no_car", "movers", "one_person")

# Share of adults by age where nothing is special, and how it leans with studenthood and with distance from cities.
_AGE_BASE = np.log([0.13, 0.16, 0.25, 0.25, 0.21])
_AGE_STUDENT = np.array([0.75, 0.35, 0.0, -0.25, -0.45])
_AGE_RURAL = np.array([-0.2, -0.25, 0.0, 0.15, 0.3])
_FEMALE = np.array([0.49, 0.50, 0.505, 0.51, 0.55])


def nest(land: Land, rng: np.random.Generator) -> pd.DataFrame:
    """Output areas with their codes and names at every level; A rows in the order of their codes."""
    lsoas_in_msoa = rng.choice([4, 5], len(land.msoas))
    msoa_of_lsoa = np.repeat(np.arange(len(land.msoas)), lsoas_in_msoa)
    oas_in_lsoa = rng.choice([4, 5, 6], len(msoa_of_lsoa), p=[0.25, 0.5, 0.25])
    lsoa = np.repeat(np.arange(len(msoa_of_lsoa)), oas_in_lsoa)
    msoa = msoa_of_lsoa[lsoa]
    lad = land.msoa_lad[msoa]
    region = land.lad_region[lad]
    msoa_in_lad = msoa - np.searchsorted(land.msoa_lad, land.msoa_lad)[msoa]
    lsoa_in_msoa = lsoa - np.searchsorted(msoa_of_lsoa, msoa_of_lsoa)[lsoa]
    lad_name = np.array(LOCAL_AUTHORITIES, dtype=object)[lad]
    msoa_name = np.array([f"{n} {i + 1:03d}" for n, i in zip(lad_name, msoa_in_lad, strict=True)], dtype=object)
    columns = {
        level: [code(level, int(i)) for i in number]
        for level, number in {"oa": range(len(lsoa)), "lsoa": lsoa, "msoa": msoa, "lad": lad, "region": region}.items()
    }
    columns["lsoa_name"] = [n + "ABCDE"[i] for n, i in zip(msoa_name, lsoa_in_msoa, strict=True)]
    columns["msoa_name"] = list(msoa_name)
    columns["lad_name"] = list(lad_name)
    columns["region_name"] = [REGIONS[i] for i in region]
    return pd.DataFrame(columns)


def add_covariates(areas: pd.DataFrame, land: Land, rng: np.random.Generator) -> pd.DataFrame:
    """Add covariates and nested classes, all from three hidden scores; returns the areas with those columns.

    Returns
    -------
    DataFrame
        The areas with ``COVARIATES`` and ``supergroup``, ``group``, ``subgroup``; the hidden scores stand in the
        columns ``_student`` and ``_rural`` for `people`.
    """
    msoa = areas["msoa"].astype("category").cat.codes.to_numpy()
    urban = _scale(land.msoa_urban[msoa] + _nested(areas, rng, {"msoa": 0.08, "lsoa": 0.08, "oa": 0.08}))
    poor = 0.35 * urban + _nested(areas, rng, {"region": 0.15, "lad": 0.35, "msoa": 0.45, "lsoa": 0.45, "oa": 0.35})
    student = 0.6 * urban + _nested(areas, rng, {"lad": 0.25, "msoa": 0.4, "lsoa": 0.35, "oa": 0.4})
    poor, student = _scale(poor), _scale(student)

    def noise(sd: float) -> np.ndarray:
        return rng.normal(0, sd, len(areas))

    share = {
        "private_rent": -1.75 + 0.25 * urban + 0.6 * student + 0.1 * poor + noise(0.3),
        "social_rent": -2.1 + 0.15 * urban + 0.85 * poor - 0.1 * student + noise(0.5),
        "degree": -0.75 + 0.1 * urban - 0.5 * poor + 0.3 * student + noise(0.2),
        "no_car": -1.6 + 0.45 * urban + 0.5 * poor + 0.2 * student + noise(0.25),
        "movers": -2.2 + 0.05 * urban + 0.5 * student + noise(0.25),
        "one_person": -0.9 + 0.12 * urban + 0.15 * poor + 0.1 * student + noise(0.25),
    }
    columns = {name: np.round(1 / (1 + np.exp(-value)), 3) for name, value in share.items()}
    columns["deprivation"] = np.round(18 * np.exp(0.55 * poor + noise(0.12)), 2)
    columns["density"] = np.round(np.minimum(np.exp(7.2 + 0.95 * urban + 0.1 * student + noise(0.5)), 30_000), 1)
    supergroup = np.select([poor > 0.85, urban + 0.5 * student > 0.75, urban < -0.55], ["4", "3", "1"], "2")
    columns |= _classes(supergroup, {"1": urban, "2": poor, "3": student, "4": urban}, student + noise(0.3))
    columns["supergroup_name"] = np.array([SUPERGROUPS[s] for s in supergroup], dtype=object)
    columns |= {"_student": student, "_rural": -urban}
    added = pd.DataFrame(columns)
    return pd.concat(
        [areas, added[[*COVARIATES, "supergroup", "group", "subgroup", "supergroup_name", "_student", "_rural"]]],
        axis=1,
    )


def _classes(supergroup: np.ndarray, by: dict[str, np.ndarray], within: np.ndarray) -> dict[str, np.ndarray]:
    """Split each supergroup by a score of its own into groups, and each group into two subgroups."""
    group = np.empty(len(supergroup), dtype=object)
    subgroup = np.empty(len(supergroup), dtype=object)
    for top, score in by.items():
        rows = np.flatnonzero(supergroup == top)
        parts = 3 if top == "2" else 2
        rank = np.argsort(np.argsort(score[rows], kind="stable"), kind="stable")
        for part in range(parts):
            inside = rows[rank * parts // len(rows) == part]
            name = top + "abc"[part]
            group[inside] = name
            upper = within[inside] > np.median(within[inside])
            subgroup[inside] = [f"{name}{2 if up else 1}" for up in upper]
    return {"supergroup": supergroup.astype(object), "group": group, "subgroup": subgroup}


def people(areas: pd.DataFrame, size: Size, rng: np.random.Generator) -> np.ndarray:
    """Adults of each area by age and sex; whole numbers, shape (A, 5, 2)."""
    adults = np.clip(np.round(rng.gamma(22, 240 / 22, len(areas))), 120, 400).astype(int)
    adults[rng.choice(len(areas), size.smallest, replace=False)] = 20
    return ages_and_sexes(
        adults, np.outer(areas["_student"], _AGE_STUDENT) + np.outer(areas["_rural"], _AGE_RURAL), rng
    )


def ages_and_sexes(adults: np.ndarray, lean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Divide adults by age and sex.

    Parameters
    ----------
    adults : ndarray of int, shape (A,)
    lean : ndarray, shape (A, 5)
        How much more of each age live in each area, as a logarithm.
    rng : Generator

    Returns
    -------
    ndarray of int, shape (A, 5, 2)
    """
    age = np.exp(_AGE_BASE + lean + rng.normal(0, 0.15, lean.shape))
    age /= age.sum(axis=1, keepdims=True)
    share = np.stack([age * _FEMALE, age * (1 - _FEMALE)], axis=2).reshape(len(adults), -1)
    counts: np.ndarray = rng.multinomial(adults, share).reshape(len(adults), len(AGES), len(SEXES))
    return counts


def cells(areas: pd.DataFrame, counts: np.ndarray) -> pd.DataFrame:
    """The frame in long form: ``oa``, ``age``, ``sex``, ``adults``, empty cells left out."""
    area, age, sex = np.nonzero(counts)
    return pd.DataFrame(
        {
            "oa": areas["oa"].to_numpy(dtype=object)[area],
            "age": np.array(AGES, dtype=object)[age],
            "sex": np.array(SEXES, dtype=object)[sex],
            "adults": counts[area, age, sex].astype(np.int32),
        }
    )


def _nested(areas: pd.DataFrame, rng: np.random.Generator, sds: dict[str, float]) -> np.ndarray:
    """Sum of one normal effect a level, shape (A,)."""
    total = np.zeros(len(areas))
    for level, sd in sds.items():
        number = areas[level].astype("category").cat.codes.to_numpy()
        total += rng.normal(0, sd, number.max() + 1)[number]
    return total


def _scale(x: np.ndarray) -> np.ndarray:
    scaled: np.ndarray = (x - x.mean()) / x.std()
    return scaled
