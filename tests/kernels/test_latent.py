"""Each row's likelihood: its derivatives, far tails, and several draws at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from placewise.kernels.latent import (
    BINOMIAL,
    CUMULATIVE,
    GAUSSIAN,
    POISSON,
    log_gap,
    log_likelihood,
    logistic,
    plain_term,
    third_derivative,
)

STEP = 1e-5


@pytest.mark.parametrize("family", [BINOMIAL, POISSON, GAUSSIAN])
@pytest.mark.parametrize("e", [-3.0, -0.2, 0.0, 1.7])
def test_derivatives_of_a_row(family: int, e: float) -> None:
    def term(e: float) -> tuple[float, float, float]:
        found: tuple[float, float, float] = plain_term(family, e, 1.5, 2.0, 0.8, 0.6)
        return found

    _, slope, curve = term(e)
    up, down = term(e + STEP), term(e - STEP)
    assert slope == pytest.approx((up[0] - down[0]) / (2 * STEP), abs=1e-8)
    assert curve == pytest.approx((down[1] - up[1]) / (2 * STEP), abs=1e-8)
    assert third_derivative(family, e, 2.0) == pytest.approx((down[2] - up[2]) / (2 * STEP), abs=1e-8)


def test_rows_are_the_families_densities() -> None:
    e, y = 0.4, 3.0
    odd = [
        plain_term(BINOMIAL, e, k, 5.0, 1.0, 0.0)[0] - stats.binom.logpmf(k, 5, 1 / (1 + np.exp(-e))) for k in (0, 5)
    ]
    assert odd[0] == pytest.approx(odd[1])
    counts = [
        plain_term(POISSON, e, y, t, 1.0, 0.0)[0] + y * np.log(t) - stats.poisson.logpmf(y, t * np.exp(e))
        for t in (1.0, 2.5)
    ]
    assert counts[0] == pytest.approx(counts[1])
    for variance, size in ((0.3, 1.0), (0.0, 0.3)):
        normal = stats.norm.logpdf(y, e, np.sqrt(0.3)) + 0.5 * np.log(2 * np.pi)
        # a weight is a power of the density
        assert plain_term(GAUSSIAN, e, y, size, 1.7, variance)[0] == pytest.approx(1.7 * normal)
        assert plain_term(GAUSSIAN, e, y, size, 0.0, variance) == (0.0, 0.0, 0.0)


def test_far_tails_do_not_overflow() -> None:
    for e in (-800.0, 800.0):
        tail, p = logistic(e)
        assert (tail, p) == (0.0, float(e > 0))
        assert plain_term(BINOMIAL, e, 1.0, 1.0, 1.0, 0.0)[0] == pytest.approx(min(e, 0.0))
    assert log_gap(0.0)[0] == log_gap(-1.0)[0] == -np.inf
    assert log_gap(1e3) == (0.0, 0.0, 0.0)
    assert log_gap(1e-12)[0] == pytest.approx(np.log(1e-12))


@pytest.mark.parametrize("gap", [0.01, 0.8, 5.0])
def test_derivatives_of_a_gap(gap: float) -> None:
    step = STEP * gap
    value, slope, curve = log_gap(gap)
    up, down = log_gap(gap + step), log_gap(gap - step)
    assert value == pytest.approx(np.log(1 - np.exp(-gap)))
    assert slope == pytest.approx((up[0] - down[0]) / (2 * step), rel=1e-6)
    assert curve == pytest.approx((down[1] - up[1]) / (2 * step), rel=1e-6)


@pytest.mark.parametrize(
    ("family", "extra"),
    [(BINOMIAL, {}), (POISSON, {}), (GAUSSIAN, {}), (GAUSSIAN, {"known": True}), (CUMULATIVE, {"deviations": 1})],
)
def test_several_draws_at_once(make_model: Callable[..., Any], family: int, extra: Any) -> None:
    model = make_model(family, 2, **extra)
    u = model.unknowns[:, None] + np.random.default_rng(2).normal(0, 0.05, (len(model.unknowns), 3))
    q = len(model.core)
    found = np.zeros(3)
    core, above = np.ascontiguousarray(u[:q]), model.membership @ u[q:]
    for first, last in ((0, 5), (5, model.chain.n_leaves)):
        log_likelihood(model.rows, first, last, core, above, model.variance, found)
    assert found == pytest.approx([model.likelihood(draw)[0] for draw in u.T], rel=1e-12)


def test_crossed_cutpoints_have_no_chance(make_model: Callable[..., Any]) -> None:
    model = make_model(CUMULATIVE, 1)
    core = np.ascontiguousarray(np.column_stack([model.core, model.core]))
    p = model.rows.x.shape[1]
    core[[p, p + 1], 1] = core[[p + 1, p], 1]
    found = np.zeros(2)
    log_likelihood(model.rows, 0, model.chain.n_leaves, core, np.zeros((model.chain.n_leaves, 2)), 0.0, found)
    assert np.isfinite(found[0])
    assert found[1] == -np.inf
