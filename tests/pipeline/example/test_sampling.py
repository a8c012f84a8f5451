"""Households, visits and weights."""

from __future__ import annotations

import dataclasses

import numpy as np

from placewise.pipeline.example.adults import People
from placewise.pipeline.example.sampling import (
    BOOST,
    Places,
    draw_adults,
    draw_households,
    draw_lsoas,
    draw_visits,
    responds,
    weights,
)
from placewise.pipeline.example.traits import Country


def test_adults_are_drawn_once_and_more_in_the_boosted_region(places: Places, rng: np.random.Generator) -> None:
    adults = draw_adults(places, 6_000, rng)
    assert len(np.unique(adults)) == len(adults)
    region = places.region[np.searchsorted(places.start, adults, side="right") - 1]
    rate = np.bincount(region) / np.bincount(places.region, places.adults)
    np.testing.assert_allclose(rate / rate[0], [1, 1, BOOST], rtol=0.01)


def test_visits_stay_in_their_lsoa(places: Places, rng: np.random.Generator) -> None:
    lsoas = draw_lsoas(places, 12, rng)
    adults = draw_visits(places, lsoas, 25, rng)
    lsoa = places.lsoa[np.searchsorted(places.start, adults, side="right") - 1]
    np.testing.assert_array_equal(lsoa, np.repeat(lsoas, 25))
    assert len(np.unique(adults)) == len(adults)


def test_lsoas_are_drawn_in_proportion_to_their_adults(places: Places) -> None:
    hits = np.zeros(len(places.lsoa_adults))
    for seed in range(1500):
        hits[draw_lsoas(places, 12, np.random.default_rng(seed))] += 1
    inside = places.lsoa_region == 1
    expected = places.lsoa_adults[inside] / places.lsoa_adults[inside].sum() * places.shares_of(12)[1]
    np.testing.assert_allclose(hits[inside] / 1500, expected, atol=5 * np.sqrt(0.25 / 1500))


def test_households_are_whole_and_live_in_one_area(places: Places, rng: np.random.Generator) -> None:
    lsoas = draw_lsoas(places, 15, rng)
    adults, household, unit = draw_households(places, lsoas, 20, rng)
    area = np.searchsorted(places.start, adults, side="right") - 1
    assert len(np.unique(adults)) == len(adults)
    for number in np.unique(household):
        assert len(np.unique(area[household == number])) == 1
        assert (household == number).sum() <= 4
    np.testing.assert_array_equal(places.lsoa[area], lsoas[unit])
    assert 0.95 * 15 * 20 < household.max() + 1 <= 15 * 20


def test_weights_give_back_the_population(country: Country, places: Places, rng: np.random.Generator) -> None:
    adults = draw_adults(places, 12_000, rng)
    area = np.searchsorted(places.start, adults, side="right") - 1
    age, sex = rng.integers(0, 5, len(area)), rng.integers(0, 2, len(area))
    people = People(area, age, sex, np.zeros((len(area), 3)), np.zeros((len(area), 3)))
    responded = responds(places, people, rng)
    assert 0.4 < responded.mean() < 0.7
    weight = weights(places, country, people, 1 / places.boost()[places.region[area]], responded)
    assert weight[~responded].max() == 0
    assert np.isclose(weight[responded].mean(), 1)
    people_in = np.zeros((places.regions, 5, 2))
    np.add.at(people_in, places.region, country.counts)
    weighted = np.zeros_like(people_in)
    np.add.at(weighted, (places.region[area], age, sex), weight)
    np.testing.assert_allclose(weighted / weighted.sum(), people_in / people_in.sum(), rtol=1e-12)


def test_weights_undo_that_some_classes_respond_less(country: Country, places: Places) -> None:
    # what everybody would say depends on the class alone: the weighted mean must be the population's
    adults = places.adults
    truth = (np.bincount(places.group, adults) / adults.sum()) @ np.arange(places.group.max() + 1.0)
    found = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        picked = draw_adults(places, 8_000, rng)
        area = np.searchsorted(places.start, picked, side="right") - 1
        people = dataclasses.replace(_nobody(len(area)), area=area)
        people = dataclasses.replace(people, age=rng.integers(0, 5, len(area)), sex=rng.integers(0, 2, len(area)))
        responded = responds(places, people, rng)
        weight = weights(places, country, people, 1 / places.boost()[places.region[area]], responded)
        found.append((np.average(places.group[area], weights=weight), places.group[area][responded].mean()))
    weighted, plain = np.array(found).T
    se = weighted.std(ddof=1) / np.sqrt(20)
    assert abs(weighted.mean() - truth) < 4 * se
    assert abs(plain.mean() - truth) > 10 * se


def _nobody(n: int) -> People:
    none = np.zeros(n, dtype=int)
    return People(none, none, none, np.zeros((n, 3)), np.zeros((n, 3)))
