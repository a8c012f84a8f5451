"""The table of all areas to be estimated: codes, nested levels, classes, covariates, population."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from placewise.geography.centroids import Centroids


@dataclass(frozen=True, eq=False)
class AreaTable:
    """One row for every area to be estimated, sampled or not.

    Parameters
    ----------
    table : DataFrame
        A rows, RangeIndex, in the order of the user's file. The code, level and class columns are text
        (``str`` dtype); numeric covariates are float64.
    code : str
        The small area's code column, unique and never missing.
    levels : tuple of str
        Nested level columns, finest first; may be empty.
    classes : tuple of str
        Other grouping columns; may be empty.
    population : ndarray of float64, shape (A,), or None
        People of each area.
    base : ndarray of bool, shape (A,)
        Areas of the index's base (all, unless ``[index] base`` says otherwise).
    names : mapping of level to mapping of code to name
        Names for codes; a code without one is its own name.
    available : tuple of str
        Every column of the user's area tables, also those that were not read: for hints.
    notes : tuple of str
        Harmless findings, one sentence each.
    neighbours : mapping of level to DataFrame
        Codes of each pair of neighbours, columns ``a`` and ``b``.
    centroids : Centroids or None
        Population-weighted centroids, where the project names them.
    errors : mapping of covariate to ndarray of float64, shape (A,)
        Standard errors of covariates that were filled in for some areas, 0 where the value is known.
    """

    table: pd.DataFrame
    code: str
    levels: tuple[str, ...]
    classes: tuple[str, ...]
    population: np.ndarray | None
    base: np.ndarray
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    available: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    neighbours: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    centroids: Centroids | None = None
    errors: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def codes(self) -> np.ndarray:
        """Codes of the small areas, object array of str, shape (A,)."""
        return self.table[self.code].to_numpy(dtype=object)

    def __len__(self) -> int:
        """Number of small areas."""
        return len(self.table)

    @property
    def weights(self) -> np.ndarray:
        """Population, or ones where the project has none; shape (A,)."""
        return np.ones(len(self)) if self.population is None else self.population
