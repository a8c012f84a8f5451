"""The sampled density is the model's density: reparametrisations change coordinates, never the posterior."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, log_expit

from placewise.models.design import Column, Design, Group
from placewise.models.engines import FitProblem
from placewise.models.engines.preconditioning import Guess, choose_block, coordinates
from placewise.models.engines.pymc_model import build_model
from placewise.models.engines.rows import Rows, collect_rows
from placewise.models.prior_plan import plan_priors
from placewise.models.priors import Prior
from placewise.surveys.outcome import Response

N = 60


def _design(rng: np.random.Generator) -> Design:
    columns = tuple(Column(f"x{k}", rng.normal(size=N)) for k in range(2))
    index = {"age": rng.integers(0, 3, N), "lad": rng.integers(0, 4, N), "oa": np.arange(N) // 2}
    role = {"age": "other", "lad": "geography", "oa": "geography"}
    groups = [Group(g, role[g], tuple(map(str, range(at.max() + 1))), at) for g, at in index.items()]
    return Design(True, columns, tuple(groups), N)


def _problem(family: str) -> FitProblem:
    rng = np.random.default_rng(3)
    design = _design(rng)
    y = {"bernoulli": rng.integers(0, 2, N).astype(float), "cumulative": rng.integers(0, 3, N),
         "gaussian": rng.normal(2.0, 3.0, N), "poisson": rng.poisson(2.0, N).astype(float)}[family]  # fmt: skip
    levels = ("a", "b", "c") if family == "cumulative" else ()
    response = Response(y=y, kept=np.ones(N, dtype=bool), levels=levels)
    own = {"sd:age": Prior("half_normal", (0.7,)), "slope:x1": Prior("normal", (0.0, 2.0))}
    plan = plan_priors(own, None, design, "oa", family, y_mean=float(np.mean(y)), y_sd=float(np.std(y)))
    return FitProblem(design, response, family, plan)


def _plain(problem: FitProblem, v: dict[str, np.ndarray], known: dict[str, np.ndarray]) -> float:
    """Log density of the model in its own words, in the sampler's coordinates."""
    design, plan = problem.design, problem.priors
    sds = {g.name: float(v[f"sd_{g.name}"]) for g in design.groups}
    eta = design.matrix @ v["slopes"] + sum(v[f"effect_{g.name}"][g.index] for g in design.groups)
    total = _likelihood(problem, eta, v)
    tau = float(v["slope_sd"])
    widths = {"slopes": np.array([tau, 2.0])} | {name: np.full(1, sd) for name, sd in sds.items()}
    total += stats.norm.logpdf(v["slopes"], 0, widths["slopes"]).sum()
    total += stats.halfnorm.logpdf(tau, scale=plan.slope_sd.args[0]) + np.log(tau)
    for g in design.groups:
        total += stats.norm.logpdf(v[f"effect_{g.name}"], 0, sds[g.name]).sum()
    for name, width in widths.items():  # Jacobian of the standardised effects
        total += np.log(width / np.sqrt(1 + known[f"information_{name}"] * width**2)).sum()
    total += stats.halfnorm.logpdf(sds["age"], scale=0.7) + np.log(sds["age"])
    shape, rate = plan.total.prior.args
    total += stats.gamma.logpdf(v["sd_total"], shape, scale=1 / rate) + np.log(v["sd_total"])
    return float(total + stats.dirichlet.logpdf(v["split"], plan.concentration) + np.log(v["split"]).sum())


def _likelihood(problem: FitProblem, eta: np.ndarray, v: dict[str, np.ndarray]) -> float:
    y, plan = problem.response.y, problem.priors
    if problem.family == "cumulative":
        cuts = np.concatenate([[-np.inf], v["cutpoints"], [np.inf]])
        p = expit(cuts[y + 1] - eta) - expit(cuts[y] - eta)
        steps = np.log(np.diff(v["cutpoints"])).sum()
        return float(np.log(p).sum() + stats.norm.logpdf(v["cutpoints"], *plan.cutpoints.args).sum() + steps)
    eta = eta + float(v["intercept"])
    prior = float(stats.norm.logpdf(v["intercept"], *plan.intercept.args))
    if problem.family == "bernoulli":
        return prior + float((y * log_expit(eta) + (1 - y) * log_expit(-eta)).sum())
    if problem.family == "poisson":
        return prior + stats.poisson.logpmf(y, np.exp(eta)).sum()
    sigma = float(v["sigma"])
    df, _, scale = plan.sigma.args
    own = stats.t.logpdf(sigma / scale, df) + np.log(sigma)
    return prior + float(stats.norm.logpdf(y, eta, sigma).sum() + own)


@pytest.mark.parametrize("family", ["bernoulli", "cumulative", "gaussian", "poisson"])
def test_sampled_density_is_the_models(family: str, density_differences: Any) -> None:
    problem = _problem(family)
    centres = {"age": np.array([0.5, -1.0, 2.0])}
    found = density_differences(problem, lambda v, known: _plain(problem, v, known), centres, points=3)
    assert np.ptp(found) < 1e-8  # equal up to a constant


def test_block_is_whitened_at_the_sds_it_was_made_for() -> None:
    problem = _problem("bernoulli")
    rows = collect_rows(problem)
    guess = Guess({"slopes": 0.2, "age": 0.3, "lad": 0.1, "oa": 0.2}, {})
    m = coordinates(problem, rows, guess)["whitening"]
    assert m.shape == (choose_block(problem).size,) * 2
    assert choose_block(problem).groups == (0, 1, 2)
    assert np.allclose(np.tril(m, -1), 0.0)
    assert np.linalg.cond(m) < 1e3


def test_centre_undoes_the_shrinkage_of_the_pilots_mean() -> None:
    problem = _problem("bernoulli")
    sds = {"slopes": 0.2, "age": 0.7, "lad": 0.7, "oa": 0.7}
    mean = np.array([0.3, -0.2, 0.1])
    found = coordinates(problem, collect_rows(problem), Guess(sds, {"age": mean}))
    signal = found["information_age"] * 0.7**2
    assert found["centre_age"] * signal / (1 + signal) == pytest.approx(mean)
    assert found["information_age"].sum() == pytest.approx(found["information_oa"].sum())


def test_rows_of_a_fit_are_collected_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(problem: FitProblem) -> Rows:
        calls.append(problem)
        return collect_rows(problem)

    monkeypatch.setattr("placewise.models.engines.rows.collect_rows", counted)
    problem = _problem("bernoulli")
    build_model(problem)
    assert problem.rows is problem.rows
    assert calls == [problem]


def test_equal_rows_are_added_up_without_loss() -> None:
    problem = _problem("bernoulli")
    twice = Design(
        True,
        tuple(Column(c.name, np.tile(c.values, 2)) for c in problem.design.columns),
        tuple(Group(g.name, g.role, g.labels, np.tile(g.index, 2)) for g in problem.design.groups),
        2 * N,
    )
    response = Response(y=np.tile(problem.response.y, 2), kept=np.ones(2 * N, dtype=bool))
    rows = collect_rows(FitProblem(twice, response, "bernoulli", problem.priors))
    assert len(rows.y) == N
    assert (rows.size == 2).all()
    assert rows.y.sum() == 2 * problem.response.y.sum()


def test_coordinates_found_by_the_pilot_are_the_models_data_where_slopes_have_bounds() -> None:
    problem = _problem("bernoulli")
    plan = dataclasses.replace(problem.priors, slopes=(Prior("uniform", (-10.0, 10.0)),) * 2)
    problem = dataclasses.replace(problem, priors=plan)
    found = coordinates(problem, collect_rows(problem), Guess({g.name: 0.3 for g in problem.design.groups}, {}))
    data = {v.name for v in build_model(problem).data_vars}
    assert set(found) == data
