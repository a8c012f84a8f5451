"""From a problem to posterior draws."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import logsumexp
from threadpoolctl import threadpool_limits

from placewise.errors import ConfigurationError, ModelError, Problem
from placewise.kernels.leaf_quadrature import FINE
from placewise.models import inference
from placewise.models.engines import FitOptions, FitProblem
from placewise.models.engines.laplace.averaged import settle
from placewise.models.engines.laplace.conditional import Conditional
from placewise.models.engines.laplace.explore import Landscape, survey_landscape
from placewise.models.engines.laplace.hyper import Hyper
from placewise.models.engines.laplace.layout import lay_out
from placewise.models.engines.laplace.limits import problems_of
from placewise.models.engines.laplace.proposals import complete_chosen, kish, propose
from placewise.models.engines.laplace.refine import coarsened, needs_quadrature, refine, sharpened
from placewise.models.engines.laplace.separation import separated, separating_columns
from placewise.models.engines.laplace.variables import collect
from placewise.models.engines.progress import counting_bar

# draws proposed at each point of the design, and points for each draw that is kept
EACH = 8
POINTS_PER_DRAW = 0.25
FEWEST_POINTS = 256
# rows and effects times points for which small problems, whose posteriors are the odd ones, have more points
LITTLE_WORK, MANY_POINTS = 2_000_000, 1024


def fit(problem: FitProblem, options: FitOptions) -> Any:
    """Draw from the posterior by nested Laplace with exact importance weights.

    Parameters
    ----------
    problem : FitProblem
        Design, response, family and priors.
    options : FitOptions
        ``draws`` equal-weight draws are kept, as one chain; ``jobs`` threads; the result does not depend on them.

    Returns
    -------
    InferenceData
        Group ``posterior``, with attributes ``importance_ess`` and ``khat`` of the weights, ``design_ess`` over the
        points of the design; nothing of the observed data.

    Raises
    ------
    ConfigurationError
        If the problem has a structure that the engine cannot carry.
    ModelError
        If the answers do not bound an estimate.
    """
    refused = problems_of(problem)
    if refused:
        raise ConfigurationError(refused)
    with threadpool_limits(1):
        layout = lay_out(problem)
        hyper = Hyper(problem)
        conditional = Conditional(problem, layout, hyper)
        landscape, names = _landscape(conditional, options)
        conditional = sharpened(conditional, landscape)
        if needs_quadrature(conditional, landscape, options.seed):
            conditional = Conditional(problem, layout, hyper, FINE)
        landscape = refine(conditional, landscape, options.seed, options.jobs)
        if conditional.quadrature is None and needs_quadrature(conditional, landscape, options.seed):
            # the exact posterior is where the leaves' effects are wider
            conditional = Conditional(problem, layout, hyper, FINE)
            landscape = refine(conditional, landscape, options.seed, options.jobs)
        if conditional.quadrature is not None:
            conditional = coarsened(conditional, landscape, options.seed, options.jobs)
        points = _design_points(options.draws, len(problem.response.y) + layout.n_nodes)
        with counting_bar(options.progress, "fit", points) as watch:
            proposals, log_weight = propose(conditional, landscape, points, EACH, options.seed, options.jobs, watch)
    # draws of one point share its weight over the design: the tail is fitted to the points, whose weights are sums over
    # draws and have a tail as heavy as theirs
    whole = logsumexp(log_weight, axis=1)
    known = np.isfinite(whole)
    final = np.full(log_weight.shape, -np.inf)
    smoothed, khat = inference.smooth_weights(whole[known])
    final[known] = log_weight[known] - whole[known, None] + smoothed[:, None]
    chosen = _resample(final.ravel(), options.draws, np.random.default_rng(options.seed))
    complete_chosen(conditional, proposals, chosen, options.seed, options.jobs)
    attrs = {
        "engine": "laplace", "seed": options.seed, "design_points": len(proposals), "proposals": log_weight.size,
        "importance_ess": kish(log_weight), "design_ess": kish(whole), "khat": khat,
        "quadrature": conditional.quadrature_nodes, "separated": json.dumps(names),
    }  # fmt: skip
    kept = collect(problem, layout, hyper, proposals, chosen, options.seed)
    stats = {"lp": np.concatenate([p.log_joint for p in proposals])[chosen][None]}
    return inference.build({n: v[None] for n, v in kept.draws.items()}, kept.dims, kept.coords, stats, attrs)


def _design_points(draws: int, size: int) -> int:
    """Points of a round, a power of 2, for so many draws of a problem with so many rows and effects."""
    affordable = min(LITTLE_WORK / size, MANY_POINTS)
    powers = np.ceil(np.log2(draws * POINTS_PER_DRAW)), np.floor(np.log2(max(affordable, 1.0)))
    return max(FEWEST_POINTS, *(1 << int(power) for power in powers))


def _landscape(conditional: Conditional, options: FitOptions) -> tuple[Landscape, tuple[str, ...]]:
    """The hyperparameters' posterior, and the covariates that separate the answers."""
    problem, hyper = conditional.problem, conditional.hyper
    try:
        if conditional.averaged is not None:
            settle(conditional, hyper.at(hyper.start()), conditional.start())
        landscape = survey_landscape(conditional, options.jobs)
        if conditional.averaged is not None:
            settled = settle(conditional, hyper.at(landscape.centre), landscape.mode)
            landscape = replace(landscape, mode=settled.mode)
        names = separated(conditional, landscape)
    except ModelError:
        unheld = separating_columns(problem)
        if not unheld and _bounded(problem):
            raise ConfigurationError(_at_bound()) from None
        if not unheld:
            raise
    else:
        unheld = separating_columns(problem, flat=True) if names else ()
        if not unheld:
            return landscape, names
    raise ModelError(
        Problem(
            "model",
            f"the answers are separated by {', '.join(unheld)}: no slope is large enough, and the prior is flat",
            'give these slopes a proper prior, such as slope = "normal(0, 1)", or leave them out',
            "model",
        )
    )


def _bounded(problem: FitProblem) -> bool:
    """Whether a coefficient has a uniform prior, at whose ends the density has no slope to follow."""
    plan = problem.priors
    own = (plan.intercept, plan.cutpoints, *plan.slopes)
    return any(prior is not None and prior.name == "uniform" for prior in own)


def _at_bound() -> Problem:
    return Problem(
        "model.priors",
        "the answers pull a coefficient against an end of its uniform prior, where engine 'laplace' finds no mode",
        "use engine = 'nuts' or 'auto', or a prior without ends such as normal(0, 1)",
        "unavailable",
    )


def _resample(log_weight: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Systematic resampling, in random order; positions of the proposals kept."""
    weight = np.exp(log_weight - logsumexp(log_weight))
    ticks = (rng.random() + np.arange(draws)) / draws
    chosen = np.minimum(np.searchsorted(np.cumsum(weight), ticks), len(weight) - 1)
    kept: np.ndarray = rng.permutation(chosen)
    return kept
