"""The two studies of speed, with costs made up: cells, ratios, growth, pages; and one real fit's bookkeeping."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import beside
import numpy as np
import pandas as pd
import pytest
import speed
from common import fits, programs
from common.child import Ended
from common.programs import in_r


def made_up(function: str, arguments: Mapping[str, Any], seconds: float, threads: int) -> Ended:
    """Linear in respondents, ordinal 1.5 times binary, square root of the areas; the largest is too slow."""
    n, areas = arguments["n"], arguments["areas"]
    if n > 1000:
        return Ended(None, "stopped after 9 s", 9.0)
    wall = n / 100 * (1.5 if arguments["family"] == "cumulative" else 1.0) * max(areas, 1) ** 0.5
    cost = {"wall": wall, "cpu": 2 * wall, "peak_mib": 100.0 + n, "start_mib": 90.0, "compile": 1.0}
    return Ended(cost | {"unknowns": n, "area_effects": areas or 5}, "", wall)


def test_speed_study_from_cells_to_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(speed, "call", made_up)
    csv = tmp_path / "speed.csv"
    words = f"speed.py --csv {csv} --sizes 100 400 2000 --areas 25 100 400 --ordinal 300 --repeats 2".split()
    monkeypatch.setattr(sys, "argv", words)
    speed.main()
    rows = pd.read_csv(csv)
    assert len(rows) == 2 * (2 + 3 + 3)
    assert set(rows.loc[rows["error"].notna(), "n"]) == {2000}
    assert speed.ratios(rows)["wall"].tolist() == [1.5]
    assert speed.ratios(rows)["wall_se"].tolist() == [0.0]
    assert speed.growth(rows, "respondents", "n")["wall"][0] == pytest.approx(1.0)
    assert speed.growth(rows, "areas", "area_effects")["wall"][0] == pytest.approx(0.5)
    page = csv.with_suffix(".html").read_text()
    assert page.count("<svg ") == 2
    assert "stopped after 9 s" in page
    assert "Ordinal beside binary" in capsys.readouterr().out
    before = csv.read_bytes()
    monkeypatch.setattr(speed, "call", None)
    speed.main()
    assert csv.read_bytes() == before


@pytest.mark.parametrize("problem", ["standard", "nested"])
def test_a_fit_is_measured_after_one_that_compiles(problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def engine(task: Any, options: Any) -> None:
        sizes.append((task.design.n, task.family, options.draws))

    monkeypatch.setattr(fits, "engine_named", lambda name: engine)
    row = fits.fit(problem, 900, 300, "cumulative", "any", 50, 1, shrink=30)
    assert sizes == [(400, "cumulative", 50), (900, "cumulative", 50)]
    assert row["area_effects"] == (9 + 300 if problem == "nested" else 9 + 10 + 240)
    assert row["wall"] < row["compile"]
    assert row["peak_mib"] >= row["start_mib"] > 0


def test_beside_study_from_cells_to_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    csv = tmp_path / "beside.csv"
    reference = tmp_path / "beside.reference_600_30.csv"

    def run(program: str, source: Mapping[str, Any], seconds: float, threads: int) -> Ended:
        if program == "glmmTMB":
            return Ended(None, "Rscript is not installed", 0.0)
        table = None
        if program != "PyMC":
            found = pd.read_csv(reference, index_col="parameter")
            found["mean"] += 0.5 * found["sd"]
            table = found.drop(columns="q50").to_csv()
        cost = {"wall": 3.0, "cpu": 4.0, "compile": 1.0, "peak_mib": 50.0}
        return Ended(cost | {"note": "made up", "table": table}, "", 3.0)

    names = [f"beta[x{j + 1}]" for j in range(9)] + ["sd[la]"] + [f"eta[A{k:03d}]" for k in range(200)]
    index = pd.Index(names, name="parameter")
    columns = {"mean": 0.3, "sd": 0.1, "q05": 0.2, "q50": 0.3, "q95": 0.4}
    pd.DataFrame(columns, index=index).to_csv(reference)
    monkeypatch.setattr(beside, "run_program", run)
    words = ["beside.py", "--csv", str(csv), "--generated", "600", "--shrink", "30"]
    monkeypatch.setattr(sys, "argv", [*words, "--programs", "lme4 nAGQ=0", "PyMC", "glmmTMB"])
    beside.main()
    rows = pd.read_csv(csv).set_index("program")
    assert rows.loc["lme4 nAGQ=0", "slopes"] == pytest.approx(0.5)
    assert rows.loc["lme4 nAGQ=0", "areas"] == pytest.approx(0.5)
    assert rows.loc["lme4 nAGQ=0", "areas_sd"] == pytest.approx(1.0)
    assert np.isnan(rows.loc["PyMC", "slopes"])
    assert rows.loc["PyMC", "wall"] == 3.0
    assert rows.loc["glmmTMB", "error"] == "Rscript is not installed"
    assert "Rscript is not installed" in csv.with_suffix(".html").read_text()


def test_without_r_the_row_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs.shutil, "which", lambda name: None)
    assert in_r({"respondents": 600, "shrink": 30}, "glmmTMB", 5, 1).error == "Rscript is not installed"


def test_statsmodels_answers_in_the_common_form() -> None:
    found = programs.statsmodels({"respondents": 400, "shrink": 34})
    table = found["table"].splitlines()
    assert table[0] == "parameter,mean,sd"
    assert len(table) == 1 + 10 + 8 + 200
    assert found["wall"] > 0
