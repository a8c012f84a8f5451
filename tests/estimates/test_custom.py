import numpy as np
import pytest

from placewise.errors import ConfigurationError, DataError, Problems
from placewise.estimates.custom import group_comparisons, group_estimates, members_together
from placewise.estimates.describe import COLUMNS
from placewise.estimates.draws import AreaDraws
from placewise.estimates.groups import members_of_groups
from placewise.estimates.release import Release
from placewise.estimates.subset import only
from placewise.estimates.summarise import summarise


@pytest.fixture(scope="module")
def release(make_predictor):
    predictor = make_predictor(n_draws=150)
    return Release(predictor, (summarise(predictor).standard,))


def together(release, codes):
    return group_estimates(release, members_together(release.predictor, codes))


def test_a_level_as_a_custom_area_is_that_level(release):
    row = together(release, ["D04"]).iloc[0]
    known = summarise(release.predictor).level("district").set_index("area_code").loc["D04"]
    assert tuple(together(release, ["D04"]).columns) == COLUMNS
    assert (row["area_level"], row["area_code"], row["area_name"]) == ("custom", "custom", "custom")
    for name in ("population", "mean", "sd", "ci95_lower", "index", "index_sd", "index_ci90_upper", "p_above_national"):
        assert row[name] == pytest.approx(known[name], abs=1e-5)
    assert row["grade"] == known["grade"]
    assert np.isnan(row["rank_median"])


def test_an_area_of_a_failed_release_bears_the_mark(release):
    row = together(Release(release.predictor, release.standards, failed=True), ["D04"]).iloc[0]
    assert row["flag"] == "failed_checks"
    assert together(release, ["D04"])["flag"].iloc[0] == "ok"


def groups_of(release, groups):
    found = Problems()
    members = members_of_groups(release.predictor, groups, "groups", "data", found)
    found.raise_if_any()
    return members


GROUPS = {"west": ["D00", "D05"], "east": {"E00002": 30.0, "E00059": 10.0}, "=cmd": ["E00033", "D00"]}


def test_groups_are_what_brute_force_gives(release):
    p = release.predictor
    table = group_estimates(release, groups_of(release, GROUPS))
    assert tuple(table.columns) == COLUMNS
    assert table["area_code"].tolist() == ["west", "east", "=cmd"]
    assert set(table["area_level"]) == {"custom"}
    y, district, w = AreaDraws(p).draws(), p.levels["district"], p.population
    west, last = np.isin(district, ["D00", "D05"]), (district == "D00") | (p.codes == "E00033")
    values = np.stack([
        np.average(y[:, west], axis=1, weights=w[west]),
        y[:, [2, 59]] @ [0.75, 0.25],
        np.average(y[:, last], axis=1, weights=w[last]),
    ])  # fmt: skip
    standard = release.standards[0]
    index = (values - standard.mean) * standard.scale
    assert np.allclose(table["population"], [w[west].sum(), 40.0, w[last].sum()])
    assert np.allclose(table["mean"], values.mean(axis=1), atol=1e-6)
    assert np.allclose(table["ci90_lower"], np.quantile(values, 0.05, axis=1), atol=1e-6)
    assert np.allclose(table["index"], index.mean(axis=1), atol=1e-5)
    assert np.allclose(table["p_above_national"], (index > 0).mean(axis=1))
    ranks = np.argsort(np.argsort(-values, axis=0), axis=0) + 1
    assert np.array_equal(table["rank_median"], np.median(ranks, axis=1))


def test_comparisons_keep_what_groups_share(release):
    p = release.predictor
    found = group_comparisons(release, groups_of(release, GROUPS)).set_index(["area_code", "compared_with"])
    rate, district, w = AreaDraws(p, rate=True).draws(), p.levels["district"], p.population
    west, last = np.isin(district, ["D00", "D05"]), (district == "D00") | (p.codes == "E00033")
    a, c = (np.average(rate[:, m], axis=1, weights=w[m]) for m in (west, last))
    assert len(found) == 6
    row = found.loc[("west", "=cmd")]
    assert row["mean"] == pytest.approx((a - c).mean(), abs=1e-10)
    assert row["sd"] == pytest.approx((a - c).std(ddof=1), abs=1e-10)
    assert row["sd"] < np.hypot(a.std(ddof=1), c.std(ddof=1)) - 1e-3
    nation = found.loc[("west", "national")]
    assert nation["p_greater"] == (a > release.standards[0].mean).mean()
    index = group_comparisons(release, groups_of(release, GROUPS), index=True).set_index(["area_code", "compared_with"])
    assert index.loc[("west", "=cmd"), "mean"] == pytest.approx(
        ((a - c) * release.standards[0].scale).mean(), abs=1e-10
    )
    assert index.loc[("west", "national"), "p_greater"] == nation["p_greater"]


def test_too_many_groups_to_compare(release):
    many = groups_of(release, {f"g{i}": ["E00002"] for i in range(101)})
    with pytest.raises(ConfigurationError, match="101 areas make 5,050 pairs"):
        group_comparisons(release, many)
    with pytest.raises(ConfigurationError, match="what the whole is called"):
        group_comparisons(release, groups_of(release, {"national": ["E00002"]}))


def test_the_draws_of_some_areas_are_those_of_all(make_predictor, with_slopes):
    p = with_slopes(make_predictor(n_draws=30, n_areas=80))
    rows = np.array([3, 79, 40, 5, 6])
    part = only(p, rows)
    assert np.array_equal(AreaDraws(part).draws(), AreaDraws(p).draws()[:, rows])
    assert [len(e.all_labels) for e in part.effects if e.name == "oa"] == [5]


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ([], "there are none"),
        (["E00002", "E0X002"], "there is no area 'E0X002' .did you mean"),
        (["D04", "E00020"], "named twice, or lies inside another"),
        (["E00002", "E00002"], "named twice"),
    ],
)
def test_mistakes(release, codes, message):
    with pytest.raises(DataError, match=message):
        together(release, codes)


def test_many_mistakes_are_told_in_few_lines(release):
    wrong = [f"X{i:03d}" for i in range(50)] + ["E00002"] * 2
    with pytest.raises(DataError) as error:
        groups_of(release, {"a": wrong})
    assert len(error.value.problems) == 12
    assert "40 more codes are no areas of the release" in str(error.value)
