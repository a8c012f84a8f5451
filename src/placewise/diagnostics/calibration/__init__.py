"""Simulation-based calibration: whether an engine's posteriors are right on average over the priors.

Parameters are drawn from the priors and answers from the parameters; where the engine is exact, the truth is one more
draw of the posterior (Talts et al. 2018, arXiv 1804.06788). The log likelihood is among the scalars, because an engine
that returns the prior has uniform ranks in all others (Modrák et al. 2023, Bayesian Analysis).
"""

from placewise.diagnostics.calibration.controls import prior_only, shrunk
from placewise.diagnostics.calibration.experiment import Experiment
from placewise.diagnostics.calibration.replicate import Replicate, Spread, simulate_once
from placewise.diagnostics.calibration.study import calibrate
from placewise.diagnostics.calibration.uniformity import anderson_darling, uniform_rank
from placewise.diagnostics.calibration.verdict import Calibration, judge_calibration

__all__ = [
    "Calibration",
    "Experiment",
    "Replicate",
    "Spread",
    "anderson_darling",
    "calibrate",
    "judge_calibration",
    "prior_only",
    "shrunk",
    "simulate_once",
    "uniform_rank",
]
