"""The projection's benchmark on a small country."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from common import projections
from projection import verdict

from placewise.estimates.projector import Projector


@pytest.mark.parametrize("family", projections.FAMILIES)
def test_accuracy_is_that_of_single_precision(family: str) -> None:
    found = Projector(projections.made_up(700, 60, family), people=False)
    assert 1e-9 < projections.accuracy(found) < 1e-6


def test_the_numpy_loop_finds_the_same_rates() -> None:
    p = projections.made_up(300, 12, "bernoulli")
    known = tuple(e for e in p.effects if e.name != p.code)
    known = tuple(e for e in p.effects if e.name != p.code)
    without = Projector(replace(p, effects=known), people=False)
    rates = without.block(np.arange(300)).values
    assert np.allclose(projections.plain_loop(p, 12), rates.T, atol=1e-6)


def test_cost_of_a_small_country() -> None:
    row = projections.cost("bernoulli", 400, 50, 1, "made-up", 2)
    assert (row["areas"], row["entries"], row["draws"]) == (400, 400 * 280, 50)
    assert 0 < row["kernel"] < row["rates_cpu"] < row["whole_cpu"]
    told = verdict(pd.DataFrame([row]))
    assert told[0].startswith("kernel within 12 s: ")
    assert told[0].endswith("(yes)")


def test_a_bar_that_is_missed_is_said() -> None:
    row = {"family": "bernoulli", "kernel": 13.0, "rest_cpu": 20.0, "ratio": 150.0, "peak_mib": 3000.0, "error": 1e-7}
    slow = row | {"family": "cumulative", "kernel": 52.0}
    assert verdict(pd.DataFrame([row, slow])) == [
        "kernel within 12 s: 13 (NO)",
        "index, ranks, probabilities, triple goal within 25 s more: 20 (yes)",
        "at least 200 × a numpy loop: 150 (NO)",
        "cumulative over bernoulli: 4 (NO)",
        "peak within 2048 MiB: 3e+03 (NO)",
        "error at most 1e-06: 1e-07 (yes)",
    ]
