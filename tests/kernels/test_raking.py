"""Raking: closed forms, and what may not matter."""

from __future__ import annotations

import numpy as np
import pytest

from placewise.kernels.raking import LANES, UNSAID, count_support, rake_areas

SHAPE = (2, 3)
CATEGORY = np.array([[0, 0, 0, 1, 1, 1], [2, 3, 4, 2, 3, 4]])
BEGIN = np.array([0, 2, 5])
SQUARE = np.array([[0, 0, 1, 1], [2, 3, 2, 3]])


def raked(
    seed: np.ndarray,
    target: np.ndarray,
    category: np.ndarray = CATEGORY,
    begin: np.ndarray = BEGIN,
    *,
    group: np.ndarray | None = None,
    keep: np.ndarray | None = None,
    sweeps: int = 1024,
) -> dict[str, np.ndarray]:
    """Raked tables written out, with what the kernel tells of each area."""
    n, cells = len(target), category.shape[1]
    group = np.arange(n) if group is None else group
    keep = np.arange(cells) if keep is None else keep
    people = np.where(target[:, : begin[1]] < 0, 0.0, target[:, : begin[1]]).sum(axis=1)
    people = np.where(people > 0, people, np.maximum(target[:, begin[1] :], 0.0).sum(axis=1))
    areas = np.zeros(keep.max() + 1, dtype=np.int64)
    size = count_support(seed, group, category, target, keep, areas)
    indptr = np.concatenate([[0], np.cumsum(size)])
    cell, count = np.empty(indptr[-1], dtype=np.int32), np.empty(indptr[-1])
    done, where = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    error, moved = np.zeros(n), np.zeros(n)
    rake_areas(
        0, n, seed, group, category, begin, target, people, keep, 1e-12, sweeps, indptr, cell, count, done, error,
        moved, where,
    )  # fmt: skip
    table = np.zeros((n, keep.max() + 1))
    table[np.repeat(np.arange(n), size), cell] = count
    return {"table": table, "sweeps": done, "error": error, "moved": moved, "where": where, "areas": areas}


def random_areas(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Seeds, and margins of tables that exist, some categories empty."""
    true = rng.poisson(rng.gamma(0.7, 10.0, (n, 6))).astype(float)
    true[:, 0] += 1
    target = np.concatenate([true.reshape(n, 2, 3).sum(axis=2), true.reshape(n, 2, 3).sum(axis=1)], axis=1)
    return rng.gamma(1.0, 1.0, (n, 6)), target


def test_a_uniform_seed_gives_the_product_of_the_margins() -> None:
    target = np.array([[30.0, 10.0, 8.0, 12.0, 20.0]])
    found = raked(np.ones((1, 6)), target)
    assert found["table"][0] == pytest.approx(np.outer([30, 10], [8, 12, 20]).ravel() / 40, rel=1e-14)
    assert found["error"][0] < 1e-12


def test_odds_ratios_of_the_seed_are_kept() -> None:
    seed = np.array([[4.0, 1.0, 2.0, 3.0, 5.0, 1.0]])
    table = raked(seed, np.array([[25.0, 75.0, 20.0, 50.0, 30.0]]))["table"][0].reshape(SHAPE)
    start = seed.reshape(SHAPE)
    odds, before = (t[0, :-1] * t[1, 1:] / (t[0, 1:] * t[1, :-1]) for t in (table, start))
    assert odds == pytest.approx(before, rel=1e-11)
    assert table.sum(axis=1) == pytest.approx([25, 75], rel=1e-11)
    assert table.sum(axis=0) == pytest.approx([20, 50, 30], rel=1e-11)


def test_empty_cells_and_categories_stay_empty() -> None:
    seed = np.array([[1.0, 0.0, 1.0, 1.0, 1.0, 1.0]])
    found = raked(seed, np.array([[10.0, 10.0, 8.0, 12.0, 0.0]]))
    assert np.flatnonzero(found["table"][0] == 0).tolist() == [1, 2, 5]
    assert found["areas"].tolist() == [1, 0, 0, 1, 1, 0]


def test_a_silent_margin_leaves_its_variable_to_the_seed() -> None:
    seed = np.array([[1.0, 1.0, 2.0, 3.0, 0.0, 1.0]])
    found = raked(seed, np.array([[8.0, 4.0, UNSAID, UNSAID, UNSAID]]))
    assert found["table"][0] == pytest.approx([2, 2, 4, 3, 0, 1])


def test_contradicting_margins_meet_at_their_geometric_mean() -> None:
    """On a diagonal both margins are the cells: the sum of the two divergences is least at √(r c)."""
    row, column = np.array([60.0, 40.0]), np.array([55.0, 45.0])
    found = raked(np.array([[1.0, 0.0, 0.0, 1.0]]), np.array([[*row, *column]]), SQUARE, np.array([0, 2, 4]))
    nearest = np.sqrt(row * column)
    expected = 100 * nearest / nearest.sum()
    assert found["sweeps"][0] == 0
    assert found["table"][0][[0, 3]] == pytest.approx(expected, rel=1e-7)
    assert found["moved"][0] == pytest.approx(np.abs([*(expected - row), *(expected - column)]).max(), rel=1e-6)


def test_a_category_that_the_seed_lacks_is_told_by_where_it_is_missed() -> None:
    seed = np.array([[1.0, 1.0, 0.0, 1.0, 1.0, 0.0]])
    found = raked(seed, np.array([[10.0, 10.0, 6.0, 4.0, 10.0]]))
    assert found["sweeps"][0] == 0
    assert found["moved"][0] == pytest.approx(10)
    assert found["where"][0] == 4


def test_a_limit_at_the_edge_is_reached_slowly_and_reconciled() -> None:
    """The only table with these margins has a cell that the seed fills empty: errors fall as one over the sweeps."""
    found = raked(np.array([[1.0, 0.0, 1.0, 1.0]]), np.full((1, 4), 5.0), SQUARE, np.array([0, 2, 4]))
    assert found["sweeps"][0] == 0
    assert 0 < found["moved"][0] < 0.02
    assert found["table"][0].sum() == pytest.approx(10, rel=1e-12)


def test_neighbours_in_a_tile_decide_nothing() -> None:
    rng = np.random.default_rng(11)
    seed, target = random_areas(3 * LANES + 5, rng)
    # one area of each tile whose margins contradict each other keeps the tile busy
    seed[::LANES] = [1, 0, 0, 0, 1, 1]
    together = raked(seed, target)
    order = rng.permutation(len(target))
    moved = raked(seed[order], target[order])
    for name in ("table", "sweeps", "error", "moved"):
        assert (moved[name] == together[name][order]).all()
    for i in (0, 1, LANES + 3, len(target) - 1):
        assert (raked(seed[[i]], target[[i]])["table"][0] == together["table"][i]).all()


def test_scale_of_seed_and_margins() -> None:
    rng = np.random.default_rng(3)
    seed, target = random_areas(50, rng)
    base = raked(seed, target)["table"]
    assert (raked(seed * 4.0, target)["table"] == base).all()
    assert raked(seed, target * 7.0)["table"] == pytest.approx(7.0 * base, rel=1e-10, abs=1e-9)


def test_cells_are_summed_over_what_is_not_kept() -> None:
    rng = np.random.default_rng(4)
    seed, target = random_areas(20, rng)
    full = raked(seed, target)["table"]
    keep = np.array([0, 1, 1, 0, 1, 1])
    kept = raked(seed, target, keep=keep)["table"]
    assert kept == pytest.approx(np.column_stack([full[:, keep == k].sum(axis=1) for k in (0, 1)]), rel=1e-14)


def test_groups_share_a_seed() -> None:
    rng = np.random.default_rng(5)
    seed, target = random_areas(6, rng)
    group = np.array([2, 0, 1, 2, 0, 0])
    assert (raked(seed[:3], target, group=group)["table"] == raked(seed[group], target)["table"]).all()
