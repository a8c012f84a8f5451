"""People who answer for several outcomes: how their answers go together beyond what places and groups explain.

The score s of an answer, the slope of its log likelihood in η, is what is left of it once the model is known; its
variance is the information w. Where the same person answers for two outcomes, E[s s'] = ρ √(w w'). The linear terms b
of the two outcomes' integrated likelihoods, sums of scores over the same people, then vary together, and unless that is
known, what people have in common is taken for what their places have in common.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from placewise.models.averaging import sd_inside
from placewise.models.design import Design
from placewise.models.fit import Posterior
from placewise.models.joint.information import Information
from placewise.models.pointwise import averaged_log_likelihood
from placewise.surveys.outcome import Response

# draws over which scores are averaged, and the step of their differences
DRAWS, STEP = 20, 1e-3
# respondents at a time, and the least eigenvalue of the scores' correlations over outcomes
ROWS, LEAST = 4096, 0.05
# eigenvalues of an information below this share of the largest say nothing
NOTHING = 1e-9
Z90 = 1.6448536269514722


@dataclass(frozen=True, eq=False, repr=False)
class Scores:
    """Scores of one outcome's answers.

    Parameters
    ----------
    score, information : ndarray, shape (n,)
        s and w, averaged over draws; of several surveys in the mean of the trait, λη and what is the survey's own.
    scale : ndarray, shape (n,)
        λ of each respondent's survey, 1 where there is one.
    cutpoints : ndarray, shape (n, C), or None
        Share of each of the model's cutpoints among those of the questions that a respondent answered; None: all alike.
    """

    score: np.ndarray
    information: np.ndarray
    scale: np.ndarray
    cutpoints: np.ndarray | None = None


@dataclass(frozen=True)
class PersonCorrelation:
    """Correlation of the scores of those who answer for two outcomes.

    Parameters
    ----------
    first, second : int
        Numbers of the outcomes.
    people : int
        Answers that the two share.
    value, lower, upper : float
        The correlation and its 90% interval.
    """

    first: int
    second: int
    people: int
    value: float
    lower: float
    upper: float


def scores_of(design: Design, response: Response, family: str, posterior: Posterior) -> Scores:
    """Scores of each answer at some of the posterior's draws.

    Where the likelihood is averaged over the areas in which a respondent may live, so is that of which these are the
    slopes, as η of all these areas moves alike.
    """
    chosen = np.unique(np.linspace(0, posterior.n_draws - 1, DRAWS).astype(int))
    specific = design.matrix[:, list(design.category_specific)]
    scale, every = _scales(design, response, posterior), np.arange(design.n)
    score, information = np.zeros(design.n), np.zeros(design.n)
    for s in chosen:
        one = np.array([s])
        values = {name: posterior.draws(name)[one] for name in _parts(design) if posterior.has(name)}
        eta = predictors(design, values, every, scale)
        inside = _sd_inside(design, values, posterior, s)
        up, here, down = (
            averaged_log_likelihood(response, family, eta + by, posterior, one, specific, inside)[0]
            for by in (STEP, 0.0, -STEP)
        )
        score += (up - down) / (2.0 * STEP)
        information += np.maximum(2.0 * here - up - down, 0.0) / STEP**2
    return Scores(score / len(chosen), information / len(chosen), scale, shares_of_cutpoints(response))


def shares_of_cutpoints(response: Response) -> np.ndarray | None:
    """Share of each cutpoint among those of the questions that each respondent answered, (n, C); None for one question.

    Each survey's and each item's cutpoints move by themselves, and only those of one's own questions say what an answer
    tells: where everyone's η and those cutpoints rise alike, it is as likely as before.
    """
    if response.instruments is None:
        return None
    asked = np.repeat(response.instruments.answers >= 0, np.diff(response.instruments.cuts), axis=1)
    return np.asarray(asked / asked.sum(axis=1, keepdims=True))


def _sd_inside(design: Design, values: Mapping[str, np.ndarray], posterior: Posterior, s: int) -> np.ndarray | None:
    """Sd of η over the areas in which each respondent may live, in one draw; None where nothing is averaged."""
    if design.link is None or design.link.places is None:
        return None
    slopes = values["slopes"][0] if "slopes" in values else np.empty(0)
    return sd_inside(design, slopes, float(posterior.draws(f"sd_{design.link.area}")[s]))


def _scales(design: Design, response: Response, posterior: Posterior) -> np.ndarray:
    """λ of each respondent's survey, its posterior mean."""
    if response.instruments is None or not posterior.has("survey_scale"):
        return np.ones(design.n)
    by_survey = np.concatenate([[1.0], posterior.draws("survey_scale").mean(axis=0)])
    return np.asarray(by_survey[response.instruments.survey])


def _parts(design: Design) -> list[str]:
    """Variables of the posterior that make up η."""
    return ["intercept", "slopes", *(f"effect_{g.name}" for g in design.groups)]


def predictors(design: Design, values: Mapping[str, np.ndarray], rows: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """What some respondents' η is made up of, thresholds apart; of several surveys the mean of the trait.

    Parameters
    ----------
    values : mapping of str to ndarray, shape (R, ...)
        Of ``intercept``, ``slopes``, ``effect_<group>``, as far as there are.
    rows : ndarray of int64, shape (m,)
    scale : ndarray, shape (m,)
        By which all but a survey's own effects count.

    Returns
    -------
    ndarray, shape (R, m)
    """
    count = len(next(iter(values.values())))
    eta = np.zeros((count, len(rows)))
    if "intercept" in values:
        eta += values["intercept"][:, None]
    if design.columns and "slopes" in values:
        eta += values["slopes"] @ design.matrix[rows].T
    eta *= scale
    for group in design.groups:
        effects = values[f"effect_{group.name}"]
        own = effects[:, group.index[rows]] if group.shares is None else effects @ group.shares[rows].T
        times = 1.0 if group.by is None else group.by.values[rows]
        eta += own * (times if group.survey else times * scale)
    return eta


def person_correlation(first: Scores, second: Scores, pairs: np.ndarray) -> tuple[float, float, float]:
    """Correlation of scores over pairs of answers of the same people, and its 90% interval.

    The interval is by the delta method on the products of scores, whatever their distribution.

    Parameters
    ----------
    pairs : ndarray of int64, shape (m, 2)
        Rows of the same person in either outcome.
    """
    a, b = first.score[pairs[:, 0]], second.score[pairs[:, 1]]
    size = np.sqrt(np.square(a).mean() * np.square(b).mean())
    if size == 0.0:
        return 0.0, 0.0, 0.0
    value = float((a * b).mean() / size)
    a, b = a / np.sqrt(np.square(a).mean()), b / np.sqrt(np.square(b).mean())
    error = float((a * b - 0.5 * value * (a**2 + b**2)).std() / np.sqrt(len(pairs)))
    return value, max(value - Z90 * error, -1.0), min(value + Z90 * error, 1.0)


def stacked_likelihood(
    informations: Sequence[Information],
    designs: Sequence[Design],
    scores: Sequence[Scores],
    correlations: Sequence[PersonCorrelation],
    pairs: Mapping[tuple[int, int], np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Precision 𝓘 (K, q, K, q) and linear term h (K, q) of all outcomes together.

    With Λ = F F' of each outcome, F⁺b = F'u + e, e standard normal, and the e of two outcomes covary by Γ = F⁺ B F⁺', B
    the covariance of their linear terms given u: ρ Σ √(w w') z z' over the people whom they share, z what the η of a
    respondent moves by with the coupled effects, all other unknowns following. With Ψ the covariance of all e,
    𝓘 = F Ψ⁻¹ F' and h = F Ψ⁻¹ F⁺b.
    """
    k, q = len(informations), len(informations[0].linear)
    precision, linear = np.zeros((k, q, k, q)), np.array([one.linear for one in informations])
    for o, one in enumerate(informations):
        precision[o, :, o] = one.precision
    if not any(c.people for c in correlations):
        return precision, linear
    together = _shrunk(correlations, k)
    roots = [_root(one.precision) for one in informations]
    ends = np.cumsum([0, *(root.shape[1] for root in roots)])
    inside = [slice(int(a), int(b)) for a, b in pairwise(ends)]
    inverses = [root / np.maximum(np.square(root).sum(axis=0), 1e-300) for root in roots]
    moved = [_Moved(*own) for own in zip(designs, informations, scores, strict=True)]
    # what a respondent tells cannot exceed all that the outcome tells
    limits = []
    for o in range(k):
        rows = np.arange(designs[o].n)
        own = inverses[o].T @ _products(moved[o], moved[o], rows, rows) @ inverses[o]
        limits.append(1.0 / np.sqrt(max(1.0, float(np.linalg.eigvalsh(own)[-1]) if own.size else 1.0)))
    noise = np.eye(int(ends[-1]))
    for c in correlations:
        if not c.people:
            continue
        i, j = c.first, c.second
        first, second = pairs[i, j].T
        between = inverses[i].T @ _products(moved[i], moved[j], first, second) @ inverses[j]
        noise[inside[i], inside[j]] = together[i, j] * limits[i] * limits[j] * between
        noise[inside[j], inside[i]] = noise[inside[i], inside[j]].T
    inverse = np.linalg.inv(noise)
    inverse = 0.5 * (inverse + inverse.T)
    whitened = [inverses[o].T @ linear[o] for o in range(k)]
    out = np.zeros((k, q))
    for o in range(k):
        for p in range(k):
            precision[o, :, p] = roots[o] @ inverse[inside[o], inside[p]] @ roots[p].T
            out[o] += roots[o] @ (inverse[inside[o], inside[p]] @ whitened[p])
    return precision, out


def _root(precision: np.ndarray) -> np.ndarray:
    """F with F F' = Λ, a column for each direction of which the answers tell."""
    values, vectors = np.linalg.eigh(precision)
    kept = values > NOTHING * max(float(values[-1]), 1e-300)
    return np.asarray(vectors[:, kept] * np.sqrt(values[kept]))


def _shrunk(correlations: Sequence[PersonCorrelation], k: int) -> np.ndarray:
    """Correlations of the scores over outcomes; of pairs of different people they may fit no person, and shrink."""
    found = np.eye(k)
    for c in correlations:
        found[c.first, c.second] = found[c.second, c.first] = c.value
    least = float(np.linalg.eigvalsh(found)[0])
    by = 1.0 if least >= LEAST else (1.0 - LEAST) / (1.0 - least)
    return np.asarray(by * found + (1.0 - by) * np.eye(k))


class _Moved:
    """What respondents' η moves by with each coupled effect, all other unknowns following."""

    def __init__(self, design: Design, information: Information, scores: Scores) -> None:
        self._design, self._scores = design, scores
        self._values = {n: v for n, v in information.response.items() if n in _parts(design)}
        # to an answer, cutpoints that move together are an intercept
        self._cuts = information.response.get("cutpoints")

    def weighted(self, rows: np.ndarray) -> np.ndarray:
        """z √w of some rows, shape (q, m)."""
        found = predictors(self._design, self._values, rows, self._scores.scale[rows])
        if self._cuts is not None:
            shares = self._scores.cutpoints
            found -= self._cuts.mean(axis=1, keepdims=True) if shares is None else self._cuts @ shares[rows].T
        return np.asarray(found * np.sqrt(self._scores.information[rows]))


def _products(first: _Moved, second: _Moved, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Σ √(w w') z z' over pairs of answers, shape (q, q)."""
    total: np.ndarray | float = 0.0
    for start in range(0, len(rows), ROWS):
        part = slice(start, start + ROWS)
        total = total + first.weighted(rows[part]) @ second.weighted(others[part]).T
    return np.asarray(total)
