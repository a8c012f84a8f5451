"""Smoothed sampling variances: recovered where the function holds, and nearer to the truth than raw ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from placewise.errors import ConfigurationError, DataError
from placewise.surveys.design import SurveyDesign
from placewise.surveys.variance_function import fit_variance_function


def exact(rng: np.random.Generator, domains: int = 60) -> pd.DataFrame:
    """Shares with exactly twice the variance of a simple random sample."""
    n = rng.integers(20, 400, domains).astype(float)
    share = rng.uniform(0.1, 0.9, domains)
    overall = np.average(share, weights=n)
    pulled = (n * share + overall) / (n + 1)
    return pd.DataFrame({"estimate": share, "se": np.sqrt(2 * pulled * (1 - pulled) / n), "n": n})


def test_a_design_effect_of_two_is_found_exactly():
    table = exact(np.random.default_rng(0))
    found = fit_variance_function(table, "share")
    np.testing.assert_allclose(found.coefficients, [np.log(2), -1, 1], atol=1e-10)
    assert found.r_squared == pytest.approx(1, abs=1e-12)
    assert found.correction == pytest.approx(1, rel=1e-10)
    smoothed = found.smooth(table)
    np.testing.assert_allclose(smoothed["variance_smoothed"], table["se"] ** 2, rtol=1e-9)
    np.testing.assert_allclose(smoothed["deff_smoothed"], 2, rtol=1e-9)


def test_smoothed_variances_add_up_to_the_direct_ones_and_reach_every_domain():
    rng = np.random.default_rng(1)
    table = exact(rng)
    table["se"] *= np.exp(rng.normal(0, 0.3, len(table)))
    table.loc[:2, "se"] = np.nan
    table.loc[3, ["estimate", "se"]] = [0.0, 0.0]
    found = fit_variance_function(table, "share")
    smoothed = found.smooth(table)["variance_smoothed"]
    used = table["se"] > 0
    assert found.domains == used.sum() == 56
    assert smoothed[used].sum() == pytest.approx((table["se"][used] ** 2).sum(), rel=1e-10)
    assert (smoothed > 0).all()
    assert 0.5 < found.r_squared < 1


def test_smoothed_variances_are_nearer_to_the_truth_than_raw_ones():
    rng = np.random.default_rng(2)
    # Units of five people whose shares are beta with an intra-unit correlation of 1/6: a design effect of 5/3.
    units = rng.integers(4, 12, 200)
    share = rng.uniform(0.2, 0.8, 200)
    of_unit = np.repeat(np.arange(200), units)
    chance = rng.beta(5 * share[of_unit], 5 * (1 - share[of_unit]))
    y = (rng.random(5 * of_unit.size) < np.repeat(chance, 5)).astype(float)
    unit, domain = np.repeat(np.arange(of_unit.size), 5), np.repeat(of_unit, 5)
    table = SurveyDesign(np.ones(y.size), unit, domain).mean(y, domain)
    truth = 5 / 3 * share * (1 - share) / (5 * units)
    smoothed = fit_variance_function(table, "share").smooth(table)
    raw = np.log(table["se"] ** 2) - np.log(truth)
    better = np.log(smoothed["variance_smoothed"]) - np.log(truth)
    known = table["se"].notna()
    assert np.sqrt((better[known] ** 2).mean()) < 0.7 * np.sqrt((raw[known] ** 2).mean())


def test_scale_of_a_mean_and_order_of_domains_do_not_matter():
    rng = np.random.default_rng(3)
    table = exact(rng).assign(estimate=rng.normal(size=60))
    table["se"] *= np.exp(rng.normal(0, 0.2, 60))
    one = fit_variance_function(table, "mean").smooth(table)["variance_smoothed"]
    order = rng.permutation(60)
    scaled = table.iloc[order].assign(estimate=table["estimate"] * 10, se=table["se"] * 10)
    two = fit_variance_function(scaled, "mean").smooth(scaled)["variance_smoothed"]
    np.testing.assert_allclose(two / 100, one.iloc[order], rtol=1e-9)


def test_what_cannot_be_fitted_is_said():
    table = exact(np.random.default_rng(4))
    with pytest.raises(DataError, match="14 domains have a standard error, expected 15"):
        fit_variance_function(table.iloc[:14], "share")
    with pytest.raises(DataError, match="column 'se' is missing"):
        fit_variance_function(table.drop(columns="se"), "share")
    with pytest.raises(DataError, match="all of one size"):
        fit_variance_function(table.assign(n=50), "mean")
    with pytest.raises(DataError, match=r"outside 0\.\.1"):
        fit_variance_function(table.assign(estimate=55.0), "share")
    with pytest.raises(ConfigurationError, match="did you mean 'share'"):
        fit_variance_function(table, "shares")
