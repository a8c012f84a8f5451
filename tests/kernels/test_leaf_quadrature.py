"""Leaves integrated out: against numerical integration, closed forms, and the conditional distribution's own CDF."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from placewise.kernels.chain import add_up
from placewise.kernels.elimination import assemble
from placewise.kernels.latent import BINOMIAL, CUMULATIVE, GAUSSIAN, POISSON, Rows, log_likelihood, simple_rows
from placewise.kernels.leaf_quadrature import (
    COARSE,
    FINE,
    Rule,
    assemble_marginal,
    draw_leaves,
    leaf_marginals,
)

# one leaf: family, answers, coefficients of the core
LEAVES = {
    "one yes": (BINOMIAL, [1.0], [0.5]),
    "two unlikely": (BINOMIAL, [1.0, 1.0], [-2.0]),
    "no visits": (POISSON, [0.0, 0.0], [0.7]),
    "none where 40 were expected": (POISSON, [0.0], [3.7]),
    "many visits": (POISSON, [30.0], [0.7]),
    "ordered": (CUMULATIVE, [0.0, 2.0, 3.0], [1.2, 0.0, -1.0]),
}
EACH = pytest.mark.parametrize(("family", "y", "core"), LEAVES.values(), ids=LEAVES.keys())
# sd of the leaf's effect, and the relative error of nine nodes and of 31
PRECISION = {0.3: (1e-7, 1e-11), 0.7: (1e-5, 1e-11), 1.5: (2e-4, 2e-8), 2.5: (3e-3, 1e-5)}


STEP = 1e-5


def one_leaf(family: int, y: list[float], core: list[float]) -> tuple[Rows, np.ndarray]:
    m, n_cut = len(y), len(core) if family == CUMULATIVE else 0
    none, ones = np.empty((m, 0)), np.ones(m)
    x = none if n_cut else np.ones((m, 1))
    rows = simple_rows(family, x, none.astype(np.int32), none, none, np.array(y), ones, ones, np.array([0, m]), n_cut)
    return rows, np.array(core)


def integrand(rows: Rows, core: np.ndarray, sd: float) -> Callable[[float], float]:
    def at(u: float) -> float:
        found = np.zeros(1)
        log_likelihood(rows, 0, 1, core[:, None], np.array([[u]]), 0.0, found)
        return float(np.exp(found[0]) * stats.norm.pdf(u, 0.0, sd))

    return at


def integral(f: Callable[[float], float], sd: float, upper: float = 12.0) -> float:
    return float(quad(f, -12.0 * sd, upper * sd, epsabs=0.0, epsrel=1e-11, limit=200)[0])


def rule(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    x, w = np.polynomial.hermite.hermgauss(nodes)
    return np.sqrt(2.0) * x, np.log(w) + x**2 - 0.5 * np.log(np.pi)


@pytest.mark.parametrize("sd", PRECISION)
@EACH
def test_a_leafs_integral(family: int, y: list[float], core: list[float], sd: float) -> None:
    rows, at = one_leaf(family, y, core)
    exact, zero = integral(integrand(rows, at, sd), sd), np.zeros((1, 1))
    for (x, w), error in zip((FINE[:2], rule(31)), PRECISION[sd], strict=True):
        found = np.zeros(1)
        leaf_marginals(rows, 0, 1, at[:, None], zero, zero, np.array([sd**-2.0]), 0.0, x, w, found)
        assert np.exp(found[0]) == pytest.approx(exact, rel=error)


@pytest.mark.parametrize(("sd", "by"), [(0.3, COARSE), (0.3, FINE), (1.0, FINE), (2.5, FINE)])
@EACH
def test_draws_follow_the_conditional_distribution(
    family: int, y: list[float], core: list[float], sd: float, by: Rule
) -> None:
    rows, at = one_leaf(family, y, core)
    n = 5_000
    rng, out, zero = np.random.default_rng(4), np.empty((1, n)), np.zeros((1, n))
    many = np.ascontiguousarray(np.tile(at[:, None], n))
    draw_leaves(rows, 0, 1, many, zero, zero, np.array([sd**-2.0]), 0.0, by.strata, rng.random((2, 1, n)), out)
    grid = np.linspace(-8.0 * sd, 8.0 * sd, 4001)
    density = np.array([integrand(rows, at, sd)(u) for u in grid])
    cdf = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))])
    shares = np.interp(out[0], grid, cdf / cdf[-1])
    assert stats.kstest(shares, "uniform").pvalue > 1e-3
    # strata leave less noise than independent draws would
    assert abs(shares.mean() - 0.5) < 4.0 / np.sqrt(12 * n)


def marginal(model: Any, u: np.ndarray, rule: tuple[np.ndarray, ...] = FINE[:2]) -> float:
    """Log likelihood with the leaves integrated out; ``u`` is core and nodes."""
    q, leaves = len(model.core), model.chain.n_leaves
    nodes = np.concatenate([np.zeros(leaves), u[q + leaves :]])
    found = np.zeros(1)
    leaf_marginals(
        model.rows, 0, leaves, u[:q, None], (model.membership @ nodes)[:, None], np.zeros((leaves, 1)), model.tau,
        model.variance, *rule, found,
    )  # fmt: skip
    return float(found[0])


def assembled(
    model: Any, assemble: Callable[..., float], above: np.ndarray, start: Any = None, *rule: np.ndarray
) -> dict[str, Any]:
    n_core, n = len(model.core), len(model.tau)
    found = {
        "matrix": np.tril(model.prior), "score": np.zeros(n_core), "slope": np.zeros(model.chain.n_leaves),
        "pivot": np.empty(n), "strength": np.empty(n), "dense": np.empty((n, model.rows.x.shape[1])),
        "val": np.empty(len(model.chain.col)),
    }  # fmt: skip
    value = assemble(
        model.rows, model.chain, 0, model.chain.n_leaves, model.core, above,
        *(() if start is None else (start,)), model.tau, model.variance, *rule, *found.values(),
    )  # fmt: skip
    return {**found, "value": value}


def beneath(model: Any) -> np.ndarray:
    """Sums of the leaves' ancestors."""
    leaves = model.chain.n_leaves
    return np.asarray(model.membership[:, leaves:] @ model.nodes[leaves:])


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize(("family", "extra"), [(BINOMIAL, {}), (POISSON, {}), (CUMULATIVE, {"deviations": 2})])
def test_gradient_of_the_integrals(make_model: Callable[..., Any], family: int, extra: Any, depth: int) -> None:
    model = make_model(family, depth, **extra)
    leaves, q, u = model.chain.n_leaves, len(model.core), model.unknowns
    # of nine nodes the mean of slopes and the slope of the integral differ a little
    fine = rule(31)
    found = assembled(model, assemble_marginal, beneath(model), np.zeros(leaves), *fine)
    # which is about another centre, found less closely
    assert found["value"] == pytest.approx(marginal(model, u, fine), rel=1e-9)
    steps = STEP * np.eye(len(u))
    slopes = np.array([(marginal(model, u + s, fine) - marginal(model, u - s, fine)) / (2 * STEP) for s in steps])
    assert found["score"] == pytest.approx(slopes[:q], abs=1e-5)
    ups = np.zeros(len(model.tau))
    ups[:leaves] = found["slope"]
    add_up(model.chain, ups)
    assert ups[leaves:] == pytest.approx(slopes[q + leaves :], abs=1e-5)
    whole = np.tril(found["matrix"])
    assert np.linalg.eigvalsh(whole + np.tril(whole, -1).T).min() > 0.0
    assert (found["pivot"] > 0.0).all()


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("known", [False, True])
def test_gaussian_leaves_are_exact(make_model: Callable[..., Any], depth: int, known: bool) -> None:
    model = make_model(GAUSSIAN, depth, known=known)
    rows, leaves = model.rows, model.chain.n_leaves
    found = assembled(model, assemble_marginal, beneath(model), np.zeros(leaves), *FINE[:2])
    # where the quadrature is exact, all but the gradient's point is Laplace's
    exact = assembled(model, assemble, model.above)
    for name in ("matrix", "pivot", "strength", "dense", "val"):
        assert found[name] == pytest.approx(exact[name], rel=1e-9, abs=1e-10), name
    eta = model.coefficients[:, : len(model.core)] @ model.core + beneath(model)[model.leaf_of]
    same = model.leaf_of[:, None] == model.leaf_of[None, :]
    noise = (model.variance or rows.size) / rows.weight
    truth = stats.multivariate_normal.logpdf(rows.y, eta, np.diag(noise) + same / model.tau[model.leaf_of])
    # a weight is a power of a row's density, not a part of its variance
    power = 0.5 * (np.log(2 * np.pi) + np.log(noise) - rows.weight * np.log(model.variance or rows.size)).sum()
    assert found["value"] == pytest.approx(truth + power, rel=1e-10)


def test_narrow_leaves_are_laplaces(make_model: Callable[..., Any]) -> None:
    model = make_model(CUMULATIVE, 2, deviations=1)
    leaves = model.chain.n_leaves
    model.tau[:leaves] = 1e4
    found = assembled(model, assemble_marginal, beneath(model), np.zeros(leaves), *FINE[:2])
    model.nodes[:leaves] = 0.0
    exact = assembled(model, assemble, model.above)
    for name in ("matrix", "pivot", "strength"):
        assert found[name] == pytest.approx(exact[name], rel=1e-3, abs=1e-3), name
