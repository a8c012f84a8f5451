"""Distances from a reference posterior, and the summaries of draws they are taken of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from common.case import anchor, distances, generated, load, summarise

REFERENCE = pd.DataFrame(
    {
        "mean": [0.0, 1.0, 0.2, 0.5],
        "sd": [0.1, 0.2, 0.05, 0.4],
        "q05": [np.nan, np.nan, 0.1, np.nan],
        "q50": [np.nan, np.nan, 0.2, np.nan],
        "q95": [np.nan, np.nan, 0.4, np.nan],
    },
    index=["beta[x1]", "beta[x2]", "sd[la]", "eta[A000]"],
)


def test_distances_by_hand() -> None:
    found = REFERENCE[["mean", "sd"]].copy()
    assert distances(found, REFERENCE)["slopes"] == 0.0
    found.loc["beta[x2]", "mean"] += 0.2  # one posterior sd
    found.loc["eta[A000]"] = [0.3, 0.2]
    found.loc["sd[la]"] = [0.4, np.nan]
    far = distances(found, REFERENCE)
    assert far["slopes"] == pytest.approx(0.5)
    assert far["slopes_sd"] == pytest.approx(1.0)
    assert far["areas"] == pytest.approx(0.5)
    assert far["areas_sd"] == pytest.approx(0.5)
    # from the median to the 95% point is 1.645 posterior sds of the log
    assert far["sds"] == pytest.approx(1.645, abs=1e-3)
    assert far["zero_sds"] == 0


def test_an_sd_of_zero_is_far_away_but_finite() -> None:
    found = REFERENCE[["mean", "sd"]].copy()
    found.loc["sd[la]", "mean"] = 0.0
    far = distances(found, REFERENCE)
    assert far["zero_sds"] == 1
    assert far["sds"] == pytest.approx(np.log(20) / (np.log(4) / 3.2897), rel=1e-3)


def test_areas_without_respondents_get_effects_of_the_groups_sd() -> None:
    case = generated(800, 30)
    rng = np.random.default_rng(3)
    labels = {g.name: list(g.labels) for g in case.problem.design.groups}
    unmet = case.areas.loc[~case.areas["msoa"].astype(str).isin(labels["msoa"]), "area"]
    assert 0 < len(unmet) < len(case.areas)

    def draws(name: str) -> np.ndarray:
        if name == "slopes":
            return np.zeros((4000, 9))
        if name.startswith("effect_"):
            return np.ones((4000, len(labels[name.removeprefix("effect_")])))
        return np.full(4000, 0.5 if name.startswith("sd_") else 2.0) + (name == "intercept") * rng.normal(size=4000)

    found = summarise(case, draws, labels)
    assert found.loc["sd[la]", "q50"] == 0.5
    met = sorted(set(case.areas["area"]) - set(unmet))
    assert found.loc[f"eta[{met[0]}]", "mean"] == pytest.approx(10.0, abs=0.07)
    assert found.loc[f"eta[{met[0]}]", "sd"] == pytest.approx(1.0, rel=0.05)
    new = found.loc[[f"eta[{a}]" for a in unmet]]
    assert new["mean"].mean() == pytest.approx(9.0, abs=0.1)
    assert new["sd"].mean() == pytest.approx(np.sqrt(1.25), rel=0.05)


def test_a_generated_case_is_the_same_in_every_process() -> None:
    one, other = generated(800, 30), load({"respondents": 800, "shrink": 30})
    assert one.frame.equals(other.frame)
    assert one.areas.equals(other.areas)


def test_the_anchor_has_the_standard_problems_names(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACEWISE_SHARED", str(shared))
    case = anchor()
    assert len(case.frame) == 30_000
    assert len(case.areas) == 200
    unmet = ~case.areas["msoa"].isin(case.frame["msoa"])
    assert unmet.sum() == 30
    wanted = [f"sd[{g}]" for g in case.groups] + [f"beta[{x}]" for x in case.columns]
    wanted += [f"eta[{a}]" for a in case.areas["area"]]
    assert case.reference is not None
    assert case.reference.loc[wanted].notna().all(axis=None)
    same = distances(case.reference, case.reference)
    assert (same["slopes"], same["sds"], same["areas"]) == (0.0, 0.0, 0.0)
