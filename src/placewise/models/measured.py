"""What a posterior says of answers to the items of a scale, or to the questions of several surveys.

P(y > k) = logit⁻¹(a_m t − c_mk), t = μ + z in a scale, z ~ normal(0, 1) the person's own part, which is integrated out;
else t = μ and a_m = 1 (``placewise.surveys.instruments.Instruments``).
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from placewise.kernels.graded_pointwise import answer_means, person_log_likelihood
from placewise.models.fit import Posterior
from placewise.surveys.instruments import Instruments


def scale_of_respondents(instruments: Instruments, posterior: Posterior, chosen: np.ndarray) -> np.ndarray | float:
    """λ of each respondent's survey in some draws, (D, n); 1 where there is one survey.

    Parameters
    ----------
    instruments : Instruments
    posterior : Posterior
    chosen : ndarray of int, shape (D,)
        Which draws.
    """
    if not posterior.has("survey_scale"):
        return 1.0
    others = posterior.draws("survey_scale")[chosen]
    return np.asarray(np.column_stack([np.ones(len(chosen)), others])[:, instruments.survey])


def answer_moments(
    instruments: Instruments, item: int, posterior: Posterior, chosen: np.ndarray, mu: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of one answer, categories scored 1..K.

    Parameters
    ----------
    instruments : Instruments
    item : int
        Which instrument.
    posterior : Posterior
    chosen : ndarray of int, shape (D,)
        Which draws.
    mu : ndarray of float64, shape (D, r)
        Mean of the trait of those who answered.

    Returns
    -------
    mean, variance : ndarray of float64, shape (D, r)
    """
    first, last = instruments.cuts[item], instruments.cuts[item + 1]
    cuts = np.ascontiguousarray(posterior.draws("cutpoints")[chosen, first:last])
    if instruments.scale:
        mean, square = answer_means(cuts, posterior.draws("discrimination")[chosen, item], mu)
        return mean, square - mean**2
    mean, square = np.ones(mu.shape), np.ones(mu.shape)
    for k in range(last - first):
        above = expit(mu - cuts[:, k, None])
        mean += above
        square += (2.0 * k + 3.0) * above
    return mean, square - mean**2


def log_likelihood(instruments: Instruments, posterior: Posterior, chosen: np.ndarray, mu: np.ndarray) -> np.ndarray:
    """Log likelihood of each respondent's answers in some draws.

    Parameters
    ----------
    instruments : Instruments
    posterior : Posterior
    chosen : ndarray of int, shape (D,)
        Which draws.
    mu : ndarray of float64, shape (D, n)
        Mean of each respondent's trait.

    Returns
    -------
    ndarray of float64, shape (D, n)
    """
    cutpoints = posterior.draws("cutpoints")[chosen]
    if instruments.scale:
        slopes = posterior.draws("discrimination")[chosen]
        found = person_log_likelihood(instruments.answers, instruments.cuts, cutpoints, slopes, mu)
        return np.asarray(found)
    from placewise.models.pointwise import ordered

    total = np.zeros(mu.shape)
    for m in range(len(instruments.names)):
        rows = np.flatnonzero(instruments.answers[:, m] >= 0)
        own = cutpoints[:, instruments.cuts[m] : instruments.cuts[m + 1]]
        total[:, rows] += ordered(instruments.answers[rows, m].astype(np.int64), mu[:, rows], own)
    return total
