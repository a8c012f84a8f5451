"""The sampler's coordinates: each effect standardised by what its respondents tell for any size of its group.

Nothing here changes the posterior: the maps are linear for given standard deviations. What they rest on is data of the
PyMC model, so that a short pilot run can set it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular

from placewise.models.engines import FitProblem
from placewise.models.engines.bases import TYPICAL_RHO, basis_of, size_of
from placewise.models.engines.instrument_rows import in_units_of_location, strata_of
from placewise.models.engines.rows import Rows

TYPICAL_SD = {"geography": 0.05, "class": 0.1, "other": 0.3}
TYPICAL_SLOPE_SD = 0.1
LARGEST_BLOCK = 250
# an effect with less shrinkage than this says nothing of where its centre is
LEAST_SHRINKAGE = 0.1
# sd that stands for a flat prior, so that the precision stays positive
VERY_WIDE = 100.0
WHITENABLE = ("normal", "student_t", "flat")


@dataclass(frozen=True)
class Block:
    """The parameters that are whitened together: all slopes and the groups with few levels.

    Parameters
    ----------
    slopes : bool
        Whether the slopes are in it: not when the prior of one is bounded or fixed.
    groups : tuple of int
        Positions of the groups in the design.
    size : int
        Number of parameters.
    """

    slopes: bool
    groups: tuple[int, ...]
    size: int


def choose_block(problem: FitProblem) -> Block:
    """Slopes, then groups from the smallest up while the block stays small enough for a dense matrix."""
    slopes = all(prior is None or prior.name in WHITENABLE for prior in problem.priors.slopes)
    size = len(problem.design.columns) if slopes else 0
    chosen = []
    sizes = [size_of(group) for group in problem.design.groups]
    for k in sorted(range(len(sizes)), key=lambda k: sizes[k]):
        levels = sizes[k]
        if size + levels > LARGEST_BLOCK:
            break
        chosen.append(k)
        size += levels
    return Block(slopes and bool(problem.design.columns), tuple(sorted(chosen)), size)


@dataclass(frozen=True)
class Guess:
    """What is known of the posterior before the long run.

    Parameters
    ----------
    sds : mapping of str to float
        Size of each group's sd, and of ``slopes``.
    effects : mapping of str to ndarray
        Posterior means of effects and slopes; a missing one counts as 0.
    rho : mapping of str to float
        By group, where its structure has one; a missing one counts as typical.
    discrimination : ndarray, shape (M,), or None
        Of the items of a scale; None counts as ones.
    survey_scale : ndarray, shape (surveys - 1,), or None
        Of every survey but the reference; None counts as ones.
    """

    sds: Mapping[str, float]
    effects: Mapping[str, np.ndarray]
    rho: Mapping[str, float] = field(default_factory=dict)
    discrimination: np.ndarray | None = None
    survey_scale: np.ndarray | None = None


def first_guess(problem: FitProblem) -> Guess:
    """Sizes that sds have as a rule, before anything was sampled."""
    scale = float(np.std(problem.response.y)) if problem.family == "gaussian" else 1.0
    # what is one survey's own is as small as geography's part
    sds = {g.name: TYPICAL_SD["geography" if g.survey else g.role] * scale for g in problem.design.groups}
    return Guess({"slopes": TYPICAL_SLOPE_SD * scale} | sds, {})


def coordinates(problem: FitProblem, rows: Rows, guess: Guess) -> dict[str, np.ndarray]:
    """Information about and centre of every effect, and the whitening of the block.

    Returns
    -------
    dict of str to ndarray
        ``information_<name>``: Fisher information I of the respondents about each level (of a structured group: about
        each coefficient of its basis) or slope. ``centre_<name>``:
        its estimate û without shrinkage, such that the conditional mean for an sd σ is û I σ² / (1 + I σ²).
        ``whitening``: matrix M such that the block's standardised effects M z have nearly independent z of variance 1:
        the inverse transposed Cholesky factor of their precision, the location projected out.
    """
    rows = in_units_of_location(problem.design, rows, guess.discrimination, guess.survey_scale)
    about = {g.name: _information(rows, k, len(g.labels)) for k, g in enumerate(problem.design.groups)}
    effects, sds = dict(guess.effects), dict[str, Any](guess.sds)
    for group in problem.design.groups:
        basis = basis_of(group)
        if basis is not None:
            rho = guess.rho.get(group.name, TYPICAL_RHO)
            about[group.name] = np.square(basis.matrix(rho)).T @ about[group.name]
            sds[group.name] = guess.sds[group.name] * np.sqrt(basis.variances(rho))
            if group.name in effects:
                effects[group.name] = basis.coefficients(effects[group.name], rho)
    block = choose_block(problem)
    if block.slopes:
        centred = rows.x - _means(rows, rows.x)
        about["slopes"] = rows.information @ centred**2
    found = {}
    for name, information in about.items():
        shrinkage = 1.0 / (1.0 + 1.0 / np.maximum(information * sds[name] ** 2, LEAST_SHRINKAGE))
        found[f"information_{name}"] = information
        found[f"centre_{name}"] = effects.get(name, np.zeros(len(information))) / shrinkage
    if block.size:
        found["whitening"] = _whitening(problem, rows, sds, guess.rho, about, block)
    return found


def _means(rows: Rows, a: np.ndarray) -> np.ndarray:
    """Means of columns over all rows, by information, or over those of each survey with cutpoints of its own."""
    if rows.instruments is None:
        return np.asarray(np.average(a, axis=0, weights=rows.information))
    strata, place = np.unique(strata_of(rows.instruments), return_inverse=True)
    means = [np.average(a[place == k], axis=0, weights=rows.information[place == k]) for k in range(len(strata))]
    return np.asarray(means)[place]


def _information(rows: Rows, k: int, levels: int) -> np.ndarray:
    """Fisher information about each level of group k."""
    if rows.shares[k] is not None:
        return np.asarray(rows.information @ rows.incidence(k, levels) ** 2)
    by = rows.by[k]
    return np.bincount(rows.index[k], rows.information * (1.0 if by is None else by**2), minlength=levels)


def _whitening(
    problem: FitProblem,
    rows: Rows,
    sds: Mapping[str, Any],
    rho: Mapping[str, float],
    about: Mapping[str, np.ndarray],
    block: Block,
) -> np.ndarray:
    columns, scale, precision = [], [], []
    if block.slopes:
        own = [None if prior is None else (prior.args or (VERY_WIDE,))[-1] for prior in problem.priors.slopes]
        widths = np.array([sds["slopes"] if width is None else width for width in own])
        columns.append(rows.x)
        scale.append(widths / np.sqrt(1.0 + about["slopes"] * widths**2))
        precision.append((scale[-1] / widths) ** 2)
    for k in block.groups:
        group = problem.design.groups[k]
        basis = basis_of(group)
        incidence = rows.incidence(k, len(group.labels))
        columns.append(incidence if basis is None else incidence @ basis.matrix(rho.get(group.name, TYPICAL_RHO)))
        signal = about[group.name] * sds[group.name] ** 2
        scale.append(sds[group.name] / np.sqrt(1.0 + signal))
        precision.append(1.0 / (1.0 + signal))
    a = np.column_stack(columns) * np.concatenate(scale)
    a -= _means(rows, a)
    factor = np.linalg.cholesky((a.T * rows.information) @ a + np.diag(np.concatenate(precision)))
    return np.asarray(solve_triangular(factor, np.eye(len(factor)), lower=True, trans="T"))
