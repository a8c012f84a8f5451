"""Log likelihood of each respondent's answer, given the linear predictor."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from placewise.models.fit import Posterior
from placewise.surveys.outcome import Response


def log_likelihood(
    response: Response, family: str, eta: np.ndarray, posterior: Posterior, chosen: np.ndarray, specific: np.ndarray
) -> np.ndarray:
    """Log likelihood of n answers in some draws.

    Parameters
    ----------
    response : Response
    family : str
    eta : ndarray of float64, shape (D, n)
        Linear predictor in the draws chosen.
    posterior : Posterior
        Cutpoints, deviations and residual sd.
    chosen : ndarray of int, shape (D,)
        Which draws.
    specific : ndarray of float64, shape (n, q)
        Columns whose slope differs by cutpoint.

    Returns
    -------
    ndarray of float64, shape (D, n)
    """
    y = np.asarray(response.y, dtype=np.float64)
    if family == "gaussian":
        known = response.variance
        variance = posterior.draws("sigma")[chosen, None] ** 2 if known is None else np.asarray(known)[None]
        return np.asarray(-0.5 * ((y - eta) ** 2 / variance + np.log(2.0 * np.pi * variance)))
    if family in ("bernoulli", "binomial"):
        trials = 1.0 if response.trials is None else np.asarray(response.trials, dtype=np.float64)
        return np.asarray(y * eta - trials * np.logaddexp(0.0, eta))
    if family == "poisson":
        exposure = 1.0 if response.exposure is None else np.asarray(response.exposure, dtype=np.float64)
        return np.asarray(y * (eta + np.log(exposure)) - exposure * np.exp(eta) - gammaln(y + 1.0))
    return _ordered(y.astype(np.int64), eta, posterior, chosen, specific)


def _ordered(
    category: np.ndarray, eta: np.ndarray, posterior: Posterior, chosen: np.ndarray, specific: np.ndarray
) -> np.ndarray:
    """log(F(upper) − F(lower)), F the logistic function, as log F(u) + log F(−l) + log(1 − e^(l − u))."""
    cuts = posterior.draws("cutpoints")[chosen]
    inner = cuts.shape[1]
    upper, lower = np.full(eta.shape, np.inf), np.full(eta.shape, -np.inf)
    has_upper, has_lower = category < inner, category > 0
    upper[:, has_upper] = cuts[:, category[has_upper]]
    lower[:, has_lower] = cuts[:, category[has_lower] - 1]
    if specific.shape[1]:
        deviations = posterior.draws("slope_deviations")[chosen]  # (D, q, cuts)
        for k in range(inner):
            own = deviations[:, :, k] @ specific.T
            upper[:, category == k] -= own[:, category == k]
            lower[:, category == k + 1] -= own[:, category == k + 1]
    gap = np.where(has_upper & has_lower, lower - upper, -np.inf)
    return np.asarray(
        -np.logaddexp(0.0, -(upper - eta)) - np.logaddexp(0.0, lower - eta) + np.log1p(-np.exp(np.minimum(gap, -1e-12)))
    )
