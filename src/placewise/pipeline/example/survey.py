"""A survey of the made-up country: clustered, with unequal chances, refusals and missing codes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from placewise.pipeline.example.names import AGES, ANSWERS, REGIONS, SEXES, Size

# One region is sampled more heavily, as national surveys do with a nation of their own.
BOOST = np.array([1.0, 1.0, 1.8])
RESPONSE = np.array([[0.46, 0.40], [0.52, 0.47], [0.60, 0.55], [0.68, 0.64], [0.72, 0.71]])
ONLINE = np.array([0.92, 0.88, 0.78, 0.60, 0.34])
DONT_KNOW, REFUSED, NOT_ASKED = 0.014, 0.004, 0.006
NO_AGE = 0.004


def draw_survey(areas: pd.DataFrame, given: np.ndarray, size: Size, rng: np.random.Generator) -> pd.DataFrame:
    """Draw respondents from the adults of the country.

    Lower-layer areas are drawn within regions, systematically, with probability proportional to their adults; in each
    the same number of adults is approached, and more of the old than of the young answer.

    Parameters
    ----------
    areas : DataFrame
    given : ndarray of int, shape (A, ages, sexes, answers)
        What every adult would answer.
    size : Size
    rng : Generator

    Returns
    -------
    DataFrame
        One row a respondent: person, oa, psu, stratum, mode, weight, age, sex, belonging.
    """
    region = areas["region"].astype("category").cat.codes.to_numpy()
    lsoa = areas["lsoa"].astype("category").cat.codes.to_numpy()
    adults = given.sum(axis=(1, 2, 3))
    region_adults = np.bincount(region, adults)
    takes = np.round(size.psus * region_adults * BOOST / (region_adults * BOOST).sum()).astype(int)
    lsoa_adults = np.bincount(lsoa, adults)
    lsoa_region = np.array([region[np.searchsorted(lsoa, i)] for i in range(lsoa.max() + 1)])
    rows = []
    for r in range(len(REGIONS)):
        members = np.flatnonzero(lsoa_region == r)
        for psu in members[systematic(lsoa_adults[members], takes[r], rng)]:
            rows.append(_interview(np.flatnonzero(lsoa == psu), given, size.visits, rng))
    area, age, sex, answer = np.concatenate(rows, axis=1)
    weight = _weights(region[area], age, sex, given.sum(axis=3), region)
    table = pd.DataFrame(
        {
            "person": [f"P{i + 1:05d}" for i in range(len(area))],
            "oa": areas["oa"].to_numpy(dtype=object)[area],
            "psu": areas["lsoa"].to_numpy(dtype=object)[area],
            "stratum": areas["region"].to_numpy(dtype=object)[area],
            "mode": np.where(rng.random(len(area)) < ONLINE[age], "online", "paper"),
            "weight": np.round(weight, 4),
            "age": np.array(AGES, dtype=object)[age],
            "sex": np.array(SEXES, dtype=object)[sex],
            "belonging": np.array(ANSWERS, dtype=object)[answer],
        }
    )
    return _lose_some(table, rng)


def systematic(size: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Positions drawn with probability proportional to size, in order, one every total / n."""
    edge = np.cumsum(size)
    hits = (rng.random() + np.arange(n)) * edge[-1] / n
    return np.unique(np.searchsorted(edge, hits, side="right"))


def _interview(members: np.ndarray, given: np.ndarray, visits: int, rng: np.random.Generator) -> np.ndarray:
    """Approach adults of one lower-layer area at random; area, age, sex, answer of those who respond, shape (4, m)."""
    inside = given[members]
    kinds = np.flatnonzero(inside)
    drawn = rng.multivariate_hypergeometric(inside.ravel()[kinds], min(visits, int(inside.sum())))
    at, age, sex, answer = np.unravel_index(np.repeat(kinds, drawn), inside.shape)
    responds = rng.random(len(at)) < RESPONSE[age, sex]
    return np.stack([members[at], age, sex, answer])[:, responds]


def _weights(
    stratum: np.ndarray, age: np.ndarray, sex: np.ndarray, counts: np.ndarray, region: np.ndarray
) -> np.ndarray:
    """Adults a respondent stands for, by region, age and sex; mean 1."""
    shape = (len(REGIONS), len(AGES), len(SEXES))
    people = np.zeros(shape)
    np.add.at(people, region, counts)
    asked = np.zeros(shape)
    np.add.at(asked, (stratum, age, sex), 1)
    weight: np.ndarray = people[stratum, age, sex] / asked[stratum, age, sex]
    weight /= weight.mean()
    return weight


def _lose_some(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Put missing codes in place of some answers and of a few ages."""
    u = rng.random(len(table))
    edges = np.cumsum([DONT_KNOW, REFUSED, NOT_ASKED])
    table.loc[u < edges[2], "belonging"] = "-9"
    table.loc[u < edges[1], "belonging"] = "refused"
    table.loc[u < edges[0], "belonging"] = "don't know"
    table.loc[rng.random(len(table)) < NO_AGE, "age"] = "refused"
    return table
