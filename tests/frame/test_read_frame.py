from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from placewise.errors import Problems
from placewise.frame.cells import Frame
from placewise.frame.reading import read_frame
from placewise.frame.spec import FrameSpec
from placewise.geography.areas import AreaTable

A = 5


def cells() -> pd.DataFrame:
    """Five areas by two sexes and three ages, with a column that no formula uses."""
    rows = [
        (f"E{a}", sex, age, a % 2, 1.0 + a + 10 * k)
        for a in range(A)
        for k, (sex, age) in enumerate((s, g) for s in ("m", "f") for g in (1, 2, 10))
    ]
    return pd.DataFrame(rows, columns=["oa", "sex", "age", "tenure", "N"])


@pytest.fixture
def areas() -> AreaTable:
    table = pd.DataFrame({"oa": [f"E{a}" for a in (3, 1, 0, 4, 2)]}, dtype="str")
    return AreaTable(table, "oa", (), (), None, np.ones(A, dtype=bool))


@pytest.fixture
def spec(tmp_path: Path) -> FrameSpec:
    return FrameSpec(tmp_path / "cells.csv", "N")


def read(spec: FrameSpec, areas: AreaTable, table: pd.DataFrame, columns: set[str] | None = None) -> Frame:
    table.to_csv(spec.cells, index=False)
    problems = Problems()
    frame = read_frame(spec, areas, "oa", columns, problems)
    assert frame is not None, list(map(str, problems))
    assert not problems
    return frame


def faults(spec: FrameSpec, areas: AreaTable | None, table: pd.DataFrame) -> list[str]:
    table.to_csv(spec.cells, index=False)
    problems = Problems()
    assert read_frame(spec, areas, "oa", {"sex", "age"}, problems) is None
    return [str(p) for p in problems]


def put(column: str, rows: list[int], value: object) -> pd.DataFrame:
    changed = cells().astype({column: object})
    changed.loc[rows, column] = value
    return changed


def long(frame: Frame, areas: AreaTable) -> pd.DataFrame:
    """The frame written out again."""
    area = np.repeat(areas.codes, np.diff(frame.indptr))
    return frame.cells.iloc[frame.cell].reset_index(drop=True).assign(oa=area, N=frame.count)


def test_cells_are_summed_over_what_no_formula_uses(spec: FrameSpec, areas: AreaTable) -> None:
    frame = read(spec, areas, cells(), {"sex", "elsewhere"})
    assert frame.cells["sex"].tolist() == ["f", "m"]
    expected = cells().groupby(["oa", "sex"])["N"].sum()
    assert long(frame, areas).set_index(["oa", "sex"])["N"].sort_index().to_dict() == expected.to_dict()
    assert frame.available == ("oa", "sex", "age", "tenure", "N")


def test_cells_stand_in_the_order_of_their_values(spec: FrameSpec, areas: AreaTable) -> None:
    frame = read(spec, areas, cells(), {"sex", "age"})
    assert frame.cells["age"].tolist() == [1.0, 2.0, 10.0] * 2
    assert frame.cells["sex"].tolist() == ["f"] * 3 + ["m"] * 3
    assert frame.n_cells == 6
    assert frame.cell.dtype == np.int32
    assert (np.diff(frame.indptr) == 6).all()


def test_a_frame_without_cell_columns_is_the_population(spec: FrameSpec, areas: AreaTable) -> None:
    frame = read(spec, areas, cells(), set())
    assert frame.n_cells == 1
    assert frame.population().tolist() == [cells().query("oa == @a")["N"].sum() for a in areas.codes]


def test_duplicates_are_summed_and_zeros_left_out(spec: FrameSpec, areas: AreaTable) -> None:
    table = put("N", [0, 1], 0)
    frame = read(spec, areas, pd.concat([table, table]), {"sex", "age"})
    assert len(frame.count) == 6 * A - 2
    assert frame.count.sum() == 2 * table["N"].sum()


def test_counts_are_scaled_to_the_population(spec: FrameSpec, areas: AreaTable) -> None:
    people = np.array([100.0, 200.0, 300.0, 400.0, 500.0])
    frame = read(spec, replace(areas, population=people), cells(), {"sex", "age"})
    assert frame.population() == pytest.approx(people, rel=1e-14)
    own = cells().query("oa == 'E3'")["N"].to_numpy()
    assert np.sort(frame.count[:6]) == pytest.approx(np.sort(own / own.sum() * 100))
    worst = max(
        areas.codes,
        key=lambda a: abs(cells().query("oa == @a")["N"].sum() / dict(zip(areas.codes, people, strict=True))[a] - 1),
    )
    assert f"5 areas; the largest discrepancy is {worst}" in frame.notes[0]
    exact = cells().groupby("oa")["N"].sum()[areas.codes].to_numpy()
    assert read(spec, replace(areas, population=exact), cells()).notes == ()


def test_numbers_and_codes_by_the_common_rules(spec: FrameSpec, areas: AreaTable) -> None:
    frame = read(spec, areas, cells().assign(N="1,000", tenure="01"), {"tenure"})
    assert frame.cells["tenure"].tolist() == ["01"]
    assert frame.count.tolist() == [6000.0] * A


def test_bad_counts_are_told_with_their_areas(spec: FrameSpec, areas: AreaTable) -> None:
    table = put("N", [0, 6], -1)
    for row, value in ((12, None), (13, "inf"), (14, "many")):
        table.loc[row, "N"] = value
    found = "\n".join(faults(spec, areas, table))
    assert "'N' is negative in 2 rows of cells.csv, in areas 'E0', 'E1'" in found
    for what in ("missing", "infinite", "text"):
        assert f"is {what} in 1 rows of cells.csv, in areas 'E2'" in found
    assert "negative" in "".join(faults(spec, None, table))


def test_codes_and_cells_that_do_not_fit(spec: FrameSpec, areas: AreaTable) -> None:
    (unknown,) = faults(spec, areas, put("oa", [0, 1], "X"))
    assert "1 area codes of cells.csv are not in the areas table: 'X'" in unknown
    assert "5 codes in both, 1 only here, 0 only in the areas" in unknown
    assert "1 rows of cells.csv have no area code" in faults(spec, areas, put("oa", [0], None))[0]
    assert "column 'sex' is missing in 3 rows" in faults(spec, areas, put("sex", [0, 1, 2], None))[0]
    (column,) = faults(spec, areas, cells().rename(columns={"N": "n_people"}))
    assert "frame.count: cells.csv has no column 'N'" in column


def test_an_area_without_people(spec: FrameSpec, areas: AreaTable) -> None:
    assert "1 of 5 areas have nobody in cells.csv: 'E4'" in faults(spec, areas, cells().query("oa != 'E4'"))[0]
    assert "'E0'" in faults(spec, areas, put("N", list(range(6)), 0))[0]
    assert "5 of 5 areas" in faults(spec, areas, cells().assign(N=0))[0]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.permutations(range(6 * A)))
def test_the_order_of_rows_decides_nothing(spec: FrameSpec, areas: AreaTable, order: list[int]) -> None:
    still, moved = read(spec, areas, cells()), read(spec, areas, cells().iloc[order])
    pd.testing.assert_frame_equal(moved.cells, still.cells)
    for name in ("indptr", "cell", "count"):
        assert getattr(moved, name).tolist() == getattr(still, name).tolist()


def test_the_order_of_areas_moves_whole_areas(spec: FrameSpec, areas: AreaTable) -> None:
    turned = replace(areas, table=areas.table.iloc[::-1].reset_index(drop=True))
    columns = ["oa", "sex", "age", "tenure"]
    one, other = (long(read(spec, t, cells()), t).sort_values(columns).reset_index(drop=True) for t in (areas, turned))
    pd.testing.assert_frame_equal(one, other)


def test_the_frame_of_1988(shared: Path, tmp_path: Path) -> None:
    source = pd.read_parquet(shared / "election88" / "frame.parquet")
    states = AreaTable(
        pd.DataFrame({"state": [str(i) for i in range(1, 52)]}, dtype="str"),
        "state",
        (),
        (),
        None,
        np.ones(51, dtype=bool),
    )
    problems = Problems()
    frame = read_frame(FrameSpec(shared / "election88" / "frame.parquet", "N"), states, "state", None, problems)
    assert not problems
    assert frame is not None
    assert frame.n_cells == 64
    assert frame.population().tolist() == source.groupby("state")["N"].sum().tolist()
    assert len(frame.count) == (source["N"] > 0).sum()
