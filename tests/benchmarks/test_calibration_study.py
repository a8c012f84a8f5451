"""The study of calibration in small: rows, resumption, verdicts, page."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sbc

from placewise.diagnostics.calibration import prior_only


def _run(monkeypatch: pytest.MonkeyPatch, csv: Path, words: str) -> pd.DataFrame:
    monkeypatch.setattr(sbc, "engine_named", lambda name: prior_only)
    line = f"sbc.py --engine any --respondents 150 --draws 60 --threads 1 --csv {csv} {words}"
    monkeypatch.setattr(sys, "argv", line.split())
    sbc.main()
    return pd.read_csv(next(csv.parent.glob("sbc_*.csv")))


@pytest.mark.parametrize("family", sbc.FAMILIES)
def test_an_engine_that_ignores_the_answers_fails_in_every_family(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], family: str
) -> None:
    rows = _run(monkeypatch, tmp_path / "sbc.csv", f"--family {family} --fits 12")
    assert len(rows) == 12
    assert (rows["eta n"] == 50).all()
    assert rows.filter(like="place ").notna().all(axis=None)
    assert "fail, 12 fits" in capsys.readouterr().out
    assert "log likelihood" in (tmp_path / f"sbc_{family}.html").read_text()


def test_a_stopped_study_goes_on_and_ends_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    _run(monkeypatch, tmp_path / "a" / "sbc.csv", "--fits 2")
    again = _run(monkeypatch, tmp_path / "a" / "sbc.csv", "--fits 4").drop(columns="seconds")
    once = _run(monkeypatch, tmp_path / "b" / "sbc.csv", "--fits 4").drop(columns="seconds")
    pd.testing.assert_frame_equal(again, once)


def test_rows_are_read_back_as_they_were_judged() -> None:
    cell = {"family": "bernoulli", "engine": "any", "shrink": 0.8, "respondents": 150, "draws": 60, "fit": 3}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sbc, "engine_named", lambda name: prior_only)
        row = cell | sbc.one_fit(cell)
    found = sbc.replicate_of(row)
    assert found.number == 3
    assert found.kept == pytest.approx(60 * row["inside"])
    assert list(found.places) == sbc.scalar_names("bernoulli", 150)
    assert found.index is not None
    assert found.index.square == row["index square"]
    lost = sbc.replicate_of(cell | {"seconds": 1.0, "inside": 0.0, "error": "no mode", "place intercept": np.nan})
    assert (lost.places, lost.eta, lost.error) == ({}, None, "no mode")


def test_half_of_the_areas_looked_at_have_respondents() -> None:
    experiment = sbc.experiment_of("bernoulli", 150)
    own = next(g for g in experiment.design.groups if g.name == "area")
    assert (own.area_index[experiment.areas] < len(own.labels)).sum() == 25
