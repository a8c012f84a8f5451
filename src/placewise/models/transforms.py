"""Functions of a formula, computed: stateful ones learn on the population and apply to everyone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from placewise.models.terms import Arithmetic, Call, Expression, Name, Negative, Number

Floats = npt.NDArray[np.float64]


def evaluate(expression: Expression, values: Mapping[str, Floats], weights: Floats) -> Floats:
    """Compute an expression.

    Parameters
    ----------
    expression : Expression
        Walked here; nothing is handed to an evaluator.
    values : mapping of str to ndarray of float64, shape (N,)
        Columns by name.
    weights : ndarray of float64, shape (m,)
        The first m of the N values are the population on which ``scale``, ``center`` and ``poly`` learn, with these
        weights; the others are transformed alike.

    Returns
    -------
    ndarray of float64, shape (N,) or, for ``poly``, (N, degree)
        May hold NaN and infinities, which the caller reports.
    """
    with np.errstate(all="ignore"):
        return _walk(expression, values, weights)


def weighted_moments(values: Floats, weights: Floats) -> tuple[float, float]:
    """Weighted mean and sd (divisor: the sum of weights) of ``values``, shape (m,)."""
    share = weights / weights.sum()
    mean = float(share @ values)
    return mean, float(np.sqrt(share @ (values - mean) ** 2))


def _walk(expression: Expression, values: Mapping[str, Floats], weights: Floats) -> Floats:
    match expression:
        case Name(name):
            return values[name]
        case Number(value):
            length = len(next(iter(values.values())))
            return np.full(length, float(value))
        case Negative(operand):
            return -_walk(operand, values, weights)
        case Arithmetic(operator, left, right):
            return _arithmetic(operator, _walk(left, values, weights), _walk(right, values, weights))
        case Call(function, argument, degree):
            return _apply(function, _walk(argument, values, weights), weights, degree)


def _arithmetic(operator: str, a: Floats, b: Floats) -> Floats:
    match operator:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "/":
            return np.divide(a, b)
    return np.power(a, b)


def _apply(function: str, x: Floats, weights: Floats, degree: int) -> Floats:
    match function:
        case "log":
            return np.log(x)
        case "log1p":
            return np.log1p(x)
        case "sqrt":
            return np.sqrt(x)
        case "exp":
            return np.exp(x)
        case "logit":
            return np.log(x) - np.log1p(-x)
        case "center":
            return x - weighted_moments(x[: len(weights)], weights)[0]
        case "scale":
            mean, sd = weighted_moments(x[: len(weights)], weights)
            return (x - mean) / (sd or 1.0)
        case "poly":
            return orthogonal_polynomials(x, weights, degree)
    return x


def orthogonal_polynomials(x: Floats, weights: Floats, degree: int) -> Floats:
    """Polynomials orthonormal over the first m values, by the three-term recurrence (Kennedy and Gentle 1980, p. 343).

    Parameters
    ----------
    x : ndarray of float64, shape (N,)
    weights : ndarray of float64, shape (m,)
        Scaled to mean 1, so that equal weights give R's ``poly``.
    degree : int
        Highest degree, at least 1.

    Returns
    -------
    ndarray of float64, shape (N, degree)
    """
    m = len(weights)
    w = weights / weights.mean()
    before, current = np.zeros_like(x), np.ones_like(x)
    norm_before, norm = 1.0, float(w.sum())
    columns = []
    for step in range(degree):
        alpha = float((w * x[:m]) @ current[:m] ** 2) / norm
        beta = norm / norm_before if step else 0.0
        before, current = current, (x - alpha) * current - beta * before
        norm_before, norm = norm, float(w @ current[:m] ** 2)
        columns.append(current / np.sqrt(norm))
    return np.column_stack(columns)
