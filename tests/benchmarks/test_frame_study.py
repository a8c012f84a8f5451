"""The frame's benchmark on small problems, and raking against the census's own joint table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from common import census, frames
from frame import verdict

MARGINS = [["sex"], ["ethnic"], ["age"]]


def test_cost_of_a_made_up_country() -> None:
    row = frames.speed("made-up", 300, 1)
    assert (row["areas"], row["cells"]) == (300, 280)
    assert 0.5 * 300 * 280 < row["entries"] <= 300 * 280
    assert row["error"] < 1e-6
    assert row["reconciled"] == 0
    assert row["plain"] > 5 * row["rake"]
    assert verdict(pd.DataFrame([row])) == [
        "raking within 30 s: yes",
        "peak within 2048 MiB: yes",
        "margins met to 1e-06: yes",
    ]


def test_a_bar_that_is_missed_is_said() -> None:
    rows = pd.DataFrame({"ratio": [0.5, 0.95], "error": [1e-9, 1e-5]})
    assert verdict(rows) == ["cells' error at most 0.9 of independence's: NO", "margins met to 1e-06: NO"]


@pytest.mark.parametrize(("by", "noise"), [(("oac21_supergroup", "rgn24cd"), 0), (("rgn24cd",), 3)])
def test_cells_of_held_out_areas_of_the_census(
    shared: Path, monkeypatch: pytest.MonkeyPatch, by: tuple[str, ...], noise: int
) -> None:
    """A seed of other areas brings cells to well below .9 of the error of independence."""
    monkeypatch.setenv("PLACEWISE_SHARED", str(shared))
    areas, people = census.middle_areas()
    order = np.random.default_rng(5).permutation(len(areas))[:1200]
    row = frames._held_out(areas, people, np.sort(order[:800]), np.sort(order[800:]), by, MARGINS, noise=noise)
    assert row["ratio"] < 0.7
    assert row["error"] < 1e-6
    assert 0.05 < row["from seed"] < row["independent"] < 0.15
