"""A run on two surveys, from files to report: one question of each, and items of a scale of which one is common."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from two_surveys import AREAS, LADS, SCALE, TRUE_SCALE, write_two_surveys

from placewise import cli

DRAWS = 300
SMALL = copy.deepcopy(SCALE)
SMALL["outcome"] |= {
    "family": "cumulative",
    "response": {"first": "a", "second": "d"},
    "estimand": {"share": ["yes"]},
    "question": {"first": "Do you know them?", "second": "Do you talk to them?"},
}
del SMALL["outcome"]["items"]
SMALL["model"]["formula"] = "poor + (1 | lad)"
KINDS: dict[str, tuple[dict[str, Any], tuple[int, int]]] = {
    "questions": (SMALL, (300, 300)),
    "scale": (SCALE, (900, 900)),
}


@pytest.fixture(scope="module", params=["questions", pytest.param("scale", marks=pytest.mark.slow)])
def done(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Kind of model, and the folder of results."""
    model, sizes = KINDS[request.param]
    folder = write_two_surveys(tmp_path_factory.mktemp(request.param) / "project", model, sizes)
    assert cli.main(["run", "--project", str(folder), "--draws", str(DRAWS), "--quiet", "--allow-fail"]) == 0
    return request.param, folder / "reports"


def test_the_posterior_tells_the_second_survey_s_scale_and_departures(done: tuple[str, Path]) -> None:
    kind, out = done
    posterior = xr.open_datatree(out / "ties" / "posterior.nc", engine="h5netcdf")["posterior"]
    scale = posterior["survey_scale"]
    assert scale.coords["survey"].values.tolist() == ["second"]
    assert abs(float(scale.mean()) - TRUE_SCALE) < 3 * float(scale.std())
    departures = posterior["effect_discrepancy:second"]
    assert departures.sizes[departures.dims[-1]] == LADS
    assert {"sd_discrepancy:second", "cutpoints"} <= set(posterior.data_vars)
    assert ("discrimination" in posterior) == ("effect_shift:second" in posterior) == (kind == "scale")


def test_estimates_are_the_reference_survey_s(done: tuple[str, Path]) -> None:
    kind, out = done
    table = pd.read_parquet(out / "ties" / "estimates.parquet")
    small = table[table["area_level"] == "oa"].set_index("area_code")["mean"]
    assert len(small) == AREAS
    low, high = (1.0, 3.0) if kind == "scale" else (0.0, 1.0)
    assert small.between(low, high).all()
    index = np.arange(AREAS)
    truth = 0.5 * (index % 5 - 2) / 2 + 0.3 * np.sin(index % LADS)
    assert np.corrcoef(small[[f"A{a:03d}" for a in index]], truth)[0, 1] > 0.7


def test_both_surveys_are_told(done: tuple[str, Path]) -> None:
    kind, out = done
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert {"first.csv", "second.csv"} <= {Path(name).name for name in manifest["inputs"]}
    metadata = json.loads((out / "metadata.json").read_text("utf-8"))
    told = metadata["tables"][0]["placewise:outcome"]["surveys"]
    assert [survey["name"] for survey in told] == ["first", "second"]
    page = (out / "ties" / "report.html").read_text("utf-8")
    assert "The figures are those of “first”." in page
    if kind == "questions":
        assert [survey["question"] for survey in told] == ["Do you know them?", "Do you talk to them?"]
        assert "linked only through the scale factor" in page
    else:
        assert "4 questions tell of one trait" in page
        assert "“b”, by survey" in page
