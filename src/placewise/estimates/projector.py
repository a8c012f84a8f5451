"""Draws of any block of areas, made on demand from a predictor."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from placewise.errors import DataError, Problem
from placewise.estimates.below_link import sources_of
from placewise.estimates.cell_part import cell_part
from placewise.estimates.effects import EffectSource, Picks, picks_of, rows_of_block
from placewise.estimates.predictor import Predictor
from placewise.estimates.specific_part import specific_part
from placewise.frame.cells import people_of
from placewise.kernels.people import draw_means, draw_shares
from placewise.kernels.philox import label_hashes, stream_key
from placewise.kernels.projection import project_block
from placewise.kernels.specific import project_specific


@dataclass(frozen=True, eq=False)
class Block:
    """Draws of some areas.

    Parameters
    ----------
    values : ndarray of float32, shape (B, S)
        The estimand less the projector's ``origin``.
    chance : ndarray of float64, shape (B,)
        Variance that is chance in who lives in the area, averaged over draws; zeros for rates.
    crossed : int
        Areas × draws in which cutpoints of category-specific slopes crossed and were sorted.
    """

    values: np.ndarray
    chance: np.ndarray
    crossed: int = 0


class Projector:
    """Makes the draws of areas again, in blocks of any size and order, always the same to the last bit.

    Parameters
    ----------
    predictor : Predictor
    estimand : int
        Position in ``predictor.estimands``.
    people : bool, optional
        Draw the people of each area too; default as the predictor says. Never for a latent estimand.

    Attributes
    ----------
    origin : float
        Subtracted from the values of a block: the mean intercept for the identity link, so that single precision
        suffices wherever the scale's zero lies; else 0.

    Raises
    ------
    DataError
        Areas without people.
    """

    def __init__(self, predictor: Predictor, estimand: int = 0, people: bool | None = None) -> None:
        self.predictor = predictor
        self.estimand = predictor.estimands[estimand]
        latent = self.estimand.kind == "latent"
        self.people = (predictor.finite_population if people is None else people) and not latent
        linear = latent or self.estimand.link == "identity"
        self.origin = float(predictor.intercept.mean()) if linear else 0.0
        self._total = self._people_in_frame()
        sources = sources_of(predictor)
        # intercepts before slopes, which the kernel multiplies by their column
        over_areas = sorted((s for s in sources if s.effect.over_areas), key=lambda s: s.effect.scaled)
        self._area_effects = [s for s in over_areas if not s.effect.over_cells]
        self._mixed_effects = [s for s in over_areas if s.effect.over_cells]
        self._prepare_columns()
        self._prepare_bundles()
        self._specific = specific_part(predictor, self.estimand, self._bundle_cell)
        eta = self._cells_eta([s for s in sources if not s.effect.over_areas])
        self._part = cell_part(self.estimand, eta, None if self._specific is None else self._specific.cells)
        self._base = (predictor.intercept - self.origin + self._part.shift).astype(np.float32)
        self._key = stream_key(predictor.seed, "people")
        self._hashes = label_hashes(predictor.codes)

    @property
    def n_draws(self) -> int:
        """Number of posterior draws, S."""
        return self.predictor.n_draws

    def block(self, rows: np.ndarray) -> Block:
        """Draws of some areas.

        Parameters
        ----------
        rows : ndarray of int64, shape (B,)
            Positions in ``predictor.codes``.
        """
        p, part = self.predictor, self._part
        rate = np.empty((len(rows), self.n_draws), dtype=np.float32)
        spread = np.empty_like(rate)
        effects, area, mixed = self._effects_of(rows)
        indptr, cell, weight = self._frame_of(rows)
        x = p.area_x[rows]
        area_side = (
            self._base, np.ascontiguousarray(x[:, self._area_columns], dtype=np.float32), self._area_beta, effects,
            area.pick[:, 0], area.slope_pick[:, 0], area.slope_x[:, 0],
            self._bundle_x, np.ascontiguousarray(x[:, self._mixed_columns], dtype=np.float32), self._mixed_beta,
            mixed.pick, mixed.slope_pick, mixed.slope_x,
        )  # fmt: skip
        cell_side = (indptr, cell, weight, self._bundle, part.cells, part.constant)
        crossed = np.zeros(len(rows), dtype=np.int64)
        if self._specific is None:
            fractions = (part.coefficients, part.caps)
            project_block(part.link, part.kind, part.sign, *area_side, *cell_side, *fractions, rate, spread)
        else:
            own, found = self._specific.of(x), (part.cut_weight, rate, spread, crossed)
            project_specific(part.kind, part.sign, *area_side, *own, *cell_side, *found)
        if self.people:
            return replace(self._with_people(rows, rate, spread), crossed=int(crossed.sum()))
        return Block(rate, np.zeros(len(rows)), int(crossed.sum()))

    def _with_people(self, rows: np.ndarray, rate: np.ndarray, spread: np.ndarray) -> Block:
        """Replace rates by what a census of the areas' people would have found."""
        estimand, labels = self.estimand, self._hashes[rows]
        people = np.ascontiguousarray(self.predictor.population[rows], dtype=np.float64)
        if estimand.kind == "share":
            return Block(rate, draw_shares(self._key, labels, people, rate, spread, rate))
        if estimand.link == "identity":
            if estimand.sigma is None:
                raise ValueError("the mean of a finite population needs the persons' standard deviation")
            spread[:] = np.asarray(estimand.sigma, dtype=np.float64) ** 2
        elif estimand.link == "log":
            spread = rate.copy()
        lower, upper = estimand.lower - self.origin, estimand.upper - self.origin
        return Block(rate, draw_means(self._key, labels, people, rate, spread, lower, upper, rate))

    def _people_in_frame(self) -> np.ndarray:
        """Sum of the frame's counts in each area."""
        p = self.predictor
        total = people_of(p.indptr, p.count)
        empty = ~((total > 0) & (p.population > 0))
        if empty.any():
            first = ", ".join(str(c) for c in p.codes[empty][:10])
            raise DataError(
                Problem("areas", f"{int(empty.sum())} areas have no people: {first}", "leave them out", kind="data")
            )
        return total

    def _prepare_columns(self) -> None:
        """Sort the fixed columns by what they vary over."""
        p = self.predictor
        beta = p.beta.astype(np.float32)
        self._area_columns = np.flatnonzero(~p.cell_varies)
        self._cell_columns = np.flatnonzero(p.cell_varies & ~p.area_varies)
        self._mixed_columns = np.flatnonzero(p.cell_varies & p.area_varies)
        self._area_beta = np.ascontiguousarray(beta[self._area_columns])
        self._mixed_beta = np.ascontiguousarray(beta[self._mixed_columns])

    def _prepare_bundles(self) -> None:
        """Cells that share every factor which varies over areas too form one bundle."""
        p = self.predictor
        keys = [p.cell_x[:, k] for k in self._mixed_columns]
        effects = [s.effect for s in self._mixed_effects]
        keys += [np.asarray(e.cell_index, dtype=np.float64) for e in effects if e.cell_index is not None]
        keys += [e.cell_x for e in effects if e.cell_x is not None]
        if keys:
            _, first, inverse = np.unique(np.column_stack(keys), axis=0, return_index=True, return_inverse=True)
        else:
            first, inverse = np.zeros(1, dtype=np.int64), np.zeros(len(p.cell_x), dtype=np.int64)
        self._bundle = inverse.reshape(-1).astype(np.int64)
        self._bundle_cell = first
        self._bundle_x = np.ascontiguousarray(p.cell_x[first][:, self._mixed_columns], dtype=np.float32)

    def _cells_eta(self, sources: list[EffectSource]) -> np.ndarray:
        """The cells' part of the linear predictor, float64, shape (C, S)."""
        p = self.predictor
        eta = np.zeros((len(p.cell_x), self.n_draws))
        # column by column, not by a matrix product, whose order of summation is the library's own
        for k in self._cell_columns:
            eta += p.cell_x[:, k, None] * p.beta[k]
        for source in sources:
            eta += source.of_cells(len(eta))
        return eta

    def _effects_of(self, rows: np.ndarray) -> tuple[np.ndarray, Picks, Picks]:
        """Effects of a block: their rows, and which an area, and an area's bundle, uses."""
        one = np.zeros(1, dtype=np.int64)
        cells = [one] * len(self._area_effects) + [self._bundle_cell] * len(self._mixed_effects)
        sources = self._area_effects + self._mixed_effects
        wanted = [s.effect.positions(rows, at) for s, at in zip(sources, cells, strict=True)]
        effects, picks = rows_of_block(sources, wanted, self.n_draws)
        n = len(self._area_effects)
        area = picks_of(self._area_effects, picks[:n], rows, one)
        return effects, area, picks_of(self._mixed_effects, picks[n:], rows, self._bundle_cell)

    def _frame_of(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The frame of a block: entries sorted by bundle within an area, weights that sum to 1."""
        p = self.predictor
        size = p.indptr[rows + 1] - p.indptr[rows]
        indptr = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
        entry = np.arange(indptr[-1]) + np.repeat(p.indptr[rows] - indptr[:-1], size)
        cell = p.cell[entry].astype(np.int32)
        weight = (p.count[entry] / np.repeat(self._total[rows], size)).astype(np.float32)
        if len(self._bundle_cell) > 1:
            order = np.lexsort((self._bundle[cell], np.repeat(np.arange(len(rows)), size)))
            cell, weight = cell[order], weight[order]
        return indptr, np.ascontiguousarray(cell), np.ascontiguousarray(weight)
