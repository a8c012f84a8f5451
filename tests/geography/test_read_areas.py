from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from placewise.errors import Problems
from placewise.geography.areas import AreaTable
from placewise.geography.reading import read_areas
from placewise.geography.spec import AreasSpec, GeometrySpec, JoinSpec

N = 24


def country() -> pd.DataFrame:
    """24 areas in 6 wards, 3 districts and 2 regions."""
    i = np.arange(N)
    return pd.DataFrame(
        {
            "oa": [f"E{k:03d}" for k in i],
            "ward": [f"W{k}" for k in i // 4],
            "lad": [f"L{k}" for k in i // 8],
            "region": np.where(i < 16, "North", "South"),
            "kind": i % 3,
            "ladname": [f"District {k}" for k in i // 8],
            "adults": 100 + i,
            "density": np.exp(i / 10),
            "other": i * 1.5,
        }
    )


@pytest.fixture
def spec(tmp_path: Path) -> AreasSpec:
    return AreasSpec(tmp_path / "areas.csv", "oa", ("ward", "lad", "region"), ("kind",), {"lad": "ladname"}, "adults")


def read(
    spec: AreasSpec,
    table: pd.DataFrame,
    base: dict[str, Any] | None = None,
    covariates: set[str] | None = frozenset({"density"}),
) -> AreaTable:  # type: ignore[assignment]
    table.to_csv(spec.table, index=False)
    problems = Problems()
    areas = read_areas(spec, base or {}, problems, covariates)
    assert areas is not None, list(map(str, problems))
    assert not problems
    return areas


def faults(
    spec: AreasSpec,
    table: pd.DataFrame,
    base: dict[str, Any] | None = None,
    covariates: set[str] = frozenset({"density"}),
) -> list[str]:  # type: ignore[assignment]
    table.to_csv(spec.table, index=False)
    problems = Problems()
    assert read_areas(spec, base or {}, problems, covariates) is None
    return [str(p) for p in problems]


def put(table: pd.DataFrame, column: str, rows: list[int], value: object) -> pd.DataFrame:
    changed = table.astype({column: object})
    changed.loc[rows, column] = value
    return changed


def test_what_is_read(spec: AreasSpec) -> None:
    areas = read(spec, country())
    assert len(areas) == N
    assert areas.codes.tolist() == country()["oa"].tolist()
    assert areas.table["kind"].unique().tolist() == ["0", "1", "2"]
    assert areas.population is not None
    assert areas.population.sum() == sum(range(100, 100 + N))
    assert areas.names == {"lad": {f"L{k}": f"District {k}" for k in range(3)}}
    assert areas.base.all()
    assert "other" not in areas.table
    assert "other" in areas.available
    assert "other" in read(spec, country(), covariates=None).table


def test_codes_keep_leading_zeros_and_lose_false_decimals(spec: AreasSpec) -> None:
    table = country()
    table["oa"] = [f"{i:03d}" for i in range(N)]
    table["kind"] = table["kind"].astype(float)
    areas = read(spec, table)
    assert areas.codes[:2].tolist() == ["000", "001"]
    assert areas.table["kind"].iloc[1] == "1"


def test_the_base_of_the_index(spec: AreasSpec) -> None:
    assert read(spec, country(), {"region": ("South",)}).base.sum() == 8
    assert read(spec, country(), {"region": ("South",), "kind": (0, 1)}).base.sum() == 5
    (unknown,) = faults(spec, country(), {"region": ("Suth", "South")})
    assert "no area has 'Suth'" in unknown
    assert "did you mean 'South'?" in unknown
    (small,) = faults(spec, country(), {"oa": ("E003",)})
    assert "1 areas in the base" in small
    (column,) = faults(spec, country(), {"regoin": ("South",)})
    assert "index.base: no column 'regoin'" in column


def test_one_area_is_too_few(spec: AreasSpec) -> None:
    assert "expected at least two" in faults(spec, country().iloc[:1])[0]


def test_every_missing_column_is_told_at_once(spec: AreasSpec) -> None:
    found = faults(spec, country().rename(columns={"oa": "oa21", "lad": "ladd", "adults": "adult"}))
    assert len(found) == 3
    assert "areas.code" in found[0]
    assert "did you mean 'oa21'?" in found[0]
    assert "did you mean 'ladd'?" in found[1]
    assert "did you mean 'adult'?" in found[2]


def test_duplicated_and_missing_codes(spec: AreasSpec) -> None:
    twice = pd.concat([country(), country().iloc[:12]])
    (duplicated,) = faults(spec, twice)
    assert "12 codes stand more than once" in duplicated
    assert "'E009' …" in duplicated
    assert "E010" not in duplicated
    assert "2 of 24 areas have no code" in faults(spec, put(country(), "oa", [3, 4], None))[0]
    assert "column 'ward' is missing for 1 of 24 areas: 'E005'" in faults(spec, put(country(), "ward", [5], None))[0]


def test_an_area_in_two_parents(spec: AreasSpec) -> None:
    spec = replace(spec, names={})
    (split,) = faults(spec, put(country(), "lad", [1], "L1"))
    assert "areas.levels: 1 areas of 'ward' lie in more than one 'lad': 'W0 in L0 and L1'" in split
    assert len(faults(spec, put(country(), "region", [0, 9], "South"))) == 1


def test_population_faults_are_counted(spec: AreasSpec) -> None:
    table = country()
    for rows, value in (([0], 0), ([1, 2], -1), ([3], "inf"), ([4], None), ([5], "many")):
        table = put(table, "adults", rows, value)
    found = faults(spec, table)
    assert {f.split(": ")[1].split(" areas")[0] for f in found} == {
        "zero for 1 of 24",
        "negative for 2 of 24",
        "infinite for 1 of 24",
        "missing for 1 of 24",
        "text for 1 of 24",
    }
    assert "'E001', 'E002'" in next(f for f in found if "negative" in f)


def test_covariates_must_be_finite_where_a_formula_needs_them(spec: AreasSpec) -> None:
    table = put(put(country(), "density", [2], None), "density", [3, 4], "inf")
    found = faults(spec, table)
    assert "missing for 1 of 24 areas: 'E002'" in found[0]
    assert "infinite for 2 of 24 areas: 'E003', 'E004'" in found[1]
    assert len(read(spec, table, covariates={"other"})) == N


def test_standard_errors_of_covariates_that_were_filled_in(spec: AreasSpec) -> None:
    table = country().assign(density_se=np.where(np.arange(N) == 3, 0.25, 0.0))
    imputed = replace(spec, imputed={"density": "density_se"})
    assert np.flatnonzero(read(imputed, table).errors["density"]).tolist() == [3]
    assert read(imputed, country(), covariates=frozenset({"other"})).errors == {}
    (bad,) = faults(imputed, put(put(table, "density_se", [5], -1.0), "density_se", [9], np.nan))
    assert "areas.imputed.density: no number of 0 or more for 2 of 24 areas in column 'density_se'" in bad
    assert "'E005', 'E009'" in bad
    (text,) = faults(
        replace(spec, imputed={"kindname": "density_se"}), table.assign(kindname="x"), covariates={"kindname"}
    )
    assert "areas.imputed.kindname: column 'kindname' holds text, expected numbers" in text
    (absent,) = faults(imputed, country())
    assert "areas.imputed.density: no column 'density_se'" in absent
    (unknown,) = faults(replace(spec, imputed={"densty": "density_se"}), table)
    assert "no table has a column 'densty'" in unknown
    assert "did you mean 'density'" in unknown


def test_text_in_a_column_of_numbers(spec: AreasSpec) -> None:
    (text,) = faults(spec, put(country(), "density", [2, 7], "n.k."))
    assert "text in 2 of 24 values of a column of numbers: 'n.k.'" in text
    (comma,) = faults(spec, country().assign(density=[f"0,{i:02d}" for i in range(N)]))
    assert "write decimals with a point" in comma
    assert read(spec, country().assign(density=["1,234"] * N)).table["density"].iloc[0] == 1234.0
    assert read(spec, country().assign(density=["urban", "rural"] * 12)).table["density"].dtype == "str"


def test_a_code_with_two_names(spec: AreasSpec) -> None:
    assert "1 codes of 'lad' have more than one name" in faults(spec, put(country(), "ladname", [0], "Other"))[0]


def test_names_of_the_code_itself(spec: AreasSpec) -> None:
    assert read(replace(spec, names={"oa": "oa"}), country()).names == {}
    assert "neither the code, a level nor a class" in faults(replace(spec, names={"lda": "ladname"}), country())[0]


def joined(spec: AreasSpec, right: pd.DataFrame, on: dict[str, str], name: str = "right.csv") -> AreasSpec:
    right.to_csv(spec.table.parent / name, index=False)
    return replace(spec, join=(*spec.join, JoinSpec(spec.table.parent / name, on)))


def test_a_join_in_any_order_of_rows(spec: AreasSpec) -> None:
    right = country()[["oa", "density"]].rename(columns={"oa": "OA"}).sample(frac=1, random_state=1)
    areas = read(joined(spec, right, {"oa": "OA"}), country().drop(columns="density"))
    assert areas.table["density"].tolist() == pytest.approx(country()["density"].tolist())
    assert "OA" not in areas.table


def test_joins_by_two_keys_and_by_a_joined_key(spec: AreasSpec) -> None:
    both = country()[["region", "kind"]].drop_duplicates().assign(density=np.arange(6.0) + 1, group=list("abcabc"))
    names = pd.DataFrame({"g": ["c", "a", "b"], "extra": [3.0, 1.0, 2.0]})
    chained = joined(joined(spec, both, {"region": "region", "kind": "kind"}), names, {"group": "g"}, "names.csv")
    areas = read(chained, country().drop(columns="density"), covariates={"density", "extra"})
    expected = country().drop(columns="density").merge(both, on=["region", "kind"])
    assert areas.table["density"].tolist() == expected["density"].tolist()
    assert areas.table["extra"].tolist() == expected["group"].map({"a": 1.0, "b": 2.0, "c": 3.0}).tolist()


def test_keys_that_do_not_match_or_stand_twice(spec: AreasSpec) -> None:
    right = country()[["oa", "density"]]
    left = country().drop(columns="density")
    (lost,) = faults(joined(spec, right.iloc[12:], {"oa": "oa"}), left)
    assert "12 of 24 areas have no row in right.csv: 'E000'" in lost
    assert "12 codes in both, 0 only here, 12 only in the areas" in lost
    (twice,) = faults(joined(spec, pd.concat([right, right.iloc[:1]]), {"oa": "oa"}), left)
    assert "1 keys stand more than once in right.csv: 'E000'" in twice
    (missing,) = faults(joined(spec, right, {"oa": "OA"}), left)
    assert "no column 'OA'" in missing
    assert "no column 'code' to join on" in faults(joined(spec, right, {"code": "oa"}), left)[0]


def test_a_column_in_both_tables_of_a_join(spec: AreasSpec) -> None:
    right = country()[["oa", "density", "other"]]
    (clash,) = faults(joined(spec, right, {"oa": "oa"}), country())
    assert "column 'density' stands in areas.csv and in right.csv" in clash


def neighbours(spec: AreasSpec, pairs: list[tuple[str | None, str | None]]) -> AreasSpec:
    path = spec.table.parent / "neighbours.csv"
    pd.DataFrame(pairs, columns=["a", "b"]).to_csv(path, index=False)
    return replace(spec, neighbours={"lad": path})


def test_neighbours_are_checked(spec: AreasSpec) -> None:
    assert read(neighbours(spec, [("L0", "L1"), ("L1", "L2")]), country()).notes == ()
    assert read(neighbours(spec, [("L0", "L1")]), country()).notes == ("lad: 1 areas have no neighbour",)
    pairs = read(neighbours(spec, [("L0", "L1"), ("L1", "L2")]), country()).neighbours["lad"]
    assert pairs.to_numpy().tolist() == [["L0", "L1"], ["L1", "L2"]]
    found = faults(neighbours(spec, [("L0", "L0"), ("L1", "X9"), ("L1", None)]), country())
    assert [f.split(": ", 1)[1][:1] for f in found] == ["1", "1", "1"]
    assert "'X9'" in "".join(found)
    assert "own neighbours" in "".join(found)


def test_geometry_is_there_and_fits(spec: AreasSpec) -> None:
    path = spec.table.parent / "shapes.parquet"
    with_shapes = replace(spec, geometry={"lad": GeometrySpec(path, "code")})
    pq.write_table(pa.table({"code": ["L0", "L1"], "geometry": [b"\x01", b"\x02"]}), path)
    assert read(with_shapes, country()).notes == ("lad: 1 areas have no polygon: 'L2'",)
    pq.write_table(pa.table({"code": ["A", "B"], "geometry": ["x", "y"]}), path)
    wkb, code = faults(with_shapes, country())
    assert "no column of WKB" in wkb
    assert "no code of 'lad'" in code


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.permutations(range(N)))
def test_the_order_of_rows_is_the_users_and_decides_nothing(spec: AreasSpec, order: list[int]) -> None:
    areas = read(spec, country().iloc[order], {"region": ("South",)})
    still = read(spec, country(), {"region": ("South",)})
    pd.testing.assert_frame_equal(areas.table, still.table.iloc[order].reset_index(drop=True))
    assert areas.base.tolist() == still.base[order].tolist()
    assert areas.names == still.names


def test_every_output_area_of_england(shared: Path) -> None:
    folder = shared / "census_audit" / "health_oa"
    spec = AreasSpec(
        folder / "areas.parquet",
        "oa21cd",
        ("lsoa21cd", "msoa21cd", "lad22cd", "rgn24cd"),
        ("oac21_supergroup", "oac21_group", "oac21_subgroup"),
        population="population",
        neighbours={"lad22cd": folder / "adjacency_lad22.parquet"},
    )
    problems = Problems()
    areas = read_areas(spec, {"rgn24cd": ("E12000007",)}, problems, {"nocar", "density"})
    assert areas is not None
    assert not problems
    assert len(areas) == 178_605
    assert areas.table["rgn24cd"].nunique() == 9
    assert 0 < areas.base.sum() < len(areas)
    assert areas.table[["nocar", "density"]].notna().all(axis=None)


def test_the_american_states(shared: Path) -> None:
    spec = AreasSpec(shared / "election88" / "state_predictors.csv", "stnum", ("region_arm",), names={"stnum": "st"})
    problems = Problems()
    areas = read_areas(spec, {}, problems, {"v_prev"})
    assert areas is not None
    assert areas.codes.tolist() == [str(i) for i in range(1, 52)]
    assert areas.names["stnum"]["5"] == "CA"
    assert areas.population is None
