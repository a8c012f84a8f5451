"""Respondents linked above the area, from the project file to the report and the release."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from small_example import write_small_example

from placewise import cli
from placewise.estimates.release import read_release

DRAWS = 400
FORMULA = "log(deprivation) + private_rent + sex + (1 | age) + (1 | supergroup) + (1 | region/lad)"


def linked_project(folder: Path, formula: str = FORMULA, below: str = "") -> Path:
    """The small example, its respondents known by local authority only."""
    model = write_small_example(folder, formula)
    areas = pd.read_parquet(folder / "data" / "areas.parquet").set_index("oa")["lad"]
    survey = pd.read_csv(folder / "data" / "survey.csv", dtype={"oa": str})
    survey.assign(lad=survey["oa"].map(areas)).drop(columns="oa").to_csv(folder / "data" / "survey.csv", index=False)
    project = folder / "placewise.toml"
    project.write_text(re.sub(r'area +=  ?"oa"', 'area = "lad"', project.read_text("utf-8"), count=1), "utf-8")
    model.write_text(model.read_text("utf-8") + below, "utf-8")
    return folder


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = linked_project(tmp_path_factory.mktemp("linked"))
    words = ["run", "--project", os.fspath(folder), "--draws", str(DRAWS), "--quiet", "--allow-fail"]
    assert cli.main(words) == 0
    return folder / "reports" / "belonging"


def test_an_undeclared_ratio_warns_and_is_told(out: Path) -> None:
    diagnostics = json.loads((out / "diagnostics.json").read_text("utf-8"))
    checks = {check["name"]: check for check in diagnostics["checks"]}
    assert diagnostics["status"] in ("warn", "fail")
    assert checks["below_link"]["verdict"] == "warn"
    # two levels of the formula and two below the link: 1.5 × 4 + 2
    assert checks["below_link"]["value"] == pytest.approx(np.sqrt(8.0))
    assert "same within and between" in checks["below_link"]["sentence"]
    assert checks["within_link_spread"]["value"] > 0


def test_the_posterior_has_the_areas_sd_in_the_ratio(out: Path) -> None:
    posterior = xr.open_datatree(out / "posterior.nc", engine="h5netcdf")["posterior"]
    assert np.allclose(posterior["sd_oa"] / posterior["sd_lad"], np.sqrt(8.0))
    assert "effect_oa" not in posterior


def test_the_mean_deviation_of_every_authority_is_its_effect_in_every_draw(out: Path) -> None:
    from placewise.estimates.below_link import sources_of

    predictor = read_release(out / "release").predictor
    k = next(k for k, e in enumerate(predictor.effects) if e.within)
    effect = predictor.effects[k]
    rows = np.empty((len(effect.all_labels), DRAWS), dtype=np.float32)
    sources_of(predictor)[k].fill(np.arange(len(rows)), rows)
    sums = np.zeros((int(effect.parent.max()) + 1, DRAWS))
    np.add.at(sums, effect.parent, effect.share[:, None] * rows.astype(float))
    assert np.abs(sums).max() < 1e-6
    assert rows.std() > 0.01


def test_every_area_has_an_estimate_and_the_report_shows_other_ratios(out: Path) -> None:
    estimates = pd.read_parquet(out / "estimates.parquet")
    assert estimates["mean"].between(0, 1).all()
    page = (out / "report.html").read_text("utf-8")
    assert "Ratio of sds below and at lad: double" in page


@pytest.mark.parametrize(
    ("formula", "below", "message"),
    [
        (f"{FORMULA} + (1 | msoa)", "", "respondents are linked at 'lad', which does not tell (1 | msoa)"),
        (FORMULA, '\n[model.below_link]\nratio = 2.5\nsd = "half_normal(0.2)"\n', "expected one of 'ratio' and 'sd'"),
        (FORMULA, '"sd:oa" = "half_normal(0.2)"\n', "does not tell how the areas inside differ"),
    ],
)
def test_what_cannot_be_fitted_is_told_by_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], formula: str, below: str, message: str
) -> None:
    folder = linked_project(tmp_path, formula, below)
    assert cli.main(["check", "--project", os.fspath(folder)]) == 2
    assert message in "".join(capsys.readouterr())
