"""Scales and several surveys by the sampler: the density against the model's own words, and what is found again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.special import expit

from placewise.models.design import Column, Design, Group
from placewise.models.engines import FitOptions, FitProblem
from placewise.models.engines.instrument_information import information_of
from placewise.models.engines.nuts import sample
from placewise.models.engines.preconditioning import Guess, coordinates
from placewise.models.engines.rows import collect_rows
from placewise.models.fit import plan_of
from placewise.surveys.instruments import Instruments
from placewise.surveys.outcome import Response

LEVELS = (("a", "b", "c"), ("no", "yes"), ("1", "2", "3", "4"))


def _answers(rng: np.random.Generator, n: int, scale: bool, survey: np.ndarray) -> np.ndarray:
    """Answers to three items, some missing; or to the one question of each survey."""
    answers = np.column_stack([rng.integers(0, len(own), n) for own in LEVELS]).astype(np.int8)
    if scale:
        answers[rng.random(answers.shape) < 0.3] = -1
        answers[(answers < 0).all(axis=1), 1] = 0
        return answers
    return np.where(np.arange(3) == survey[:, None], answers, -1).astype(np.int8)


def _problem(scale: bool, surveys: int, weighted: bool = False, n: int = 40) -> FitProblem:
    rng = np.random.default_rng(11)
    survey = rng.integers(0, surveys, n)
    survey[:surveys] = np.arange(surveys)
    instruments = Instruments(
        ("x", "y", "z"), LEVELS, _answers(rng, n, scale, survey), ("ref", "two", "three")[:surveys], survey, scale
    )
    at = rng.integers(0, 8, n)
    labels = tuple("ABCDEFGH")
    groups = [Group("oa", "geography", labels, at, labels)]
    for s, name in enumerate(instruments.surveys[1:], start=1):
        by = Column(f"survey:{name}", (survey == s).astype(float))
        groups.append(Group(f"discrepancy:{name}", "other", labels, at, labels, by=by, factor="oa", survey=name))
    columns = tuple(Column(f"x{k}", rng.normal(size=n)) for k in range(2))
    design = Design(False, columns, tuple(groups), n)
    family = "graded_response" if scale else "cumulative"
    y = instruments.answers.max(axis=1).astype(np.int64)
    response = Response(y=y, kept=np.ones(n, dtype=bool), levels=LEVELS[0], instruments=instruments)
    weights = rng.uniform(0.5, 2.0, n) if weighted else None
    return FitProblem(design, response, family, plan_of(design, response, family, priors={}, area_group="oa"), weights)


def _chance(t: float, a: np.ndarray, cuts: list[np.ndarray], answers: np.ndarray) -> float:
    """Π P(y | t) from the definition."""
    total = 1.0
    for m in np.flatnonzero(answers >= 0):
        above = np.concatenate([[1.0], expit(a[m] * t - cuts[m]), [0.0]])
        total *= above[answers[m]] - above[answers[m] + 1]
    return total


def _person(mu: float, a: np.ndarray, cuts: list[np.ndarray], answers: np.ndarray, scale: bool) -> float:
    """Log likelihood of one respondent by adaptive quadrature."""
    if not scale:
        return float(np.log(_chance(mu, a, cuts, answers)))

    def density(t: float) -> float:
        return float(stats.norm.pdf(t - mu)) * _chance(t, a, cuts, answers)

    return float(np.log(quad(density, mu - 9, mu + 9, epsabs=0.0, epsrel=1e-12, limit=400)[0]))


def _plain(problem: FitProblem, v: dict[str, Any], known: dict[str, np.ndarray]) -> float:
    """Log density of the model in its own words, in the sampler's coordinates."""
    design, plan, instruments = problem.design, problem.priors, problem.response.instruments
    assert instruments is not None
    cuts = np.split(v["cutpoints"], instruments.cuts[1:-1])
    a = v.get("discrimination", np.ones(3))
    times = np.concatenate([[1.0], v.get("survey_scale", [])])[instruments.survey]
    mu, own = times * (design.matrix @ v["slopes"] + v["effect_oa"][design.groups[0].index]), 0.0
    for g in design.groups[1:]:
        assert g.by is not None
        own = own + g.by.values * v[f"effect_{g.name}"][g.index]
    each = [_person(m, a, cuts, y, instruments.scale) for m, y in zip(mu + own, instruments.answers, strict=True)]
    total = float(np.sum(each if problem.weights is None else problem.weights * each))
    for own, by in zip(cuts, a, strict=True):
        total += (stats.norm.logpdf(own / by, 0, 3) - np.log(by)).sum() + np.log(np.diff(own)).sum()
    for name in ("discrimination", "survey_scale"):
        if name in v:
            total += (stats.lognorm.logpdf(v[name], 0.5) + np.log(v[name])).sum()
    tau = float(v["slope_sd"])
    total += stats.halfnorm.logpdf(tau, scale=0.25) + np.log(tau) + stats.norm.logpdf(v["slopes"], 0, tau).sum()
    shape, rate = plan.total.prior.args
    total += stats.gamma.logpdf(v["sd_oa"], shape, scale=1 / rate) + np.log(v["sd_oa"])
    widths = {"slopes": np.full(2, tau)}
    for g in design.groups:
        sd = float(v[f"sd_{g.name}"])
        total += stats.norm.logpdf(v[f"effect_{g.name}"], 0, sd).sum()
        widths[g.name] = np.full(8, sd)
        if g.survey:
            total += stats.halfnorm.logpdf(sd, scale=plan.sds[g.name].prior.args[0]) + np.log(sd)
    for name, width in widths.items():  # Jacobian of the standardised effects
        total += np.log(width / np.sqrt(1 + known[f"information_{name}"] * width**2)).sum()
    return total


@pytest.mark.parametrize("case", [(True, 1), (True, 2), (False, 3), (True, 1, True)], ids=str)
def test_sampled_density_is_the_models(case: tuple[Any, ...], density_differences: Any) -> None:
    problem = _problem(*case)
    centres = {"oa": np.random.default_rng(5).normal(size=8)}
    found = density_differences(problem, lambda v, known: _plain(problem, v, known), centres, points=3)
    assert np.ptp(found) < 1e-8  # equal up to a constant


def test_a_persons_likelihood_is_that_of_adaptive_quadrature() -> None:
    import pytensor

    problem = _problem(True, 1)
    rows, a = problem.rows, np.array([0.6, 1.3, 2.2])
    cuts, mu = np.array([-1.0, 0.4, 0.3, -2.0, 0.1, 1.5]), np.linspace(-3.0, 3.0, len(problem.rows.y))
    from placewise.models.engines.pymc_instruments import _of_scale

    assert rows.instruments is not None
    with pytensor.config.change_flags(cxx="", linker="py", mode="FAST_COMPILE"):
        found = float(_of_scale(rows, mu, pytensor.tensor.as_tensor(cuts), a).eval())
    parts = np.split(cuts, [2, 3])
    true = [_person(m, a, parts, y, True) for m, y in zip(mu, rows.instruments.answers, strict=True)]
    assert found == pytest.approx(np.sum(rows.size * true), abs=1e-10)


def test_equal_rows_are_added_up_without_loss() -> None:
    one = _problem(True, 2)
    n, instruments = one.design.n, one.response.instruments
    assert instruments is not None
    twice = np.tile(np.arange(n), 2)
    design = Design(
        False,
        tuple(Column(c.name, c.values[twice]) for c in one.design.columns),
        tuple(
            Group(g.name, g.role, g.labels, g.index[twice], survey=g.survey,
                  by=None if g.by is None else Column(g.by.name, g.by.values[twice]))
            for g in one.design.groups
        ),
        2 * n,
    )  # fmt: skip
    response = Response(one.response.y[twice], np.ones(2 * n, dtype=bool), instruments=instruments.take(twice))
    rows = collect_rows(FitProblem(design, response, one.family, one.priors))
    assert rows.instruments is not None
    assert (rows.size == 2).all()
    found = {tuple(row) for row in np.column_stack([rows.x, rows.instruments.answers, rows.instruments.survey])}
    assert found == {
        tuple(row) for row in np.column_stack([one.design.matrix, instruments.answers, instruments.survey])
    }


def test_a_person_tells_less_of_the_location_than_one_of_it_would() -> None:
    instruments = _problem(True, 1).response.instruments
    assert instruments is not None
    size = np.ones(len(instruments.answers))
    plain, steep = information_of(instruments, size), information_of(instruments, size, np.full(3, 4.0))
    assert (steep > plain).all()
    assert (steep < 1.0).all()


def test_effects_of_a_survey_with_a_larger_scale_are_better_known() -> None:
    problem = _problem(False, 2)
    sds = {"slopes": 0.2} | {g.name: 0.2 for g in problem.design.groups}
    one, two = (
        coordinates(problem, problem.rows, Guess(sds, {}, survey_scale=np.array([scale]))) for scale in (1.0, 2.0)
    )
    assert (two["information_oa"] >= one["information_oa"]).all()
    assert two["information_oa"].sum() > 1.5 * one["information_oa"].sum()
    assert np.array_equal(two["information_discrepancy:two"], one["information_discrepancy:two"])


def _simulated(scale: bool, n: int) -> tuple[FitProblem, dict[str, np.ndarray]]:
    """Two surveys of sixty areas; the second tells half as much of the trait and departs from it by area."""
    rng = np.random.default_rng(7)
    a = np.array([0.8, 1.4, 2.0]) if scale else np.ones(2)
    b = np.array([-1.2, 0.0, 1.1])
    at, x, survey = rng.integers(0, 60, n), rng.normal(size=n), rng.integers(0, 2, n)
    area, own = rng.normal(0, 0.5, 60), rng.normal(0, 0.3, 60)
    location = np.where(survey == 0, 1.0, 0.5) * (0.6 * x + area[at]) + survey * own[at]
    trait = location + (rng.normal(size=n) if scale else 0.0)
    above = expit(a[:, None] * (trait[:, None, None] - b))
    answers = (rng.random((n, len(a), 1)) < above).sum(axis=2).astype(np.int8)
    names = ("x", "y", "z") if scale else ("ref:x", "two:x")
    if not scale:
        answers = np.where(np.arange(2) == survey[:, None], answers, -1).astype(np.int8)
    instruments = Instruments(names, (("1", "2", "3", "4"),) * len(a), answers, ("ref", "two"), survey, scale)
    labels = tuple(f"{k:02d}" for k in range(60))
    by = Column("survey:two", (survey == 1).astype(float))
    groups = (
        Group("oa", "geography", labels, at, labels),
        Group("discrepancy:two", "other", labels, at, labels, by=by, factor="oa", survey="two"),
    )
    design = Design(False, (Column("x", x),), groups, n)
    family = "graded_response" if scale else "cumulative"
    response = Response(answers.max(axis=1).astype(np.int64), np.ones(n, dtype=bool), instruments=instruments)
    plan = plan_of(design, response, family, priors={}, area_group="oa")
    truth = {"slopes": np.array([0.6]), "survey_scale": np.array([0.5]), "cutpoints": np.outer(a, b).ravel()}
    return FitProblem(design, response, family, plan), truth | ({"discrimination": a} if scale else {})


def test_items_that_made_the_answers_are_the_likeliest() -> None:
    """By maximum likelihood, persons' locations known: the reduced form of the test below."""
    import pytensor
    import pytensor.tensor as pt

    from placewise.models.engines.pymc_instruments import _of_scale

    problem, truth = _simulated(True, 1500)
    rows, instruments = problem.rows, problem.response.instruments
    assert instruments is not None
    assert rows.instruments is not None
    location = np.linspace(-1.5, 1.5, len(rows.y))
    rng = np.random.default_rng(3)
    trait = location + rng.normal(size=len(location))
    cuts = truth["cutpoints"].reshape(3, 3)
    above = expit(truth["discrimination"][:, None] * trait[:, None, None] - cuts)
    answers = (rng.random((len(trait), 3, 1)) < above).sum(axis=2).astype(np.int8)
    rows = replace(rows, instruments=replace(rows.instruments, answers=answers))
    at = pt.dvector("at")
    with pytensor.config.change_flags(cxx="", linker="py", mode="FAST_COMPILE"):
        value = _of_scale(rows, location, at[3:], pt.exp(at[:3]))
        both = pytensor.function([at], [-value, -pytensor.grad(value, at)])
    true = np.concatenate([np.log(truth["discrimination"]), truth["cutpoints"]])
    start = np.concatenate([np.zeros(3), np.tile([-1.0, 0.0, 1.0], 3)])
    found = minimize(lambda x: tuple(map(np.asarray, both(x))), start, jac=True, method="BFGS", options={"gtol": 0.05})
    apart = (found.x - true) / np.sqrt(np.diag(found.hess_inv))
    assert np.abs(apart).max() < 4.0
    assert np.sqrt(np.diag(found.hess_inv)).max() < 0.25


@pytest.mark.slow
@pytest.mark.parametrize(("scale", "n"), [(True, 600), (False, 2500)])
def test_what_made_the_answers_is_found_again(scale: bool, n: int) -> None:
    problem, truth = _simulated(scale, n)
    posterior = sample(problem, FitOptions(draws=400, seed=1, chains=2, thin=1, tune=200)).posterior
    assert posterior["survey_scale"].dims == ("chain", "draw", "survey")
    assert posterior["cutpoint"].values.tolist() == problem.response.instruments.cut_labels
    for name, true in truth.items():
        found = posterior[name]
        apart = (found.mean(("chain", "draw")) - true) / found.std(("chain", "draw"))
        assert np.abs(apart.values).max() < 3.5, name
        assert float(found.std(("chain", "draw")).max()) < (0.45 if scale else 0.2), name
