"""Answers simulated from a truth, and how likely draws of the parameters make them."""

from __future__ import annotations

import numpy as np
from scipy import special

from placewise.diagnostics.calibration.experiment import Experiment, Truth
from placewise.diagnostics.calibration.parameters import Values
from placewise.surveys.outcome import Response


def draw_answers(experiment: Experiment, truth: Truth, rng: np.random.Generator) -> Response:
    """Answers of all respondents for one truth."""
    mean, trials, exposure, variance = truth.eta[0], experiment.trials, experiment.exposure, experiment.variance
    match experiment.family:
        case "bernoulli":
            y = (rng.random(mean.size) < special.expit(mean)).astype(np.float64)
        case "binomial":
            assert trials is not None
            y = rng.binomial(trials.astype(np.int64), special.expit(mean)).astype(np.float64)
        case "poisson":
            y = rng.poisson(np.exp(mean) * (1.0 if exposure is None else exposure)).astype(np.float64)
        case "gaussian":
            y = rng.normal(mean, truth.values["sigma"][0] if variance is None else np.sqrt(variance))
        case "cumulative":
            latent = mean + rng.logistic(size=mean.size)
            y = np.searchsorted(truth.values["cutpoints"][0], latent).astype(np.int64)
        case family:
            raise ValueError(f"answers of the family {family!r} cannot be simulated")
    return Response(y, np.ones(mean.size, dtype=bool), experiment.levels, trials, exposure, variance)


def log_likelihood(experiment: Experiment, values: Values, eta: np.ndarray, response: Response) -> np.ndarray:
    """Log likelihood of each draw, up to a constant of the answers alone.

    Parameters
    ----------
    values : mapping of str to ndarray
        S draws; cutpoints and sigma are looked at.
    eta : ndarray of float64, shape (S, n)
        Linear predictor of the respondents.

    Returns
    -------
    ndarray of float64, shape (S,)
    """
    y, trials, exposure, variance = response.y, response.trials, response.exposure, response.variance
    match experiment.family:
        case "bernoulli":
            return np.asarray(special.log_expit(np.where(y > 0, eta, -eta)).sum(axis=1))
        case "binomial":
            assert trials is not None
            return np.asarray((y * eta + trials * special.log_expit(-eta)).sum(axis=1))
        case "poisson":
            return np.asarray((y * eta - np.exp(eta) * (1.0 if exposure is None else exposure)).sum(axis=1))
        case "gaussian":
            spread = values["sigma"][:, None] ** 2 if variance is None else variance
            return np.asarray((-0.5 * (y - eta) ** 2 / spread - 0.5 * np.log(spread)).sum(axis=1))
        case "cumulative":
            return _ordered(y, values["cutpoints"], eta)
    raise ValueError(f"the family {experiment.family!r} has no log likelihood here")


def _ordered(y: np.ndarray, cutpoints: np.ndarray, eta: np.ndarray) -> np.ndarray:
    draws = len(eta)
    cuts = np.column_stack([np.full(draws, -np.inf), cutpoints, np.full(draws, np.inf)])
    lower, upper = cuts[:, y] - eta, cuts[:, y + 1] - eta
    # the difference of two distribution functions is taken in the left tail, where neither is near 1
    flip = lower > 0.0
    left, right = np.where(flip, -upper, lower), np.where(flip, -lower, upper)
    return np.asarray(np.log(special.expit(right) - special.expit(left)).sum(axis=1))
