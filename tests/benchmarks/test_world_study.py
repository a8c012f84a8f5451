"""What all studies of worlds share: cells, means, goals missed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from common.world_study import NOT_JUDGED, missed, pick, rms, run_worlds, summary_of_worlds, world_parser

KEYS = ("world", "size", "draws", "survey")


def made_up(cell: dict[str, object]) -> dict[str, object]:
    if cell["world"] == "b" and cell["survey"] == 1:
        return {"error": "no mode was found"}
    return {"cov": {"a": 0.9, "b": 0.5}[str(cell["world"])] + 0.01 * int(str(cell["survey"]))}


def rows_of(folder: Path, surveys: int) -> pd.DataFrame:
    parser = world_parser("What it is.\n\nMore.", "any", ("a", "b", "c"), surveys=7)
    assert parser.description == "What it is."
    assert parser.parse_args([]).surveys == 7
    parser.add_argument("--size", type=int, default=5)
    words = ["--surveys", str(surveys), "--worlds", "a", "b", "--threads", "1", "--csv", str(folder / "any.csv")]
    return run_worlds(parser.parse_args(words), KEYS, ("cov", "error"), made_up)


def test_cells_go_survey_by_survey_and_are_not_done_twice(tmp_path: Path) -> None:
    first = rows_of(tmp_path, 1)
    assert first[["world", "size", "draws", "survey"]].to_numpy().tolist() == [["a", 5, 1000, 0], ["b", 5, 1000, 0]]
    again = rows_of(tmp_path, 2)
    assert again["world"].tolist() == ["a", "b"] * 2
    assert again["survey"].tolist() == [0, 0, 1, 1]


def test_cells_of_one_survey_are_not_judged_and_failed_fits_left_out(tmp_path: Path) -> None:
    table = summary_of_worlds(rows_of(tmp_path, 3), KEYS[:-1], ("cov",), lambda row: {"cov": (0.87, 0.93)})
    by_world = table.set_index("world")
    assert by_world["repeats"].to_dict() == {"a": 3, "b": 2}
    assert by_world["missed"].to_dict() == {"a": "", "b": "cov 0.510"}
    assert by_world.loc["b", "cov_se"] == pytest.approx(0.01)
    assert pick(table, ("world",), ("cov", "missed")).columns.tolist() == ["world", "cov", "cov_se", "missed"]
    alone = summary_of_worlds(rows_of(tmp_path, 3).head(2), KEYS[:-1], ("cov",), lambda row: {"cov": (0.87, 0.93)})
    assert alone["missed"].tolist() == [NOT_JUDGED] * 2


def test_goals_are_missed_beyond_two_errors_on_either_side() -> None:
    limits = {"x": (0.9, 1.1)}
    assert missed({"x": 1.13, "x_se": 0.02}, limits) == []
    assert missed({"x": 1.15, "x_se": 0.02}, limits) == ["x 1.150"]
    assert missed({"x": 0.85, "x_se": 0.02}, limits) == ["x 0.850"]
    assert missed({"x": 9.0, "x_se": np.nan}, limits) == []
    assert missed({"x": np.nan, "x_se": 0.02}, limits) == []


def test_root_mean_square_passes_over_what_is_absent() -> None:
    assert rms(np.array([3.0, np.nan, -4.0])) == pytest.approx(12.5**0.5)
