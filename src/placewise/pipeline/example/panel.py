"""A household panel of the made-up country: two waves, drop-out, movers, a boost sample, and who answered what."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from placewise.pipeline.example.adults import People
from placewise.pipeline.example.community_life import YEARS_OF_AGE
from placewise.pipeline.example.sampling import (
    Places,
    draw_households,
    draw_lsoas,
    responds,
    systematic,
    weights,
)
from placewise.pipeline.example.sizes import SurveySize
from placewise.pipeline.example.traits import PERSON, Country

WAVES = ("c", "f")
BETWEEN = 3
FULL, PROXY, NONE = 1, 2, 0
HOUSEHOLDS_RESPOND = 0.8
# Those in a household that takes part are readier to respond than those approached alone.
INSIDE = 1.25
BY_PROXY = 0.25
# By age group: whether a person interviewed returns the self-completion questionnaire, takes part in the next wave,
# and has moved to another household by then.
SELF_COMPLETION = np.array([0.78, 0.80, 0.85, 0.88, 0.88])
STAYS = np.array([0.62, 0.66, 0.78, 0.84, 0.80])
MOVES = np.array([0.16, 0.13, 0.06, 0.03, 0.02])
# People who live with a sample member without being one: interviewed, weight 0.
TEMPORARY = 0.05
# How much of a person's residual is the same a wave later.
LASTING = 0.85


@dataclass(frozen=True, eq=False)
class Issued:
    """Adults of the households that a panel approaches.

    Parameters
    ----------
    adults : ndarray of int, shape (n,)
        Their numbers, household after household.
    household, psu, strata : ndarray of int, shape (n,)
        Number of the household, counted from 0; codes of its sampling unit and stratum.
    boost : ndarray of bool, shape (n,)
        Joined in wave f.
    chance : ndarray, shape (n,)
        To be drawn for wave c.
    again : ndarray, shape (lsoas,)
        Of anybody who lives in an lsoa to be drawn for the boost.
    """

    adults: np.ndarray
    household: np.ndarray
    psu: np.ndarray
    strata: np.ndarray
    boost: np.ndarray
    chance: np.ndarray
    again: np.ndarray


@dataclass(frozen=True, eq=False)
class Wave:
    """The adults of the households that took part in one wave.

    Parameters
    ----------
    people : People
        As they are in this wave: where they live now, how old they are now.
    member : ndarray of int, shape (m,)
        Position of the person in `Issued`.
    household : ndarray of int, shape (m,)
        Number of the household, ascending.
    years : ndarray of int, shape (m,)
        Age.
    outcome : ndarray of int, shape (m,)
        ``FULL``, ``PROXY`` or ``NONE``.
    returned : ndarray of bool, shape (m,)
        Has answered the self-completion questionnaire.
    weight : dict of str to ndarray, shape (m,)
        Of the persons enumerated ``en``, with an interview or a proxy ``px``, with an interview ``in``, with the
        self-completion questionnaire ``sc``; 0 outside each.
    """

    people: People
    member: np.ndarray
    household: np.ndarray
    years: np.ndarray
    outcome: np.ndarray
    returned: np.ndarray
    weight: dict[str, np.ndarray]


def issue(places: Places, size: SurveySize, rng: np.random.Generator) -> Issued:
    """Draw the households of wave c, and those that join in wave f from the areas of the last supergroup.

    Sampling units are paired into strata as they were drawn; the last of each region has a stratum of its own.
    """
    lsoas = draw_lsoas(places, size.psus, rng)
    group = places.group[places.lsoa_areas[:, 0]]
    of_class = np.flatnonzero(group == group.max())
    joining = of_class[systematic(places.lsoa_adults[of_class], size.boost, rng)]
    adults, household, unit = draw_households(places, lsoas, size.households, rng)
    more, other, joined = draw_households(places, joining, size.households, rng)
    everybody = np.concatenate([adults, more])
    area = np.searchsorted(places.start, everybody, side="right") - 1
    region = places.region[area]
    chance = (np.bincount(region[: len(adults)]) / np.bincount(places.region, places.adults))[region]
    again = np.zeros(len(places.lsoa_adults))
    again[of_class] = len(more) / places.lsoa_adults[of_class].sum()
    one_stratum = np.zeros(len(joining), dtype=int)
    return Issued(
        everybody,
        np.concatenate([household, household.max() + 1 + other]),
        np.concatenate([2001 + unit, 8001 + joined]),
        np.concatenate([2001 + _strata(places.lsoa_region[lsoas])[unit], 8001 + _strata(one_stratum)[joined]]),
        np.repeat([False, True], [len(adults), len(more)]),
        chance,
        again,
    )


def _strata(region: np.ndarray) -> np.ndarray:
    """Number of each sampling unit's stratum: pairs within a region, the last unit of a region alone."""
    number = np.zeros(len(region), dtype=int)
    used = 0
    for r in np.unique(region):
        rows = np.flatnonzero(region == r)
        pair = np.arange(len(rows)) // 2
        if len(rows) > 1 and len(rows) % 2 == 0:
            pair[-1] += 1
        number[rows] = used + pair
        used += pair[-1] + 1
    return number


def two_waves(
    country: Country, places: Places, issued: Issued, people: People, rng: np.random.Generator
) -> dict[str, Wave]:
    """Both waves of the panel.

    Parameters
    ----------
    country, places
    issued : Issued
    people : People
        The adults of ``issued``, in its order.
    rng : Generator

    Returns
    -------
    dict of str to Wave
        By letter.
    """
    n = len(people.area)
    years = rng.integers(YEARS_OF_AGE[people.age, 0], YEARS_OF_AGE[people.age, 1] + 1)
    temporary = rng.random(n) < TEMPORARY
    chance = HOUSEHOLDS_RESPOND * places.response()[places.group[people.area]]
    # a household is asked once; its adults stand together and share the first one's draw
    first_of = np.searchsorted(issued.household, issued.household)
    takes_part = rng.random(n)[first_of] < chance[first_of]
    then = _Round("c", people, issued.household, years, 1 / issued.chance, ~issued.boost, takes_part)
    age = np.searchsorted(YEARS_OF_AGE[:, 1], years + BETWEEN).clip(max=len(YEARS_OF_AGE) - 1)
    followed = issued.boost | (rng.random(n) < STAYS[age])
    moved = ~issued.boost & (rng.random(n) < MOVES[age])
    anywhere = np.searchsorted(places.start, rng.integers(0, places.start[-1], n), side="right") - 1
    area = np.where(moved, anywhere, people.area)
    drift = rng.normal(size=people.residual.shape) @ np.linalg.cholesky(PERSON).T
    later = replace(
        people,
        age=age,
        area=area,
        residual=LASTING * people.residual + np.sqrt(1 - LASTING**2) * drift,
    )
    apart = np.where(moved, issued.household.max() + 1 + np.arange(n), issued.household)
    # the boost finds whoever lives there by then, people who have moved there among them
    base = 1 / (issued.chance * STAYS[age] + issued.again[places.lsoa[area]])
    now = _Round("f", later, apart, years + BETWEEN, base, followed, takes_part)
    return {r.wave: _interview(country, places, r, temporary, rng) for r in (then, now)}


@dataclass(frozen=True, eq=False)
class _Round:
    """What a wave finds: who the members are by then, who is approached, whose household takes part."""

    wave: str
    people: People
    household: np.ndarray
    years: np.ndarray
    base: np.ndarray
    approached: np.ndarray
    takes_part: np.ndarray


def _interview(
    country: Country, places: Places, found: _Round, temporary: np.ndarray, rng: np.random.Generator
) -> Wave:
    """Interviews and weights of one wave."""
    people, n = found.people, len(temporary)
    enumerated = found.approached & found.takes_part
    full = enumerated & responds(places, people, rng, INSIDE)
    proxy = enumerated & ~full & (rng.random(n) < BY_PROXY)
    returned = full & (rng.random(n) < SELF_COMPLETION[people.age])
    members = np.flatnonzero(found.approached & ~temporary)
    weight = {}
    for base, inside in {"en": enumerated, "px": full | proxy, "in": full, "sc": returned}.items():
        whole = np.zeros(n)
        whole[members] = weights(places, country, people.take(members), found.base[members], inside[members])
        weight[base] = whole
    rows = np.flatnonzero(enumerated)
    rows = rows[np.argsort(found.household[rows], kind="stable")]
    return Wave(
        people.take(rows),
        rows,
        found.household[rows],
        found.years[rows],
        np.select([full, proxy], [FULL, PROXY], NONE)[rows],
        returned[rows],
        {base: values[rows] for base, values in weight.items()},
    )
