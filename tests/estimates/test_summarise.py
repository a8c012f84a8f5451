import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from placewise.estimates.describe import COLUMNS
from placewise.estimates.grades import mark_failed
from placewise.estimates.projector import Projector
from placewise.estimates.summarise import summarise

QUANTILES = {"ci50": (0.25, 0.75), "ci90": (0.05, 0.95), "ci95": (0.025, 0.975)}


def draws_of(p, **options):
    projector = Projector(p, **options)
    return projector.block(np.arange(len(p.codes))).values.astype(float) + projector.origin


def standard_of(p, y):
    w = p.population * p.base
    mu = w @ y / w.sum()
    return mu, np.sqrt(w @ (y - mu) ** 2 / w.sum())


def level_draws(p, y, level):
    groups = np.unique(p.levels[level])
    weight = np.stack([p.population * (p.levels[level] == g) for g in groups])
    return groups, weight @ y / weight.sum(axis=1)[:, None]


def same_numbers(table, y, index, atol=2e-6):
    assert np.allclose(table["mean"], y.mean(axis=1), atol=atol)
    assert np.allclose(table["sd"], y.std(axis=1, ddof=1), atol=atol)
    assert np.allclose(table["index"], index.mean(axis=1), atol=1e-5)
    assert np.allclose(table["index_sd"], index.std(axis=1, ddof=1), atol=1e-5)
    for name, ends in QUANTILES.items():
        for end, q in zip(("lower", "upper"), ends, strict=True):
            assert np.allclose(table[f"{name}_{end}"], np.quantile(y, q, axis=1), atol=atol)
            if name != "ci50":
                assert np.allclose(table[f"index_{name}_{end}"], np.quantile(index, q, axis=1), atol=1e-5)
    assert np.allclose(table["p_above_national"], (index > 0).mean(axis=1), atol=1e-9)


@pytest.mark.parametrize("polarity", [1, -1])
@pytest.mark.parametrize("kind", ["share", "score", "normal"])
def test_every_level_equals_brute_force(make_predictor, kind, polarity):
    p = make_predictor(kind=kind, polarity=polarity, n_draws=200)
    found = summarise(p, block=17)
    y = draws_of(p)
    mu, sigma = standard_of(p, y)
    assert tuple(found.estimates.columns) == COLUMNS
    assert found.estimates["area_level"].unique().tolist() == ["oa", "district", "region", "national"]
    assert np.allclose(found.mu, mu, rtol=1e-12)
    assert np.allclose(found.sigma, sigma, rtol=1e-10)
    small = found.level("oa")
    assert small["area_code"].tolist() == p.codes.tolist()
    same_numbers(small, y, polarity * (y - mu) / sigma)
    for level in ("district", "region"):
        groups, larger = level_draws(p, y, level)
        table = found.level(level)
        assert table["area_code"].tolist() == groups.tolist()
        same_numbers(table, larger, polarity * (larger - mu) / sigma)


def test_index_has_mean_0_and_sd_1_in_every_draw(make_predictor):
    p = make_predictor(n_draws=150, intercept=-4.0)
    found = summarise(p)
    y, w = draws_of(p), p.population / p.population.sum()
    index = (y - found.mu) / found.sigma
    assert np.abs(w @ index).max() < 1e-10
    assert np.abs(np.sqrt(w @ index**2) - 1).max() < 1e-10
    assert abs(w @ found.level("oa")["index"].to_numpy()) < 1e-6


@pytest.mark.parametrize("polarity", [1, -1])
def test_ranks_and_deciles(make_predictor, polarity):
    p = make_predictor(n_draws=200, polarity=polarity)
    table = summarise(p).level("oa")
    ranks = stats.rankdata(-polarity * draws_of(p), axis=0)
    assert np.allclose(table["rank_median"], np.median(ranks, axis=1))
    assert np.allclose(table["rank_ci90_lower"], np.quantile(ranks, 0.05, axis=1), atol=1e-4)
    assert np.allclose(table["rank_ci90_upper"], np.quantile(ranks, 0.95, axis=1), atol=1e-4)
    assert np.allclose(table["p_top_decile"], (ranks <= 6).mean(axis=1))
    assert np.allclose(table["p_bottom_decile"], (ranks >= 55).mean(axis=1))
    assert table["p_top_decile"].sum() == pytest.approx(6)


def test_triple_goal_has_the_spread_of_a_draw(make_predictor):
    p = make_predictor(n_areas=400, n_draws=300, area_sd=0.8)
    table = summarise(p).level("oa")
    y = draws_of(p)
    expected = np.empty(400)
    expected[np.argsort(stats.rankdata(y, axis=0).mean(axis=1), kind="stable")] = np.sort(y, axis=0).mean(axis=1)
    assert np.allclose(table["triple_goal"], expected, atol=1e-6)
    assert table["triple_goal"].std(ddof=0) / y.std(axis=0).mean() == pytest.approx(1, abs=0.01)
    assert table["mean"].std(ddof=0) / y.std(axis=0).mean() < 0.9


def test_reliability_is_taken_at_the_areas_own_level(make_predictor):
    p = make_predictor(n_draws=300)
    found = summarise(p)
    y = draws_of(p)
    mu, sigma = standard_of(p, y)
    assert np.allclose(
        found.level("oa")["reliability"], np.maximum(0, 1 - ((y - mu) / sigma).var(axis=1, ddof=1)), atol=1e-5
    )
    groups, larger = level_draws(p, y, "district")
    w = np.array([p.population[p.levels["district"] == g].sum() for g in groups])
    within = np.sqrt(w @ (larger - mu) ** 2 / w.sum())
    expected = np.maximum(0, 1 - ((larger - mu) / within).var(axis=1, ddof=1))
    assert np.allclose(found.level("district")["reliability"], expected, atol=1e-4)


@pytest.mark.parametrize("polarity", [1, -1])
def test_national_row(make_predictor, polarity):
    p = make_predictor(n_draws=100, polarity=polarity)
    found = summarise(p)
    row = found.level("national").iloc[0]
    national = p.population @ draws_of(p) / p.population.sum()
    assert np.allclose(found.national, national, rtol=1e-12)
    assert row["area_code"] == "all"
    assert row["population"] == pytest.approx(p.population.sum())
    assert row["mean"] == pytest.approx(national.mean())
    assert (row[["index", "index_sd", "index_ci90_lower", "index_ci95_upper"]] == 0).all()
    empty = [
        "p_above_national",
        "p_top_decile",
        "rank_median",
        "rank_ci90_upper",
        "triple_goal",
        "reliability",
        "grade",
    ]
    assert row[empty].isna().all()


def test_base_of_some_areas(make_predictor):
    p = make_predictor(n_areas=120, n_draws=100)
    p = dataclasses.replace(p, base=p.levels["region"] != "S")
    found = summarise(p, block=13)
    y = draws_of(p)
    mu, sigma = standard_of(p, y)
    assert np.allclose(found.mu, mu, rtol=1e-12)
    small = found.level("oa")
    same_numbers(small, y, (y - mu) / sigma)
    inside = p.base
    ranks = stats.rankdata(-y[inside], axis=0)
    assert np.allclose(small.loc[inside, "rank_median"], np.median(ranks, axis=1))
    ranked = ["rank_median", "rank_ci90_lower", "p_top_decile", "p_bottom_decile"]
    assert small.loc[~inside, ranked].isna().all(axis=None)
    assert small["triple_goal"].notna().all()
    assert found.level("region").set_index("area_code")["rank_median"].isna().to_dict() == {
        "M": False,
        "N": False,
        "S": True,
    }
    base, national = found.level("base").iloc[0], found.level("national").iloc[0]
    assert base["index"] == 0
    assert base["mean"] == pytest.approx(mu.mean())
    whole = p.population @ y / p.population.sum()
    assert national["index"] == pytest.approx(((whole - mu) / sigma).mean(), abs=1e-9)


def test_blocks_threads_and_order_change_no_bit(make_predictor):
    p = make_predictor(n_areas=97, n_draws=120)
    reference = summarise(p, threads=1)
    for block, threads in itertools.product((5, 64), (1, 3)):
        again = summarise(p, block=block, threads=threads)
        pd.testing.assert_frame_equal(again.estimates, reference.estimates, check_exact=True)
        assert np.array_equal(again.sigma, reference.sigma)
    mix = np.random.default_rng(3).permutation(97)
    size = np.diff(p.indptr)[mix]
    entry = np.concatenate([np.arange(p.indptr[a], p.indptr[a + 1]) for a in mix])
    shuffled = dataclasses.replace(
        p, codes=p.codes[mix], levels={k: v[mix] for k, v in p.levels.items()},
        classes={k: v[mix] for k, v in p.classes.items()}, population=p.population[mix], base=p.base[mix],
        area_x=p.area_x[mix], indptr=np.concatenate([[0], np.cumsum(size)]), cell=p.cell[entry], count=p.count[entry],
        effects=tuple(
            e if e.area_index is None else dataclasses.replace(e, area_index=e.area_index[mix]) for e in p.effects
        ),
    )  # fmt: skip
    other = summarise(shuffled).estimates
    by = ["area_level", "area_code"]
    pd.testing.assert_frame_equal(
        other.sort_values(by, ignore_index=True),
        reference.estimates.sort_values(by, ignore_index=True),
        check_exact=True,
    )


def test_projects_without_levels_or_people(make_predictor):
    p = make_predictor(n_draws=50, people=False, population=np.ones(60))
    found = summarise(dataclasses.replace(p, levels={}))
    assert found.estimates["area_level"].unique().tolist() == ["oa", "national"]
    assert found.chance_share is None
    assert not found.estimates["flag"].str.contains("small_population").any()


def test_one_area_alone_has_no_index(make_predictor):
    p = make_predictor(n_areas=12, n_draws=50)
    one = p.levels["district"] == "D03"
    assert one.sum() == 1
    found = summarise(dataclasses.replace(p, base=one))
    assert found.estimates["index"].notna().all()
    assert (found.level("oa")["index"] == 0).all()
    assert found.level("oa")["reliability"].isna().all()


def test_share_of_chance(make_predictor, brute):
    p = make_predictor(n_draws=400)
    _, variance = brute(p)
    _, sigma = standard_of(p, draws_of(p))
    chance = np.average((variance / p.population[:, None]).mean(axis=1), weights=p.population)
    assert summarise(p).chance_share == pytest.approx(chance / (sigma**2).mean(), rel=1e-4)


def test_progress_runs_to_the_end_and_names_are_used(make_predictor):
    seen = []
    found = summarise(
        make_predictor(n_draws=20),
        block=25,
        names={"region": {"N": "The North"}},
        progress=lambda a, b: seen.append((a, b)),
    )
    assert seen[-1] == (120, 120)
    assert [a for a, _ in seen] == sorted(a for a, _ in seen)
    assert found.level("region")["area_name"].tolist() == ["M", "The North", "S"]


def test_flags(make_predictor):
    p = make_predictor(n_draws=100)
    size = p.population.copy()
    size[4] = 49.0
    small = summarise(dataclasses.replace(p, population=size), extrapolated=np.arange(60) == 7).level("oa")
    assert "small_population" in small["flag"][4]
    assert "extrapolated" in small["flag"][7]
    low = small["reliability"] < 0.3
    assert (small["flag"].str.contains("low_reliability") == low).all()
    assert ((small["flag"] == "ok") == (small["flag_reason"] == "")).all()
    region = p.effects[0]
    unseen = dataclasses.replace(region, labels=("N", "M"), draws=region.draws[:2])
    found = summarise(dataclasses.replace(p, effects=(unseen, *p.effects[1:])))
    outside = found.level("oa")["flag"].str.contains("extrapolated").to_numpy()
    assert (outside == (p.levels["region"] == "S")).all()
    assert found.level("region").set_index("area_code")["flag"].str.contains("extrapolated").to_dict()["S"]


def test_every_row_of_a_failed_fit_is_marked(make_predictor):
    estimates = summarise(make_predictor(n_draws=100)).estimates
    marked = mark_failed(estimates)
    assert marked["flag"].str.startswith("failed_checks").all()
    assert marked["flag_reason"].str.startswith("The computation failed its own checks: not for use.").all()
    low = estimates["flag"] == "low_reliability"
    assert 0 < low.sum() < len(estimates)
    assert (marked.loc[low, "flag"] == "failed_checks;low_reliability").all()
    assert (marked.loc[estimates["flag"] == "ok", "flag"] == "failed_checks").all()
    assert marked.drop(columns=["flag", "flag_reason"]).equals(estimates.drop(columns=["flag", "flag_reason"]))


def test_probabilities_of_being_above_the_nation_come_true(make_predictor):
    # of the areas said to be above with probability p, a share p is; over bins of a tenth the errors average below .02
    y = draws_of(make_predictor(n_areas=600, n_draws=600))
    p = make_predictor(n_areas=600, n_draws=600)
    above = y > np.average(y, axis=0, weights=p.population)
    truths, said = above[:, :100], above[:, 100:].mean(axis=1)
    band = np.minimum((10 * said).astype(int), 9)
    size = np.bincount(band, minlength=10)
    apart = np.bincount(band, truths.mean(axis=1) - said, minlength=10)
    assert (size > 0).all()
    assert np.abs(apart).sum() / len(said) <= 0.02


def test_intervals_cover_truths_drawn_from_the_same_prior(make_predictor):
    # the truth is one more draw: left out of the rest, it must lie in their 90% interval nine times in ten
    y = draws_of(make_predictor(n_areas=600, n_draws=600))
    truths, rest = y[:, :100], y[:, 100:]
    lower, upper = np.quantile(rest, [0.05, 0.95], axis=1)
    covered = ((truths >= lower[:, None]) & (truths <= upper[:, None])).mean(axis=0)
    assert covered.mean() == pytest.approx(0.9, abs=4 * covered.std() / 10)
