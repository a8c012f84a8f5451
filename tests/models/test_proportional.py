"""Score tests of proportional odds, against derivatives and probabilities by brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize
from scipy.special import expit
from scipy.stats import kstest

from placewise.models.proportional import _fit, _null_map, _score_and_information, score_tests

CUTS, BETA = np.array([-1.0, 0.2, 1.3]), np.array([0.5, -0.3])


def _answers(rng: np.random.Generator, x: np.ndarray, deviations: np.ndarray) -> np.ndarray:
    """Categories 0..3 with the slopes of column 0 moved by ``deviations`` at the cutpoints."""
    below = expit(CUTS - (x @ BETA)[:, None] - x[:, [0]] * deviations)
    return np.asarray((rng.uniform(size=len(x))[:, None] > below).sum(axis=1))


def _probabilities(theta: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Of each category, with a cutpoint and slopes of its own at every cutpoint; shape (n, m + 1)."""
    parameters = theta.reshape(-1, 1 + x.shape[1])
    below = np.column_stack([expit(c[0] - x @ c[1:]) for c in parameters])
    ends = np.zeros((len(x), 1)), np.ones((len(x), 1))
    return np.diff(np.column_stack([ends[0], below, ends[1]]), axis=1)


def _log_likelihood(theta: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    return float(np.log(np.maximum(_probabilities(theta, x)[np.arange(len(y)), y], 1e-12)).sum())


@pytest.fixture
def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(40, 2))
    return x, _answers(rng, x, np.zeros(3))


def test_score_is_the_derivative_of_the_log_likelihood(data: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = data
    theta = np.concatenate([np.append(c, BETA) for c in CUTS])
    score, _ = _score_and_information(x, y, CUTS, BETA)
    assert score == pytest.approx(approx_fprime(theta, _log_likelihood, 1e-6, x, y), abs=1e-3)


def test_information_is_the_expected_square_of_the_score(data: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = data
    _, information = _score_and_information(x, y, CUTS, BETA)
    theta = np.concatenate([np.append(c, BETA) for c in CUTS])
    chance, expected = _probabilities(theta, x), np.zeros_like(information)
    for i, k in itertools.product(range(len(x)), range(4)):
        one = approx_fprime(theta, _log_likelihood, 1e-6, x[[i]], np.array([k]))
        expected += chance[i, k] * np.outer(one, one)
    assert information == pytest.approx(expected, abs=1e-3)


def test_fit_is_the_maximum(data: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = data
    cuts, beta = _fit(x, y)
    to = _null_map(2, 3)
    best = minimize(lambda t: -_log_likelihood(to @ t, x, y), np.concatenate([CUTS, BETA]), tol=1e-10)
    assert np.concatenate([cuts, beta]) == pytest.approx(best.x, abs=1e-3)


def test_statistic_agrees_with_the_likelihood_ratio() -> None:
    rng = np.random.default_rng(8)
    x = rng.normal(size=(6000, 2))
    y = _answers(rng, x, np.array([0.1, 0.0, -0.1]))
    (found,) = score_tests(x, y, {"x": (0,)})
    null, full = _null_map(2, 3), np.zeros((9, 2))
    full[[4, 7], [0, 1]] = 1.0
    start = np.concatenate([CUTS, BETA])
    value = [
        minimize(lambda t, to=to: -_log_likelihood(to @ t, x, y), np.append(start, np.zeros(to.shape[1] - 5))).fun
        for to in (null, np.column_stack([null, full]))
    ]
    assert found.df == 2
    assert found.statistic == pytest.approx(2 * (value[0] - value[1]), rel=0.05)


def test_chance_alone_gives_uniform_p_values() -> None:
    rng = np.random.default_rng(9)
    found = []
    for _ in range(200):
        x = rng.normal(size=(400, 2))
        found.append(score_tests(x, _answers(rng, x, np.zeros(3)), {"both": (0, 1)})[0])
    assert {test.df for test in found} == {4}
    assert kstest([test.p_value for test in found], "uniform").pvalue > 0.01


def test_units_and_categories_that_nobody_gave_change_nothing() -> None:
    rng = np.random.default_rng(10)
    x = rng.normal(size=(500, 2))
    y = _answers(rng, x, np.array([0.3, 0.0, -0.3]))
    terms = {"a": (0,), "b": (1,)}
    plain = score_tests(x, y, terms)
    moved = score_tests(x * [1e4, 1e-4] + [3.0, 50.0], np.where(y == 3, 5, y), terms)
    assert [t.name for t in plain] == ["a", "b"] == [t.name for t in moved]
    assert [t.statistic for t in moved] == pytest.approx([t.statistic for t in plain], rel=1e-6)


def test_separation_is_told() -> None:
    rng = np.random.default_rng(11)
    x = np.column_stack([rng.normal(size=300), rng.uniform(size=300) < 0.05])
    y = np.where(x[:, 1] > 0, 3, rng.integers(0, 4, 300))
    assert score_tests(x, y, {"a": (0,), "b": (1,)}) is None
