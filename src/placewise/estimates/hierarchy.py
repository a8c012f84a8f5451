"""The order in which areas are worked through: largest level first, then finer ones, then code."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from placewise.errors import DataError, Problem
from placewise.estimates.predictor import Predictor


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """Areas sorted so that every area of every level is one run of small areas.

    Whatever the order of the user's table, sums over areas are taken in this order and give the same last bit.

    Parameters
    ----------
    order : ndarray of int64, shape (A,)
        Positions in the predictor.
    levels : tuple of str
        Finest first.
    starts : tuple of ndarray of int64
        For each level, where its areas begin in ``order``, and A at the end; shape (groups + 1,).
    codes : tuple of ndarray of object
        For each level, the code of each of its areas.
    """

    order: np.ndarray
    levels: tuple[str, ...]
    starts: tuple[np.ndarray, ...]
    codes: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, predictor: Predictor) -> Hierarchy:
        """Sort the areas of a predictor.

        Raises
        ------
        DataError
            Levels that do not nest.
        """
        levels = tuple(predictor.levels)
        ranks = [pd.factorize(np.asarray(predictor.levels[name], dtype=object), sort=True)[0] for name in levels]
        small = pd.factorize(np.asarray(predictor.codes, dtype=object), sort=True)[0]
        order = np.lexsort([small, *ranks]).astype(np.int64)
        starts, codes = [], []
        for name, rank in zip(levels, ranks, strict=True):
            change = np.flatnonzero(np.diff(rank[order], prepend=-1))
            if len(change) != len(np.unique(rank)):
                raise DataError(Problem(f"areas.levels: {name}", "some of its areas lie in two parents", kind="data"))
            starts.append(np.append(change, len(order)).astype(np.int64))
            codes.append(np.asarray(predictor.levels[name], dtype=object)[order[change]])
        return cls(order, levels, tuple(starts), tuple(codes))

    @property
    def place(self) -> np.ndarray:
        """Where each of the predictor's areas stands in ``order``, int64, shape (A,)."""
        place = np.empty(len(self.order), dtype=np.int64)
        place[self.order] = np.arange(len(self.order))
        return place

    def ends(self) -> np.ndarray:
        """How many levels end with each area of ``order``, int64, shape (A,)."""
        count = np.zeros(len(self.order), dtype=np.int64)
        for start in self.starts:
            count[start[1:] - 1] += 1
        return count

    def sums(self, values: np.ndarray, level: int) -> np.ndarray:
        """Sum of one number an area (in the predictor's order) over each area of a level."""
        return np.asarray(np.add.reduceat(values[self.order], self.starts[level][:-1]))
