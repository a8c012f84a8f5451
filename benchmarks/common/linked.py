"""Made-up countries whose respondents tell a group of areas and not which area of it they live in."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr

from common.country import CODE, KIND, make_country
from placewise.errors import Problems
from placewise.geography.areas import AreaTable
from placewise.models.averaging import with_average
from placewise.models.build import build_design
from placewise.models.design import Design
from placewise.models.formula import parse_formula
from placewise.models.linking import link_rows, with_below_link
from placewise.models.prior_plan import PriorPlan, plan_priors
from placewise.models.priors import Prior
from placewise.surveys.outcome import Response

LINK, INSIDE, AREAS = "lsoa", 5, 4_000
LEVELS = (("region", 9), ("district", 80), (LINK, AREAS // INSIDE))
CLASSES, COVARIATES = 6, 4
DIRECTION = np.array([1.0, -0.6, 0.4, 0.2])
INTERCEPT, CUTPOINTS = 0.9, np.array([-1.6, 0.0, 1.4])
# of small areas, linked groups and levels above, as the census shows them; classes
SDS = {CODE: 0.13, LINK: 0.05, "district": 0.05, "region": 0.03, KIND: 0.1}
# of a probit's normal error, in units in which the logistic's curve is as steep between a tenth and nine tenths
PROBIT = 1.7
CURVE = 0.25  # of the square of x1, times its slope
PRIOR = Prior("gamma", (4.0, 25.0))
SEED = 20261122


@dataclass(frozen=True)
class LinkedWorld:
    """How areas inside a linked group differ, and what the fit takes for granted that is not so.

    Parameters
    ----------
    name : str
    spread : float
        Sd of x'β inside the groups.
    taken : float
        The declared ratio of sds below and at the link over the true one.
    averaged : bool
        Whether the likelihood may be averaged over the areas inside; else their columns are.
    probit : bool
        Whether answers have a normal error instead of a logistic one.
    degrees : float
        Of freedom of the effects of groups and areas, student-t with the same sd; infinite for normal ones.
    curved : bool
        Whether the first covariate has a square that the fit lacks.
    """

    name: str
    spread: float = 0.15
    taken: float = 1.0
    averaged: bool = True
    probit: bool = False
    degrees: float = math.inf
    curved: bool = False


def linked_worlds() -> dict[str, LinkedWorld]:
    """All cells, by name."""
    right = LinkedWorld("ratio right")
    wide = replace(right, name="covariates differ inside", spread=0.4)
    found = (
        right,
        replace(right, name="ratio half", taken=0.5),
        replace(right, name="ratio double", taken=2.0),
        wide,
        replace(wide, name="their means fitted", averaged=False),
        replace(right, name="probit", probit=True),
        replace(right, name="t4 effects", degrees=4.0),
        replace(right, name="curved covariate", curved=True),
    )
    return {world.name: world for world in found}


@dataclass(frozen=True, eq=False)
class LinkedSurvey:
    """One survey of a world.

    Parameters
    ----------
    areas : AreaTable
    home : ndarray of int64, shape (n,)
        Row of the area in which each respondent lives, which the fit does not know.
    design : Design
    response : Response
    plan : PriorPlan
    share : ndarray of float64, shape (A,)
        The truth: share of the upper answers.
    slopes : ndarray of float64, shape (COVARIATES,)
        Their true slopes.
    """

    areas: AreaTable
    home: np.ndarray
    design: Design
    response: Response
    plan: PriorPlan
    share: np.ndarray
    slopes: np.ndarray


def make_linked_survey(
    world: LinkedWorld,
    respondents: int,
    number: int,
    *,
    n_areas: int = AREAS,
    family: str = "bernoulli",
    formula: str = "",
    sds: Mapping[str, float] | None = None,
) -> LinkedSurvey:
    """Draw effects, respondents and answers; places, sds and slopes stay as the world has them.

    Parameters
    ----------
    world : LinkedWorld
    respondents, number : int
        Size and number of the survey.
    n_areas : int
        Of the country; larger areas in proportion.
    family : {"bernoulli", "cumulative"}
        Of the answers: two, or four in order.
    formula : str
        Further terms of the fit.
    sds : mapping of str to float, optional
        In the place of some of ``SDS``.
    """
    rng = np.random.default_rng([SEED, zlib.crc32(world.name.encode()), number])
    levels = [(name, max(4, size * n_areas // AREAS)) for name, size in LEVELS]
    areas = make_country(n_areas, levels, classes=CLASSES, covariates=COVARIATES, seed=SEED)
    x = areas.table[[f"x{k + 1}" for k in range(COVARIATES)]].to_numpy()
    rows = link_rows(LINK, areas.table[LINK].to_numpy(dtype=object), areas)
    slopes = DIRECTION * world.spread / _spread(x @ DIRECTION, rows.parent, rows.share)
    eta = x @ slopes
    if world.curved:
        eta = eta + CURVE * slopes[0] * (x[:, 0] ** 2 - 1.0)
    true = SDS | dict(sds or {})
    for name, sd in true.items():
        codes = pd.factorize(areas.table[name])[0]
        heavy = math.isfinite(world.degrees) and name in (CODE, LINK)
        count = int(codes.max()) + 1
        unit = rng.standard_t(world.degrees, count) if heavy else rng.standard_normal(count)
        eta = eta + sd * (unit / math.sqrt(world.degrees / (world.degrees - 2.0)) if heavy else unit)[codes]
    home = rng.choice(n_areas, respondents, p=areas.weights / areas.weights.sum())
    cuts = np.array([0.0]) if family == "bernoulli" else CUTPOINTS
    over = _curve(INTERCEPT + eta[:, None] - cuts, world.probit)
    y = (rng.random(respondents)[:, None] < over[home]).sum(axis=1)
    labels = () if family == "bernoulli" else tuple("abcd")
    response = Response(y.astype(np.float64), np.ones(respondents, dtype=bool), labels)
    ratio = world.taken * true[CODE] / true[LINK]
    design = _design(areas, home, response, family, formula, ratio, world.averaged)
    plan = plan_priors({"sd:geography": PRIOR}, None, design, CODE, family)
    upper = over[:, 0] if family == "bernoulli" else over[:, 1]
    return LinkedSurvey(areas, home, design, response, plan, upper, slopes)


def _spread(eta: np.ndarray, parent: np.ndarray, share: np.ndarray) -> float:
    """Root of the mean variance inside groups."""
    mean = np.bincount(parent, share * eta)
    return float(np.sqrt(np.bincount(parent, share * (eta - mean[parent]) ** 2).mean()))


def _curve(t: np.ndarray, probit: bool) -> np.ndarray:
    return np.asarray(ndtr(t / PROBIT) if probit else expit(t))


def _design(
    areas: AreaTable, home: np.ndarray, response: Response, family: str, formula: str, ratio: float, averaged: bool
) -> Design:
    """The formula on respondents of whom only the group is known."""
    problems = Problems()
    names = " + ".join(f"x{k + 1}" for k in range(COVARIATES))
    parsed = parse_formula(f"{names} + (1 | {KIND}) + (1 | region/district/{LINK}) {formula}", "formula", problems)
    problems.raise_if_any()
    assert parsed is not None
    codes = areas.table[LINK].to_numpy(dtype=object)[home]
    design = build_design(
        parsed,
        respondents=pd.DataFrame({"number": np.arange(len(home)), "old": (np.arange(len(home)) % 3 == 0) * 1.0}),
        area=np.full(len(home), -1),
        areas=areas,
        frame=None,
        reference={"old": 0.0} if "old" in formula else {},
        orders={},
        standardise=False,
        cumulative=family == "cumulative",
        problems=problems,
        link=link_rows(LINK, codes, areas),
    )
    problems.raise_if_any()
    assert design is not None
    design = with_below_link(design, {"ratio": ratio}, None, {}, areas, "world", problems)
    problems.raise_if_any()
    return with_average(design, response, family) if averaged else design
