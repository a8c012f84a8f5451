"""What a gaussian outcome's answers say of its places, against the normal equations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from common.joint_worlds import AGE, AGES, LEVEL, JointWorld, make_joint_survey

from placewise.models.engines.laplace import layout as layout_module
from placewise.models.engines.laplace.hyper import Hyper
from placewise.models.joint.factors import factors_of
from placewise.models.joint.information import information_of

WORLD = JointWorld("small", respondents=(240, 180), areas=9, categories=0)


@pytest.mark.parametrize("smallest", [4, 100])
def test_a_gaussian_outcome_is_exact(monkeypatch: pytest.MonkeyPatch, smallest: int) -> None:
    # places in the chain that is eliminated, or among the core
    monkeypatch.setattr(layout_module, "SMALLEST_LEVEL", smallest)
    survey = make_joint_survey(WORLD, 4)
    problem = survey.problems[0]
    factors = factors_of([p.design for p in survey.problems], [LEVEL])
    hyper = Hyper(problem)
    point = hyper.at(np.full(hyper.size, 0.2))
    found = information_of(problem, factors, 0, at=point.z)

    ages, places = (np.eye(n)[g.index] for n, g in zip((AGES, WORLD.areas), problem.design.groups, strict=True))
    x = np.column_stack([np.ones(problem.design.n), problem.design.matrix, ages])
    intercept = problem.priors.intercept.args
    scales = [intercept[1], np.exp(point.log_scale["slopes"]), *[np.exp(point.log_scale[AGE])] * AGES]
    covariance = np.eye(len(x)) * np.exp(2 * point.log_scale["sigma"]) + (x * np.square(scales)) @ x.T
    weighted = np.linalg.solve(covariance, places)
    assert found.precision == pytest.approx(places.T @ weighted, rel=1e-6, abs=1e-6)
    assert found.linear == pytest.approx(weighted.T @ (problem.response.y - intercept[0]), rel=1e-6, abs=1e-6)
    # the other unknowns' regression: their covariance with the answers over the answers' own
    slope = -np.square(scales)[:, None] * (x.T @ weighted)
    assert found.response["intercept"] == pytest.approx(slope[0], abs=1e-5)
    assert found.response["slopes"][:, 0] == pytest.approx(slope[1], abs=1e-5)
    assert found.response[f"effect_{AGE}"] == pytest.approx(slope[2:].T, abs=1e-5)
    assert found.response[f"effect_{LEVEL}"] == pytest.approx(np.eye(WORLD.areas), abs=1e-5)


def test_a_place_without_respondents_says_nothing() -> None:
    survey = make_joint_survey(WORLD, 4)
    problem = survey.problems[0]
    group = problem.design.groups[1]
    more = replace(group, labels=(*group.labels, "nobody"), all_labels=(*group.labels, "nobody"))
    design = replace(problem.design, groups=(problem.design.groups[0], more))
    wider = replace(problem, design=design)
    factors = factors_of([design], [LEVEL])
    z = np.full(Hyper(problem).size, 0.2)
    found = information_of(wider, factors, 0, at=z)
    plain = information_of(problem, factors_of([problem.design], [LEVEL]), 0, at=z)
    assert not found.precision[-1].any()
    assert found.precision[:-1, :-1] == pytest.approx(plain.precision, rel=1e-6, abs=1e-8)
    assert not found.response["slopes"][-1].any()
