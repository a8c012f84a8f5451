"""Known truths for the study of coverage: how areas differ, how they are sampled, what the model does not know."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.special import expit

from common.country import CODE, KIND, design_of, make_country, sample_areas
from common.trait_worlds import standard
from placewise.diagnostics.calibration.answers import draw_answers
from placewise.diagnostics.calibration.experiment import Experiment, Truth, draw_truth
from placewise.diagnostics.calibration.parameters import Values, draw_parameters
from placewise.diagnostics.calibration.predictions import area_eta, linear_predictor, overall
from placewise.geography.areas import AreaTable
from placewise.models.design import Design
from placewise.models.prior_plan import PriorPlan, SdPrior, plan_priors
from placewise.models.priors import Prior
from placewise.surveys.outcome import Response

LEVELS = (("region", 9), ("district", 80), ("msoa", 500), ("lsoa", 2000))
AREAS, CLASSES, COVARIATES = 8_000, 6, 4
GROUPS = f"(1 | {KIND}) + (1 | region/district/msoa/lsoa)"
# shares of the variance between areas beyond covariates and classes, as two census outcomes show them
CENSUS_SPLIT = {"region": 0.03, "district": 0.07, "msoa": 0.15, "lsoa": 0.10, CODE: 0.64}
CLASS_SHARE = 0.5  # of what the covariates leave: classes matter as much as geography
DIRECTION = np.array([1.0, -0.6, 0.4, 0.2])  # of the slopes
INTERCEPT = -0.4
FAMILY = "bernoulli"
CLUSTER = 20  # respondents of an area where the survey is clustered
SEED = 20261122


@dataclass(frozen=True)
class World:
    """How areas differ, and what the fitted model lacks.

    Parameters
    ----------
    name : str
    sds : mapping of str to float
        Of every group; empty where the truth is drawn from the priors of the fit.
    covariates_sd : float
        Of x'β between the areas.
    per_area : int
        Respondents of each sampled area; 0 for respondents drawn one by one.
    degrees : float
        Of freedom of the areas' own effects, student-t with the same sd; infinite for normal ones.
    omitted : tuple of str
        Covariates that the fitted model lacks.
    """

    name: str
    sds: Mapping[str, float] = field(default_factory=dict)
    covariates_sd: float = 0.0
    per_area: int = 0
    degrees: float = math.inf
    omitted: tuple[str, ...] = ()


def _by_icc(icc: float, share: float) -> World:
    """Between areas icc of the variance of the latent logistic answer, ``share`` of it by covariates."""
    between = icc / (1.0 - icc) * math.pi**2 / 3.0
    rest = (1.0 - share) * between
    sds = split_of((1.0 - CLASS_SHARE) * rest) | {KIND: math.sqrt(CLASS_SHARE * rest)}
    return World(f"icc {icc:.0%}, covariates {share:.0%}", sds, math.sqrt(share * between))


def _by_area_sd(sd: float) -> World:
    sds = split_of(sd**2 * sum(CENSUS_SPLIT.values()) / CENSUS_SPLIT[CODE]) | {KIND: 0.15}
    return World(f"area sd {sd:g}", sds, 0.3, per_area=CLUSTER)


def split_of(variance: float) -> dict[str, float]:
    """Sds of the levels and the area, as the census splits the variance between areas."""
    whole = sum(CENSUS_SPLIT.values())
    return {name: math.sqrt(variance * share / whole) for name, share in CENSUS_SPLIT.items()}


def worlds() -> dict[str, World]:
    """All cells, by name."""
    fixed = [_by_icc(icc, share) for icc in (0.01, 0.03, 0.06) for share in (0.2, 0.5)]
    own = [_by_area_sd(sd) for sd in (0.05, 0.1, 0.16, 0.3)]
    middle = _by_icc(0.03, 0.2)
    wrong = [
        replace(middle, name="heavy tails", degrees=3.0),
        replace(_by_icc(0.03, 0.5), name="omitted covariate", omitted=("x1",)),
    ]
    return {world.name: world for world in (World("prior"), *fixed, *own, *wrong)}


@dataclass(frozen=True, eq=False)
class Survey:
    """One survey of a world.

    Parameters
    ----------
    areas : AreaTable
    area : ndarray of int64, shape (n,)
        Row of each respondent's area.
    design, oracle_design : Design
        What the fitted model knows, and all there is.
    response : Response
    plan, oracle : PriorPlan
        Priors of the fit; the same with true sds and slopes.
    share : ndarray of float64, shape (A,)
        The truth.
    area_sd : float
        True sd of the areas' own effects.
    """

    areas: AreaTable
    area: np.ndarray
    design: Design
    oracle_design: Design
    response: Response
    plan: PriorPlan
    oracle: PriorPlan
    share: np.ndarray
    area_sd: float

    @property
    def sampling_sd(self) -> float:
        """Of the logit of a sampled area's direct share, at the mean number of respondents."""
        p = float(self.response.y.mean())
        return math.sqrt(len(np.unique(self.area)) / (len(self.area) * p * (1.0 - p)))


def make_survey(
    world: World, priors: Mapping[str, Prior], split: float, respondents: int, number: int, n_areas: int = AREAS
) -> Survey:
    """Draw effects, respondents and answers; hyperparameters and slopes stay as the world has them.

    Parameters
    ----------
    world : World
    priors : mapping of str to Prior
        Of the fit, as a model file writes them.
    split : float
        ``split:geography`` of the fit.
    respondents, number : int
        Size and number of the survey; all worlds and priors share the places, equal worlds the answers too.
    n_areas : int
        Of the country; larger areas in proportion.
    """
    rng = np.random.default_rng([SEED, zlib.crc32(world.name.encode()), number])
    levels = [(name, max(4, size * n_areas // AREAS)) for name, size in LEVELS]
    areas = make_country(n_areas, levels, classes=CLASSES, covariates=COVARIATES, seed=SEED)
    area = sample_areas(areas, respondents, world.per_area, rng)
    names = [f"x{k + 1}" for k in range(COVARIATES)]
    whole, known = (
        design_of(areas, area, " + ".join([*(n for n in names if n not in omitted), GROUPS]))
        for omitted in ((), world.omitted)
    )
    truth = _truth(world, whole, areas, plan_priors(priors, split, whole, CODE, FAMILY), rng)
    oracle = knowing(plan_priors(priors, split, whole, CODE, FAMILY), truth.values)
    everything = np.arange(len(areas))
    response = draw_answers(Experiment(whole, FAMILY, oracle, everything), truth, rng)
    return Survey(
        areas=areas,
        area=area,
        design=known,
        oracle_design=whole,
        response=response,
        plan=plan_priors(priors, split, known, CODE, FAMILY),
        oracle=oracle,
        share=expit(area_eta(whole, truth.values, everything, rng)[0]),
        area_sd=float(truth.values[f"sd_{CODE}"][0]),
    )


def _truth(world: World, design: Design, areas: AreaTable, plan: PriorPlan, rng: np.random.Generator) -> Truth:
    """Parameters from the priors of the fit, or effects from the sds of the world."""
    if not world.sds:
        return draw_truth(Experiment(design, FAMILY, plan, np.arange(0)), rng)
    values = draw_effects(design, areas, world.sds, world.covariates_sd, rng, INTERCEPT)
    if math.isfinite(world.degrees):
        effects = values[f"effect_{CODE}"]
        values[f"effect_{CODE}"] = world.sds[CODE] * standard(world.degrees, effects.size, rng).reshape(effects.shape)
    eta = linear_predictor(design, values)
    return Truth(values, eta, overall(FAMILY, values, eta))


def draw_effects(
    design: Design,
    areas: AreaTable,
    sds: Mapping[str, float],
    covariates_sd: float,
    rng: np.random.Generator,
    intercept: float | None = None,
) -> dict[str, np.ndarray]:
    """Normal effects of every group; slopes along ``DIRECTION`` that give x'β this sd between the areas.

    Names and shapes are those of `draw_parameters`.
    """
    x = areas.table[[c.name for c in design.columns]].to_numpy()
    slopes = DIRECTION * covariates_sd / (x @ DIRECTION).std()
    own = {name: SdPrior(fixed(sd)) for name, sd in sds.items()}
    level = None if intercept is None else fixed(intercept)
    plan = PriorPlan(level, None, None, tuple(map(fixed, slopes)), None, (), (), own, None)
    return dict(draw_parameters(design, plan, 0, rng))


def knowing(plan: PriorPlan, values: Values) -> PriorPlan:
    """The oracle's priors: every sd and slope at its truth, the intercept to be found."""
    sds = {name[3:]: SdPrior(fixed(sd[0])) for name, sd in values.items() if name.startswith("sd_")}
    sds.pop("total", None)
    slopes = tuple(map(fixed, values["slopes"][0]))
    return replace(plan, slope_sd=None, slopes=slopes, total=None, shared=(), concentration=(), sds=sds)


def fixed(x: float) -> Prior:
    """The prior of what is known."""
    return Prior("fixed", (float(x),))
