"""The few figures of a set of draws against the full table of estimates, whatever the order of areas."""

import numpy as np
import pytest

from placewise.estimates.outlook import outlook
from placewise.estimates.subset import only
from placewise.estimates.summarise import summarise


@pytest.fixture
def predictor(make_predictor):
    return make_predictor()


def test_every_figure_is_that_of_the_table_of_estimates(predictor):
    found, table = outlook(predictor, "region"), summarise(predictor).estimates
    small = table[table["area_level"] == predictor.code]
    base = small[small["area_code"].isin(predictor.codes[predictor.base])]
    p = base["p_above_national"].to_numpy()
    assert found.clear[0] == pytest.approx(np.mean((p >= 0.975) | (p <= 0.025)))
    assert found.width == pytest.approx((small["ci90_upper"] - small["ci90_lower"]).mean(), rel=1e-5)
    regions = table[table["area_level"] == "region"].set_index("area_code")["mean"]
    np.testing.assert_allclose(found.level.mean(axis=1), regions[list(found.codes)], rtol=1e-5)
    national = table.loc[table["area_level"] == "national", "mean"].item()
    assert found.national.mean() == pytest.approx(national, rel=1e-6)
    np.testing.assert_allclose(found.spread, summarise(predictor).sigma, rtol=1e-6)


def test_the_order_of_areas_counts_for_nothing(predictor):
    turn = np.random.default_rng(1).permutation(len(predictor.codes))
    one, other = outlook(predictor, "region"), outlook(only(predictor, turn), "region")
    assert one.codes == other.codes
    np.testing.assert_array_equal(one.level, other.level)
    np.testing.assert_array_equal(one.national, other.national)
    assert (one.clear[0], one.width) == (other.clear[0], pytest.approx(other.width, rel=1e-12))


def test_weights_count_draws_as_copies_would(predictor):
    s = predictor.n_draws
    weights = np.full((2, s), 1 / s)
    weights[1] = np.arange(s) < 1
    found = outlook(predictor, "", weights)
    assert found.clear[1] == 1, "in one draw every area is above or below"
    assert found.level.shape == (0, s)
    assert found.codes == ()
