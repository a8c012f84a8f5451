"""What draws of parameters predict: for the respondents, overall, and for areas."""

from __future__ import annotations

import numpy as np
from scipy import special

from placewise.diagnostics.calibration.parameters import Values
from placewise.models.design import Column, Design, Group

# areas that differ by less have no spread to be standardised by
NO_SPREAD = 1e-12


def linear_predictor(design: Design, values: Values) -> np.ndarray:
    """η of every respondent, float64, shape (S, n); without cutpoints, which stand beside it."""
    eta = np.zeros((_draws(values), design.n))
    if "intercept" in values:
        eta += values["intercept"][:, None]
    if design.columns:
        eta += values["slopes"] @ design.matrix.T
    for group in design.groups:
        effect = values[f"effect_{group.name}"][:, group.index]
        eta += effect if group.by is None else effect * group.by.values
    return eta


def overall(family: str, values: Values, eta: np.ndarray) -> np.ndarray:
    """Overall levels, the mean of what is predicted for the respondents; float64, shape (S, m).

    One share (bernoulli, binomial), K shares of the categories (cumulative), one mean count per exposure (poisson),
    none (gaussian).
    """
    if family == "gaussian":
        return np.empty((len(eta), 0))
    if family == "poisson":
        return np.asarray(np.exp(eta).mean(axis=1, keepdims=True))
    if family != "cumulative":
        return np.asarray(special.expit(eta).mean(axis=1, keepdims=True))
    cuts = values["cutpoints"]
    below = [special.expit(cuts[:, k, None] - eta).mean(axis=1) for k in range(cuts.shape[1])]
    return np.diff(np.column_stack([np.zeros(len(eta)), *below, np.ones(len(eta))]), axis=1)


def area_eta(design: Design, values: Values, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """η of the people of some areas who are of the frame's first cell, float64, shape (S, B).

    For ordered answers the middle cutpoint is subtracted, so that η is the logit of the share above it. Levels of a
    group without a posterior are drawn from the group's distribution.

    Parameters
    ----------
    design : Design
        Projected to areas.
    values : mapping of str to ndarray
        A truth (effects of ``all_labels``) or a posterior (effects of ``labels``).
    rows : ndarray of int64, shape (B,)
        Rows of the areas table.
    rng : Generator
        Draws what the posterior lacks.
    """
    eta = np.zeros((_draws(values), len(rows)))
    if "intercept" in values:
        eta += values["intercept"][:, None]
    if "cutpoints" in values:
        eta -= values["cutpoints"][:, values["cutpoints"].shape[1] // 2, None]
    for k, column in enumerate(design.columns):
        eta += values["slopes"][:, k, None] * _projected(column, rows)
    for group in design.groups:
        if group.lookup is None:
            continue
        over_areas = np.zeros_like(rows) if group.area_index is None else group.area_index[rows]
        over_cells = 0 if group.cell_index is None else group.cell_index[0]
        effect = _effects_at(group, values, group.lookup[over_areas, over_cells], rng)
        eta += effect if group.by is None else effect * _projected(group.by, rows)
    return eta


def _projected(column: Column, rows: np.ndarray) -> np.ndarray:
    """A column's values for some areas and the first cell, shape (B,)."""
    over_areas = np.ones(len(rows)) if column.area is None else column.area[rows]
    return np.asarray(over_areas if column.cell is None else over_areas * column.cell[0], dtype=np.float64)


def _effects_at(group: Group, values: Values, positions: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Effects of some positions in ``all_labels``, shape (S, B); one draw for a position met twice."""
    known = values[f"effect_{group.name}"]
    met, back = np.unique(positions, return_inverse=True)
    new = met >= known.shape[1]
    effects = np.empty((len(known), len(met)))
    effects[:, ~new] = known[:, met[~new]]
    effects[:, new] = values[f"sd_{group.name}"][:, None] * rng.standard_normal((len(known), int(new.sum())))
    return effects[:, back]


def _draws(values: Values) -> int:
    return len(next(iter(values.values())))


def index_of(eta: np.ndarray) -> np.ndarray:
    """Index of the areas in each draw: mean 0 and sd 1 over them; shape as ``eta``, (S, B)."""
    spread = eta.std(axis=1, keepdims=True)
    return np.asarray((eta - eta.mean(axis=1, keepdims=True)) / np.maximum(spread, NO_SPREAD))
