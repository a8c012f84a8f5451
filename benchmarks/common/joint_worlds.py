"""Surveys of several outcomes whose effects of places, and whose people's answers, go together; the truth is known."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, ndtr
from scipy.stats import norm

from placewise.models.design import Column, Design, Group
from placewise.models.engines import FitProblem
from placewise.models.prior_plan import plan_priors
from placewise.surveys.outcome import Response

LEVEL, AGE, AGES = "authority", "age", 5
SLOPE, INTERCEPT = 0.3, -0.4
# sd of a normal error with the logistic's density at 0
PROBIT = 4.0 * norm.pdf(0.0)
AGE_EFFECTS = np.array([-0.3, -0.1, 0.0, 0.1, 0.3])


@dataclass(frozen=True)
class JointWorld:
    """How several outcomes go together.

    Parameters
    ----------
    name : str
    respondents : tuple of int
        Of each outcome.
    area_correlation, person_correlation : float
        Of the effects of places, and of what people add to them, on normal scores.
    same_people : bool
        Whether those who answer the shorter questionnaires answer the longer ones too.
    area_sd : float
    areas : int
    probit : bool
        Whether answers follow a probit link of the same slope at 0 instead of the logit.
    degrees : float
        Of freedom of the effects of places, student-t with the same sd; infinite for normal ones.
    curved : bool
        Whether the covariate acts by its square too.
    categories : int
        Of each answer; 0 for a continuous one with residuals of sd 1, which people share as normal scores.
    """

    name: str
    respondents: tuple[int, ...] = (5_000, 30_000, 30_000)
    area_correlation: float = 0.6
    person_correlation: float = 0.0
    same_people: bool = False
    area_sd: float = 0.2
    areas: int = 331
    probit: bool = False
    degrees: float = math.inf
    curved: bool = False
    categories: int = 2


@dataclass(frozen=True, eq=False, repr=False)
class JointSurvey:
    """One survey of a world.

    Parameters
    ----------
    problems : tuple of FitProblem
        One an outcome; the level's group holds every place.
    people : tuple of ndarray of int64
        Who each respondent is.
    covariate : ndarray, shape (areas,)
        Of the places.
    effects : ndarray, shape (K, areas)
    eta : ndarray, shape (K, areas)
        Linear predictor of a person of the middle age group in each place.
    share : ndarray, shape (K, areas)
        Mean over ages of the probability of an answer above the lower half of the categories, or of a continuous one.
    """

    problems: tuple[FitProblem, ...]
    people: tuple[np.ndarray, ...]
    covariate: np.ndarray
    effects: np.ndarray
    eta: np.ndarray
    share: np.ndarray


def cuts_of(categories: int) -> np.ndarray:
    """Cutpoints of an ordered answer, 0 for two categories."""
    return np.array([0.0]) if categories == 2 else np.linspace(-1.0, 1.0, categories - 1)


def make_joint_survey(world: JointWorld, seed: int) -> JointSurvey:
    """Draw effects, people and answers; places are drawn evenly."""
    rng = np.random.default_rng([seed, 20261122])
    k, areas = len(world.respondents), world.areas
    covariate = rng.normal(size=areas)
    covariate = (covariate - covariate.mean()) / covariate.std()
    root = np.linalg.cholesky(_correlations(k, world.area_correlation))
    effects = world.area_sd * root @ _standard(world.degrees, (k, areas), rng)
    eta = INTERCEPT + SLOPE * covariate + effects
    if world.curved:
        eta = eta + 0.1 * (covariate**2 - 1.0)
    everyone = max(world.respondents) if world.same_people else sum(world.respondents)
    place, age = np.sort(rng.integers(0, areas, everyone)), rng.integers(0, AGES, everyone)
    own = np.linalg.cholesky(_correlations(k, world.person_correlation)) @ rng.standard_normal((k, everyone))
    errors = own if not world.categories else own * PROBIT if world.probit else _logit(ndtr(own))
    order, start, problems, people = rng.permutation(everyone), 0, [], []
    for o, count in enumerate(world.respondents):
        who = np.sort(order[:count] if world.same_people else order[start : start + count])
        start += count
        latent = eta[o, place[who]] + AGE_EFFECTS[age[who]] + errors[o, who]
        answer = np.searchsorted(cuts_of(world.categories), latent) if world.categories else latent
        problems.append(_problem(answer, place[who], age[who], covariate, world.categories))
        people.append(who)
    return JointSurvey(tuple(problems), tuple(people), covariate, effects, eta, _share(world, eta))


def _correlations(k: int, value: float) -> np.ndarray:
    return np.eye(k) * (1.0 - value) + value


def _standard(degrees: float, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Deviates of sd 1."""
    normal = rng.standard_normal(shape)
    if math.isinf(degrees):
        return normal
    # one chi-square a place, so that the outcomes' tails go together
    return np.asarray(normal * np.sqrt((degrees - 2.0) / rng.chisquare(degrees, shape[1])))


def _logit(p: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(p) - np.log1p(-p))


def _share(world: JointWorld, eta: np.ndarray) -> np.ndarray:
    if not world.categories:
        return eta + AGE_EFFECTS.mean()
    cuts = cuts_of(world.categories)
    at = eta[:, :, None] + AGE_EFFECTS - cuts[len(cuts) // 2]
    return np.asarray((ndtr(at / PROBIT) if world.probit else expit(at)).mean(axis=2))


def _problem(
    answer: np.ndarray, place: np.ndarray, age: np.ndarray, covariate: np.ndarray, categories: int
) -> FitProblem:
    labels = tuple(f"L{j:03d}" for j in range(len(covariate)))
    groups = (
        Group(AGE, "other", tuple(map(str, range(AGES))), age),
        Group(LEVEL, "geography", labels, place, labels),
    )
    design = Design(True, (Column("x", covariate[place], covariate),), groups, len(answer))
    family = {0: "gaussian", 2: "bernoulli"}.get(categories, "cumulative")
    names = tuple(map(str, range(categories))) if family == "cumulative" else ()
    y = answer.astype(np.int64 if names else np.float64)
    units = {"y_mean": float(y.mean()), "y_sd": float(y.std())} if family == "gaussian" else {}
    response = Response(y, np.ones(len(y), dtype=bool), names)
    return FitProblem(design, response, family, plan_priors({}, None, design, None, family, **units))
