import numpy as np
import pytest

from placewise.errors import DataError
from placewise.estimates.custom import custom_estimates
from placewise.estimates.describe import COLUMNS
from placewise.estimates.draws import AreaDraws
from placewise.estimates.release import Release
from placewise.estimates.summarise import summarise


@pytest.fixture(scope="module")
def release(make_predictor):
    predictor = make_predictor(n_draws=150)
    return Release(predictor, (summarise(predictor).standard,))


def test_a_level_as_a_custom_area_is_that_level(release):
    row = custom_estimates(release, ["D04"]).iloc[0]
    known = summarise(release.predictor).level("district").set_index("area_code").loc["D04"]
    assert tuple(custom_estimates(release, ["D04"]).columns) == COLUMNS
    assert (row["area_level"], row["area_code"], row["area_name"]) == ("custom", "custom", "D04")
    for name in ("population", "mean", "sd", "ci95_lower", "index", "index_sd", "index_ci90_upper", "p_above_national"):
        assert row[name] == pytest.approx(known[name], abs=1e-5)
    assert row["grade"] == known["grade"]
    assert np.isnan(row["rank_median"])


def test_an_area_of_a_failed_release_bears_the_mark(release):
    row = custom_estimates(Release(release.predictor, release.standards, failed=True), ["D04"]).iloc[0]
    assert row["flag"] == "failed_checks"
    assert custom_estimates(release, ["D04"])["flag"].iloc[0] == "ok"


def test_weights_are_shares_of_people(release):
    p = release.predictor
    row = custom_estimates(
        release, ["E00002", "E00005", "E00006"], {"E00002": 1.0, "E00005": 0.25, "E00006": 0.0}
    ).iloc[0]
    people = p.population[[2, 5]] * [1, 0.25]
    expected = np.average(AreaDraws(p).draws(["E00002", "E00005"]), axis=1, weights=people)
    assert row["population"] == pytest.approx(people.sum())
    assert row["mean"] == pytest.approx(expected.mean())
    assert row["ci90_lower"] == pytest.approx(np.quantile(expected, 0.05), abs=1e-6)


@pytest.mark.parametrize(
    ("codes", "weights", "message"),
    [
        ([], None, "there are none"),
        (["E00002", "E0X002"], None, "there is no area 'E0X002' .did you mean"),
        (["D04", "E00020"], None, "named twice, or lies inside another"),
        (["E00002", "E00002"], None, "named twice"),
        (["E00002"], {}, "1 areas have none: E00002"),
        (["E00002"], {"E00002": -1.0}, "negative or not finite"),
        (["E00002"], {"E00002": 0.0}, "all are zero"),
    ],
)
def test_mistakes(release, codes, weights, message):
    with pytest.raises(DataError, match=message):
        custom_estimates(release, codes, weights)
