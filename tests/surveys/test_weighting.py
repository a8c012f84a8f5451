"""Adjusted weights against R's survey package and against what adjusting promises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from placewise.errors import DataError
from placewise.surveys.design import SurveyDesign
from placewise.surveys.domains import KNOWN

TYPES = {"E": 4421, "H": 755, "M": 1018}
WIDE = {"No": 1072, "Yes": 5122}
TYPE_COUNTS = pd.DataFrame({"stype": list(TYPES), "count": list(TYPES.values())})


@pytest.fixture(scope="module")
def schools(shared: Path) -> pd.DataFrame:
    return pd.read_csv(shared / "sae" / "data" / "apiclus1.csv")


@pytest.fixture(scope="module")
def design(schools) -> SurveyDesign:
    return SurveyDesign(schools["pw"], psu=schools["dnum"], fpc=schools["fpc"])


def two(design: SurveyDesign, data: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([design.mean(data[value]) for value in ("api00", "enroll")], ignore_index=True)


def same(found: pd.DataFrame, estimate, se) -> None:
    np.testing.assert_allclose(found["estimate"], estimate, rtol=1e-10)
    np.testing.assert_allclose(found["se"], se, rtol=1e-10)


def expected(shared: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(shared / "sae" / "expected" / f"survey_{name}_clus1_mean.csv")


def test_poststratification_is_r_s(shared, schools, design):
    want = expected(shared, "poststrat")
    adjusted = design.poststratify(schools, TYPE_COUNTS)
    same(two(adjusted, schools), want["est"], want["se"])
    # Domains cut across the categories: svyby(~api00, ~awards, ps, svymean) and svytotal.
    means = adjusted.mean(schools["api00"], schools["awards"])
    same(means, [624.52484700259583, 650.38067039149951], [30.989311378784986, 21.605930987333164])
    totals = adjusted.total(schools["enroll"], schools["awards"])
    same(totals, [1350612.6139285713, 2330280.3311904762], [364162.30343784852, 205339.55132085682])


def test_calibration_is_r_s(shared, schools, design):
    want = expected(shared, "calibrate")
    adjusted = design.calibrate(schools, {"stype": TYPES, "api99": 3914069})
    same(two(adjusted, schools), want["est"], want["se"])
    weights = pd.read_csv(shared / "sae" / "data" / "apiclus1_calibrated_weights.csv")["w"]
    np.testing.assert_allclose(adjusted.weights, weights, rtol=1e-10)
    by = adjusted.mean(schools["api00"], schools["stype"])
    same(
        by,
        [674.70404551265676, 630.51487957576876, 650.31342584447896],
        [6.4780659133782681, 32.7000465400917477, 17.6062581500872355],
    )


def test_raking_is_r_s_where_r_stops_and_where_it_is_left_to_converge(shared, schools, design):
    want, margins = expected(shared, "rake"), {"stype": TYPES, "sch.wide": WIDE}
    # rake() stops once a cycle moves no cell by a person: here at the third.
    early = design.rake(schools, margins, tolerance=1e-5)
    same(two(early, schools), want["est"], want["se"])
    weights = pd.read_csv(shared / "sae" / "data" / "apiclus1_raked_weights.csv")["w"]
    np.testing.assert_allclose(early.weights, weights, rtol=1e-10)
    # control = list(epsilon = 1e-13, maxit = 200)
    whole = design.rake(schools, margins, tolerance=1e-13)
    estimates = [641.23032092682001, 588.84083759528778]
    same(two(whole, schools), estimates, [23.703616887922497, 64.676018221176918])
    by = whole.mean(schools["api00"], schools["stype"])
    same(
        by,
        [647.44657922841645, 621.29186105489748, 629.02153826664710],
        [22.808412194097301, 36.743144877765211, 29.962880959060332],
    )


def test_bounded_calibration_is_r_s(schools):
    # weights = 6194/183, calibrate(…, bounds = c(0.65, 1.6), calfun = "linear", epsilon = 1e-13)
    design = SurveyDesign(np.full(183, 6194 / 183), psu=schools["dnum"], fpc=schools["fpc"])
    adjusted = design.calibrate(schools, {"stype": TYPES, "api99": 3914069}, bounds=(0.65, 1.6))
    estimates = [665.50886211257387, 591.22844836895445]
    same(two(adjusted, schools), estimates, [3.4072960318950645, 60.8541879656981735])
    ((low, high),) = [a.factors for a in adjusted.adjustments]
    assert (low, high) == pytest.approx((0.65, 1.6), abs=1e-12)


def test_replicates_are_adjusted_each_as_in_r(schools, design):
    jackknife = design.replicate("JK1")
    post = two(jackknife.poststratify(schools, TYPE_COUNTS), schools)
    np.testing.assert_allclose(post["se"], [26.93453536742598, 76.43386451078122], rtol=1e-10)
    calibrated = two(jackknife.calibrate(schools, {"stype": TYPES, "api99": 3914069}), schools)
    np.testing.assert_allclose(calibrated["se"], [3.9428544837676189, 77.2923577536030422], rtol=1e-9)


def test_strata_and_unequal_weights_are_r_s(shared: Path):
    data = pd.read_csv(shared / "sae" / "data" / "apistrat.csv")
    design = SurveyDesign(data["pw"], strata=data["stype"], fpc=data["fpc"])
    awards = {"No": 2200, "Yes": 3994}
    calibrated = design.calibrate(data, {"awards": awards, "api99": 3914069})
    estimates = [664.84625459345784, 592.65615909059409]
    same(two(calibrated, data), estimates, [1.5356696444725202, 19.2417577569686031])
    counts = pd.DataFrame(
        {"awards": ["No", "No", "Yes"], "sch.wide": ["No", "Yes", "Yes"], "count": [1072, 1128, 3994]}
    )
    post = two(design.poststratify(data, counts), data)
    same(post, [662.25828803875561, 595.69220932376970], [9.2684444894681022, 20.3151854137789698])
    # These two margins determine the joint counts: raking must give the same, standard error and all.
    raked = two(design.rake(data, {"awards": awards, "sch.wide": WIDE}, tolerance=1e-13), data)
    np.testing.assert_allclose(raked[["estimate", "se"]], post[["estimate", "se"]], rtol=1e-9)


def test_a_total_after_ratio_adjustment_is_the_ratio_estimate():
    rng = np.random.default_rng(1)
    x = rng.uniform(1, 9, 200)
    y, psu = 3 * x + rng.normal(size=200), np.repeat(np.arange(40), 5)
    design = SurveyDesign(rng.uniform(1, 3, 200), psu)
    adjusted = design.scale_to(x, 5000.0)
    assert adjusted.weights @ x == pytest.approx(5000, rel=1e-12)
    total, ratio = adjusted.total(y).iloc[0], design.ratio(y, x).iloc[0]
    assert total["estimate"] == pytest.approx(5000 * ratio["estimate"], rel=1e-12)
    # The standard error is scaled to the population, as that of svytotal after calibrate in R.
    assert total["se"] == pytest.approx(5000 * ratio["se"], rel=1e-12)
    known = adjusted.total(x).iloc[0]
    assert (known["se"], known["reason"]) == (0.0, KNOWN)


def test_totals_are_reproduced_without_error():
    rng = np.random.default_rng(2)
    table = pd.DataFrame({"age": rng.choice(list("abc"), 400), "sex": rng.choice(["f", "m"], 400)})
    table["x"] = rng.gamma(4, size=400)
    design = SurveyDesign(rng.uniform(10, 30, 400), np.repeat(np.arange(80), 5))
    totals = {"age": {"a": 2000, "b": 3000, "c": 3500}, "sex": {"f": 4300, "m": 4200}, "x": 35000.0}
    for adjusted in (design.calibrate(table, totals), design.calibrate(table, totals, bounds=(0.3, 3.0))):
        for name in ("age", "sex"):
            sums = adjusted.total(np.ones(400), table[name])
            np.testing.assert_allclose(sums["estimate"], list(totals[name].values()), rtol=1e-9)
            assert sums["reason"].tolist() == [KNOWN] * len(sums)
        assert adjusted.weights @ table["x"] == pytest.approx(35000, rel=1e-9)
    rough = design.rake(table, {k: totals[k] for k in ("age", "sex")})
    sums = rough.total(np.ones(400), table["sex"])
    np.testing.assert_allclose(sums["estimate"], [4300, 4200], rtol=1e-8)
    assert sums["reason"].tolist() == [KNOWN, KNOWN]
    np.testing.assert_array_equal(rough.base_weights, design.weights)


def test_weights_scaled_to_the_sample_are_adjusted_alike(schools, design):
    totals = {"stype": TYPES, "api99": 3914069}
    scaled = SurveyDesign(schools["pw"] / schools["pw"].mean(), psu=schools["dnum"], fpc=schools["fpc"])
    for bounds in (None, (0.65, 1.6)):
        one, two_ = (d.calibrate(schools, totals, bounds=bounds) for d in (design, scaled))
        np.testing.assert_allclose(two_.weights, one.weights, rtol=1e-9)
        pd.testing.assert_frame_equal(two_.mean(schools["api00"]), one.mean(schools["api00"]), rtol=1e-9)
    raked = [d.rake(schools, {"stype": TYPES, "sch.wide": WIDE}).weights for d in (design, scaled)]
    np.testing.assert_allclose(raked[1], raked[0], rtol=1e-9)


def test_the_order_of_rows_and_totals_does_not_matter():
    rng = np.random.default_rng(3)
    table = pd.DataFrame({"age": rng.choice(list("abc"), 300), "y": rng.normal(size=300)})
    table["w"], table["u"] = rng.uniform(1, 2, 300), np.repeat(np.arange(30), 10)
    totals = {"a": 100, "b": 150, "c": 90}
    order = rng.permutation(300)
    mixed = table.iloc[order]
    one = SurveyDesign(table["w"], table["u"]).calibrate(table, {"age": totals})
    two_ = SurveyDesign(mixed["w"], mixed["u"]).calibrate(mixed, {"age": dict(reversed(totals.items()))})
    np.testing.assert_allclose(two_.weights, one.weights[order], rtol=1e-10)
    pd.testing.assert_frame_equal(two_.mean(mixed["y"]), one.mean(table["y"]), rtol=1e-9)


def test_every_mismatch_of_names_is_told_at_once():
    table = pd.DataFrame({"age": ["young", "old", "ancient", None] * 10, "sex": ["f", "m"] * 20})
    design = SurveyDesign(np.ones(40))
    with pytest.raises(DataError) as caught:
        design.rake(table, {"age": {"young": 10, "older": 20}, "sec": {"f": 1}, "sex": {"f": 5, "m": float("nan")}})
    told = str(caught.value)
    for part in (
        "no total for 'age' 'ancient', 'old'",
        "nobody answered 'age' 'older'",
        "'age' is missing for 10 of 40 respondents",
        "did you mean 'sex'?",
        "totals of 'sex' holds values that are not finite numbers",
    ):
        assert part in told
    with pytest.raises(DataError, match="different populations: sex 40, half 41"):
        design.rake(table.assign(half=["x", "y"] * 20), {"sex": {"f": 20, "m": 20}, "half": {"x": 20, "y": 21}})
    with pytest.raises(DataError, match="twice in counts: 'f'"):
        design.poststratify(table, pd.DataFrame({"sex": ["f", "f", "m"], "count": [1, 2, 3]}))


def test_totals_may_be_a_series_and_codes_numbers():
    table = pd.DataFrame({"age": [1.0, 2.0] * 10, "sex": ["f", "f", "m", "m"] * 5})
    design = SurveyDesign(np.ones(20))
    expected = design.rake(table, {"age": {"1": 30, "2": 50}}).weights
    np.testing.assert_array_equal(design.rake(table, {"age": pd.Series({1: 30, 2: 50})}).weights, expected)
    assert sorted(set(expected)) == [3, 5]
    counts = pd.DataFrame({"age": [1, 2], "sex": ["f", "m"], "count": 1})
    joint = pd.DataFrame({"age": [1, 1, 2, 2], "sex": list("fmfm"), "count": [10.0, 20, 20, 30]})
    weights = design.poststratify(table, joint).weights
    assert weights[((table["age"] == 1) & (table["sex"] == "m")).to_numpy()].sum() == pytest.approx(20)
    with pytest.raises(DataError, match="no total for 'age × sex' '1 × m', '2 × f'"):
        design.poststratify(table, counts)


def test_what_cannot_be_reached_is_an_error_and_leaves_nothing_partial():
    rng = np.random.default_rng(5)
    table = pd.DataFrame({"a": ["x", "x", "y", "y"] * 5, "b": ["p", "p", "q", "q"] * 5, "x": rng.uniform(1, 2, 20)})
    design = SurveyDesign(np.ones(20))
    with pytest.raises(DataError, match="margins contradict each other"):
        design.rake(table, {"a": {"x": 10, "y": 10}, "b": {"p": 15, "q": 5}})
    with pytest.raises(DataError, match="cannot be reached"):
        design.calibrate(table, {"a": {"x": 10, "y": 10}, "b": {"p": 15, "q": 5}})
    with pytest.raises(DataError, match="widen the bounds"):
        design.calibrate(table, {"x": 80.0}, bounds=(0.5, 2.0))
    with pytest.raises(DataError, match="would not be positive"):
        design.calibrate(table.assign(one=1.0), {"one": 20.0, "x": 38.0})
    with pytest.raises(DataError, match="adjust the whole sample"):
        design.subset(table["a"] == "x").scale_to(np.ones(20), 5)
    units = design.changed(replicates=SurveyDesign(None, np.repeat([0, 1], [19, 1])).replicate("JK1").replicates)
    with pytest.raises(DataError, match="some replicate leaves nobody in a 'x'"):
        units.rake(table, {"a": {"x": 10, "y": 10}})


def test_trimming_brings_weights_inside_and_keeps_their_sum(shared: Path):
    data = pd.read_csv(shared / "sae" / "data" / "apistrat.csv")
    trimmed = SurveyDesign(data["pw"], strata=data["stype"]).trim(0, 40)
    assert trimmed.weights.max() <= 40
    assert trimmed.weights.sum() == pytest.approx(data["pw"].sum(), rel=1e-12)
    # svytotal(~enroll, trimWeights(design, upper = 40, strict = TRUE))
    assert trimmed.total(data["enroll"])["estimate"].item() == pytest.approx(3964957.4820308685, rel=1e-10)
    with pytest.raises(DataError, match="do not hold the mean weight"):
        trimmed.trim(35, 40)
    with pytest.raises(DataError, match="every weight is outside"):
        SurveyDesign([1.0, 1, 10, 10]).trim(5, 6)
    with pytest.raises(DataError, match="0 given, expected 1 or more"):
        SurveyDesign(np.ones(4)).rake(pd.DataFrame({"a": list("xxyy")}), {"a": {"x": 1, "y": 1}}, cycles=0)
