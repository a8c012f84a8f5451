"""Fit one outcome: resolve the priors, call the engine, keep the posterior."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from placewise.models.design import Design
from placewise.models.engines import FitOptions, FitProblem, engine_named
from placewise.models.link_scale import with_area_sd
from placewise.models.prior_plan import PriorPlan, plan_priors
from placewise.models.priors import Prior
from placewise.models.spec import DEFAULT_ENGINE
from placewise.surveys.outcome import Response


@dataclass(frozen=True, eq=False)
class Posterior:
    """A fitted model.

    Parameters
    ----------
    idata : InferenceData
        Posterior draws and statistics of the engine.
    priors : PriorPlan
        The priors used.
    """

    idata: Any
    priors: PriorPlan

    @property
    def n_draws(self) -> int:
        """Draws over all chains, S."""
        sizes = self.idata.posterior.sizes
        return int(sizes["chain"] * sizes["draw"])

    def draws(self, name: str) -> np.ndarray:
        """Draws of one variable, chains one after another; shape (S, ...)."""
        values = np.asarray(self.idata.posterior[name])
        return values.reshape(values.shape[0] * values.shape[1], *values.shape[2:])

    @property
    def engine(self) -> str:
        """Name of the engine that made the draws, which for ``auto`` is the one it settled on."""
        from placewise.models.quality import engine_of

        return engine_of(self.idata)

    @property
    def escalation(self) -> str:
        """Why the fast engine's draws were set aside; empty where they were not."""
        from placewise.models.quality import escalation

        return escalation(self.idata)

    def has(self, name: str) -> bool:
        """Whether the model has a variable of that name."""
        return name in self.idata.posterior


def plan_of(
    design: Design,
    response: Response,
    family: str,
    *,
    priors: Mapping[str, Prior],
    split: float | None = None,
    area_group: str | None = None,
) -> PriorPlan:
    """Every prior of a model, given its data (a gaussian outcome's defaults follow the units of y)."""
    gaussian = family == "gaussian"
    return plan_priors(
        priors,
        split,
        design,
        area_group,
        family,
        y_mean=float(np.mean(response.y)) if gaussian else 0.0,
        y_sd=float(np.std(response.y)) if gaussian else 1.0,
        known_variance=response.variance is not None,
        instruments=response.instruments is not None,
    )


def fit_model(
    design: Design,
    response: Response,
    family: str,
    *,
    priors: Mapping[str, Prior],
    split: float | None = None,
    area_group: str | None = None,
    engine: str = DEFAULT_ENGINE,
    options: FitOptions | None = None,
) -> Posterior:
    """Fit one outcome.

    Parameters
    ----------
    design : Design
        n respondents.
    response : Response
        Their answers, the same n rows.
    family : str
        bernoulli, binomial, gaussian, poisson or cumulative.
    priors : mapping of str to Prior
        As the model file writes them.
    split : float or None
        ``split:geography``.
    area_group : str or None
        Name of the area's own group (the code column), None without an areas table.
    engine : str
        Name of the engine.
    options : FitOptions
        Draws, seed, chains.

    Raises
    ------
    ConfigurationError
        If the engine is unknown or not in this version.
    """
    plan = plan_of(design, response, family, priors=priors, split=split, area_group=area_group)
    run = engine_named(engine)
    idata = run(FitProblem(design, response, family, plan), options or FitOptions())
    return Posterior(with_area_sd(idata, plan), plan)
