"""Negative controls: engines made wrong on purpose, to see that a check can fail."""

from __future__ import annotations

from typing import Any

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
