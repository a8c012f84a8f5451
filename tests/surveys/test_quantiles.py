"""Quantiles of domains against R's survey package and by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from placewise.errors import DataError
from placewise.surveys.design import SurveyDesign
from placewise.surveys.quantiles import TOO_FEW


def test_medians_of_domains_are_r_s(shared: Path):
    # svyby(~api00, ~stype, design, svyquantile, quantiles = .5, interval.type = "mean", vartype = c("se", "ci"))
    strat = pd.read_csv(shared / "sae" / "data" / "apistrat.csv")
    found = SurveyDesign(strat["pw"], strata=strat["stype"], fpc=strat["fpc"]).quantile(
        strat["api00"], 0.5, strat["stype"]
    )
    assert found["domain"].tolist() == ["E", "H", "M"]
    assert found[["estimate", "lower", "upper"]].to_numpy().tolist() == [
        [671, 638, 720],
        [635, 599, 678],
        [648, 601, 676],
    ]
    np.testing.assert_allclose(found["se"], [20.663063062342935, 19.655895071849791, 18.660659878338411], rtol=1e-10)
    one = pd.read_csv(shared / "sae" / "data" / "apiclus1.csv")
    clustered = SurveyDesign(one["pw"], one["dnum"], fpc=one["fpc"]).quantile(one["api00"], 0.5, one["stype"])
    limits = clustered.set_index("domain")[["estimate", "lower", "upper"]]
    assert limits.loc[["E", "M"]].to_numpy().tolist() == [[652, 561, 717], [642, 528, 720]]
    # High schools: the lower limit is the value at a share of .026, of fourteen the first; R takes the second.
    assert limits.loc["H"].tolist() == [608, 443, 724]
    np.testing.assert_allclose(clustered["se"][[0, 2]], [36.367252948461626, 43.616832017169536], rtol=1e-10)


def test_a_quantile_is_the_least_value_that_reaches_its_share():
    values, weights = np.array([3.0, 1, 2, 4]), np.array([1.0, 1, 2, 4])
    design = SurveyDesign(weights)
    found = [design.quantile(values, p, threshold=1)["estimate"].item() for p in (0.125, 0.126, 0.5, 0.51, 0.99)]
    assert found == [1, 2, 3, 4, 4]
    row = design.quantile(values, 0.5, threshold=1).iloc[0]
    assert np.isnan(row["se"])
    assert row["reason"] == TOO_FEW


def test_order_and_scale_of_weights_do_not_matter():
    rng = np.random.default_rng(0)
    y, w, g = rng.normal(size=300), rng.uniform(1, 2, 300), rng.choice(list("ab"), 300)
    order = rng.permutation(300)
    one = SurveyDesign(w).quantile(y, 0.3, g)
    two = SurveyDesign(7 * w[order]).quantile(y[order], 0.3, g[order])
    pd.testing.assert_frame_equal(one, two)
    flipped = SurveyDesign(w).quantile(5 + 2 * y, 0.3, g)
    np.testing.assert_allclose(flipped[["estimate", "upper"]], 5 + 2 * one[["estimate", "upper"]], rtol=1e-12)


def test_the_median_s_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(1)
    inside = [
        (row := SurveyDesign(np.ones(80)).quantile(rng.exponential(size=80), 0.5).iloc[0])["lower"]
        <= np.log(2)
        <= row["upper"]
        for _ in range(200)
    ]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.045)


def test_a_probability_lies_between_0_and_1():
    with pytest.raises(DataError, match="expected a number between 0 and 1"):
        SurveyDesign(np.ones(20)).quantile(np.arange(20.0), 50)
