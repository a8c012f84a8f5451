"""A survey in the manner of the Community Life Survey: one face-to-face year and two of an online survey."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from placewise.pipeline.example.adults import COUNTED, Cuts, People, predictors
from placewise.pipeline.example.items import CLS_ITEMS, FACE_TO_FACE_YEAR, YEARS, respond
from placewise.pipeline.example.labelled import LabelledTable
from placewise.pipeline.example.questionnaire import lose
from placewise.pipeline.example.sampling import (
    ONLINE,
    Places,
    draw_adults,
    draw_lsoas,
    draw_visits,
    responds,
    weights,
)
from placewise.pipeline.example.sizes import SurveySize
from placewise.pipeline.example.traits import Country

MODES = {1: "Face to face", 2: "Web", 3: "Paper"}
LOST = {"Don't know": 0.013, "Refused": 0.004}
# Not put to a year's respondents.
NOT_ASKED = {"2021-22": ("NComfort1", "NComfort2", "NComfort3")}

_STRENGTH = ("Not at all strongly", "Not very strongly", "Fairly strongly", "Very strongly")
_AGREE = ("Definitely disagree", "Tend to disagree", "Tend to agree", "Definitely agree")
_COMFORT = ("Very uncomfortable", "Fairly uncomfortable", "Fairly comfortable", "Very comfortable")
ANSWERS: Mapping[str, tuple[str, ...]] = {
    "SBeNeigh": _STRENGTH,
    "SBeGB": _STRENGTH,
    "Slocsat": (
        "Very dissatisfied",
        "Fairly dissatisfied",
        "Neither satisfied nor dissatisfied",
        "Fairly satisfied",
        "Very satisfied",
    ),
    "SPull": _AGREE,
    "STrust": (
        "None of the people can be trusted",
        "A few can be trusted",
        "Some can be trusted",
        "Many of the people can be trusted",
    ),
    "SchatN": ("Never", "Less than once a month", "Once or twice a month", "Once or twice a week", "On most days"),
    "SFavN": _AGREE,
    "STogeth": _AGREE,
    "NComfort1": _COMFORT,
    "NComfort2": _COMFORT,
    "NComfort3": _COMFORT,
}
# Answers that stand on no scale, and how many give them.
APART = {
    "SPull": ("Nothing needs improving", 0.02),
    "STrust": ("Just moved here", 0.01),
    "SchatN": ("Don't have any neighbours", 0.01),
}
# The questions of one module code what is missing in their own way; all others as the first.
MISSING = {-9: "Refused", -8: "Don't know", -1: "Item not applicable"}
MISSING_OF = {name: {9: "Refused", 8: "Don't know"} for name in ("SBeNeigh", "SBeGB")}
AGE_BANDS = (16, 18, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85)
WITHHELD = {998: "Prefer not to say"}
NO_AGE, NO_SEX = 0.006, 0.003
# Youngest and oldest of each age group of the frame.
YEARS_OF_AGE = np.array([[16, 24], [25, 34], [35, 49], [50, 64], [65, 92]])

_VARIABLES = {
    "Cserial": "Serial number",
    "Year": "Survey year",
    "Mode": "Mode of interview",
    "PSU": "Primary sampling unit (face to face only)",
    "FinalStratum": "Stratum",
    "Weight": "Individual weight, adults 16 and over",
    "LAD": "Local authority district, code",
    "GOR": "Region",
    "SEX": "What is your sex?",
    "AgeBand": "Which of the following age bands are you in?",
    "SBeNeigh": "How strongly do you feel you belong to: your immediate neighbourhood",
    "SBeGB": "How strongly do you feel you belong to: Britain",
    "Slocsat": "Overall, how satisfied or dissatisfied are you with your local area as a place to live?",
    "SPull": "People in this neighbourhood pull together to improve it",
    "STrust": "To what extent can the people who live in this neighbourhood be trusted",
    "SchatN": "How often do you chat to any of your neighbours, more than to just say hello",
    "SFavN": "Borrow things and exchange favours with neighbours",
    "STogeth": "People from different backgrounds get on well together in this local area",
    "NComfort1": "Comfortable asking a neighbour to keep a set of keys to your home for emergencies",
    "NComfort2": "Comfortable asking a neighbour to mind your child(ren) for half an hour",
    "NComfort3": "Comfortable asking a neighbour to collect a few shopping essentials if you were ill",
}


def approach(places: Places, size: SurveySize, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Numbers of the adults approached in each year: in clusters face to face, at random within regions online."""
    lsoas = draw_lsoas(places, size.face_to_face, rng)
    found = {FACE_TO_FACE_YEAR: draw_visits(places, lsoas, size.visits, rng)}
    online = [year for year in YEARS if year != FACE_TO_FACE_YEAR]
    return found | {year: draw_adults(places, size.online, rng) for year in online}


def community_life(
    country: Country, places: Places, cuts: Cuts, approached: Mapping[str, People], rng: np.random.Generator
) -> LabelledTable:
    """The survey's deposit: everybody who responded in any year.

    Parameters
    ----------
    country, places
    cuts : mapping
        From `items.cutpoints`.
    approached : mapping of year to People
        Those whom `approach` picked.
    rng : Generator

    Returns
    -------
    LabelledTable
    """
    years = [_year(country, places, cuts, year, people, rng) for year, people in approached.items()]
    table = pd.concat(years, ignore_index=True)
    table.insert(0, "Cserial", 100_001 + rng.permutation(len(table)))
    region = pd.Categorical(country.areas["region"])
    names = country.areas.get("region_name", country.areas["region"])
    of_region = {i + 1: str(names[int(np.argmax(region.codes == i))]) for i in range(places.regions)}
    values: dict[str, Mapping[int, str]] = {
        "Mode": MODES,
        "FinalStratum": of_region,
        "GOR": of_region,
        "SEX": {1: "Female", 2: "Male"} | WITHHELD,
        "AgeBand": {i + 1: _band(i) for i in range(len(AGE_BANDS))} | WITHHELD,
    }
    for name, answers in ANSWERS.items():
        listed = [*reversed(answers), *([APART[name][0]] if name in APART else [])]
        values[name] = {i + 1: text for i, text in enumerate(listed)} | MISSING_OF.get(name, MISSING)
    declared = {name: tuple(MISSING) for name in ANSWERS if name not in MISSING_OF}
    return LabelledTable(table, _VARIABLES, values, declared)


def _band(i: int) -> str:
    if i + 1 == len(AGE_BANDS):
        return f"{AGE_BANDS[i]} or over"
    return f"{AGE_BANDS[i]} to {AGE_BANDS[i + 1] - 1}"


def _year(
    country: Country, places: Places, cuts: Cuts, year: str, people: People, rng: np.random.Generator
) -> pd.DataFrame:
    """Those approached in one year who responded."""
    responded = responds(places, people, rng)
    base = 1 / places.boost()[places.region[people.area]]
    weight = weights(places, country, people, base, responded)
    people, weight = people.take(np.flatnonzero(responded)), weight[responded]
    n = len(people.area)
    region = places.region[people.area] + 1
    web = np.where(rng.random(n) < ONLINE[people.age], 2, 3)
    clustered = year == FACE_TO_FACE_YEAR
    table = pd.DataFrame(
        {
            "Year": year,
            "Mode": 1 if clustered else web,
            "PSU": places.lsoa[people.area] + 1.0 if clustered else np.nan,
            "FinalStratum": region,
            "Weight": np.round(weight, 6),
            "LAD": country.areas["lad"].to_numpy(dtype=object)[people.area],
            "GOR": region,
            "SEX": lose(people.sex + 1, {998: NO_SEX}, rng),
            "AgeBand": lose(_age_bands(people.age, rng), {998: NO_AGE}, rng),
        }
    )
    return pd.concat([table, _answers(country, cuts, year, people, rng)], axis=1)


def _age_bands(age: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    years = rng.integers(YEARS_OF_AGE[age, 0], YEARS_OF_AGE[age, 1] + 1)
    band: np.ndarray = np.searchsorted(AGE_BANDS, years, side="right")
    return band


def _answers(country: Country, cuts: Cuts, year: str, people: People, rng: np.random.Generator) -> pd.DataFrame:
    """Codes of every question: 1 the most of its trait, as the questionnaire lists them."""
    m = predictors(country, people.area, people.age, people.sex)
    counted = {question: i for i, question in enumerate(COUNTED.values())}
    columns = {}
    for name, item in CLS_ITEMS.items():
        luck = people.luck[:, counted[name]] if name in counted else rng.random(len(m))
        answer = respond(item, cuts[year][name], m[:, item.trait], people.residual[:, item.trait], luck)
        code = len(ANSWERS[name]) + 1 - answer
        if name in APART:
            code = lose(code, {len(ANSWERS[name]) + 1: APART[name][1]}, rng)
        lost = {reserved: LOST[label] for reserved, label in MISSING_OF.get(name, MISSING).items() if label in LOST}
        code = lose(code, lost, rng)
        columns[name] = np.full(len(m), -1) if name in NOT_ASKED.get(year, ()) else code
    return pd.DataFrame(columns)
