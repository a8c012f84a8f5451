"""The chain eliminated is the dense negative Hessian's Schur complement, determinant and solution."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from placewise.kernels.chain import parts_of
from placewise.kernels.elimination import assemble, backward, forward
from placewise.kernels.latent import BINOMIAL, CUMULATIVE, GAUSSIAN, POISSON

FAMILIES = {
    "binomial": (BINOMIAL, {}),
    "poisson": (POISSON, {}),
    "gaussian": (GAUSSIAN, {}),
    "known variances": (GAUSSIAN, {"known": True}),
    "cumulative": (CUMULATIVE, {}),
    "category-specific": (CUMULATIVE, {"deviations": 2}),
    "effects only": (BINOMIAL, {"bare": True}),
    "cutpoints only": (CUMULATIVE, {"bare": True}),
}
EVERY = pytest.mark.parametrize(("family", "extra"), FAMILIES.values(), ids=FAMILIES.keys())
DEPTHS = pytest.mark.parametrize("depth", [0, 1, 2, 4])


def assembled(model: Any, ends: np.ndarray) -> dict[str, Any]:
    """What ``assemble`` finds, in runs of leaves that end at ``ends``, on top of the core's prior."""
    n_core, n = len(model.core), len(model.tau)
    found = {
        "matrix": np.tril(model.prior), "score": np.zeros(n_core), "slope": np.zeros(model.chain.n_leaves),
        "pivot": np.full(n, np.nan), "strength": np.full(n, np.nan),
        "dense": np.full((n, model.rows.x.shape[1]), np.nan), "val": np.full(len(model.chain.col), np.nan),
    }  # fmt: skip
    value = 0.0
    for first, last in itertools.pairwise(ends):
        value += assemble(
            model.rows, model.chain, first, last, model.core, model.above, model.tau, model.variance, *found.values()
        )
    return {**found, "value": value}


@DEPTHS
@EVERY
def test_likelihood_gradient_and_schur_complement(
    make_model: Callable[..., Any], family: int, extra: Any, depth: int
) -> None:
    model = make_model(family, depth, **extra)
    found = assembled(model, np.array([0, model.chain.n_leaves]))
    value, gradient, _ = model.likelihood(model.unknowns)
    q, whole = len(model.core), model.hessian()
    assert found["value"] == pytest.approx(value, rel=1e-12)
    assert found["score"] == pytest.approx(gradient[:q], rel=1e-10, abs=1e-10)
    assert model.membership.T @ found["slope"] == pytest.approx(gradient[q:], rel=1e-10, abs=1e-10)
    schur = whole[:q, :q] - whole[:q, q:] @ np.linalg.solve(whole[q:, q:], whole[q:, :q])
    assert np.tril(found["matrix"]) == pytest.approx(np.tril(schur), rel=1e-9, abs=1e-9)
    assert np.log(found["pivot"]).sum() == pytest.approx(np.linalg.slogdet(whole[q:, q:])[1], rel=1e-11)


@DEPTHS
@EVERY
def test_solution_of_the_whole_system(make_model: Callable[..., Any], family: int, extra: Any, depth: int) -> None:
    model = make_model(family, depth, **extra)
    found = assembled(model, np.array([0, model.chain.n_leaves]))
    factors = [found[name] for name in ("pivot", "strength", "dense", "val")]
    q = len(model.core)
    rhs = np.random.default_rng(1).normal(size=q + len(model.tau))
    core, nodes = rhs[:q].copy(), rhs[q:].copy()
    forward(model.chain, *factors, nodes, core)
    lower = np.tril(found["matrix"])
    core = np.linalg.solve(lower + np.tril(lower, -1).T, core)
    nodes = nodes[:, None]
    total = backward(model.chain, *factors, nodes, core[:, None])
    exact = np.linalg.solve(model.hessian(), rhs)
    assert core == pytest.approx(exact[:q], rel=1e-8, abs=1e-9)
    assert nodes[:, 0] == pytest.approx(exact[q:], rel=1e-8, abs=1e-9)
    if depth:
        assert total[: model.chain.n_leaves, 0] == pytest.approx(model.membership @ exact[q:], rel=1e-8, abs=1e-9)


@pytest.mark.parametrize("depth", [1, 4])
def test_runs_of_leaves_add_up(make_model: Callable[..., Any], depth: int) -> None:
    model = make_model(CUMULATIVE, depth)
    whole = assembled(model, np.array([0, model.chain.n_leaves]))
    parts = parts_of(model.chain, model.rows.start, 3)
    assert len(np.unique(parts)) > 2
    for name, value in assembled(model, parts).items():
        assert value == pytest.approx(whole[name], rel=1e-12, abs=1e-12), name
