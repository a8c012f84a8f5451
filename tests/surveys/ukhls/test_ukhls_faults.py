"""Damaged and misleading deposits: one error that lists everything and says what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from placewise.errors import Problems
from placewise.surveys.spec import GeographyFile, SurveySpec
from placewise.surveys.ukhls.reading import read_ukhls
from placewise.surveys.ukhls.vintages import VINTAGES

Make = Callable[..., Any]


@pytest.fixture
def c(deposit: Make) -> Any:
    return deposit("c")


def test_bhps_files_are_another_study(tmp_path: Path, deposit: Make, spec: SurveySpec, reading: Any) -> None:
    b = deposit("c").tables["c_indresp"].rename(columns=lambda name: name.replace("c_", "ba_", 1))
    (tmp_path / "bhps_w1").mkdir()
    b.to_csv(tmp_path / "bhps_w1" / "ba_indresp.tab", sep="\t", index=False)
    geography = deposit("c").geography["c_lsoa21"].rename(columns=lambda name: name.replace("c_", "b_", 1))
    (tmp_path / "geo").mkdir()
    geography.to_csv(tmp_path / "geo" / "b_lsoa21_protect.tab", sep="\t", index=False)
    spec = replace(spec, waves=("b",))
    (told,) = reading.faults(spec, "scopngbha")
    assert "no b_indresp" in told
    assert "BHPS" in told
    deposit("c").write(tmp_path)
    (told,) = reading.faults(spec, "scopngbha")
    assert "waves found: c" in told


def test_two_candidates_for_one_file(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    c.write(tmp_path, ".tab", "flat")
    c.write(tmp_path, ".dta", "edition")
    told = reading.faults(spec, "scopngbha")
    assert any("c_indresp.tab" in t and "UKDA-6614/dta/ukhls/c_indresp.dta" in t for t in told)
    assert any("geo" not in t and "2 files are xwavedat" in t for t in told)
    assert any("2 files are c_lsoa21" in t for t in told)
    assert all("one edition" in t for t in told)


def test_the_special_licence_edition_beside_the_usual_one(
    tmp_path: Path, c: Any, spec: SurveySpec, reading: Any
) -> None:
    c.write(tmp_path)
    (tmp_path / "c_indresp.tab").rename(tmp_path / "c_indresp_protect.tab")
    assert len(reading.people(spec, "scopngbha")) == 118
    c.write(tmp_path)
    (told,) = reading.faults(spec, "scopngbha")
    assert "c_indresp.tab, c_indresp_protect.tab" in told


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ("nothing", "is not there"),
        ("file", "is a file, not a folder"),
        ("archive", "unpack the archive"),
        ("empty", "SN 6614"),
    ],
)
def test_no_study_in_the_folder(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any, made: str, told: str) -> None:
    c.write(tmp_path)
    path = tmp_path / "download"
    if made == "file":
        path.write_bytes(b"PK")
    elif made != "nothing":
        path.mkdir()
    if made == "archive":
        (path / "6614tab.zip").write_bytes(b"PK")
    (message,) = reading.faults(replace(spec, path=path), "scopngbha")
    assert told in message


def test_a_wave_that_did_not_ask_and_a_variable_renamed(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    main = c.tables["c_indresp"]
    changed = main.drop(columns=["c_scopngbhd", "c_scopngbhe"]).rename(
        columns={"c_sclfsato": "c_sclfsat0", "c_psu": "c_psuid", "c_indscub_xw": "c_indscub_lw"}
    )
    replace(c, tables={**c.tables, "c_indresp": changed}).write(tmp_path)
    told = "\n".join(reading.faults(spec, "nbrsnci", "sclfsato"))
    assert "no column 'c_scopngbhd' in c_indresp.tab" in told
    assert "no column 'c_scopngbhe'" in told
    assert "asked in waves a, c, f, i, l" in told
    assert "no column 'c_sclfsato'" in told
    assert "xwavedat.tab, which m asks for (did you" in told
    assert "did you mean 'sclfsat0'?" in told
    assert "no column 'c_psu'" in told
    assert "did you mean 'c_psuid'?" in told
    assert "survey.panel.weight: c_indresp.tab has no column 'c_indscub_xw' (did you mean 'c_indscub_lw'?)" in told


def test_labels_that_code_sex_the_other_way_round(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    import pyreadstat

    c.write(tmp_path, ".sav")
    pyreadstat.write_sav(
        c.tables["c_indresp"],
        str(tmp_path / "c_indresp.sav"),
        variable_value_labels={
            "c_sex": {1: "Female", 2: "Male"},
            "c_scopngbha": {1: "Strongly disagree", 5: "Strongly agree"},
        },
    )
    told = reading.faults(spec, "scopngbha", columns=("sex",))
    assert len(told) == 2
    assert all(name in "".join(told) for name in ("c_sex", "c_scopngbha", "Female", "Strongly disagree"))


def test_codes_nobody_confirmed(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    changed = c.changed("c_indresp", "c_jbstat", range(30, 45), 14).changed("c_indresp", "c_scopngbhc", 50, 6)
    changed.changed("c_hhresp", "c_tenure_dv", [60, 61], 11).write(tmp_path)
    told = reading.faults(spec, "nbrsnci", columns=("economic_activity", "tenure"))
    assert len(told) == 3
    text = "\n".join(told)
    assert "14" in text
    assert "6" in text
    assert "11" in text
    assert "c_hhresp" in text


@pytest.mark.parametrize("suffix", [".tab", ".sav", ".dta"])
def test_a_truncated_file(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any, suffix: str) -> None:
    c.write(tmp_path, suffix)
    path = tmp_path / f"c_indresp{suffix}"
    path.write_bytes(path.read_bytes()[: 200 if suffix != ".tab" else -30])
    (told,) = reading.faults(spec, "scopngbha")
    assert f"c_indresp{suffix}" in told
    assert "survey.panel" in told


def test_ids_that_stand_twice(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    main = c.tables["c_indresp"]
    doubled = pd.concat([main, main.iloc[:15]], ignore_index=True)
    homes = pd.concat([c.tables["c_hhresp"]] * 2, ignore_index=True)
    tables = {**c.tables, "c_indresp": doubled, "c_hhresp": homes}
    geography = {"c_lsoa21": pd.concat([c.geography["c_lsoa21"]] * 2, ignore_index=True)}
    replace(c, tables=tables, geography=geography).write(tmp_path)
    told = "\n".join(reading.faults(spec, "scopngbha", columns=("tenure",)))
    assert "15 rows of c_indresp.tab have the id of a row before in 'pidp'" in told
    assert "80 rows of c_hhresp.tab have the id of a row before in 'c_hidp'" in told
    assert "c_lsoa21_protect.tab has 80 households more than once" in told


def test_weights_without_use(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    c.changed("c_indresp", "c_indscub_xw", slice(None), 0.0).write(tmp_path)
    (told,) = reading.faults(spec, "scopngbha")
    assert "c_indscub_xw is 0 or missing for every respondent of wave c" in told
    (told,) = reading.faults(replace(spec, weight="fimngrs"), "scopngbha")
    assert "c_fimngrs is negative" in told
    _with(c, "c_fimngrs", slice(None), 0).write(tmp_path)
    (told,) = reading.faults(replace(spec, weight="fimngrs"), "scopngbha")
    assert "c_indscub_xw is the usual one" in told
    c.changed("c_indresp", "c_indscub_xw", [50, 51], -0.5).write(tmp_path)
    (told,) = reading.faults(spec, "scopngbha")
    assert "c_indscub_xw is negative for fewer than 10 of 120 interviews" in told
    people = _with(c, "c_indscub_xw", [50, 51], -9).write(tmp_path) and reading.people(spec, "scopngbha")
    assert {d.reason: d.count for d in people.dropped}["no weight"] == 2


def _with(c: Any, column: str, rows: object, value: object) -> Any:
    return c.changed("c_indresp", column, rows, value)


def test_sampling_units_that_are_missing(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    _with(_with(c, "c_psu", range(40, 60), -9), "c_strata", 70, -8).write(tmp_path)
    told = reading.faults(spec, "scopngbha")
    assert len(told) == 2
    assert "c_psu is missing for 20 of 118 respondents" in told[0]
    assert "c_strata is missing for fewer than 10" in told[1]


def test_codes_of_another_year(tmp_path: Path, deposit: Make, spec: SurveySpec, reading: Any) -> None:
    deposit("c", "lsoa11").write(tmp_path)
    old = replace(spec, area_level="lsoa21cd", geography=GeographyFile(tmp_path / "geo", "lsoa11"))
    (told,) = reading.faults(old, "scopngbha")
    assert "12 of 12 codes are not in 'lsoa21cd' of the areas" in told
    assert "'E01110000'" in told
    assert "or coding than vintage 'lsoa11'" in told
    assert "geography.lookup" in told
    (told,) = reading.faults(spec, "scopngbha")
    assert "no c_lsoa21 or c_lsoa21_protect" in told
    assert "vintage 'lsoa11' of that wave is there" in told


def test_countries_that_the_areas_do_not_cover(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    homes = c.geography["c_lsoa21"].copy()
    homes.loc[:19, "c_lsoa21"] = [f"S0100{i:04d}" for i in range(20)]
    replace(c, geography={"c_lsoa21": homes}).write(tmp_path)
    (told,) = reading.faults(spec, "scopngbha")
    assert "20 begin with 'S'" in told
    assert "where = { gor_dv" in told
    assert "another year" not in told


def test_a_geography_file_of_another_wave(tmp_path: Path, deposit: Make, spec: SurveySpec, reading: Any) -> None:
    both = deposit("cf")
    other = both.geography["f_lsoa21"].rename(columns={"f_hidp": "c_hidp", "f_lsoa21": "c_lsoa21"})
    replace(both, geography={"c_lsoa21": other}).write(tmp_path)
    (told,) = reading.faults(spec, "scopngbha")
    assert "100% of the respondents of wave c have no row in c_lsoa21_protect.tab" in told
    single = replace(spec, geography=GeographyFile(tmp_path / "geo" / "c_lsoa21_protect.tab", "lsoa21"))
    (told,) = reading.faults(replace(single, waves=("c", "f")), "scopngbha")
    assert "is one file" in told


def test_what_no_source_confirms_is_asked_for(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    c.write(tmp_path)
    (told,) = reading.faults(replace(spec, geography=GeographyFile(tmp_path / "geo", "oac")), "scopngbha")
    assert "SN 7629" in told
    assert 'area = { column = "{w}_…"' in told
    (told,) = reading.faults(replace(spec, area_column="{w}_oa"), "scopngbha")
    assert "c_lsoa21_protect.tab has no column 'c_oa'" in told
    assert "'c_lsoa21'" in told
    (told,) = reading.faults(replace(spec, area_level="lsoa"), "scopngbha")
    assert "'lsoa' is neither the code, a level nor a class" in told


def test_an_item_that_runs_the_other_way(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    turned = 6 - c.tables["c_indresp"]["c_scopngbhf"]
    c.changed("c_indresp", "c_scopngbhf", slice(None), turned).write(tmp_path)
    (told,) = reading.faults(spec, "nbrsnci")
    assert "in wave c, scopngbhf do not go with the other items" in told


def test_a_name_that_is_nearly_right(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    c.write(tmp_path)
    for name, near in (("nbrsnc", "nbrsnci"), ("ethnicgroup", "ethnic_group"), ("sclfsat", "sclfsato")):
        (told,) = reading.faults(spec, name)
        assert f"did you mean {near!r}?" in told


def test_a_person_is_no_group(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    c.write(tmp_path)
    (told,) = reading.faults(spec, "scopngbha", columns=("pidp",))
    assert "'pidp' is who a person is" in told


def test_ids_that_are_no_numbers(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    c.write(tmp_path)
    usual = reading.people(spec, "scopngbha")
    named = c.changed("c_indresp", "pidp", slice(None), [f"P{i:03d}" for i in range(119, -1, -1)])
    named.write(tmp_path)
    people = reading.people(spec, "scopngbha").table
    assert people["pidp"].tolist() == sorted(people["pidp"])
    assert people["scopngbha"].tolist()[::-1] == pytest.approx(usual.table["scopngbha"].tolist(), nan_ok=True)


def test_names_with_a_letter(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    c.write(tmp_path)
    (told,) = reading.faults(spec, "c_scopngbha")
    assert "write 'scopngbha'" in told


def test_everything_at_once(tmp_path: Path, deposit: Make, spec: SurveySpec, reading: Any) -> None:
    deposit("co").write(tmp_path)
    (tmp_path / "geo" / "c_lsoa21_protect.tab").unlink()
    recode = tmp_path / "mine.toml"
    recode.write_text("[variables.sex]\nvalue = 1\n")
    many = replace(spec, waves=("c", "i", "o"), area_level="nothing", recode=recode)
    told = reading.faults(many, "scopngbha")
    expected = ["no i_indresp", "no c_lsoa21", "no i_lsoa21", "mine.toml", "'nothing'", "weight = { o ="]
    assert all(any(e in t for t in told) for e in expected), told
    recode.write_text("[variables.sex]\nvalues = { 1 = 'men', 2 = 'women' }\n")
    told = reading.faults(many, "scopngbhx", columns=("c_sex",))
    expected = [*expected[:3], *expected[4:], "no column 'c_scopngbhx'", "no column 'o_scopngbhx'"]
    assert all(any(e in t for t in told) for e in expected), told
    assert len(told) == len(expected)


def test_where_that_nobody_fits(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    c.write(tmp_path)
    (told,) = reading.faults(replace(spec, where={"gor_dv": (12,)}), "scopngbha")
    assert "nobody has '12' in 'gor_dv' (the variable has '1', '2')" in told
    both = replace(spec, where={"sex": ("male",), "sclfsato": (2,), "gor_dv": (2,)})
    (told,) = reading.faults(both, "scopngbha")
    assert "nobody of wave c is inside it" in told
    (told,) = reading.faults(replace(spec, where={"region_dv": (1,)}), "scopngbha")
    assert "no column 'c_region_dv'" in told


def test_two_files_that_do_not_belong_together(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    homes = c.tables["c_hhresp"].copy()
    homes["c_hidp"] += 40
    replace(c, tables={**c.tables, "c_hhresp": homes}).write(tmp_path)
    (told,) = reading.faults(spec, "scopngbha", columns=("tenure",))
    assert "of the interviews of c_indresp.tab have no row in c_hhresp.tab" in told
    homes["c_hidp"] -= 40
    replace(c, tables={**c.tables, "c_hhresp": homes.drop(index=[0])}).write(tmp_path)
    people = reading.people(spec, "scopngbha", columns=("tenure",))
    assert any("no row in c_hhresp.tab" in note for note in people.notes)
    assert people.table["tenure"].isna().sum() == 2
    assert "tenure" not in people.declared


def test_without_areas_the_survey_is_checked_all_the_same(tmp_path: Path, c: Any, spec: SurveySpec) -> None:
    c.write(tmp_path)
    problems = Problems()
    assert read_ukhls(spec, None, ("sex",), problems, ("scopngbha",)) is None
    assert not problems
    assert read_ukhls(spec, None, ("sex",), problems, ("scopngbhx",)) is None
    assert ["scopngbhx" in str(p) for p in problems] == [True]


def test_latin_1_and_a_byte_order_mark(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    table = c.tables["c_indresp"].assign(c_town="Ynys Môn")
    replace(c, tables={**c.tables, "c_indresp": table}).write(tmp_path)
    path = tmp_path / "c_indresp.tab"
    usual = reading.people(spec, "scopngbha").table
    path.write_bytes(path.read_text(encoding="utf-8").encode("latin-1"))
    assert reading.people(spec, "scopngbha").table.equals(usual)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().decode("latin-1").encode())
    assert reading.people(spec, "scopngbha").table.equals(usual)


def test_every_vintage_is_described() -> None:
    assert {"lsoa01", "lsoa11", "lsoa21", "msoa01", "msoa11", "msoa21", "lad", "oac"} == set(VINTAGES)
    assert len({v.study for v in VINTAGES.values()}) == len(VINTAGES)
    assert not np.any(["{w}_" not in v.column for v in VINTAGES.values() if v.column])
