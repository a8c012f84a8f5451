"""Areas drawn from the priors by the same projection, on the published scale, beside the posterior's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from placewise.diagnostics.prior_predictive import AreaFigures, area_figures, compare_with_prior, largest_plausible
from placewise.estimates.projector import Projector
from placewise.estimates.subset import only, spread_evenly
from placewise.models.engines import FitProblem
from placewise.models.prior_draws import improper_priors
from placewise.models.unanswered import unanswered
from placewise.pipeline.modelling import predict

if TYPE_CHECKING:
    from placewise.estimates.predictor import Predictor
    from placewise.pipeline.outcome import OutcomeRun

DRAWS, MOST_AREAS = 1000, 500


def prior_predictive(run: OutcomeRun) -> dict[str, Any]:
    """The primary estimand in areas spread evenly over the table, before and after the answers, as JSON values.

    Where a prior is flat nothing can be drawn: ``improper`` then names whose it is, and there is nothing else.
    """
    model, data, plan = run.model, run.data, run.posterior.priors
    improper = improper_priors(data.design, plan)
    if improper:
        return {"improper": improper}
    problem = FitProblem(data.design, data.response, model.outcome.family, plan)
    design, drawn = unanswered(problem, DRAWS, run.spec.seed)
    rows = spread_evenly(len(data.areas), MOST_AREAS)
    before = only(predict(model, replace(data, design=design), drawn, run.spec.seed), rows)
    prior, posterior = _figures(before), _figures(only(run.predictor, rows))
    largest = largest_plausible(before.estimands[0], model.outcome.family, prior)
    return compare_with_prior(prior, posterior, largest)


def _figures(predictor: Predictor) -> AreaFigures:
    projector = Projector(predictor)
    values = projector.block(np.arange(len(predictor.codes))).values.astype(np.float64) + projector.origin
    return area_figures(values, predictor.population)
