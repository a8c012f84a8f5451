"""Structured effects: the sampled log density is that of the model written with plain covariances."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.special import log_expit

from placewise.models.design import Design, Group, Structure
from placewise.models.engines import FitProblem
from placewise.models.engines.bases import basis_of, size_of
from placewise.models.engines.preconditioning import Guess, coordinates
from placewise.models.engines.pymc_model import build_model
from placewise.models.prior_plan import plan_priors
from placewise.models.priors import Prior
from placewise.surveys.outcome import Response

N = 60
# a square with a diagonal, a pair, and the island 4
EDGES = np.array([[0, 1], [1, 2], [2, 3], [0, 3], [0, 2], [5, 6]])
KINDS = {"age": ("rw1", 5), "year": ("ar1", 4), "lad": ("bym2", 7)}
PRIORS = {"rho:lad": Prior("beta", (0.5, 0.5)), "sd:age": Prior("half_normal", (0.7,))}


def _problem(priors: dict[str, Prior] = PRIORS) -> FitProblem:
    rng = np.random.default_rng(3)
    groups = []
    for name, (kind, n) in KINDS.items():
        structure = Structure(kind, EDGES) if kind == "bym2" else Structure(kind)
        labels = tuple(map(str, range(n)))
        role = "geography" if name == "lad" else "other"
        # the last level has no respondent
        groups.append(Group(name, role, labels, rng.integers(0, n - 1, N), labels, structure=structure))
    groups.append(Group("oa", "geography", tuple(f"{k:02d}" for k in range(N // 2)), np.arange(N) // 2))
    design = Design(True, (), tuple(groups), N)
    response = Response(y=rng.integers(0, 2, N).astype(float), kept=np.ones(N, dtype=bool))
    plan = plan_priors(priors, None, design, "oa", "bernoulli")
    return FitProblem(design, response, "bernoulli", plan)


def _laplacian(n: int, edges: np.ndarray) -> np.ndarray:
    out = np.zeros((n, n))
    for a, b in edges:
        out[[a, b], [a, b]] += 1.0
        out[[a, b], [b, a]] -= 1.0
    return out


def _scaled(precision: np.ndarray) -> np.ndarray:
    """Covariance with a geometric mean of 1 of its variances."""
    covariance = np.linalg.pinv(precision)
    return covariance / np.exp(np.log(np.diag(covariance)).mean())


def _spatial() -> np.ndarray:
    whole = _laplacian(7, EDGES)
    out = np.eye(7)
    for inside in ([0, 1, 2, 3], [5, 6]):
        out[np.ix_(inside, inside)] = _scaled(whole[np.ix_(inside, inside)])
    return out


def _effects(v: dict[str, np.ndarray]) -> float:
    """Log density of the effects given sds and ρ, in their own coordinates."""
    walk = _scaled(_laplacian(5, np.column_stack([range(4), range(1, 5)])))
    u = v["effect_age"]
    assert abs(u.sum()) < 1e-12
    total = -0.5 * u @ np.linalg.pinv(walk) @ u / v["sd_age"] ** 2 - 4 * np.log(v["sd_age"])
    lag = np.abs(np.subtract.outer(range(4), range(4)))
    year = v["sd_year"] ** 2 * v["rho_year"] ** lag
    mixed = v["sd_lad"] ** 2 * ((1 - v["rho_lad"]) * np.eye(7) + v["rho_lad"] * _spatial())
    total += stats.multivariate_normal.logpdf(v["effect_year"], np.zeros(4), year)
    total += stats.multivariate_normal.logpdf(v["effect_lad"], np.zeros(7), mixed)
    return float(total + stats.norm.logpdf(v["effect_oa"], 0, v["sd_oa"]).sum())


def _jacobian(problem: FitProblem, v: dict[str, np.ndarray], known: dict[str, np.ndarray]) -> float:
    """Log volume of the sampler's coordinates."""
    total = 1.5 * np.log(1 - v["rho_year"] ** 2)  # determinant of the autoregression's Cholesky factor
    for group in problem.design.groups:
        basis, sd = basis_of(group), v[f"sd_{group.name}"]
        width = np.full(1, sd) if basis is None else sd * np.sqrt(basis.variances(v.get(f"rho_{group.name}", 0.0)))
        total += np.log(width / np.sqrt(1 + known[f"information_{group.name}"] * width**2)).sum()
    total += np.log((1 + v["rho_year"]) * (1 - v["rho_year"])) + np.log(v["rho_lad"] * (1 - v["rho_lad"]))
    return float(total + np.log([v["sd_age"], v["sd_year"], v["sd_total"], *v["split"]]).sum())


def _plain(problem: FitProblem, v: dict[str, np.ndarray], known: dict[str, np.ndarray]) -> float:
    """Log density of the model in its own words, in the sampler's coordinates."""
    y, plan = problem.response.y, problem.priors
    eta = v["intercept"] + sum(v[f"effect_{g.name}"][g.index] for g in problem.design.groups)
    total = (y * log_expit(eta) + (1 - y) * log_expit(-eta)).sum()
    total += stats.norm.logpdf(v["intercept"], *plan.intercept.args) + stats.beta.logpdf(v["rho_lad"], 0.5, 0.5)
    total += stats.halfnorm.logpdf(v["sd_age"], scale=0.7)
    df, _, scale = plan.sds["year"].prior.args
    total += stats.t.logpdf(v["sd_year"] / scale, df)
    shape, rate = plan.total.prior.args
    total += stats.gamma.logpdf(v["sd_total"], shape, scale=1 / rate)
    total += stats.dirichlet.logpdf(v["split"], plan.concentration)
    return float(total) + _effects(v) + _jacobian(problem, v, known)


def test_sampled_density_is_the_models(density_differences: Any) -> None:
    problem = _problem()
    assert problem.priors.shared == ("lad", "oa")
    centres = {"age": np.array([0.5, -1.0, 2.0, 0.3])}
    found = density_differences(problem, lambda v, known: _plain(problem, v, known), centres, size=0.5)
    assert np.ptp(found) < 1e-8  # equal up to a constant


def test_gradient_is_finite_where_nothing_is_correlated() -> None:
    import pytensor

    problem = _problem()
    with pytensor.config.change_flags(cxx="", linker="py", mode="FAST_COMPILE"):
        model = build_model(problem)
        point = model.initial_point() | {"rho_year_interval__": np.array(0.0)}
        assert np.isfinite(model.compile_dlogp()(point)).all()


@pytest.mark.parametrize("name", KINDS)
def test_coefficients_and_effects_are_each_others_inverse(name: str) -> None:
    (group,) = [g for g in _problem().design.groups if g.name == name]
    basis = basis_of(group)
    assert basis is not None
    assert basis.size == size_of(group) == len(group.labels) - (basis.kind == "rw1")
    w = np.random.default_rng(1).normal(size=basis.size)
    assert basis.coefficients(basis.matrix(0.6) @ w, 0.6) == pytest.approx(w)


def test_coordinates_are_centred_on_the_guess() -> None:
    problem = _problem()
    sds = {"age": 0.7, "year": 0.7, "lad": 0.7, "oa": 0.7}
    mean = np.array([0.3, -0.2, 0.1, 0.4])
    found = coordinates(problem, problem.rows, Guess(sds, {"year": mean}, {"year": 0.8}))
    signal = found["information_year"] * 0.7**2
    (year,) = [g for g in problem.design.groups if g.name == "year"]
    basis = basis_of(year)
    assert basis is not None
    shrunk = found["centre_year"] * signal / (1 + signal)
    # of the last level no respondent tells
    assert (basis.matrix(0.8) @ shrunk)[:3] == pytest.approx(mean[:3])
    assert np.isfinite(found["whitening"]).all()


def test_fixed_rho_has_no_freedom() -> None:
    model = build_model(_problem(PRIORS | {"rho:lad": Prior("fixed", (1.0,)), "rho:year": Prior("fixed", (0.5,))}))
    assert not [v.name for v in model.free_RVs if v.name.startswith("rho_")]
    assert {"rho_lad", "rho_year"} <= {v.name for v in model.deterministics}
    assert np.isfinite(sum(model.point_logps().values()))
