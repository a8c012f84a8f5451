"""A nested chain of groups as a forest: who is whose parent, and which core coefficients each node's rows meet."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from placewise.kernels.compile import kernel


class Chain(NamedTuple):
    """Nodes of a nested chain, the leaves first, then their parents, and so on; each level in the leaves' order.

    Parameters
    ----------
    first : ndarray of int64, shape (levels + 1,)
        First node of each level, finest first, and the number of nodes.
    parent : ndarray of int64, shape (nodes,)
        -1 at the coarsest level.
    closes : ndarray of int64, shape (leaves,)
        How many levels above the leaf end with it.
    ptr : ndarray of int64, shape (nodes + 1,), col : ndarray of int32
        Core coefficients behind the first p that a node's rows meet, increasing.
    """

    first: np.ndarray
    parent: np.ndarray
    closes: np.ndarray
    ptr: np.ndarray
    col: np.ndarray

    @property
    def n_leaves(self) -> int:
        """Leaves; one stands for all rows where there is no chain."""
        return len(self.closes)


def build_chain(levels: list[np.ndarray], entries: np.ndarray, n_core: int) -> Chain:
    """Nodes and their patterns.

    Parameters
    ----------
    levels : list of ndarray of int64, shape (m,)
        Position of each row in each level of the chain, finest first; rows sorted by the coarsest, then the next, …
        and positions numbered in that order from 0.
    entries : ndarray of int32, shape (m, J)
        Core coefficients that each row meets; negative ones stand for none.
    n_core : int
        Number of core coefficients, Q.
    """
    sizes = [int(at.max()) + 1 for at in levels]
    first = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)
    parent = np.full(first[-1], -1, dtype=np.int64)
    for depth in range(len(levels) - 1):
        parent[first[depth] + levels[depth]] = first[depth + 1] + levels[depth + 1]
    closes = np.zeros(sizes[0] if sizes else 1, dtype=np.int64)
    for depth in range(1, len(levels)):
        last = np.zeros(sizes[depth], dtype=np.int64)
        last[levels[depth]] = levels[0]
        closes[last] += 1
    pairs = []
    if levels:
        at = np.repeat(levels[0], entries.shape[1]) * n_core + entries.ravel()
        own = np.unique(at[entries.ravel() >= 0])
        for depth in range(len(levels)):
            node, col = own // n_core + first[depth], own % n_core
            pairs.append(np.column_stack([node, col]))
            if depth + 1 < len(levels):
                own = np.unique((parent[node] - first[depth + 1]) * n_core + col)
    found = np.concatenate(pairs) if pairs else np.empty((0, 2), dtype=np.int64)
    ptr = np.searchsorted(found[:, 0], np.arange(first[-1] + 1)).astype(np.int64)
    return Chain(first, parent, closes, ptr, np.ascontiguousarray(found[:, 1], dtype=np.int32))


def parts_of(chain: Chain, rows_start: np.ndarray, count: int) -> np.ndarray:
    """Ends of runs of leaves with about the same number of rows, none of which divides a node; shape (count + 1,)."""
    n = chain.n_leaves
    whole = np.flatnonzero(chain.closes == max(len(chain.first) - 2, 0)) + 1 if len(chain.first) > 1 else np.array([n])
    wanted = rows_start[-1] * np.arange(1, count) / count
    inner = whole[np.minimum(np.searchsorted(rows_start[whole], wanted), len(whole) - 1)]
    return np.concatenate([[0], inner, [n]]).astype(np.int64)


@kernel
def add_up(chain: Chain, values: np.ndarray) -> None:
    """Add to each node's value those of all its descendants, in place; shape (nodes,)."""
    for node in range(len(values)):
        if chain.parent[node] >= 0:
            values[chain.parent[node]] += values[node]


@kernel
def pass_down(chain: Chain, values: np.ndarray) -> None:
    """Add to each node's values those of all its ancestors, in place; shape (nodes, R)."""
    for node in range(len(values) - 1, -1, -1):
        if chain.parent[node] >= 0:
            for r in range(values.shape[1]):
                values[node, r] += values[chain.parent[node], r]
