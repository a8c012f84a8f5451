"""The census of every adult: coherent with the example's own truth, and the same whoever is asked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from placewise.pipeline.example.adults import COUNTED, Cuts, People, census, predictors
from placewise.pipeline.example.items import CLS_ITEMS, REFERENCE_YEAR, respond
from placewise.pipeline.example.traits import PERSON, TRAITS, Country, area_share
from placewise.pipeline.example.write import make_country


@pytest.fixture(scope="module")
def everybody(country: Country, cuts: Cuts) -> tuple[pd.DataFrame, People]:
    return census(country, cuts, np.arange(country.counts.sum()), np.random.SeedSequence(5))


def test_totals_count_the_answers_of_the_people(
    country: Country, cuts: Cuts, everybody: tuple[pd.DataFrame, People]
) -> None:
    totals, people = everybody
    m = predictors(country, people.area, people.age, people.sex)
    for i, (name, question) in enumerate(COUNTED.items()):
        item = CLS_ITEMS[question]
        cut = cuts[REFERENCE_YEAR][question]
        answer = respond(item, cut, m[:, item.trait], people.residual[:, item.trait], people.luck[:, i])
        if name == "belonging":
            for k in range(1, 5):
                np.testing.assert_array_equal(totals[f"n{k}"], np.bincount(people.area, answer == k, len(totals)))
            continue
        counted = np.bincount(people.area, answer >= item.pivot + 2, len(totals))
        np.testing.assert_array_equal(totals[name], counted)
    np.testing.assert_array_equal(totals[[f"s{k}" for k in range(1, 6)]].sum(axis=1), country.counts.sum(axis=(1, 2)))
    for j, trait in enumerate(TRAITS):
        latent = np.bincount(people.area, m[:, j] + people.residual[:, j], len(totals))
        np.testing.assert_allclose(totals[f"latent_{trait}"], latent)


def test_residuals_are_standard_normal_and_correlated(everybody: tuple[pd.DataFrame, People]) -> None:
    residual = everybody[1].residual
    se = 1 / np.sqrt(len(residual))
    np.testing.assert_allclose(residual.mean(axis=0), 0, atol=5 * se)
    np.testing.assert_allclose(residual.std(axis=0), 1, atol=5 * se)
    np.testing.assert_allclose(np.corrcoef(residual.T), PERSON, atol=5 * se)


def test_people_are_the_same_whoever_is_picked(
    country: Country, cuts: Cuts, everybody: tuple[pd.DataFrame, People]
) -> None:
    wanted = np.array([70_000, 3, 41_000, 3])
    totals, people = census(country, cuts, wanted, np.random.SeedSequence(5))
    pd.testing.assert_frame_equal(totals, everybody[0])
    np.testing.assert_array_equal(people.residual, everybody[1].residual[wanted])
    np.testing.assert_array_equal(people.area, everybody[1].area[wanted])


def test_areas_are_one_to_six_hundredths_of_the_variance_of_each_trait() -> None:
    country = make_country()[1]
    share = area_share(country)
    assert ((share > 0.01) & (share < 0.06)).all(), share
    assert share[0] == pytest.approx(0.06, abs=0.005)
    between = np.corrcoef(country.eta.T)
    assert (between[np.triu_indices(3, 1)] > 0.3).all()
    assert (between[np.triu_indices(3, 1)] < 0.95).all()
