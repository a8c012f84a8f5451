"""Where a second survey says other than the reference: place by place, beside what the model expects.

Of each place, the second survey's answers have a departure ŵ that fits them best, given all other parameters; it moves
from draw to draw with what the model takes the place to be, which is v = Var ŵ, and by itself it is uncertain by 1/h, h
the information of those answers. With a = 1/h + τ² the variance of the survey about the model, the place is told by
everything else with variance q = 1 / (1/v − 1/a), so that the two surveys differ by d = mean ŵ · (a + q) / a, with
variance q + 1/h: the prior of the departure, and the pull of these answers on what the model says of the place, are
taken out. Under the model d ~ normal(0, q + 1/h + τ²).

The posterior of the departure itself tells the same only where τ² is not small beside 1/h: what the draws leave of it
after its prior's precision is taken off is otherwise noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from placewise.diagnostics.convergence import Check

# false discovery rate of the places that are named; significance of the test of all together
FALSE_DISCOVERIES, DISAGREE = 0.1, 0.01
# of the variance a: beyond it the draws cannot tell what other answers say of the place
MOST_PULLED = 0.9
MOST_NAMED = 5


@dataclass(frozen=True, eq=False)
class Contrast:
    """How far a survey lies from the reference in each of G places, on its own scale of the trait.

    Parameters
    ----------
    difference, se : ndarray of float64, shape (G,)
        From the middle one of all, so that a few places apart do not make the others seem so; NaN where nothing but
        the survey itself tells of the place.
    z, p : ndarray of float64, shape (G,)
        Difference over its standard deviation under the model, departures of sd τ among it, and two-sided probability.
    agreement : float
        Probability, if the surveys agreed everywhere, of differences as large together.
    statistic, degrees : float
        Sum of (difference / se)², and the degrees of freedom it is worth: differences share what is uncertain in all
        places, such as the survey's own cutpoints.
    """

    difference: np.ndarray
    se: np.ndarray
    z: np.ndarray
    p: np.ndarray
    agreement: float
    statistic: float
    degrees: float

    @property
    def beyond(self) -> np.ndarray:
        """Places that differ by more than the model expects, one in ten of them by chance; positions, largest first."""
        return _discovered(self.z)

    @property
    def apart(self) -> np.ndarray:
        """Places that differ by more than chance in who was asked, expected by the model or not; likewise."""
        return _discovered(self.difference / self.se)


def discoveries(p: np.ndarray, rate: float) -> np.ndarray:
    """Which hypotheses are rejected with that false discovery rate (Benjamini and Hochberg 1995); bool."""
    order = np.argsort(p, kind="stable")
    below = np.flatnonzero(p[order] <= rate * np.arange(1, len(p) + 1) / max(len(p), 1))
    found = np.zeros(len(p), dtype=bool)
    found[order[: below[-1] + 1 if len(below) else 0]] = True
    return found


def _discovered(z: np.ndarray) -> np.ndarray:
    """Positions of the standardised differences that are not 0, one in ten of them by chance, largest first."""
    known = np.flatnonzero(np.isfinite(z))
    found = known[discoveries(2.0 * stats.norm.sf(np.abs(z[known])), FALSE_DISCOVERIES)]
    return np.asarray(found[np.argsort(-np.abs(z[found]), kind="stable")])


def best_departures(
    effect: np.ndarray, below: np.ndarray, at: np.ndarray, above: np.ndarray, step: float
) -> tuple[np.ndarray, np.ndarray]:
    """The departure that fits a survey's answers in each place best, given the other parameters of each draw.

    Parameters
    ----------
    effect : ndarray of float64, shape (S, G)
        Draws of the departures.
    below, at, above : ndarray of float64, shape (S, G)
        Log likelihood of the place's answers with departures ``effect − step``, ``effect`` and ``effect + step``.
    step : float

    Returns
    -------
    best : ndarray of float64, shape (S, G)
        One step of Newton's method from each draw.
    information : ndarray of float64, shape (G,)
        h, mean over draws.
    """
    slope = (above - below) / (2.0 * step)
    information = ((2.0 * at - above - below) / step**2).mean(axis=0)
    positive = np.where(information > 0, information, np.nan)
    return effect + slope / positive, positive


def contrast_surveys(best: np.ndarray, information: np.ndarray, tau: np.ndarray) -> Contrast:
    """Differences of two surveys.

    Parameters
    ----------
    best : ndarray of float64, shape (S, G)
    information : ndarray of float64, shape (G,)
        From `best_departures`.
    tau : ndarray of float64, shape (S,)
        Posterior draws of the departures' sd.
    """
    own = 1.0 / information
    about = own + float(np.mean(tau**2))
    covariance = np.atleast_2d(np.cov(best, rowvar=False))
    pulled = np.diagonal(covariance)
    with np.errstate(divide="ignore", invalid="ignore"):
        told = 1.0 / (1.0 / pulled - 1.0 / about)
    told = np.where(pulled < MOST_PULLED * about, told, np.nan)
    difference = best.mean(axis=0) * (about + told) / about
    variance = told + own
    known = np.isfinite(difference)
    statistic, degrees, agreement = _together(
        (difference / np.sqrt(variance))[known], covariance[np.ix_(known, known)], about[known], len(best)
    )
    difference = difference - _middle(difference[known], 1.0 / (told + about)[known])
    z = difference / np.sqrt(told + about)
    return Contrast(difference, np.sqrt(variance), z, 2.0 * stats.norm.sf(np.abs(z)), agreement, statistic, degrees)


def _middle(values: np.ndarray, weight: np.ndarray) -> float:
    """Weighted median; 0 of nothing."""
    if not len(values):
        return 0.0
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order]) / weight.sum()
    return float(values[order[np.searchsorted(reached, 0.5)]])


def _together(each: np.ndarray, covariance: np.ndarray, about: np.ndarray, draws: int) -> tuple[float, float, float]:
    """Sum of squares, its degrees of freedom and its tail, by the first two moments (Satterthwaite).

    The differences' correlations are those of the residuals, whose covariance is diag(a) − Cov ŵ. What the finite
    number of draws adds to squares of covariances is taken off.
    """
    count = len(each)
    if not count:
        return 0.0, 0.0, 1.0
    pulled = np.diagonal(covariance)
    rest = np.sqrt(about - pulled)
    square = (covariance / np.outer(rest, rest)) ** 2 - np.outer(pulled, pulled) / np.outer(rest, rest) ** 2 / draws
    np.fill_diagonal(square, 0.0)
    second = count + max(float(square.sum()), 0.0)
    statistic, degrees = float(each @ each), count**2 / second
    return statistic, degrees, float(stats.chi2.sf(statistic * degrees / count, degrees))


def conflict_check(survey: str, told: Mapping[str, Any]) -> Check:
    """Whether a survey departs from the reference in more places than the model expects.

    Parameters
    ----------
    survey : str
    told : mapping
        ``reference``, ``compared``, ``apart`` and ``beyond`` (codes), ``agreement`` with its ``p``.
    """
    beyond, apart = list(told["beyond"]), len(told["apart"])
    together = "more" if told["agreement"]["p"] < DISAGREE else "no more"
    sentence = (
        f"Over {told['compared']} areas together the surveys {survey} and {told['reference']} differ by {together} "
        "than chance"
    )
    if apart or beyond:
        stand = "stands" if apart == 1 else "stand"
        sentence += (
            f"; looked at one by one, {apart} of them {stand} out from chance and {len(beyond)} from what the model "
            "allows: see the report before their figures are used"
        )
    where = tuple(beyond[:MOST_NAMED])
    return Check(f"surveys: {survey}", float(len(beyond)), 0.0, "warn" if beyond else "pass", f"{sentence}.", where)
