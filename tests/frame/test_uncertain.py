"""Margins redrawn for replicates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from placewise.errors import ConfigurationError, Problems
from placewise.frame.grid import Grid
from placewise.frame.margins import Margin
from placewise.frame.raking import Raking, rake, read_raking
from placewise.frame.spec import RakedFrameSpec
from placewise.frame.uncertain import CellNoise, SampleNoise, redrawn, replicates

from .conftest import Country, written_out

CODES = np.array([f"E{i}" for i in range(2000)], dtype=object)


def margin(counts: list[float]) -> Margin:
    grid = Grid(("age",), (pd.Series(np.arange(float(len(counts)))),))
    return Margin(grid, np.tile(np.array(counts), (len(CODES), 1)), "frame.margins[0]")


def raking(country: Country) -> Raking:
    problems = Problems()
    spec = RakedFrameSpec(tuple(country.margin(n) for n in ("sex", "age", "tenure")), country.seed("kind"))
    found = read_raking(spec, country.areas(), "oa", None, problems)
    assert found is not None
    return found


def test_noise_of_cells_has_the_sd_that_was_said() -> None:
    drawn = redrawn(margin([50.0, 20.0, 0.0]), CellNoise(1.5), CODES, 1, 0).counts
    assert drawn.mean(axis=0) == pytest.approx([50, 20, 0], abs=0.12)
    assert drawn.std(axis=0) == pytest.approx([1.5, 1.5, 0], abs=0.08)
    assert abs(np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1]) < 0.07


def test_shares_of_a_sample_have_a_dirichlet_s_moments() -> None:
    """Of a Dirichlet of total size n the share p has variance p (1 − p) / (n + 1)."""
    drawn = redrawn(margin([60.0, 30.0, 10.0, 0.0]), SampleNoise(80.0), CODES, 1, 0).counts
    share = drawn / drawn.sum(axis=1, keepdims=True)
    p = np.array([0.6, 0.3, 0.1])
    assert drawn.sum(axis=1) == pytest.approx(np.full(2000, 100.0))
    assert share[:, :3].mean(axis=0) == pytest.approx(p, abs=0.005)
    assert share[:, :3].std(axis=0) == pytest.approx(np.sqrt(p * (1 - p) / 81), rel=0.06)
    assert (drawn[:, 3] == 0).all()


def test_draws_follow_from_seed_replicate_and_code_alone() -> None:
    whole = margin([50.0, 20.0])
    base = redrawn(whole, CellNoise(1.0), CODES, 1, 0).counts
    rows = np.random.default_rng(1).permutation(2000)[:700]
    part = redrawn(replace(whole, counts=whole.counts[rows]), CellNoise(1.0), CODES[rows], 1, 0).counts
    assert (part == base[rows]).all()
    for other in ((2, 0), (1, 1)):
        assert (redrawn(whole, CellNoise(1.0), CODES, *other).counts != base).all()


def test_nothing_is_negative_and_no_area_loses_everybody() -> None:
    drawn = redrawn(margin([1.0, 0.0]), CellNoise(3.0), CODES, 1, 0).counts
    assert (drawn >= 0).all()
    assert (drawn.sum(axis=1) > 0).all()
    silent = redrawn(margin([0.0, 0.0]), SampleNoise(30.0), CODES, 1, 0).counts
    assert (silent == 0).all()


def test_replicates_share_their_cells_and_vary_where_the_noise_is(country: Country) -> None:
    base = raking(country)
    frame = rake(base, Problems())
    assert frame is not None
    found = list(replicates(base, {"age": CellNoise(2.0)}, 20, seed=5))
    tables = np.array([written_out(one) for one in found])
    for one in found:
        pd.testing.assert_frame_equal(one.cells, frame.cells)
    true = country.true
    assert tables.sum(axis=(3, 4)) == pytest.approx(np.tile(true.sum(axis=(2, 3)), (20, 1, 1)), rel=1e-8)
    age = tables.sum(axis=(2, 4))
    people = true.sum(axis=(1, 2, 3))[:, None]
    p = true.sum(axis=(1, 3)) / people
    # scaled back to the population, an error e of a category leaves e (1 − p), and the others' leave −e p
    expected = 2.0 * np.sqrt((1 - p) ** 2 + p**2 * 2)
    assert np.median(age.std(axis=0) / expected) == pytest.approx(1, abs=0.12)
    again = list(replicates(base, {"age": CellNoise(2.0)}, 2, seed=5))
    assert (again[1].count == found[1].count).all()


def test_noise_of_no_margin_or_of_no_size(country: Country) -> None:
    base = raking(country)
    with pytest.raises(ConfigurationError, match=r"there is no margin 'agee' \(did you mean 'age'\?\)"):
        next(replicates(base, {"agee": CellNoise(1.0)}, 1, seed=1))
    with pytest.raises(ConfigurationError, match="the noise of 'age' is -1, expected a number above 0"):
        next(replicates(base, {"age": SampleNoise(-1.0)}, 1, seed=1))
