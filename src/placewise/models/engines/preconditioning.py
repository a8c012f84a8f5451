"""How the sampler's coordinates are chosen: partial centring of effects, whitening of the well-informed ones.

Nothing here changes the posterior: both are linear maps with constant Jacobian for given standard deviations. They are
data of the PyMC model, so that a short pilot run can set them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from placewise.models.engines import FitProblem
from placewise.models.engines.likelihoods import Rows

TYPICAL_SD = {"geography": 0.05, "class": 0.1, "other": 0.3}
TYPICAL_SLOPE_SD = 0.1
LARGEST_BLOCK = 250
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
    for k in sorted(range(len(problem.design.groups)), key=lambda k: len(problem.design.groups[k].labels)):
        levels = len(problem.design.groups[k].labels)
        if size + levels > LARGEST_BLOCK:
            break
        chosen.append(k)
        size += levels
    return Block(slopes and bool(problem.design.columns), tuple(sorted(chosen)), size)


def typical_sds(problem: FitProblem) -> dict[str, float]:
    """Size that each sd has as a rule: a first guess before the pilot run."""
    scale = float(np.std(problem.response.y)) if problem.family == "gaussian" else 1.0
    return {"slopes": TYPICAL_SLOPE_SD * scale} | {g.name: TYPICAL_SD[g.role] * scale for g in problem.design.groups}


def coordinates(problem: FitProblem, rows: Rows, sds: Mapping[str, float]) -> dict[str, np.ndarray]:
    """Centring of every group and whitening of the block, at given standard deviations.

    Parameters
    ----------
    problem : FitProblem
        What is fitted.
    rows : Rows
        Its data.
    sds : mapping of str to float
        By group name, and ``slopes``.

    Returns
    -------
    dict of str to ndarray
        ``centring_<group>`` and ``centring_slopes``: c in [0, 1) for each level or slope, n σ² / (1 + n σ²) with n the
        information that the respondents have about it; 1 for slopes with a prior of their own.
        ``whitening``: matrix M such that the block's parameters M z have nearly independent, unit-variance z: the
        inverse transposed Cholesky factor of their information, the location projected out, plus prior precision.
    """
    found = {}
    for group, at in zip(problem.design.groups, rows.index, strict=True):
        signal = np.bincount(at, rows.information, minlength=len(group.labels)) * sds[group.name] ** 2
        found[f"centring_{group.name}"] = signal / (1.0 + signal)
    if problem.design.columns:
        about = rows.information @ (rows.x - np.average(rows.x, axis=0, weights=rows.information)) ** 2
        signal = about * sds["slopes"] ** 2
        own = np.array([prior is not None for prior in problem.priors.slopes])
        found["centring_slopes"] = np.where(own, 1.0, signal / (1.0 + signal))
    block = choose_block(problem)
    if block.size:
        found["whitening"] = _whitening(problem, rows, sds, found, block)
    return found


def _whitening(
    problem: FitProblem, rows: Rows, sds: Mapping[str, float], centring: Mapping[str, np.ndarray], block: Block
) -> np.ndarray:
    columns, scale, precision = [], [], []
    if block.slopes:
        c, log_sd = centring["centring_slopes"], np.log(sds["slopes"])
        columns.append(rows.x)
        scale.append(np.exp((1.0 - c) * log_sd))
        precision.append(_slope_precision(problem, np.exp(c * log_sd)))
    for k in block.groups:
        group = problem.design.groups[k]
        c, log_sd = centring[f"centring_{group.name}"], np.log(sds[group.name])
        columns.append(np.equal.outer(rows.index[k], np.arange(len(group.labels))).astype(float))
        scale.append(np.exp((1.0 - c) * log_sd))
        precision.append(np.exp(-2.0 * c * log_sd))
    a = np.column_stack(columns) * np.concatenate(scale)
    a -= np.average(a, axis=0, weights=rows.information)
    h = (a.T * rows.information) @ a + np.diag(np.concatenate(precision))
    factor = np.linalg.cholesky(h)
    return np.asarray(solve_triangular(factor, np.eye(len(h)), lower=True, trans="T"))


def _slope_precision(problem: FitProblem, widths: np.ndarray) -> np.ndarray:
    """Prior precision of each slope; a flat prior counts as a very wide one, so that the matrix stays definite."""
    own = [None if prior is None else (prior.args or (1e3,))[-1] for prior in problem.priors.slopes]
    return np.array([width if sd is None else sd for sd, width in zip(own, widths, strict=True)]) ** -2.0
