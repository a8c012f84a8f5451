"""Simulated problems: sizes, nesting, seeds, and a linear predictor added up again by hand."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from common.generator import Factor, Interaction, Spec, VaryingSlope, simulate, unknowns
from common.standard import nested, standard

SMALL = Spec(
    n=600,
    geography=(Factor("reg", 3, 0.3, "geography"), Factor("la", 11, 0.2, "geography")),
    factors=(Factor("age", 4, 0.5), Factor("oac", 6, 0.4, "class", of_area=True)),
    interactions=(Interaction(("age", "oac"), 0.2),),
    varying=(VaryingSlope("x2", "age", 0.7),),
    slopes=3,
)


def test_standard_problem_has_the_unknowns_of_the_anchor() -> None:
    problem = simulate(standard(30_000)).problem
    levels = {g.name: len(g.labels) for g in problem.design.groups}
    assert levels == {"age": 7, "eth": 5, "ten": 4, "oac": 52, "age:eth": 35, "reg": 9, "la": 309, "msoa": 7201}
    assert len(problem.design.columns) == 9
    assert unknowns(problem) == 7640
    assert len(np.unique(problem.design.matrix, axis=0)) == 30_000


@pytest.mark.parametrize("areas", [300, 3000, 20_000])
def test_every_area_has_one_parent_and_a_respondent(areas: int) -> None:
    made = simulate(nested(20_000, areas))
    names = [g.name for g in made.problem.design.groups if g.role == "geography"]
    assert names[-1] == "area"
    for parent, child in itertools.pairwise(names):
        assert (made.frame.groupby(child)[parent].nunique() == 1).all()
        assert made.frame[parent].nunique() < made.frame[child].nunique()
    assert made.frame["area"].nunique() == areas
    assert made.problem.priors.shared == tuple(names)


def test_classes_belong_to_areas_and_other_factors_to_respondents() -> None:
    frame = simulate(SMALL).frame
    assert (frame.groupby("la")["oac"].nunique() == 1).all()
    assert (frame.groupby("la")["age"].nunique() > 1).all()


def test_linear_predictor_is_the_sum_of_its_parts() -> None:
    made = simulate(SMALL)
    f, t = made.frame, made.truth
    eta = SMALL.intercept + f[["x1", "x2", "x3"]].to_numpy() @ t.slopes
    for name in ("reg", "la", "age", "oac"):
        eta = eta + t.effects[name][f[name]]
    eta = eta + t.effects["age:oac"][f["age"] * 6 + f["oac"]] + t.effects["x2|age"][f["age"]] * f["x2"]
    np.testing.assert_allclose(made.truth.eta, eta)
    for group in made.problem.design.groups:
        column = f[group.name.rpartition("|")[2]].astype(str)
        assert [group.labels[k] for k in group.index] == column.tolist()
    assert made.problem.design.groups[3].by is made.problem.design.columns[1]


def test_seed_fixes_places_and_replicate_fixes_answers() -> None:
    one, same, other = simulate(SMALL), simulate(SMALL), simulate(SMALL, replicate=1)
    assert one.frame.equals(same.frame)
    assert one.frame.drop(columns="y").equals(other.frame.drop(columns="y"))
    assert not one.frame["y"].equals(other.frame["y"])
    moved = simulate(dataclasses.replace(SMALL, seed=2))
    assert not one.frame["la"].equals(moved.frame["la"])


def test_ordinal_and_binary_answers_are_of_the_same_people() -> None:
    binary = simulate(SMALL)
    ordinal = simulate(dataclasses.replace(SMALL, family="cumulative", categories=4))
    np.testing.assert_allclose(ordinal.truth.eta + SMALL.intercept, binary.truth.eta)
    # four equally likely categories are cut in the middle where a binary answer is
    assert ((ordinal.frame["y"] >= 2) == (binary.frame["y"] == 1)).all()


@pytest.mark.parametrize(
    ("family", "mean"),
    [
        ("bernoulli", lambda f, t: 1 / (1 + np.exp(-t.eta))),
        ("binomial", lambda f, t: f["trials"] / (1 + np.exp(-t.eta))),
        ("poisson", lambda f, t: f["exposure"] * np.exp(t.eta)),
        ("gaussian", lambda f, t: t.eta),
    ],
)
def test_answers_have_the_mean_of_their_family(family: str, mean: object) -> None:
    made = simulate(dataclasses.replace(SMALL, family=family, n=20_000))
    apart = made.frame["y"] - mean(made.frame, made.truth)  # type: ignore[operator]
    assert abs(apart.mean()) < 4 * apart.std() / np.sqrt(20_000)
    assert np.corrcoef(made.truth.eta, apart)[0, 1] == pytest.approx(0.0, abs=4 / np.sqrt(20_000))


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="5 respondents cannot cover 11 areas"):
        simulate(dataclasses.replace(SMALL, n=5, cover=True))
    with pytest.raises(ValueError, match="reg has 3 areas, fewer than la with 11"):
        simulate(dataclasses.replace(SMALL, geography=SMALL.geography[::-1]))
