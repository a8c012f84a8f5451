"""Log likelihood of each respondent's answer, given the linear predictor."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from placewise.models.fit import Posterior
from placewise.models.measured import log_likelihood as instruments_log_likelihood
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
        Linear predictor in the draws chosen; where there are instruments, the mean of the trait.
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
    if response.instruments is not None:
        return instruments_log_likelihood(response.instruments, posterior, chosen, eta)
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
    cuts = posterior.draws("cutpoints")[chosen]
    own = posterior.draws("slope_deviations")[chosen] if specific.shape[1] else None
    return ordered(y.astype(np.int64), eta, cuts, specific, own)


def averaged_log_likelihood(
    response: Response,
    family: str,
    eta: np.ndarray,
    posterior: Posterior,
    chosen: np.ndarray,
    specific: np.ndarray,
    inside: np.ndarray | None,
) -> np.ndarray:
    """Log likelihood of n answers whose chances are averaged over areas, (D, n).

    The mean over areas is that of an sd more and an sd less, to third order. Of trials each is averaged by itself.

    Parameters
    ----------
    response, family, eta, posterior, chosen, specific
        As in `log_likelihood`.
    inside : ndarray of float64, shape (n,), or None
        Sd of the linear predictor over the areas in which each respondent may live; None where it is one area.
    """
    if inside is None:
        return log_likelihood(response, family, eta, posterior, chosen, specific)
    if family == "cumulative":
        more, less = (
            log_likelihood(response, family, eta + by, posterior, chosen, specific) for by in (inside, -inside)
        )
        return np.asarray(np.logaddexp(more, less) - np.log(2.0))
    y = np.asarray(response.y, dtype=np.float64)
    trials = 1.0 if response.trials is None else np.asarray(response.trials, dtype=np.float64)
    # log F(t) = −log(1 + e^−t), F the logistic function
    yes, no = (
        np.logaddexp(-np.logaddexp(0.0, -(t + inside)), -np.logaddexp(0.0, -(t - inside))) - np.log(2.0)
        for t in (eta, -eta)
    )
    return np.asarray(y * yes + (trials - y) * no)


def ordered(
    category: np.ndarray,
    eta: np.ndarray,
    cuts: np.ndarray,
    specific: np.ndarray | None = None,
    deviations: np.ndarray | None = None,
) -> np.ndarray:
    """log(F(upper) − F(lower)), F the logistic function, as log F(u) + log F(−l) + log(1 − e^(l − u)).

    Parameters
    ----------
    category : ndarray of int64, shape (n,)
    eta : ndarray of float64, shape (D, n)
    cuts : ndarray of float64, shape (D, K − 1)
    specific : ndarray of float64, shape (n, q), optional
        Columns whose slope differs by cutpoint.
    deviations : ndarray of float64, shape (D, q, K − 1), optional
        By how much.
    """
    inner = cuts.shape[1]
    upper, lower = np.full(eta.shape, np.inf), np.full(eta.shape, -np.inf)
    has_upper, has_lower = category < inner, category > 0
    upper[:, has_upper] = cuts[:, category[has_upper]]
    lower[:, has_lower] = cuts[:, category[has_lower] - 1]
    if specific is not None and deviations is not None:
        for k in range(inner):
            own = deviations[:, :, k] @ specific.T
            upper[:, category == k] -= own[:, category == k]
            lower[:, category == k + 1] -= own[:, category == k + 1]
    gap = np.where(has_upper & has_lower, lower - upper, -np.inf)
    return np.asarray(
        -np.logaddexp(0.0, -(upper - eta)) - np.logaddexp(0.0, lower - eta) + np.log1p(-np.exp(np.minimum(gap, -1e-12)))
    )
