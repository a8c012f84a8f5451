"""Whether the likelihood is averaged over the areas inside linked groups, and over which places."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from placewise.models.averaging import MOST_PLACES, linked_group, places_of, sd_inside, spread_inside, with_average
from placewise.models.design import BelowLink, Column, Design, Group
from placewise.surveys.instruments import Instruments
from placewise.surveys.outcome import Response

GROUPS, EACH, PEOPLE = 40, 5, 60


def made(slope: float, family: str = "bernoulli", each: int = EACH, unmet: int = 2) -> tuple[Design, Response]:
    """Respondents of groups whose areas differ by one covariate; the last groups have nobody."""
    rng = np.random.default_rng(1)
    n_areas = GROUPS * each
    parent = np.repeat(np.arange(GROUPS), each)
    share = rng.dirichlet(np.full(each, 4.0), GROUPS).ravel()
    x = rng.normal(size=n_areas)
    x -= np.bincount(parent, share * x)[parent]
    level = rng.normal(size=GROUPS)
    own = np.repeat(np.arange(GROUPS - unmet), PEOPLE)
    home = own * each + (rng.random(len(own))[:, None] > share.reshape(-1, each).cumsum(axis=1)[own, :-1]).sum(axis=1)
    between = 0.8 * level
    over = 1.0 / (1.0 + np.exp(-(slope * between[own] + slope * x[home] - 0.4)))
    u = rng.random(len(own))
    y = (u < over) * 1.0 if family == "bernoulli" else (u < over) * 1.0 + (u < 0.3 * over)
    labels = tuple(f"g{k:02d}" for k in range(GROUPS))
    group = Group("lsoa", "geography", labels[: GROUPS - unmet], own, labels)
    area = between[parent] + x
    column = Column("x", np.bincount(parent, share * area)[own], area)
    link = BelowLink("lsoa", "oa", tuple(map(str, range(n_areas))), parent, share, 2.5)
    design = Design(True, (column,), (group,), len(own), link=link)
    return design, Response(y, np.ones(len(y), dtype=bool), () if family == "bernoulli" else ("a", "b", "c"))


@pytest.mark.parametrize("family", ["bernoulli", "cumulative"])
def test_averaged_where_covariates_differ_inside_groups_and_told(family: str) -> None:
    design, response = made(0.6, family)
    averaged = with_average(design, response, family)
    assert averaged.link is not None
    assert averaged.link.places is not None
    assert ["its mean over the areas" in note for note in averaged.notes] == [True]
    alike, same = made(0.08, family)
    assert with_average(alike, same, family) is alike


def test_never_for_other_families_nor_at_the_area() -> None:
    design, response = made(0.6)
    assert with_average(design, response, "poisson") is design
    at_area = replace(design, link=None)
    assert with_average(at_area, response, "bernoulli") is at_area
    survey, answers = np.zeros(design.n, dtype=np.int64), response.y[:, None].astype(np.int8)
    several = Instruments(("q",), (("a", "b"),), answers, ("s",), survey, False)
    assert with_average(design, replace(response, instruments=several), "cumulative") is design


def test_spread_is_the_sd_over_the_people_of_a_group() -> None:
    design, _ = made(0.6)
    link, area = design.link, design.columns[0].area
    assert link is not None
    assert area is not None
    found = spread_inside(design, np.array([2.0]))
    for respondent in (0, 500, design.n - 1):
        inside = link.parent == design.groups[0].index[respondent]
        mean = link.share[inside] @ area[inside]
        wanted = 2.0 * np.sqrt(link.share[inside] @ (area[inside] - mean) ** 2)
        assert found[respondent] == pytest.approx(wanted)


def test_all_that_differs_between_homes_is_covariates_and_the_areas_own() -> None:
    design, response = made(0.6)
    assert sd_inside(design, np.array([2.0]), 0.3) is None
    averaged = with_average(design, response, "bernoulli")
    found, own = sd_inside(averaged, np.array([2.0]), 0.3), design.groups[0].index
    link = design.link
    assert found is not None
    assert link is not None
    rest = 1.0 - np.bincount(link.parent, link.share**2)[own]
    assert found**2 - spread_inside(design, np.array([2.0])) ** 2 == pytest.approx(0.09 * rest)


def test_each_area_is_a_place_where_they_are_few() -> None:
    design, response = made(0.6)
    averaged = with_average(design, response, "bernoulli")
    places, link = places_of(averaged), averaged.link
    assert link is not None
    assert np.array_equal(places.start, EACH * np.arange(GROUPS - 1))
    assert np.array_equal(np.sort(places.area), np.arange(EACH * (GROUPS - 2)))
    assert places.weight == pytest.approx(1.0)
    assert places.share == pytest.approx(link.share[places.area])
    assert np.array_equal(linked_group(averaged).labels, design.groups[0].labels)


def test_many_areas_are_taken_together_by_what_covariates_say() -> None:
    design, response = made(0.6, each=60)
    averaged = with_average(design, response, "bernoulli")
    places, link = places_of(averaged), averaged.link
    assert link is not None
    assert (np.diff(places.start) == MOST_PLACES).all()
    assert np.bincount(places.place, places.weight) == pytest.approx(1.0)
    assert np.add.reduceat(places.share, places.start[:-1]) == pytest.approx(1.0)
    area = design.columns[0].area
    assert area is not None
    low, high = (np.full(len(places.share), sign * np.inf) for sign in (1.0, -1.0))
    np.minimum.at(low, places.place, area[places.area])
    np.maximum.at(high, places.place, area[places.area])
    # within a group one place ends before the next begins
    for first, last in zip(places.start[:-1], places.start[1:], strict=True):
        assert (high[first : last - 1] < low[first + 1 : last]).all()
    # hardly anything differs inside a place
    kept = places.mean(area)
    group = np.repeat(np.arange(GROUPS - 2), np.diff(places.start))
    mean = np.bincount(group, places.share * kept)
    between = np.bincount(group, places.share * (kept - mean[group]) ** 2)
    assert (between / spread_inside(design, np.array([1.0]))[::PEOPLE] ** 2 > 0.9).all()


def test_labels_of_a_place_count_by_its_people() -> None:
    design, response = made(0.6, each=60)
    places = places_of(with_average(design, response, "bernoulli"))
    labels = np.arange(GROUPS * 60) % 3
    found = places.shares_of(labels, 3)
    assert found.sum(axis=1) == pytest.approx(1.0)
    inside = places.place == 7
    assert found[7, 1] == pytest.approx(places.weight[inside] @ (labels[places.area[inside]] == 1))
