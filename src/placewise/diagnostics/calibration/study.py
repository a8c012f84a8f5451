"""Simulation-based calibration of one engine."""

from __future__ import annotations

from placewise.diagnostics.calibration.experiment import Experiment
from placewise.diagnostics.calibration.replicate import simulate_once
from placewise.diagnostics.calibration.verdict import Calibration, judge_calibration
from placewise.models.engines import Engine, FitOptions


def calibrate(
    experiment: Experiment, engine: Engine, *, fits: int = 200, options: FitOptions | None = None, seed: int = 0
) -> Calibration:
    """Simulate from the priors, fit, and judge; 200 fits are usual, 1,000 for a release.

    Parameters
    ----------
    experiment : Experiment
        Design, family and proper priors.
    engine : callable
        ``engine_named(...)`` or any function of the same form.
    fits : int
        Simulations.
    options : FitOptions, optional
        Draws and chains of each fit; default 1,000 draws.
    seed : int
        Decides all simulations.

    Examples
    --------
    >>> result = calibrate(experiment, engine_named("laplace"), fits=200)  # doctest: +SKIP
    >>> result.status, result.ranks, result.areas  # doctest: +SKIP
    """
    chosen = options or FitOptions(draws=1000)
    replicates = [simulate_once(experiment, engine, chosen, seed, number) for number in range(fits)]
    return judge_calibration(replicates, seed=seed)
