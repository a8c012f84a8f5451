"""How the made-up surveys find people: places, households, who responds, and the weights that make up for it."""

from __future__ import annotations

import numpy as np

from placewise.pipeline.example.adults import People
from placewise.pipeline.example.traits import Country

# Who answers, by age and sex, and how many of those choose the online questionnaire rather than paper.
RESPONSE = np.array([[0.46, 0.40], [0.52, 0.47], [0.60, 0.55], [0.68, 0.64], [0.72, 0.71]])
ONLINE = np.array([0.92, 0.88, 0.78, 0.60, 0.34])
# Fewer respond in some classes of areas than in others, from the first class in the order of codes to the last.
CLASS_RESPONSE = (1.06, 0.82)
# The last region is sampled more heavily, as surveys do with a nation of their own.
BOOST = 1.8
# Households of one, two, three and four adults.
ADULTS_IN_HOUSEHOLD = np.array([0.36, 0.50, 0.10, 0.04])


class Places:
    """Where the adults of a country live; adults are numbered area after area.

    Parameters
    ----------
    country : Country

    Attributes
    ----------
    start : ndarray of int, shape (A + 1,)
        Number of each area's first adult, and of all.
    region, lsoa, group : ndarray of int, shape (A,)
        Position of the area's region, lsoa and supergroup in the order of their codes.
    """

    def __init__(self, country: Country) -> None:
        areas = country.areas
        self.adults = country.counts.sum(axis=(1, 2))
        self.start = np.concatenate([[0], np.cumsum(self.adults)])
        self.region, self.lsoa, self.group = (
            areas[level].astype("category").cat.codes.to_numpy().astype(int)
            for level in ("region", "lsoa", "supergroup")
        )
        self.regions = self.region.max() + 1
        first = np.flatnonzero(np.diff(self.lsoa, prepend=-1))
        # areas of one lsoa stand together: its adults are numbered from one bound to the other
        self.lsoa_areas = np.stack([first, np.append(first[1:], len(self.lsoa))], axis=1)
        self.lsoa_adults = self.start[self.lsoa_areas[:, 1]] - self.start[self.lsoa_areas[:, 0]]
        self.lsoa_region = self.region[first]

    def boost(self) -> np.ndarray:
        """How much more heavily each region is sampled, shape (regions,)."""
        return np.where(np.arange(self.regions) == self.regions - 1, BOOST, 1.0)

    def shares_of(self, n: int) -> np.ndarray:
        """How many of n to take in each region, shape (regions,); at least one."""
        size = np.bincount(self.region, self.adults) * self.boost()
        takes: np.ndarray = np.maximum(1, np.round(n * size / size.sum()).astype(int))
        return takes

    def response(self) -> np.ndarray:
        """How readily people of each supergroup respond, shape (supergroups,)."""
        return np.linspace(*CLASS_RESPONSE, self.group.max() + 1)


def systematic(size: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Positions drawn with probability proportional to size, in order, one every total / n."""
    edge = np.cumsum(size)
    hits = (rng.random() + np.arange(n)) * edge[-1] / n
    return np.unique(np.searchsorted(edge, hits, side="right"))


def draw_lsoas(places: Places, n: int, rng: np.random.Generator) -> np.ndarray:
    """About n lsoas, within regions systematically and with probability proportional to adults; region after region."""
    takes = places.shares_of(n)
    chosen = []
    for region in range(places.regions):
        members = np.flatnonzero(places.lsoa_region == region)
        chosen.append(members[systematic(places.lsoa_adults[members], takes[region], rng)])
    return np.concatenate(chosen)


def draw_adults(places: Places, n: int, rng: np.random.Generator) -> np.ndarray:
    """About n adults, at random within each region; numbers, ascending."""
    takes = places.shares_of(n)
    chosen = []
    for region in range(places.regions):
        inside = np.flatnonzero(places.region == region)
        low, high = places.start[inside[0]], places.start[inside[-1] + 1]
        take = min(takes[region], high - low)
        chosen.append(low + np.sort(rng.choice(high - low, take, replace=False, shuffle=False)))
    return np.concatenate(chosen)


def draw_visits(places: Places, lsoas: np.ndarray, visits: int, rng: np.random.Generator) -> np.ndarray:
    """Adults of each lsoa at random; numbers, lsoa after lsoa."""
    chosen = []
    for lsoa in lsoas:
        size = places.lsoa_adults[lsoa]
        low = places.start[places.lsoa_areas[lsoa, 0]]
        chosen.append(low + rng.choice(size, min(visits, size), replace=False))
    return np.concatenate(chosen)


def draw_households(
    places: Places, lsoas: np.ndarray, each: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Households of each lsoa.

    Parameters
    ----------
    places : Places
    lsoas : ndarray of int
    each : int
        Households in each lsoa.
    rng : Generator

    Returns
    -------
    adults : ndarray of int, shape (n,)
        Numbers of their adults, household after household.
    household : ndarray of int, shape (n,)
        Number of the household, counted from 0.
    unit : ndarray of int, shape (n,)
        Position of the lsoa in ``lsoas``.
    """
    adults, sizes, units = [], [], []
    for unit, lsoa in enumerate(lsoas):
        first, last = places.lsoa_areas[lsoa]
        living = places.adults[first:last]
        for area, households in enumerate(rng.multinomial(each, living / living.sum())):
            size = 1 + rng.choice(len(ADULTS_IN_HOUSEHOLD), households, p=ADULTS_IN_HOUSEHOLD)
            size = size[np.cumsum(size) <= living[area]]
            adults.append(places.start[first + area] + rng.choice(living[area], size.sum(), replace=False))
            sizes.append(size)
            units.append(np.full(size.sum(), unit))
    size = np.concatenate(sizes)
    return np.concatenate(adults), np.repeat(np.arange(len(size)), size), np.concatenate(units)


def responds(places: Places, people: People, rng: np.random.Generator, factor: float = 1.0) -> np.ndarray:
    """Who of the people approached responds: by age, sex and class of area, never by what they would say."""
    chance = factor * RESPONSE[people.age, people.sex] * places.response()[places.group[people.area]]
    yes: np.ndarray = rng.random(len(chance)) < np.minimum(chance, 0.98)
    return yes


def weights(places: Places, country: Country, people: People, base: np.ndarray, responded: np.ndarray) -> np.ndarray:
    """Weights of respondents: what the design gives, made up for non-response, then fitted to who lives there.

    Non-response is made up for within supergroup by age by sex; then the weights of each region by age by sex are
    made to add up to its adults.

    Parameters
    ----------
    places, country
    people : People
        Everybody approached.
    base : ndarray, shape (n,)
        Inverse of the chance to be approached, up to a factor.
    responded : ndarray of bool, shape (n,)

    Returns
    -------
    ndarray, shape (n,)
        Mean 1 over the respondents, 0 for the others.
    """
    ages, sexes = country.counts.shape[1:]
    within = people.age * sexes + people.sex
    group, region = (first[people.area] * ages * sexes + within for first in (places.group, places.region))
    weight = np.where(responded, base, 0.0)
    weight *= _ratio(np.bincount(group, base), np.bincount(group, weight))[group]
    living = np.zeros((places.regions, ages, sexes))
    np.add.at(living, places.region, country.counts)
    weight *= _ratio(living.ravel(), np.bincount(region, weight, living.size))[region]
    weight /= weight[responded].mean()
    return weight


def _ratio(wanted: np.ndarray, got: np.ndarray) -> np.ndarray:
    ratio: np.ndarray = np.divide(wanted, got, out=np.zeros(len(got)), where=got > 0)
    return ratio
