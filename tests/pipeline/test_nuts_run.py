"""A run by the exact engine, from the command line to the report: its checks are those of chains."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest
from small_example import write_small_example

from placewise import cli


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exact")
    model = write_small_example(folder, "private_rent + (1 | region)")
    text = model.read_text("utf-8")
    # a small model: compiling it takes most of the time
    model.write_text(text.replace("[model]\n", "[model]\ncategory_specific = []\n"), "utf-8")
    words = ["run", "--project", os.fspath(folder), "--engine", "nuts", "--draws", "203", "--quiet", "--allow-fail"]
    assert cli.main(words) == 0
    return folder / "reports"


def test_chains_are_judged_as_chains_and_the_report_says_so(out: Path) -> None:
    diagnostics = json.loads((out / "belonging/diagnostics.json").read_text("utf-8"))
    names = [check["name"] for check in diagnostics["checks"] if not check["name"].startswith("predictive")]
    assert names == [
        "finite",
        "rhat",
        "ess_bulk",
        "ess_tail",
        "divergences",
        "bfmi",
        "prior: spread",
        "prior: conflict",
    ]
    page = (out / "belonging/report.html").read_text("utf-8")
    assert "Markov chain Monte Carlo, No-U-Turn sampler (nuts)" in page
    assert "largest R-hat" in page


def test_the_manifest_has_the_draws_that_were_kept_and_every_area_its_estimate(out: Path) -> None:
    outcome = json.loads((out / "manifest.json").read_text("utf-8"))["outcomes"]["belonging"]
    assert (outcome["engine"], outcome["draws"]) == ("nuts", 204)
    estimates = pd.read_parquet(out / "belonging/estimates.parquet")
    assert estimates["mean"].between(0, 1).all()
