from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from placewise.errors import ConfigurationError, DataError, ModelError, Problems
from placewise.estimates.benchmark import benchmark
from placewise.estimates.draws import AreaDraws
from placewise.estimates.exact_means import meet_exactly
from placewise.estimates.scale import scale_of_estimand
from placewise.estimates.summarise import summarise
from placewise.estimates.targets import Targets, check_targets, reliable, targets_of

REGIONS = np.array(["M", "N", "S"], dtype=object)


def targets(codes=REGIONS, estimate=(0.5, 0.62, 0.4), se=(0.01, 0.02, 0.005)):
    return Targets(np.asarray(codes, dtype=object), np.array(estimate), None if se is None else np.array(se))


def rates(predictor, level):
    """Rates of a level, shape (S, L), by the existing aggregation."""
    return AreaDraws(predictor, rate=True).aggregate(level).draws()


@pytest.fixture(scope="module")
def predictor(make_predictor):
    return make_predictor(n_draws=400, n_areas=90)


@pytest.fixture(scope="module")
def drawn(predictor):
    return benchmark(predictor, targets(), "region")


def test_drawn_rates_have_the_targets_mean_and_spread(drawn):
    found = rates(drawn.predictor, "region")
    for k, (b, se) in enumerate([(0.5, 0.01), (0.62, 0.02), (0.4, 0.005)]):
        assert stats.kstest(found[:, k], "norm", (b, se)).pvalue > 0.001
    assert np.abs(np.corrcoef(found.T) - np.eye(3)).max() < 0.2


def test_each_draw_is_shifted_on_the_linear_predictor_by_one_number_a_region(drawn, predictor, brute):
    shift = drawn.predictor.effects[-1].draws.astype(float)
    region = np.searchsorted(REGIONS, predictor.levels["region"])
    moved = AreaDraws(drawn.predictor, rate=True).draws().T
    for r in range(3):
        nudged = replace(predictor, intercept=predictor.intercept + shift[r])
        assert np.abs(brute(nudged)[0][region == r] - moved[region == r]).max() < 2e-6


def test_order_inside_a_region_is_kept_for_a_given_cell(make_predictor):
    one_cell = make_predictor(n_draws=200, frame=False)
    moved = benchmark(one_cell, targets(), "region").predictor
    before, after = AreaDraws(one_cell, rate=True).draws(), AreaDraws(moved, rate=True).draws()
    for code in REGIONS:
        inside = one_cell.levels["region"] == code
        assert (np.argsort(before[:, inside], axis=1) == np.argsort(after[:, inside], axis=1)).mean() > 0.9999


def test_exact_means_are_the_targets(predictor):
    wanted = targets()
    found = benchmark(predictor, wanted, "region", "exact")
    draws = rates(found.predictor, "region")
    assert np.allclose(draws.mean(axis=0), wanted.estimate, atol=5e-6)
    assert np.allclose(draws.std(axis=0), wanted.se, rtol=0.12)
    table = meet_exactly(summarise(found.predictor).estimates, found)
    regions = table[table["area_level"] == "region"].set_index("area_code")
    assert np.abs(regions.loc[REGIONS, "mean"] - wanted.estimate).max() < 1e-12
    people, mean = predictor.population, table["mean"][table["area_level"] == "oa"].to_numpy()
    for level in ("district", "region"):
        codes = predictor.levels[level]
        rows = table[table["area_level"] == level]
        sums = [np.average(mean[codes == c], weights=people[codes == c]) for c in rows["area_code"]]
        assert np.abs(rows["mean"] - sums).max() < 1e-12
    national = table[table["area_level"] == "national"]["mean"].item()
    assert national == pytest.approx(np.average(mean, weights=people), abs=1e-12)


def test_the_last_step_moves_intervals_with_their_mean_and_nothing_else(predictor):
    found = benchmark(predictor, targets(), "region", "exact")
    before = summarise(found.predictor).estimates
    after = meet_exactly(before, found)
    moved = (after["mean"] - before["mean"]).abs().max()
    assert 0 < moved < 2e-3
    same = [c for c in before if c != "mean" and not c.startswith("ci")]
    pd.testing.assert_frame_equal(before[same], after[same])
    small = after[after["area_level"] == "oa"]
    assert ((small["ci90_lower"] < small["mean"]) & (small["mean"] < small["ci90_upper"])).all()
    assert (after["ci95_lower"] <= after["ci90_lower"]).all()


def test_exact_without_standard_errors_keeps_the_models_spread(predictor):
    found = benchmark(predictor, targets(se=None), "region", "exact")
    before, after = rates(predictor, "region"), rates(found.predictor, "region")
    assert np.allclose(after.mean(axis=0), [0.5, 0.62, 0.4], atol=5e-6)
    for k in range(3):
        assert np.corrcoef(before[:, k], after[:, k])[0, 1] > 0.999
    slope = after.mean(axis=0) * (1 - after.mean(axis=0)) / (before.mean(axis=0) * (1 - before.mean(axis=0)))
    assert np.allclose(after.std(axis=0), before.std(axis=0) * slope, rtol=0.05)


def test_update_weighs_model_and_targets(predictor):
    before = rates(predictor, "region")
    vague = benchmark(predictor, targets(estimate=before.mean(axis=0), se=[0.07, 0.07, 0.07]), "region", "update")
    sharp = benchmark(predictor, targets(estimate=before.mean(axis=0), se=[1e-4, 1e-4, 1e-4]), "region", "update")
    assert np.allclose(rates(sharp.predictor, "region"), before.mean(axis=0), atol=6e-4)
    assert np.allclose(rates(vague.predictor, "region").mean(axis=0), before.mean(axis=0), atol=0.02)
    assert vague.moved.discrepancy is not None
    assert sharp.moved.discrepancy[2] < 0.2


def test_update_is_what_conditioning_the_draws_gives(predictor):
    """The shifts bring the areas where the mathematics, tested by itself, puts them."""
    from placewise.estimates.benchmarking import condition, estimate_discrepancy, normals, uniforms

    wanted = targets()
    found = benchmark(predictor, wanted, "region", "update")
    before, n = rates(predictor, "region").T, predictor.n_draws
    uniform = uniforms(predictor.seed, "discrepancy", np.array(["all"], dtype=object), n)[0]
    covariance = np.cov(before) + np.diag(wanted.se**2)
    tau = estimate_discrepancy(wanted.estimate - before.mean(axis=1), covariance, uniform).draws
    noise = (normals(predictor.seed, "area", REGIONS, n), normals(predictor.seed, "target", REGIONS, n))
    expected = condition(before, np.ones(3, bool), wanted.estimate, wanted.se, tau, noise)
    inside = (expected > 0.02) & (expected < 0.98)
    assert inside.mean() > 0.99
    assert np.abs(rates(found.predictor, "region").T - expected)[inside].max() < 6e-6


def test_index_is_recomputed(drawn):
    p = drawn.predictor
    index, weight = AreaDraws(p).index().draws(), p.population / p.population.sum()
    assert np.abs(index @ weight).max() < 1e-10
    assert np.abs(index**2 @ weight - 1).max() < 1e-10
    assert not np.allclose(index, AreaDraws(replace(p, effects=p.effects[:-1])).index().draws(), atol=1e-3)


@pytest.mark.parametrize("mode", ["drawn", "exact", "update"])
def test_neither_the_order_of_areas_nor_of_targets_nor_the_threads_change_a_number(predictor, drawn, mode):
    whole = benchmark(predictor, targets(), "region", mode)
    turned = targets(REGIONS[::-1], (0.4, 0.62, 0.5), (0.005, 0.02, 0.01))
    again = benchmark(predictor, turned, "region", mode, threads=1)
    assert np.array_equal(whole.predictor.effects[-1].draws, again.predictor.effects[-1].draws)
    order = np.random.default_rng(2).permutation(len(predictor.codes))
    shuffled = benchmark(_reordered(predictor, order), targets(), "region", mode)
    assert np.array_equal(whole.predictor.effects[-1].draws, shuffled.predictor.effects[-1].draws)
    assert whole.moved.pairs_changed == shuffled.moved.pairs_changed


def _reordered(p, order):
    """The same predictor with its areas in another order."""
    size = np.diff(p.indptr)[order]
    entries = np.concatenate([np.arange(p.indptr[a], p.indptr[a + 1]) for a in order])
    return replace(
        p, codes=p.codes[order], levels={k: v[order] for k, v in p.levels.items()},
        classes={k: v[order] for k, v in p.classes.items()}, population=p.population[order], base=p.base[order],
        area_x=p.area_x[order], indptr=np.concatenate([[0], np.cumsum(size)]), cell=p.cell[entries],
        count=p.count[entries],
        effects=tuple(e if e.area_index is None else replace(e, area_index=e.area_index[order]) for e in p.effects),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "estimate", "tolerance"),
    [
        ("score", (2.2, 2.6, 3.1), 2e-5),
        ("top", (0.3, 0.5, 0.6), 1e-5),
        ("normal", (0.7, -0.2, 0.1), 1e-5),
        ("count", (1.5, 2.5, 0.9), 5e-5),
        ("latent", (0.7, -0.2, 0.1), 1e-5),
    ],
)
def test_every_scale_meets_its_targets(make_predictor, kind, estimate, tolerance):
    p = make_predictor(n_draws=60, kind=kind, people=False)
    found = benchmark(p, targets(estimate=estimate, se=(0.0, 0.0, 0.0)), "region")
    assert np.abs(rates(found.predictor, "region") - estimate).max() < tolerance


def test_a_share_of_the_lowest_answers_moves_the_other_way(make_predictor):
    p = make_predictor(n_draws=60, kind="top", people=False)
    e = p.estimands[0]
    low = replace(p, estimands=(replace(e, constant=0.0, weights=-e.weights),))
    assert scale_of_estimand(low.estimands[0]).direction == -1
    found = benchmark(low, targets(se=(0.0, 0.0, 0.0)), "region")
    assert np.abs(rates(found.predictor, "region") - [0.5, 0.62, 0.4]).max() < 1e-5


def test_the_whole_the_district_and_the_small_area_can_be_benchmarked(predictor):
    nation = benchmark(predictor, targets(["all"], [0.45], [0.001]), "national")
    population = predictor.population / predictor.population.sum()
    everybody = AreaDraws(nation.predictor, rate=True).draws() @ population
    assert everybody.mean() == pytest.approx(0.45, abs=2e-4)
    districts = np.unique(predictor.levels["district"])
    found = benchmark(predictor, targets(districts, np.linspace(0.3, 0.7, 12), np.full(12, 0.02)), "district")
    assert np.allclose(rates(found.predictor, "district").mean(axis=0), np.linspace(0.3, 0.7, 12), atol=0.005)
    few = targets(predictor.codes, np.full(90, 0.5), np.zeros(90))
    assert np.abs(rates(benchmark(predictor, few, "oa").predictor, "oa") - 0.5).max() < 6e-6


def test_areas_whose_target_is_too_wide_follow_their_parent(predictor):
    districts = np.unique(predictor.levels["district"])
    before = rates(predictor, "district").mean(axis=0)
    se = np.where(np.arange(12) < 2, 0.2, 0.01)
    found = benchmark(predictor, targets(districts, np.clip(before + 0.1, 0.1, 0.9), se), "district")
    assert found.used.tolist() == [False] * 2 + [True] * 10
    shift, people = found.predictor.effects[-1].draws.astype(float), predictor.population
    weight = [people[predictor.levels["district"] == d].sum() for d in ("D02", "D03")]
    assert np.allclose(shift[0], np.average(shift[2:4], axis=0, weights=weight), atol=1e-6)
    assert np.allclose(shift[0], shift[1])
    alone = benchmark(predictor, targets(se=(0.2, 0.01, 0.2)), "region")
    shift = alone.predictor.effects[-1].draws
    assert np.array_equal(shift[0], shift[1])


def test_what_moved_is_told(predictor, drawn):
    before, after = rates(predictor, "region"), rates(drawn.predictor, "region")
    table = drawn.moved.table.set_index("area_code")
    assert np.allclose(table["before"], before.mean(axis=0), atol=1e-9)
    assert np.allclose(table["after_sd"], after.std(axis=0, ddof=1), atol=1e-9)
    spread = np.hypot(before.std(axis=0, ddof=1), [0.01, 0.02, 0.005])
    assert np.allclose(table["surprise"], (np.array([0.5, 0.62, 0.4]) - before.mean(axis=0)) / spread)
    small = [AreaDraws(p, rate=True).draws().mean(axis=0) for p in (predictor, drawn.predictor)]
    change = np.abs(small[1] - small[0])
    assert drawn.moved.largest_move == pytest.approx(change.max(), abs=1e-6)
    expected = sum((small[0][i] < small[0][j]) and (small[1][i] > small[1][j]) for i in range(90) for j in range(90))
    assert abs(drawn.moved.pairs_changed - expected) <= 2
    assert drawn.moved.pairs == 90 * 89 // 2
    told = drawn.moved.as_dict()
    assert told["areas"][0]["area_code"] == "M"
    assert told["discrepancy"] is None


def _problems(mode="drawn", codes=("M", "N", "S"), scale=None, predictor=None, **changed):
    found = Problems()
    check_targets(
        targets(**changed), "region", codes, scale or scale_of_estimand(predictor.estimands[0]), mode, "targets", found
    )
    return [str(p) for p in found]


def test_every_problem_of_targets_at_once(predictor):
    found = _problems(predictor=predictor, codes=["M", "N", "W"], estimate=(0.5, 62.0, 0.0), se=None)
    text = "\n".join(found)
    assert len(found) == 4
    assert "1 codes are no areas of 'region': 'S'" in text
    assert "1 areas of 'region' have no target: 'W'" in text
    assert "2 estimates lie outside (0, 1): 'N', 'S' (are these per cent? write .42 for 42%)" in text
    assert "no column 'se', which mode 'drawn' needs" in text
    assert _problems("exact", predictor=predictor, se=None) == []


def test_a_share_of_the_middle_is_refused(make_predictor):
    found = _problems(predictor=make_predictor(n_draws=4, kind="middle"))
    assert "does not grow or fall throughout" in found[0]


def test_a_table_of_targets_with_every_mistake():
    found = Problems()
    table = pd.DataFrame({"code": ["M", "M", None], "estimate": ["0.5", "x", ""], "se": [0.1, -0.2, 0.1]})
    assert targets_of(table, "targets", found) is None
    text = "\n".join(map(str, found))
    assert "1 rows have no code" in text
    assert "1 codes stand there more than once: 'M'" in text
    assert "blank or no number for 2 areas" in text
    assert "negative standard errors: 'M'" in text
    assert targets_of(table.rename(columns={"estimate": "estimat"}), "targets", found) is None


def test_the_gate_is_that_of_proportions(predictor):
    scale = scale_of_estimand(predictor.estimands[0])
    cases = targets(
        list("abcdef"), [0.5, 0.5, 0.5, 0.05, 0.03, 0.5], [0.07, 0.08, 0.0, 0.01, 0.03, 0.095]
    )  # widths .27, .31, 0, .04, .12 (four times the share), .37
    assert reliable(cases, scale).tolist() == [True, False, True, True, False, False]


def test_what_cannot_be_done(predictor, make_predictor):
    with pytest.raises(ConfigurationError, match="no level 'county'"):
        benchmark(predictor, targets(), "county")
    with pytest.raises(DataError, match="precise enough"):
        benchmark(predictor, targets(se=(0.3, 0.3, 0.3)), "region")
    draws = make_predictor(n_draws=100, n_areas=30)
    few = targets(draws.codes, np.full(30, 0.5), np.full(30, 0.01))
    with pytest.raises(ConfigurationError, match="100 draws cannot tell how 30 areas go together"):
        benchmark(draws, few, "oa", "update")


def test_targets_out_of_reach(make_predictor):
    p = make_predictor(n_draws=20, intercept=-60.0, people=False)
    with pytest.raises(ModelError, match="cannot be reached"):
        benchmark(p, targets(), "region")
