from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from placewise.errors import Problems
from placewise.surveys.cls.concepts import ORDER
from placewise.surveys.cls.direction import check_direction, weighted_correlation


def people(n: int = 60, **turned: bool) -> pd.DataFrame:
    rank = np.arange(n) % 4
    return pd.DataFrame({
        concept: [order[::-1][k] if turned.get(concept) else order[k] for k in rank]
        for concept, order in ORDER.items()
        if concept in ("belonging", "satisfaction", "chatting")
    }).astype("str")  # fmt: skip


def test_answers_that_run_with_their_labels_pass() -> None:
    problems = Problems()
    checks = check_direction(people(), np.ones(60), "survey.cls", problems)
    assert [c.verdict for c in checks] == ["pass", "pass"]
    assert "weighted correlation 1.00 over about 60 respondents" in checks[0].message
    assert not problems


@pytest.mark.parametrize(("turned", "wrong"), [("belonging", 2), ("satisfaction", 1), ("chatting", 1)])
def test_a_concept_the_other_way_round_stops(turned: str, wrong: int) -> None:
    problems = Problems()
    checks = check_direction(people(**{turned: True}), np.ones(60), "survey.cls", problems)
    assert [c.verdict for c in checks].count("fail") == wrong == len(problems)
    assert "compare the value labels" in str(next(iter(problems)))


def test_what_cannot_be_looked_at_is_told_and_stops_nothing() -> None:
    problems = Problems()
    table = people().drop(columns="chatting")
    table["satisfaction"] = "very satisfied"
    same, absent = check_direction(table, np.ones(60), "survey.cls", problems)
    assert (same.verdict, absent.verdict) == ("warn", "warn")
    assert "the same answer" in same.message
    assert "no column that is known as chatting" in absent.message
    own = check_direction(people().replace("very strongly", "yes"), np.ones(60), "survey.cls", problems)
    assert "answers of its own" in own[0].message
    few = check_direction(people(9), np.ones(9), "survey.cls", problems)
    assert "fewer than 10 respondents" in few[0].message
    assert not problems


def test_respondents_without_a_weight_do_not_count() -> None:
    table = pd.concat([people(), people(belonging=True)], ignore_index=True)
    problems = Problems()
    checks = check_direction(table, np.r_[np.ones(60), np.zeros(60)], "survey.cls", problems)
    assert [c.verdict for c in checks] == ["pass", "pass"]


def test_the_correlation_is_that_of_repeated_rows() -> None:
    rng = np.random.default_rng(1)
    x, y, times = rng.normal(size=20), rng.normal(size=20), rng.integers(1, 5, 20)
    repeated = np.corrcoef(np.repeat(x, times), np.repeat(y, times))[0, 1]
    assert weighted_correlation(x, y, times.astype(float)) == pytest.approx(repeated, rel=1e-12)
