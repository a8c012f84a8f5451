"""Areas projected before anybody answered have the distribution that the priors say, whatever the family."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from placewise.estimates.projector import Projector
from placewise.geography.areas import AreaTable
from placewise.models.design import Column, Design, Group, Structure
from placewise.models.engines import FitProblem
from placewise.models.predict import build_predictor
from placewise.models.prior_plan import PriorPlan, SdPrior
from placewise.models.priors import Prior
from placewise.models.spec import EstimandSpec, OutcomeSpec
from placewise.models.unanswered import unanswered
from placewise.surveys.instruments import Instruments
from placewise.surveys.outcome import Response

AREAS, PEOPLE, DRAWS = 60, 90, 1500
TABLE = pd.DataFrame({"oa": [f"E{k:02d}" for k in range(AREAS)], "lad": [f"L{k % 6}" for k in range(AREAS)]})
LADS = tuple(f"L{k}" for k in range(6))


def _design(structure: Structure | None = None, **changes: Any) -> Design:
    row = np.arange(PEOPLE) % AREAS
    x = np.linspace(-1.0, 1.0, AREAS)
    own = Group(
        "oa", "geography", tuple(TABLE["oa"]), row, tuple(TABLE["oa"]), np.arange(AREAS), None,
        np.arange(AREAS)[:, None],
    )  # fmt: skip
    lad = Group("lad", "geography", LADS, row % 6, LADS, np.arange(AREAS) % 6, None, np.arange(6)[:, None], structure)
    return Design(True, (Column("x", x[row], x),), (lad, own), PEOPLE, **changes)


def _plan(**changes: Any) -> PriorPlan:
    sds = {"lad": SdPrior(Prior("fixed", (0.4,))), "oa": SdPrior(Prior("gamma", (4.0, 20.0)))}
    given = {
        "intercept": Prior("normal", (0.5, 0.3)), "cutpoints": None, "slope_sd": None,
        "slopes": (Prior("normal", (0.0, 0.5)),), "total": None, "shared": (), "concentration": (), "sds": sds,
        "sigma": None,
    }  # fmt: skip
    return PriorPlan(**given | changes)


def _drawn(family: str, plan: PriorPlan, design: Design, order: tuple[str, ...] = ()) -> np.ndarray:
    y = np.arange(PEOPLE) % max(len(order), 2)
    response = Response(y, np.ones(PEOPLE, dtype=bool), order)
    blank, posterior = unanswered(FitProblem(design, response, family, plan), DRAWS, 5)
    kind = "share" if family in ("bernoulli", "cumulative") else "mean"
    estimand = EstimandSpec("", kind, order[1:] if order else ())
    outcome = OutcomeSpec("o", "O", ("s",), family, "y", order=order, estimands=(estimand,), finite_population=False)
    areas = AreaTable(TABLE, "oa", ("lad",), (), None, np.ones(AREAS, dtype=bool))
    projector = Projector(build_predictor(outcome, blank, posterior, areas, None, seed=9))
    return projector.block(np.arange(AREAS)).values + projector.origin


def _eta(rng: np.random.Generator, area: int, n: int = 20_000) -> np.ndarray:
    """η of one area, drawn by hand."""
    x = np.linspace(-1.0, 1.0, AREAS)[area]
    spread = rng.normal(0, 0.4, n) + rng.gamma(4.0, 1 / 20.0, n) * rng.standard_normal(n)
    return rng.normal(0.0, 0.5, n) * x + spread


@pytest.mark.parametrize("family", ["gaussian", "bernoulli", "poisson", "cumulative"])
@pytest.mark.parametrize("area", [0, 31])
def test_an_area_has_the_distribution_of_its_priors(family: str, area: int) -> None:
    rng = np.random.default_rng(3)
    eta, start = _eta(rng, area), rng.normal(0.5, 0.3, 20_000)
    plan, order = _plan(), ()
    if family == "cumulative":
        plan, order = _plan(intercept=None, cutpoints=Prior("normal", (0.0, 1.0))), ("no", "rather", "yes")
        # the lower of two independent cutpoints
        expected = special.expit(eta - np.sort(rng.standard_normal((20_000, 2)), axis=1)[:, 0])
    else:
        inverse = {"gaussian": lambda v: v, "bernoulli": special.expit, "poisson": np.exp}[family]
        expected = inverse(start + eta)
    if family == "gaussian":
        plan = _plan(sigma=Prior("half_normal", (1.0,)))
    drawn = _drawn(family, plan, _design(), order)
    assert stats.ks_2samp(drawn[area], expected).pvalue > 0.001


def test_the_score_of_a_scale_is_averaged_over_persons_before_any_answer() -> None:
    rng = np.random.default_rng(8)
    levels = (("1", "2", "3"), ("no", "yes"))
    answers = rng.integers(0, 2, (PEOPLE, 2)).astype(np.int8)
    asked = Instruments(("a", "b"), levels, answers, ("s",), np.zeros(PEOPLE, dtype=np.int64), True)
    response = Response(answers[:, 0].astype(np.int64), np.ones(PEOPLE, dtype=bool), instruments=asked)
    plan = _plan(intercept=None, cutpoints=Prior("normal", (0.0, 1.0)), discrimination=Prior("lognormal", (0.0, 0.5)))
    blank, posterior = unanswered(FitProblem(_design(), response, "graded_response", plan), DRAWS, 5)
    outcome = OutcomeSpec(
        "o", "O", ("s",), "graded_response", "a", items=("a", "b"), order=levels[0],
        estimands=(EstimandSpec("", "score"),), finite_population=False,
    )  # fmt: skip
    areas = AreaTable(TABLE, "oa", ("lad",), (), None, np.ones(AREAS, dtype=bool))
    predictor = build_predictor(outcome, blank, posterior, areas, None, seed=9, instruments=asked)
    drawn = Projector(predictor).block(np.arange(AREAS)).values[0]
    n = 4000
    a = rng.lognormal(0.0, 0.5, (n, 2))
    b = np.column_stack([np.sort(rng.standard_normal((n, 2)), axis=1), rng.standard_normal(n)])
    t = _eta(rng, 0, n)[:, None] + rng.standard_normal((n, 400))
    above = special.expit(a[:, [0, 0, 1], None] * (t[:, None] - b[:, :, None])).sum(axis=1).mean(axis=1)
    assert stats.ks_2samp(drawn, 1.0 + above / 2.0).pvalue > 0.001


def test_areas_of_one_authority_are_alike_as_the_priors_say() -> None:
    drawn = _drawn("gaussian", _plan(slopes=(Prior("fixed", (0.0,)),)), _design())
    between = 0.3**2 + 0.4**2
    own = 4.0 * 5.0 / 20.0**2
    assert np.cov(drawn[0], drawn[6])[0, 1] == pytest.approx(between, rel=0.12)
    assert np.cov(drawn[0], drawn[1])[0, 1] == pytest.approx(0.3**2, rel=0.25)
    assert drawn[3].var() == pytest.approx(between + own, rel=0.12)


def test_a_structure_holds_before_any_answer() -> None:
    plan = _plan(
        intercept=Prior("fixed", (0.0,)),
        slopes=(Prior("fixed", (0.0,)),),
        sds={"lad": SdPrior(Prior("fixed", (1.0,))), "oa": SdPrior(Prior("fixed", (0.0,)))},
        rho={"lad": Prior("fixed", (0.8,))},
    )
    drawn = _drawn("gaussian", plan, _design(Structure("ar1")))
    assert np.corrcoef(drawn[0], drawn[1])[0, 1] == pytest.approx(0.8, abs=0.05)
    assert np.corrcoef(drawn[0], drawn[3])[0, 1] == pytest.approx(0.8**3, abs=0.06)


def test_what_belongs_to_one_survey_is_not_projected() -> None:
    design = _design()
    by = Column("survey:b", (np.arange(PEOPLE) % 2).astype(float))
    own = Group("discrepancy:b", "other", LADS, np.arange(PEOPLE) % 6, by=by, survey="b")
    with_survey = Design(True, design.columns, (own, *design.groups), PEOPLE)
    sds = {**_plan().sds, "discrepancy:b": SdPrior(Prior("half_normal", (0.1,)))}
    blank, posterior = unanswered(
        FitProblem(with_survey, Response(np.arange(PEOPLE) % 2, np.ones(PEOPLE, dtype=bool)), "bernoulli",
                   _plan(sds=sds)), 10, 1,
    )  # fmt: skip
    assert [group.name for group in blank.groups] == ["lad", "oa"]
    assert posterior.draws("sd_discrepancy:b").shape == (10,)
    assert not posterior.has("effect_discrepancy:b")
