"""A model file and its data, given to the parts that fit and predict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placewise.models.spec import ModelSpec
from placewise.pipeline.load import OutcomeData

if TYPE_CHECKING:
    from placewise.estimates.predictor import Predictor
    from placewise.models.fit import Posterior
    from placewise.models.prior_plan import PriorPlan


def plan(model: ModelSpec, data: OutcomeData) -> PriorPlan:
    """Every prior of the model, resolved."""
    from placewise.models.fit import plan_of

    return plan_of(
        data.design,
        data.response,
        model.outcome.family,
        priors=model.priors,
        split=model.split,
        area_group=data.areas.code,
    )


def fit(model: ModelSpec, data: OutcomeData, *, draws: int, seed: int, jobs: int, progress: bool) -> Posterior:
    """Posterior of the model.

    Parameters
    ----------
    draws : int
        Total kept over all chains.
    jobs : int
        Chains at the same time.
    progress : bool
        Whether a bar may be drawn on standard error.
    """
    from placewise.models.engines import FitOptions
    from placewise.models.fit import fit_model

    return fit_model(
        data.design,
        data.response,
        model.outcome.family,
        priors=model.priors,
        split=model.split,
        area_group=data.areas.code,
        engine=model.engine,
        options=FitOptions(draws=draws, seed=seed, jobs=jobs, progress=progress),
    )


def predict(model: ModelSpec, data: OutcomeData, posterior: Posterior, seed: int) -> Predictor:
    """Everything from which the draws of any area can be made."""
    from placewise.models.predict import build_predictor

    return build_predictor(
        model.outcome,
        data.design,
        posterior,
        data.areas,
        data.frame,
        seed=seed,
        known_variance=data.response.variance is not None,
    )
