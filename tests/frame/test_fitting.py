"""Raking against a plain loop, on hundreds of areas."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from placewise.frame.fitting import Fitted, Tables, fit_tables
from placewise.frame.grid import Grid

DIMS = {"sex": 2, "age": 4, "tenure": 3}
MARGINS = (("age",), ("sex", "tenure"), ("tenure", "age"), ("sex",))
GRID = Grid(tuple(DIMS), tuple(pd.Series(np.arange(float(n))) for n in DIMS.values()))


def plain(seed: np.ndarray, wanted: Sequence[tuple[tuple[int, ...], np.ndarray]], sweeps: int = 3000) -> np.ndarray:
    """Iterative proportional fitting of one table by numpy's own sums over axes."""
    table = seed.copy()
    for _ in range(sweeps):
        worst = 0.0
        for axes, target in wanted:
            others = tuple(a for a in range(table.ndim) if a not in axes)
            have = table.sum(axis=others, keepdims=True)
            factor = np.divide(target.reshape(have.shape), have, out=np.zeros_like(have), where=have > 0)
            worst = max(worst, float(np.abs(factor[have > 0] - 1).max(initial=0.0)))
            table = table * factor
        if worst < 1e-14:
            break
    return table


def problem(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Seeds of 12 groups with empty cells, areas' groups, and tables that exist: rare kinds of people, empty cells."""
    seed = rng.gamma(0.6, 1.0, (12, GRID.size))
    seed[:, rng.choice(GRID.size, 3, replace=False)] = 0.0
    group = rng.integers(0, len(seed), n)
    true = rng.poisson(40 * seed[group] * rng.gamma(2.0, 0.5, (n, GRID.size))).astype(float)
    true[np.arange(n), seed[group].argmax(axis=1)] += 1
    return seed, group, true


def layout(margins: Sequence[tuple[str, ...]], grid: Grid = GRID) -> tuple[np.ndarray, np.ndarray]:
    """Columns that cells belong to, and where each margin's begin."""
    sizes = [grid.of(m).size for m in margins]
    begin = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return np.array([grid.places(m) + b for m, b in zip(margins, begin[:-1], strict=True)]), begin


def totals(true: np.ndarray, category: np.ndarray, columns: int) -> np.ndarray:
    target = np.zeros((len(true), columns))
    for places in category:
        for cell, column in enumerate(places):
            target[:, column] += true[:, cell]
    return target


def fitted(
    seed: np.ndarray,
    group: np.ndarray,
    true: np.ndarray,
    margins: Sequence[tuple[str, ...]] = MARGINS,
    threads: int = 2,
    grid: Grid = GRID,
) -> Fitted:
    category, begin = layout(margins, grid)
    tables = Tables(seed, group, category, begin, np.arange(grid.size))
    target = totals(true, category, int(begin[-1]))
    return fit_tables(tables, target, true.sum(axis=1), tolerance=1e-13, threads=threads)


def dense(found: Fitted, cells: int) -> np.ndarray:
    table = np.zeros((len(found.indptr) - 1, cells))
    table[np.repeat(np.arange(len(table)), np.diff(found.indptr)), found.cell] = found.count
    return table


def test_hundreds_of_areas_equal_a_plain_loop() -> None:
    seed, group, true = problem(400, np.random.default_rng(20211))
    found = fitted(seed, group, true)
    table = dense(found, GRID.size)
    converged = found.sweeps > 0
    assert converged.mean() > 0.95
    shape = tuple(DIMS.values())
    for i in np.flatnonzero(converged):
        wanted = []
        for margin in MARGINS:
            axes = tuple(sorted(GRID.variables.index(v) for v in margin))
            others = tuple(a for a in range(3) if a not in axes)
            wanted.append((axes, true[i].reshape(shape).sum(axis=others)))
        expected = plain(seed[group[i]].reshape(shape), wanted).ravel()
        assert np.abs(table[i] - expected).max() <= 1e-10 * max(1.0, expected.max())
    assert found.error[converged].max() < 1e-12


def test_any_number_of_threads_gives_the_same_bits() -> None:
    seed, group, true = problem(5000, np.random.default_rng(8))
    one, three = fitted(seed, group, true, threads=1), fitted(seed, group, true, threads=3)
    for name in ("indptr", "cell", "count", "sweeps", "error", "moved", "where"):
        assert (getattr(one, name) == getattr(three, name)).all()


def test_the_order_of_margins_and_categories_decides_nothing() -> None:
    rng = np.random.default_rng(5)
    seed, group, true = problem(200, rng)
    base = dense(fitted(seed, group, true), GRID.size)
    turned = dense(fitted(seed, group, true, MARGINS[::-1]), GRID.size)
    exact = fitted(seed, group, true).sweeps > 0
    assert turned[exact] == pytest.approx(base[exact], rel=1e-9, abs=1e-9)
    # categories of every variable in another order, and the variables too
    order = {name: rng.permutation(n) for name, n in DIMS.items()}
    names = ("tenure", "sex", "age")
    grid = Grid(names, tuple(pd.Series(order[n].astype(float)) for n in names))
    mesh = np.meshgrid(*(order[n] for n in names), indexing="ij")
    at = {n: m.ravel() for n, m in zip(names, mesh, strict=True)}
    old = np.ravel_multi_index(tuple(at[n] for n in DIMS), tuple(DIMS.values()))
    moved = dense(fitted(seed[:, old], group, true[:, old], MARGINS, grid=grid), grid.size)
    assert moved[exact] == pytest.approx(base[exact][:, old], rel=1e-9, abs=1e-9)
