from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from placewise.errors import Problems
from placewise.geography.areas import AreaTable
from placewise.geography.reading import read_areas
from placewise.geography.spec import AreasSpec
from placewise.surveys.disclosure import told
from placewise.surveys.reading import complete_cases, read_survey
from placewise.surveys.respondents import Dropped, Respondents
from placewise.surveys.spec import SurveySpec

N = 60


def people() -> pd.DataFrame:
    i = np.arange(N)
    return pd.DataFrame(
        {
            "oa": [f"E{k}" for k in i % 5],
            "region": np.where(i % 5 < 2, "R0", "R1"),
            "y": i % 2,
            "age": 20 + i,
            "tenure": np.where(i % 3, "rent", "own"),
            "w": 1 + i / 10,
            "cluster": i // 6,
            "stratum": i % 2 + 1.0,
            "wave": np.where(i < 40, 1, 2),
            "secret": [f"person {k}" for k in i],
        }
    )


@pytest.fixture
def areas() -> AreaTable:
    table = pd.DataFrame({"oa": [f"E{k}" for k in range(6)], "region": ["R0", "R0", "R1", "R1", "R1", "R2"]})
    return AreaTable(table.astype("str"), "oa", ("region",), (), None, np.ones(6, dtype=bool))


@pytest.fixture
def spec(tmp_path: Path) -> SurveySpec:
    return SurveySpec("cls", tmp_path / "cls.csv", "oa", "oa", weight="w", psu="cluster", strata="stratum")


def read(spec: SurveySpec, areas: AreaTable, table: pd.DataFrame) -> Respondents:
    table.to_csv(spec.path, index=False)
    problems = Problems()
    respondents = read_survey(spec, areas, {"age", "tenure", "density"}, problems, {"y"})
    assert respondents is not None, list(map(str, problems))
    assert not problems
    return respondents


def faults(spec: SurveySpec, areas: AreaTable | None, table: pd.DataFrame) -> list[str]:
    table.to_csv(spec.path, index=False)
    problems = Problems()
    assert read_survey(spec, areas, {"age", "tenure"}, problems, {"y"}) is None
    assert "person" not in "".join(map(str, problems))
    return [str(p) for p in problems]


def put(column: str, rows: list[int], value: object) -> pd.DataFrame:
    changed = people().astype({column: object})
    changed.loc[rows, column] = value
    return changed


def test_what_is_read(spec: SurveySpec, areas: AreaTable) -> None:
    respondents = read(spec, areas, people())
    assert len(respondents) == respondents.read == N
    assert list(respondents.table.columns) == ["y", "age", "tenure"]
    assert respondents.area.tolist() == (np.arange(N) % 5).tolist()
    assert respondents.weight is not None
    assert respondents.weight[1] == 1.1
    assert respondents.psu is not None
    assert respondents.psu[:7].tolist() == ["0"] * 6 + ["1"]
    assert respondents.strata is not None
    assert set(respondents.strata) == {"1", "2"}
    assert respondents.dropped == ()
    assert "secret" in respondents.available


def test_levels_are_told_by_the_areas_not_the_survey(spec: SurveySpec, areas: AreaTable) -> None:
    people().to_csv(spec.path, index=False)
    respondents = read_survey(spec, areas, {"age", "region", "oa"}, Problems(), {"y"})
    assert respondents is not None
    assert list(respondents.table.columns) == ["y", "age"]


def test_people_linked_above_the_area(spec: SurveySpec, areas: AreaTable) -> None:
    respondents = read(replace(spec, area_column="region", area_level="region"), areas, people())
    assert respondents.link == "region"
    assert set(respondents.codes) == {"R0", "R1"}
    assert (respondents.area == -1).all()


def test_where_keeps_rows_by_number_or_text(spec: SurveySpec, areas: AreaTable) -> None:
    respondents = read(replace(spec, where={"wave": (2,), "tenure": ("own",)}), areas, people())
    expected = people().query("wave == 2 and tenure == 'own'")
    assert respondents.table["age"].tolist() == expected["age"].tolist()
    assert respondents.dropped == (Dropped("", "outside where", N - len(expected)),)
    assert read(replace(spec, where={"wave": (2, 9)}), areas, people()).notes == (
        "cls: no row has '9' in column 'wave' (where)",
    )
    assert (
        "survey.cls.where: no row has '7' in column 'wave'"
        in faults(replace(spec, where={"wave": (7,)}), areas, people())[0]
    )


def test_missing_codes_are_counted_and_spare_the_design(spec: SurveySpec, areas: AreaTable) -> None:
    table = put("tenure", [0, 1], "refused")
    table.loc[[2, 3, 4], "age"] = 2
    table.loc[5, "age"] = np.nan
    respondents = read(replace(spec, missing=(2, "refused")), areas, table)
    assert respondents.table["tenure"].isna().sum() == 2
    assert respondents.table["age"].isna().sum() == 4
    assert set(respondents.strata if respondents.strata is not None else ()) == {"1", "2"}
    left = complete_cases(respondents, ["y", "age", "tenure", "density"])
    assert len(left) == N - 6
    assert left.dropped == (
        Dropped("age", "declared missing code", 3),
        Dropped("age", "blank", 1),
        Dropped("tenure", "declared missing code", 2),
    )
    assert left.table["age"].tolist() == people()["age"].iloc[6:].tolist()
    assert left.weight is not None
    assert left.weight[0] == 1.6


def test_a_text_code_does_not_stop_a_column_from_being_numeric(spec: SurveySpec, areas: AreaTable) -> None:
    assert read(replace(spec, missing=("refused",)), areas, put("age", [3], "refused")).table["age"].dtype == float
    assert read(spec, areas, put("age", [3], "refused")).table["age"].dtype == "str"


def test_people_without_an_area_are_dropped_and_counted(spec: SurveySpec, areas: AreaTable) -> None:
    table = put("oa", [0, 1], None)
    table.loc[2, "oa"] = "-9"
    respondents = read(replace(spec, missing=(-9,)), areas, table)
    assert respondents.dropped == (Dropped("oa", "no area", 3),)
    assert respondents.read == N
    assert "missing for every respondent" in faults(spec, areas, people().assign(oa=""))[0]


def test_unknown_area_codes(spec: SurveySpec, areas: AreaTable) -> None:
    (few,) = faults(spec, areas, put("oa", [0, 1, 2], "X1"))
    assert few.startswith("survey.cls.area: 1 code in column 'oa' is not in 'oa' of the areas (fewer than 10 resp")
    assert "'X1'" in few
    (most,) = faults(spec, areas, people().assign(oa=[f"X{k:02d}" for k in range(N)]))
    assert "60 codes" in most
    assert "'X09' …" in most
    assert "codes of another year" in most


def test_weights_are_counted_by_fault(spec: SurveySpec, areas: AreaTable) -> None:
    table = put("w", list(range(12)), 0)
    for rows, value in (([12], -1), ([13], "inf"), ([14], None), ([15], "x")):
        table.loc[rows, "w"] = value
    found = "\n".join(faults(spec, areas, table))
    assert "'w' is zero for 12 of 60 respondents" in found
    for what in ("negative", "infinite", "missing", "text"):
        assert f"'w' is {what} for fewer than 10 of 60" in found


def test_design_columns_are_complete(spec: SurveySpec, areas: AreaTable) -> None:
    assert "design column 'cluster' is missing" in faults(spec, areas, put("cluster", [1], None))[0]


def test_all_that_is_wrong_with_the_columns_at_once(spec: SurveySpec, areas: AreaTable) -> None:
    bad = replace(spec, area_level="lad", weight="wt", where={"waves": (1,)})
    found = faults(bad, areas, people().rename(columns={"y": "yy"}))
    assert [f.split(":")[0] for f in found] == [
        "survey.cls.area",
        "survey.cls.weight",
        "survey.cls.where",
        "survey.cls",
    ]
    assert "did you mean 'wave'?" in found[2]


def test_the_rest_is_checked_when_the_areas_could_not_be_read(spec: SurveySpec) -> None:
    assert faults(spec, None, people()) == []
    assert "negative" in faults(spec, None, put("w", [0], -1))[0]


def test_value_labels_and_codes_both_match(spec: SurveySpec, areas: AreaTable) -> None:
    path = spec.path.with_suffix(".sav")
    frame = pd.DataFrame({"oa": ["E0"] * 6, "y": [1.0, 2.0, 8.0, -9.0, 1.0, 2.0], "wave": [1.0] * 5 + [2.0]})
    pyreadstat.write_sav(
        frame,
        str(path),
        variable_value_labels={
            "y": {1: "yes", 2: "no", 8: "don't know", -9: "refused"},
            "wave": {1: "first", 2: "second"},
        },
    )
    sav = SurveySpec("cls", path, "oa", "oa", where={"wave": ("first",)}, missing=(-9, "don't know"))
    problems = Problems()
    respondents = read_survey(sav, areas, (), problems, {"y"})
    assert respondents is not None
    assert [None if pd.isna(y) else y for y in respondents.table["y"]] == ["yes", "no", None, None, "yes"]
    assert complete_cases(respondents, ["y"]).dropped[-1] == Dropped("y", "declared missing code", 2)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.permutations(range(N)))
def test_the_order_of_rows_decides_nothing(spec: SurveySpec, areas: AreaTable, order: list[int]) -> None:
    spec = replace(spec, where={"wave": (1,)}, missing=(25,))
    still, moved = read(spec, areas, people()), read(spec, areas, people().iloc[order])
    at = np.argsort([k for k in order if k < 40])
    pd.testing.assert_frame_equal(moved.table.iloc[at].reset_index(drop=True), still.table)
    assert moved.codes[at].tolist() == still.codes.tolist()
    assert moved.declared["age"][at].tolist() == still.declared["age"].tolist()
    assert moved.dropped == still.dropped


def test_taking_people_keeps_what_belongs_to_them(spec: SurveySpec, areas: AreaTable) -> None:
    respondents = read(replace(spec, missing=(25,)), areas, people())
    some = respondents.take(np.array([5, 0]), (Dropped("y", "test", 58),))
    assert some.declared["age"].tolist() == [True, False]
    assert some.available == respondents.available
    assert some.dropped == (Dropped("y", "test", 58),)


def test_no_count_below_the_threshold_is_told() -> None:
    assert [told(n) for n in (0, 9, 10, 1500)] == ["fewer than 10", "fewer than 10", "10", "1,500"]


def test_the_polls_of_1988(shared: Path) -> None:
    folder = shared / "election88"
    problems = Problems()
    table = AreasSpec(folder / "state_predictors.csv", "stnum", names={"stnum": "st"})
    states = read_areas(table, {}, problems, {"v_prev"})
    assert states is not None
    spec = SurveySpec("polls", folder / "polls.parquet", "state", "stnum", where={"survey": (8,)}, weight="weight")
    respondents = read_survey(spec, states, {"female", "black", "age", "edu", "v_prev"}, problems, {"bush"})
    assert not problems
    assert respondents is not None
    assert respondents.read == 13_544
    left = complete_cases(respondents, ["bush", "age", "edu"])
    assert len(left) == 2_015
    assert not {"AK", "HI"} & {states.names["stnum"][code] for code in left.codes}
    assert os.path.sep not in "".join(left.notes)
