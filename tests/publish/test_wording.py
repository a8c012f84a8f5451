"""Names of checks as a reader sees them."""

from __future__ import annotations

import pytest

from placewise.publish.wording import check_words, limit_words


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
