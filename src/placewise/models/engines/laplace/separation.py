"""Whether the covariates separate the answers: some combination tells them apart, so that no slope is large enough."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

from placewise.models.engines import FitProblem
from placewise.models.engines.laplace.conditional import Conditional
from placewise.models.engines.laplace.explore import Landscape
from placewise.models.engines.rows import Rows

# share of its prior's variance that an estimate keeps where the answers say little about it
HELD = 0.5
# change of the linear predictor from a column's lowest value to its highest that calls for a closer look
STEEP = 6.0
TOLERANCE = 1e-7


def separated(conditional: Conditional, landscape: Landscape) -> tuple[str, ...]:
    """Names of the fixed columns whose slopes only their priors hold because they separate the answers.

    Parameters
    ----------
    conditional : Conditional
    landscape : Landscape
        Of its hyperparameters.
    """
    point = conditional.hyper.at(landscape.centre)
    e = conditional.find_mode(point, landscape.mode)
    inverse = np.linalg.inv(e.root)
    slopes = conditional.layout.slopes
    variance = np.square(inverse).sum(axis=0)[slopes]
    held = variance * conditional.prior.fixed_precision(point)[slopes] > HELD
    across = np.ptp(conditional.problem.rows.x, axis=0)
    if not (held | (across * (np.abs(e.mode.core[slopes]) + np.sqrt(variance)) > STEEP)).any():
        return ()
    return separating_columns(conditional.problem)


def separating_columns(problem: FitProblem, flat: bool = False) -> tuple[str, ...]:
    """Names of the fixed columns that take part in a separation (Albert and Anderson 1984, by linear programming).

    A direction d separates if moving the coefficients along it never lowers the likelihood of any answer and raises
    that of some. Of the directions that raise the same answers as much, the one with the least slopes is named.

    Parameters
    ----------
    problem : FitProblem
    flat : bool
        Move only coefficients whose prior is flat, so that the posterior is improper if they separate.
    """
    if problem.response.instruments is not None:
        return ()  # every prior of a slope is proper (``limits``)
    rows = problem.rows
    sign, x = _directions(problem, rows)
    if not len(sign):
        return ()
    # rows without weight say nothing
    counted = np.resize(rows.size > 0.0, len(sign))
    sign, x = sign[counted], x[counted]
    scale = np.maximum(np.abs(x).max(axis=0), 1e-12)
    x = x / scale
    p, q = x.shape[1], len(problem.design.columns)
    reach = _free(problem, p).astype(float) if flat else np.ones(p)
    gain, exact = x[sign != 0.0] * sign[sign != 0.0][:, None], x[sign == 0.0]
    first = linprog(
        -gain.sum(axis=0), A_ub=-gain, b_ub=np.zeros(len(gain)), A_eq=exact, b_eq=np.zeros(len(exact)),
        bounds=np.column_stack([-reach, reach]), method="highs",
    )  # fmt: skip
    if not first.success or -first.fun <= TOLERANCE * max(len(gain), 1):
        return ()
    raised = gain @ first.x
    least = np.where(raised > TOLERANCE, raised[raised > TOLERANCE].min(), 0.0)
    # slopes as a difference of two positive parts, whose sum is least
    cost = np.concatenate([np.zeros(p - q), np.ones(q)])
    sparse = linprog(
        np.tile(cost, 2), A_ub=-np.column_stack([gain, -gain]), b_ub=-least,
        A_eq=np.column_stack([exact, -exact]), b_eq=np.zeros(len(exact)),
        bounds=np.column_stack([np.zeros(2 * p), np.where(np.tile(reach, 2) > 0.0, np.inf, 0.0)]), method="highs",
    )  # fmt: skip
    moved = np.abs(sparse.x[:p] - sparse.x[p:] if sparse.success else first.x)[p - q :]
    return tuple(c.name for c, part in zip(problem.design.columns, moved, strict=True) if part > TOLERANCE)


def _free(problem: FitProblem, count: int) -> np.ndarray:
    """Which of the columns of ``_directions`` have coefficients with a flat prior."""
    plan = problem.priors
    other = plan.intercept if problem.family != "cumulative" else plan.cutpoints
    found = np.full(count, other is not None and other.name == "flat")
    found[count - len(plan.slopes) :] = [prior is not None and prior.name == "flat" for prior in plan.slopes]
    return found


def _directions(problem: FitProblem, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """For each answer the sign in which its linear predictor likes to go, 0 where it must not move, and its columns."""
    n, k = len(rows.y), len(problem.response.levels)
    constant = np.ones((n, int(problem.priors.intercept is not None)))
    if problem.family == "cumulative":
        parts, signs = [], []
        for cut in range(k - 1):
            thresholds = np.zeros((n, k - 1))
            thresholds[:, cut] = 1.0
            parts.append(np.column_stack([thresholds, rows.x]))
            signs.append(np.where(rows.y > cut, 1.0, -1.0))
        return np.concatenate(signs), np.concatenate(parts)
    x = np.column_stack([constant, rows.x])
    if problem.family in ("bernoulli", "binomial"):
        return np.where(rows.y >= rows.size, 1.0, np.where(rows.y <= 0.0, -1.0, 0.0)), x
    if problem.family == "poisson":
        return np.where(rows.y > 0.0, 0.0, -1.0), x
    return np.empty(0), x
