"""Cutpoints give the shares that are asked for, and answers follow the models that they say they do."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from placewise.pipeline.example.adults import Cuts
from placewise.pipeline.example.items import (
    CLS_ITEMS,
    OWN,
    OWN_ITEMS,
    UKHLS_ITEMS,
    YEARS,
    Item,
    expected_score,
    respond,
)
from placewise.pipeline.example.published import UNDERSTANDING_SOCIETY, community_life
from placewise.pipeline.example.traits import RESIDUAL, Country, person_effects

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(60)


def exact_shares(country: Country, item: Item, cuts: np.ndarray) -> np.ndarray:
    """Share of adults at or above each cutpoint, by Gauss-Hermite quadrature over every cell of every area."""
    m = (country.eta[:, item.trait, None, None] + person_effects()[..., item.trait]) / RESIDUAL
    if item.slope:
        z = (m[..., None, None] + NODES[:, None] - cuts) * item.slope
        above = np.einsum("aszqk,q->aszk", expit(z), WEIGHTS / WEIGHTS.sum())
    else:
        above = expit(RESIDUAL * (m[..., None] - cuts))
    return np.einsum("asz,aszk->k", country.counts, above) / country.counts.sum()


@pytest.mark.parametrize(("items", "when"), [(CLS_ITEMS, "2020-21"), (UKHLS_ITEMS, "c"), (OWN_ITEMS, OWN)])
def test_the_reference_gives_the_shares_declared(
    country: Country, cuts: Cuts, items: dict[str, Item], when: str
) -> None:
    for name, item in items.items():
        np.testing.assert_allclose(exact_shares(country, item, cuts[when][name]), item.above, atol=5e-4)


def test_every_year_and_wave_gives_the_published_share(country: Country, cuts: Cuts) -> None:
    published = {y: of for y, of in community_life(YEARS).items() if y != "2020-21"} | dict(UNDERSTANDING_SOCIETY)
    checked = 0
    for when, shares in published.items():
        for name, share in shares.items():
            item = (CLS_ITEMS | UKHLS_ITEMS)[name]
            assert exact_shares(country, item, cuts[when][name])[item.pivot] == pytest.approx(share, abs=5e-4), name
            checked += 1
    assert checked >= 11


def test_declared_shares_are_the_published_ones_where_there_are_such() -> None:
    reference = community_life(("2020-21",))["2020-21"] | UNDERSTANDING_SOCIETY["c"]
    assert len(reference) == 10
    for name, share in reference.items():
        item = (CLS_ITEMS | UKHLS_ITEMS)[name]
        assert item.above[item.pivot] == pytest.approx(share), name


def test_face_to_face_belonging_is_the_higher_by_the_published_shift(country: Country, cuts: Cuts) -> None:
    item = CLS_ITEMS["SBeNeigh"]
    shares = {year: exact_shares(country, item, cuts[year]["SBeNeigh"])[1] for year in YEARS}
    assert shares["2012-13"] - shares["2021-22"] == pytest.approx(0.79 - 0.63, abs=1e-3)


def test_a_single_question_is_a_cumulative_logit(rng: np.random.Generator) -> None:
    cuts = np.array([-1.0, 0.2, 0.9])
    n = 400_000
    answer = respond(Item(0, (), 0), cuts, np.full(n, 0.3), rng.normal(size=n), rng.random(n))
    expected = expit(RESIDUAL * (0.3 - cuts))
    for k, share in enumerate(expected):
        assert (answer >= k + 2).mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / n))


def test_an_item_of_a_scale_is_a_graded_response(rng: np.random.Generator) -> None:
    cuts, n = np.array([-0.5, 0.7]), 400_000
    answer = respond(Item(0, (), 0, 1.7), cuts, np.full(n, 0.3), np.full(n, -0.4), rng.random(n))
    expected = expit(1.7 * (-0.1 - cuts))
    for k, share in enumerate(expected):
        assert (answer >= k + 2).mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / n))


def test_expected_score_is_the_mean_of_the_items(rng: np.random.Generator) -> None:
    items = {"x": Item(0, (), 0, 1.2), "y": Item(0, (), 0, 2.0)}
    cuts = {"x": np.array([-1.0, 1.0]), "y": np.array([0.5])}
    t = np.array([-2.0, 0.31, 1.5])
    by_hand = [1 + expit(1.2 * (v + 1)) / 2 + expit(1.2 * (v - 1)) / 2 + expit(2 * (v - 0.5)) / 2 for v in t]
    np.testing.assert_allclose(expected_score(items, cuts, t), by_hand, atol=1e-5)
