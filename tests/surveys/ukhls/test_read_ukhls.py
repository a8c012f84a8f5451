from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from placewise.surveys.recode import write_recoding
from placewise.surveys.respondents import Respondents
from placewise.surveys.spec import GeographyFile, LookupFile, SurveySpec

Make = Callable[..., Any]
WANTED = ("nbrsnci", "scopngbha", "sclfsato")
FORMULA = (
    "sex",
    "age",
    "age_years",
    "ethnic_group",
    "tenure",
    "qualification",
    "economic_activity",
    "marital_status",
    "fimngrs",
)


def digest(respondents: Respondents) -> str:
    """Of everything about the respondents but their codes of areas, to the last bit."""
    found = hashlib.sha256()
    table = respondents.table
    for name in table.columns:
        values = table[name].to_numpy()
        text = values.tobytes() if values.dtype == float else "\x1f".join(map(str, table[name].tolist())).encode()
        found.update(f"{name}:{table[name].dtype}".encode() + text)
    for array in (respondents.weight, respondents.psu, respondents.strata):
        assert array is not None
        found.update(array.tobytes() if array.dtype == float else "\x1f".join(array).encode())
    for name, mask in sorted(respondents.declared.items()):
        found.update(name.encode() + mask.tobytes())
    return found.hexdigest()


def of_vintage(spec: SurveySpec, vintage: str) -> SurveySpec:
    level = {"lsoa11": "lsoa11cd", "lsoa01": "lsoa01cd", "msoa11": "msoa11cd", "msoa01": "msoa01cd"}.get(vintage, "")
    spec = replace(spec, area_level=level, geography=GeographyFile(spec.path / "geo", vintage))
    if vintage == "oac":
        geography = GeographyFile(spec.path / "geo", vintage, file="{w}_oac")
        return replace(spec, area_level="oac_subgroup", area_column="{w}_oac", geography=geography)
    return spec


@pytest.fixture
def pool(spec: SurveySpec) -> SurveySpec:
    return replace(spec, waves=("c", "f"))


def test_every_format_layout_and_vintage_gives_the_same_respondents(
    tmp_path: Path, deposit: Make, pool: SurveySpec, reading: Any
) -> None:
    seen = {}
    for suffix in (".tab", ".sav", ".dta"):
        for layout in ("flat", "edition", "by wave"):
            for vintage in ("lsoa21", "lsoa11", "lsoa01", "msoa21", "msoa11", "msoa01", "lad", "oac"):
                if vintage != "lsoa21" and layout != "flat":
                    continue
                root = deposit("cf", vintage).write(tmp_path / f"{suffix} {layout} {vintage}", suffix, layout)
                people = reading.people(of_vintage(replace(pool, path=root), vintage), *WANTED, columns=FORMULA)
                seen[suffix, layout, vintage] = digest(people)
    assert len(seen) == 30
    assert len(set(seen.values())) == 1, seen


def people_rows(c: Any) -> np.ndarray:
    return np.flatnonzero(c.tables["c_indresp"]["c_indscub_xw"] > 0)


@pytest.fixture
def c(deposit: Make) -> Any:
    return deposit("c")


def test_what_is_read_of_one_wave(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    c.write(tmp_path)
    people = reading.people(spec, *WANTED, columns=(*FORMULA, "deprivation"))
    main = c.tables["c_indresp"]
    kept = main[main["c_indscub_xw"] > 0]
    table = people.table
    assert list(table.columns[:2]) == ["wave", "pidp"]
    assert "deprivation" not in table
    assert table["pidp"].tolist() == [str(p) for p in kept["pidp"]]
    assert set(table["wave"]) == {"c"}
    # answers are reversed, so that 5 is strong agreement; -9 is no answer
    expected = [np.nan if x < 0 else 6.0 - x for x in kept["c_scopngbha"]]
    np.testing.assert_array_equal(table["scopngbha"], expected)
    released = kept["c_nbrsnci_dv"].where(kept["c_nbrsnci_dv"] > 0)
    np.testing.assert_array_equal(table["nbrsnci"], released)
    assert table["sex"].tolist() == [{1: "male", 2: "female"}.get(s, np.nan) for s in kept["c_sex"]]
    assert table["sclfsato"].tolist() == kept["c_sclfsato"].tolist()
    assert table["fimngrs"].tolist() == kept["c_fimngrs"].tolist()  # a real negative number stays one
    assert (people.read, len(people)) == (len(main), len(kept))
    assert people.weight is not None
    assert people.weight.tolist() == kept["c_indscub_xw"].tolist()
    assert people.psu is not None
    assert people.psu.tolist() == [str(p) for p in kept["c_psu"]]
    assert people.codes.tolist() == [f"E0121{h % 12:04d}" for h in kept["c_hidp"]]
    assert people.area.tolist() == [h % 12 for h in kept["c_hidp"]]
    assert people.link == "lsoa21cd"


def test_variables_come_from_whichever_file_has_them(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    c.write(tmp_path)
    people = reading.people(
        spec, "scopngbha", columns=("tenure", "marital_status", "ethnic_group", "age", "qualification")
    )
    files = {v.name: v.file for v in people.account.variables}
    assert files["tenure"] == "c_hhresp"
    assert files["marital_status"] == "c_indall"
    assert files["ethnic_group"] == "xwavedat"
    main, homes = c.tables["c_indresp"].set_index("pidp"), c.tables["c_hhresp"].set_index("c_hidp")
    row = people.table.set_index("pidp").loc[str(main.index[17])]
    assert homes.loc[main.iloc[17]["c_hidp"], "c_tenure_dv"] == 2
    assert (row["tenure"], row["marital_status"], row["age"]) == ("owned with mortgage", "couple", "65+")
    assert set(people.table["ethnic_group"].dropna()) == {"white", "mixed", "asian", "black", "other"}
    assert {f.name for f in people.account.files} == {
        "c_indresp.tab", "c_hhresp.tab", "c_indall.tab", "xwavedat.tab", "c_lsoa21_protect.tab"
    }  # fmt: skip


def test_only_the_files_that_are_needed_are_read(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    c.write(tmp_path)
    (tmp_path / "c_hhresp.tab").write_bytes(b"")
    (tmp_path / "xwavedat.tab").write_bytes(b"\x00" * 50)
    people = reading.people(spec, "scopngbha", columns=("sex",))
    assert [f.name for f in people.account.files] == ["c_indresp.tab", "c_lsoa21_protect.tab"]
    (check,) = people.account.checks
    assert (check.verdict, "not compared with xwavedat.tab" in check.message) == ("warn", True)


def test_missing_codes_by_wave_and_file(tmp_path: Path, deposit: Make, spec: SurveySpec, reading: Any) -> None:
    both = deposit("cf")
    reserved = [-1, -2, -7, -8, -9]
    for wave in "cf":
        name = f"{wave}_indresp"
        both = both.changed(name, f"{wave}_fimngrs", range(20, 27), [*reserved, -10, -11])
        both = both.changed(name, f"{wave}_sex", range(30, 35), reserved)
    both.write(tmp_path)
    people = reading.people(
        replace(spec, waves=("c", "f")), "scopngbha", columns=("fimngrs", "sex", "ethnic_group", "age")
    )
    table = people.table
    for wave, real in (("c", [-10, -11]), ("f", [])):
        ids = both.tables[f"{wave}_indresp"]["pidp"].iloc[20:27].astype(str)
        here = table[table["wave"] == wave].set_index("pidp").loc[ids, "fimngrs"]
        assert here.dropna().tolist() == real
    assert people.declared["fimngrs"].sum() == 5 + 7
    kinds = {
        (v.file, m.raw): (m.label, m.count) for v in people.account.variables if v.name == "fimngrs" for m in v.mapping
    }
    assert kinds["c_indresp", "-7"] == ("proxy interview", 1)
    assert kinds["f_indresp", "-11"] == ("asked of the boost sample only", 1)
    assert ("c_indresp", "-10") not in kinds
    # xwavedat has reserved codes of its own
    groups = next(v for v in people.account.variables if v.name == "ethnic_group")
    assert {m.raw: m.label for m in groups.mapping if not m.category} == {
        "-20": "no data from BHPS",
        "-9": "missing",
    }
    assert [v.declared for v in people.account.variables if v.name == "sex"] == [6, 6]


def test_a_reserved_code_of_another_wave_is_no_category(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    c.changed("c_indresp", "c_sex", 20, -10).write(tmp_path)
    (told,) = reading.faults(spec, "scopngbha", columns=("sex",))
    assert "c_indresp" in told
    assert "-10" in told


def test_a_pool_of_two_waves(tmp_path: Path, deposit: Make, pool: SurveySpec, reading: Any) -> None:
    both = deposit("cf")
    both.write(tmp_path)
    people = reading.people(pool, "nbrsnci", columns=("sex",))
    table = people.table
    assert table["wave"].value_counts().to_dict() == {"c": 118, "f": 118}
    assert not table.duplicated(["wave", "pidp"]).any()
    assert table["pidp"].duplicated().any()
    order = list(zip(table["wave"], table["pidp"].astype(int), strict=True))
    assert order == sorted(order)
    weight = np.asarray(people.weight)
    for wave, column in (("c", "c_indscub_xw"), ("f", "f_indscui_xw")):
        here = weight[(table["wave"] == wave).to_numpy()]
        assert here.sum() == pytest.approx(118, rel=1e-12)
        released = both.tables[f"{wave}_indresp"][column]
        np.testing.assert_allclose(here / here[0], released[released > 0] / released[0], rtol=1e-12)
    again = int(table["pidp"].duplicated().sum())
    assert any(f"{again} of 236 records" in note for note in people.notes)
    assert people.account.design.weight == "c_indscub_xw, f_indscui_xw"
    assert [(d.column, d.count) for d in people.dropped] == [("c_indscub_xw", 2), ("f_indscui_xw", 2)]
    swapped = reading.people(replace(pool, waves=("f", "c")), "nbrsnci", columns=("sex",))
    assert swapped.table["wave"].tolist()[0] == "f"


def test_order_of_rows_and_of_columns_does_not_matter(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    c.write(tmp_path / "one")
    rng = np.random.default_rng(5)
    shuffled = {}
    for name, table in c.tables.items():
        mixed = table.sample(frac=1, random_state=3).reset_index(drop=True)
        shuffled[name] = mixed[rng.permutation(mixed.columns)]
    replace(c, tables=shuffled).write(tmp_path / "other")
    geography = GeographyFile(tmp_path / "one" / "geo", "lsoa21")
    one, other = (
        reading.people(replace(spec, path=tmp_path / at, geography=geography), *WANTED, columns=FORMULA)
        for at in ("one", "other")
    )
    assert digest(one) == digest(other)


def test_where_keeps_categories_and_codes(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    c.write(tmp_path)
    people = reading.people(replace(spec, where={"gor_dv": (1,), "sex": ("male",)}), "scopngbha")
    main = c.tables["c_indresp"]
    kept = main[(main["c_gor_dv"] == 1) & (main["c_sex"] == 1) & (main["c_indscub_xw"] > 0)]
    assert people.table["pidp"].tolist() == [str(p) for p in kept["pidp"]]
    assert people.dropped[0].reason == "outside where"
    assert people.dropped[0].count == len(main) - ((main["c_gor_dv"] == 1) & (main["c_sex"] == 1)).sum()


def test_people_without_an_area_are_dropped_and_counted(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    homes = c.geography["c_lsoa21"].copy()
    homes.loc[20, "c_lsoa21"] = "-9"
    homes = homes.drop(index=21)
    replace(c, geography={"c_lsoa21": homes}).write(tmp_path)
    people = reading.people(spec, "scopngbha")
    gone = {d.reason: d.count for d in people.dropped}
    assert gone == {
        "outside the base of the weight (0)": 2,
        "household not in the geography file": 2,
        "no area": 2,
    }
    assert len(people) == 114


def test_the_user_replaces_mappings_one_by_one(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    c.write(tmp_path)
    recode = tmp_path / "mine.toml"
    recode.write_text(
        "missing = [7]\n\n"
        "[variables.homes]\ncolumn = 'tenure_dv'\nvalues = { 1 = 'owned', 2 = 'owned', 8 = 'other' }\n"
        "bands = [{ category = 'rented', from = 3, below = 8 }]\n\n"
        "[variables.sex]\nvalues = { 1 = 'men', 2 = 'women' }\n\n"
        "[variables.life]\ncolumn = 'sclfsato'\nkind = 'number'\nbounds = [1, 7]\n"
    )
    people = reading.people(replace(spec, recode=recode), "life", columns=("homes", "sex", "age"))
    assert set(people.table["homes"].dropna()) == {"owned", "rented", "other"}
    assert set(people.table["sex"].dropna()) == {"men", "women"}
    assert set(people.table["age"]) == {"16-24", "25-34", "35-49", "50-64", "65+"}
    assert set(people.table["life"].dropna()) == set(range(1, 7))
    assert people.declared["life"].sum() == (c.tables["c_indresp"].loc[people_rows(c), "c_sclfsato"] == 7).sum()


def test_the_mappings_in_force_are_a_recode_file(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    c.write(tmp_path)
    usual = reading.people(spec, *WANTED, columns=FORMULA)
    assert usual.account.recoding is not None
    recode = tmp_path / "written.toml"
    recode.write_text(write_recoding(usual.account.recoding), encoding="utf-8")
    again = reading.people(replace(spec, recode=recode), *WANTED, columns=FORMULA)
    assert digest(again) == digest(usual)
    assert again.account.recoding == usual.account.recoding


def test_the_official_scale_is_of_the_official_items(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    c.write(tmp_path)
    recode = tmp_path / "mine.toml"
    recode.write_text("[variables.scopngbha]\nkind = 'number'\nbounds = [1, 5]\n")
    usual = reading.people(spec, "nbrsnci", "scopngbha")
    changed = reading.people(replace(spec, recode=recode), "nbrsnci", "scopngbha")
    assert changed.table["nbrsnci"].equals(usual.table["nbrsnci"])
    np.testing.assert_array_equal(changed.table["scopngbha"], 6 - usual.table["scopngbha"])


def test_the_scale_is_compared_with_the_released_one(tmp_path: Path, c: Any, spec: SurveySpec, reading: Any) -> None:
    c.write(tmp_path / "good")
    spec = replace(spec, geography=GeographyFile(tmp_path / "good" / "geo", "lsoa21"))
    good = reading.people(replace(spec, path=tmp_path / "good"), "nbrsnci")
    verdicts = {check.name: check.verdict for check in good.account.checks}
    assert verdicts == {"direction of the items of wave c": "pass", "cohesion scale of wave c": "pass"}
    c.changed("c_indresp", "c_nbrsnci_dv", range(40, 80), 1.0).write(tmp_path / "bad")
    bad = reading.people(replace(spec, path=tmp_path / "bad"), "nbrsnci")
    (failed,) = [check for check in bad.account.checks if check.verdict == "fail"]
    assert "differs from c_nbrsnci_dv" in failed.message
    assert any("differs from c_nbrsnci_dv" in note for note in bad.notes)
    assert "nbrsnci_released" not in bad.table
    without = replace(c, tables={**c.tables, "c_indresp": c.tables["c_indresp"].drop(columns="c_nbrsnci_dv")})
    without.write(tmp_path / "none")
    none = reading.people(replace(spec, path=tmp_path / "none"), "nbrsnci")
    assert none.table["nbrsnci"].equals(good.table["nbrsnci"])
    assert any("nothing to compare" in note for note in none.notes)


def test_wave_o_is_read_once_the_user_confirms_its_weight(
    tmp_path: Path, deposit: Make, spec: SurveySpec, reading: Any
) -> None:
    deposit("o").write(tmp_path)
    spec = replace(spec, waves=("o",))
    (told,) = reading.faults(spec, "nbrsnci")
    assert "survey.panel.weight" in told
    assert 'weight = { o = "o_indscg2_xw" }' in told
    confirmed = reading.people(replace(spec, weights={"o": "o_indscg2_xw"}), "nbrsnci")
    assert any("confirmed by no source" in note for note in confirmed.notes)
    assert len(reading.people(replace(spec, weight="indscg2_xw"), "nbrsnci")) == len(confirmed)


def test_a_lookup_leads_codes_of_another_year_to_the_areas(
    tmp_path: Path, deposit: Make, spec: SurveySpec, reading: Any
) -> None:
    old = deposit("c", "lsoa11")
    old.write(tmp_path)
    path = tmp_path / "lookup.csv"
    pairs = pd.DataFrame(
        {"LSOA11CD": [f"E0111{i:04d}" for i in range(12)], "LSOA21CD": [f"E0121{i:04d}" for i in range(12)]}
    )
    pairs.to_csv(path, index=False)
    lookup = LookupFile(path, "LSOA11CD", "LSOA21CD")
    spec = replace(spec, area_level="lsoa21cd", geography=GeographyFile(tmp_path / "geo", "lsoa11", lookup=lookup))
    people = reading.people(spec, "scopngbha")
    assert set(people.codes) == set(pairs["LSOA21CD"])
    pd.concat([pairs, pairs.iloc[:1].assign(LSOA21CD="E01210005")]).iloc[:-1].to_csv(path, index=False)
    assert len(reading.people(spec, "scopngbha")) == len(people)
    split = pd.concat([pairs.drop(index=3), pd.DataFrame([["E01110000", "E01210007"]], columns=pairs.columns)])
    split.to_csv(path, index=False)
    told = reading.faults(spec, "scopngbha")
    assert len(told) == 2
    assert "1 codes lead to more than one area in lookup.csv: 'E01110000'" in told[0]
    assert "1 codes are not in lookup.csv: 'E01110003'" in told[1]
