"""The same model fitted again: with other priors, or with weighted answers."""

from __future__ import annotations

import numpy as np

from placewise.models.design import Design
from placewise.models.engines import FitOptions, FitProblem, engine_named
from placewise.models.fit import Posterior
from placewise.models.link_scale import with_area_sd
from placewise.models.prior_plan import PriorPlan
from placewise.surveys.outcome import Response


def refit(
    design: Design,
    response: Response,
    family: str,
    plan: PriorPlan,
    engine: str,
    options: FitOptions,
    weights: np.ndarray | None = None,
) -> Posterior:
    """Fit a model whose priors are resolved.

    Parameters
    ----------
    design, response, family
        As in `fit_model`.
    plan : PriorPlan
        Every prior.
    engine : str
    options : FitOptions
    weights : ndarray of float64, shape (n,), optional
        Powers of the respondents' likelihoods: a pseudo-likelihood. Scale them to the number of respondents first.
    """
    idata = engine_named(engine)(FitProblem(design, response, family, plan, weights), options)
    return Posterior(with_area_sd(idata, plan), plan)


def scaled_weights(weight: np.ndarray) -> np.ndarray:
    """Survey weights that add up to the number of respondents; ones exactly where all are equal."""
    if (weight == weight[0]).all():
        return np.ones(len(weight))
    return np.asarray(weight * (len(weight) / weight.sum()), dtype=np.float64)
