import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from placewise.errors import ConfigurationError, DataError
from placewise.estimates.draws import AreaDraws
from placewise.estimates.summarise import summarise


@pytest.fixture(scope="module")
def predictor(make_predictor):
    return make_predictor(n_draws=120, kind="score")


@pytest.fixture(scope="module")
def areas(predictor):
    return AreaDraws(predictor)


def test_draws_in_the_order_asked(areas, predictor):
    some = areas.draws(["E00040", "E00003", "E00040"])
    assert some.shape == (120, 3)
    assert np.array_equal(some, areas.draws()[:, [40, 3, 40]])


def test_levels_are_population_weighted_means(areas, predictor):
    y, w = areas.draws(), predictor.population
    district = predictor.levels["district"]
    larger = areas.aggregate("district")
    inside = district == "D05"
    assert np.allclose(larger.draws(["D05"])[:, 0], np.average(y[:, inside], axis=1, weights=w[inside]), rtol=1e-12)
    assert larger.population.sum() == pytest.approx(w.sum())
    assert larger.aggregate("region").codes.tolist() == ["M", "N", "S"]


def test_own_groups(areas, predictor):
    groups = areas.aggregate({"west": ["E00001", "E00059"], "east": ["E00007"]})
    y, w = areas.draws(), predictor.population
    expected = np.average(y[:, [1, 59]], axis=1, weights=w[[1, 59]])
    assert groups.codes.tolist() == ["west", "east"]
    assert np.allclose(groups.draws(["west"])[:, 0], expected)
    table = groups.summary()
    assert table["area_code"].tolist() == ["west", "east"]
    assert np.allclose(table["mean"], [expected.mean(), y[:, 7].mean()], atol=1e-6)
    assert np.allclose(table["ci90_upper"], [np.quantile(expected, 0.95), np.quantile(y[:, 7], 0.95)], atol=1e-6)


def test_index_of_draws_is_standard_in_every_draw(areas, predictor):
    index, w = areas.index().draws(), predictor.population / predictor.population.sum()
    assert np.abs(index @ w).max() < 1e-10
    assert np.abs(index**2 @ w - 1).max() < 1e-10


def test_chain_agrees_with_the_full_summary(areas, predictor):
    full = summarise(predictor).level("district")
    table = areas.aggregate("district").index().summary()
    assert "mean" not in table
    assert np.array_equal(table["index"], full["index"])
    assert np.allclose(areas.aggregate("district").index().draws().mean(axis=0), full["index"], atol=1e-6)
    assert areas.rank()["rank_median"].tolist() == summarise(predictor).level("oa")["rank_median"].tolist()


def test_summary_of_own_groups_agrees_with_that_of_a_level(areas, predictor):
    district = predictor.levels["district"]
    groups = {d: predictor.codes[district == d] for d in np.unique(district)}
    own, known = areas.aggregate(groups).summary(), areas.aggregate("district").summary()
    shared = [c for c in own if c not in ("area_level", "area_code", "grade")]
    assert np.allclose(own[shared], known[shared], atol=1e-5)
    assert own["grade"].tolist() == known["grade"].tolist()


def test_comparison_uses_the_rate(areas, predictor, brute):
    rate, _ = brute(predictor)
    difference = rate[4] - rate[9]
    found = areas.compare("E00004", "E00009")
    assert found["mean"] == pytest.approx(difference.mean(), abs=1e-6)
    assert found["sd"] == pytest.approx(difference.std(ddof=1), abs=1e-6)
    assert found["ci90_lower"] == pytest.approx(np.quantile(difference, 0.05), abs=1e-6)
    assert found["p_greater"] == (difference > 0).mean()
    sigma = summarise(predictor).sigma
    assert areas.index().compare("E00004", "E00009")["mean"] == pytest.approx((difference / sigma).mean(), abs=1e-5)


def test_rates_without_people(predictor, brute):
    rates = AreaDraws(predictor, rate=True)
    assert np.allclose(rates.draws().T, brute(predictor)[0], atol=1e-6)
    table = rates.summary()
    assert (table["sd"] < AreaDraws(predictor).summary()["sd"]).mean() > 0.8
    ranks = stats.rankdata(-rates.draws(), axis=1)
    assert np.allclose(table["rank_median"], np.median(ranks, axis=0))


def test_mistakes_are_told_at_once(areas):
    with pytest.raises(ConfigurationError, match=r"there is no level 'distrct' .did you mean 'district'"):
        areas.aggregate("distrct")
    with pytest.raises(ConfigurationError) as error:
        areas.aggregate({"a": ["E00001", "nowhere", "E00001"], "b": ["E00001"], "c": []})
    assert len(error.value.problems) == 3
    with pytest.raises(ConfigurationError, match="'E00001' is named twice, or lies inside another"):
        areas.aggregate({"a": ["D00", "E00001"]})
    with pytest.raises(ConfigurationError, match="negative or not finite"):
        areas.aggregate({"a": {"E00001": -1.0}})
    with pytest.raises(ConfigurationError, match="all weights are zero"):
        areas.aggregate({"a": {"E00001": 0.0}})
    with pytest.raises(ConfigurationError, match="there is no area 'E0000X'"):
        areas.draws(["E0000X"])


def test_a_code_of_another_level_is_told_where_it_belongs(areas):
    with pytest.raises(ConfigurationError, match=r"'D05' is an area of 'district' .call aggregate\('district'\) first"):
        areas.draws(["E00001", "D05"])
    with pytest.raises(ConfigurationError, match="'E00001' is an area of 'oa'"):
        areas.aggregate("district").compare("D05", "E00001")


def test_areas_are_called_by_their_names_where_there_are_any(predictor):
    named = AreaDraws(predictor, names={"district": {"D05": "Dale"}})
    table = named.aggregate("district").index().summary().set_index("area_code")
    assert (table.loc["D05", "area_name"], table.loc["D04", "area_name"]) == ("Dale", "D04")
    assert (named.summary()["area_name"] == named.codes).all()


def test_too_much_at_once_is_refused(make_predictor):
    p = make_predictor(n_draws=3)
    many = dataclasses.replace(p, intercept=np.zeros(3_000_000))
    with pytest.raises(ConfigurationError, match="do not fit in memory at once"):
        AreaDraws(many).draws()


def test_it_says_what_it_is(areas):
    assert repr(areas.aggregate("region").index()) == "AreaDraws(3 areas of 'region' × 120 draws, index)"


def test_groups_may_overlap_hold_larger_areas_and_weights(areas, predictor):
    groups = areas.aggregate({"a": ["D03", "E00001"], "b": {"E00001": 5.0, "E00040": 15.0}, "c": {"D03": 10.0}})
    y, w = areas.draws(), predictor.population
    inside = predictor.levels["district"] == "D03"
    assert not inside[1]
    first = inside | (np.arange(60) == 1)
    expected = [
        np.average(y[:, first], axis=1, weights=w[first]),
        np.average(y[:, [1, 40]], axis=1, weights=[5.0, 15.0]),
        np.average(y[:, inside], axis=1, weights=w[inside]),
    ]
    assert np.abs(groups.draws() - np.transpose(expected)).max() < 1e-12
    assert groups.population == pytest.approx([w[first].sum(), 20.0, 10.0])
    assert np.array_equal(groups.draws(["c", "a", "c"]), groups.draws()[:, [2, 0, 2]])
    both = groups.compare("a", "b")
    rate = AreaDraws(predictor, rate=True).draws()
    difference = np.average(rate[:, first], axis=1, weights=w[first]) - (5 * rate[:, 1] + 15 * rate[:, 40]) / 20
    assert both["mean"] == pytest.approx(difference.mean(), abs=1e-10)
    assert both["sd"] == pytest.approx(difference.std(ddof=1), abs=1e-10)


def test_probability_above_a_value(areas):
    y = areas.draws()
    assert np.array_equal(areas.exceed(2.5)["p"], (y > 2.5).mean(axis=0))
    index = areas.aggregate("district").index()
    assert np.array_equal(index.exceed(1.0)["p"], (index.draws() > 1).mean(axis=0))


def test_difference_of_two_fits_shares_no_chance(make_predictor):
    one, other = make_predictor(n_draws=200), make_predictor(n_draws=120)
    first, second = AreaDraws(one).aggregate("district"), AreaDraws(other).aggregate("district")
    found = first.difference(second).set_index("area_code")
    a, b = (AreaDraws(p, rate=True).aggregate("district").draws()[:120] for p in (one, other))
    expected = a - np.roll(b, 60, axis=0)
    assert np.abs(found["mean"] - expected.mean(axis=0)).max() < 1e-10
    assert np.abs(found["sd"] - expected.std(axis=0, ddof=1)).max() < 1e-10
    assert np.abs(found["ci90_upper"] - np.quantile(expected, 0.95, axis=0)).max() < 1e-10
    assert np.array_equal(found["p_greater"], (expected > 0).mean(axis=0))
    # of the same draws: with what is shared left in, the difference is nought
    itself = first.difference(AreaDraws(one).aggregate("district"), paired=True)
    assert (itself["sd"] == 0).all()
    assert first.difference(AreaDraws(one).aggregate("district"))["sd"].min() > 0
    with pytest.raises(ConfigurationError, match="200 and 120 draws cannot be paired"):
        first.difference(second, paired=True)
    with pytest.raises(ConfigurationError, match="15 codes are in one of the two only: 'D00'"):
        first.difference(AreaDraws(other).aggregate("region"))


def test_benchmarked_areas_go_on_as_any_others(areas, predictor, tmp_path):
    table = pd.DataFrame({"code": ["N", "M", "S"], "estimate": [2.4, 2.9, 2.6], "se": [0.02, 0.02, 0.01]})
    moved = areas.aggregate("district").benchmark(table)
    assert (moved.level, len(moved)) == ("district", 12)
    regions = moved.aggregate("region")
    assert regions.draws(["N", "M", "S"]).mean(axis=0) == pytest.approx([2.4, 2.9, 2.6], abs=0.01)
    assert moved.moved.table["area_code"].tolist() == ["M", "N", "S"]
    assert areas.moved is None
    assert set(moved.rank()["area_code"]) == set(np.unique(predictor.levels["district"]))
    table.to_csv(tmp_path / "targets.csv", index=False)
    again = areas.benchmark(tmp_path / "targets.csv").aggregate("region")
    assert np.array_equal(again.draws(), regions.draws())
    exact = areas.benchmark(table, mode="exact").aggregate("region").summary().set_index("area_code")
    assert np.abs(exact.loc[table["code"], "mean"].to_numpy() - table["estimate"]).max() < 1e-10
    change = moved.difference(areas.aggregate("district"), paired=True)
    assert (change["sd"] > 0).all()
    whole = areas.benchmark(pd.DataFrame({"code": ["all"], "estimate": [2.5], "se": [0.001]}))
    people = predictor.population / predictor.population.sum()
    assert (whole.draws() @ people).mean() == pytest.approx(2.5, abs=0.01)
    with pytest.raises(DataError, match="1 codes are no areas of 'region': 'X'"):
        areas.benchmark(table.replace("N", "X"))
