"""Score, Hessian and the log marginal's gradient by automatic differentiation of the model as it is written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from placewise.models.engines.laplace.expansion import Latent
from placewise.models.priors import Prior

SPREAD = Prior("lognormal", (-0.7, 0.5))
FAMILIES = ("bernoulli", "poisson", "gaussian", "cumulative")


def log_joint(dense: Any, u: Any, scores: dict[str, Any]) -> Any:
    """Log joint density as a graph; every sd is lognormal, so that it is plain in its score."""
    import pytensor.tensor as pt

    def sd(name: str) -> Any:
        return pt.exp(SPREAD.args[0] + SPREAD.args[1] * scores[name])

    problem, layout = dense.problem, dense.layout
    y, eta = np.asarray(problem.response.y, dtype=float), dense.coefficients @ u
    if problem.family == "cumulative":
        above = [1.0, *(pt.sigmoid(dense.cut(k) @ u) for k in range(3)), 0.0]
        value = sum((pt.log(above[k] - above[k + 1]) * (y == k)).sum() for k in range(4))
    elif problem.family == "gaussian":
        value = (-0.5 * ((y - eta) / sd("sigma")) ** 2 - pt.log(sd("sigma"))).sum()
    elif problem.family == "poisson":
        value = (y * eta - problem.response.exposure * pt.exp(eta)).sum()
    else:
        value = (y * pt.log(pt.sigmoid(eta)) + (1.0 - y) * pt.log(1.0 - pt.sigmoid(eta))).sum()
    for k, group in enumerate(problem.design.groups):
        effects = u[dense.place[k]]
        value -= (0.5 * (effects / sd(f"sd_{group.name}")) ** 2 + pt.log(sd(f"sd_{group.name}"))).sum()
    for k, (centre, width) in dense.own.items():
        value -= 0.5 * ((u[k] - centre) / width) ** 2 + np.log(width)
    assert layout.deviations.stop == layout.deviations.start
    return value


@pytest.mark.parametrize("family", FAMILIES)
def test_derivatives_by_automatic_differentiation(
    make_problem: Any, conditional_of: Any, plain: Any, small_chains: None, family: str
) -> None:
    import pytensor
    import pytensor.tensor as pt

    keys = ["sd:oa", "sd:msoa", "sd:age"] + ["sigma"] * (family == "gaussian")
    priors = dict.fromkeys(keys, SPREAD) | {"slope": Prior("normal", (0.1, 1.5))}
    conditional = conditional_of(make_problem(family, n=24, priors=priors))
    hyper, layout = conditional.hyper, conditional.layout
    at = np.random.default_rng(2).normal(0, 0.5, hyper.size)
    dense = plain(conditional.problem, layout, hyper.at(at).values)
    with pytensor.config.change_flags(cxx="", linker="py", mode="FAST_COMPILE"):
        u, z = pt.dvector(), pt.dvector()
        value = log_joint(dense, u, {p.name: z[k] for k, p in enumerate(hyper.free)})
        score = pt.grad(value, u)
        hessian = -pytensor.gradient.jacobian(score, u, vectorize=True)
        laplace = value - 0.5 * pt.linalg.slogdet(hessian)[1]
        crossed = pytensor.gradient.jacobian(pt.grad(value, z), u, vectorize=True)
        found = pytensor.function([u, z], [value, score, hessian, laplace, *pt.grad(laplace, [u, z]), crossed])

        start = conditional.start()
        rng = np.random.default_rng(5)
        away = Latent(start.core + rng.normal(0, 0.2, layout.n_core), rng.normal(0, 0.2, layout.n_nodes))
        e = conditional.expand(hyper.at(at), away)
        exact, gradient, curved, *_ = found(np.concatenate([away.core, away.nodes]), at)
        assert e.log_joint == pytest.approx(float(exact), rel=1e-11)
        assert curved @ np.concatenate([e.step.core, e.step.nodes]) == pytest.approx(gradient, rel=1e-8, abs=1e-9)
        assert e.log_det == pytest.approx(np.linalg.slogdet(curved)[1], rel=1e-10)

        e = conditional.find_mode(hyper.at(at), start, 1e-14)
        mode = np.concatenate([e.mode.core, e.mode.nodes])
        _, gradient, curved, height, by_u, by_z, mixed = found(mode, at)
        assert np.abs(gradient).max() < 1e-7
        assert e.log_marginal == pytest.approx(float(height), rel=1e-11)
        # the mode moves with the hyperparameters
        moved = by_z + mixed @ np.linalg.solve(curved, by_u)
        assert conditional.gradient(e)[0] == pytest.approx(moved, abs=1e-6)
        assert np.abs(moved).max() > 0.1
