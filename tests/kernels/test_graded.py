"""A person's likelihood against quadrature, its derivatives against differences, loads against plain rescaling."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit

from placewise.kernels.chain import build_chain
from placewise.kernels.elimination import assemble
from placewise.kernels.elimination_moments import moments
from placewise.kernels.graded import (
    P,
    answer_probabilities,
    fill_tables,
    graded_log_likelihood,
    item_information,
    person,
    room,
)
from placewise.kernels.latent import CUMULATIVE, GRADED, Rows, log_likelihood

CUTS = np.array([0, 4, 5, 8])  # items of 5, 2 and 4 categories
THRESHOLDS = [2.0, 1.0, -0.5, -1.5, 0.3, 1.5, 0.1, -1.2]
SLOPES, LOG_DISCRIMINATION = [0.4, -0.2], [0.3, -0.4, 0.8]
CORE = np.array([*SLOPES, *THRESHOLDS, *LOG_DISCRIMINATION, 0.15, -0.1])


@pytest.fixture
def rows() -> Rows:
    """Twelve persons in three leaves who answered some of three items; two further coefficients of the core."""
    rng = np.random.default_rng(3)
    n = 12
    answers = np.column_stack([rng.integers(0, k, n) for k in (5, 2, 4)]).astype(np.int8)
    answers[rng.random((n, 3)) < 0.25] = -1
    answers[:, 0] = np.where((answers < 0).all(axis=1), 2, answers[:, 0])
    col = rng.integers(13, 15, (n, 1)).astype(np.int32)
    none = np.zeros(n, dtype=np.int32)
    return Rows(
        GRADED, rng.standard_normal((n, 2)), col, np.ones((n, 1)), np.empty((n, 0)), np.zeros(n),
        rng.uniform(0.5, 2.0, n), np.ones(n), np.array([0, 3, 7, 12]), 8, none, none, rng.uniform(0.6, 1.4, n),
        answers, CUTS, 10, 0.25, False,
    )  # fmt: skip


def brute(rows: Rows, i: int, core: np.ndarray, mu: float) -> float:
    """Log likelihood of a person by adaptive quadrature of the definition."""

    def integrand(t: float) -> float:
        value = np.exp(-0.5 * (t - mu) ** 2) / np.sqrt(2.0 * np.pi)
        for m, k in enumerate(rows.answers[i]):
            if k >= 0:
                b = np.r_[np.inf, core[2 + CUTS[m] : 2 + CUTS[m + 1]], -np.inf]
                a = np.exp(core[10 + m])
                value *= expit(a * (t + b[k])) - expit(a * (t + b[k + 1]))
        return value

    return float(np.log(quad(integrand, mu - 9.0, mu + 9.0, epsabs=1e-14, epsrel=1e-12, limit=200)[0]))


# an answer six sds from what is expected is integrated over a window that ends there
@pytest.mark.parametrize(("mu", "digits"), [(-7.3, 1e-4), (-0.62, 1e-9), (0.0, 1e-9), (0.25, 1e-9), (3.9, 1e-6)])
def test_a_persons_likelihood_is_the_integral(rows, mu, digits):
    tables, share, *_ = room(rows)
    fill_tables(rows, CORE, tables)
    for i in range(len(rows.y)):
        value, _ = person(rows, i, mu, tables[P], share)
        assert value == pytest.approx(brute(rows, i, CORE, mu), abs=digits)
        assert share.sum() == pytest.approx(1.0, abs=1e-12)


def whole(rows: Rows, core: np.ndarray, leaves: np.ndarray) -> float:
    out = np.zeros(1)
    draws = core[:, None].copy()
    graded_log_likelihood(rows, 0, 3, draws, leaves[:, None].copy(), answer_probabilities(rows, draws), out)
    return float(out[0])


def derivatives(rows: Rows, core: np.ndarray, leaves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gradient and negative Hessian in leaves and core by central differences."""
    at, h = np.r_[leaves, core], 1e-3
    steps = h * np.eye(len(at))

    def value(v: np.ndarray) -> float:
        return whole(rows, v[3:].copy(), v[:3].copy())

    slope = np.array([(value(at + s) - value(at - s)) / (2 * h) for s in steps])
    bend = np.array(
        [
            [
                (value(at + s + t) - value(at + s - t) - value(at - s + t) + value(at - s - t)) / (4 * h * h)
                for t in steps
            ]
            for s in steps
        ]
    )
    return slope, -bend


def test_the_assembled_hessian_is_that_of_the_likelihood(rows):
    leaves, tau = np.array([0.2, -0.3, 0.1]), np.full(3, 4.0)
    every = np.tile(np.arange(2, 15), (12, 1))
    chain = build_chain([np.repeat([0, 1, 2], [3, 4, 5])], every, 15)
    matrix, score, slope = np.zeros((15, 15)), np.zeros(15), np.zeros(3)
    pivot, strength, dense, val = np.empty(3), np.empty(3), np.empty((3, 2)), np.empty(len(chain.col))
    total = assemble(
        rows, chain, 0, 3, CORE, leaves, tau, 0.0, matrix, score, slope, pivot, strength, dense, val
    )  # fmt: skip
    assert total == pytest.approx(whole(rows, CORE, leaves), abs=1e-10)
    gradient, hessian = derivatives(rows, CORE, leaves)
    np.testing.assert_allclose(np.r_[slope, score], gradient, atol=2e-5)
    full = hessian + np.diag(np.r_[tau, np.zeros(15)])
    np.testing.assert_allclose(pivot, np.diag(full)[:3], atol=2e-4)
    np.testing.assert_allclose(strength, np.diag(full)[:3] - tau, atol=2e-4)
    eliminated = full[3:, 3:] - full[3:, :3] @ np.linalg.solve(full[:3, :3], full[:3, 3:])
    np.testing.assert_allclose(np.tril(matrix), np.tril(eliminated), atol=5e-4)


def test_the_skewness_is_the_slope_of_half_the_log_determinant(rows):
    # with the items' parameters known, all of it comes from the linear predictors
    leaves, tau = np.zeros(3), np.full(3, 4.0)
    every = np.tile(np.arange(2, 15), (12, 1))
    chain = build_chain([np.repeat([0, 1, 2], [3, 4, 5])], every, 15)
    fixed = np.diag(np.r_[1.0, 1.0, np.full(11, 1e9), 1.0, 1.0])

    def expanded(core):
        matrix, into = np.zeros((15, 15)), (np.zeros(15), np.zeros(3))
        pivot, strength, dense, val = np.empty(3), np.empty(3), np.empty((3, 2)), np.empty(len(chain.col))
        assemble(rows, chain, 0, 3, core, leaves, tau, 0.0, matrix, *into, pivot, strength, dense, val)
        matrix = np.tril(matrix) + np.tril(matrix, -1).T + fixed
        return matrix, pivot, dense, val

    matrix, pivot, dense, val = expanded(CORE)
    skew, leaf_skew, spread = np.zeros(15), np.zeros(3), np.empty(3)
    moments(
        rows, chain, 0, 3, CORE, leaves, tau, 0.0, pivot, dense, val, np.linalg.inv(matrix), skew, leaf_skew, spread
    )  # fmt: skip

    def log_det(core):
        matrix, pivot, *_ = expanded(core)
        return np.linalg.slogdet(matrix)[1] + np.log(pivot).sum()

    for k in (0, 1, 13, 14):
        step = np.zeros(15)
        step[k] = 1e-4
        slope = (log_det(CORE + step) - log_det(CORE - step)) / 2e-4
        assert skew[k] == pytest.approx(-0.5 * slope, abs=1e-5)


def test_a_load_multiplies_the_chains_effects():
    rng = np.random.default_rng(8)
    n, none = 6, np.empty((6, 0))
    y, size = rng.integers(0, 3, n).astype(float), np.ones(n)
    low, high = np.zeros(n, dtype=np.int32), np.full(n, 2, dtype=np.int32)
    both = []
    for load in (1.0, 0.5):
        rows = Rows(
            CUMULATIVE, none, none.astype(np.int32), none, none, y, size, size, np.array([0, 3, 6]), 2, low, high,
            np.full(n, load), np.empty((n, 0), dtype=np.int8), np.zeros(1, dtype=np.int64), 0, 1.0, False,
        )  # fmt: skip
        out, core = np.zeros(1), np.array([[0.7], [-0.4]])
        log_likelihood(rows, 0, 2, core, np.array([[0.3], [-0.8]]) / load, 0.0, out)
        both.append(out[0])
    assert both[0] == pytest.approx(both[1], abs=1e-14)


def test_questions_have_thresholds_of_their_own():
    none, size = np.empty((2, 0)), np.ones(2)
    low, high = np.array([0, 2], dtype=np.int32), np.array([2, 3], dtype=np.int32)
    rows = Rows(
        CUMULATIVE, none, none.astype(np.int32), none, none, np.array([1.0, 2.0]), size, size, np.array([0, 2]), 3,
        low, high, size, np.empty((2, 0), dtype=np.int8), np.zeros(1, dtype=np.int64), 0, 1.0, False,
    )  # fmt: skip
    out = np.zeros(1)
    log_likelihood(rows, 0, 1, np.array([[0.9], [-0.6], [0.2]]), np.array([[0.5]]), 0.0, out)
    # the middle category of the first question, the lowest of the second
    expected = np.log(expit(0.5 + 0.9) - expit(0.5 - 0.6)) + np.log(1.0 - expit(0.5 + 0.2))
    assert out[0] == pytest.approx(expected, abs=1e-12)


def test_the_items_information_can_be_added_apart(rows):
    leaves, tau = np.array([0.2, -0.3, 0.1]), np.full(3, 4.0)
    every = np.tile(np.arange(2, 15), (12, 1))
    chain = build_chain([np.repeat([0, 1, 2], [3, 4, 5])], every, 15)
    found = []
    for known in (False, True):
        matrix, into = np.zeros((15, 15)), (np.zeros(15), np.zeros(3))
        pivot, strength, dense, val = np.empty(3), np.empty(3), np.empty((3, 2)), np.empty(len(chain.col))
        own = rows._replace(known=known)
        assemble(own, chain, 0, 3, CORE, leaves, tau, 0.0, matrix, *into, pivot, strength, dense, val)
        if known:
            apart = np.zeros((15, 15))
            item_information(rows, 0, 3, CORE, leaves, apart)
            matrix[2:13, 2:13] += apart[2:13, 2:13]
        found.append((np.tril(matrix), *into, pivot, val))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)
