"""The two surveys of the example's own project: clustered, with unequal chances, refusals and missing codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from placewise.pipeline.example.adults import COUNTED, Cuts, People, predictors
from placewise.pipeline.example.items import respond
from placewise.pipeline.example.names import AGES, SEXES, Size
from placewise.pipeline.example.questionnaire import lose
from placewise.pipeline.example.questions import COMMUNITY, HOUSEHOLD, Question
from placewise.pipeline.example.sampling import (
    ONLINE,
    Places,
    draw_households,
    draw_lsoas,
    draw_visits,
    responds,
    weights,
)
from placewise.pipeline.example.traits import TRAITS, Country

DONT_KNOW, REFUSED, BLANK = 0.014, 0.004, 0.006
NO_AGE = 0.004
# Of those whom a question is put to only in part.
SOME = 2 / 3
# Households that let an interviewer in, and how much readier their members are than people asked alone.
HOUSEHOLDS_RESPOND, INSIDE = 0.85, 1.3
# The second survey measures the same traits less sharply (another mode, other years), and differs from the first by
# local authority: factor of the predictors, and sd of the difference in units of the person's residual.
FACTOR = np.array([0.80, 0.85, 0.75])
DISCREPANCY = 0.02


@dataclass(frozen=True, eq=False)
class Approached:
    """Adults whom the two surveys approach.

    Parameters
    ----------
    community : ndarray of int, shape (n,)
        Numbers of the adults of the reference survey.
    household : ndarray of int, shape (m,)
        Of the second, household after household.
    home, psu : ndarray of int, shape (m,)
        Number of the household, counted from 0, and position of the lsoa sampled.
    """

    community: np.ndarray
    household: np.ndarray
    home: np.ndarray
    psu: np.ndarray


def approach(places: Places, size: Size, rng: np.random.Generator) -> Approached:
    """Draw both samples.

    Lower-layer areas are drawn within regions, systematically, with probability proportional to their adults. The
    reference survey approaches the same number of adults in each, the second whole households.
    """
    community = draw_visits(places, draw_lsoas(places, size.psus, rng), size.visits, rng)
    lsoas = draw_lsoas(places, size.household_psus, rng)
    adults, home, unit = draw_households(places, lsoas, size.households, rng)
    return Approached(community, adults, home, lsoas[unit])


def community_survey(
    country: Country, places: Places, cuts: Cuts, people: People, rng: np.random.Generator
) -> pd.DataFrame:
    """The reference survey: everybody approached who responded.

    Returns
    -------
    DataFrame
        ``person, oa, psu, stratum, mode, weight, age, sex`` and the columns of `questions.COMMUNITY`.
    """
    responded = responds(places, people, rng)
    online = np.where(rng.random(len(responded)) < ONLINE[people.age], "online", "paper")
    table = _respondents(country, places, people, responded, "P", places.lsoa[people.area])
    table.insert(4, "mode", online[responded])
    people = people.take(np.flatnonzero(responded))
    m = predictors(country, people.area, people.age, people.sex)
    return _complete(table, COMMUNITY, cuts, m, people, rng)


def household_survey(
    country: Country, places: Places, cuts: Cuts, approached: Approached, people: People, rng: np.random.Generator
) -> pd.DataFrame:
    """The second survey: everybody in the households that take part who responded.

    Parameters
    ----------
    people : People
        The adults of ``approached.household``, in its order.

    Returns
    -------
    DataFrame
        ``person, oa, psu, stratum, weight, age, sex`` and the columns of `questions.HOUSEHOLD`.
    """
    lad = country.areas["lad"].astype("category").cat.codes.to_numpy()
    apart = rng.normal(0, DISCREPANCY, (lad.max() + 1, len(TRAITS)))
    takes_part = rng.random(approached.home.max() + 1) < HOUSEHOLDS_RESPOND
    responded = takes_part[approached.home] & responds(places, people, rng, INSIDE)
    table = _respondents(country, places, people, responded, "H", approached.psu)
    people = people.take(np.flatnonzero(responded))
    m = FACTOR * predictors(country, people.area, people.age, people.sex) + apart[lad[people.area]]
    return _complete(table, HOUSEHOLD, cuts, m, people, rng)


def _respondents(
    country: Country, places: Places, people: People, responded: np.ndarray, letter: str, psu: np.ndarray
) -> pd.DataFrame:
    """Who responded: where they live, their design, age and sex."""
    areas = country.areas
    weight = weights(places, country, people, 1 / places.boost()[places.region[people.area]], responded)[responded]
    people, psu = people.take(np.flatnonzero(responded)), psu[responded]
    lsoa = areas["lsoa"].to_numpy(dtype=object)[places.lsoa_areas[psu, 0]]
    return pd.DataFrame(
        {
            "person": [f"{letter}{i + 1:05d}" for i in range(len(weight))],
            "oa": areas["oa"].to_numpy(dtype=object)[people.area],
            "psu": lsoa,
            "stratum": areas["region"].to_numpy(dtype=object)[people.area],
            "weight": np.round(weight, 4),
            "age": np.array(AGES, dtype=object)[people.age],
            "sex": np.array(SEXES, dtype=object)[people.sex],
        }
    )


def _complete(
    table: pd.DataFrame,
    questions: Mapping[str, Question],
    cuts: Cuts,
    m: np.ndarray,
    people: People,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Add the answers, and put missing codes in place of some of them and of a few ages."""
    counted = {question: i for i, question in enumerate(COUNTED.values())}
    some = rng.random(len(table)) < SOME
    for column, question in questions.items():
        item = question.item
        # what the census counts is what its people say here
        luck = people.luck[:, counted[question.name]] if question.name in counted else rng.random(len(table))
        residual = people.residual[:, item.trait]
        answer = respond(item, cuts[question.source][question.name], m[:, item.trait], residual, luck)
        if question.answers:
            told = np.array(question.answers, dtype=object)[answer - 1]
            told = lose(told, {"don't know": DONT_KNOW, "refused": REFUSED, "-9": BLANK}, rng)
        else:
            told = lose(answer, {-1: DONT_KNOW, -2: REFUSED, -9: BLANK}, rng)
        asked = {"all": True, "online": table.get("mode") == "online", "some": some}[question.put_to]
        table[column] = np.where(asked, told, type(told[0])(-8))
    table.loc[rng.random(len(table)) < NO_AGE, "age"] = "refused"
    return table
