"""Negative controls: engines made wrong on purpose, to see that a check can fail."""

from __future__ import annotations

from typing import Any

import numpy as np

from placewise.diagnostics.calibration.parameters import draw_parameters
from placewise.models import inference
from placewise.models.engines import Engine, FitOptions, FitProblem


def shrunk(engine: Engine, factor: float) -> Engine:
    """An engine whose effects vary less than they should.

    Every draw of a group's sd, and of their total, is multiplied by ``factor``, and so is the deviation of each effect
    from its posterior mean.

    Parameters
    ----------
    engine : callable
        A right one.
    factor : float
        .8 shrinks by a fifth; above 1 the effects vary too much.
    """

    def fit(problem: FitProblem, options: FitOptions) -> Any:
        idata = engine(problem, options).copy()
        posterior = idata.posterior
        for name in map(str, posterior.data_vars):
            if name.startswith("sd_"):
                posterior[name] = posterior[name] * factor
            elif name.startswith("effect_"):
                centre = posterior[name].mean(("chain", "draw"))
                posterior[name] = factor * (posterior[name] - centre) + centre
        return idata

    return fit


def prior_only(problem: FitProblem, options: FitOptions) -> Any:
    """An engine that does not look at the answers: it returns draws of the prior."""
    design, rng = problem.design, np.random.default_rng(options.seed)
    categories = len(problem.response.levels)
    drawn = [draw_parameters(design, problem.priors, categories, rng) for _ in range(options.draws)]
    draws = {name: np.concatenate([d[name] for d in drawn])[None] for name in drawn[0]}
    dims, coords = {}, {}
    for group in design.groups:
        name = f"effect_{group.name}"
        draws[name] = draws[name][:, :, : len(group.labels)]
        dims[name], coords[group.dim] = [group.dim], list(group.labels)
    return inference.build(draws, dims, coords)
