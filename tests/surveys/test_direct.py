"""Direct estimates against R's survey package and against closed forms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from placewise.errors import DataError
from placewise.surveys.direct import direct_estimates

STRATIFIED = {"strata": "stype", "psu": None}
CLUSTERED = {"strata": None, "psu": "dnum"}


def figures(shared: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(shared / "sae" / "expected" / f"survey_svyby_{name}.csv")


def ours(shared: Path, sample: str, value: str, domain: str | list[str], design: dict[str, str | None]) -> pd.DataFrame:
    data = pd.read_csv(shared / "sae" / "data" / f"{sample}.csv")
    number = data[value].map({"Yes": 1.0, "No": 0.0}) if data[value].dtype == "str" else data[value]
    codes = data[domain] if isinstance(domain, str) else data[domain].astype(str).agg("/".join, axis=1)
    columns = {key: data[name].to_numpy() for key, name in design.items() if name}
    return direct_estimates(
        number.to_numpy(dtype=float),
        data["pw"].to_numpy(),
        codes.to_numpy(),
        **columns,
        fpc=data["fpc"].to_numpy(dtype=float),
        threshold=1,
    ).set_index("domain")


@pytest.mark.parametrize(
    ("sample", "name", "value", "columns", "design"),
    [
        ("apistrat", "strat_stype_mean", "api00", ("api00", "se.api00"), STRATIFIED),
        ("apistrat", "strat_stype_mean", "enroll", ("enroll", "se.enroll"), STRATIFIED),
        ("apiclus1", "clus1_stype_mean", "api00", ("api00", "se"), CLUSTERED),
        ("apiclus1", "clus1_dnum_prop", "awards", ('I(awards == "Yes")TRUE', 'se.I(awards == "Yes")TRUE'), CLUSTERED),
    ],
)
def test_means_and_standard_errors_are_r_s(shared: Path, sample, name, value, columns, design):
    expected = figures(shared, name).set_index("stype")
    found = ours(shared, sample, value, "stype", design)
    assert list(found.index) == list(expected.index) == ["E", "H", "M"]
    np.testing.assert_allclose(found["estimate"], expected[columns[0]], rtol=1e-10)
    np.testing.assert_allclose(found["se"], expected[columns[1]], rtol=1e-10)


def test_design_effects_are_r_s(shared: Path):
    expected = figures(shared, "strat_stype_mean")
    for value in ("api00", "enroll"):
        found = ours(shared, "apistrat", value, "stype", STRATIFIED)
        np.testing.assert_allclose(found["deff"], expected[f"DEff.{value}"], rtol=1e-10)
        np.testing.assert_allclose(found["n_eff"] * found["deff"], found["n"], rtol=1e-12)


def test_domains_that_cut_across_strata_are_r_s(shared: Path):
    expected = figures(shared, "strat_cnum_mean").set_index("cnum")
    found = ours(shared, "apistrat", "api00", "cnum", STRATIFIED)
    assert list(found.index) == list(expected.index)
    np.testing.assert_allclose(found["estimate"], expected["api00"], rtol=1e-10)
    known = found["se"].notna()
    np.testing.assert_allclose(found["se"][known], expected["se"][known], rtol=1e-10)
    # One respondent has no spread to speak of: R says 0, we say nothing.
    assert (expected["se"][~known] == 0).all()
    assert (found["n"][~known] == 1).all()
    pairs = figures(shared, "strat_awards_mean")
    pairs.index = pd.Index(pairs["awards"] + "/" + pairs["comp.imp"])
    crossed = ours(shared, "apistrat", "api00", ["awards", "comp.imp"], STRATIFIED)
    np.testing.assert_allclose(crossed["se"], pairs["se.api00"].reindex(crossed.index), rtol=1e-10)


def test_simple_random_sample_has_the_textbook_error():
    rng = np.random.default_rng(1)
    y = rng.normal(3, 2, 80)
    (row,) = direct_estimates(y, None, np.full(80, "all")).to_dict("records")
    assert row["estimate"] == pytest.approx(y.mean(), rel=1e-12)
    assert row["se"] == pytest.approx(y.std(ddof=1) / np.sqrt(80), rel=1e-12)
    assert row["deff"] == pytest.approx(1, rel=1e-12)
    assert row["n_eff"] == pytest.approx(80, rel=1e-12)


def test_copies_of_respondents_in_a_unit_add_nothing():
    rng = np.random.default_rng(2)
    y = rng.normal(size=40)
    once = direct_estimates(y, None, np.full(40, "all")).iloc[0]
    thrice = direct_estimates(np.repeat(y, 3), None, np.full(120, "all"), np.repeat(np.arange(40), 3)).iloc[0]
    assert thrice["se"] == pytest.approx(once["se"], rel=1e-12)
    # The design effect is near 3, short of it by the n - 1 of the simple sample.
    assert thrice["deff"] == pytest.approx(3 * (119 / 120) / (39 / 40), rel=1e-12)


def test_order_and_scale_of_weights_do_not_matter():
    rng = np.random.default_rng(3)
    n = 200
    y, w = rng.normal(size=n), rng.uniform(0.5, 4, n)
    domain, psu, strata = rng.choice(list("abc"), n), rng.integers(0, 12, n), rng.integers(0, 3, n)
    table = direct_estimates(y, w, domain, psu, strata)
    order = rng.permutation(n)
    again = direct_estimates(y[order], 7 * w[order], domain[order], psu[order], strata[order])
    pd.testing.assert_frame_equal(table, again, rtol=1e-11)


def test_a_lonely_unit_is_centred_at_the_grand_mean():
    y = np.array([1.0, 2.0, 3.0, 5.0, 9.0])
    strata = np.array(["a", "a", "a", "a", "lonely"])
    found = direct_estimates(y, None, np.full(5, "all"), strata=strata, threshold=1).iloc[0]
    score = (y - y.mean()) / 5
    inside = score[:4]
    expected = 4 / 3 * ((inside - inside.mean()) ** 2).sum() + score[4] ** 2
    assert found["se"] == pytest.approx(np.sqrt(expected), rel=1e-12)


def test_few_respondents_and_missing_domains_are_withheld():
    domain = np.array(["a"] * 9 + ["b"] * 10 + [None] * 3, dtype=object)
    y = np.arange(22.0) % 3
    assert direct_estimates(y, None, domain)["domain"].tolist() == ["b"]
    assert direct_estimates(y, None, domain, threshold=9)["n"].tolist() == [9, 10]


def test_one_unit_or_one_answer_has_no_effective_size():
    y = np.array([0.0, 1.0] * 6 + [1.0] * 12)
    domain = np.repeat(["one unit", "one answer"], 12)
    psu = np.concatenate([np.zeros(12), np.arange(1, 13)])
    table = direct_estimates(y, None, domain, psu).set_index("domain")
    assert np.isnan(table.loc["one unit", "se"])
    assert np.isnan(table.loc["one answer", "se"])
    assert table["n_eff"].isna().all()


def test_unusable_answers_and_weights_are_counted_together():
    y, w = np.array([0.0, np.nan, 1.0]), np.array([1.0, -1.0, 0.0])
    with pytest.raises(DataError) as caught:
        direct_estimates(y, w, np.array(list("aab")))
    assert "answers are not finite numbers for fewer than 10" in str(caught.value)
    assert "values that are zero" in str(caught.value)
    assert "values that are negative" in str(caught.value)
