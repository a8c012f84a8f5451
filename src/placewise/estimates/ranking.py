"""Ranks within each draw and the mean order statistics, exactly where memory allows, else from a sketch."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Protocol

import numpy as np

from placewise.kernels.ranks import (
    add_to_sketch,
    place_bins,
    ranks_of_sorted,
    sketch_bins,
    sketch_order,
    sketch_ranks,
    widen,
)

EXACT_VALUES = 100_000_000  # areas × draws kept in memory at once, 4 bytes each
_BINS = 32_768
_CELLS = 512  # pieces in which the bins are laid
_TILE = 16  # draws sorted at a time; fixed, since order statistics are summed tile by tile


class Ranking(Protocol):
    """Ranks of one set of areas.

    Attributes
    ----------
    common : bool
        Whether ranks are read from what all areas have in common, rather than known for each area.
    """

    common: bool

    def add(self, values: np.ndarray, member: np.ndarray) -> None:
        """Take in the members among the next areas; values float32 (B, S), member bool (B,)."""

    def finish(self, pool: Executor) -> None:
        """All areas are in."""

    def ranks(self, values: np.ndarray, first: int) -> np.ndarray:
        """Ascending ranks, float32 (b, S), of members ``first``, ``first + 1``, … whose values are given again."""

    def part(self, first: int, stop: int) -> Ranking:
        """What is needed to rank these members: to it the first of them is number 0, unless it is ``common``."""

    @property
    def order_statistics(self) -> np.ndarray:
        """Mean over draws of the smallest, second smallest, … value; float64, shape (n,)."""


class ExactRanking:
    """Keeps every value and sorts every draw.

    Parameters
    ----------
    values : ndarray of float32, shape (n, S)
        Filled by ``add``, or already full; overwritten by the ranks.
    filled : bool
        Whether ``values`` holds all areas already.
    """

    common = False

    def __init__(self, values: np.ndarray, filled: bool = False) -> None:
        self._values = values
        self._next = len(values) if filled else 0
        self._order = np.zeros(len(values))

    def add(self, values: np.ndarray, member: np.ndarray) -> None:
        """See :class:`Ranking`."""
        stop = self._next + int(member.sum())
        self._values[self._next : stop] = values[member]
        self._next = stop

    def finish(self, pool: Executor) -> None:
        """See :class:`Ranking`."""
        tiles = range(0, self._values.shape[1], _TILE)
        for part in pool.map(self._rank_tile, tiles):
            self._order += part
        self._order /= self._values.shape[1]

    def _rank_tile(self, start: int) -> np.ndarray:
        """Rank some draws in place; the sum of their order statistics."""
        here = self._values[:, start : start + _TILE]
        tile = np.ascontiguousarray(here.T)
        order = np.argsort(tile, axis=1)
        ordered = np.take_along_axis(tile, order, axis=1)
        ranks_of_sorted(order, ordered, here)
        total = np.zeros(ordered.shape[1])
        for draw in ordered:
            total += draw
        return total

    def ranks(self, values: np.ndarray, first: int) -> np.ndarray:
        """See :class:`Ranking`."""
        return self._values[first : first + len(values)].copy()

    def part(self, first: int, stop: int) -> Ranking:
        """See :class:`Ranking`."""
        return ExactRanking(self._values[first:stop], filled=True)

    @property
    def order_statistics(self) -> np.ndarray:
        """See :class:`Ranking`."""
        return self._order


class SketchRanking:
    """A histogram of each draw: n areas × S draws in 128 kB a draw, ranks within n / 4096.

    Parameters
    ----------
    pilot : ndarray of float32, shape (m, S)
        Draws of some thousand of the areas, from which the bins are placed.
    """

    common = True

    def __init__(self, pilot: np.ndarray) -> None:
        pilot = np.ascontiguousarray(pilot)
        low, middle, high = np.quantile(pilot, [0.16, 0.5, 0.84], axis=0)
        sd = pilot.std(axis=0, dtype=np.float64)
        half = np.where(high > low, (high - low) / 2, np.where(sd > 0, sd, 1.0))
        self._centre = middle.astype(np.float32)
        self._scale = (0.5 / half).astype(np.float32)
        self._table = np.empty((pilot.shape[1], _CELLS + 1), dtype=np.float32)
        place_bins(pilot, self._centre, self._scale, self._table, _BINS)
        n_draws = pilot.shape[1]
        self._counts = np.zeros((n_draws, _BINS + 1), dtype=np.uint32)
        self._low = np.full(n_draws, np.inf, dtype=np.float32)
        self._high = np.full(n_draws, -np.inf, dtype=np.float32)
        self._order = np.zeros(0)

    def add(self, values: np.ndarray, member: np.ndarray) -> None:
        """See :class:`Ranking`."""
        add_to_sketch(self._bins_of(values), member, self._counts)
        widen(values, member, self._low, self._high)

    def _bins_of(self, values: np.ndarray) -> np.ndarray:
        """Bin of each value."""
        bins = np.empty(values.shape, dtype=np.uint16)
        sketch_bins(values, self._centre, self._scale, self._table, _BINS, bins)
        return bins

    def finish(self, pool: Executor) -> None:
        """See :class:`Ranking`."""
        np.cumsum(self._counts, axis=1, out=self._counts)
        n = int(self._counts[0, -1])
        self._order = np.zeros(n)
        step = 64  # fixed, since the parts are summed in their order
        starts = range(0, len(self._counts), step)
        for part in pool.map(lambda a: self._order_of(a, a + step, n), starts):
            self._order += part
        self._order /= len(self._counts)

    def _order_of(self, start: int, stop: int, n: int) -> np.ndarray:
        """Sum of the order statistics of some draws."""
        total, s = np.zeros(n), slice(start, stop)
        sketch_order(
            self._counts[s], self._centre[s], self._scale[s], self._table[s], self._low[s], self._high[s], total
        )
        return total

    def ranks(self, values: np.ndarray, first: int) -> np.ndarray:
        """See :class:`Ranking`."""
        out = np.empty_like(values)
        sketch_ranks(self._bins_of(values), self._counts, out)
        return out

    def part(self, first: int, stop: int) -> Ranking:
        """See :class:`Ranking`."""
        return self

    @property
    def order_statistics(self) -> np.ndarray:
        """See :class:`Ranking`."""
        return self._order


def triple_goal(order_statistics: np.ndarray, mean_rank: np.ndarray) -> np.ndarray:
    """Mean order statistics, assigned by posterior mean rank (Shen and Louis 1998).

    Parameters
    ----------
    order_statistics : ndarray of float64, shape (n,)
        Ascending.
    mean_rank : ndarray of float64, shape (n,)
        Ascending mean ranks; equal ones keep the areas' order.
    """
    out = np.empty_like(order_statistics)
    out[np.argsort(mean_rank, kind="stable")] = order_statistics
    return out
