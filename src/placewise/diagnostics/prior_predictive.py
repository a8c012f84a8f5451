"""What the priors say of areas before any answer, beside what the posterior says of the same areas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from placewise.diagnostics.convergence import Check, Verdict
from placewise.estimates.predictor import Estimand

# Of the largest variance that areas could have at their mean, the share beyond which no outcome is known: in the output
# areas of England and Wales in 2021 the most divided facts reach .32 (white) and .29 (socially rented).
LARGEST_SHARE = 1.0 / 3.0
# of a count: sd over mean
LARGEST_VARIATION = 2.0
# weight that the prior may put beyond, and how far out in the prior the posterior may lie
MOST_BEYOND, OUTER = 0.1, 0.01
RANGE = (0.05, 0.5, 0.95)
# of persons on the scale of the model: of a scale's trait as it is identified, else of a logistic trait
TRAIT_VARIANCE, LOGISTIC_VARIANCE = 1.0, np.pi**2 / 3.0


@dataclass(frozen=True, eq=False)
class AreaFigures:
    """What a set of draws says of some areas.

    Parameters
    ----------
    national : ndarray of float64, shape (S,)
        Their mean, by population.
    spread : ndarray of float64, shape (S,)
        Their sd, by population.
    values : ndarray of float32, shape (B, S)
        Each area's own figure.
    """

    national: np.ndarray
    spread: np.ndarray
    values: np.ndarray


def area_figures(values: np.ndarray, population: np.ndarray) -> AreaFigures:
    """Mean and sd of areas in each draw.

    Parameters
    ----------
    values : ndarray of float, shape (B, S)
    population : ndarray of float64, shape (B,)

    Returns
    -------
    AreaFigures
        A draw whose values are beyond what numbers hold has an infinite spread.
    """
    weight = population / population.sum()
    with np.errstate(invalid="ignore", over="ignore"):
        mean = weight @ values
        spread = np.sqrt(weight @ (values - mean) ** 2)
    return AreaFigures(mean, np.where(np.isfinite(spread), spread, np.inf), values)


def largest_plausible(estimand: Estimand, family: str, figures: AreaFigures) -> np.ndarray | None:
    """The sd between areas in each draw beyond which none is plausible, shape (S,).

    Of figures between two ends: the root of a third of the largest variance there could be at their mean, (m − l)(u −
    m), which for a share is the variance of a person. Of a gaussian outcome: areas make up a third of the variance of
    persons. Of counts: twice the mean. On the scale of the model: areas make up a third of the variance of the trait,
    that of persons being 1 for a scale and π²/3, the logistic distribution's, for answers to one question.

    Returns
    -------
    ndarray or None
        None where nothing says how much persons differ: known variances, latent figures of counts.
    """
    if estimand.kind == "latent" and family not in ("gaussian", "poisson"):
        share = LARGEST_SHARE / (1.0 - LARGEST_SHARE)
        of_persons = TRAIT_VARIANCE if family == "graded_response" else LOGISTIC_VARIANCE
        return np.full(len(figures.spread), np.sqrt(share * of_persons))
    if estimand.link == "logit":
        room = (figures.national - estimand.lower) * (estimand.upper - figures.national)
        return np.asarray(np.sqrt(LARGEST_SHARE * np.maximum(room, 0.0)))
    if estimand.link == "log":
        return LARGEST_VARIATION * figures.national
    if estimand.sigma is None:
        return None
    return np.asarray(estimand.sigma * np.sqrt(LARGEST_SHARE / (1.0 - LARGEST_SHARE)))


def compare_with_prior(prior: AreaFigures, posterior: AreaFigures, largest: np.ndarray | None) -> dict[str, Any]:
    """Prior and posterior side by side, as JSON values.

    Parameters
    ----------
    prior, posterior : AreaFigures
        Of the same areas.
    largest : ndarray or None
        From `largest_plausible`, of the prior's draws.

    Returns
    -------
    dict
        ``draws``, ``areas``; ``national``, ``spread`` and ``figures`` (of one area), each with ``prior`` and
        ``posterior``: the 5%, 50% and 95% points, null where they are beyond what numbers hold; for the first two
        ``tail``, the prior's probability of being as far out as the posterior's median; ``beyond``, the prior's weight
        on a spread that is implausible, or null.
    """
    areas, draws = prior.values.shape
    told: dict[str, Any] = {"draws": draws, "areas": areas}
    for name, before, after in (
        ("national", prior.national, posterior.national),
        ("spread", prior.spread, posterior.spread),
    ):
        middle = float(np.median(after))
        tail = 2.0 * min(float(np.mean(before <= middle)), float(np.mean(before >= middle)))
        told[name] = {"prior": _range(before), "posterior": _range(after), "tail": min(tail, 1.0)}
    told["figures"] = {"prior": _range(prior.values), "posterior": _range(posterior.values)}
    # an infinite spread is no more plausible than the largest
    told["beyond"] = None if largest is None else float(np.mean(np.isinf(prior.spread) | (prior.spread > largest)))
    return told


def _range(draws: np.ndarray) -> list[float | None]:
    # a quantile between two infinities is none
    with np.errstate(invalid="ignore"):
        ends = np.quantile(np.asarray(draws, dtype=np.float64), RANGE, method="inverted_cdf")
    return [float(end) if np.isfinite(end) else None for end in ends]


def prior_checks(told: Mapping[str, Any]) -> list[Check]:
    """Whether the priors are wide enough for the posterior, and no wider than anything known; none where improper."""
    if "improper" in told:
        return []
    found = []
    if told["beyond"] is not None:
        wide: Verdict = "warn" if told["beyond"] > MOST_BEYOND else "pass"
        sentence = (
            f"Before any answer the priors put {told['beyond']:.1%} of their weight on small areas that differ more "
            f"than in any outcome known{': they are too wide' if wide == 'warn' else ''}."
        )
        found.append(Check("prior: spread", told["beyond"], MOST_BEYOND, wide, sentence))
    tails = {"the national figure": told["national"]["tail"], "how much small areas differ": told["spread"]["tail"]}
    where = min(tails, key=lambda name: tails[name])
    far = tails[where] < OUTER
    sentence = (
        f"The answers put {where} where the priors hardly expected it: far out in one of their tails."
        if far
        else "What the answers say of the nation and of how much small areas differ is within what the priors expected."
    )
    found.append(Check("prior: conflict", tails[where], OUTER, "warn" if far else "pass", sentence))
    return found
