"""What respondents answered, group by group, beside what the fitted model would have them answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit

from placewise.diagnostics.checks import PredictiveCheck, group_means, predictive_check
from placewise.estimates.predictor import Estimand
from placewise.models.averaging import sd_inside
from placewise.models.design import Design
from placewise.models.fit import Posterior
from placewise.models.measured import answer_moments, scale_of_respondents
from placewise.models.predict import build_estimand
from placewise.models.spec import ModelSpec
from placewise.pipeline.answers import values_of
from placewise.pipeline.load import OutcomeData
from placewise.surveys.instruments import Instruments

# Replicates need no more draws than this, and fewer where respondents × draws would not fit in memory at once.
MOST_DRAWS = 400
LEAST_DRAWS = 50
MOST_VALUES = 8_000_000
MOST_GROUPS = 40


def predictive_checks(
    model: ModelSpec, data: OutcomeData, posterior: Posterior, seed: int
) -> tuple[PredictiveCheck, ...]:
    """Checks by the coarsest level, the coarsest class and the frame's text columns.

    Empty where an answer is not one value of the estimand: counts of trials or events, known variances, latent scores.
    Answers to several questions are checked question by question, whatever the estimand.
    """
    if data.response.instruments is not None:
        return _of_instruments(data, data.response.instruments, posterior, seed)
    estimand = model.outcome.estimands[0]
    values = values_of(data, estimand)
    if values is None or data.response.trials is not None or model.outcome.family == "poisson":
        return ()
    found = build_estimand(estimand, model.outcome, posterior)
    chosen = _some_draws(posterior, len(values))
    specific = data.design.matrix[:, list(data.design.category_specific)]
    eta, inside = linear_predictor(data.design, posterior, chosen), sd_of_homes(data.design, posterior)
    fitted, second = _expected(found, eta, chosen, specific, inside)
    variance = None if found.kind == "share" else second
    return tuple(
        _check(name, codes, values, fitted, variance, seed)
        for name, codes in _groupings(data).items()
        if 2 <= len(pd.unique(codes)) <= MOST_GROUPS
    )


def _some_draws(posterior: Posterior, n: int) -> np.ndarray:
    """Draws spread evenly, fewer the more respondents there are."""
    wanted = min(MOST_DRAWS, max(LEAST_DRAWS, MOST_VALUES // n))
    return np.unique(np.linspace(0, posterior.n_draws - 1, wanted).astype(int))


def _of_instruments(
    data: OutcomeData, instruments: Instruments, posterior: Posterior, seed: int
) -> tuple[PredictiveCheck, ...]:
    """Checks of the mean answer to each question, categories scored 1..K; by survey too where several ask it."""
    chosen = _some_draws(posterior, len(instruments.answers))
    mu = linear_predictor(data.design, posterior, chosen, instruments)
    groupings = _groupings(data)
    if len(instruments.surveys) > 1:
        groupings["survey"] = np.array(instruments.surveys, dtype=object)[instruments.survey]
    found = []
    for m, name in enumerate(instruments.names):
        rows = np.flatnonzero(instruments.answers[:, m] >= 0)
        mean, variance = answer_moments(instruments, m, posterior, chosen, mu[:, rows])
        scores = instruments.answers[rows, m] + 1.0
        found += [
            _check(grouping, codes[rows], scores, mean, variance, seed, name)
            for grouping, codes in groupings.items()
            if 2 <= pd.Series(codes[rows]).nunique() <= MOST_GROUPS
        ]
    return tuple(found)


def linear_predictor(
    design: Design, posterior: Posterior, chosen: np.ndarray, instruments: Instruments | None = None
) -> np.ndarray:
    """η of the respondents; where there are instruments, the mean of the trait λ_s η + w.

    Parameters
    ----------
    chosen : ndarray of int
        Draws wanted.
    instruments : Instruments, optional
        Of which survey each respondent is.

    Returns
    -------
    ndarray of float64, shape (draws, n)
    """
    eta = np.zeros((len(chosen), design.n))
    if posterior.has("intercept"):
        eta += posterior.draws("intercept")[chosen, None]
    if design.columns:
        eta += posterior.draws("slopes")[chosen] @ design.matrix.T
    own = np.zeros_like(eta)
    for group in design.groups:
        times = 1.0 if group.by is None else group.by.values
        effects = times * group.of_respondents(posterior.draws(f"effect_{group.name}")[chosen])
        if group.survey:
            own += effects
        else:
            eta += effects
    return eta if instruments is None else scale_of_respondents(instruments, posterior, chosen) * eta + own


def sd_of_homes(design: Design, posterior: Posterior) -> np.ndarray | None:
    """Sd of η over the areas in which each respondent may live, at posterior means; None where none is averaged."""
    if design.link is None or design.link.places is None:
        return None
    return sd_inside(design, posterior.draws("slopes").mean(axis=0), posterior.draws(f"sd_{design.link.area}").mean())


def _expected(
    estimand: Estimand, eta: np.ndarray, chosen: np.ndarray, specific: np.ndarray, inside: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Expected value of one answer and its variance, each (draws, n).

    Columns ``specific`` are (n, q). Where η differs between a respondent's possible homes with sd ``inside``, the mean
    over these is that of an sd more and an sd less, to third order.
    """
    if estimand.link == "identity":
        sigma = np.zeros(len(chosen)) if estimand.sigma is None else estimand.sigma[chosen]
        return eta, np.broadcast_to(sigma[:, None] ** 2, eta.shape)
    mean = np.full(eta.shape, estimand.constant)
    square = np.full(eta.shape, estimand.constant2)
    for j, cuts in enumerate(estimand.cuts):
        # of respondents the likelihood keeps the cutpoints in order as far as they answered
        own = 0.0 if estimand.deviations is None else estimand.deviations[j][:, chosen].T @ specific.T
        t = cuts[chosen][:, None] - own - eta
        below = expit(t) if inside is None else 0.5 * (expit(t - inside) + expit(t + inside))
        mean += estimand.weights[j] * below
        if len(estimand.weights2):
            square += estimand.weights2[j] * below
    return mean, mean * (1.0 - mean) if estimand.kind == "share" else square - mean**2


def _groupings(data: OutcomeData) -> dict[str, np.ndarray]:
    """Columns by which answers are compared, the code of each respondent."""
    table = data.areas.table
    coarsest = [*data.areas.levels[-1:], *sorted(data.areas.classes, key=lambda c: table[c].nunique())[:1]]
    found = {name: codes for name in coarsest if (codes := data.codes_of(name)) is not None}
    people = data.respondents.table
    for name in data.frame.cells.columns if data.frame is not None else ():
        if name in people and not pd.api.types.is_numeric_dtype(people[name]):
            found[str(name)] = people[name].to_numpy(dtype=object)
    return found


def _check(
    name: str,
    codes: np.ndarray,
    values: np.ndarray,
    fitted: np.ndarray,
    variance: np.ndarray | None,
    seed: int,
    item: str = "",
) -> PredictiveCheck:
    labels, n, observed = group_means(values, codes)
    spread = None if variance is None else group_means(variance, codes)[2]
    replicated = group_means(fitted, codes)[2]
    return predictive_check(name, labels, n, observed, replicated, seed=seed, variance=spread, item=item)
