"""People who answer for two outcomes: who they are, how their answers go together, what that tells of places."""

from __future__ import annotations

import numpy as np
import pytest
from common.joint_worlds import LEVEL, JointWorld, make_joint_survey

from placewise.models.engines.laplace.hyper import Hyper
from placewise.models.joint.couple import shared_people
from placewise.models.joint.factors import factors_of
from placewise.models.joint.information import information_of
from placewise.models.joint.persons import PersonCorrelation, Scores, person_correlation, stacked_likelihood


def test_the_same_people_are_found_whatever_their_order() -> None:
    first = np.array(["a", "b", "c", "b"], dtype=object)
    second = np.array(["b", "d", "a", "b", "b"], dtype=object)
    assert sorted(map(tuple, shared_people(first, second).tolist())) == [(0, 2), (1, 0), (3, 3)]
    assert shared_people(first, None).shape == (0, 2)


def test_the_interval_of_the_correlation_is_that_of_large_samples() -> None:
    rng, n, rho = np.random.default_rng(3), 4000, 0.5
    draws = rng.multivariate_normal([0, 0], [[1, rho], [rho, 4]], n)
    first, second = (Scores(own, np.ones(n), np.ones(n)) for own in draws.T)
    pairs = np.column_stack([np.arange(n), np.arange(n)])
    value, lower, upper = person_correlation(first, second, pairs)
    assert value == pytest.approx(np.mean(draws[:, 0] * draws[:, 1]) / np.sqrt(np.prod(np.mean(draws**2, axis=0))))
    # of normal scores the standard error is (1 - rho²) / sqrt(n)
    assert upper - lower == pytest.approx(2 * 1.645 * (1 - value**2) / np.sqrt(n), rel=0.1)


def test_people_in_common_make_the_likelihood_that_of_correlated_residuals() -> None:
    world = JointWorld("same", respondents=(400, 400), areas=8, same_people=True, person_correlation=0.5, categories=0)
    survey = make_joint_survey(world, 5)
    factors = factors_of([p.design for p in survey.problems], [LEVEL])
    points = [Hyper(p).at(np.full(Hyper(p).size, 0.2)) for p in survey.problems]
    own = [information_of(p, factors, o, at=points[o].z) for o, p in enumerate(survey.problems)]
    sds = [np.exp(point.log_scale["sigma"]) for point in points]
    ones = np.ones(400)
    scores = [Scores(ones, ones / sd**2, ones) for sd in sds]
    pairs = {(0, 1): np.column_stack([np.arange(400), np.arange(400)])}
    told = [PersonCorrelation(0, 1, 400, 0.5, 0.4, 0.6)]
    precision, _ = stacked_likelihood(own, [p.design for p in survey.problems], scores, told, pairs)
    found = precision.reshape(16, 16)

    places = np.eye(8)[survey.problems[0].design.groups[1].index]
    residual = np.array([[sds[0] ** 2, 0.5 * sds[0] * sds[1]], [0.5 * sds[0] * sds[1], sds[1] ** 2]])
    noise = np.kron(residual, np.eye(400))
    for o, (problem, point) in enumerate(zip(survey.problems, points, strict=True)):
        ages = np.eye(5)[problem.design.groups[0].index]
        x = np.column_stack([ones, problem.design.matrix, ages])
        scales = [problem.priors.intercept.args[1], np.exp(point.log_scale["slopes"])]
        scales += [np.exp(point.log_scale["age"])] * 5
        part = slice(400 * o, 400 * (o + 1))
        noise[part, part] += (x * np.square(scales)) @ x.T
    z = np.kron(np.eye(2), places)
    exact = z.T @ np.linalg.solve(noise, z)
    # what places differ by, which the intercept does not blur
    contrast = np.kron(np.eye(2), np.eye(8) - 1 / 8)
    assert contrast @ found @ contrast == pytest.approx(contrast @ exact @ contrast, rel=0.03, abs=0.03 * exact.max())
    alone = np.kron(np.eye(2), np.ones((8, 8))) * found
    assert np.abs(found - alone).max() > 0.2 * found.max()
