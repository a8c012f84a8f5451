from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from placewise.surveys.ukhls.cohesion import Comparison, compare, direction, score

NONE = np.nan


def reversed_items(answers: list[list[float]]) -> np.ndarray:
    raw = np.array(answers, dtype=float)
    return np.where(raw < 0, np.nan, 6 - raw)


def test_published_scoring_vectors(shared: Path) -> None:
    vectors = pd.read_csv(shared / "surveys" / "scoring_vectors.csv")
    items = reversed_items(vectors[list("abcdefgh")].to_numpy().tolist())
    expected = vectors["expected_nbrsnci"].to_numpy(dtype=float)
    assert len(vectors) >= 9
    np.testing.assert_array_equal(score(items), np.where(expected < 0, np.nan, expected))


# Items a to h as the questionnaire codes them, and the score worked out by hand.
@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([1, 2, 3, 4, 5, 1, 2, 3], 3.4),  # reversed 5 4 3 2 1 5 4 3: 27 / 8 = 3.375
        ([4, 4, 4, 4, 4, 3, 3, 4], 2.3),  # 18 / 8 = 2.25, a tie
        ([1, 1, 1, 1, 1, 1, 5, 5], 4.0),  # 32 / 8
        ([2, 2, 2, 2, -9, 1, -9, 2], 4.2),  # two of four missing: 25 / 6 = 4.1667
        ([-9, -9, 2, 2, -9, 1, -9, 2], NONE),  # all four of a domain
        ([2, 2, -8, 2, 2, 2, 2, -8], NONE),  # two of the three neighbouring items
        ([2, 2, 2, 2, 2, -1, 2, 2], NONE),  # the only item of its domain
        ([1, 5, 1, -2, 5, 3, -2, 1], 3.3),  # 5 1 5 1 3 5 = 20 / 6
        ([-9, -9, -9, 5, 5, 5, 5, 5], 1.0),
    ],
)
def test_scores_worked_out_by_hand(answers: list[float], expected: float) -> None:
    np.testing.assert_array_equal(score(reversed_items([answers])), [expected])


def test_every_score_is_within_half_a_tenth_of_the_mean() -> None:
    rng = np.random.default_rng(1)
    items = np.where(rng.random((4000, 8)) < 0.1, np.nan, rng.integers(1, 6, (4000, 8)).astype(float))
    scores = score(items)
    kept = ~np.isnan(scores)
    assert 0.5 < kept.mean() < 1.0
    mean = np.nanmean(items[kept], axis=1)
    assert np.abs(scores[kept] - mean).max() <= 0.05 + 1e-9
    np.testing.assert_allclose(scores[kept] * 10, np.round(scores[kept] * 10), atol=1e-9)


def test_differences_are_told_apart() -> None:
    items = reversed_items([[2] * 8] * 30 + [[4, 4, 4, 4, 4, 3, 3, 4]] * 20)
    released = score(items)
    assert compare(items, released) == Comparison(50, 0, 0, 0)
    half_down = np.where(released == 2.3, 2.2, released)
    assert compare(items, half_down) == Comparison(50, 20, 0, 0)
    other = half_down.copy()
    other[0], other[1] = 3.0, NONE
    found = compare(items, other)
    assert (found.ties, found.values, found.missing) == (20, 1, 1)
    assert found.mismatch == pytest.approx(22 / 50)


def test_the_check_tells_rates_and_no_small_counts() -> None:
    assert Comparison(1000, 40, 0, 0).check("c").verdict == "pass"
    assert "4.00% of respondents by the rounding of a tie" in Comparison(1000, 40, 0, 0).check("c").message
    slight = Comparison(1000, 0, 3, 0).check("c")
    assert slight.verdict == "warn"
    assert "for fewer than 10 respondents otherwise" in slight.message
    assert Comparison(1000, 0, 300, 20).check("c").verdict == "fail"
    assert Comparison(0, 0, 0, 0).check("c").verdict == "warn"


def test_an_item_that_runs_the_other_way_is_seen() -> None:
    rng = np.random.default_rng(2)
    attached = rng.normal(size=(400, 1))
    items = np.clip(np.round(3 + attached + rng.normal(scale=0.7, size=(400, 8))), 1, 5)
    good = direction(items, "c")
    items[:, 5] = 6 - items[:, 5]
    bad = direction(items, "c")
    assert good is not None
    assert good.verdict == "pass"
    assert bad is not None
    assert (bad.verdict, "scopngbhf" in bad.message, "scopngbha" in bad.message) == ("fail", True, False)
    assert direction(items[:99], "c") is None
