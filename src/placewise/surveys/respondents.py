"""The respondents of one survey, as read and cleaned: one row a person, nothing about them leaves the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from placewise.surveys.account import Account


@dataclass(frozen=True)
class Dropped:
    """Respondents left out for one reason: a count, never who."""

    column: str
    reason: str
    count: int


@dataclass(frozen=True, eq=False, repr=False)
class Respondents:
    """One row a respondent, with what the model needs.

    Parameters
    ----------
    name : str
        Key of the survey in the project file.
    table : DataFrame
        n rows, RangeIndex: every column of the file that was asked for (text as ``str``, numbers float64, declared
        missing codes as NaN).
    link : str
        Column of the areas table by which respondents are linked (the area code, a level or a class).
    codes : ndarray of object, shape (n,)
        The linked code of each respondent.
    area : ndarray of int64, shape (n,)
        Row of the areas table, or -1 where the link is above the small area.
    weight, psu, strata : ndarray or None, shape (n,)
        Design variables where the survey declares them.
    read : int
        Rows in the file, before ``where``.
    dropped : tuple of Dropped
        What was left out and why.
    available : tuple of str
        Every column of the survey's file, also those that were not read: for hints.
    notes : tuple of str
        Harmless findings, one sentence each.
    declared : mapping of column to ndarray of bool, shape (n,)
        Where a value is missing because its code is declared as missing; only columns that have such values.
    account : Account or None
        How the survey was read; of all respondents who were read, also after some are left out.
    """

    name: str
    table: pd.DataFrame
    link: str
    codes: np.ndarray
    area: np.ndarray
    weight: np.ndarray | None
    psu: np.ndarray | None
    strata: np.ndarray | None
    read: int
    dropped: tuple[Dropped, ...] = ()
    available: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    declared: Mapping[str, np.ndarray] = field(default_factory=dict)
    account: Account | None = None

    def __len__(self) -> int:
        """Number of respondents."""
        return len(self.table)

    def take(self, rows: np.ndarray, dropped: tuple[Dropped, ...] = ()) -> Respondents:
        """Keep some rows (boolean mask or positions), noting why the others went."""

        def pick(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else values[rows]

        return replace(
            self,
            table=self.table.iloc[np.flatnonzero(rows) if rows.dtype == bool else rows].reset_index(drop=True),
            codes=self.codes[rows],
            area=self.area[rows],
            weight=pick(self.weight),
            psu=pick(self.psu),
            strata=pick(self.strata),
            dropped=self.dropped + dropped,
            declared={column: mask[rows] for column, mask in self.declared.items()},
        )
