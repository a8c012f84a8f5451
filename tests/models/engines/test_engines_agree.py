"""Every structure and family by both engines: the fast one within the gates of approximate engines of the exact one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from placewise.kernels.mixing import ess_bulk, ess_tail
from placewise.models.design import AreaScale, BelowLink, Column, Design, Group, Structure
from placewise.models.engines import FitOptions, FitProblem, engine_named
from placewise.models.fit import plan_of
from placewise.models.priors import Prior
from placewise.models.quality import quality
from placewise.surveys.instruments import Instruments
from placewise.surveys.outcome import Response

N = 1500
LATTICE, PAIR, ISLAND = 7, 2, 1
MEAN_APART, MOST_APART, SD_RATIO = 0.05, 0.2, 0.05
LOG_APART = {"q05": 0.10, "q50": 0.05, "q95": 0.10}


def _group(name: str, index: np.ndarray, size: int, role: Any = "other", **more: Any) -> Group:
    labels = tuple(f"{k:03d}" for k in range(size))
    return Group(name, role, labels, index, labels, **more)


def _problem(
    design: Design, family: str, y: np.ndarray, area: str | None = None, weights: np.ndarray | None = None, **more: Any
) -> FitProblem:
    response = Response(y=y, kept=np.ones(len(y), dtype=bool), **more)
    return FitProblem(design, response, family, plan_of(design, response, family, priors={}, area_group=area), weights)


def _area_and_slope(rng: np.random.Generator, sd: float = 0.4) -> tuple[Column, Group, np.ndarray]:
    """A column, areas of about twelve people, and what both add to the linear predictor."""
    x, at = rng.normal(size=N), rng.integers(0, 120, N)
    eta = 0.3 * x + rng.normal(0.0, sd, 120)[at]
    return Column("x", x), _group("oa", at, 120, "geography"), eta


def _binary(rng: np.random.Generator, eta: np.ndarray) -> np.ndarray:
    return rng.binomial(1, expit(eta)).astype(float)


def random_walk(rng: np.random.Generator) -> FitProblem:
    column, area, eta = _area_and_slope(rng)
    age = rng.integers(0, 11, N)  # nobody is in the last of twelve
    eta += np.cumsum(rng.normal(0.0, 0.3, 12))[age]
    design = Design(True, (column,), (_group("age", age, 12, structure=Structure("rw1")), area), N)
    return _problem(design, "bernoulli", _binary(rng, eta), "oa")


def autoregression(rng: np.random.Generator) -> FitProblem:
    column, area, eta = _area_and_slope(rng)
    year, effect = rng.integers(0, 15, N), np.zeros(15)
    for k in range(1, 15):
        effect[k] = 0.8 * effect[k - 1] + rng.normal(0.0, 0.3)
    design = Design(True, (column,), (_group("year", year, 15, structure=Structure("ar1")), area), N)
    return _problem(design, "bernoulli", _binary(rng, eta + effect[year]), "oa")


def neighbours(rng: np.random.Generator) -> FitProblem:
    """A lattice, a pair and an island; some places have no respondent."""
    grid = np.arange(LATTICE**2).reshape(LATTICE, LATTICE)
    edges = np.concatenate(
        [
            np.column_stack([grid[:, 1:].ravel(), grid[:, :-1].ravel()]),
            np.column_stack([grid[1:].ravel(), grid[:-1].ravel()]),
            [[LATTICE**2, LATTICE**2 + 1]],
        ]
    )
    size = LATTICE**2 + PAIR + ISLAND
    at = rng.choice(np.setdiff1d(np.arange(size), [10, 30]), N)
    down, across = np.divmod(at, LATTICE)
    eta = 0.25 * (down - 3.0) - 0.15 * across + rng.normal(0.0, 0.3, size)[at]
    place = _group("lad", at, size, "geography", structure=Structure("bym2", edges))
    return _problem(Design(True, (), (place,), N), "bernoulli", _binary(rng, eta))


def correlated_slopes(rng: np.random.Generator) -> FitProblem:
    x, at = rng.normal(size=N), rng.integers(0, 50, N)
    u = rng.multivariate_normal([0.0, 0.0], [[0.36, 0.18], [0.18, 0.25]], 50)
    column = Column("x", x)
    groups = (_group("lad", at, 50), _group("x|lad", at, 50, by=column, factor="lad"))
    design = Design(True, (column,), groups, N, correlated=((0, 1),))
    return _problem(design, "bernoulli", _binary(rng, 0.2 + 0.3 * x + u[at, 0] + u[at, 1] * x))


def category_specific(rng: np.random.Generator) -> FitProblem:
    column, area, eta = _area_and_slope(rng)
    other = Column("z", rng.normal(size=N))
    cuts = np.array([-1.0, 0.2, 1.4]) - np.outer(column.values, [0.2, 0.0, -0.2]) - np.outer(other.values, [0.3] * 3)
    y = (rng.random(N)[:, None] > expit(cuts - eta[:, None])).sum(axis=1)
    design = Design(True, (column, other), (area,), N, category_specific=(0, 1))
    return _problem(design, "cumulative", y, "oa", levels=("a", "b", "c", "d"))


def _area_scaled(rng: np.random.Generator, declared: np.ndarray | None) -> FitProblem:
    """Two hundred areas with six answers each, whose sds differ between three classes."""
    at = np.repeat(np.arange(200), 6)
    kind = np.arange(200) % 3
    eta = (np.array([0.2, 0.4, 0.8])[kind] * rng.normal(size=200))[at]
    scale = AreaScale("oa", "kind", ("k", "l", "m"), kind, declared)
    x = rng.normal(size=len(at))
    design = Design(True, (Column("x", x),), (_group("oa", at, 200, "geography"),), len(at), area_scale=scale)
    return _problem(design, "bernoulli", _binary(rng, eta + 0.3 * x), "oa")


def area_scale_learned(rng: np.random.Generator) -> FitProblem:
    return _area_scaled(rng, None)


def area_scale_declared(rng: np.random.Generator) -> FitProblem:
    return _area_scaled(rng, np.array([0.5, 1.0, 2.0]))


def weights(rng: np.random.Generator) -> FitProblem:
    column, area, eta = _area_and_slope(rng)
    weight = rng.gamma(2.0, 0.5, N)
    design = Design(True, (column,), (area,), N)
    return _problem(design, "bernoulli", _binary(rng, eta), "oa", weight / weight.mean())


def gaussian(rng: np.random.Generator) -> FitProblem:
    """The area inside districts: one total, split; the answers' variance is unknown, and some count more."""
    column, area, eta = _area_and_slope(rng)
    district = area.index // 12
    y = 50.0 + 8.0 * (eta + rng.normal(0.0, 0.3, 10)[district] + rng.normal(size=N))
    design = Design(True, (column,), (_group("lad", district, 10, "geography"), area), N)
    return _problem(design, "gaussian", y, "oa", rng.uniform(0.5, 1.5, N))


def known_variances(rng: np.random.Generator) -> FitProblem:
    """Sixty direct estimates of places that hardly differ."""
    x, variance = rng.normal(size=60), rng.uniform(0.02, 0.2, 60)
    y = 0.5 + 0.2 * x + rng.normal(0.0, np.sqrt(variance + 0.01))
    design = Design(True, (Column("x", x),), (_group("lad", np.arange(60), 60),), 60)
    return _problem(design, "gaussian", y, variance=variance)


def counts(rng: np.random.Generator) -> FitProblem:
    column, area, eta = _area_and_slope(rng)
    exposure = rng.gamma(2.0, 0.5, N)
    y = rng.poisson(exposure * np.exp(eta - 0.5)).astype(float)
    return _problem(Design(True, (column,), (area,), N), "poisson", y, "oa", exposure=exposure)


def _linked(rng: np.random.Generator, ratio: float | None, prior: Prior | None) -> FitProblem:
    """Respondents known by groups of four areas; the areas of a group are of up to three of five kinds."""
    column, group, eta = _area_and_slope(rng)
    count, each = len(group.labels), 4
    share = rng.dirichlet(np.full(each, 3.0), count)
    kinds = np.zeros((count, 5))
    np.add.at(kinds, (np.repeat(np.arange(count), each), rng.integers(0, 5, count * each)), share.ravel())
    labels = tuple("abcde")
    kind = Group("kind", "class", labels, kinds.argmax(axis=1)[group.index], labels, shares=kinds[group.index])
    codes = tuple(f"{k:04d}" for k in range(each * count))
    link = BelowLink("oa", "cell", codes, np.repeat(np.arange(count), each), share.ravel(), ratio, prior, True)
    eta = eta + kinds[group.index] @ rng.normal(0.0, 0.4, 5)
    design = Design(True, (column,), (kind, group), N, link=link)
    return _problem(design, "bernoulli", _binary(rng, eta), "cell")


def linked_above(rng: np.random.Generator) -> FitProblem:
    return _linked(rng, 2.5, None)


def linked_above_learned(rng: np.random.Generator) -> FitProblem:
    return _linked(rng, None, Prior("half_normal", (0.3,)))


def _second_survey(rng: np.random.Generator, at: np.ndarray, size: int) -> tuple[np.ndarray, Group]:
    """Who answers the second of two surveys, and how its answers depart from the trait in districts."""
    second = rng.random(N) < 0.5
    by = Column("survey:second", second.astype(float))
    return second, _group("discrepancy:second", at, size, by=by, survey="second")


def two_surveys(rng: np.random.Generator) -> FitProblem:
    """A question of four answers in one survey, of three in the other."""
    column, area, eta = _area_and_slope(rng)
    district = area.index // 12
    eta = eta + rng.normal(0.0, 0.3, 10)[district]
    second, departure = _second_survey(rng, district, 10)
    t = np.where(second, 0.6 * eta + rng.normal(0.0, 0.2, 10)[district], eta) + rng.logistic(size=N)
    answers = np.full((N, 2), -1, dtype=np.int8)
    answers[~second, 0] = np.searchsorted([-1.0, 0.2, 1.4], t[~second])
    answers[second, 1] = np.searchsorted([-0.6, 0.9], t[second])
    asked = (("a", "b", "c", "d"), ("1", "2", "3"))
    own = Instruments(("first:q", "second:r"), asked, answers, ("first", "second"), second.astype(np.int64), False)
    groups = (_group("lad", district, 10, "geography"), area, departure)
    design = Design(False, (column,), groups, N)
    return _problem(design, "cumulative", answers.max(axis=1), "oa", instruments=own)


def items_of_a_scale(rng: np.random.Generator) -> FitProblem:
    """Four items, of which two surveys share two; with fewer in common their discriminations would hardly be known."""
    column, area, eta = _area_and_slope(rng)
    district = area.index // 12
    second, departure = _second_survey(rng, district, 10)
    t = np.where(second, 0.7 * eta + rng.normal(0.0, 0.2, 10)[district], eta) + rng.normal(size=N)
    answers = np.full((N, 4), -1, dtype=np.int8)
    each = ((1.2, [-1.0, 0.5]), (1.8, [-0.4, 0.9]), (2.0, [0.3]), (0.8, [-1.5, 0.0, 1.0]))
    for m, (a, cuts) in enumerate(each):
        answers[:, m] = np.searchsorted(cuts, a * t + rng.logistic(size=N))
    answers[second, 2] = -1
    answers[~second, 3] = -1
    answers[rng.random(N) < 0.1, 1] = -1
    asked = (("a", "b", "c"), ("d", "e", "f"), ("no", "yes"), ("1", "2", "3", "4"))
    names = ("chat", "trust", "first:favours", "second:help")
    own = Instruments(names, asked, answers, ("first", "second"), second.astype(np.int64), True)
    design = Design(False, (column,), (area, departure), N)
    return _problem(design, "graded_response", answers.max(axis=1), "oa", instruments=own)


CHEAP = (known_variances,)
SLOW = (
    random_walk, autoregression, neighbours, correlated_slopes, category_specific, area_scale_learned,
    area_scale_declared, weights, gaussian, counts, linked_above, linked_above_learned, two_surveys, items_of_a_scale,
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("family", ["bernoulli", "cumulative"])
def test_the_engines_agree_on_answers_averaged_over_areas(family: str, linked_problem: Callable[..., Any]) -> None:
    """The sd of x'β inside the groups is .8; slopes may differ by cutpoint, and a few are of people."""
    formula, specific = ("+ old + old:x1", ()) if family == "bernoulli" else ("", (0, 1))
    problem = linked_problem(family, N, 300, formula=formula, specific=specific)
    fast = engine_named("laplace")(problem, FitOptions(draws=8000, seed=1))
    exact = engine_named("nuts")(problem, FitOptions(draws=4000, seed=2, thin=1)).posterior
    assert quality(fast) == ()
    table = compare(fast.posterior, exact)
    assert table["within"].all(), table[~table["within"]].to_string()


@pytest.mark.parametrize(
    "simulated",
    [*CHEAP, *(pytest.param(case, marks=pytest.mark.slow) for case in SLOW)],
    ids=lambda case: case.__name__,
)
def test_the_engines_agree(simulated: Callable[[np.random.Generator], FitProblem]) -> None:
    problem = simulated(np.random.default_rng(5))
    fast = engine_named("laplace")(problem, FitOptions(draws=8000, seed=1))
    exact = engine_named("nuts")(problem, FitOptions(draws=4000, seed=2, thin=1)).posterior
    assert quality(fast) == ()
    assert set(fast.posterior.data_vars) == set(exact.data_vars)
    table = compare(fast.posterior, exact)
    wrong = table[~table["within"]]
    assert wrong.empty, wrong.to_string()


def compare(fast: Any, exact: Any) -> pd.DataFrame:
    """By variable: distance of means in posterior sds, their Monte-Carlo error, ratio of sds, and Δ log of sds."""
    rows = {}
    for name in exact.data_vars:
        dims = exact[name].dims[2:]
        assert fast[name].dims[2:] == dims
        for dim in dims:
            assert fast[dim].values.tolist() == exact[dim].values.tolist()
        ours = np.asarray(fast[name], dtype=np.float64).reshape(fast.sizes["draw"], -1)
        chains = np.asarray(exact[name]).reshape(*exact[name].shape[:2], -1)
        moves = np.ptp(chains, axis=(0, 1)) > 0.0
        rows[name] = _row(name, ours[:, moves], chains[:, :, moves], fast.attrs["design_ess"])
    return pd.DataFrame(rows).T.astype({"within": bool})


def _row(name: str, ours: np.ndarray, chains: np.ndarray, design_ess: float) -> dict[str, Any]:
    theirs = chains.reshape(-1, chains.shape[2])
    sd = theirs.std(axis=0)
    error = np.sqrt(1.0 / ess_bulk(chains) + 1.0 / min(len(ours), design_ess))
    apart, ratio = np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) / sd, np.median(ours.std(axis=0) / sd)
    row = {"rows": len(sd), "mean": apart.mean(), "max": apart.max(), "error": error.mean(), "sd_ratio": ratio}
    within = row["mean"] <= MEAN_APART + 2.0 * row["error"] and row["max"] <= MOST_APART
    within &= abs(np.log(ratio)) <= SD_RATIO + 2.0 * row["error"]
    if name.startswith(("sd_", "sigma", "slope_sd")):
        tail = np.sqrt(1.0 / ess_tail(chains) + 1.0 / min(len(ours), design_ess))[0]
        low, middle, high = np.log(np.quantile(theirs[:, 0], (0.05, 0.5, 0.95)))
        spread = {"q05": 2.1 * (middle - low), "q50": 1.25 * 0.5 * (high - low), "q95": 2.1 * (high - middle)}
        found = np.log(np.quantile(ours[:, 0], (0.05, 0.5, 0.95)))
        for (q, most), own, other in zip(LOG_APART.items(), found, (low, middle, high), strict=True):
            row[q] = own - other
            within &= abs(row[q]) <= most + 2.0 * tail * spread[q] / 1.645
    return row | {"within": bool(within)}
