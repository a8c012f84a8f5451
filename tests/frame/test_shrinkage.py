"""Shrinkage of interactions: closed forms, simulated tables, the edges."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from placewise.frame.grid import Grid
from placewise.frame.shrinkage import independence, shrink, with_margins_of

GRID = Grid(("a", "b"), (pd.Series([1.0, 2.0]), pd.Series([1.0, 2.0, 3.0])))
EVEN = np.full(6, 1 / 6)
NONE = np.zeros(1)


def odds(table: np.ndarray) -> np.ndarray:
    t = table.reshape(*table.shape[:-1], 2, 3)
    return np.log(t[..., 0, :-1] * t[..., 1, 1:] / (t[..., 0, 1:] * t[..., 1, :-1]))


def dirichlet_multinomial(k: float, n: int, tables: int, rng: np.random.Generator, shape: np.ndarray) -> np.ndarray:
    return np.array([rng.multinomial(n, p) for p in rng.dirichlet(k * shape, tables)]).astype(float)


def test_one_table_by_hand() -> None:
    """x = (30, 0, 10 | 10, 20, 10): p has its margins, X² and k follow by arithmetic."""
    counts = np.array([[30.0, 0.0, 10.0, 10.0, 20.0, 10.0]])
    tables, weight = shrink(counts, EVEN[None], GRID, NONE)
    rows, columns = np.array([40, 40]) + 0.5, np.array([40, 20, 20]) + 1 / 3
    p = np.outer(rows, columns).ravel() / 81**2
    statistic = ((counts[0] - 80 * p) ** 2 / (80 * p)).sum()
    k = 2 * 79 / (statistic - 2) - 1
    assert weight == pytest.approx([80 / (80 + k)], rel=1e-8)
    assert tables[0] == pytest.approx((counts[0] + k * p) / (80 + k), rel=1e-8)


def test_the_concentration_of_simulated_tables_is_found() -> None:
    rng = np.random.default_rng(1)
    shape = rng.dirichlet(np.ones(6) * 4)
    for k in (20.0, 200.0):
        counts = dirichlet_multinomial(k, 500, 3000, rng, shape)
        _, weight = shrink(counts, np.tile(shape, (3000, 1)), GRID, np.zeros(3000))
        # the margins are the tables' own, so that only interactions tell
        assert 500 / weight[0] - 500 == pytest.approx(k, rel=0.15)


def test_tables_that_differ_by_chance_alone_follow_the_shape_above() -> None:
    rng = np.random.default_rng(2)
    shape = np.array([0.3, 0.1, 0.1, 0.1, 0.2, 0.2])
    counts = rng.multinomial(50, shape, 200).astype(float)
    tables, weight = shrink(counts, np.tile(shape, (200, 1)), GRID, np.zeros(200))
    assert weight.max() < 0.06
    apart = np.abs(odds(tables) - odds(shape))
    assert np.median(apart) < 0.1


def test_shrunk_interactions_come_nearer_to_the_truth_than_either() -> None:
    rng = np.random.default_rng(3)
    above = np.array([0.3, 0.1, 0.1, 0.1, 0.2, 0.2])
    true = rng.dirichlet(60 * above, 800)
    counts = np.array([rng.multinomial(60, p) for p in true]).astype(float)
    tables, weight = shrink(counts, np.tile(above, (800, 1)), GRID, np.zeros(800))
    assert 0.3 < weight[0] < 0.7
    exact = odds(true)
    error = {
        "shrunk": np.abs(odds(tables) - exact).mean(),
        "above": np.abs(odds(above) - exact).mean(),
        "own": np.abs(odds(counts + 0.5) - exact).mean(),
    }
    assert error["shrunk"] < 0.92 * min(error["above"], error["own"])


def test_a_census_of_the_class_is_left_as_it_is_but_for_one_person() -> None:
    rng = np.random.default_rng(4)
    counts = dirichlet_multinomial(200.0, 1000, 50, rng, EVEN)
    share = np.zeros(50)
    share[0] = 1.0
    tables, weight = shrink(counts, np.tile(EVEN, (50, 1)), GRID, share)
    assert weight[0] == pytest.approx(1000 / 1001)
    assert tables[0] == pytest.approx(counts[0] / 1000, abs=1e-3)
    assert weight[1] < 0.95


def test_a_table_without_people_and_one_in_a_single_cell() -> None:
    above = np.array([0.3, 0.1, 0.1, 0.1, 0.2, 0.2])
    counts = np.zeros((3, 6))
    counts[1, 1] = 4
    counts[2] = [30, 0, 0, 0, 20, 20]
    tables, weight = shrink(counts, np.tile(above, (3, 1)), GRID, np.zeros(3))
    assert weight[0] == 0
    assert tables[0] == pytest.approx(above)
    assert (tables > 0).all()
    assert tables.sum(axis=1) == pytest.approx(np.ones(3))


def test_margins_are_the_table_s_own_and_interactions_those_above() -> None:
    above = np.array([0.3, 0.1, 0.1, 0.1, 0.2, 0.2])
    counts = np.array([[5.0, 7.0, 0.0, 1.0, 0.0, 0.0]])
    shape = with_margins_of(counts, above[None], GRID)[0]
    assert odds(shape) == pytest.approx(odds(above), rel=1e-8)
    assert shape.reshape(2, 3).sum(axis=1) == pytest.approx((np.array([12, 1]) + above.reshape(2, 3).sum(axis=1)) / 14)


def test_empty_cells_stay_empty() -> None:
    above = np.array([0.3, 0.0, 0.2, 0.1, 0.2, 0.2])
    counts = np.array([[30.0, 0.0, 10.0, 10.0, 20.0, 10.0], [3.0, 0.0, 5.0, 5.0, 2.0, 9.0]])
    tables, _ = shrink(counts, np.tile(above, (2, 1)), GRID, np.zeros(2))
    assert (tables[:, 1] == 0).all()
    assert (np.delete(tables, 1, axis=1) > 0).all()


def test_independence_leaves_empty_cells_empty() -> None:
    grid = Grid(("a", "b"), (pd.Series([1.0, 2.0]), pd.Series([1.0, 2.0])))
    shape = independence(np.array([6.0, 2.0, 2.0, 0.0]), grid, np.array([False, False, False, True]))
    assert shape == pytest.approx(np.array([64.0, 16.0, 16.0, 0.0]) / 96)
