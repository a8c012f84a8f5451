"""A formula evaluated on respondents, areas and frame."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from placewise.errors import Problems
from placewise.frame.cells import Frame
from placewise.geography.areas import AreaTable
from placewise.models.design import Column, Design, Group
from placewise.models.fixed import drop_redundant, fixed_columns
from placewise.models.grouping import build_groups
from placewise.models.linking import LinkedRows
from placewise.models.parts import PartMaker
from placewise.models.terms import Formula, Term
from placewise.models.variables import Surroundings, locate
from placewise.surveys.disclosure import told


def build_design(
    formula: Formula,
    *,
    respondents: pd.DataFrame,
    area: np.ndarray,
    areas: AreaTable | None,
    frame: Frame | None,
    reference: Mapping[str, str | float],
    orders: Mapping[str, tuple[str, ...]],
    standardise: bool,
    cumulative: bool,
    problems: Problems,
    elsewhere: Collection[str] = (),
    structure: Mapping[str, str] | None = None,
    neighbours: Mapping[str, pd.DataFrame] | None = None,
    link: LinkedRows | None = None,
) -> Design | None:
    """Fixed columns and grouping factors for respondents, and for areas × cells.

    Parameters
    ----------
    formula : Formula
        From `placewise.models.formula.parse_formula`.
    respondents : DataFrame
        n rows; columns the formula uses have no missing values.
    area : ndarray of int64, shape (n,)
        Row of the areas table of each respondent; ignored without one.
    areas : AreaTable or None
        None for data without an areas table: nothing is projected, numbers are standardised over the data.
    frame : Frame or None
        Who lives in each area.
    reference : mapping of str to str or float
        Values to project at for columns that the frame lacks; ``"draw"`` is a new level in every draw.
    orders : mapping of str to tuple of str
        Declared orders of categories.
    standardise : bool
        Whether numbers are centred and scaled after transformation: over the areas (by population), over the people
        of the frame, or over the respondents where neither has them.
    cumulative : bool
        Whether cutpoints take the place of the intercept.
    problems : Problems
        Everything wrong is noted here.
    elsewhere : collection of str
        Further columns of the files, which were not read: for hints.
    structure : mapping of str to str, optional
        ``[model] structure``: iid, rw1, ar1 or bym2, by group.
    neighbours : mapping of str to DataFrame, optional
        By level, pairs of codes in columns ``a`` and ``b``.
    link : LinkedRows, optional
        Where respondents are linked above the area, in the place of ``area``: columns that vary over areas are then
        population-weighted means over those that a respondent may live in.

    Returns
    -------
    Design or None
        None where a problem was noted.
    """
    before = len(problems)
    if not len(respondents):
        problems.add(formula.where, "there are no respondents", kind="data")
        return None
    if link is not None:
        area = link.first[link.own]
    elif areas is not None and (area < 0).any():
        problems.add(
            formula.where,
            f"{told(int((area < 0).sum()))} respondents have no area",
            "give the area of each, or link all of them at one level above it",
            "data",
        )
        return None
    data = Surroundings(
        respondents, area, areas, frame, reference, orders, elsewhere, structure or {}, neighbours or {}, link
    )
    variables = locate(formula, data, problems)
    maker = PartMaker(variables, data, standardise, formula.where, problems)
    constant = formula.intercept or cumulative
    columns = fixed_columns(_found(formula, variables), maker, data, constant, problems)
    grouped = build_groups(formula, variables, maker, data, problems)
    if len(problems) > before:
        return None
    kept, dropped = drop_redundant(columns, constant)
    names = {column.name for column in (*kept, *(g.by for g in grouped.groups if g.by is not None))}
    scalings = tuple(s for s in maker.scalings if any(s.name in name.split(":") for name in names))
    return Design(
        formula.intercept,
        tuple(kept),
        grouped.groups,
        len(respondents),
        scalings,
        (*dropped, *grouped.dropped),
        (*grouped.notes, *_without_fixed_slope(kept, grouped.groups, constant)),
        correlated=grouped.correlated,
        link=grouped.link,
    )


def _without_fixed_slope(columns: Sequence[Column], groups: Sequence[Group], constant: bool) -> list[str]:
    """Numbers whose slope varies about nought, since no sum of fixed columns is a multiple of them."""
    notes = []
    for group in groups:
        # categories may have their mean in a grouping of their own, (1 | sex)
        if group.by is None or "[" in group.by.name:
            continue
        explained = len(drop_redundant([*columns, group.by], constant)[0]) == len(columns)
        if not explained:
            name, factor = group.by.name, group.factor
            notes.append(f"{name} varies over {factor} but has no fixed slope: the slopes are taken to average nought.")
    return notes


def _found(formula: Formula, variables: Mapping[str, object]) -> Formula:
    """The formula without fixed terms whose columns were not found."""
    terms: tuple[Term, ...] = tuple(t for t in formula.terms if all(name in variables for name in t.names()))
    return Formula(formula.text, formula.where, formula.response, formula.intercept, terms, formula.groups)
