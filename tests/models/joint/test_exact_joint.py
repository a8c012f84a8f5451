"""Coupled fits against the whole model, all outcomes stacked, by the No-U-Turn sampler."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from common.joint_exact import sample_exactly
from common.joint_worlds import LEVEL, JointSurvey, JointWorld, make_joint_survey

from placewise.models.joint.couple import Coupled, Member, couple

BINARY = JointWorld("binary", respondents=(1500,) * 3, areas=30, area_sd=0.3, area_correlation=0.7)
SAME = JointWorld(
    "same",
    respondents=(1200,) * 3,
    areas=30,
    area_correlation=0.0,
    person_correlation=0.5,
    same_people=True,
    categories=0,
)
POINTS = (0.05, 0.5, 0.95)
# 5, 50 and 95% points of the correlations of outcomes 1-2, 1-3 and 2-3 of BINARY, survey 1, by 4,000 draws of NUTS
NUTS = {(0, 1): (-0.078, 0.436, 0.818), (0, 2): (-0.041, 0.463, 0.813), (1, 2): (0.196, 0.635, 0.898)}


def correlations(coupled: Coupled) -> np.ndarray:
    return coupled.idata["posterior"][f"cor_{LEVEL}"].to_numpy()[0]


def levels(survey: JointSurvey, coupled: Coupled, name: str) -> np.ndarray:
    p = coupled.posteriors[name]
    return p.draws("intercept")[:, None] + p.draws("slopes") @ survey.covariate[None] + p.draws(f"effect_{LEVEL}")


def test_correlations_are_those_of_a_recorded_run(members_of: Callable[[JointSurvey, int], list[Member]]) -> None:
    found = correlations(couple(members_of(make_joint_survey(BINARY, 1), 800), [LEVEL], seed=1))
    for (i, j), points in NUTS.items():
        assert np.quantile(found[:, i, j], POINTS) == pytest.approx(points, abs=0.09)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("world", "seed"), [(BINARY, 1), (SAME, 3)], ids=["binary", "same people"])
def test_the_coupled_fits_are_the_stacked_model(
    members_of: Callable[[JointSurvey, int], list[Member]], world: JointWorld, seed: int
) -> None:
    survey = make_joint_survey(world, seed)
    members = members_of(survey, 2000)
    coupled, exact = couple(members, [LEVEL], seed=1), sample_exactly(survey, 1500, seed)
    found = correlations(coupled)
    for i, j in NUTS:
        assert np.quantile(found[:, i, j], POINTS) == pytest.approx(
            np.quantile(exact["cor"][:, i, j], POINTS), abs=0.08
        )
    for o, member in enumerate(members):
        own, theirs = levels(survey, coupled, member.name), exact["eta"][:, o]
        apart = (own.mean(axis=0) - theirs.mean(axis=0)) / theirs.std(axis=0)
        assert np.sqrt(np.mean(apart**2)) < 0.1
        assert np.abs(apart).max() < 0.2
        assert np.median(own.std(axis=0) / theirs.std(axis=0)) == pytest.approx(1.0, abs=0.08)
