"""Posterior variances and the third-order terms are those of the dense negative Hessian."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from placewise.kernels.elimination import assemble
from placewise.kernels.elimination_moments import moments
from placewise.kernels.latent import BINOMIAL, CUMULATIVE, GAUSSIAN, POISSON

FAMILIES = {
    "binomial": (BINOMIAL, {}),
    "poisson": (POISSON, {}),
    "gaussian": (GAUSSIAN, {}),
    "known variances": (GAUSSIAN, {"known": True}),
    "cumulative": (CUMULATIVE, {}),
    "category-specific": (CUMULATIVE, {"deviations": 2}),
    "effects only": (POISSON, {"bare": True}),
}
STEP = 1e-4


def described(model: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Skewness of core and leaves, variances of the nodes, and the information of gaussian rows."""
    n_core, n, leaves = len(model.core), len(model.tau), model.chain.n_leaves
    matrix, pivot, strength = np.tril(model.prior), np.empty(n), np.empty(n)
    dense, val = np.empty((n, model.rows.x.shape[1])), np.empty(len(model.chain.col))
    assemble(
        model.rows, model.chain, 0, leaves, model.core, model.above, model.tau, model.variance, matrix,
        np.zeros(n_core), np.zeros(leaves), pivot, strength, dense, val,
    )  # fmt: skip
    cov = np.linalg.inv(matrix + np.tril(matrix, -1).T) if n_core else np.empty((0, 0))
    skew, leaf_skew, spread = np.zeros(n_core), np.zeros(leaves), np.zeros(n)
    information = moments(
        model.rows, model.chain, 0, leaves, model.core, model.above, model.tau, model.variance, pivot, dense, val,
        np.ascontiguousarray(cov), skew, leaf_skew, spread,
    )  # fmt: skip
    return skew, leaf_skew, spread, information


@pytest.mark.parametrize("depth", [0, 1, 2, 4])
@pytest.mark.parametrize(("family", "extra"), FAMILIES.values(), ids=FAMILIES.keys())
def test_variances_and_skewness(make_model: Callable[..., Any], family: int, extra: Any, depth: int) -> None:
    model = make_model(family, depth, **extra)
    skew, leaf_skew, spread, information = described(model)
    q, u = len(model.core), model.unknowns
    cov = np.linalg.inv(model.hessian())
    assert spread == pytest.approx(np.diag(cov)[q:], rel=1e-9)

    # half the sum of third derivatives times covariances is the slope of -log det / 2
    def log_det(u: np.ndarray) -> float:
        return float(np.linalg.slogdet(model.hessian(u))[1])

    steps = STEP * np.eye(len(u))
    exact = np.array([-0.5 * (log_det(u + s) - log_det(u - s)) / (2 * STEP) for s in steps])
    assert skew == pytest.approx(exact[:q], rel=1e-5, abs=1e-6)
    assert model.membership.T @ leaf_skew == pytest.approx(exact[q:], rel=1e-5, abs=1e-6)
    if family == GAUSSIAN:
        a, w = model.coefficients, model.rows.weight / (model.variance or model.rows.size)
        assert information == pytest.approx(w @ ((a @ cov) * a).sum(axis=1), rel=1e-9)
    else:
        assert information == 0.0
        assert np.abs(exact).max(initial=1.0 if not len(u) else 0.0) > 1e-3
