"""The survey in the manner of the Community Life Survey: margins, mode shift, weights, every kind of missing code."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from placewise.pipeline.example.community_life import ANSWERS, MISSING_OF
from placewise.pipeline.example.deposits import Deposits
from placewise.pipeline.example.items import CLS_ITEMS, YEARS
from placewise.pipeline.example.published import CHAT_BY_AGE, community_life
from placewise.pipeline.example.write import make_country

ROUNDING = 0.005
BANDS = {"16-24": (1, 3), "65+": (12, 16)}


@pytest.fixture(scope="module")
def table(deposits: Deposits) -> pd.DataFrame:
    return deposits.community_life.frame


def share(table: pd.DataFrame, name: str) -> tuple[float, float]:
    """Weighted share at or above an item's pivot, and its standard error with a generous design effect."""
    answered = table[table[name].between(1, len(ANSWERS[name]))]
    best = len(ANSWERS[name]) - 1 - CLS_ITEMS[name].pivot
    p = float(np.average(answered[name] <= best, weights=answered["Weight"]))
    design = len(answered) * (answered["Weight"] ** 2).sum() / answered["Weight"].sum() ** 2
    return p, float(np.sqrt(1.5 * design * p * (1 - p) / len(answered)))


def test_margins_are_the_published_figures(table: pd.DataFrame) -> None:
    checked = 0
    for year, shares in community_life(YEARS).items():
        for name, published in shares.items():
            found, se = share(table[table["Year"] == year], name)
            assert abs(found - published) < ROUNDING + 3 * se, (year, name, found, published)
            checked += 1
    assert checked == 14


def test_the_young_chat_less_as_published(table: pd.DataFrame) -> None:
    for band, published in CHAT_BY_AGE.items():
        of_age = table[(table["Year"] == "2020-21") & table["AgeBand"].between(*BANDS[band])]
        found, se = share(of_age, "SchatN")
        assert abs(found - published) < 0.02 + 3 * se, (band, found)


def test_face_to_face_is_a_series_of_its_own(table: pd.DataFrame) -> None:
    modes = {year: set(of["Mode"]) for year, of in table.groupby("Year")}
    assert modes == {"2012-13": {1}, "2020-21": {2, 3}, "2021-22": {2, 3}}
    by_year = {year: share(of, "SBeNeigh")[0] for year, of in table.groupby("Year")}
    assert by_year["2012-13"] - max(by_year["2020-21"], by_year["2021-22"]) > 0.09
    clustered = table["Year"] == "2012-13"
    assert table.loc[clustered, "PSU"].notna().all()
    assert table.loc[~clustered, "PSU"].isna().all()
    assert 80 <= table.loc[clustered, "PSU"].nunique() <= 110


def test_weights_give_back_regions_and_sexes(table: pd.DataFrame) -> None:
    country = make_country()[1]
    region = country.areas["region"].astype("category").cat.codes
    living = pd.Series(country.counts.sum(axis=(1, 2))).groupby(region).sum()
    female = country.counts[:, :, 0].sum() / country.counts.sum()
    for _, of in table.groupby("Year"):
        np.testing.assert_allclose(
            of.groupby("GOR")["Weight"].sum() / of["Weight"].sum(), living / living.sum(), atol=1e-6
        )
        assert of["Weight"].mean() == pytest.approx(1, abs=1e-5)
        known = of[of["SEX"] != 998]
        assert np.average(known["SEX"] == 1, weights=known["Weight"]) == pytest.approx(female, abs=0.004)
    raw = table["GOR"].value_counts(normalize=True).sort_index()
    assert np.abs(raw.to_numpy() - (living / living.sum()).to_numpy()).max() > 0.05


def test_every_kind_of_missing_code_is_there_and_labelled(deposits: Deposits) -> None:
    table, values = deposits.community_life.frame, deposits.community_life.values
    for name in ANSWERS:
        reserved = {8, 9} if name in MISSING_OF else {-8, -9}
        assert reserved <= set(table[name]), name
        assert set(table[name]) <= set(values[name]), name
        if name not in MISSING_OF:
            assert set(deposits.community_life.missing[name]) >= reserved
    assert {998} <= set(table["SEX"]) & set(table["AgeBand"])
    # not put to anybody in one year
    assert set(table.loc[table["Year"] == "2021-22", "NComfort1"]) == {-1}
    for name, apart in (("SPull", 5), ("STrust", 5), ("SchatN", 6)):
        assert 0.002 < (table[name] == apart).mean() < 0.04, name
    # sex is numbered as in the questionnaire, the other way round than in the panel
    assert values["SEX"][1] == "Female"


def test_answers_run_in_one_direction(table: pd.DataFrame) -> None:
    answered = table[[*ANSWERS]].where(table[[*ANSWERS]].apply(lambda c: c.between(1, len(ANSWERS[str(c.name)]))))
    together = answered.corr()
    assert (together.loc["SBeNeigh", ["Slocsat", "SchatN", "SFavN", "STrust"]] > 0.08).all()
    assert (together.loc["SchatN", ["SFavN", "NComfort1", "NComfort3"]] > 0.2).all()


def test_serial_numbers_are_ones_own(table: pd.DataFrame) -> None:
    assert table["Cserial"].is_unique
    assert set(table["LAD"]) <= set(make_country()[1].areas["lad"])
    assert table["LAD"].nunique() == 24
