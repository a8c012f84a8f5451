"""All that is needed to draw any set of areas again: posterior draws, design, generator. Arrays only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Link = Literal["logit", "identity", "log"]
Kind = Literal["share", "mean", "latent"]


@dataclass(frozen=True, eq=False)
class Effect:
    """Draws of one grouping factor's effects, and how areas and cells find theirs.

    Parameters
    ----------
    name : str
        Group name; part of the key of effects that must be drawn.
    labels : tuple of str
        Levels with posterior draws.
    draws : ndarray of float32, shape (len(labels), S)
        Posterior draws on the link scale.
    sd : ndarray of float64, shape (S,)
        The group's standard deviation: a level beyond ``labels`` is drawn as N(0, sd²), keyed by the seed, the group's
        name, a hash of the level's label and the draw.
    all_labels, area_index, cell_index, lookup
        As in ``placewise.models.design.Group``.
    area_x : ndarray of float64, shape (A,), cell_x : ndarray of float64, shape (C,), or None
        The column whose slope varies: the effect counts ``area_x[a] * cell_x[c]`` times; None stands for 1.
    along : tuple of str
        Effects of the same levels that this one is correlated with and that come before it.
    loading : ndarray of float64, shape (S, len(along) + 1), or None
        Its row of the Cholesky factor of their correlations: a level beyond ``labels`` is drawn as sd times the sum
        of the standard normals of ``along`` and of its own, so weighted. None where ``along`` is empty.
    met : ndarray of bool, shape (len(labels),), or None
        Whether a level has respondents; None where all of ``labels`` have.
    scale : ndarray of float64, shape (classes, S), or None
        Multipliers of ``sd`` where it differs by class; None where it does not.
    scale_class : ndarray of int64, shape (len(all_labels),), or None
        Class of each level; goes with ``scale``.
    below_sd : ndarray of float64, shape (S,), or None
        Where respondents are linked at this effect's levels, above the area: the sd of the areas inside. The effect is
        the mean deviation of the areas of a level, and a level beyond ``labels`` has variance sd² + below_sd² squares.
    squares : ndarray of float64, shape (len(all_labels),), or None
        Sum of the areas' squared shares of each level's population; goes with ``below_sd``.
    within : str
        Name of the effect at whose levels respondents are linked, where this one is that of the areas inside: their
        deviations from the level's effect, given that effect. Empty elsewhere.
    parent : ndarray of int64, shape (len(all_labels),), or None
        Position of each area in ``all_labels`` of ``within``; every area of a level is there.
    share : ndarray of float64, shape (len(all_labels),), or None
        Each area's share of its level's population.
    """

    name: str
    labels: tuple[str, ...]
    draws: np.ndarray
    sd: np.ndarray
    all_labels: tuple[str, ...]
    area_index: np.ndarray | None
    cell_index: np.ndarray | None
    lookup: np.ndarray
    area_x: np.ndarray | None = None
    cell_x: np.ndarray | None = None
    along: tuple[str, ...] = ()
    loading: np.ndarray | None = None
    met: np.ndarray | None = None
    scale: np.ndarray | None = None
    scale_class: np.ndarray | None = None
    below_sd: np.ndarray | None = None
    squares: np.ndarray | None = None
    within: str = ""
    parent: np.ndarray | None = None
    share: np.ndarray | None = None

    @property
    def over_areas(self) -> bool:
        """Whether it differs between areas."""
        return self.area_index is not None or self.area_x is not None

    @property
    def over_cells(self) -> bool:
        """Whether it differs between cells."""
        return self.cell_index is not None or self.cell_x is not None

    @property
    def scaled(self) -> bool:
        """Whether it is the varying slope of a column."""
        return self.area_x is not None or self.cell_x is not None

    def positions(self, areas: np.ndarray, cells: np.ndarray) -> np.ndarray:
        """Positions in ``all_labels`` of some areas (B,) and cells (G,); shape (B, G)."""
        row = np.zeros(len(areas), dtype=np.int64) if self.area_index is None else self.area_index[areas]
        column = np.zeros(len(cells), dtype=np.int64) if self.cell_index is None else self.cell_index[cells]
        found: np.ndarray = self.lookup[row[:, None], column[None, :]]
        return found

    def multiplier(self, areas: np.ndarray, cells: np.ndarray) -> np.ndarray:
        """How many times the effect counts for some areas (B,) and cells (G,); shape (B, G)."""
        area = np.ones(len(areas)) if self.area_x is None else self.area_x[areas]
        cell = np.ones(len(cells)) if self.cell_x is None else self.cell_x[cells]
        product: np.ndarray = area[:, None] * cell[None, :]
        return product


@dataclass(frozen=True, eq=False)
class Estimand:
    """What is predicted from the linear predictor η.

    For the logit link the value of a person is ``constant + Σ_j weights[j] · logit⁻¹(cuts[j] − slope · η)`` and, for a
    mean, its second moment is ``constant2 + Σ_j weights2[j] · logit⁻¹(cuts[j] − slope · η)``. A binary share is
    ``constant=1, weights=[-1], cuts=zeros(1, S)``. For the other links cuts and weights are empty: the value is η or
    exp(η).

    Parameters
    ----------
    name : str
        Empty for the primary estimand, else its name in the model file.
    kind : {"share", "mean", "latent"}
        ``share``: a proportion with person variance g(1 − g). ``mean``: a mean with variance from the second moment
        (logit), ``sigma²`` (identity) or λ (log). ``latent``: η itself, no finite population.
    weights, weights2 : ndarray of float64, shape (J,) or (J, S)
        The same in all draws, or of each; their sum is the same in all.
    deviations : ndarray of float64, shape (J, q, S), or None
        Of the slopes of the predictor's ``specific`` columns at each cut: cut j is then ``cuts[j] − Σ_k x_k
        deviations[j, k]``, and ``cuts`` holds every cutpoint of the model in order, so that those which cross in a draw
        can be sorted.
    slope : float
        Of all cuts: 1 unless the value stands for an average over what persons have of their own.
    """

    name: str
    kind: Kind
    link: Link
    constant: float = 0.0
    weights: np.ndarray = field(default_factory=lambda: np.empty(0))
    constant2: float = 0.0
    weights2: np.ndarray = field(default_factory=lambda: np.empty(0))
    cuts: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    sigma: np.ndarray | None = None
    lower: float = -np.inf
    upper: float = np.inf
    deviations: np.ndarray | None = None
    slope: float = 1.0


@dataclass(frozen=True, eq=False)
class Predictor:
    """Everything from which the draws of any set of areas can be made again, exactly.

    η of area a, cell c and draw s is ``intercept[s] + Σ_k area_x[a, k] cell_x[c, k] beta[k, s]`` plus the
    effects, those of a varying slope times its column.

    Parameters
    ----------
    seed : int
        Seed of the counter-based generator.
    codes : ndarray of object (str), shape (A,)
        Small-area codes in the order of the areas table.
    code : str
        Name of the code column; also the name of the area's own effect.
    levels : mapping of str to ndarray of object, shape (A,)
        Each level's code for each area, finest first.
    classes : mapping of str to ndarray of object, shape (A,)
        Each class's code for each area (for scoring, reports and flags).
    population : ndarray of float64, shape (A,)
        People; ones where the project has no population.
    base : ndarray of bool, shape (A,)
        Areas in the index's base.
    intercept : ndarray of float64, shape (S,)
        Zeros for cumulative models.
    beta : ndarray of float64, shape (p, S)
        Slopes.
    area_x : ndarray of float32, shape (A, p), cell_x : ndarray of float64, shape (C, p)
        Factors of each column over areas and over cells (ones where it does not vary).
    area_varies, cell_varies : ndarray of bool, shape (p,)
        Which columns vary over areas, over cells.
    effects : tuple of Effect
        Grouping factors, the area's own (named ``code``) among them when the project has one.
    indptr, cell, count
        The frame as in ``placewise.frame.cells.Frame``; without a frame one cell an area with its population.
    estimands : tuple of Estimand
        The first is the primary.
    finite_population : bool
        Whether the people of the area are drawn too.
    polarity : int
        +1 higher is better, -1 lower is better.
    specific : ndarray of int64, shape (q,)
        Columns whose slope differs by cutpoint.
    """

    seed: int
    codes: np.ndarray
    code: str
    levels: Mapping[str, np.ndarray]
    classes: Mapping[str, np.ndarray]
    population: np.ndarray
    base: np.ndarray
    intercept: np.ndarray
    beta: np.ndarray
    area_x: np.ndarray
    cell_x: np.ndarray
    area_varies: np.ndarray
    cell_varies: np.ndarray
    effects: tuple[Effect, ...]
    indptr: np.ndarray
    cell: np.ndarray
    count: np.ndarray
    estimands: tuple[Estimand, ...]
    finite_population: bool
    polarity: int
    specific: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    @property
    def n_draws(self) -> int:
        """Number of posterior draws, S."""
        return int(self.intercept.shape[0])

    def level_of(self, code: str) -> str | None:
        """The finest level that has an area of this code; None where none has."""
        known = {self.code: self.codes, **self.levels}
        return next((name for name, codes in known.items() if (codes == code).any()), None)
