"""Covariates that separate the answers: first that they do, then that they are named, and what a flat prior is."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from placewise.errors import ModelError
from placewise.models.design import Column
from placewise.models.engines import FitOptions, FitProblem
from placewise.models.engines.laplace.fit import fit
from placewise.models.engines.laplace.separation import separating_columns
from placewise.models.prior_plan import plan_priors
from placewise.models.priors import Prior

OPTIONS = FitOptions(draws=100, seed=1, jobs=1)


@pytest.fixture
def with_column(make_problem: Any) -> Any:
    """A problem whose second covariate is made of the answers, with one prior for all slopes."""

    def make(family: str, of: Any, prior: Prior, **more: Any) -> FitProblem:
        problem = make_problem(family, n=160, **more)
        y = np.asarray(problem.response.y, dtype=float)
        columns = (problem.design.columns[0], Column("divide", of(y)))
        design = replace(problem.design, columns=columns)
        plan = plan_priors({"slope": prior}, None, design, "oa", family)
        return replace(problem, design=design, priors=plan)

    return make


def some(y: np.ndarray) -> np.ndarray:
    return (y >= 1).astype(float)


def nearly(y: np.ndarray) -> np.ndarray:
    """As ``some``, but for two answers on either side."""
    found = some(y)
    found[np.flatnonzero(found == 0)[:2]] = 1.0
    found[np.flatnonzero(y >= 1)[-2:]] = 0.0
    return found


def wide(y: np.ndarray) -> np.ndarray:
    return 1000.0 * np.random.default_rng(1).normal(size=len(y))


@pytest.mark.parametrize("family", ["bernoulli", "cumulative", "poisson"])
def test_only_the_prior_holds_a_separating_slope_and_it_is_named(with_column: Any, family: str) -> None:
    sizes = []
    for width in (1.0, 20.0):
        found = fit(with_column(family, some, Prior("normal", (0.0, width))), OPTIONS)["posterior"]
        sizes.append(float(found["slopes"].sel(covariate="divide").mean()))
        named = json.loads(found.attrs["separated"])
    assert sizes[1] > 1.2 * sizes[0] > 0.0
    assert named == ["divide"]


@pytest.mark.parametrize("family", ["bernoulli", "cumulative", "poisson"])
@pytest.mark.parametrize("of", [nearly, wide])
def test_covariates_that_tell_much_are_not_named(with_column: Any, family: str, of: Any) -> None:
    problem = with_column(family, of, Prior("normal", (0.0, 20.0)))
    assert separating_columns(problem) == ()
    assert fit(problem, OPTIONS)["posterior"].attrs["separated"] == "[]"


def test_a_flat_prior_is_refused_where_nothing_bounds_the_slope(with_column: Any) -> None:
    problem = with_column("bernoulli", some, Prior("flat"))
    with pytest.raises(ModelError, match="separated by divide: no slope is large enough, and the prior is flat"):
        fit(problem, OPTIONS)
    # what the prior of the cutpoints holds is proper, whatever the prior of the slope
    held = with_column("cumulative", some, Prior("flat"))
    assert separating_columns(held) == ("divide",)
    assert separating_columns(held, flat=True) == ()
    assert np.isfinite(fit(held, OPTIONS)["posterior"]["slopes"]).all()


def test_two_columns_that_only_separate_together(with_column: Any) -> None:
    problem = with_column("bernoulli", lambda y: y + 0.0, Prior("normal", (0.0, 5.0)))
    other = np.random.default_rng(2).normal(size=160)
    y = np.asarray(problem.response.y)
    both = (Column("noise", other), Column("hidden", 2.0 * y - 1.0 - other))
    third = Column("x", np.random.default_rng(3).normal(size=160))
    design = replace(problem.design, columns=(third, *both))
    problem = replace(problem, design=design, priors=replace(problem.priors, slopes=(problem.priors.slopes[0],) * 3))
    assert separating_columns(problem) == ("noise", "hidden")


def test_gaussian_answers_are_never_separated(with_column: Any) -> None:
    assert separating_columns(with_column("gaussian", lambda y: y, Prior("flat"))) == ()
