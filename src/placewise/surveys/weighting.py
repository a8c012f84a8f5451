"""Weights adjusted to what is known of the population, and the variance that knows of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import linalg, sparse

from placewise.errors import DataError, Problem, Problems
from placewise.surveys.disclosure import told_of
from placewise.surveys.targets import Margin, Target, read_cells, read_numbers, read_targets

if TYPE_CHECKING:
    from placewise.surveys.design import SurveyDesign

# Totals are reproduced to this share of the largest of them.
_EXACT = 1e-9
_NEWTON_STEPS = 100
_HALVINGS = 30
_SWEEPS = 10_000
_SETTLED = 1e-14

Solver = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False, repr=False)
class Adjustment:
    """One adjustment of the weights, as the variance needs it.

    Parameters
    ----------
    kind : str
        ``ratio``, ``poststratification``, ``raking``, ``calibration``.
    variables : tuple of str
    factors : tuple of float
        Smallest and largest ratio of weights after and before.
    residual : function of ndarray (n,) to ndarray (n,)
        What of a weighted score the adjustment leaves to chance: its residual on the auxiliary variables, by
        regression with the weights before (Deville and Särndal 1992: every calibration is asymptotically the
        regression estimator).
    """

    kind: str
    variables: tuple[str, ...]
    factors: tuple[float, float]
    residual: Callable[[np.ndarray], np.ndarray]


def residual_scores(score: np.ndarray, adjustments: Sequence[Adjustment]) -> np.ndarray:
    """What of a weighted score all adjustments leave to chance, shape (n,); the last one first."""
    for made in reversed(adjustments):
        score = made.residual(score)
    return score


def scale_to(design: SurveyDesign, values: Any, total: float) -> SurveyDesign:
    """Multiply weights by total ÷ estimated total of one variable: totals then are ratio estimates.

    Parameters
    ----------
    design : SurveyDesign
    values : array of float64, shape (n,)
        Positive.
    total : float
        Of the population.

    Returns
    -------
    SurveyDesign
    """
    problems = _begin(design)
    x = read_numbers(values, len(design), "values", problems, positive=True)
    target = float(read_numbers([total], 1, "total", problems, positive=True)[0])
    problems.raise_if_any()
    root = np.sqrt(design.weights / x)
    basis = (root * x / linalg.norm(root * x))[:, None]

    def solve(weights: np.ndarray) -> np.ndarray:
        return np.asarray(weights * (target / (weights @ x)))

    return _adjusted(design, "ratio", ("values",), solve, _regressed(basis, root, solve(design.weights)))


def poststratify(design: SurveyDesign, table: pd.DataFrame, counts: pd.DataFrame) -> SurveyDesign:
    """Weights that reproduce the population's counts of joint categories (Holt and Smith 1979).

    Parameters
    ----------
    design : SurveyDesign
    table : DataFrame
        n rows in the design's order; holds the columns that ``counts`` names.
    counts : DataFrame
        One row a joint category: its columns, and ``count``, people in the population.

    Returns
    -------
    SurveyDesign

    Raises
    ------
    DataError
        Categories of one that the other lacks, counts that are not positive numbers, all in one error.
    """
    problems = _begin(design)
    names = tuple(c for c in counts.columns if c != "count")
    cells = read_cells(table, counts, names, len(design), problems)
    problems.raise_if_any()
    size = cells.counts.size

    def solve(weights: np.ndarray) -> np.ndarray:
        _present([cells], weights)
        return np.asarray(weights * (cells.counts / np.bincount(cells.code, weights, size))[cells.code])

    root = np.sqrt(design.weights)
    norm = np.sqrt(np.bincount(cells.code, design.weights, size))
    basis = sparse.csr_array((root / norm[cells.code], (np.arange(len(design)), cells.code)), shape=(len(design), size))
    return _adjusted(design, "poststratification", names, solve, _regressed(basis, root, solve(design.weights)))


def rake(
    design: SurveyDesign, table: pd.DataFrame, margins: Mapping[str, Target], tolerance: float, cycles: int
) -> SurveyDesign:
    """Weights that reproduce the population's margins, by iterative proportional fitting (Deming and Stephan 1940).

    Parameters
    ----------
    design : SurveyDesign
    table : DataFrame
        n rows in the design's order; holds the columns that ``margins`` names.
    margins : mapping of column to mapping of category to float
        People of each category in the population; margins must add up to the same population.
    tolerance : float
        Largest discrepancy of a category at which it stops, as a share of the population.
    cycles : int
        Over all margins; an error where they are not enough.

    Returns
    -------
    SurveyDesign
    """
    problems = _begin(design)
    found = read_targets(table, margins, len(design), problems)
    if cycles < 1:
        problems.add("rake: cycles", f"{cycles} given, expected 1 or more", kind="data")
    if any(isinstance(m, np.ndarray) for m in found.columns):
        problems.add("rake", "a margin needs people by category", "use calibrate for totals of numbers", "data")
    problems.raise_if_any()
    groups = [m for m in found.columns if isinstance(m, Margin)]

    def fit(weights: np.ndarray) -> list[np.ndarray]:
        """Weights after each margin of the last cycle."""
        _present(groups, weights)
        for _ in range(cycles):
            after = []
            for m in groups:
                weights = weights * (m.counts / np.bincount(m.code, weights, m.counts.size))[m.code]
                after.append(weights)
            off = [
                np.abs(np.bincount(m.code, weights, m.counts.size) - m.counts).max() / m.counts.sum() for m in groups
            ]
            if max(off) <= tolerance:
                return after
        worst = groups[int(np.argmax(off))].name
        message = f"after {cycles:,} cycles margin {worst!r} is {max(off):.2g} of the population away"
        hint = "margins contradict each other, or categories are too small: merge some"
        raise DataError(Problem("rake", message, hint, "data"))

    swept = _swept(groups, design.weights, fit(design.weights))
    return _adjusted(design, "raking", tuple(margins), lambda w: fit(w)[-1], swept)


def calibrate(
    design: SurveyDesign, table: pd.DataFrame, totals: Mapping[str, Target], bounds: tuple[float, float] | None
) -> SurveyDesign:
    """Weights nearest to the present ones in the chi-squared sense that reproduce totals (Deville and Särndal 1992).

    Unbounded, this is the generalised regression estimator. With bounds the linear factors are truncated.

    Parameters
    ----------
    design : SurveyDesign
    table : DataFrame
        n rows in the design's order; holds the columns that ``totals`` names. For an intercept, name categories, or a
        column of ones with the size of the population.
    totals : mapping of column to float, or to mapping of category to float
        Totals of a number, or people of each category.
    bounds : (float, float) or None
        Smallest and largest ratio of new and old weight, around 1, once the old ones add up to the population (which
        totals of categories tell).

    Returns
    -------
    SurveyDesign

    Raises
    ------
    DataError
        Totals that contradict each other or cannot be reached inside the bounds, weights that would not be positive.
    """
    problems = _begin(design)
    if bounds is not None and not 0 < bounds[0] < 1 < bounds[1]:
        problems.add("calibrate: bounds", f"{bounds} given, expected 0 < lower < 1 < upper", kind="data")
    found = read_targets(table, totals, len(design), problems)
    problems.raise_if_any()
    x, target = found.matrix(), found.totals()
    low, high = bounds or (-np.inf, np.inf)
    basis, root = _basis(x, design.weights)

    population = next((m.counts.sum() for m in found.columns if isinstance(m, Margin)), None)

    def solve(weights: np.ndarray) -> np.ndarray:
        # Weights are often scaled to the sample; bounds are about their differences, not about that scale.
        level = weights if population is None else weights * (population / weights.sum())
        return np.asarray(level * _linear(x, target, level, low, high, found.labels()))

    return _adjusted(design, "calibration", tuple(totals), solve, _regressed(basis, root, solve(design.weights)))


def trim(design: SurveyDesign, lower: float, upper: float) -> SurveyDesign:
    """Bring weights inside limits, spreading what is cut evenly over those inside, until none is outside.

    Parameters
    ----------
    design : SurveyDesign
        Before weights are adjusted and replicates made: neither would hold any more.
    lower, upper : float
        Limits, the mean weight between them.

    Returns
    -------
    SurveyDesign
    """
    problems = _begin(design)
    weights = design.weights
    if not lower < weights.mean() < upper:
        message = f"limits {lower:g} and {upper:g} do not hold the mean weight {weights.mean():.4g} between them"
        problems.add("trim", message, kind="data")
    if design.adjustments or design.replicates is not None:
        problems.add("trim", "weights are adjusted, or have replicates", "trim first, then adjust", "data")
    elif ((weights < lower) | (weights > upper)).all():
        problems.add("trim", "every weight is outside the limits", "widen them", "data")
    problems.raise_if_any()
    while (outside := (weights < lower) | (weights > upper)).any():
        cut = np.clip(weights, lower, upper)
        weights = np.where(outside, cut, cut + (weights - cut).sum() / (~outside).sum())
    return design.changed(weights=weights)


def _begin(design: SurveyDesign) -> Problems:
    """Problems, with one where only a part of the sample is looked at."""
    problems = Problems()
    if not design.inside.all():
        inside = told_of(int(design.inside.sum()), len(design), "respondents")
        problems.add(
            "weights", f"the design looks at {inside}", "adjust the whole sample, then take the subset", "data"
        )
    return problems


def _adjusted(
    design: SurveyDesign, kind: str, variables: tuple[str, ...], solve: Solver, residual: Solver
) -> SurveyDesign:
    """The design with adjusted weights, every replicate adjusted by itself."""
    weights = solve(design.weights)
    negative = int((weights <= 0).sum())
    if negative:
        message = f"the weights of {told_of(negative, len(design), 'respondents')} would not be positive"
        raise DataError(Problem(kind, message, "give bounds, or rake", "data"))
    factors = weights / design.weights
    made = Adjustment(kind, variables, (float(factors.min()), float(factors.max())), residual)
    replicates = design.replicates
    if replicates is not None:
        each = [solve(design.weights * column[replicates.unit]) for column in replicates.factors.T]
        replicates = replace(
            replicates,
            unit=np.arange(len(design)),
            factors=np.column_stack(each) / weights[:, None],
            rank=replicates.freedom + 1,
        )
    return design.changed(weights=weights, adjustments=(*design.adjustments, made), replicates=replicates)


def _regressed(basis: Any, root: np.ndarray, weights: np.ndarray) -> Solver:
    """Residuals on a basis that is orthonormal under the regression's weights, whose roots are given."""

    def residual(score: np.ndarray) -> np.ndarray:
        value = root * score / weights
        return np.asarray((value - basis @ (basis.T @ value)) / root * weights)

    return residual


def _swept(margins: Sequence[Margin], before: np.ndarray, after: Sequence[np.ndarray]) -> Solver:
    """Residuals on all margins: means of each are swept out in turn until none is left (alternating projections)."""
    sizes = [np.bincount(m.code, before, m.counts.size) for m in margins]

    def residual(score: np.ndarray) -> np.ndarray:
        largest = np.abs(score).max(initial=0.0)
        for _ in range(_SWEEPS):
            moved = 0.0
            for m, size, weights in zip(margins, sizes, after, strict=True):
                step = weights * (np.bincount(m.code, before * score / weights, size.size) / size)[m.code]
                score = score - step
                moved = max(moved, np.abs(step).max(initial=0.0))
            if moved <= _SETTLED * largest:
                return score
        raise DataError(Problem("rake", "margins are too much alike for a variance", "merge categories", "data"))

    return residual


def _basis(x: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal basis of the weighted columns, and the roots of the weights; collinear columns count once."""
    root = np.sqrt(weights)
    scaled = root[:, None] * x
    scaled /= np.maximum(linalg.norm(scaled, axis=0), np.finfo(float).tiny)
    q, r, _ = linalg.qr(scaled, mode="economic", pivoting=True)
    return q[:, np.abs(np.diag(r)) > 1e-10], root


def _linear(
    x: np.ndarray, target: np.ndarray, weights: np.ndarray, low: float, high: float, labels: Sequence[str]
) -> np.ndarray:
    """Factors 1 + x'λ inside the limits that reproduce the totals, by Newton's method with halved steps."""
    size = np.maximum(np.abs(x).T @ weights, np.abs(target))
    size[size == 0] = 1.0
    scaled, wanted = x / size, target / size
    slope = np.zeros(size.size)
    factors = np.ones(len(x))
    off = wanted - scaled.T @ weights
    for _ in range(_NEWTON_STEPS):
        if np.abs(off).max() <= _EXACT * 1e-3:
            break
        free = weights * ((factors > low) & (factors < high) | (slope == 0).all())
        # Collinear columns share their slope.
        step = linalg.pinvh(scaled.T @ (free[:, None] * scaled), rtol=1e-12) @ off
        for halving in range(_HALVINGS):
            tried = np.clip(1 + scaled @ (slope + step / 2**halving), low, high)
            left = wanted - scaled.T @ (weights * tried)
            if linalg.norm(left) < linalg.norm(off):
                break
        else:
            break
        slope, factors, off = slope + step / 2**halving, tried, left
    if np.abs(off).max() > _EXACT:
        worst = int(np.argmax(np.abs(off)))
        message = f"total of {labels[worst]} cannot be reached: {abs(off[worst]):.2g} of it is left"
        hint = "totals contradict each other, or widen the bounds"
        raise DataError(Problem("calibrate", message, hint, "data"))
    return factors


def _present(margins: Sequence[Margin], weights: np.ndarray) -> None:
    """Raise where a category has nobody left, as happens in replicates."""
    empty = [
        f"{m.name} {m.labels[k]!r}"
        for m in margins
        for k in np.flatnonzero(np.bincount(m.code, weights, m.counts.size) <= 0)
    ]
    if empty:
        message = f"some replicate leaves nobody in {', '.join(empty[:10])}"
        raise DataError(Problem("replicate weights", message, "merge categories", "data"))
