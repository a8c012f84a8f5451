"""Separate fits coupled: what moves, what stays, and that draws of all outcomes belong together."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from common.joint_worlds import LEVEL, JointSurvey, JointWorld, make_joint_survey

from placewise.models.joint.couple import Coupled, Member, _moved, _Separate, _stack, couple
from placewise.models.joint.factors import factors_of
from placewise.models.joint.information import information_of
from placewise.models.joint.weighing import Proposals

WORLD = JointWorld(
    "small", respondents=(300, 900), areas=10, area_sd=0.4, area_correlation=0.8, same_people=True, categories=4
)
DRAWS = 300


@pytest.fixture(scope="module")
def survey() -> JointSurvey:
    return make_joint_survey(WORLD, 7)


@pytest.fixture(scope="module")
def members(survey: JointSurvey, members_of: Callable[[JointSurvey, int], list[Member]]) -> list[Member]:
    return members_of(survey, DRAWS)


@pytest.fixture(scope="module")
def coupled(members: list[Member]) -> Coupled:
    return couple(members, [LEVEL], seed=1, jobs=1)


def test_with_correlations_of_zero_and_different_people_nothing_moves(members: list[Member]) -> None:
    strangers = [dataclasses.replace(m, people=None) for m in members]
    factors = factors_of([m.problem.design for m in members], [LEVEL])
    own = [information_of(m.problem, factors, o) for o, m in enumerate(members)]
    stacked, people = _stack(strangers, factors, own)
    separate = _Separate(strangers, factors, own, 1, 1)
    kept = np.arange(DRAWS)
    same = Proposals(np.column_stack([kept, kept]), np.zeros((DRAWS, 1)), np.zeros(DRAWS))
    assert people == []
    assert _moved(stacked, separate, same, kept, 1) == pytest.approx(separate.effects, abs=1e-6)


def test_deviates_of_the_separate_fits_are_about_standard_normal(coupled: Coupled) -> None:
    attrs = coupled.idata["posterior"].attrs
    assert attrs["joint_shift"] < 0.15
    assert attrs["joint_spread"] == pytest.approx(1.0, abs=0.1)
    assert attrs["joint_importance_ess"] > 100
    assert attrs["joint_khat"] < 0.7


def test_draws_of_all_outcomes_belong_together(members: list[Member], coupled: Coupled) -> None:
    common = coupled.idata["posterior"]
    assert common.sizes["draw"] == DRAWS
    correlation = common[f"cor_{LEVEL}"].to_numpy()[0]
    assert correlation[:, 0, 0] == pytest.approx(np.ones(DRAWS))
    assert (correlation == correlation.swapaxes(1, 2)).all()
    for o, member in enumerate(members):
        posterior = coupled.posteriors[member.name]
        own = common[f"effect_{LEVEL}"].sel({f"{LEVEL}_outcome": member.name}).to_numpy()[0]
        assert posterior.draws(f"effect_{LEVEL}") == pytest.approx(own, abs=1e-6)
        assert posterior.draws(f"sd_{LEVEL}") == pytest.approx(common[f"sd_{LEVEL}"].to_numpy()[0][:, o])
        assert set(posterior.idata["posterior"].data_vars) == set(member.posterior.idata["posterior"].data_vars)
        assert list(posterior.idata["posterior"]["cutpoint"].values) == ["0 | 1", "1 | 2", "2 | 3"]
        assert posterior.idata["posterior"].attrs["engine"] == "laplace"


def test_what_one_outcome_tells_moves_the_other(survey: JointSurvey, members: list[Member], coupled: Coupled) -> None:
    # ten places that go together at .8: the small survey learns from the large one
    correlation = coupled.idata["posterior"][f"cor_{LEVEL}"].to_numpy()[0][:, 0, 1]
    assert np.median(correlation) > 0.2
    separate, together = (
        np.corrcoef(p.draws(f"effect_{LEVEL}").mean(axis=0), survey.effects[1])[0, 1]
        for p in (members[0].posterior, coupled.posteriors[members[0].name])
    )
    assert together > separate


def test_threads_change_nothing(members: list[Member], coupled: Coupled) -> None:
    again = couple(members, [LEVEL], seed=1, jobs=2)
    for name, posterior in coupled.posteriors.items():
        other = again.posteriors[name]
        assert (posterior.draws(f"effect_{LEVEL}") == other.draws(f"effect_{LEVEL}")).all()
        assert (posterior.draws("cutpoints") == other.draws("cutpoints")).all()
