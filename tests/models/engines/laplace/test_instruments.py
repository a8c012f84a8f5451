"""Items of a scale and several surveys by the fast engine: the truth comes back, and what is the same is the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from placewise.models.design import Column, Design, Group
from placewise.models.engines import FitOptions, FitProblem, engine_named
from placewise.models.engines.laplace import limits
from placewise.models.fit import plan_of
from placewise.models.priors import Prior
from placewise.surveys.instruments import Instruments
from placewise.surveys.outcome import Response

N, AREAS = 2000, 100
DISCRIMINATION = np.array([0.8, 1.4, 2.0])
CUTS = (np.array([-1.2, 0.1, 1.3]), np.array([0.4]), np.array([-2.0, -0.5, 0.8, 2.2]))
OPTIONS = FitOptions(draws=404, seed=3, jobs=1)


def fitted(problem: FitProblem):
    return engine_named("laplace")(problem, OPTIONS).posterior


def problem_of(design: Design, own: Instruments, weights: np.ndarray | None = None, **priors: Prior) -> FitProblem:
    response = Response(own.answers.max(axis=1).astype(np.int64), np.ones(len(own.answers), dtype=bool), own.levels[0],
                        instruments=own)  # fmt: skip
    family = "graded_response" if own.scale else "cumulative"
    return FitProblem(
        design, response, family, plan_of(design, response, family, priors=priors, area_group="oa"), weights
    )


def levels_of(cuts) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(str(k) for k in range(len(own) + 1)) for own in cuts)


def plain_design(rng: np.random.Generator) -> tuple[Design, np.ndarray]:
    x, at = rng.normal(size=N), np.sort(rng.integers(0, AREAS, N))
    eta = 0.4 * x + rng.normal(0.0, 0.3, AREAS)[at]
    labels = tuple(map(str, range(AREAS)))
    return Design(False, (Column("x", x),), (Group("oa", "geography", labels, at, labels),), N), eta


def scale(rng: np.random.Generator, eta: np.ndarray) -> Instruments:
    t = eta + rng.normal(size=N)
    answers = np.column_stack(
        [np.searchsorted(c, a * t + rng.logistic(size=N)) for a, c in zip(DISCRIMINATION, CUTS, strict=True)]
    ).astype(np.int8)
    answers[rng.random(N) < 0.2, 1] = -1
    return Instruments(("a", "b", "c"), levels_of(CUTS), answers, ("one",), np.zeros(N, dtype=np.int64), True)


def test_a_scale_is_recovered() -> None:
    rng = np.random.default_rng(1)
    design, eta = plain_design(rng)
    found = fitted(problem_of(design, scale(rng, eta)))
    assert found["cutpoint"].values[0] == "a: 0 | 1"
    assert list(found["instrument"].values) == ["a", "b", "c"]
    truth = {"discrimination": DISCRIMINATION, "cutpoints": np.concatenate(CUTS), "slopes": [0.4], "sd_oa": 0.3}
    for name, value in truth.items():
        draws = np.asarray(found[name])[0]
        z = (draws.mean(axis=0) - value) / draws.std(axis=0)
        assert np.abs(z).max() < 3.5, name
        # as sharp as thousands of answers make it
        assert np.max(draws.std(axis=0)) < 0.3, name
    assert set(found.data_vars) >= {"effect_oa", "sd_oa"}


def test_the_order_of_items_and_of_people_changes_nothing() -> None:
    rng = np.random.default_rng(2)
    design, eta = plain_design(rng)
    own = scale(rng, eta)
    found = fitted(problem_of(design, own))
    turn, order = [2, 0, 1], rng.permutation(N)
    turned = Instruments(
        tuple(own.names[m] for m in turn), tuple(own.levels[m] for m in turn), own.answers[order][:, turn],
        own.surveys, own.survey, True,
    )  # fmt: skip
    column, group = design.columns[0], design.groups[0]
    moved = replace(
        design,
        columns=(Column("x", column.values[order]),),
        groups=(replace(group, index=group.index[order]),),
    )
    again = fitted(problem_of(moved, turned))
    for name in ("slopes", "sd_oa", "effect_oa"):
        one, other = np.asarray(found[name])[0], np.asarray(again[name])[0]
        assert np.abs((one.mean(axis=0) - other.mean(axis=0)) / one.std(axis=0)).max() < 0.35, name
    np.testing.assert_allclose(
        np.asarray(again["discrimination"])[0].mean(axis=0), np.asarray(found["discrimination"])[0].mean(axis=0)[turn],
        rtol=0.02,
    )  # fmt: skip


def test_an_answer_of_weight_two_counts_as_two() -> None:
    rng = np.random.default_rng(3)
    design, eta = plain_design(rng)
    own, twice = scale(rng, eta), np.where(np.arange(N) < N // 2, 2.0, 1.0)
    rows = np.repeat(np.arange(N), twice.astype(int))
    group = design.groups[0]
    longer = replace(
        design, n=len(rows), columns=(Column("x", design.columns[0].values[rows]),),
        groups=(replace(group, index=group.index[rows]),),
    )  # fmt: skip
    one, other = fitted(problem_of(design, own, twice)), fitted(problem_of(longer, own.take(rows)))
    for name in ("slopes", "discrimination", "cutpoints"):
        a, b = np.asarray(one[name])[0], np.asarray(other[name])[0]
        assert np.abs((a.mean(axis=0) - b.mean(axis=0)) / a.std(axis=0)).max() < 0.3, name


def two_questions(rng: np.random.Generator, factor: float) -> FitProblem:
    design, eta = plain_design(rng)
    second = rng.random(N) < 0.5
    t = np.where(second, factor, 1.0) * eta * 2.0 + rng.logistic(size=N)
    answers = np.full((N, 2), -1, dtype=np.int8)
    answers[~second, 0] = np.searchsorted(CUTS[0], t[~second])
    answers[second, 1] = np.searchsorted(CUTS[2], t[second])
    own = Instruments(
        ("one:q", "two:q"), levels_of((CUTS[0], CUTS[2])), answers, ("one", "two"), second.astype(np.int64), False
    )
    group = design.groups[0]
    by = Column("survey:two", second.astype(float))
    district = Group("discrepancy:two", "other", tuple("abcdefghij"), group.index // 10, by=by, survey="two")
    return problem_of(replace(design, groups=(group, district)), own)


def test_the_scale_of_a_second_survey_is_recovered() -> None:
    found = fitted(two_questions(np.random.default_rng(4), 0.5))
    draws = np.asarray(found["survey_scale"])[0, :, 0]
    assert abs(draws.mean() - 0.5) < 3.0 * draws.std()
    assert draws.std() < 0.15
    assert list(found["survey"].values) == ["two"]
    slopes = np.asarray(found["slopes"])[0, :, 0]
    assert abs(slopes.mean() - 0.8) < 3.0 * slopes.std()
    # the two surveys agree: what departs is about nothing
    assert np.abs(np.asarray(found["effect_discrepancy:two"])[0].mean(axis=0)).max() < 0.2


def test_one_survey_with_a_scale_of_one_is_no_model_of_its_own() -> None:
    problem = two_questions(np.random.default_rng(5), 1.0)
    fixed = replace(problem.priors, discrimination=Prior("fixed", (1.0,)))
    draws = np.asarray(fitted(replace(problem, priors=fixed))["survey_scale"])
    assert (draws == 1.0).all()


@pytest.mark.parametrize(
    ("priors", "named"),
    [({"discrimination": Prior("gamma", (2.0, 2.0))}, "discrimination"), ({"slope": Prior("flat", ())}, "slope")],
)
def test_what_cannot_be_expanded_is_named(priors: dict[str, Prior], named: str) -> None:
    rng = np.random.default_rng(6)
    design, eta = plain_design(rng)
    found = limits.problems_of(problem_of(design, scale(rng, eta), None, **priors))
    assert [p.where for p in found] == [f"model.priors.{named}"]
    assert found[0].kind == "unavailable"


def test_a_category_that_nobody_chose_is_named_with_its_item() -> None:
    rng = np.random.default_rng(7)
    design, eta = plain_design(rng)
    own = scale(rng, eta)
    answers = np.where(own.answers == 2, 1, own.answers)
    answers[:, 0] = own.answers[:, 0]
    found = limits.problems_of(problem_of(design, replace(own, answers=answers)))
    assert [p.where for p in found] == ["outcome.order.c"]
    assert "'2'" in found[0].message
