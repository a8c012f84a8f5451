"""The model without one survey is that of the others' respondents, questions and priors."""

from __future__ import annotations

import numpy as np

from placewise.models.design import Column, Design, Group
from placewise.models.fewer_surveys import without_survey
from placewise.models.prior_plan import PriorPlan, SdPrior
from placewise.models.priors import Prior
from placewise.surveys.instruments import Instruments
from placewise.surveys.outcome import Response

SURVEY = np.array([0, 0, 1, 1, 2, 2, 2])
PLACE = np.array([0, 1, 1, 2, 0, 2, 2])


def _model() -> tuple[Design, Response, PriorPlan]:
    answers = np.full((7, 4), -1, dtype=np.int8)
    # the first question is common to surveys 0 and 2, the others are of one survey each
    answers[np.isin(SURVEY, [0, 2]), 0] = [0, 1, 2, 0, 1]
    for s in range(3):
        answers[s == SURVEY, s + 1] = 1
    asked = Instruments(
        ("q", "a: x", "b: x", "c: x"), (("1", "2", "3"), *[("no", "yes")] * 3), answers, ("a", "b", "c"), SURVEY, True
    )
    labels = ("L1", "L2", "L3")
    x = Column("x", np.arange(7.0))
    departures = [
        Group(
            f"discrepancy:{s}", "other", labels, PLACE, by=Column(f"survey:{s}", (k == SURVEY).astype(float)), survey=s
        )
        for k, s in ((1, "b"), (2, "c"))
    ]
    varying = Group("x|lad", "other", labels, PLACE, by=x, factor="lad")
    groups = (departures[0], Group("lad", "geography", labels, PLACE), varying, departures[1])
    design = Design(False, (x,), groups, 7, correlated=((1, 2),))
    sds = {g.name: SdPrior(Prior("half_normal", (0.1,))) for g in groups}
    plan = PriorPlan(None, Prior("normal", (0.0, 3.0)), None, (None,), None, (), (), sds, None)
    return design, Response(answers[:, 0].astype(np.int64), np.ones(7, dtype=bool), instruments=asked), plan


def test_the_survey_s_people_questions_and_departures_are_gone() -> None:
    design, response, plan = without_survey(*_model(), 1)
    asked = response.instruments
    assert asked is not None
    assert asked.surveys == ("a", "c")
    assert asked.names == ("q", "a: x", "c: x")
    assert asked.survey.tolist() == [0, 0, 1, 1, 1]
    assert asked.answers.shape == (5, 3)
    assert len(response.y) == len(response.kept) == design.n == 5
    assert [g.name for g in design.groups] == ["lad", "x|lad", "discrepancy:c"]
    # the block of correlated effects follows its groups
    assert [design.groups[k].name for k in design.correlated[0]] == ["lad", "x|lad"]
    assert design.groups[0].index.tolist() == [0, 1, 0, 2, 2]
    by = design.groups[1].by
    assert by is not None
    assert by.values.tolist() == design.columns[0].values.tolist() == [0.0, 1.0, 4.0, 5.0, 6.0]
    assert set(plan.sds) == {"lad", "x|lad", "discrepancy:c"}


def test_the_reference_alone_is_left_when_all_others_are_taken_away() -> None:
    design, response, plan = without_survey(*without_survey(*_model(), 2), 1)
    asked = response.instruments
    assert asked is not None
    assert (asked.surveys, asked.names) == (("a",), ("q", "a: x"))
    assert design.groups[0].labels == ("L1", "L2", "L3"), "levels that nobody is left in stay"
    assert set(plan.sds) == {"lad", "x|lad"}
