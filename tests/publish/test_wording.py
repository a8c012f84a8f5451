"""Names of checks as a reader sees them."""

from __future__ import annotations

import pytest

from placewise.publish.wording import Scale, check_words, even, limit_words, typical


@pytest.mark.parametrize(
    ("name", "words", "limit"),
    [
        ("predictive: age:sex", "answers foreseen, by age by sex", "about"),
        ("predictive: cls:trust by region", "answers to “cls: trust” foreseen, by region", "about"),
        ("surveys: ukhls", "areas where ukhls departs from the reference survey unexpectedly", "at most"),
        ("khat", "Pareto k of the importance weights", "below"),
    ],
)
def test_checks_have_names_for_readers(name: str, words: str, limit: str) -> None:
    assert check_words(name) == words
    assert limit_words(name) == limit


def test_a_column_has_one_number_of_decimals() -> None:
    assert even([0.158, 0.0822, 0.07]) == ["0.158", "0.082", "0.070"]
    assert even([15.83, 8.22]) == ["15.8", "8.2"]
    assert even([1234.5, 2.0, float("nan")]) == ["1,234", "2", "not known"]
    assert even([-0.0412, 0.0], 2) == ["−0.041", "0.000"]
    assert even([0.0, 0.0]) == ["0", "0"]


def test_rows_of_a_table_are_rounded_by_their_typical_interval() -> None:
    scale, rows = Scale("mean"), [(2.903, 2.85, 2.96), (2.866, 2.80, 2.91), (2.8, 2.3, 3.4)]
    width = typical(upper - lower for _, lower, upper in rows)
    assert [scale.estimate(*row, width) for row in rows] == [
        "2.90 (2.85 to 2.96)",
        "2.87 (2.80 to 2.91)",
        "2.80 (2.30 to 3.40)",
    ]
    assert scale.estimate(*rows[2]) == "2.8 (2.3 to 3.4)"
    assert typical([float("nan")]) != typical([float("nan")])
