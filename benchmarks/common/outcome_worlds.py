"""Made-up countries in which the example's three outcomes are asked by two surveys; the truth is known.

Items, their categories, the surveys, the published quantity and the priors are those of ``models/<outcome>.toml``. The
places, their covariates and what people answer are made up.
"""

from __future__ import annotations

import hashlib
import tomllib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from common.country import AGES, CODE, KIND, design_of, make_country, sample_areas
from common.trait_worlds import (
    CURVATURE,
    DISCRIMINATION,
    MIDDLE,
    SLOPES,
    TraitWorld,
    above,
    cutpoints,
    draw_answers,
    leave_out,
    standard,
)
from common.worlds import AREAS, CLASSES, COVARIATES, GROUPS, LEVELS, draw_effects, knowing, split_of
from placewise.diagnostics.calibration.predictions import area_eta, linear_predictor
from placewise.errors import Problems
from placewise.geography.areas import AreaTable
from placewise.models.design import Design
from placewise.models.discrepancy import DISCREPANCY_OF, with_discrepancies
from placewise.models.fit import plan_of
from placewise.models.model_file import read_model
from placewise.models.prior_plan import PriorPlan
from placewise.models.spec import EstimandSpec, ModelSpec, OutcomeSpec
from placewise.surveys.items import Answers, Question, join_answers
from placewise.surveys.outcome import Response

MODELS = Path(__file__).resolve().parents[2] / "models"
AUTHORITY = "district"
CLUSTER = 5  # respondents of a sampled area
SCALE = 0.8  # of the second survey
UNLIKE = ", unlike the model"
PERSONS, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
SEED = 20261123


@dataclass(frozen=True)
class OutcomeWorld:
    """How places differ in one outcome of the example.

    Parameters
    ----------
    name, outcome : str
        The latter names the model file.
    total : float
        Sd of the geography and the area together, split as the census has it.
    classes, covariates, ages, discrepancy : float
        Sd of the classes of areas, of x'β between areas, of ages, and of what the second survey adds in an authority.
    trait : TraitWorld
        Scale of the second survey, and what of the generator is unlike the model.
    """

    name: str
    outcome: str
    total: float
    classes: float
    covariates: float
    ages: float
    discrepancy: float
    trait: TraitWorld


def outcome_worlds() -> dict[str, OutcomeWorld]:
    """Every outcome, as its model says and unlike it, by name.

    Between neighbourhoods lies 6.4% of belonging and 1.0% of cohesion (Fone et al. 2006): sds of .26 and .10, of which
    covariates and classes are given a part. Satisfaction has the centre of its priors.
    """
    found = {}
    for suffix, trait in (
        ("", TraitWorld("as the model says", scale=SCALE)),
        (UNLIKE, TraitWorld("unlike the model", scale=SCALE, probit=True, degrees=4.0, curved=True)),
    ):
        for world in (
            OutcomeWorld("belonging", "belonging", 0.15, 0.11, 0.18, 0.3, 0.04, trait),
            OutcomeWorld("relationships", "relationships", 0.08, 0.04, 0.05, 0.4, 0.04, trait),
            OutcomeWorld("satisfaction", "satisfaction", 0.18, 0.15, 0.3, 0.2, 0.08, trait),
        ):
            found[world.name + suffix] = replace(world, name=world.name + suffix)
    return found


@dataclass(frozen=True, eq=False, repr=False)
class OutcomeSurvey:
    """Both surveys of a world.

    Parameters
    ----------
    areas : AreaTable
    outcome : OutcomeSpec
        With the first of the estimands alone, of rates.
    design : Design
    response : Response
    plan, oracle : PriorPlan
        Priors of the model file; the same with true sds and slopes.
    truth : ndarray of float64, shape (A,)
        The estimand in each area, of people of the first age.
    """

    areas: AreaTable
    outcome: OutcomeSpec
    design: Design
    response: Response
    plan: PriorPlan
    oracle: PriorPlan
    truth: np.ndarray


@dataclass(frozen=True, eq=False)
class Item:
    """A question with its true parameters."""

    question: Question
    discrimination: float
    cuts: np.ndarray


def fingerprint_of_models() -> str:
    """Twelve digits of the hash of what is taken from the model files: where that differs, so do the cells."""
    specs = [model_of(name) for name in sorted({world.outcome for world in outcome_worlds().values()})]
    taken = [(s.outcome.family, s.outcome.questions, s.outcome.estimands[0], s.priors, s.split) for s in specs]
    return hashlib.sha256(repr(taken).encode()).hexdigest()[:12]


@cache
def model_of(outcome: str) -> ModelSpec:
    """The model file of an outcome of the example."""
    problems = Problems()
    path = MODELS / f"{outcome}.toml"
    spec = read_model(tomllib.loads(path.read_text(encoding="utf-8")), outcome, path.name, problems)
    problems.raise_if_any()
    assert spec is not None
    return spec


def make_outcome_survey(world: OutcomeWorld, respondents: int, number: int, *, n_areas: int = AREAS) -> OutcomeSurvey:
    """Draw effects, respondents and answers; places, sds, slopes and items stay as the world has them.

    Parameters
    ----------
    world : OutcomeWorld
    respondents, number : int
        Of each survey; number of the pair of surveys.
    n_areas : int
        Of the country; larger areas in proportion.
    """
    rng = np.random.default_rng([SEED, zlib.crc32(world.name.encode()), number])
    spec, trait = model_of(world.outcome), world.trait
    levels = [(name, max(4, size * n_areas // AREAS)) for name, size in LEVELS]
    areas = make_country(n_areas, levels, classes=CLASSES, covariates=COVARIATES, seed=SEED)
    surveys = list(spec.outcome.questions)
    survey = np.repeat(np.arange(len(surveys)), respondents // CLUSTER * CLUSTER)
    area = np.concatenate([sample_areas(areas, respondents, CLUSTER, rng) for _ in surveys])
    terms = " + ".join(f"x{k + 1}" for k in range(COVARIATES))
    age = rng.integers(0, len(AGES), len(area))
    design = design_of(areas, area, f"{terms} + (1 | age) + {GROUPS}", age=age, cumulative=True)
    sds = split_of(world.total**2) | {KIND: world.classes, "age": world.ages}
    values = draw_effects(design, areas, sds, world.covariates, rng)
    for name in (CODE, AUTHORITY):
        effects = values[f"effect_{name}"]
        values[f"effect_{name}"] = sds[name] * standard(trait.degrees, effects.size, rng).reshape(effects.shape)
    curve = np.zeros(n_areas)
    if trait.curved:
        curve = CURVATURE / SLOPES[0] * values["slopes"][0, 0] * (areas.table["x1"].to_numpy() ** 2 - 1.0)
    t = np.where(survey > 0, trait.scale, 1.0) * (linear_predictor(design, values)[0] + curve[area])
    authority = areas.table[AUTHORITY].to_numpy(dtype=object)
    position = np.unique(authority, return_inverse=True)[1]
    t += np.where(survey > 0, (world.discrepancy * rng.standard_normal(position.max() + 1))[position[area]], 0.0)
    scale = spec.outcome.family == "graded_response"
    items = {name: _items(spec.outcome.questions[name], scale) for name in surveys}
    response = _answers(items, t, survey, trait, scale, rng)
    problems = Problems()
    design = with_discrepancies(
        design, response.instruments, areas, {AUTHORITY: authority[area]}, AUTHORITY, "discrepancy", problems
    )
    problems.raise_if_any()
    plan = plan_of(design, response, spec.outcome.family, priors=spec.priors, split=spec.split, area_group=CODE)
    values |= {f"sd_{DISCREPANCY_OF}{name}": np.array([world.discrepancy]) for name in surveys[1:]}
    eta = area_eta(design, values, np.arange(n_areas), rng)[0] + curve
    wanted = replace(spec.outcome, estimands=spec.outcome.estimands[:1], finite_population=False)
    truth = expected_value(wanted.estimands[0], items[surveys[0]], eta, trait, scale)
    return OutcomeSurvey(areas, wanted, design, response, plan, knowing(plan, values), truth)


def _items(questions: Sequence[Question], scale: bool) -> list[Item]:
    """True parameters: items of a scale differ in discrimination, a single question has none."""
    found = []
    for k, question in enumerate(questions):
        a = float(DISCRIMINATION[k % len(DISCRIMINATION)]) if scale else 1.0
        found.append(Item(question, a, cutpoints(a, float(MIDDLE[k % len(MIDDLE)]), len(question.levels))))
    return found


def _answers(
    items: Mapping[str, Sequence[Item]],
    t: np.ndarray,
    survey: np.ndarray,
    trait: TraitWorld,
    scale: bool,
    rng: np.random.Generator,
) -> Response:
    """What both surveys' respondents answer, as a run reads it."""
    whole = t + rng.standard_normal(len(t)) if scale else t
    answered = []
    for s, (name, own) in enumerate(items.items()):
        people = whole[survey == s]
        drawn = [draw_answers(item.discrimination * people, item.cuts, trait, rng) for item in own]
        values = np.column_stack(drawn).astype(np.int8)
        if scale:
            leave_out(values, rng)
        questions = tuple(item.question for item in own)
        answered.append(Answers(name, questions, values, np.ones(len(people), dtype=bool), ()))
    problems = Problems()
    response = join_answers(answered, (), scale, problems, "answers")
    problems.raise_if_any()
    assert response is not None
    return response


def expected_value(
    estimand: EstimandSpec, items: Sequence[Item], eta: np.ndarray, trait: TraitWorld, scale: bool
) -> np.ndarray:
    """The mean score of a scale's items, or the share of some answers to one question, over people; shape of ``eta``.

    Parameters
    ----------
    estimand : EstimandSpec
    items : sequence of Item
        Of the reference survey.
    eta : ndarray of float64, shape (A,)
    trait : TraitWorld
    scale : bool
        Whether people have a part of their own, over which the mean is taken.
    """
    persons, weight = (PERSONS, WEIGHTS / WEIGHTS.sum()) if scale else (np.zeros(1), np.ones(1))
    found = np.zeros(len(eta))
    for item in items:
        levels = item.question.levels
        worth = np.arange(1.0, len(levels) + 1.0)
        if estimand.kind == "share":
            worth = np.array([float(level in estimand.categories) for level in levels])
        t = item.discrimination * (eta[:, None] + persons)
        over = worth[0] + above(t[:, :, None] - item.cuts, trait) @ np.diff(worth)
        found += over @ weight / len(items)
    return found
