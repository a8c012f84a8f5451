"""A survey read with a recode file: its variables are what the project's names mean, and the account tells how."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from placewise.errors import Problems
from placewise.geography.areas import AreaTable
from placewise.surveys.reading import read_survey
from placewise.surveys.respondents import Respondents
from placewise.surveys.spec import SurveySpec

N = 120

RECODE = """
missing = [-9]

[variables.sex]
column = "RSex"
wording = "What is your sex?"
values = { Female = "f", Male = "m" }

[variables.belonging]
column = "SBeNeigh"
values = { "very strongly" = "strong", "fairly strongly" = "strong", "not very strongly" = "weak" }

[variables.age]
column = "DVAge"
bands = [ { category = "16-39", from = 16, below = 40 }, { category = "40+", from = 40 } ]

[variables.region]
column = "gor"
kind = "code"

[variables.w]
column = "WtFin"
kind = "number"
scale = { multiply = 0.001 }

[variables.wave]
column = "Year"
values = { "2022" = "before", "2023" = "now" }
"""


@pytest.fixture
def areas() -> AreaTable:
    table = pd.DataFrame({"oa": [f"E{k}" for k in range(6)], "region": ["R0", "R0", "R1", "R1", "R1", "R2"]})
    return AreaTable(table.astype("str"), "oa", ("region",), (), None, np.ones(6, dtype=bool))


def stored() -> pd.DataFrame:
    i = np.arange(N)
    return pd.DataFrame(
        {
            "RSex": np.where(i % 12 == 0, -9.0, 1.0 + i % 2),
            "SBENEIGH": 1.0 + i % 3,
            "DVAge": 16.0 + i % 60,
            "gor": np.where(i % 2, "R0", "R1"),
            "WtFin": 500.0 + i,
            "Year": np.where(i < 100, 2023.0, 2022.0),
            "cluster": (i // 6).astype(float),
        }
    )


LABELS = {
    "RSex": {1.0: "Female", 2.0: "Male", -9.0: "Refused"},
    "SBENEIGH": {1.0: "Very strongly", 2.0: "Fairly strongly", 3.0: "Not very strongly"},
}


@pytest.fixture
def spec(tmp_path: Path) -> SurveySpec:
    recode = tmp_path / "recode.toml"
    recode.write_text(RECODE)
    path = tmp_path / "cls.sav"
    pyreadstat.write_sav(stored(), path, variable_value_labels=LABELS)
    where = {"wave": ("now",)}
    return SurveySpec("cls", path, "region", "region", where=where, weight="w", psu="cluster", recode=recode)


def read(spec: SurveySpec, areas: AreaTable, columns: set[str] = frozenset({"sex", "age", "DVAge"})) -> Respondents:  # type: ignore[assignment]
    problems = Problems()
    respondents = read_survey(spec, areas, columns, problems, {"belonging"})
    assert respondents is not None, [str(p) for p in problems]
    assert not problems
    return respondents


def faults(spec: SurveySpec, areas: AreaTable | None, *required: str) -> list[str]:
    problems = Problems()
    assert read_survey(spec, areas, {"sex"}, problems, required or ("belonging",)) is None
    return [str(p) for p in problems]


def test_names_of_the_project_mean_the_variables_and_else_the_columns(spec: SurveySpec, areas: AreaTable) -> None:
    found = read(spec, areas)
    assert len(found) == 100
    assert found.table["sex"].isna().sum() == 9
    assert set(found.table["sex"].dropna()) == {"f", "m"}
    assert found.declared["sex"].tolist() == found.table["sex"].isna().tolist()
    assert set(found.table["belonging"]) == {"strong", "weak"}
    np.testing.assert_array_equal(found.table["age"] == "40+", found.table["DVAge"] >= 40)
    np.testing.assert_allclose(found.weight, (500 + np.arange(100)) / 1000, rtol=1e-15)
    assert set(found.codes) == {"R0", "R1"}
    assert found.psu is not None
    assert {"sex", "RSex", "wave"} <= set(found.available)
    assert [(d.column, d.reason, d.count) for d in found.dropped] == [("", "outside where", 20)]


def test_csv_text_and_labelled_numbers_give_the_same_respondents(spec: SurveySpec, areas: AreaTable) -> None:
    words = stored()
    for column, labels in LABELS.items():
        words[column] = words[column].map(labels)
    words["RSex"] = words["RSex"].replace("Refused", "-9")
    path = spec.path.with_suffix(".csv")
    words.to_csv(path, index=False)
    one, other = read(spec, areas), read(replace(spec, path=path), areas)
    pd.testing.assert_frame_equal(one.table, other.table, check_like=True)
    np.testing.assert_array_equal(one.weight, other.weight)


def test_the_order_of_rows_changes_nothing_but_the_order(spec: SurveySpec, areas: AreaTable) -> None:
    one = read(spec, areas)
    order = np.random.default_rng(1).permutation(N)
    pyreadstat.write_sav(stored().iloc[order], spec.path, variable_value_labels=LABELS)
    other = read(spec, areas)
    kept = order[order < 100]
    pd.testing.assert_frame_equal(other.table, one.table.iloc[kept].reset_index(drop=True))
    assert other.account is not None
    assert one.account is not None
    assert other.account.variables == one.account.variables


def test_the_account_says_what_was_read_and_what_became_of_it(spec: SurveySpec, areas: AreaTable) -> None:
    account = read(spec, areas).account
    assert account is not None
    (file,) = account.files
    assert (file.name, file.rows, file.columns, file.format) == ("cls.sav", N, 7, "sav")
    assert file.sha256 == hashlib.sha256(spec.path.read_bytes()).hexdigest()
    assert (account.read, account.kept) == (120, 100)
    assert [v.name for v in account.variables] == ["sex", "belonging", "age", "region", "w", "wave", "DVAge"]
    told = json.loads(json.dumps(account.to_json()))
    sex = told["variables"][0]
    assert sex["wording"] == "What is your sex?"
    # nine refused: not told, nor the group from which it could be worked out
    assert [(m["raw"], m["category"], m["respondents"]) for m in sex["mapping"]] == [
        ("1", "f", None),
        ("2", "m", 50),
        ("-9", None, None),
    ]
    assert told["dropped"] == [{"column": "", "reason": "outside where", "respondents": 20}]
    assert told["design"] == {"weight": "w", "psu": "cluster", "strata": None}


def test_all_faults_of_a_survey_are_told_together(spec: SurveySpec, areas: AreaTable) -> None:
    assert spec.recode is not None
    spec.recode.write_text(RECODE.replace('Female = "f"', 'Femal = "f"').replace("DVAge", "DVAgee"))
    odd = replace(spec, strata="stratum")
    found = faults(odd, areas)
    assert any("survey.cls.strata: cls.sav has no column 'stratum'" in f for f in found)
    assert any("age: the file has no column 'DVAgee' (did you mean 'DVAge'?)" in f for f in found)
    spec.recode.write_text(RECODE.replace('Female = "f"', 'Femal = "f"').replace("0.001", "0"))
    found = faults(spec, areas)
    assert any("sex: 1 value of column 'RSex' is neither mapped nor missing: 1 'Female' (41)" in f for f in found)


def test_a_weight_that_is_an_optional_variable_the_file_lacks_is_told(spec: SurveySpec, areas: AreaTable) -> None:
    assert spec.recode is not None
    spec.recode.write_text(RECODE.replace('column = "WtFin"', 'column = "WtOld"\nrequired = false'))
    assert any("survey.cls.weight: cls.sav has no column 'w'" in f for f in faults(spec, areas))


def test_where_by_a_variable_asks_for_its_categories(spec: SurveySpec, areas: AreaTable) -> None:
    found = faults(replace(spec, where={"wave": ("2023",)}), areas)
    assert found == ["survey.cls.where: no row has '2023' in column 'wave' (compare the values with the file)"]
    by_column = read(replace(spec, where={"Year": (2023,)}), areas)
    assert len(by_column) == 100


def test_a_recode_file_that_is_damaged_stops_the_reading(spec: SurveySpec, areas: AreaTable) -> None:
    assert spec.recode is not None
    spec.recode.write_text("[variables.sex]\ncolum = 'x'")
    assert faults(spec, areas) == ["recode.toml: variables.sex.colum: unknown key (did you mean 'column'?)"]
