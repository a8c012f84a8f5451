"""Crossed cutpoints: tolerated, or a reason to publish nothing."""

from __future__ import annotations

import pytest

from placewise.diagnostics.crossings import crossing_check


@pytest.mark.parametrize(
    ("share", "verdict", "words"),
    [(0.0, "pass", "in order in every area"), (0.0009, "pass", "0.0009 of areas"), (0.0011, "fail", "at most 0.001")],
)
def test_more_than_a_thousandth_fails(share: float, verdict: str, words: str) -> None:
    check = crossing_check(share)
    assert (check.verdict, check.value, check.threshold) == (verdict, share, 0.001)
    assert words in check.sentence
