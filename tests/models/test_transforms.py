from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from placewise.errors import Problems
from placewise.models.formula import parse_formula
from placewise.models.transforms import evaluate, orthogonal_polynomials, weighted_moments

X = np.array([0.1, 0.4, 0.5, 0.9])
Z = np.array([2.0, 3.0, 5.0, 7.0])


def compute(text: str, weights: np.ndarray | None = None) -> np.ndarray:
    formula = parse_formula(text, "formula", Problems())
    assert formula is not None
    return evaluate(formula.terms[0].factors[0], {"x": X, "z": Z}, np.ones(4) if weights is None else weights)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", X),
        ("log(x)", np.log(X)),
        ("log1p(x)", np.log1p(X)),
        ("sqrt(z)", np.sqrt(Z)),
        ("exp(x)", np.exp(X)),
        ("logit(x)", np.log(X / (1 - X))),
        ("I(x + z * 2 - 1)", X + Z * 2 - 1),
        ("I(-x ** 2)", -(X**2)),
        ("I((-x) ** 2)", X**2),
        ("I(2 ** -z)", 2**-Z),
        ("I(x - (z - 1) / 2)", X - (Z - 1) / 2),
        ("I(x / z / 2)", X / Z / 2),
        ("log(x + 1)", np.log(X + 1)),
        ("center(z)", Z - 4.25),
        ("scale(z)", (Z - 4.25) / np.sqrt(np.mean((Z - 4.25) ** 2))),
        ("exp(I(+x))", np.exp(X)),
    ],
)
def test_functions_and_arithmetic(text: str, expected: np.ndarray):
    assert_allclose(compute(text), expected, rtol=1e-14)


def test_poly_is_that_of_r():
    # R: poly(1:5, 2)
    linear = [-0.6324555, -0.3162278, 0.0, 0.3162278, 0.6324555]
    square = [0.5345225, -0.2672612, -0.5345225, -0.2672612, 0.5345225]
    made = orthogonal_polynomials(np.arange(1.0, 6.0), np.ones(5), 2)
    assert_allclose(made, np.column_stack([linear, square]), atol=5e-8)


def test_poly_of_new_values_is_that_of_r():
    # R's poly is the Gram-Schmidt basis of (1, x, x^2, x^3), signs aside, and predict() the same combination
    x, new = np.array([1.0, 2, 4, 7, 11]), 5.0
    basis, triangle = np.linalg.qr(np.vander(x, 4, increasing=True))
    expected = np.linalg.solve(triangle.T, np.vander([new], 4, increasing=True)[0])
    sign = np.sign(np.diag(triangle))
    made = orthogonal_polynomials(np.append(x, new), np.ones(5), 3)
    assert_allclose(made[-1], (expected * sign)[1:], rtol=1e-9, atol=1e-12)
    assert_allclose(made[:5], (basis * sign)[:, 1:], rtol=1e-9, atol=1e-12)


@given(st.lists(st.integers(1, 4), min_size=4, max_size=4))
def test_whole_weights_are_repetitions(times: list[int]):
    weights = np.array(times, dtype=float)
    repeated = np.repeat(np.arange(4), times)
    mean, sd = weighted_moments(Z, weights)
    assert_allclose([mean, sd], [Z[repeated].mean(), Z[repeated].std()])
    weighted = orthogonal_polynomials(Z, weights, 2)
    plain = orthogonal_polynomials(np.concatenate([Z[repeated], Z]), np.ones(len(repeated)), 2)[len(repeated) :]
    assert_allclose(weighted / np.abs(weighted).max(axis=0), plain / np.abs(plain).max(axis=0), atol=1e-9)


def test_learning_is_on_the_population_only():
    values = np.append(Z, 1000.0)
    assert_allclose(evaluate(parse_terms("center(z)"), {"z": values}, np.ones(4)), values - 4.25)


def parse_terms(text: str):
    formula = parse_formula(text, "formula", Problems())
    assert formula is not None
    return formula.terms[0].factors[0]


def test_what_is_not_finite_is_left_for_the_caller_to_report():
    made = evaluate(parse_terms("log(z)"), {"z": np.array([-1.0, 0.0, 1.0])}, np.ones(3))
    assert np.isnan(made[0])
    assert np.isneginf(made[1])
    assert made[2] == 0
