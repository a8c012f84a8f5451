"""Design-effect ratios of fixed effects: a survey's clusters count, the order of its respondents does not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from placewise.models import inference
from placewise.models.design import Column, Design
from placewise.models.fit import Posterior
from placewise.models.prior_plan import PriorPlan
from placewise.pipeline.weighting import corrected, ratios
from placewise.surveys.outcome import Response

N, EACH, DRAWS = 600, 10, 4000


def survey(turn: np.ndarray | None = None) -> tuple[Any, Posterior]:
    """Answers alike inside clusters of ten, a covariate of clusters, and the posterior of least squares."""
    rng = np.random.default_rng(5)
    psu = np.arange(N) // EACH
    x = rng.standard_normal(N // EACH)[psu]
    y = 0.5 * x + rng.standard_normal(N // EACH)[psu] + rng.standard_normal(N)
    both = np.column_stack([np.ones(N), x])
    bread = np.linalg.inv(both.T @ both) * 2.0
    beta = np.linalg.solve(both.T @ both, both.T @ y) + rng.standard_normal((DRAWS, 2)) @ np.linalg.cholesky(bread).T
    order = np.arange(N) if turn is None else turn
    # the same numbers of PSUs in two strata, as surveys have them
    people = SimpleNamespace(psu=(psu % 30)[order], strata=(psu // 30)[order], weight=None)
    response = Response(y[order], np.ones(N, dtype=bool), variance=np.full(N, 2.0))
    design = Design(True, (Column("x", x[order]),), (), N)
    draws = {"intercept": beta[None, :, 0], "slopes": beta[None, :, 1:]}
    plan = PriorPlan(None, None, None, (None,), None, (), (), {}, None)
    idata = inference.build(draws, {"slopes": ["covariate"]}, {"covariate": ["x"]})
    return SimpleNamespace(design=design, response=response, respondents=people), Posterior(idata, plan)


def test_answers_alike_inside_clusters_widen_the_parameters_of_clusters() -> None:
    data, posterior = survey()
    found = ratios(data, "gaussian", posterior, np.ones(N))
    assert set(found) == {"intercept", "x"}
    # half the variance is of clusters of ten: 1 + 9 × ½
    assert found["intercept"] == pytest.approx(5.5, rel=0.35)
    wide = corrected(posterior, found)
    grown = wide.draws("slopes").std() / posterior.draws("slopes").std()
    assert grown == pytest.approx(np.sqrt(found["x"]))
    assert corrected(posterior, dict.fromkeys(found, 1.2)) is posterior


def test_the_order_of_respondents_changes_nothing() -> None:
    turn = np.random.default_rng(6).permutation(N)
    data, posterior = survey()
    other, same = survey(turn)
    weight = pd.Series(np.linspace(0.5, 1.5, N))
    one = ratios(data, "gaussian", posterior, weight.to_numpy())
    two = ratios(other, "gaussian", same, weight.to_numpy()[turn])
    assert one == pytest.approx(two, rel=1e-8)
