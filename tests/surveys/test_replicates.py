"""Replicate weights against R's survey package, and against linearisation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from placewise.errors import ConfigurationError, DataError
from placewise.surveys.design import SurveyDesign
from placewise.surveys.domains import LOST


def paired(seed: int = 0, strata: int = 30, size: int = 8) -> tuple[pd.DataFrame, SurveyDesign]:
    """Two units in each stratum, which differ."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(2 * strata), size)
    table = pd.DataFrame({"unit": unit, "stratum": unit // 2, "weight": rng.uniform(1, 2, unit.size)})
    table["y"] = rng.normal(0, 0.5, 2 * strata)[unit] + rng.normal(size=unit.size)
    table["domain"] = rng.choice(["a", "b"], unit.size)
    return table, SurveyDesign(table["weight"], table["unit"], table["stratum"])


@pytest.mark.parametrize(
    ("sample", "name", "kind"), [("apiclus1", "clus1_JK1", "JK1"), ("apistrat", "strat_JKn", "JKn")]
)
def test_jackknives_are_r_s(shared: Path, sample, name, kind):
    data = pd.read_csv(shared / "sae" / "data" / f"{sample}.csv")
    want = pd.read_csv(shared / "sae" / "expected" / f"survey_svyby_{name}_mean.csv")
    where = {"psu": data["dnum"]} if kind == "JK1" else {"strata": data["stype"]}
    found = SurveyDesign(data["pw"], **where, fpc=data["fpc"]).replicate(kind).mean(data["api00"], data["stype"])
    assert list(found["domain"]) == list(want["stype"])
    np.testing.assert_allclose(found["estimate"], want["api00"], rtol=1e-10)
    np.testing.assert_allclose(found["se"], want["se"], rtol=1e-10)


def test_deposited_replicate_weights_are_r_s(shared: Path):
    folder = shared / "sae"
    data = pd.read_csv(folder / "data" / "apiclus1.csv")
    weights = pd.read_csv(folder / "data" / "apiclus1_JK1_repweights.csv")
    want = pd.read_csv(folder / "expected" / "survey_svyby_clus1_JK1_mean.csv")
    design = SurveyDesign(data["pw"]).with_replicate_weights(weights, scale=14 / 15 * (1 - 15 / 757))
    np.testing.assert_allclose(design.mean(data["api00"], data["stype"])["se"], want["se"], rtol=1e-10)
    # Fifteen columns of rank fifteen.
    assert design.degrees_of_freedom == 14


def test_totals_by_jackknife_and_balanced_replicates_are_the_linearised_ones_exactly():
    table, design = paired()
    linear = design.total(table["y"], table["domain"])
    for kind in ("JKn", "BRR", "Fay"):
        found = design.replicate(kind, rho=0.3).total(table["y"], table["domain"])
        np.testing.assert_allclose(found["se"], linear["se"], rtol=1e-9)


@pytest.mark.parametrize(("kind", "tolerance"), [("JKn", 0.02), ("BRR", 0.05), ("Fay", 0.03), ("bootstrap", 0.1)])
def test_means_by_replicates_are_near_the_linearised_ones(kind, tolerance):
    table, design = paired()
    linear = design.mean(table["y"], table["domain"])
    found = design.replicate(kind, count=1000, seed=5).mean(table["y"], table["domain"])
    np.testing.assert_array_equal(found["estimate"], linear["estimate"])
    np.testing.assert_allclose(found["se"], linear["se"], rtol=tolerance)
    assert (found["se"] != linear["se"]).all()


def test_the_bootstrap_follows_its_seed_and_the_units_not_their_order():
    table, design = paired()
    order = np.random.default_rng(3).permutation(len(table))
    mixed = table.iloc[order]
    other = SurveyDesign(mixed["weight"], mixed["unit"], mixed["stratum"])
    one, two = (d.replicate("bootstrap", seed=7).mean(t["y"]) for d, t in ((design, table), (other, mixed)))
    pd.testing.assert_frame_equal(one, two, rtol=1e-10)
    assert one["se"].item() != design.replicate("bootstrap", seed=8).mean(table["y"])["se"].item()
    factors = design.replicate("bootstrap", seed=7).replicates.factors
    # In each stratum a replicate's factors add up to its number of units.
    np.testing.assert_allclose(factors[0::2] + factors[1::2], 2)


def test_a_domain_lost_in_some_replicate_has_no_standard_error():
    y = np.arange(24.0)
    psu = np.repeat(np.arange(6), 4)
    domain = np.where(psu == 0, "one unit", "rest")
    row = SurveyDesign(None, psu).replicate("JK1").total(y, domain, threshold=1).set_index("domain")
    assert row["se"].notna().all()
    means = SurveyDesign(None, psu).replicate("JK1").mean(y, domain, threshold=1).set_index("domain")
    assert np.isnan(means.loc["one unit", "se"])
    assert means.loc["rest", "se"] > 0
    given = SurveyDesign(np.ones(24)).with_replicate_weights(
        np.where(psu[:, None] == np.arange(6), 0, 1.2), scale=5 / 6
    )
    assert given.mean(y, domain, threshold=1).set_index("domain").loc["one unit", "reason"] == LOST


def test_what_no_replicates_can_be_made_of_is_said():
    design = paired()[1]
    with pytest.raises(DataError, match="30 strata"):
        design.replicate("JK1")
    three = SurveyDesign(None, np.arange(6), np.repeat([0, 1], 3))
    with pytest.raises(DataError, match="2 strata do not have two units"):
        three.replicate("BRR")
    with pytest.raises(DataError, match="20,000 replicates of 20,000 units are too many"):
        SurveyDesign(np.ones(20_000)).replicate("JKn")
    with pytest.raises(DataError, match="1 replicates tell no variance"):
        design.replicate("bootstrap", count=1)
    lonely = SurveyDesign(None, np.arange(3), np.array([0, 0, 1]))
    with pytest.raises(DataError, match="1 strata have one unit each"):
        lonely.replicate("JKn")
    with pytest.raises(DataError, match="expected 480 rows"):
        design.with_replicate_weights(np.ones((3, 4)), scale=1)
    with pytest.raises(DataError, match="no unit can be left out"):
        SurveyDesign(np.ones(4), fpc=np.full(4, 4.0)).replicate("JK1")
    with pytest.raises(ConfigurationError, match="did you mean 'mean'"):
        design.with_replicate_weights(np.ones((480, 4)), scale=1, centre="means")
    with pytest.raises(DataError, match="not finite numbers of zero or more"):
        design.with_replicate_weights(np.full((480, 4), -1.0), scale=1)
    with pytest.raises(DataError, match="make replicates first"):
        design.scale_to(np.ones(480), 1000).replicate("JKn")
