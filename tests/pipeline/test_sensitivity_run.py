"""A run that is asked what survey weights and other priors would change, as a user would ask it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_example import write_small_example

from placewise import cli

FEW = ["--draws", "404", "--quiet"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small example with one prior that the answers say little about, weighted by what was answered."""
    folder = tmp_path_factory.mktemp("sensitivity")
    model = write_small_example(folder, "sex + (1 | region/lad)")
    text = model.read_text("utf-8")
    model.write_text(text.replace("[model.priors]", "sensitivity = true\n\n[model.priors]"), "utf-8")
    survey = folder / "data" / "survey.csv"
    table = pd.read_csv(survey, dtype={"oa": "str"})
    table["weight"] = np.where(table["belonging"] == "very strongly", 3.0, 1.0)
    table.to_csv(survey, index=False)
    return folder


@pytest.fixture(scope="module")
def found(project: Path) -> dict[str, Any]:
    assert cli.main(["run", "--project", str(project), *FEW]) == 0
    result: dict[str, Any] = json.loads((project / "reports/belonging/sensitivity.json").read_text("utf-8"))
    return result


def test_weights_that_tell_of_the_answers_are_flagged(project: Path, found: dict[str, Any]) -> None:
    assert found["level"] == "lad"
    assert found["weights"]["national"] > 2
    assert found["weights"]["moved"]
    diagnostics = json.loads((project / "reports/belonging/diagnostics.json").read_text("utf-8"))
    verdicts = {c["name"]: c["verdict"] for c in diagnostics["checks"]}
    assert verdicts["weights: national"] == verdicts["weights: areas"] == "warn"
    assert diagnostics["status"] == "warn"
    assert diagnostics["sensitivity"] == found


def test_what_the_prior_sets_is_fitted_again_both_ways(found: dict[str, Any]) -> None:
    rows = {(r["group"], r["change"]): r for r in found["priors"]["refits"]}
    assert ("geography", "halved") in rows
    # more difference between areas expected: more of them are told apart, with wider intervals
    half, twice = rows["geography", "halved"], rows["geography", "doubled"]
    assert half["spread"] < found["priors"]["published"]["spread"] < twice["spread"]
    assert half["width"] < twice["width"]
    assert found["priors"]["published"]["national"] == 0


def test_every_figure_has_a_verdict(found: dict[str, Any]) -> None:
    assert set(found["powers"]) == {"national", "areas", "spread", "clear"}
    assert found["powers"]["spread"]["leans"]
    assert {"sd_total", "split"} <= set(found["hyperpriors"])


def test_the_published_share_is_that_of_the_estimates(project: Path, found: dict[str, Any]) -> None:
    table = pd.read_parquet(project / "reports/belonging/estimates.parquet")
    small = table[table["area_level"] == "oa"]["p_above_national"]
    assert found["priors"]["published"]["clear"] == pytest.approx(np.mean((small >= 0.975) | (small <= 0.025)))
    national = table.loc[table["area_level"] == "national", "mean"].item()
    assert found["priors"]["published"]["mean"] == pytest.approx(national, abs=1e-6)


def test_the_report_says_it_in_words(project: Path, found: dict[str, Any]) -> None:
    page = (project / "reports/belonging/report.html").read_text("utf-8")
    assert "Would other choices have given other figures?" in page
    assert "With the survey&#39;s weights the national figure would be" in page
    assert "differences expected twice as large" in page


def test_a_second_run_fits_nothing_and_one_that_does_not_ask_forgets(
    project: Path, found: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["run", "--project", str(project), *FEW, "--json"]) == 0
    stages = json.loads(capsys.readouterr().out)["outcomes"]["belonging"]["stages"]
    assert set(stages.values()) == {"up to date"}
    model = project / "models" / "belonging.toml"
    model.write_text(model.read_text("utf-8").replace("sensitivity = true", "sensitivity = false"), "utf-8")
    assert cli.main(["run", "--project", str(project), *FEW, "--json"]) == 0
    stages = json.loads(capsys.readouterr().out)["outcomes"]["belonging"]["stages"]
    assert stages["fit"] == "up to date"
    assert not (project / "reports/belonging/sensitivity.json").exists()
    diagnostics = json.loads((project / "reports/belonging/diagnostics.json").read_text("utf-8"))
    assert diagnostics["sensitivity"] is None
