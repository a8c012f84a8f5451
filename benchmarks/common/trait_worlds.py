"""Surveys of one trait by several items, or by two surveys with questions of their own; the truth is known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, ndtr

from common.world_study import rms
from placewise.models.design import Column, Design, Group
from placewise.models.engines import FitOptions, FitProblem, engine_named
from placewise.models.fit import plan_of
from placewise.models.priors import Prior
from placewise.surveys.instruments import Instruments
from placewise.surveys.outcome import Response

AREA, AUTHORITY = "area", "authority"
SLOPES = np.array([0.25, -0.15, 0.1])
AGE_EFFECTS = np.array([-0.3, -0.1, 0.0, 0.1, 0.3])
SDS = {AREA: 0.15, AUTHORITY: 0.15, "age": 0.25}
CLUSTER, ABSENT = 5, 0.1
# of four items with five answers each
DISCRIMINATION, MIDDLE = np.array([0.8, 1.2, 1.6, 2.2]), np.array([-0.4, 0.1, 0.3, -0.2])
# of the questions of two surveys, four and five answers
CUTS = (np.array([-1.5, -0.3, 1.0]), np.array([-1.0, 0.0, 0.8, 1.5]))
PROBIT = 1.702  # a logit of this slope is closest to a probit
CURVATURE = 0.08
SHIFTED = 0.5


@dataclass(frozen=True)
class TraitWorld:
    """How a trait differs between places, and how answers follow it.

    Parameters
    ----------
    name : str
    scale : float
        What the trait is multiplied by in the second survey.
    shift : float
        By how many sds of the authorities' means half of the authorities are shifted in the second survey.
    probit : bool
        Whether answers follow a probit link.
    degrees : float
        Of freedom of places' effects, Student t of the same sd; infinite for normal ones.
    curved : bool
        Whether the first covariate acts by its square too.
    """

    name: str
    scale: float = 1.0
    shift: float = 0.0
    probit: bool = False
    degrees: float = math.inf
    curved: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class TraitSurvey:
    """One survey of a world, or two.

    Parameters
    ----------
    design : Design
    instruments : Instruments
    x : ndarray, shape (A, p)
        Covariates of all areas.
    authority : ndarray of int64, shape (A,)
    trait : ndarray, shape (A,)
        True trait of a person of the middle age group in each area.
    shifted : ndarray of bool, shape (authorities,)
        Where the second survey is shifted.
    """

    design: Design
    instruments: Instruments
    x: np.ndarray
    authority: np.ndarray
    trait: np.ndarray
    shifted: np.ndarray

    @property
    def truth(self) -> np.ndarray:
        """Mean trait of each authority."""
        return self.by_authority(self.trait)

    def by_authority(self, values: np.ndarray) -> np.ndarray:
        """Means over areas, (A, ...) -> (authorities, ...)."""
        count = int(self.authority.max()) + 1
        share = np.zeros((count, len(self.authority)))
        share[self.authority, np.arange(len(self.authority))] = 1.0
        return np.asarray((share / share.sum(axis=1, keepdims=True)) @ values)

    def problem(
        self, kept: np.ndarray | None = None, items: list[int] | None = None, known: bool = False
    ) -> FitProblem:
        """For an engine.

        Parameters
        ----------
        kept : ndarray of bool, optional
            Respondents to keep, all of the first survey: then there is no second.
        items : list of int, optional
            Items to keep.
        known : bool
            Whether sds and slopes are known: the oracle.
        """
        design, own = self.design, self.instruments
        if kept is not None:
            own, design = _first_survey(own.take(kept)), _of_rows(design, kept)
        if items is not None:
            some = (own.answers[:, items] >= 0).any(axis=1)
            names, levels = tuple(own.names[m] for m in items), tuple(own.levels[m] for m in items)
            own = Instruments(names, levels, own.answers[some][:, items], own.surveys, own.survey[some], own.scale)
            design = _of_rows(design, some)
        first = own.answers.max(axis=1).astype(np.int64)
        response = Response(first, np.ones(len(first), dtype=bool), own.levels[0], instruments=own)
        family = "graded_response" if own.scale else "cumulative"
        priors = {}
        if known:
            priors = {f"sd:{name}": Prior("fixed", (sd,)) for name, sd in SDS.items()}
            priors |= {f"slope:x{k + 1}": Prior("fixed", (float(b),)) for k, b in enumerate(SLOPES)}
        return FitProblem(design, response, family, plan_of(design, response, family, priors=priors, area_group=AREA))

    def estimate(self, problem: FitProblem, posterior: object) -> np.ndarray:
        """Posterior draws of each authority's mean trait, age apart; shape (authorities, S)."""

        def draws(name: str) -> np.ndarray:
            values = np.asarray(posterior[name], dtype=np.float64)  # type: ignore[index]
            return values.reshape(-1, values.shape[-1])

        total = self.x @ draws("slopes").T
        for group in problem.design.groups:
            if group.name == AREA:
                at = np.array([int(label) for label in group.labels])
                total[at] += draws(f"effect_{AREA}").T
        means = self.by_authority(total)
        means += draws(f"effect_{AUTHORITY}").T
        return np.asarray(means)


def make_trait_survey(
    world: TraitWorld, seed: int, *, respondents: int, surveys: int, areas: int = 6000, authorities: int = 300
) -> TraitSurvey:
    """Draw places, people and answers: four items of one survey, or a question in each of two."""
    rng = np.random.default_rng([seed, 20261122])
    authority = np.sort(rng.integers(0, authorities, areas))
    authority[:authorities] = np.arange(authorities)
    authority = np.sort(authority)
    between = 0.5 * rng.standard_normal((authorities, len(SLOPES)))
    x = between[authority] + np.sqrt(0.75) * rng.standard_normal((areas, len(SLOPES)))
    trait = x @ SLOPES + SDS[AREA] * standard(world.degrees, areas, rng)
    trait += (SDS[AUTHORITY] * standard(world.degrees, authorities, rng))[authority]
    if world.curved:
        trait += CURVATURE * (x[:, 0] ** 2 - 1.0)
    shifted = rng.random(authorities) < SHIFTED if world.shift else np.zeros(authorities, dtype=bool)
    survey = np.repeat(np.arange(surveys), respondents)
    # every authority is met by every survey, as in the surveys of whole nations
    place = np.concatenate([_sample(authority, respondents, rng) for _ in range(surveys)])
    age = rng.integers(0, len(AGE_EFFECTS), len(place))
    eta = np.where(survey == 0, 1.0, world.scale) * (trait[place] + AGE_EFFECTS[age])
    step = world.shift * np.std(_means(trait, authority, authorities))
    eta += np.where((survey > 0) & shifted[authority[place]], step, 0.0)
    answers, levels = (_items if surveys == 1 else _questions)(eta, survey, world, rng)
    names = tuple(f"item {m + 1}" if surveys == 1 else f"survey {m + 1}: question" for m in range(answers.shape[1]))
    asked = tuple(f"survey {k + 1}" for k in range(surveys))
    own = Instruments(names, levels, answers, asked, survey, surveys == 1)
    return TraitSurvey(_design(x, place, age, authority, survey), own, x, authority, trait, shifted)


def fit_means(own: TraitSurvey, problem: FitProblem, cell: Mapping[str, Any]) -> tuple[np.ndarray, Any]:
    """Draws of authorities' means, shape (authorities, S), and the posterior, by the fast engine in one thread."""
    options = FitOptions(draws=cell["draws"], seed=cell["survey"], jobs=1)
    posterior = engine_named("laplace")(problem, options).posterior
    return own.estimate(problem, posterior), posterior


def score_means(draws: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Error, slope of truth on estimate and coverage of 90% intervals of authorities' means, all from their mean.

    Parameters
    ----------
    draws : ndarray, shape (authorities, S)
    truth : ndarray, shape (authorities,)
    """
    mean, centred = draws.mean(axis=1), truth - truth.mean()
    lower, upper = np.quantile(draws - draws.mean(axis=0), (0.05, 0.95), axis=1)
    return {
        "rmse": rms(mean - mean.mean() - centred),
        "slope": float(np.polyfit(mean, truth, 1)[0]),
        "coverage": float(((centred >= lower) & (centred <= upper)).mean()),
    }


def standard(degrees: float, size: int, rng: np.random.Generator) -> np.ndarray:
    """Deviates of sd 1: normal, or Student t of these degrees of freedom."""
    if math.isinf(degrees):
        return rng.standard_normal(size)
    return np.asarray(rng.standard_t(degrees, size) * np.sqrt((degrees - 2.0) / degrees))


def _means(values: np.ndarray, group: np.ndarray, count: int) -> np.ndarray:
    return np.asarray(np.bincount(group, values, count) / np.bincount(group, minlength=count))


def _sample(authority: np.ndarray, respondents: int, rng: np.random.Generator) -> np.ndarray:
    """Clusters of people in areas, one in each authority before any has two."""
    clusters = respondents // CLUSTER
    order = rng.permutation(len(authority))
    turn = np.zeros(len(order), dtype=np.int64)
    seen: dict[int, int] = {}
    for k, area in enumerate(order):
        turn[k] = seen[int(authority[area])] = seen.get(int(authority[area]), -1) + 1
    chosen = order[np.argsort(turn, kind="stable")[:clusters]]
    return np.repeat(np.resize(chosen, clusters), CLUSTER)


def above(u: np.ndarray, world: TraitWorld) -> np.ndarray:
    """Probability that an answer lies above a cutpoint, given how far the trait does."""
    return np.asarray(ndtr(u / PROBIT) if world.probit else expit(u))


def cutpoints(discrimination: float, middle: float, categories: int) -> np.ndarray:
    """Of an item whose answers turn at traits up to 1.5 on both sides of ``middle``."""
    return np.asarray(discrimination * (np.linspace(-1.5, 1.5, categories - 1) + middle))


def draw_answers(t: np.ndarray, cuts: np.ndarray, world: TraitWorld, rng: np.random.Generator) -> np.ndarray:
    """Categories of the answers of people with traits t, already times the item's discrimination."""
    return np.asarray((above(t[:, None] - cuts, world) > rng.random((len(t), 1))).sum(axis=1))


def leave_out(answers: np.ndarray, rng: np.random.Generator) -> None:
    """Take away a tenth of the answers to the items of a scale, never all of one person's."""
    absent = rng.random(answers.shape) < ABSENT
    absent[:, 0] &= ~absent.all(axis=1)
    answers[absent] = -1


def _items(
    eta: np.ndarray, survey: np.ndarray, world: TraitWorld, rng: np.random.Generator
) -> tuple[np.ndarray, tuple[tuple[str, ...], ...]]:
    t = eta + rng.standard_normal(len(eta))
    answers = np.full((len(eta), len(DISCRIMINATION)), -1, dtype=np.int8)
    for m, (a, middle) in enumerate(zip(DISCRIMINATION, MIDDLE, strict=True)):
        answers[:, m] = draw_answers(a * t, cutpoints(a, middle, 5), world, rng)
    leave_out(answers, rng)
    return answers, tuple(tuple("12345") for _ in DISCRIMINATION)


def _questions(
    eta: np.ndarray, survey: np.ndarray, world: TraitWorld, rng: np.random.Generator
) -> tuple[np.ndarray, tuple[tuple[str, ...], ...]]:
    answers = np.full((len(eta), 2), -1, dtype=np.int8)
    for k, cuts in enumerate(CUTS):
        own = np.flatnonzero(survey == k)
        answers[own, k] = draw_answers(eta[own], cuts, world, rng)
    return answers, tuple(tuple(str(j + 1) for j in range(len(cuts) + 1)) for cuts in CUTS)


def _design(x: np.ndarray, place: np.ndarray, age: np.ndarray, authority: np.ndarray, survey: np.ndarray) -> Design:
    met, at = np.unique(place, return_inverse=True)
    labels = tuple(map(str, range(int(authority.max()) + 1)))
    groups = [
        Group("age", "other", tuple(map(str, range(len(AGE_EFFECTS)))), age.astype(np.int64)),
        Group(AUTHORITY, "geography", labels, authority[place].astype(np.int64)),
        Group(AREA, "geography", tuple(map(str, met)), at.astype(np.int64)),
    ]
    if survey.any():
        second = Column("survey:survey 2", (survey == 1).astype(np.float64))
        own = authority[place].astype(np.int64)
        groups.append(Group("discrepancy:survey 2", "other", labels, own, by=second, survey="survey 2"))
    columns = tuple(Column(f"x{k + 1}", x[place, k]) for k in range(x.shape[1]))
    return Design(False, columns, tuple(groups), len(place))


def _of_rows(design: Design, kept: np.ndarray) -> Design:
    """The design of some respondents; areas that nobody is left in are kept, authorities too."""
    columns = tuple(Column(c.name, c.values[kept]) for c in design.columns)
    groups = []
    for g in design.groups:
        by = None if g.by is None else Column(g.by.name, g.by.values[kept])
        if g.survey and by is not None and not by.values.any():
            continue
        groups.append(Group(g.name, g.role, g.labels, g.index[kept], by=by, survey=g.survey))
    return Design(False, columns, tuple(groups), int(kept.sum()))


def _first_survey(own: Instruments) -> Instruments:
    """The questions of the first survey alone."""
    met = np.flatnonzero((own.answers >= 0).any(axis=0))
    names, levels = tuple(own.names[m] for m in met), tuple(own.levels[m] for m in met)
    return Instruments(names, levels, own.answers[:, met], own.surveys[:1], own.survey, own.scale)
