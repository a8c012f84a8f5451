from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from placewise.geography.codes import as_codes, as_labels, as_numbers, infer, listing, matches

VALUES = st.lists(
    st.one_of(st.none(), st.integers(-(10**9), 10**9), st.floats(allow_nan=True, width=32), st.text(max_size=8)),
    max_size=30,
)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, 2.0, np.nan], ["1", "2", None]),
        ([1.5, -0.0], ["1.5", "0"]),
        ([" E01 ", "", "  ", None], ["E01", None, None, None]),
        (["01", "1.0", "1.", "10.00", "1.01"], ["01", "1", "1.", "10", "1.01"]),
        ([True, False], ["1", "0"]),
        ([2**60 + 1, 3], [str(2**60 + 1), "3"]),
    ],
)
def test_codes_are_text(values: list[object], expected: list[str | None]) -> None:
    codes = as_codes(pd.Series(values))
    assert codes.dtype == "str"
    assert [None if pd.isna(c) else c for c in codes] == expected
    assert as_labels(pd.Series(values)).tolist() == expected


def test_short_floats_keep_their_short_text() -> None:
    assert as_labels(pd.Series([0.1, 2.0], dtype="float32")).tolist() == ["0.1", "2"]


def test_categories_are_text_of_their_values() -> None:
    values = pd.Series([2, 1, 2, None]).astype("category")
    assert as_labels(values).tolist() == ["2", "1", "2", None]


@given(VALUES)
def test_normalising_codes_twice_changes_nothing(values: list[object]) -> None:
    once = as_codes(pd.Series(values, dtype=object))
    pd.testing.assert_series_equal(as_codes(once), once)


@given(VALUES, st.randoms())
def test_order_of_rows_does_not_matter(values: list[object], random: object) -> None:
    order = list(range(len(values)))
    random.shuffle(order)  # type: ignore[attr-defined]
    series = pd.Series(values, dtype=object)
    for rule in (as_codes, infer):
        pd.testing.assert_series_equal(rule(series.iloc[order]), rule(series).iloc[order])


def test_numbers_with_thousands_and_gaps() -> None:
    numbers, bad = as_numbers(pd.Series(["1,234", "12,345,678.5", " 7 ", "NA", "", None, "-1,000", "1e3"]))
    assert numbers[[0, 1, 2, 6, 7]].tolist() == [1234.0, 12345678.5, 7.0, -1000.0, 1000.0]
    assert np.isnan(numbers[3:6]).all()
    assert not bad.any()


@pytest.mark.parametrize("text", ["0,534", "1,23", "1,2345", "12,34,567", "x", "1 2", "--1", "0x1A", "1_000"])
def test_what_is_no_number(text: str) -> None:
    numbers, bad = as_numbers(pd.Series([text, "1"]))
    assert bad.tolist() == [True, False]
    assert np.isnan(numbers[0])


@pytest.mark.parametrize(
    ("values", "numeric"),
    [
        (["1", "2.5", ""], True),
        (["1", "NA"], True),
        (["01", "02"], False),
        (["0.5", "0"], True),
        (["a", "1"], False),
        (["NA", "x"], False),
        (["-05", "1"], False),
        (["1,234", "5"], True),
        ([None, None], True),
        (["inf", "1"], True),
    ],
)
def test_a_column_is_numeric_when_every_value_is(values: list[str | None], numeric: bool) -> None:
    assert (infer(pd.Series(values, dtype="str")).dtype == np.float64) == numeric


def test_not_available_is_text_among_text() -> None:
    assert infer(pd.Series(["NA", "yes"])).tolist() == ["NA", "yes"]


def test_numbers_match_as_numbers_and_text_exactly() -> None:
    values = pd.Series(["-9", "-9.0", "refused", "Refused", None, "8"])
    assert matches(values, [-9, "refused"]).tolist() == [True, True, True, False, False, False]
    assert matches(pd.Series([8.0, 1.0, np.nan]), ["8"]).tolist() == [True, False, False]
    assert not matches(values, []).any()


def test_listing_is_short() -> None:
    assert listing([str(i) for i in range(11)]).endswith("'9' …")
    assert listing(["x" * 1000]) == repr("x" * 60)
