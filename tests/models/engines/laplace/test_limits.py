"""What the fast engine cannot carry is told before anything is computed, and ``auto`` and ``nuts`` carry it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from placewise.errors import ConfigurationError
from placewise.models.design import Column, Design, Group
from placewise.models.engines import FitOptions, FitProblem, engine_named, problems_of
from placewise.models.engines.laplace import limits
from placewise.models.engines.laplace.fit import fit
from placewise.models.prior_plan import SdPrior, plan_priors
from placewise.models.priors import Prior
from placewise.surveys.outcome import Response

N = 4000
MakeProblem = Callable[..., FitProblem]


def problem_with(levels: dict[str, np.ndarray], **priors: Prior) -> FitProblem:
    rng = np.random.default_rng(1)
    columns = tuple(Column(name, rng.standard_normal(N)) for name in ("x1", "x2"))
    groups = tuple(
        Group(name, "other", tuple(map(str, range(int(index.max()) + 1))), index) for name, index in levels.items()
    )
    design = Design(True, columns, groups, N)
    y = rng.integers(2, size=N).astype(float)
    response = Response(y=y, kept=np.ones(N, dtype=bool))
    return FitProblem(design, response, "bernoulli", plan_priors(priors, None, design, None, "bernoulli"))


def test_a_crossed_group_of_thousands_of_levels_is_refused_and_named() -> None:
    rows = np.arange(N)
    crossed = problem_with({"household": rows // 2, "street": (rows * 3) % 1750, "school": (rows * 11) % 1900})
    (problem,) = problems_of("laplace", crossed)
    assert (problem.where, problem.kind) == ("model.engine", "unavailable")
    assert "the formula has 3,653, most of them in school (1,900), street (1,750)" in problem.message
    assert "engine = 'nuts' or 'auto'" in problem.hint


def test_nested_groups_of_thousands_of_levels_are_carried() -> None:
    rows = np.arange(N)
    assert problems_of("laplace", problem_with({"household": rows // 2, "street": rows // 4})) == []


@pytest.mark.parametrize("prior", [Prior("r2d2", (0.5, 2.0)), Prior("horseshoe", (1.0,))])
def test_slopes_shrunk_together_are_refused_before_anything_is_computed(
    prior: Prior, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrunk = problem_with({"street": np.arange(N) % 5}, slope=prior)

    def never(*_: Any) -> None:
        raise AssertionError("the engine went on")

    monkeypatch.setattr("placewise.models.engines.laplace.fit.lay_out", never)
    with pytest.raises(ConfigurationError, match=prior.name) as caught:
        engine_named("laplace")(shrunk, FitOptions())
    assert list(caught.value.problems) == problems_of("laplace", shrunk)
    assert [p.kind for p in caught.value.problems] == ["unavailable"]


@pytest.mark.parametrize("engine", ["nuts", "auto"])
def test_the_exact_engine_and_auto_carry_everything(engine: str) -> None:
    shrunk = problem_with({"street": np.arange(N) % 5}, slope=Prior("r2d2", (0.5, 2.0)))
    assert problems_of(engine, shrunk) == []


def test_a_category_nobody_chose_is_refused_and_named(make_problem: MakeProblem) -> None:
    problem = make_problem("cumulative", n=200)
    y, levels = problem.response.y, problem.response.levels
    emptied = replace(problem.response, y=np.where(y == 1, 2, y))
    (found,) = limits.problems_of(replace(problem, response=emptied))
    assert repr(levels[1]) in found.message
    assert found.kind == "unavailable"
    assert limits.problems_of(problem) == []


def test_a_flat_sd_of_two_groups_is_improper(make_problem: MakeProblem) -> None:
    problem = make_problem("bernoulli", depth=1)
    group = problem.design.groups[0]
    flat = replace(problem.priors, sds={group.name: SdPrior(Prior("flat"))}, shared=(), total=None)
    assert limits.problems_of(replace(problem, priors=flat)) == []
    two = replace(group, labels=("a", "b"), all_labels=("a", "b"), index=group.index % 2)
    (found,) = limits.problems_of(replace(problem, design=replace(problem.design, groups=(two,)), priors=flat))
    assert "improper" in found.message


def test_an_answer_against_the_end_of_a_uniform_prior_goes_to_another_engine(make_problem: MakeProblem) -> None:
    problem = make_problem("bernoulli", n=400, depth=0, priors={"slope": Prior("uniform", (-1.0, 1.0))})
    x = problem.design.columns[0].values
    steep = replace(problem.response, y=(np.random.default_rng(1).random(400) < expit(4.0 * x)).astype(float))
    with pytest.raises(ConfigurationError, match="uniform") as caught:
        fit(replace(problem, response=steep), FitOptions(draws=100))
    assert {p.kind for p in caught.value.problems} == {"unavailable"}
