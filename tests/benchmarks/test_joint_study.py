"""The study of several outcomes in small: worlds are as they are called, rows, goals."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import joint_study
import numpy as np
import pandas as pd
import pytest
from common.joint_worlds import make_joint_survey
from common.world_study import missed
from joint_study import WORLDS, limits_of


def test_effects_and_answers_go_together_as_a_world_says() -> None:
    world = replace(WORLDS["places"], respondents=(400, 400, 400), areas=4000)
    effects = make_joint_survey(world, 1).effects
    assert effects.std(axis=1) == pytest.approx(np.full(3, 0.2), rel=0.05)
    assert np.corrcoef(effects)[np.triu_indices(3, 1)] == pytest.approx(np.full(3, 0.6), abs=0.05)


def test_people_go_together_in_continuous_answers_as_they_are_told_to() -> None:
    world = replace(WORLDS["people only"], respondents=(5000, 5000, 5000), areas=20, area_sd=0.0, categories=0)
    survey = make_joint_survey(world, 2)
    people = survey.people
    assert all((own == people[0]).all() for own in people)
    fitted = [np.column_stack([g.index for g in p.design.groups]) for p in survey.problems]
    residual = []
    for problem, cells in zip(survey.problems, fitted, strict=True):
        table = pd.DataFrame({"y": problem.response.y, "cell": cells[:, 0] * 20 + cells[:, 1]})
        residual.append(table["y"] - table.groupby("cell")["y"].transform("mean"))
    assert np.corrcoef(residual)[np.triu_indices(3, 1)] == pytest.approx(np.full(3, 0.4), abs=0.05)


def test_different_people_answer_where_nobody_answers_twice() -> None:
    people = make_joint_survey(replace(WORLDS["places"], respondents=(300, 400, 500), areas=9), 1).people
    assert len(np.unique(np.concatenate(people))) == 1200


def test_heavy_tails_have_the_same_sd() -> None:
    world = replace(WORLDS["places, unlike"], respondents=(100,) * 3, areas=40_000)
    effects = make_joint_survey(world, 1).effects
    assert effects.std() == pytest.approx(0.2, rel=0.1)
    assert np.mean(effects**4) / np.mean(effects**2) ** 2 > 4.0


def test_from_cells_to_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    csv = tmp_path / "joint.csv"
    words = f"joint_study.py --surveys 1 --weakest 300 --others 1500 --areas 12 --draws 200 --threads 1 --csv {csv}"
    monkeypatch.setattr(sys, "argv", [*words.split(), "--worlds", "people only"])
    joint_study.main()
    rows = pd.read_csv(csv)
    assert rows["world"].tolist() == ["people only"]
    assert rows[list(joint_study.MEASURES)].notna().all(axis=None)
    # scores of binary answers go together less than what is behind them
    assert 0.1 < rows["person"].iloc[0] < 0.4
    page = csv.with_suffix(".html").read_text()
    assert "Goals missed" in page
    assert "people only" in page
    assert "people only" in capsys.readouterr().out


def test_goals_are_missed_beyond_two_errors_only() -> None:
    row = {"world": "people only", "ratio_weakest": 1.0, "cov_correlation": 0.9, "cov_weakest": 0.9}
    row |= {f"{name}_se": 0.01 for name in list(row) if name != "world"}

    def found(own: dict[str, object]) -> list[str]:
        return missed(own, limits_of(own))

    assert found(row) == []
    assert found(row | {"ratio_weakest": 1.02}) == []
    assert found(row | {"ratio_weakest": 1.05}) == ["ratio_weakest 1.050"]
    assert found(row | {"cov_correlation": 0.8}) == ["cov_correlation 0.800"]
    assert found(row | {"world": "places", "ratio_weakest": 0.97}) == ["ratio_weakest 0.970"]
