"""What a formula becomes: fixed columns and grouping factors, for respondents and for areas × cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Role = Literal["geography", "class", "other"]


@dataclass(frozen=True, eq=False, repr=False)
class Column:
    """One fixed column: a product of a part that varies over areas and a part that varies over cells.

    Parameters
    ----------
    name : str
        As written, categories in brackets: ``log(density)``, ``sex[female]``, ``deprivation:sex[female]``.
    values : ndarray of float64, shape (n,)
        The column among the respondents, transformed and standardised.
    area : ndarray of float64, shape (A,), or None
        Its factor over areas; None stands for 1.
    cell : ndarray of float64, shape (C,), or None
        Its factor over cells; None stands for 1. The column's value for area a and cell c is ``area[a] * cell[c]``.
    """

    name: str
    values: np.ndarray
    area: np.ndarray | None = None
    cell: np.ndarray | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Group:
    """One grouping factor with a varying intercept.

    Parameters
    ----------
    name : str
        As prior keys name it: ``age``, ``age:sex``, ``lad22cd``; in ``a/b`` the finest column alone where its codes
        are unique within one ``a``, else ``a:b``.
    role : {"geography", "class", "other"}
        ``geography``: a level of the areas table, or the area itself (then ``name`` is the code column).
    labels : tuple of str
        The group's levels met among the respondents: coordinates of the posterior, in declared or natural order.
    index : ndarray of int64, shape (n,)
        Position in ``labels`` of each respondent.
    all_labels : tuple of str
        ``labels`` followed by levels that only areas or cells have; the effects of those are drawn from the group's
        own distribution.
    area_index : ndarray of int64, shape (A,), or None
        Which row of ``lookup`` an area uses; None where the factor does not vary over areas.
    cell_index : ndarray of int64, shape (C,), or None
        Which column of ``lookup`` a cell uses; None where the factor does not vary over cells.
    lookup : ndarray of int64, shape (Ka, Kc)
        Position in ``all_labels`` for each pair; Ka or Kc is 1 where the factor does not vary over areas or cells.
    """

    name: str
    role: Role
    labels: tuple[str, ...]
    index: np.ndarray
    all_labels: tuple[str, ...] = ()
    area_index: np.ndarray | None = None
    cell_index: np.ndarray | None = None
    lookup: np.ndarray | None = None


@dataclass(frozen=True)
class Scaling:
    """How a numeric covariate was standardised: (x - mean) / sd, and over what."""

    name: str
    mean: float
    sd: float
    over: str


@dataclass(frozen=True, eq=False, repr=False)
class Design:
    """A formula evaluated on the data.

    Parameters
    ----------
    intercept : bool
        Whether the formula has one (cumulative models replace it by cutpoints).
    columns : tuple of Column
        p fixed columns.
    groups : tuple of Group
        In the order of the formula; the area's own effect is last among the ``geography`` ones and always there when
        the project has areas.
    n : int
        Respondents.
    scalings : tuple of Scaling
        Means and sds used.
    dropped : tuple of str
        Sentences: columns or groups left out, each with its reason (constant, collinear, one level).
    notes : tuple of str
        Sentences on what was kept and the reader should know: categories and levels no respondent has.
    """

    intercept: bool
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    n: int
    scalings: tuple[Scaling, ...] = ()
    dropped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def geography(self) -> tuple[str, ...]:
        """Names of the groups whose levels are areas: which of them have an effect tells who was sampled."""
        return tuple(g.name for g in self.groups if g.role == "geography")

    @property
    def matrix(self) -> np.ndarray:
        """Fixed columns of the respondents, shape (n, p)."""
        return np.column_stack([c.values for c in self.columns]) if self.columns else np.empty((self.n, 0))
