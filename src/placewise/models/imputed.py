"""What the standard errors of filled-in covariates do to the columns made of them, and to the linear predictor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from placewise.estimates.imputed import error_name
from placewise.estimates.predictor import Effect
from placewise.models.transforms import evaluate

if TYPE_CHECKING:
    from placewise.geography.areas import AreaTable
    from placewise.models.design import Column
    from placewise.models.terms import Factor

PUBLISHED = ""  # stands for every area whose value is known: it has no error to draw


def errors_of_factor(
    factor: Factor, columns: Mapping[str, np.ndarray], errors: Mapping[str, np.ndarray], weights: np.ndarray
) -> dict[str, np.ndarray]:
    """Change of a factor with one standard error of each covariate in it: half of what lies between x − se and x + se.

    Parameters
    ----------
    factor : Factor
    columns : mapping of str to ndarray of float64, shape (A,)
        Every covariate of the factor, over the areas.
    errors : mapping of str to ndarray of float64, shape (A,)
        Standard errors of those that have any.
    weights : ndarray of float64, shape (A,)
        People, on whom the factor's functions learn.

    Returns
    -------
    dict of covariate to ndarray of float64, shape (A, d)
        d columns of the factor; where one of the two ends is not a number, the change towards the other.
    """
    n, found = len(weights), {}
    for name in columns.keys() & errors.keys():
        moved = {other: np.tile(values, 3) for other, values in columns.items()}
        moved[name][n : 2 * n] += errors[name]
        moved[name][2 * n :] -= errors[name]
        middle, up, down = evaluate(factor, moved, weights).reshape(3, n, -1)
        rise, fall = up - middle, middle - down
        rise, fall = (np.where(np.isfinite(a), a, b) for a, b in ((rise, fall), (fall, rise)))
        found[name] = np.where((errors[name] > 0)[:, None], 0.5 * (rise + fall), 0.0)
    return found


def errors_of_product(
    areas: Sequence[np.ndarray], errors: Sequence[Mapping[str, np.ndarray]], constant: float
) -> dict[str, np.ndarray]:
    """Change of a product over areas with one standard error of each covariate: the product rule.

    Parameters
    ----------
    areas : sequence of ndarray, shape (A,)
        The factors.
    errors : sequence of mapping of covariate to ndarray, shape (A,)
        Change of each factor.
    constant : float
        What the product is multiplied by besides.
    """
    found: dict[str, np.ndarray] = {}
    for k, own in enumerate(errors):
        rest = np.prod([values for j, values in enumerate(areas) if j != k], axis=0)
        for name, change in own.items():
            found[name] = found.get(name, 0.0) + constant * change * rest
    return found


def error_effects(columns: Sequence[Column], slopes: np.ndarray, areas: AreaTable) -> tuple[Effect, ...]:
    """One effect for each column and covariate with errors: slope × change × a standard normal of the covariate's.

    Effects of one covariate have one name, so that all its columns move with the same draw. Areas that share a value
    share its error. Slopes that vary by group or by cutpoint count by their mean.

    Parameters
    ----------
    columns : sequence of Column, length p
    slopes : ndarray of float64, shape (p, S)
    areas : AreaTable
    """
    found, draws = [], np.empty((0, slopes.shape[1]), dtype=np.float32)
    for column, slope in zip(columns, slopes, strict=True):
        for name, change in column.errors.items():
            index, labels = pd.factorize(_owners(areas, name))
            found.append(
                Effect(
                    name=error_name(name),
                    labels=(),
                    draws=draws,
                    sd=slope,
                    all_labels=tuple(map(str, labels)),
                    area_index=index.astype(np.int64),
                    cell_index=None,
                    lookup=np.arange(len(labels), dtype=np.int64)[:, None],
                    area_x=change,
                    cell_x=column.cell,
                )
            )
    return tuple(found)


def _owners(areas: AreaTable, name: str) -> np.ndarray:
    """Whose error each area has: the largest level in whose areas every filled-in value is the same."""
    filled = areas.errors[name] > 0
    values = areas.table[name].to_numpy()[filled]
    for level in reversed((areas.code, *areas.levels)):
        owner = areas.table[level].to_numpy(dtype=object)
        if level == areas.code or pd.Series(values).groupby(owner[filled]).nunique().max() <= 1:
            return np.where(filled, owner, PUBLISHED)
    raise AssertionError("every area has its own code")
