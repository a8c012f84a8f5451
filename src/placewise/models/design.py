"""What a formula becomes: fixed columns and grouping factors, for respondents and for areas × cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from placewise.models.priors import Prior

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
    errors : mapping of covariate to ndarray of float64, shape (A,)
        Change of ``area`` with one standard error of a covariate that was filled in; 0 where the value is known.
    linked : tuple of ndarray, or None
        Where respondents are linked above the area and ``values`` is a mean over its areas: the factor over areas (A,)
        of which, and the respondents' own factor (n,), or None for 1.
    """

    name: str
    values: np.ndarray
    area: np.ndarray | None = None
    cell: np.ndarray | None = None
    errors: Mapping[str, np.ndarray] = field(default_factory=dict)
    linked: tuple[np.ndarray, np.ndarray | None] | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Structure:
    """How the effects of one group depend on each other; a group without one has independent effects.

    The group's ``labels`` then hold every level in order, whether a respondent is in it or not, so that the posterior
    has an effect for each.

    Parameters
    ----------
    kind : {"rw1", "ar1", "bym2"}
        Random walk of order one along ``labels``; stationary autoregression along them; spatial effects of Besag, York
        and Mollié as Riebler et al. (2016) write them.
    edges : ndarray of int64, shape (E, 2)
        bym2: pairs of positions in ``labels`` that are neighbours, each once.
    """

    kind: Literal["rw1", "ar1", "bym2"]
    edges: np.ndarray = field(default_factory=lambda: np.empty((0, 2), dtype=np.int64))


@dataclass(frozen=True, eq=False, repr=False)
class AreaScale:
    """The area's own standard deviation differs between classes of areas.

    Parameters
    ----------
    group : str
        Name of the area's own group.
    by : str
        Column of the classes.
    classes : tuple of str
        Their labels.
    index : ndarray of int64, shape (len(all_labels of the group),)
        Class of each level of the group: those with respondents first, as in ``all_labels``.
    multipliers : ndarray of float64, shape (len(classes),), or None
        Declared multipliers of the area's sd; None where they are learned, log multiplier ~ normal(0, ω²).
    """

    group: str
    by: str
    classes: tuple[str, ...]
    index: np.ndarray
    multipliers: np.ndarray | None = None


@dataclass(frozen=True, eq=False, repr=False)
class BelowLink:
    """Respondents are linked at groups of areas: how the areas inside a group differ cannot be told from them.

    The deviation of area j from what is expected, d_j = u + v_j, is that of its group, u ~ normal(0, σ²), and its own,
    v_j ~ normal(0, r²σ²). Respondents tell of the group's mean Σ_j w_j d_j, with variance σ² (1 + r² Σ_j w_j²): the
    effect of ``group`` in the posterior.

    Parameters
    ----------
    group : str
        Name of the group at whose levels respondents are linked.
    area : str
        Name of the area's own group, which is none of the design's.
    codes : tuple of str, length A
        Of the areas.
    parent : ndarray of int64, shape (A,)
        Position in the group's ``all_labels`` of each area.
    share : ndarray of float64, shape (A,)
        w_j: the area's share of its group's population.
    ratio : float or None
        r; None where the areas' sd is learned, as far as the prior lets it.
    prior : Prior or None
        Of the areas' sd, where it is learned.
    declared : bool
        Whether ratio or prior were declared.
    places : ndarray of int64, shape (A,), or None
        Where the likelihood is the mean over the places in which a respondent may live: the place, within its group,
        of each area, which is one area or several much alike. None where the areas' columns are averaged instead.
    """

    group: str
    area: str
    codes: tuple[str, ...]
    parent: np.ndarray
    share: np.ndarray
    ratio: float | None = None
    prior: Prior | None = None
    declared: bool = False
    places: np.ndarray | None = None

    def squares(self, count: int) -> np.ndarray:
        """Σ_j w_j² of the first ``count`` levels of the group, shape (count,)."""
        return np.bincount(self.parent, self.share**2, count)[:count]


@dataclass(frozen=True, eq=False, repr=False)
class Group:
    """One grouping factor with a varying intercept, or with the varying slope of one column.

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
    structure : Structure or None
        How the effects depend on each other.
    by : Column or None
        The column whose slope varies over the group; None for a varying intercept. ``name`` is then ``column|factor``.
    factor : str
        The grouping that ``labels`` are of, which is the dimension of its effects: ``name`` unless ``by`` is given.
    labels_areas : bool
        Whether ``labels`` are areas, though the role is ``other``: a slope that varies over a level of the geography.
    shares : ndarray of float64, shape (n, len(labels)), or None
        Where respondents are linked above the area and the areas that they may live in are in several groups: the share
        of each. ``index`` is then the group of most.
    survey : str
        Survey whose answers the effects belong to, where they are no part of the trait: neither multiplied by the
        survey's scale nor projected.
    """

    name: str
    role: Role
    labels: tuple[str, ...]
    index: np.ndarray
    all_labels: tuple[str, ...] = ()
    area_index: np.ndarray | None = None
    cell_index: np.ndarray | None = None
    lookup: np.ndarray | None = None
    structure: Structure | None = None
    by: Column | None = None
    factor: str = ""
    labels_areas: bool = False
    shares: np.ndarray | None = None
    survey: str = ""

    @property
    def dim(self) -> str:
        """Dimension of the group's effects in the posterior."""
        return self.factor or self.name

    def of_respondents(self, effects: np.ndarray) -> np.ndarray:
        """What each respondent gets of the effects; (S, len(labels)) -> (S, n)."""
        return effects[:, self.index] if self.shares is None else effects @ self.shares.T


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
    correlated : tuple of tuple of int
        Positions in ``groups`` of a varying intercept and slopes over one factor whose effects are correlated, the
        intercept first; one entry a factor at most.
    category_specific : tuple of int
        Positions in ``columns`` of covariates whose slope may differ by cutpoint (cumulative models).
    area_scale : AreaScale or None
        How the area's own sd differs by class.
    link : BelowLink or None
        Where respondents are linked above the area; None where they are linked at it.
    """

    intercept: bool
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    n: int
    scalings: tuple[Scaling, ...] = ()
    dropped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    correlated: tuple[tuple[int, ...], ...] = ()
    category_specific: tuple[int, ...] = ()
    area_scale: AreaScale | None = None
    link: BelowLink | None = None

    @property
    def geography(self) -> tuple[str, ...]:
        """Groupings whose levels are areas: which of them have an effect tells who was sampled."""
        return tuple(dict.fromkeys(g.dim for g in self.groups if g.role == "geography" or g.labels_areas))

    @property
    def matrix(self) -> np.ndarray:
        """Fixed columns of the respondents, shape (n, p)."""
        return np.column_stack([c.values for c in self.columns]) if self.columns else np.empty((self.n, 0))
