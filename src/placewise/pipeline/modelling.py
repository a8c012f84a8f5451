"""A model file and its data, given to the parts that fit and predict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from placewise.errors import Problem
from placewise.models.spec import ModelSpec
from placewise.pipeline.load import OutcomeData

if TYPE_CHECKING:
    from placewise.estimates.predictor import Predictor
    from placewise.models.design import Design
    from placewise.models.engines import FitProblem
    from placewise.models.fit import Posterior
    from placewise.models.prior_plan import PriorPlan
    from placewise.surveys.outcome import Response


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


def problems_of(model: ModelSpec, data: OutcomeData) -> list[Problem]:
    """What the model's engine cannot carry, found without fitting."""
    from placewise.models.engines import problems_of

    found = problems_of(model.engine, _problem(model, data))
    return [replace(p, where=f"models/{model.outcome.name}.toml: {p.where}") for p in found]


def notes_of(model: ModelSpec, data: OutcomeData) -> list[str]:
    """What is worth knowing of the engine's work before it begins."""
    from placewise.models.engines import takes_chains

    note = takes_chains(model.engine, _problem(model, data))
    return [note] if note else []


def _problem(model: ModelSpec, data: OutcomeData) -> FitProblem:
    from placewise.models.engines import FitProblem

    return FitProblem(data.design, data.response, model.outcome.family, plan(model, data))


def sample(
    model: ModelSpec,
    design: Design,
    response: Response,
    area_group: str | None,
    *,
    draws: int,
    seed: int,
    jobs: int,
    progress: bool,
    tell: Callable[[str], None],
) -> Posterior:
    """Posterior of the model.

    Parameters
    ----------
    area_group : str or None
        Name of the area's own group; None for data without an areas table.
    draws : int
        Draws to keep.
    jobs : int
        Chains or threads at the same time.
    progress : bool
        Whether a bar may be drawn on standard error.
    tell : callable
        Takes what the user should know while the fit goes on.
    """
    from placewise.models.engines import FitOptions
    from placewise.models.fit import fit_model

    return fit_model(
        design,
        response,
        model.outcome.family,
        priors=model.priors,
        split=model.split,
        area_group=area_group,
        engine=model.engine,
        options=FitOptions(draws=draws, seed=seed, jobs=jobs, progress=progress, tell=tell),
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
        instruments=data.response.instruments,
    )
