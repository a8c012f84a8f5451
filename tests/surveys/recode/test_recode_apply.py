"""Recoding of columns: by code or label the same table, and nothing is dropped in silence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placewise.errors import Problems
from placewise.geography.tables import RawTable
from placewise.surveys.recode import Band, Recoded, Recoding, Variable, apply_recoding

LABELS = {
    1.0: "Very strongly",
    2.0: " Fairly strongly ",
    3.0: "Not at all strongly",
    -9.0: "Refused",
    8.0: "No idea",
}
BY_LABEL = {"very STRONGLY": "high", "Fairly strongly": "high", "Not at all strongly": "low"}
BY_CODE = {"1": "high", "2.0": "high", "3": "low"}


def table(labels: dict[str, dict[Any, str]] | None = None, **columns: Any) -> RawTable:
    return RawTable(pd.DataFrame(columns), labels or {})


def applied(raw: RawTable, *variables: Variable, missing: tuple[Any, ...] = ()) -> Recoded:
    problems = Problems()
    recoded = apply_recoding(raw, Recoding(variables, missing), "survey.s", problems)
    assert recoded is not None, [str(p) for p in problems]
    assert not problems
    return recoded


def faults(raw: RawTable, *variables: Variable, missing: tuple[Any, ...] = ()) -> list[str]:
    problems = Problems()
    assert apply_recoding(raw, Recoding(variables, missing), "survey.s", problems) is None
    assert {p.kind for p in problems} == {"data"}
    return [str(p) for p in problems]


CODES = st.lists(st.sampled_from([1.0, 2.0, 3.0, -9.0, 8.0, np.nan]), min_size=1, max_size=40)


@given(CODES, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_by_label_and_by_code_the_table_is_the_same(codes: list[float], shuffle: Any) -> None:
    by_label = Variable("belonging", ("SBeNeigh",), values=BY_LABEL, missing=("refused", "NO idea"))
    by_code = Variable("belonging", ("sbeneigh",), values=BY_CODE, missing=(-9, 8))
    truth = {1.0: "high", 2.0: "high", 3.0: "low"}
    expected = pd.Series([truth.get(c) for c in codes], dtype="str", name="belonging")
    labelled = table({"SBENEIGH": LABELS}, SBENEIGH=np.array(codes))
    texts = table(SBENEIGH=pd.Series([LABELS.get(c, "  ") for c in codes], dtype="str"))
    written = table(SBENEIGH=pd.Series(["" if np.isnan(c) else f"{c:g}" for c in codes], dtype="str"))
    for raw, variable in ((labelled, by_label), (labelled, by_code), (texts, by_label), (written, by_code)):
        found = applied(raw, variable)
        pd.testing.assert_series_equal(found.table["belonging"], expected)
        declared = found.declared.get("belonging", np.zeros(len(codes), dtype=bool))
        assert declared.tolist() == [c in (-9.0, 8.0) for c in codes]

    order = list(range(len(codes)))
    shuffle.shuffle(order)
    moved = applied(table({"SBENEIGH": LABELS}, SBENEIGH=np.array(codes)[order]), by_label)
    assert moved.table["belonging"].tolist() == expected.iloc[order].tolist()
    assert moved.account == applied(labelled, by_label).account


@given(st.lists(st.one_of(st.floats(0, 120), st.none()), min_size=1, max_size=60))
@settings(deadline=None)
def test_bands_hold_their_lower_end_and_not_their_upper_one(ages: list[float | None]) -> None:
    bands = (Band("25-64", 25, 65), Band("young", upper=25), Band("65+", 65))
    found = applied(table(age=pd.Series(ages, dtype="float64")), Variable("age", bands=bands))
    expected = [None if a is None else "young" if a < 25 else "25-64" if a < 65 else "65+" for a in ages]
    assert [None if pd.isna(v) else v for v in found.table["age"]] == expected
    (account,) = found.account
    assert account.answered == sum(a is not None for a in ages)
    assert account.answered + account.blank == len(ages)


def test_named_codes_come_before_bands_and_common_missing_codes_after_both() -> None:
    raw = table(age=[16.0, 99.0, 98.0, 97.0, 40.0])
    age = Variable("age", values={"99": "refused to be asked"}, bands=(Band("16+", 16, 98),), missing=(98,))
    found = applied(raw, age, missing=(97, 99))
    assert found.table["age"].tolist()[:2] == ["16+", "refused to be asked"]
    assert found.table["age"].isna().tolist() == [False, False, True, True, False]
    assert found.declared["age"].tolist() == [False, False, True, True, False]


def test_numbers_are_reversed_then_scaled_and_their_labels_passed_over() -> None:
    raw = table({"f": {1.0: "strongly agree", 5.0: "strongly disagree"}}, f=[1.0, 2.0, 5.0, -9.0, np.nan])
    item = Variable("f", kind="number", bounds=(1, 5), reverse=True, scale=(25, -25), missing=(-9,))
    found = applied(raw, item)
    np.testing.assert_array_equal(found.table["f"], [100.0, 75.0, 0.0, np.nan, np.nan])
    assert found.account[0].transformed == "6 − value, then 25 × that − 25"
    labelled = Variable("f", kind="number", bounds=(1, 5), values={"Never": 1, "often": 5}, missing=("refused",))
    words = table(f=pd.Series(["never", "Often", "3", "Refused", ""], dtype="str"))
    np.testing.assert_array_equal(applied(words, labelled).table["f"], [1, 5, 3, np.nan, np.nan])


def test_mean_and_spread_of_numbers_are_those_after_recoding() -> None:
    x = np.arange(30.0) % 7
    (account,) = applied(table(x=x), Variable("x", kind="number", scale=(2, 1))).account
    assert account.mean == pytest.approx(np.mean(2 * x + 1), rel=1e-14)
    assert account.sd == pytest.approx(np.std(2 * x + 1, ddof=1), rel=1e-14)
    (few,) = applied(table(x=x[:9]), Variable("x", kind="number")).account
    assert (few.mean, few.sd) == (None, None)


def test_codes_stay_as_stored_and_labels_are_categories_where_nothing_is_mapped() -> None:
    raw = table({"gor": {1.0: "North East"}}, lsoa=["E01", " E02 ", None], gor=[1.0, 1.0, np.nan], wave=[1.0, 2.0, 3.0])
    found = applied(raw, Variable("lsoa", kind="code"), Variable("gor"), Variable("wave", kind="code"))
    assert found.table["lsoa"].tolist()[:2] == ["E01", "E02"]
    assert found.table["gor"].tolist()[:2] == ["North East", "North East"]
    assert found.table["wave"].tolist() == ["1", "2", "3"]
    assert str(found.table["wave"].dtype) == "str"


def test_the_first_name_the_file_has_is_read_and_an_optional_variable_may_lack() -> None:
    raw = table(sex=["1"], SEX_DV=["2"])
    sex = Variable("sex", ("sex_dv", "sex"), values={"1": "male", "2": "female"})
    found = applied(raw, sex, Variable("tenure", required=False))
    assert found.table["sex"].tolist() == ["female"]
    assert list(found.table.columns) == ["sex"]
    assert found.account[1].column == ""


def test_all_that_is_not_mapped_is_told_at_once_with_counts_of_ten_and_more() -> None:
    answers = [1.0] * 30 + [2.0] * 12 + [7.0] * 11 + [4.0] * 3
    labels = {1.0: "Male", 2.0: "Femal", 4.0: "Other"}
    raw = table({"Sex": labels}, Sex=answers, age=[16.0] * 50 + [15.5] * 6, trust=["5"] * 40 + ["9"] * 14 + ["hi"] * 2)
    found = faults(
        raw,
        Variable("sex", values={"Male": "male", "Female": "female"}),
        Variable("age", bands=(Band("16+", 16),)),
        Variable("trust", kind="number", bounds=(1, 5)),
        Variable("tenur"),
    )
    assert found == [
        "survey.s: tenur: the file has no column 'tenur' (name its column in the recoding)",
        "survey.s: sex: 3 values of column 'Sex' are neither mapped nor missing: 2 'Femal' (12), '7' (11), "
        "4 'Other' (fewer than 10) (is 'Femal' the same as 'Female'? If so map them in 'values', or declare them in "
        "'missing')",
        "survey.s: age: 1 value of column 'age' is in no band: '15.5' (fewer than 10) (widen the bands, or declare it "
        "in 'missing')",
        "survey.s: trust: 1 value of column 'trust' is no number: 'hi' (fewer than 10) (give it a number in 'values', "
        "or declare it in 'missing')",
        "survey.s: trust: 1 value of column 'trust' is outside the bounds: '9' (14) (declare it in 'missing', or widen "
        "'bounds')",
    ]


def test_a_code_that_is_labelled_the_other_way_round_is_a_conflict() -> None:
    raw = table({"sex": {1.0: "Female", 2.0: "Male"}}, sex=[1.0] * 20 + [2.0] * 20)
    both = Variable("sex", values={"1": "male", "2": "female", "Male": "male", "Female": "female"})
    (found,) = faults(raw, both)
    assert (
        "2 values of column 'sex' are one thing by code and another by label: 1 'Female' (20), 2 'Male' (20)" in found
    )
    agreed = table({"sex": {1.0: "male", 2.0: "FEMALE"}}, sex=[1.0, 2.0])
    assert applied(agreed, both).table["sex"].tolist() == ["male", "female"]


def test_a_missing_code_whose_label_has_a_value_is_a_conflict() -> None:
    raw = table({"sex": {8.0: "Male"}}, sex=[8.0] * 20)
    assert (
        "one thing by code and another by label" in faults(raw, Variable("sex", values={"Male": "m"}, missing=(8,)))[0]
    )


def test_free_text_of_few_is_not_told_and_too_many_categories_are_refused() -> None:
    raw = table(job=[f"job of person {k}" for k in range(300)] + ["clerk"] * 15)
    (unmapped,) = faults(raw, Variable("job", values={"x": "y"}))
    assert "301 values" in unmapped
    assert "'clerk' (15), 300 others, each rare" in unmapped
    assert "person" not in unmapped
    (many,) = faults(raw, Variable("job"))
    assert "301 different values, too many for categories" in many
    assert "person" not in many


def test_an_unlabelled_code_among_labelled_ones_is_no_category() -> None:
    raw = table({"q": {1.0: "yes"}}, q=[1.0] * 20 + [3.0] * 11)
    assert "1 value of column 'q' is without a value label: '3' (11)" in faults(raw, Variable("q"))[0]


def test_columns_that_differ_by_case_alone_are_told_unless_one_is_named() -> None:
    raw = table(Sex=["1"], SEX=["2"])
    assert "the file has the columns 'Sex' and 'SEX'" in faults(raw, Variable("sex"))[0]
    assert applied(raw, Variable("sex", ("SEX",))).table["sex"].tolist() == ["2"]


def test_the_account_lists_every_value_with_what_it_became() -> None:
    codes = [1.0] * 20 + [2.0] * 15 + [3.0] * 12 + [-9.0] * 11 + [np.nan] * 13
    raw = table({"b": LABELS}, b=codes)
    (account,) = applied(raw, Variable("b", wording="How strongly?", values=BY_LABEL, missing=(-9,))).account
    assert [(m.raw, m.label, m.category, m.count) for m in account.mapping] == [
        ("1", "Very strongly", "high", 20),
        ("2", "Fairly strongly", "high", 15),
        ("3", "Not at all strongly", "low", 12),
        ("-9", "Refused", "", 11),
    ]
    assert (account.answered, account.declared, account.blank) == (47, 11, 13)
    assert (account.name, account.column, account.wording) == ("b", "b", "How strongly?")


def test_bands_of_one_category_stand_together_in_the_account() -> None:
    bands = (Band("rest", 90), Band("16-89", 16, 90), Band("rest", upper=16))
    (account,) = applied(table(age=[3.0] * 12 + [20.0] * 14 + [95.0] * 10), Variable("age", bands=bands)).account
    assert [(m.raw, m.category, m.count) for m in account.mapping] == [
        ("below 16 or 90 and over", "rest", 22),
        ("16 to below 90", "16-89", 14),
    ]


def test_text_where_codes_are_mapped_is_told_with_the_code_it_stands_for() -> None:
    raw = table({}, Belong=["Very strongly"] * 30 + ["Don't know"] * 20)
    values = {"1": "very strongly", "2": "fairly strongly", "8": "don't knows"}
    [found] = faults(raw, Variable("belonging", columns=("Belong",), values=values))
    assert "the file holds text where 'values' maps codes" in found
    assert "is 'Very strongly' what code 1 stands for, 'very strongly'?" in found
    # a text with an apostrophe is compared like any other
    [found] = faults(raw, Variable("belonging", columns=("Belong",), values={"Dont know": "x"}))
    assert """is "Don't know" the same as 'Dont know'?""" in found
