from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from placewise.errors import Problems
from placewise.surveys.cls.reading import read_community_life
from placewise.surveys.recode.write import write_recoding
from placewise.surveys.spec import CommunityLifeKeys, SurveySpec

ASKED: dict[str, Any] = {"columns": ("sex", "comfortable_keys"), "required": ("belonging", "satisfaction", "chatting")}


def told(problems: list[str], *patterns: str) -> None:
    for pattern in patterns:
        assert any(re.search(pattern, p) for p in problems), (pattern, problems)


def as_bytes(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False).encode()


@pytest.mark.parametrize("suffix", [".sav", ".dta", ".tab", ".csv"])
def test_every_format_gives_the_same_respondents_byte_for_byte(
    deposit: Any, spec: SurveySpec, reader: Any, suffix: str
) -> None:
    expected = reader.read(deposit, spec, **ASKED)
    found = reader.read(deposit, replace(spec, path=spec.path.with_suffix(suffix)), **ASKED)
    assert as_bytes(found.table) == as_bytes(expected.table)
    assert found.table.dtypes.equals(expected.table.dtypes)
    assert found.codes.tolist() == expected.codes.tolist()
    np.testing.assert_array_equal(found.weight, expected.weight)
    assert found.strata.tolist() == expected.strata.tolist()
    assert {k: v.tolist() for k, v in found.declared.items()} == {k: v.tolist() for k, v in expected.declared.items()}
    assert found.account.checks == expected.account.checks


def test_answers_are_what_their_labels_say(deposit: Any, spec: SurveySpec, reader: Any) -> None:
    found = reader.read(deposit, spec, **ASKED)
    labels = {1: "very strongly", 2: "fairly strongly", 3: "not very strongly", 4: "not at all strongly"}
    expected = deposit.frame["SBeNeigh"].map(labels).astype("str")
    pd.testing.assert_series_equal(found.table["belonging"], expected, check_names=False)
    # code 1 is Female here, where other surveys have 1 for male
    assert (found.table["sex"].dropna() == "female").sum() == (deposit.frame["SEX"] == 1).sum()
    assert (found.table["sex"].dropna() == "male").sum() == (deposit.frame["SEX"] == 2).sum()
    assert found.table["comfortable_keys"].dropna().unique().size == 4
    assert found.table["year"].unique().tolist() == ["2023-24"]
    assert set(found.table["mode"]) == {"online", "paper"}
    assert found.codes.tolist() == deposit.frame["LADcode"].tolist()


def test_the_other_coding_of_sex_gives_the_same_people(deposit: Any, spec: SurveySpec, reader: Any) -> None:
    expected = reader.read(deposit, spec, **ASKED).table
    deposit.frame["SEX"] = deposit.frame["SEX"].replace({1: 2, 2: 1})
    deposit.labels["SEX"] = {1: "Male", 2: "Female", 998: "Prefer not to say"}
    assert as_bytes(reader.read(deposit, spec, **ASKED).table) == as_bytes(expected)


@pytest.mark.parametrize("case", [str.lower, str.upper, str.swapcase])
def test_the_case_of_names_and_labels_does_not_count(deposit: Any, spec: SurveySpec, reader: Any, case: Any) -> None:
    expected = reader.read(deposit, spec, **ASKED).table
    other = deposit.rename(**{name: case(name) for name in deposit.frame.columns})
    other.labels = {name: {c: case(text) for c, text in texts.items()} for name, texts in other.labels.items()}
    found = reader.read(other, spec, columns=("SEX", "sex"), required=ASKED["required"])
    same = [name for name in expected.columns if name != "comfortable_keys"]
    assert as_bytes(found.table[same]) == as_bytes(expected[same])
    # by the name of its column a concept is itself
    assert found.table["SEX"].equals(found.table["sex"].rename("SEX"))


def test_columns_under_other_names_are_named_by_aliases(deposit: Any, spec: SurveySpec, reader: Any) -> None:
    expected = reader.read(deposit, spec, **ASKED).table
    other = deposit.rename(SBeNeigh="Q17", SEX="RespSex")
    aliases = {"belonging": ("Nothing", "q17"), "sex": ("RespSex",), "comfort": ("NComfort1",)}
    keys = replace(spec.community_life, aliases=aliases)
    found = reader.read(
        other, replace(spec, community_life=keys), columns=("sex", "comfort"), required=ASKED["required"]
    )
    assert found.table["comfort"].equals(expected["comfortable_keys"].rename("comfort"))
    assert found.table["belonging"].equals(expected["belonging"])


def test_every_missing_concept_is_told_at_once_with_what_may_be_it(deposit: Any, spec: SurveySpec, reader: Any) -> None:
    other = deposit.rename(SBeNeigh="Q17", Slocsat="Q18", SchatN="Q19", SEX="Q1")
    found, problems = reader.collect(other, spec)
    assert found is None
    assert len(problems) == 4
    told(
        problems,
        r"no column 'SBeNeigh', which is 'belonging'.*aliases = \{ belonging = .*Q17 \(How strongly",
        r"no column 'Slocsat', which is 'satisfaction'.*Q18 \(Satisfied",
        r"no column 'SchatN', which is 'chatting'.*Q19 \(Chat",
        r"no column 'SEX', which is 'sex'",
    )


def test_what_the_project_has_to_name_is_asked_for_with_candidates(deposit: Any, spec: SurveySpec, reader: Any) -> None:
    bare = replace(spec, area_column="", area_level="", weight="", community_life=CommunityLifeKeys())
    found, problems = reader.collect(deposit, bare)
    assert found is None
    assert len(problems) == 4
    told(
        problems,
        r"survey\.cls\.area: .*confirmed nowhere.*LADcode \(Local authority of the address\)",
        r"survey\.cls\.weight: .*RimWeight \(Individual weight\)",
        r"survey\.cls\.mode: .*CMode",
        r"survey\.cls\.year: .*SurveyYear",
    )
    _, problems = reader.collect(deposit, replace(spec, weight="RimWeigth", strata="Strat"))
    told(problems, "no column 'RimWeigth'.*did you mean 'RimWeight'", "no column 'Strat'.*did you mean 'Stratum'")


def test_numbers_without_labels_are_never_guessed(deposit: Any, spec: SurveySpec, reader: Any) -> None:
    for column in ("SBeNeigh", "NComfort1"):
        del deposit.labels[column]
        deposit.missing.pop(column, None)
    found, problems = reader.collect(deposit, spec, **ASKED)
    assert found is None
    assert len(problems) == 2
    told(
        problems,
        r"belonging: column 'SBeNeigh' holds numbers without value labels: '-8', '-9', '1', '2', '3', '4'.*codebook",
        r"comfortable_keys: column 'NComfort1' holds numbers without value labels",
    )


def test_a_text_file_needs_a_codebook(deposit: Any, spec: SurveySpec, areas: Any) -> None:
    path = deposit.write(spec.path.with_suffix(".tab"))
    problems = Problems()
    keys = CommunityLifeKeys(year="2023-24", mode_column="CMode")
    found = read_community_life(replace(spec, path=path, community_life=keys), areas, ("sex",), problems, ["belonging"])
    assert found is None
    assert {str(p).split(":")[1].strip() for p in problems} >= {"belonging", "satisfaction", "chatting", "sex", "mode"}
    assert all("codebook" in p.hint for p in problems)


def test_every_unlabelled_code_and_changed_label_is_told_at_once(deposit: Any, spec: SurveySpec, reader: Any) -> None:
    del deposit.labels["Slocsat"][3], deposit.labels["NComfort1"][2]
    deposit.labels["SBeNeigh"][2] = "Fairly stronly"
    deposit.labels["SEX"][1] = "Femal"
    found, problems = reader.collect(deposit, spec, **ASKED)
    assert found is None
    assert len(problems) == 4
    told(
        problems,
        r"satisfaction: .*neither mapped nor missing: '3'",
        r"comfortable_keys: .*without a value label: '2'",
        r"belonging: .*2 'Fairly stronly'.*is 'Fairly stronly' the same as 'fairly strongly'",
        r"sex: .*'Femal'",
    )


def test_a_changed_label_is_told_once_where_some_rows_are_left_out(deposit: Any, spec: SurveySpec, reader: Any) -> None:
    deposit.labels["SBeNeigh"][2] = "Fairly stronly"
    n = int((deposit.frame["SBeNeigh"] == 2).sum())
    found, problems = reader.collect(deposit, replace(spec, where={"mode": ("online",)}), **ASKED)
    assert found is None
    assert len(problems) == 1
    told(problems, rf"'Fairly stronly' \({n:,}\)")


def test_labels_that_run_the_other_way_stop(deposit: Any, spec: SurveySpec, reader: Any) -> None:
    texts = list(deposit.labels["SBeNeigh"].items())
    deposit.labels["SBeNeigh"] = {code: texts[3 - i][1] for i, (code, _) in enumerate(texts[:4])} | dict(texts[4:])
    found, problems = reader.collect(deposit, spec)
    assert found is None
    assert len(problems) == 2
    told(problems, "belonging and satisfaction: weighted correlation -0", "belonging and chatting: .*other way round")


def test_checks_stand_in_the_account(deposit: Any, spec: SurveySpec, reader: Any) -> None:
    account = reader.read(deposit, spec).account
    checks = {check.name: check for check in account.checks}
    assert checks["belonging rises with satisfaction"].verdict == "pass"
    assert checks["belonging rises with chatting"].verdict == "pass"
    # half of these people belong, 61% were published
    assert checks["belonging as published for 2023-24, online/paper"].verdict == "fail"
    assert checks["year and mode"].message.startswith("2023-24; online (")
    assert [v.name for v in account.variables if v.column == "SBeNeigh"] == ["belonging"]
    assert account.design.weight == "RimWeight"
    assert account.reader == "cls"


def test_totals_and_directions_are_of_the_whole_file(deposit: Any, spec: SurveySpec, reader: Any) -> None:
    whole = reader.read(deposit, spec)
    here = replace(spec, where={"ladcode": ("E06000001",), "sex": ("female",)})
    part = reader.read(deposit, here, columns=())
    assert len(part) < len(whole) / 4
    assert part.account.checks[1:] == whole.account.checks[1:]
    assert list(part.table.columns) == ["belonging", "year", "mode"]


def test_face_to_face_is_not_pooled_with_online_unless_asked(deposit: Any, spec: SurveySpec, reader: Any) -> None:
    deposit.frame["CMode"] = np.where(deposit.frame.index < 300, 3, deposit.frame["CMode"])
    deposit.labels["CMode"][3] = "Face to face"
    deposit.labels["SurveyYear"] = {1: "2014-15"}
    found, problems = reader.collect(deposit, spec)
    assert found is None
    assert len(problems) == 1
    told(problems, r"not comparable: face-to-face \(300\), online \(\d+\), paper \(\d+\).*pool_modes = true")
    pooled = replace(spec, community_life=replace(spec.community_life, pool_modes=True))
    assert set(reader.read(deposit, pooled).table["mode"]) == {"face-to-face", "online", "paper"}
    named = replace(spec, community_life=replace(spec.community_life, modes=("face-to-face", "online")))
    assert set(reader.read(deposit, named).table["mode"]) == {"face-to-face", "online"}
    online = replace(spec, community_life=replace(spec.community_life, modes=("online", "paper")))
    kept = reader.read(deposit, online)
    assert len(kept) == 300
    assert [(d.reason, d.count) for d in kept.dropped] == [("outside where", 300)]


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("2022/23", "there was no Community Life Survey in 2022-23"),
        ("2030-31", "2030-31 is not a survey year known here: 2012-13 to 2024-25"),
        ("Wave 11", "Wave 11 is not a survey year"),
        ("2012-13", "there are online interviews in 2012-13, which had face-to-face ones only"),
    ],
)
def test_a_year_without_a_survey_or_a_mode_it_did_not_have(
    deposit: Any, spec: SurveySpec, reader: Any, label: str, message: str
) -> None:
    deposit.labels["SurveyYear"] = {1: label}
    found, problems = reader.collect(deposit, spec)
    assert found is None
    told(problems, message)


def test_a_year_without_a_survey_is_told_of_rows_that_are_not_kept_too(
    deposit: Any, spec: SurveySpec, reader: Any
) -> None:
    deposit.frame.loc[:199, "SurveyYear"] = 2
    deposit.labels["SurveyYear"] = {1: "2023/24", 2: "2022/23"}
    found, problems = reader.collect(deposit, replace(spec, where={"year": ("2023-24",)}))
    assert found is None
    assert len(problems) == 1
    told(problems, "survey.cls.year: there was no Community Life Survey in 2022-23, which rows outside 'where' have")


def test_rows_that_stand_twice_are_told_without_a_person(deposit: Any, spec: SurveySpec, reader: Any) -> None:
    [unlooked] = [c for c in reader.read(deposit, spec).account.checks if c.name == "each person once"]
    assert unlooked.verdict == "warn"
    assert "not checked by person" in unlooked.message
    assert "person = " in unlooked.message
    named = reader.read(deposit, replace(spec, person="Cserial")).account.checks
    [looked] = [c for c in named if c.name == "each person once"]
    assert (looked.verdict, "'Cserial'" in looked.message) == ("pass", True)
    once = deposit.frame
    for rows, said in ((40, "80 rows"), (3, "fewer than 10 rows")):
        deposit.frame = pd.concat([once, once.iloc[:rows]], ignore_index=True)
        found, problems = reader.collect(deposit, spec)
        assert found is None
        assert len(problems) == 1
        told(problems, rf"survey.cls.person: {said} are the same as another one in all 11 columns.*person = ")


def test_rows_that_are_alike_by_chance_are_no_error(deposit: Any, spec: SurveySpec, reader: Any) -> None:
    kept = [c for c in deposit.frame.columns if c not in ("Cserial", "NComfort1")]
    deposit.frame = deposit.frame[kept].assign(RimWeight=1.0, Stratum=1, LADcode="E06000001", CMode=1)
    del deposit.labels["NComfort1"]
    found = reader.read(deposit, spec)
    [check] = [c for c in found.account.checks if c.name == "each person once"]
    assert check.verdict == "warn"
    assert "as happens by chance" in check.message


def test_year_and_mode_may_be_stated_of_the_whole_file(deposit: Any, spec: SurveySpec, reader: Any) -> None:
    del deposit.frame["SurveyYear"], deposit.frame["CMode"]
    stated = replace(spec, community_life=CommunityLifeKeys(year="2018-19", mode="online"))
    found = reader.read(deposit, stated, columns=("sex", "mode"), required=("belonging",))
    assert set(zip(found.table["year"], found.table["mode"], strict=True)) == {("2018-19", "online")}
    assert any("2018-19" in check.name for check in found.account.checks)


def test_areas_that_a_file_calls_by_name(deposit: Any, spec: SurveySpec, reader: Any) -> None:
    expected = reader.read(deposit, spec)
    codes = deposit.frame["LADcode"].astype("category").cat.codes + 1
    deposit.frame["LADcode"] = codes
    deposit.labels["LADcode"] = {1: "Ashby", 2: "City of Bourne", 3: "Corfe"}
    found = reader.read(deposit, spec)
    assert found.codes.tolist() == expected.codes.tolist()
    deposit.labels["LADcode"][3] = "Dorking"
    _, problems = reader.collect(deposit, spec)
    told(problems, "1 code in column 'LADcode' is not in 'lad'.*'Dorking'")


def test_damage_to_areas_weights_and_answers_is_one_list(deposit: Any, spec: SurveySpec, reader: Any) -> None:
    deposit.frame["RimWeight"] = 0.0
    deposit.frame.loc[:200, "LADcode"] = "E07000999"
    deposit.labels["SBeNeigh"][4] = "Hardly"
    _, problems = reader.collect(deposit, spec)
    told(problems, "'RimWeight' is zero for 600", "'E07000999'", "'Hardly'")


def test_a_recode_file_changes_a_concept_and_adds_others(
    deposit: Any, spec: SurveySpec, reader: Any, tmp_path: Path
) -> None:
    (tmp_path / "recode.toml").write_text(
        '[variables.sex]\ncolumn = "SEX"\nvalues = { "Female" = "F", "Male" = "M" }\n'
        'missing = ["Prefer not to say"]\n'
        '[variables.close]\ncolumn = "SBeNeigh"\n'
        'values = { "1" = "yes", "2" = "yes", "3" = "no", "4" = "no" }\n',
        encoding="utf-8",
    )
    found = reader.read(deposit, replace(spec, recode=tmp_path / "recode.toml"), columns=("sex",), required=("close",))
    assert set(found.table["sex"].dropna()) == {"F", "M"}
    assert (found.table["close"] == "yes").sum() == deposit.frame["SBeNeigh"].isin([1, 2]).sum()


def test_columns_of_the_file_may_be_asked_for_by_name(deposit: Any, spec: SurveySpec, reader: Any) -> None:
    deposit.frame["Years"] = np.arange(len(deposit.frame)) % 40 + 0.5
    found = reader.read(deposit, replace(spec, person="cserial"), columns=("years", "oa_only"), required=("sbeneigh",))
    assert found.table["years"].tolist() == deposit.frame["Years"].tolist()
    assert set(found.table["sbeneigh"].dropna()) == {
        "very strongly",
        "fairly strongly",
        "not very strongly",
        "not at all strongly",
    }
    assert found.table["Cserial"].iloc[0] == "1000"
    _, problems = reader.collect(deposit, spec, required=("belongng",))
    told(problems, "no column 'belongng', and no concept is called so.*did you mean 'belonging'")


def test_a_codebook_that_contradicts_the_file_or_itself(deposit: Any, spec: SurveySpec, reader: Any) -> None:
    book = spec.path.with_name("codebook.csv")
    with_book = replace(spec, community_life=replace(spec.community_life, codebook=book))
    book.write_text("variable,code,label,missing\nsbeneigh,1,Not at all strongly,no\n", encoding="utf-8")
    _, problems = reader.collect(deposit, with_book)
    told(problems, "'SBeNeigh': 1 is 'Very strongly' in the file and 'Not at all strongly' in the codebook")
    book.write_text("variable,code,label,missing\nSEX,1,Female,maybe\nSEX,1,Male,\n,2,Male,no\n", encoding="utf-8")
    _, problems = reader.collect(deposit, with_book)
    told(problems, "1 row of codebook.csv has no variable", "'SEX 1'", "holds 'maybe'.*write yes or no")
    book.write_text("name,value,text\nSEX,1,Female\n", encoding="utf-8")
    _, problems = reader.collect(deposit, with_book)
    told(problems, "no column 'variable'", "a codebook has the columns variable, code, label and missing")


def test_a_person_answers_once_a_year(deposit: Any, spec: SurveySpec, reader: Any) -> None:
    with_person = replace(spec, person="Cserial")
    assert reader.read(deposit, with_person).table["Cserial"].nunique() == 600
    deposit.frame = pd.concat([deposit.frame, deposit.frame.iloc[:20]], ignore_index=True)
    _, problems = reader.collect(deposit, with_person)
    told(problems, "40 rows share their 'Cserial' with another row of the same year")
    # the same number in another year is another interview
    deposit.frame.loc[600:, "SurveyYear"] = 2
    deposit.labels["SurveyYear"][2] = "2024/25"
    assert len(reader.read(deposit, with_person)) == 620


def test_year_and_mode_by_a_recode_file(deposit: Any, spec: SurveySpec, reader: Any, tmp_path: Path) -> None:
    deposit.labels["SurveyYear"] = {1: "Wave 11"}
    (tmp_path / "recode.toml").write_text(
        '[variables.year]\ncolumn = "SurveyYear"\nvalues = { "Wave 11" = "2023-24" }\n'
        '[variables.mode]\ncolumn = "CMode"\nvalues = { "Online" = "online", "Paper" = "paper" }\n',
        encoding="utf-8",
    )
    own = replace(spec, recode=tmp_path / "recode.toml", community_life=CommunityLifeKeys())
    found = reader.read(deposit, own)
    assert found.table["year"].unique().tolist() == ["2023-24"]
    assert set(found.table["mode"]) == {"online", "paper"}


@pytest.mark.parametrize(
    ("suffix", "damage", "message"),
    [
        (".sav", lambda b: b[: len(b) // 3], "truncated or is no SPSS file"),
        (".dta", lambda b: b[: len(b) // 3], "truncated or is no Stata file"),
        (".sav", lambda b: b"", "the file is empty"),
        (".tab", lambda b: b.split(b"\n")[0] + b"\n", "a header and no rows"),
        (".tab", lambda b: b[: len(b) // 2 - 3], "does not fit the header"),
    ],
)
def test_a_file_cut_short(deposit: Any, spec: SurveySpec, areas: Any, suffix: str, damage: Any, message: str) -> None:
    path = deposit.write(spec.path.with_suffix(suffix))
    path.write_bytes(damage(path.read_bytes()))
    problems = Problems()
    assert read_community_life(replace(spec, path=path), areas, ("sex",), problems, ["belonging"]) is None
    assert len(problems) == 1
    told([str(p) for p in problems], message)


def test_a_text_file_in_latin_1(deposit: Any, spec: SurveySpec, reader: Any) -> None:
    expected = reader.read(deposit, spec)
    tab = replace(spec, path=spec.path.with_suffix(".tab"))
    deposit.frame["Comment"] = "caf\xe9"
    deposit.write(tab.path)
    tab.path.write_bytes(tab.path.read_text(encoding="utf-8").encode("latin-1"))
    keys = replace(spec.community_life, codebook=tab.path.with_name("codebook.csv"))
    problems = Problems()
    found = read_community_life(replace(tab, community_life=keys), reader.areas, ("sex",), problems, ["belonging"])
    assert found is not None
    assert as_bytes(found.table) == as_bytes(expected.table)
    assert "cp1252" in found.notes[0]


@pytest.mark.parametrize("stated", [False, True])
def test_the_mappings_in_force_written_as_a_recode_file_give_the_same(
    deposit: Any, spec: SurveySpec, reader: Any, tmp_path: Path, stated: bool
) -> None:
    if stated:
        spec = replace(spec, community_life=CommunityLifeKeys(year="2023-24", mode="online"))
    expected = reader.read(deposit, spec, **ASKED)
    (tmp_path / "recode.toml").write_text(write_recoding(expected.account.recoding), encoding="utf-8")
    found = reader.read(deposit, replace(spec, recode=tmp_path / "recode.toml"), **ASKED)
    assert as_bytes(found.table) == as_bytes(expected.table)
    assert found.account.checks == expected.account.checks


def test_texts_in_place_of_codes_need_no_codebook(deposit: Any, spec: SurveySpec, reader: Any) -> None:
    expected = reader.read(deposit, spec, **ASKED)
    for name, texts in deposit.labels.items():
        deposit.frame[name] = deposit.frame[name].map(texts)
    deposit.frame.loc[0, "SBeNeigh"] = "-7"
    path = spec.path.with_suffix(".csv")
    deposit.frame.to_csv(path, index=False)
    problems = Problems()
    csv = replace(spec, path=path, missing=(-7,))
    found = read_community_life(csv, reader.areas, ASKED["columns"], problems, ASKED["required"])
    assert found is not None, list(map(str, problems))
    assert as_bytes(found.table.iloc[1:]) == as_bytes(expected.table.iloc[1:])
    assert pd.isna(found.table["belonging"].iloc[0])


def test_rows_are_chosen_by_survey_year_and_mode_however_the_file_writes_them(
    deposit: Any, spec: SurveySpec, reader: Any
) -> None:
    deposit.frame["SurveyYear"] = np.where(deposit.frame.index < 250, 1, 2)
    deposit.labels["SurveyYear"] = {1: "CLS 2023/2024", 2: "CLS 2024/2025"}
    other = deposit.rename(SurveyYear="Year", CMode="MODE")
    keys = CommunityLifeKeys(year_column="year", mode_column="Mode")
    here = replace(spec, community_life=keys, where={"year": ("2023-24",), "mode": ("online",)})
    found = reader.read(other, here)
    assert set(zip(found.table["year"], found.table["mode"], strict=True)) == {("2023-24", "online")}
    assert len(found) == ((other.frame["Year"] == 1) & (other.frame["MODE"] == 1)).sum()
    both = replace(here, community_life=replace(keys, modes=("paper",)))
    _, problems = reader.collect(other, both)
    told(problems, "modes are chosen here and by 'keep' as well")
