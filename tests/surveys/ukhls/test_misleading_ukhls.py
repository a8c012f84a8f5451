"""Deposits that read without a hitch and mean something else: sex, labels and waves that are not what they seem."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from placewise.errors import Problems
from placewise.surveys.spec import SurveySpec
from placewise.surveys.ukhls.labels import KNOWN
from placewise.surveys.ukhls.recodings import BUILT_IN
from placewise.surveys.ukhls.sexes import compare_sexes

Make = Callable[..., Any]
FORMATS = (".tab", ".sav", ".dta")
FULL_LABELS = {
    "c_sex": {1: "male", 2: "female"},
    **{f"c_scopngbh{x}": {1: "Strongly agree", 5: "Strongly disagree"} for x in "abcdefgh"},
}


def turned(deposit: Any, name: str, rows: slice = slice(None)) -> Any:
    """Sex the other way round in one file."""
    column = f"{name[0]}_sex" if name != "xwavedat" else "sex"
    table = deposit.tables[name]
    other = table[column].replace({1: 2, 2: 1})
    return deposit.changed(name, column, rows, other.loc[rows])


def with_sex(deposit: Any, waves: str = "cf") -> Any:
    """A deposit in which enumerations and the file across waves have the sex of the interviews, by person."""
    mains = [deposit.tables[f"{w}_indresp"] for w in waves]
    of = pd.concat([m.set_index("pidp").iloc[:, 4].rename("sex") for m in mains])
    sex = 1 + (of.index.to_numpy() // 4) % 2
    sex = pd.Series(sex, index=of.index)[~of.index.duplicated()]
    tables = dict(deposit.tables)
    for w in waves:
        for stem in ("indresp", "indall"):
            table = tables[f"{w}_{stem}"]
            tables[f"{w}_{stem}"] = table.assign(**{f"{w}_sex": table["pidp"].map(sex)})
    tables["xwavedat"] = tables["xwavedat"].assign(sex=tables["xwavedat"]["pidp"].map(sex))
    return replace(deposit, tables=tables)


@pytest.mark.parametrize("suffix", FORMATS)
def test_sex_coded_the_other_way_round_in_one_wave(
    tmp_path: Path, deposit: Make, spec: SurveySpec, reading: Any, suffix: str
) -> None:
    both = with_sex(deposit("cf"))
    turned(both, "c_indresp").write(tmp_path, suffix)
    spec = replace(spec, waves=("c", "f"))
    (told,) = reading.faults(spec, "scopngbha", columns=("sex",))
    assert f"c_indresp{suffix} and c_indall{suffix} for 100% of 120 people in both" in told
    assert f"does c_indresp{suffix} (wave c) code sex the other way round?" in told
    (told,) = reading.faults(replace(spec, waves=("c",)), "scopngbha", columns=("sex",))
    assert f"c_indresp{suffix} and xwavedat{suffix}" in told
    # where sex is of no use, nothing is asked of it
    assert len(reading.people(spec, "scopngbha"))


def test_corrections_of_sex_are_a_check(tmp_path: Path, deposit: Make, spec: SurveySpec, reading: Any) -> None:
    both = with_sex(deposit("cf"))
    both.write(tmp_path)
    spec = replace(spec, waves=("c", "f"))
    checks = reading.people(spec, "scopngbha", columns=("sex",)).account.checks
    assert [(c.verdict, "5 files" in c.message) for c in checks if c.name == "sex across files"] == [("pass", True)]
    turned(both, "f_indresp", slice(100, 100)).write(tmp_path)
    people = reading.people(spec, "scopngbha", columns=("sex",))
    (check,) = [c for c in people.account.checks if c.name == "sex across files"]
    assert check.verdict == "warn"
    assert "fewer than 10 of 120 people" in check.message


def test_pairs_are_counted_person_by_person() -> None:
    rng = np.random.default_rng(1)
    a = pd.Series(rng.choice(["1", "2"], 2000), index=[str(i) for i in range(2000)])
    b = a.iloc[::-1].iloc[:1500].copy()
    b.iloc[:12] = b.iloc[:12].map({"1": "2", "2": "1"})
    (pair,) = compare_sexes({"a": a, "b": b})
    assert (pair.both, pair.differ, pair.apart) == (1500, 12, False)
    b.iloc[12:30] = b.iloc[12:30].map({"1": "2", "2": "1"})
    (pair,) = compare_sexes({"a": a, "b": b})
    assert (pair.differ, pair.apart, pair.told()) == (30, True, "a and b for 2.0% of 1,500 people in both")


def written(table: pd.DataFrame, path: Path, labels: Mapping[str, Mapping[int, str]]) -> None:
    write = pyreadstat.write_sav if path.suffix == ".sav" else pyreadstat.write_dta
    write(table, str(path), variable_value_labels={c: dict(v) for c, v in labels.items()})


@pytest.mark.parametrize("suffix", FORMATS[1:])
def test_labels_changed_by_one_letter(
    tmp_path: Path, deposit: Make, spec: SurveySpec, reading: Any, suffix: str
) -> None:
    c = deposit("c")
    c.write(tmp_path, suffix)
    changed = {
        **FULL_LABELS,
        "c_sex": {1: "mole", 2: "female"},
        "c_scopngbhb": {1: "Strongly agree", 5: "Strongly disagre"},
        "c_jbstat": {1: "Self-employed", 2: "Retired", 3: "unemployed", 4: "retired"},
    }
    written(c.tables["c_indresp"], tmp_path / f"c_indresp{suffix}", changed)
    told = reading.faults(spec, "nbrsnci", columns=("sex", "economic_activity"))
    assert len(told) == 3
    text = "\n".join(told)
    assert "value labels of c_sex: code 1 is labelled 'mole', expected 'male'" in text
    assert "value labels of c_scopngbhb: code 5 is labelled 'Strongly disagre', expected 'strongly disagree'" in text
    assert "code 2 is labelled 'Retired', expected 'paid employment', and 'retired' is code 4" in text


@pytest.mark.parametrize("suffix", FORMATS[1:])
def test_labels_that_are_missing(tmp_path: Path, deposit: Make, spec: SurveySpec, reading: Any, suffix: str) -> None:
    c = deposit("c")
    c.write(tmp_path, suffix)
    written(c.tables["c_indresp"], tmp_path / f"c_indresp{suffix}", {"c_scopngbha": FULL_LABELS["c_scopngbha"]})
    (told,) = reading.faults(spec, "scopngbha", "scopngbhb", columns=("sex",))
    assert f"c_indresp{suffix} has no value labels of c_scopngbhb, c_sex" in told
    assert "[variables.scopngbhb], [variables.sex]" in told
    recode = tmp_path / "mine.toml"
    recode.write_text("[variables.sex]\nvalues = { 1 = 'male', 2 = 'female' }\n")
    people = reading.people(replace(spec, recode=recode), "scopngbha", columns=("sex",))
    assert set(people.table["sex"].dropna()) == {"male", "female"}


def test_every_known_label_is_of_a_code_that_is_recoded() -> None:
    recoded = {column: v for v in BUILT_IN.variables for column in v.sources()}
    for column, labels in KNOWN.items():
        assert {str(code) for code in labels} <= set(recoded[column].values), column


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_that_holds_another_wave(
    tmp_path: Path, deposit: Make, spec: SurveySpec, reading: Any, suffix: str
) -> None:
    both = deposit("cf")
    wrong = {**both.tables, "c_indresp": both.tables["f_indresp"], "f_hhresp": both.tables["c_hhresp"]}
    replace(both, tables=wrong).write(tmp_path, suffix)
    told = reading.faults(replace(spec, waves=("c", "f")), "nbrsnci", columns=("sex", "tenure"))
    assert len(told) == 2
    assert f"c_indresp{suffix} holds columns of wave f, none of wave c (put the file of wave c in its place)" in told[0]
    assert f"f_hhresp{suffix} holds columns of wave c, none of wave f" in told[1]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_bhps_file_in_place_of_a_wave(
    tmp_path: Path, deposit: Make, spec: SurveySpec, reading: Any, suffix: str
) -> None:
    both = deposit("cf")
    bhps = both.tables["c_indresp"].rename(columns=lambda name: name.replace("c_", "ba_", 1))
    tables = {**{k: v for k, v in both.tables.items() if k != "c_indresp"}, "ba_indresp": bhps}
    replace(both, tables=tables).write(tmp_path, suffix)
    (told,) = reading.faults(replace(spec, waves=("c", "f")), "nbrsnci")
    assert "no c_indresp" in told
    assert "waves found: f; files ba_ to br_ are harmonised waves of the BHPS" in told


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_missing_column_hides_nothing(
    tmp_path: Path, deposit: Make, spec: SurveySpec, reading: Any, suffix: str
) -> None:
    both = deposit("cf")
    main = both.tables["c_indresp"].rename(columns={"c_scopngbhb": "c_scopngbhb2", "c_strata": "c_str"})
    tables = {**both.tables, "c_indresp": main.assign(c_indscub_xw=0.0)}
    stale = both.geography["f_lsoa21"].assign(f_lsoa21=lambda t: t["f_lsoa21"].str.replace("E0121", "E0191"))
    old = both.geography["c_lsoa21"].assign(c_lsoa21=lambda t: t["c_lsoa21"].str.replace("E0121", "E0192"))
    replace(both, tables=tables, geography={"c_lsoa21": old, "f_lsoa21": stale}).write(tmp_path, suffix)
    told = reading.faults(replace(spec, waves=("c", "f")), "nbrsnci")
    text = "\n".join(told)
    expected = [
        "no column 'c_scopngbhb'",
        "no column 'c_strata'",
        "c_indscub_xw is 0 or missing for every respondent of wave c",
        "24 of 24 codes are not in 'lsoa21cd'",
    ]
    assert all(e in text for e in expected), told
    assert len(told) == len(expected)


def test_without_areas_faults_are_told_all_the_same(
    tmp_path: Path, deposit: Make, spec: SurveySpec, reading: Any
) -> None:
    from placewise.surveys.ukhls.reading import read_ukhls

    deposit("c").changed("c_indresp", "c_indscub_xw", slice(None), 0.0).write(tmp_path)
    problems = Problems()
    assert read_ukhls(spec, None, (), problems, ("nbrsnci", "nosuch")) is None
    assert len(problems) == 2
