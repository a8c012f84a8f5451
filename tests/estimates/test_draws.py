import dataclasses

import numpy as np
import pytest
from scipy import stats

from placewise.errors import ConfigurationError
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
        areas.aggregate({"a": ["E00001", "nowhere"], "b": ["E00001"], "c": []})
    assert len(error.value.problems) == 3
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


def test_benchmarking_says_that_it_is_not_here(areas):
    with pytest.raises(ConfigurationError, match="not available in this version") as error:
        areas.benchmark({"N": 0.5})
    assert error.value.exit_status == 2
