"""Effects of the levels that occur in a block of areas: posterior draws, or new draws where nobody answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from placewise.estimates.predictor import Effect
from placewise.kernels.philox import combined_normal_rows, label_hashes, normal_rows, stream_key


class EffectSource:
    """Rows of draws of one grouping factor, for any of its levels.

    Parameters
    ----------
    effect : Effect
        Posterior draws and the group's standard deviation.
    seed : int
        Seed of levels that must be drawn; their numbers depend on it, the group's name, the level's label and the
        draw, and on nothing else but, where effects are correlated, the names of those before.
    """

    def __init__(self, effect: Effect, seed: int) -> None:
        self.effect = effect
        self._known = len(effect.labels)
        self._draws = np.ascontiguousarray(effect.draws, dtype=np.float32)
        self._sd = np.ascontiguousarray(effect.sd, dtype=np.float64)
        self._key = stream_key(seed, f"effect:{effect.name}")
        self._hashes = label_hashes(effect.all_labels[self._known :])
        names = (*effect.along, effect.name)
        self._keys = np.array([stream_key(seed, f"effect:{name}") for name in names], dtype=np.uint64)
        self._sd_of_class = None if effect.scale is None else np.ascontiguousarray(self._sd * effect.scale)
        self._weights = None if effect.loading is None else np.ascontiguousarray(self._sd * effect.loading.T)

    def fill(self, positions: np.ndarray, out: np.ndarray) -> None:
        """Write the draws of some levels into rows.

        Parameters
        ----------
        positions : ndarray of int64, shape (m,)
            Positions in ``all_labels``.
        out : ndarray of float32, shape (m, S)
            Filled row by row.
        """
        known = positions < self._known
        out[known] = self._draws[positions[known]]
        new = np.flatnonzero(~known)
        if len(new) and self._weights is not None:
            hashes = self._hashes[positions[new] - self._known]
            combined_normal_rows(self._keys, hashes, self._weights, out, new)
        elif len(new) and self.effect.below_sd is not None and self.effect.squares is not None:
            self._draw_linked(positions[new], self.effect.below_sd, self.effect.squares, out, new)
        elif len(new):
            self._draw(positions[new], out, new)

    def _draw(self, positions: np.ndarray, out: np.ndarray, at: np.ndarray) -> None:
        """New draws of levels beyond those with posterior draws, by class where the sd differs between classes."""
        hashes, scale_class = self._hashes[positions - self._known], self.effect.scale_class
        if self._sd_of_class is None or scale_class is None:
            normal_rows(self._key, hashes, self._sd, out, at)
            return
        kind = scale_class[positions]
        for k in np.unique(kind):
            normal_rows(self._key, hashes[kind == k], self._sd_of_class[k], out, at[kind == k])

    def _draw_linked(
        self, positions: np.ndarray, below: np.ndarray, squares: np.ndarray, out: np.ndarray, at: np.ndarray
    ) -> None:
        """New draws of mean deviations of areas, whose variance depends on how many share the level."""
        hashes = self._hashes[positions - self._known]
        for k, position in enumerate(positions):
            sd = np.sqrt(self._sd**2 + squares[position] * below**2)
            normal_rows(self._key, hashes[k : k + 1], sd, out, at[k : k + 1])

    def of_cells(self, n_cells: int) -> np.ndarray:
        """What each cell gets of a factor that does not vary over areas; shape (C, S)."""
        cells = np.arange(n_cells)
        used, inverse = np.unique(self.effect.positions(cells[:1], cells)[0], return_inverse=True)
        rows = np.empty((len(used), len(self._sd)), dtype=np.float32)
        self.fill(used.astype(np.int64), rows)
        return rows[inverse] * self.effect.multiplier(cells[:1], cells).T if self.effect.scaled else rows[inverse]


def rows_of_block(
    sources: Sequence[EffectSource], positions: Sequence[np.ndarray], n_draws: int
) -> tuple[np.ndarray, list[np.ndarray]]:
    """One table with every level that a block needs, each once.

    Parameters
    ----------
    sources : sequence of EffectSource
    positions : sequence of ndarray of int64
        For each source, positions in its ``all_labels``; any shape.
    n_draws : int

    Returns
    -------
    rows : ndarray of float32, shape (U, S)
    picks : list of ndarray of int64
        For each source, the rows of ``rows``; shapes as ``positions``.
    """
    used, picks, offset = [], [], 0
    for wanted in positions:
        unique, inverse = np.unique(wanted, return_inverse=True)
        used.append(unique.astype(np.int64))
        picks.append(inverse.reshape(wanted.shape).astype(np.int64) + offset)
        offset += len(unique)
    rows = np.empty((max(offset, 1), n_draws), dtype=np.float32)
    start = 0
    for source, unique in zip(sources, used, strict=True):
        source.fill(unique, rows[start : start + len(unique)])
        start += len(unique)
    return rows, picks


@dataclass(frozen=True, eq=False)
class Picks:
    """Which rows of a block's effects its areas use.

    Parameters
    ----------
    pick : ndarray of int64, shape (B, G, q)
        Of varying intercepts, for each area and each of G cells that stand for others.
    slope_pick, slope_x : ndarray of int64 and of float32, shape (B, G, t)
        Of varying slopes, with the value of their column.
    """

    pick: np.ndarray
    slope_pick: np.ndarray
    slope_x: np.ndarray


def picks_of(
    sources: Sequence[EffectSource], picks: Sequence[np.ndarray], rows: np.ndarray, cells: np.ndarray
) -> Picks:
    """Stack the picks of effects, intercepts first, for areas (B,) and cells (G,)."""
    shape, n = (len(rows), len(cells)), sum(not s.effect.scaled for s in sources)
    slope_x = np.empty((*shape, len(sources) - n), dtype=np.float32)
    for k, source in enumerate(sources[n:]):
        slope_x[:, :, k] = source.effect.multiplier(rows, cells)
    return Picks(_stacked(picks[:n], shape), _stacked(picks[n:], shape), slope_x)


def _stacked(picks: Sequence[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    stacked = np.empty((*shape, len(picks)), dtype=np.int64)
    for k, pick in enumerate(picks):
        stacked[:, :, k] = pick
    return stacked
