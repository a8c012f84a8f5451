"""From a problem to draws: exact where the posterior is normal, the same whatever order, labels, units and threads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from placewise.models.design import Group
from placewise.models.engines import FitOptions
from placewise.models.engines.laplace.fit import fit
from placewise.models.prior_plan import plan_priors
from placewise.models.priors import Prior
from placewise.models.quality import quality

OPTIONS = FitOptions(draws=200, seed=1, jobs=1)


def picked(problem: Any, rows: np.ndarray) -> Any:
    """The problem with its respondents in another order, or some of them twice."""
    design, response = problem.design, problem.response
    columns = tuple(replace(c, values=c.values[rows]) for c in design.columns)
    groups = tuple(replace(g, index=g.index[rows]) for g in design.groups)
    own = {
        name: None if getattr(response, name) is None else getattr(response, name)[rows]
        for name in ("y", "trials", "exposure", "variance", "kept")
    }
    weights = None if problem.weights is None else problem.weights[rows]
    design = replace(design, columns=columns, groups=groups, n=len(rows))
    return replace(problem, design=design, response=replace(response, **own), weights=weights)


def relabelled(problem: Any, rng: np.random.Generator) -> Any:
    """The problem with the levels of every group in another order."""
    groups: list[Group] = []
    for group in problem.design.groups:
        order = rng.permutation(len(group.labels))
        labels = tuple(group.labels[k] for k in np.argsort(order))
        groups.append(replace(group, labels=labels, index=order[group.index]))
    return replace(problem, design=replace(problem.design, groups=tuple(groups)))


def marginal(conditional: Any) -> tuple[float, np.ndarray]:
    """Log marginal and its gradient at some hyperparameters."""
    z = np.random.default_rng(1).normal(0, 0.5, conditional.hyper.size)
    e = conditional.find_mode(conditional.hyper.at(z), conditional.start(), 1e-13)
    return float(e.log_marginal), conditional.gradient(e)[0]


@pytest.mark.parametrize("known", [False, True])
def test_gaussian_posterior_with_fixed_sds(
    make_problem: Any, conditional_of: Any, plain: Any, small_chains: None, fixed_sds: Any, known: bool
) -> None:
    sds = {"oa": 0.6, "msoa": 0.3, "age": 0.4} | ({} if known else {"sigma": 0.9})
    problem = fixed_sds(make_problem("gaussian", n=48, known=known), sds)
    found = fit(problem, FitOptions(draws=2000, seed=1, jobs=1))["posterior"]
    # one point, and weights that are all equal
    assert found.attrs["importance_ess"] == pytest.approx(found.attrs["proposals"], rel=1e-9)
    assert found.attrs["khat"] == 0.0
    conditional = conditional_of(problem)
    assert conditional.hyper.size == 0
    point = conditional.hyper.at(np.empty(0))
    e = conditional.find_mode(point, conditional.start(), 1e-14)
    dense = plain(problem, conditional.layout, point.values)
    a, prior_mean, prior_cov = dense.coefficients, *dense.prior()
    noise = problem.response.variance if known else np.full(48, 0.81)
    precision = np.linalg.inv(prior_cov) + (a.T / noise) @ a
    cov = np.linalg.inv(precision)
    mean = cov @ (np.linalg.solve(prior_cov, prior_mean) + (a.T / noise) @ problem.response.y)
    moments, shift, spread, *_ = conditional.describe(e)
    q = conditional.layout.n_core
    assert np.concatenate([e.mode.core, e.mode.nodes]) == pytest.approx(mean, abs=1e-6)
    assert moments.cov == pytest.approx(cov[:q, :q], abs=1e-6)
    assert spread == pytest.approx(np.diag(cov)[q:], abs=1e-6)
    assert np.abs(np.concatenate([moments.shift, shift])).max() < 1e-12
    # the draws are of it
    slopes = found["slopes"].to_numpy()[0]
    at = np.arange(48)[conditional.layout.slopes]
    assert slopes.mean(axis=0) == pytest.approx(mean[at], abs=4 * np.sqrt(cov.max() / 2000))
    assert np.cov(slopes.T) == pytest.approx(cov[np.ix_(at, at)], rel=0.15, abs=0.002)


@pytest.mark.parametrize("family", ["bernoulli", "poisson", "gaussian", "cumulative"])
def test_order_and_labels_do_not_matter(
    make_problem: Any, conditional_of: Any, small_chains: None, family: str
) -> None:
    problem = make_problem(family, depth=3, weighted=True)
    rng = np.random.default_rng(2)
    value, gradient = marginal(conditional_of(problem))
    for other in (picked(problem, rng.permutation(problem.design.n)), relabelled(problem, rng)):
        moved, slope = marginal(conditional_of(other))
        assert moved == pytest.approx(value, abs=1e-8)
        assert slope == pytest.approx(gradient, abs=1e-7)


@pytest.mark.parametrize("family", ["binomial", "poisson", "gaussian", "cumulative"])
def test_a_weight_of_two_is_an_answer_twice(
    make_problem: Any, conditional_of: Any, small_chains: None, family: str
) -> None:
    problem = make_problem(family)
    heavy = replace(problem, weights=np.full(problem.design.n, 2.0))
    twice = picked(problem, np.repeat(np.arange(problem.design.n), 2))
    value, gradient = marginal(conditional_of(heavy))
    moved, slope = marginal(conditional_of(twice))
    assert moved == pytest.approx(value, abs=1e-8)
    assert slope == pytest.approx(gradient, abs=1e-7)
    assert marginal(conditional_of(problem))[0] != pytest.approx(value, abs=1.0)


def test_answers_of_no_weight_are_as_none(make_problem: Any, conditional_of: Any, small_chains: None) -> None:
    problem = make_problem(
        "gaussian", priors={"sigma": Prior("half_normal", (1.0,)), "sd": Prior("half_normal", (1.0,))}
    )
    keep = np.arange(problem.design.n) % 2 == 0  # each area keeps an answer
    weighted = marginal(conditional_of(replace(problem, weights=keep.astype(float))))
    without = marginal(conditional_of(picked(problem, np.flatnonzero(keep))))
    assert weighted[0] == pytest.approx(without[0], abs=1e-8)
    assert weighted[1] == pytest.approx(without[1], abs=1e-7)


def draws(found: Any) -> dict[str, np.ndarray]:
    return {str(name): values.to_numpy() for name, values in found["posterior"].data_vars.items()}


@pytest.mark.parametrize("case", [{"n": 160}, {"family": "poisson", "n": 160}, {"family": "cumulative"}])
def test_threads_and_seeds(make_problem: Any, case: dict[str, Any]) -> None:
    problem = make_problem(**case)
    first = draws(fit(problem, OPTIONS))
    threads, again = draws(fit(problem, replace(OPTIONS, jobs=2))), draws(fit(problem, OPTIONS))
    other = draws(fit(problem, replace(OPTIONS, seed=2)))
    for name, values in first.items():
        assert (values == threads[name]).all(), name
        assert (values == again[name]).all(), name
        assert (values != other[name]).any(), name


def test_units_of_a_gaussian_outcome(make_problem: Any) -> None:
    problem = make_problem("gaussian", n=160)
    shift, factor = 40.0, 250.0
    y = shift + factor * problem.response.y
    plan = plan_priors({}, None, problem.design, "oa", "gaussian", y_mean=float(y.mean()), y_sd=float(y.std()))
    moved = replace(problem, response=replace(problem.response, y=y), priors=plan)
    first, scaled = draws(fit(problem, OPTIONS)), draws(fit(moved, OPTIONS))
    for name, values in first.items():
        expected = values if name == "split" else factor * values + (shift if name == "intercept" else 0.0)
        assert scaled[name] == pytest.approx(expected, rel=1e-3, abs=1e-3 * factor * float(np.abs(values).max())), name


def test_what_is_kept_beside_the_draws(make_problem: Any) -> None:
    found = fit(make_problem(n=160), OPTIONS)
    attrs = found["posterior"].attrs
    assert found["posterior"].sizes["draw"] == 200
    assert found["posterior"].sizes["chain"] == 1
    assert np.isfinite(found["sample_stats"]["lp"]).all()
    assert attrs["engine"] == "laplace"
    assert 1.0 <= attrs["design_ess"] <= attrs["design_points"]
    assert attrs["design_ess"] <= attrs["importance_ess"] <= attrs["proposals"] == 8 * attrs["design_points"]
    assert attrs["separated"] == "[]"
    assert quality(found) == ()
    assert "observed_data" not in found.groups()


FAMILIES = [
    {"family": "binomial", "weighted": True}, {"family": "poisson"}, {"family": "gaussian", "known": True},
    {"family": "cumulative", "specific": (0, 1)}, {"structures": {"a": "rw1", "b": "ar1", "c": "bym2"}},
    {"slopes": True, "correlated": True, "n": 1200}, {"scale": ()},
]  # fmt: skip


@pytest.mark.parametrize("case", FAMILIES, ids=lambda c: " ".join(map(str, c)))
def test_every_structure_passes_its_own_checks(make_problem: Any, case: dict[str, Any]) -> None:
    assert quality(fit(make_problem(**{"n": 160, **case}), OPTIONS)) == ()
