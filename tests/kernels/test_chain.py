"""A small forest by hand, and sums up and down it."""

from __future__ import annotations

import numpy as np
import pytest

from placewise.kernels.chain import add_up, build_chain, parts_of, pass_down

# five leaves in three wards in two counties; a row of leaf 4 meets no further coefficient
LEAF = np.array([0, 0, 1, 2, 3, 3, 4])
WARD = np.array([0, 0, 0, 1, 1, 1, 2])
COUNTY = np.array([0, 0, 0, 0, 0, 0, 1])
ENTRIES = np.array([[5, -1], [6, 5], [5, -1], [7, -1], [8, 7], [7, -1], [-1, -1]], dtype=np.int32)


def test_nodes_parents_and_patterns() -> None:
    chain = build_chain([LEAF, WARD, COUNTY], ENTRIES, 10)
    assert chain.first.tolist() == [0, 5, 8, 10]
    assert chain.parent.tolist() == [5, 5, 6, 6, 7, 8, 8, 9, -1, -1]
    # the ward ends with leaf 1; ward and county with leaves 3 and 4
    assert chain.closes.tolist() == [0, 1, 0, 2, 2]
    patterns = [chain.col[a:b].tolist() for a, b in zip(chain.ptr[:-1], chain.ptr[1:], strict=True)]
    assert patterns == [[5, 6], [5], [7], [7, 8], [], [5, 6], [7, 8], [], [5, 6, 7, 8], []]


def test_no_chain_is_one_leaf_without_nodes() -> None:
    chain = build_chain([], ENTRIES, 10)
    assert chain.n_leaves == 1
    assert chain.first.tolist() == [0]
    assert len(chain.parent) == len(chain.col) == 0
    assert parts_of(chain, np.array([0, 7]), 4).tolist() == [0, 1, 1, 1, 1]


def test_sums_up_and_down() -> None:
    chain = build_chain([LEAF, WARD, COUNTY], ENTRIES, 10)
    values = np.arange(1.0, 11.0)
    up = values.copy()
    add_up(chain, up)
    assert up.tolist() == [1, 2, 3, 4, 5, 6 + 3, 7 + 7, 8 + 5, 9 + 9 + 14, 10 + 13]
    down = np.column_stack([values, -values])
    pass_down(chain, down)
    assert down[:, 0].tolist() == [1 + 6 + 9, 2 + 15, 3 + 7 + 9, 4 + 16, 5 + 8 + 10, 6 + 9, 7 + 9, 8 + 10, 9, 10]
    assert (down[:, 1] == -down[:, 0]).all()


@pytest.mark.parametrize("count", [1, 2, 4, 50])
def test_runs_divide_no_node(count: int) -> None:
    rng = np.random.default_rng(count)
    leaf = np.sort(np.concatenate([np.arange(40), rng.integers(0, 40, 160)]))
    ward = leaf // 3
    chain = build_chain([leaf, ward], np.empty((200, 0), dtype=np.int32), 0)
    start = np.searchsorted(leaf, np.arange(41))
    ends = parts_of(chain, start, count)
    assert ends[0] == 0
    assert ends[-1] == 40
    assert len(ends) == count + 1
    assert (np.diff(ends) >= 0).all()
    assert set(ends[1:-1]) <= {3 * k for k in range(14)} | {40}
    if count == 4:
        assert np.diff(start[ends]).max() < 200 / 4 + 20
