"""The study of coverage in small: known truths, rows, goals, page."""

from __future__ import annotations

import sys
from pathlib import Path

import coverage_study
import numpy as np
import pandas as pd
import pytest
from common import worlds
from common.world_study import missed
from common.worlds import World, make_survey
from scipy.special import logit

from placewise.diagnostics.calibration import prior_only
from placewise.models.priors import Prior

PRIORS = {"sd:geography": Prior("gamma", (4.0, 25.0))}


@pytest.mark.parametrize("name", ["icc 3%, covariates 20%", "icc 6%, covariates 50%"])
def test_worlds_vary_as_their_names_say(name: str) -> None:
    world = worlds.worlds()[name]
    icc, share = (float(part.split()[1].rstrip("%")) / 100 for part in name.split(", "))
    between = icc / (1 - icc) * np.pi**2 / 3
    assert world.covariates_sd**2 == pytest.approx(share * between)
    assert world.covariates_sd**2 + sum(sd**2 for sd in world.sds.values()) == pytest.approx(between)
    found = [np.var(logit(make_survey(world, PRIORS, 1.5, 400, k, n_areas=4000).share)) for k in range(5)]
    assert np.mean(found) == pytest.approx(between, rel=0.25)


def test_area_sds_are_as_asked_and_the_oracle_knows_them() -> None:
    survey = make_survey(worlds.worlds()["area sd 0.16"], PRIORS, 1.5, 400, 0, n_areas=1200)
    assert survey.area_sd == pytest.approx(0.16)
    assert survey.oracle.sds["area"].prior == Prior("fixed", (survey.area_sd,))
    assert survey.oracle.shared == ()
    assert survey.oracle.total is None
    assert all(prior.name == "fixed" for prior in survey.oracle.slopes)
    assert survey.oracle.intercept == survey.plan.intercept
    assert len(np.unique(survey.area)) == 400 // worlds.CLUSTER
    assert survey.plan.concentration == (1.0, 1.0, 1.0, 1.0, 6.0)


def test_heavy_tails_have_the_same_sd() -> None:
    own = World("t", {"area": 0.5} | dict.fromkeys(("kind", "region", "district", "msoa", "lsoa"), 0.0), degrees=5.0)
    eta = logit(make_survey(own, PRIORS, 1.5, 100, 0, n_areas=12_000).share)
    assert eta.std() == pytest.approx(0.5, rel=0.1)
    assert np.mean((eta - eta.mean()) ** 4) / eta.var() ** 2 > 4.0


def test_the_fit_lacks_an_omitted_covariate_and_the_oracle_does_not() -> None:
    survey = make_survey(worlds.worlds()["omitted covariate"], PRIORS, 1.5, 300, 0, n_areas=1200)
    assert [c.name for c in survey.design.columns] == ["x2", "x3", "x4"]
    assert len(survey.oracle_design.columns) == len(survey.oracle.slopes) == 4


def test_the_same_survey_under_another_prior_has_the_same_answers() -> None:
    world = worlds.worlds()["heavy tails"]
    one = make_survey(world, PRIORS, 1.5, 300, 2, n_areas=1200)
    other = make_survey(world, {"sd:geography": Prior("gamma", (4.0, 22.0))}, 1.0, 300, 2, n_areas=1200)
    assert (one.response.y == other.response.y).all()
    assert (one.share == other.share).all()
    assert (one.response.y != make_survey(world, PRIORS, 1.5, 300, 3, n_areas=1200).response.y).any()


def test_from_cells_to_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(coverage_study, "engine_named", lambda name: prior_only)
    csv = tmp_path / "coverage.csv"
    words = f"coverage_study.py --engine any --surveys 2 --respondents 400 --areas 1200 --draws 100 --csv {csv}"
    monkeypatch.setattr(sys, "argv", [*words.split(), "--threads", "1", "--worlds", "prior", "area sd 0.3"])
    coverage_study.main()
    rows = pd.read_csv(csv)
    assert rows["world"].tolist() == ["prior", "area sd 0.3"] * 2
    assert rows["error"].isna().all()
    assert (
        rows[["cov_area", "cov_region", "cov_index", "rmse_ratio", "ece", "ece_expected", "nation_z"]]
        .notna()
        .all(axis=None)
    )
    # draws of the prior do not know the nation's mean: intervals are far too wide, and the answers would do better
    fixed = rows[rows["world"] == "area sd 0.3"]
    assert (fixed["cov_area"] > 0.99).all()
    assert (fixed["rmse"] > fixed["rmse_synthetic"]).all()
    assert (fixed["ratio"] > 0.3).all()
    assert (fixed["cov_oracle"] > 0.9).all()
    assert "cov_area" in coverage_study.summary_of(rows).set_index("world").loc["area sd 0.3", "missed"]
    page = csv.with_suffix(".html").read_text()
    assert page.count("<svg ") == 1
    assert "area sd 0.3" in capsys.readouterr().out


def test_goals_are_missed_beyond_two_errors_only() -> None:
    good = {"cov_area": 0.9, "cov_index": 0.9, "cov_region": 0.9, "rmse_ratio": 1.02, "rmse_ratio_district": 1.03}
    row = good | {"nation_z": 0.05, "slope": 1.0, "ece_pooled": 0.01} | {f"cov_k{k}": np.nan for k in range(6)}
    row |= {f"{name}_se": 0.004 for name in list(row)} | {"world": "prior", "ratio": 0.1}

    def found(own: dict[str, object]) -> list[str]:
        return missed(own, coverage_study.limits_of(own))

    assert found(row) == []
    assert found(row | {"cov_area": 0.878}) == []
    assert found(row | {"cov_area": 0.870}) == ["cov_area 0.870"]
    assert found(row | {"cov_area": 0.870, "world": "icc 3%, covariates 20%"}) == []
    assert found(row | {"cov_area": 0.5, "cov_area_se": np.nan}) == []
    assert found(row | {"slope": 1.2, "world": "heavy tails"}) == []


def test_a_fit_that_the_engine_gives_up_on_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    from placewise.errors import ModelError, Problem

    def timid(problem: object, options: object) -> None:
        raise ModelError(Problem("fit", "no mode was found", kind="model"))

    monkeypatch.setattr(coverage_study, "engine_named", lambda name: timid)
    cell = {"world": "prior", "total": "gamma(4, 25)", "split": 1.5, "engine": "any", "respondents": 300}
    row = coverage_study.one_survey(cell | {"areas": 1200, "draws": 50, "survey": 0})
    assert row == {"error": "fit: no mode was found"}
