"""Fixed columns: products of parts, without those that say nothing new."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod

import numpy as np

from placewise.errors import Problems
from placewise.models.coding import CodingRule
from placewise.models.design import Column
from placewise.models.imputed import errors_of_product
from placewise.models.parts import Part, PartMaker
from placewise.models.terms import Formula, Term
from placewise.models.variables import Surroundings

MOST_COLUMNS = 1000
CONSTANT = 1e-10
COLLINEAR = 1e-7
NEGLIGIBLE = 1e-6


def fixed_columns(
    formula: Formula, maker: PartMaker, data: Surroundings, constant: bool, problems: Problems
) -> list[Column]:
    """Columns of every fixed term, main effects first.

    Parameters
    ----------
    constant : bool
        Whether the model has an intercept or cutpoints.
    """
    rule = CodingRule(constant)
    columns: list[Column] = []
    for term in formula.terms:
        columns += [_column(parts, data) for parts in _combinations(term, maker, rule, formula.where, problems)]
        if len(columns) > MOST_COLUMNS:
            problems.add(
                formula.where,
                f"the fixed terms make more than {MOST_COLUMNS} columns",
                "write (1 | a:b) for an interaction of many categories",
            )
            return []
    return columns


def _combinations(
    term: Term, maker: PartMaker, rule: CodingRule, where: str, problems: Problems
) -> list[tuple[Part, ...]]:
    """Parts that multiply to each column of a term, the first factor running fastest."""
    is_categorical = {str(f): maker.is_categorical(f) for f in term.factors}
    codings = rule.codings(
        [name for name, yes in is_categorical.items() if yes], [name for name, yes in is_categorical.items() if not yes]
    )
    combinations: list[tuple[Part, ...]] = []
    for coding in codings:
        made: list[list[Part] | None] = []
        for factor in term.factors:
            name = str(factor)
            if not is_categorical[name]:
                made.append(maker.numeric(factor))
            elif name in coding.full:
                made.append(maker.categorical(name, coding.full[name]))
        sound = [parts for parts in made if parts is not None]
        if len(sound) < len(made):
            return []
        if prod(len(parts) for parts in sound) > MOST_COLUMNS:
            problems.add(where, f"{term} makes more than {MOST_COLUMNS} columns", f"write (1 | {term})")
            return []
        combinations += [parts[::-1] for parts in product(*reversed(sound))]
    return combinations


def _column(parts: Sequence[Part], data: Surroundings) -> Column:
    """Multiply parts; what is the same everywhere joins the cells where there is a frame, else the areas."""
    values = np.prod([part.values for part in parts], axis=0)
    area = _product([part.area for part in parts if part.area is not None])
    cell = _product([part.cell for part in parts if part.cell is not None])
    linked = None
    if data.link is not None and area is not None:
        # the mean of a product over the areas of a group is not the product of the means
        own = _product([part.values for part in parts if part.area is None])
        values = data.among(area) if own is None else data.among(area) * own
        linked = area, own
    constant = prod(part.constant for part in parts)
    if data.areas is not None and constant != 1.0:
        if cell is not None:
            cell = cell * constant
        elif area is not None:
            area = area * constant
        elif data.frame is not None:
            cell = np.full(data.n_cells, constant)
        else:
            area = np.full(len(data.areas), constant)
    over_areas = [part for part in parts if part.area is not None]
    factors = [part.area for part in over_areas if part.area is not None]
    outside = constant if cell is None else 1.0
    errors = errors_of_product(factors, [part.errors for part in over_areas], outside)
    return Column(":".join(part.name for part in parts), values, area, cell, errors, linked)


def _product(factors: list[np.ndarray]) -> np.ndarray | None:
    return np.prod(factors, axis=0) if factors else None


def drop_redundant(columns: Sequence[Column], constant: bool) -> tuple[list[Column], list[str]]:
    """Leave out columns that the constant and earlier columns explain among the respondents.

    Orthogonalised in the order of the formula, twice for accuracy (Giraud et al. 2005), with R's tolerance of 1e-7.

    Returns
    -------
    kept : list of Column
    dropped : list of str
        One sentence a column left out.
    """
    kept: list[Column] = []
    basis = np.empty((len(columns[0].values) if columns else 0, len(columns)), order="F")
    dropped: list[str] = []
    for column in columns:
        x = column.values - column.values.mean() if constant else column.values
        size = float(np.linalg.norm(x))
        if size <= CONSTANT * float(np.linalg.norm(column.values)):
            dropped.append(f"{column.name} was left out: it is the same for every respondent.")
            continue
        rest = x
        for _ in range(2):
            done = basis[:, : len(kept)]
            rest = rest - done @ (done.T @ rest)
        length = float(np.linalg.norm(rest))
        if length <= COLLINEAR * size:
            names = ", ".join(_explaining(x, kept, constant)) or "the intercept"
            dropped.append(f"{column.name} was left out: among the respondents it is a sum of multiples of {names}.")
            continue
        basis[:, len(kept)] = rest / length
        kept.append(column)
    return kept, dropped


def _explaining(x: np.ndarray, kept: Sequence[Column], constant: bool) -> list[str]:
    """Names of the columns whose multiples sum to ``x``."""
    matrix = np.column_stack([column.values for column in kept])
    if constant:
        matrix = matrix - matrix.mean(axis=0)
    norms = np.linalg.norm(matrix, axis=0)
    coefficients = np.linalg.lstsq(matrix / norms, x / np.linalg.norm(x))[0]
    return [column.name for column, c in zip(kept, coefficients, strict=True) if abs(c) > NEGLIGIBLE]
