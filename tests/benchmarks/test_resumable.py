"""Studies stop and go on: no cell twice, no row lost, nothing of other code mixed in."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from common import study
from common.study import Study, mean_error

CELLS = [{"n": n, "repeat": r} for r in range(2) for n in (10, 20)]


class StoppedError(Exception):
    """Stands for a machine that goes down."""


@pytest.fixture
def table(tmp_path: Path) -> Study:
    return Study(tmp_path / "new" / "t.csv", ("n", "repeat"), ("wall", "error"))


def test_finished_cells_are_skipped_after_a_crash(table: Study) -> None:
    calls: list[tuple[int, int]] = []

    def work(cell: dict[str, int]) -> dict[str, float]:
        if len(calls) == 2:
            calls.append((-1, -1))
            raise StoppedError
        calls.append((cell["n"], cell["repeat"]))
        return {"wall": cell["n"] / 3}

    with pytest.raises(StoppedError):
        table.run(CELLS, work, minutes=1)
    half = table.path.read_text()
    rows = table.run(CELLS, work, minutes=1)
    assert calls == [(10, 0), (20, 0), (-1, -1), (10, 1), (20, 1)]
    assert table.path.read_text().startswith(half)
    assert rows["wall"].tolist() == [3.33333, 6.66667, 3.33333, 6.66667]
    assert rows["error"].isna().all()


def test_no_cell_begins_after_the_limit(table: Study, capsys: pytest.CaptureFixture[str]) -> None:
    assert table.run(CELLS, lambda cell: {"wall": 1.0}, minutes=0).empty
    assert "4 cells left" in capsys.readouterr().out


def test_rows_of_other_code_are_not_mixed_unasked(table: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    table.run(CELLS[:2], lambda cell: {"wall": 1.0}, minutes=1)
    monkeypatch.setattr(study, "fingerprint", lambda: "other")
    with pytest.raises(SystemExit, match="2 of the 2 rows"):
        table.run(CELLS, lambda cell: {"wall": 2.0}, minutes=1)
    kept = Study(table.path, table.keys, table.columns, stale="keep")
    assert kept.run(CELLS[:3], lambda cell: {"wall": 2.0}, minutes=1)["wall"].tolist() == [1.0, 1.0, 2.0]
    redone = Study(table.path, table.keys, table.columns, stale="redo")
    assert redone.run(CELLS[:2], lambda cell: {"wall": 3.0}, minutes=1)["wall"].tolist() == [2.0, 3.0, 3.0]


def test_a_table_of_other_columns_is_refused(table: Study) -> None:
    table.run(CELLS[:1], lambda cell: {"wall": 1.0}, minutes=1)
    with pytest.raises(SystemExit, match="columns of another version"):
        Study(table.path, ("n",), ("wall",)).read()


def test_mean_and_monte_carlo_error_by_hand() -> None:
    rows = pd.DataFrame({"n": [1, 1, 1, 2], "wall": [1.0, 2.0, 6.0, 5.0]})
    found = mean_error(rows, ["n"], ["wall"])
    assert found["repeats"].tolist() == [3, 1]
    assert found["wall"].tolist() == [3.0, 5.0]
    # the sd of 1, 2, 6 is the square root of 7
    assert found["wall_se"][0] == pytest.approx((7 / 3) ** 0.5)
    assert pd.isna(found["wall_se"][1])
