"""People who answer one of two surveys' questions: what their answers tell of places, less what cutpoints take up."""

from __future__ import annotations

import numpy as np
import pytest

from placewise.models.design import Column, Design, Group
from placewise.models.engines import FitProblem
from placewise.models.engines.laplace.hyper import Hyper
from placewise.models.fit import plan_of
from placewise.models.joint.factors import factors_of
from placewise.models.joint.information import information_of
from placewise.models.joint.persons import PersonCorrelation, Scores, shares_of_cutpoints, stacked_likelihood
from placewise.surveys.instruments import Instruments
from placewise.surveys.outcome import Response

N, PLACES, SCALE = 1200, 12, 0.5
# of a logistic answer in three categories: less than the third that a continuous one has
INFORMATION = 0.22


def two_surveys() -> FitProblem:
    """Each survey asks one question, of which the second follows what both share at half the rate."""
    rng = np.random.default_rng(1)
    survey, place = np.arange(N) % 2, rng.integers(0, PLACES, N)
    effect = rng.normal(0.0, 0.3, PLACES)
    trait = np.where(survey == 1, SCALE, 1.0) * effect[place] + rng.logistic(size=N)
    y = (trait[:, None] > [-1.0, 0.5]).sum(axis=1)
    answers = np.where(np.arange(2) == survey[:, None], y[:, None], -1).astype(np.int8)
    levels = ("a", "b", "c")
    instruments = Instruments(("ref:q", "two:q"), (levels, levels), answers, ("ref", "two"), survey, False)
    labels = tuple(f"L{k:02d}" for k in range(PLACES))
    own = Column("survey:two", (survey == 1).astype(float))
    groups = (
        Group("lad", "geography", labels, place, labels),
        Group("discrepancy:two", "other", labels, place, labels, by=own, factor="lad", survey="two"),
    )
    design = Design(False, (), groups, N)
    response = Response(y, np.ones(N, dtype=bool), levels, instruments=instruments)
    plan = plan_of(design, response, "cumulative", priors={}, area_group=None)
    return FitProblem(design, response, "cumulative", plan)


def test_what_people_have_in_common_is_not_lost_among_cutpoints_of_two_surveys() -> None:
    problem, hyper = two_surveys(), Hyper(two_surveys())
    # where the second survey's scale is a half and all else is at its prior's middle
    units = np.eye(hyper.size)
    at = next(-1.4 * unit for unit in units if hyper.survey_scale(hyper.at(-1.4 * unit))[1] < 0.9)
    scale = np.asarray(hyper.survey_scale(hyper.at(at)))
    assert scale == pytest.approx([1.0, SCALE], abs=0.02)
    factors = factors_of([problem.design, problem.design], ["lad"])
    own = [information_of(problem, factors, o, at=at) for o in (0, 1)]
    instruments = problem.response.instruments
    assert instruments is not None
    shares = shares_of_cutpoints(problem.response)
    assert shares is not None
    assert shares[:2] == pytest.approx(np.array([[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]]))
    scores = Scores(np.ones(N), np.full(N, INFORMATION), scale[instruments.survey], shares)
    rho, pairs = 0.5, {(0, 1): np.column_stack([np.arange(N), np.arange(N)])}
    told = [PersonCorrelation(0, 1, N, rho, 0.4, 0.6)]
    together, _ = stacked_likelihood(own, [problem.design] * 2, [scores] * 2, told, pairs)
    # what one outcome's answers say of a difference between places, given the other's effects: of errors that go
    # together with correlation r, 1 / (1 - r²) of what they say alone; r is rho times what of Λ is the people's own
    contrast = np.eye(PLACES)[0] - np.eye(PLACES)[1]
    gain = (contrast @ together[0, :, 0] @ contrast) / (contrast @ own[0].precision @ contrast)
    # places of some hundred people are told of mostly by them, less than three quarters by departures of the second
    assert 1.0 / (1.0 - (0.6 * rho) ** 2) < gain < 1.0 / (1.0 - rho**2)
