"""What is simulated and fitted again and again: a design, its priors, a family, and the region kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from placewise.diagnostics.calibration.parameters import Values, check_can_simulate, draw_parameters
from placewise.diagnostics.calibration.predictions import linear_predictor, overall
from placewise.errors import ModelError, Problem
from placewise.models.design import Design
from placewise.models.prior_plan import PriorPlan

SANE: Mapping[str, tuple[float, float]] = {
    "bernoulli": (0.02, 0.98),
    "binomial": (0.02, 0.98),
    "cumulative": (0.02, 0.98),
    "poisson": (0.02, 50.0),
}
MOST_ATTEMPTS = 10_000


@dataclass(frozen=True, eq=False)
class Experiment:
    """A model whose engine is to be checked by simulation from its own priors.

    Prior and posterior are both restricted to a declared region of overall levels, the mean over the respondents of
    what is predicted for each: the share (bernoulli, binomial), the share of every category (cumulative), the count
    per exposure (poisson). Draws of the prior beyond it are rejected, draws of a posterior beyond it dropped, which
    leaves the exact posterior of the restricted prior.

    Parameters
    ----------
    design : Design
        n respondents; projected to areas where ``areas`` names any.
    family : {"bernoulli", "binomial", "poisson", "gaussian", "cumulative"}
    priors : PriorPlan
        Proper, and the same for every simulation: none may depend on simulated answers.
    areas : ndarray of int64, shape (B,)
        Rows of the areas table whose η and index are looked at; may be empty.
    levels : tuple of str
        Categories of an ordered answer, lowest first.
    trials, exposure, variance : ndarray of float64, shape (n,), or None
        As the family needs them; a gaussian outcome without ``variance`` has an unknown one.

    Raises
    ------
    ConfigurationError
        If the priors cannot be simulated.
    """

    design: Design
    family: str
    priors: PriorPlan
    areas: np.ndarray
    levels: tuple[str, ...] = ()
    trials: np.ndarray | None = None
    exposure: np.ndarray | None = None
    variance: np.ndarray | None = None

    def __post_init__(self) -> None:
        check_can_simulate(self.design, self.priors)

    def inside(self, levels: np.ndarray) -> np.ndarray:
        """Whether all overall levels of each draw lie in the declared region.

        Parameters
        ----------
        levels : ndarray of float64, shape (S, m)
            From `predictions.overall`.
        """
        low, high = SANE.get(self.family, (-np.inf, np.inf))
        return np.asarray(((levels >= low) & (levels <= high)).all(axis=1))


class Truth(NamedTuple):
    """One draw of the prior inside the region.

    Parameters
    ----------
    values : mapping of str to ndarray
        Parameters, each with a first axis of length 1.
    eta : ndarray of float64, shape (1, n)
        Linear predictor of the respondents.
    levels : ndarray of float64, shape (1, m)
        Overall levels.
    """

    values: Values
    eta: np.ndarray
    levels: np.ndarray


def draw_truth(experiment: Experiment, rng: np.random.Generator) -> Truth:
    """Draw from the prior until the overall levels are inside the region.

    Raises
    ------
    ModelError
        If none of 10,000 draws is.
    """
    design = experiment.design
    for _ in range(MOST_ATTEMPTS):
        values = draw_parameters(design, experiment.priors, len(experiment.levels), rng)
        eta = linear_predictor(design, values)
        levels = overall(experiment.family, values, eta)
        if experiment.inside(levels)[0]:
            return Truth(values, eta, levels)
    message = f"none of {MOST_ATTEMPTS} draws from the priors lies in the declared region of overall levels"
    raise ModelError(Problem("priors", message, "narrow the priors of intercept or cutpoints", "model"))
