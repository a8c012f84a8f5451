"""Tables of few people shrunk to the interactions of a table of more.

A class's counts x, N people in all, are taken for a draw from a Dirichlet-multinomial around p: the shape above raked
to the class's own one-way margins, so that it differs from the class in interactions alone. Where the N are a share f
of all people of the class (1 in a census), chance counts 1 − f: Pearson's statistic X² = Σ (x − N p)² / N p then has
expectation d (1 − f + (N − 1) / (1 + k)), d its degrees of freedom (Mosimann 1962, Biometrika 49, for f = 0). Summed
over the tables of a level this gives k, and the shrunk table is (x + k (1 − f) p) / (N + k (1 − f)). Where the tables
differ by no more than chance k is infinite and all follow the shape above.
"""

from __future__ import annotations

import numpy as np

from placewise.frame.fitting import Tables, fit_tables
from placewise.frame.grid import Grid

LEAST_PSEUDO = 1.0  # people: tables that never look alike are smoothed a little all the same


def shrink(counts: np.ndarray, above: np.ndarray, grid: Grid, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shrink the tables of one level of the hierarchy.

    Parameters
    ----------
    counts : ndarray of float64, shape (G, cells)
        People.
    above : ndarray of float64, shape (G, cells)
        The shape above each table, each row summing to 1; 0 where a cell is structurally empty.
    grid : Grid
        Of the cells.
    share : ndarray of float64, shape (G,)
        Share of the people of each class that the counts are of, 0 to 1.

    Returns
    -------
    tables : ndarray of float64, shape (G, cells)
        Shares, each row summing to 1.
    weight : ndarray of float64, shape (G,)
        Weight of the own counts, N / (N + k (1 − f)).
    """
    people = counts.sum(axis=1)
    shape = with_margins_of(counts, above, grid)
    expected = people[:, None] * shape
    gap = (counts - expected) ** 2
    statistic = np.divide(gap, expected, out=np.zeros_like(gap), where=expected > 0).sum(axis=1)
    freedom = np.maximum((above > 0).sum(axis=1) - 1 - sum(size - 1 for size in grid.shape), 0)
    weight = np.zeros(len(counts))
    found = people > 0
    beyond_chance = float((statistic - freedom * (1 - share))[found].sum())
    if beyond_chance > 0 and freedom.any():
        pseudo = float((freedom * (people - 1))[found].sum()) / beyond_chance - 1
        weight = people / (people + np.maximum(pseudo * (1 - share), LEAST_PSEUDO))
    own = counts / np.where(found, people, 1.0)[:, None]
    return weight[:, None] * own + (1 - weight)[:, None] * shape, weight


def with_margins_of(counts: np.ndarray, above: np.ndarray, grid: Grid) -> np.ndarray:
    """Shapes raked to the one-way margins of counts, to which one person of the shape is added: no category is empty.

    Parameters and result as ``above`` in :func:`shrink`.
    """
    begin = np.concatenate([[0], np.cumsum(grid.shape)]).astype(np.int64)
    category = np.array([grid.places([v]) + b for v, b in zip(grid.variables, begin[:-1], strict=True)])
    target = np.zeros((len(counts), int(begin[-1])))
    for places in category:
        for cell, column in enumerate(places):
            target[:, column] += counts[:, cell] + above[:, cell]
    tables = Tables(
        np.ascontiguousarray(above), np.arange(len(counts)), category, begin, np.arange(grid.size, dtype=np.int64)
    )
    fitted = fit_tables(tables, target, counts.sum(axis=1) + 1)
    shape = np.zeros_like(above)
    shape[np.repeat(np.arange(len(counts)), np.diff(fitted.indptr)), fitted.cell] = fitted.count
    return np.asarray(shape / shape.sum(axis=1, keepdims=True))


def independence(counts: np.ndarray, grid: Grid, empty: np.ndarray) -> np.ndarray:
    """Shape of the table (cells,) in which variables are independent, with some cells empty; sums to 1."""
    shape = np.ones(grid.size)
    for name in grid.variables:
        at = grid.places([name])
        margin = np.bincount(at, weights=counts)
        shape *= margin[at] / counts.sum()
    shape[empty] = 0.0
    return np.asarray(shape / shape.sum())
