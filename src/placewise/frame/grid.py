"""The grid of cells that a frame is raked on: every combination of the values of its variables."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False)
class Grid:
    """Combinations of the values of some variables, the last variable's running fastest.

    Parameters
    ----------
    variables : tuple of str
        Names.
    levels : tuple of Series
        Values of each, sorted.
    """

    variables: tuple[str, ...]
    levels: tuple[pd.Series, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values of each variable."""
        return tuple(len(levels) for levels in self.levels)

    @property
    def size(self) -> int:
        """Number of cells."""
        return int(np.prod(self.shape, dtype=np.int64))

    def of(self, variables: Collection[str]) -> Grid:
        """The grid of some of the variables, in this grid's order."""
        chosen = [i for i, name in enumerate(self.variables) if name in variables]
        return Grid(tuple(self.variables[i] for i in chosen), tuple(self.levels[i] for i in chosen))

    def places(self, variables: Sequence[str]) -> np.ndarray:
        """Place of each cell among the combinations of some variables, in their order; shape (size,), int64."""
        chosen = [self.variables.index(v) for v in variables]
        if not chosen:
            return np.zeros(self.size, dtype=np.int64)
        at = np.unravel_index(np.arange(self.size), self.shape)
        return np.asarray(
            np.ravel_multi_index([at[i] for i in chosen], [self.shape[i] for i in chosen]), dtype=np.int64
        )

    def label(self, cell: int) -> str:
        """The values of one cell, in words."""
        at = np.unravel_index(cell, self.shape)
        return " × ".join(str(levels.iloc[int(k)]) for levels, k in zip(self.levels, at, strict=True))

    def table(self, cells: np.ndarray) -> pd.DataFrame:
        """Values of some cells, one column a variable."""
        at = np.unravel_index(cells, self.shape) if self.variables else ()
        columns = {
            name: levels.take(k).reset_index(drop=True)
            for name, levels, k in zip(self.variables, self.levels, at, strict=True)
        }
        return pd.DataFrame(columns, index=range(len(cells)))
