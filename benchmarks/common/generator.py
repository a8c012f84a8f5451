"""Problems of any size and family: nested geography, crossed groups, slopes, answers from known parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import logit

from placewise.errors import Problems
from placewise.models.design import Column, Design, Group, Role
from placewise.models.engines import FitProblem
from placewise.models.fit import plan_of
from placewise.models.priors import parse_prior
from placewise.surveys.outcome import Response

PARENT_SPREAD = 4.0  # shape of the gamma that the sizes of parents follow
SLOPE_SD = 0.12


@dataclass(frozen=True)
class Factor:
    """One grouping with effects normal(0, sd²); ``of_area`` where all respondents of an area share its level."""

    name: str
    size: int
    sd: float
    role: Role = "other"
    of_area: bool = False


@dataclass(frozen=True)
class Interaction:
    """Effects of every pair of levels of two factors."""

    names: tuple[str, str]
    sd: float

    @property
    def name(self) -> str:
        """As a formula writes it."""
        return ":".join(self.names)


@dataclass(frozen=True)
class VaryingSlope:
    """The slope of one column differs between the levels of a factor or of a level of the geography."""

    column: str
    factor: str
    sd: float

    @property
    def name(self) -> str:
        """As prior keys write it."""
        return f"{self.column}|{self.factor}"


@dataclass(frozen=True)
class Spec:
    """A problem to be simulated.

    Parameters
    ----------
    n : int
        Respondents.
    geography : tuple of Factor with role "geography"
        Levels, coarsest first, each at least as many as the one above; each area lies in one area of that level.
    factors, interactions, varying : tuple
        Groups that cross the geography.
    family : {"bernoulli", "binomial", "poisson", "gaussian", "cumulative"}
        Of the answers.
    categories : int
        Of a cumulative outcome, K.
    slopes : int
        Fixed columns: ``x1`` is 0 or 1 and a respondent's own, the others belong to their area and place.
    intercept : float
        On the link scale; a cumulative outcome has equally likely categories shifted by it.
    sigma : float
        Residual sd of a gaussian outcome.
    cover : bool
        Whether each of the finest areas gets a respondent (needs n >= areas); else they are met by chance.
    seed : int
        Of the places and respondents; the truth and the answers follow it and the replicate.
    priors : mapping of str to str
        As a model file writes them; defaults elsewhere.
    """

    n: int
    geography: tuple[Factor, ...] = ()
    factors: tuple[Factor, ...] = ()
    interactions: tuple[Interaction, ...] = ()
    varying: tuple[VaryingSlope, ...] = ()
    family: str = "bernoulli"
    categories: int = 5
    slopes: int = 9
    intercept: float = 0.4
    sigma: float = 1.0
    cover: bool = False
    seed: int = 1
    priors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Truth:
    """Parameters behind simulated answers.

    Parameters
    ----------
    intercept : float
        0 for a cumulative outcome, whose cutpoints take its place.
    cutpoints : ndarray, shape (K - 1,)
        Empty for other families.
    slopes : ndarray, shape (p,)
    sd : mapping of str to float
        By group.
    effects : mapping of str to ndarray
        By group, every level whether a respondent is in it or not.
    eta : ndarray, shape (n,)
        Linear predictor of the respondents.
    """

    intercept: float
    cutpoints: np.ndarray
    slopes: np.ndarray
    sd: Mapping[str, float]
    effects: Mapping[str, np.ndarray]
    eta: np.ndarray


@dataclass(frozen=True, eq=False)
class Simulated:
    """A simulated problem and what is known about it.

    Parameters
    ----------
    problem : FitProblem
        For an engine of placewise.
    frame : DataFrame, n rows
        For other programs: ``y``, ``x1`` …, one column of codes from 0 for each group without a slope; ``trials`` or
        ``exposure`` where the family has them.
    areas : DataFrame
        Every finest area: its codes on all levels, of-area factors and mean covariates; no rows without a geography.
    truth : Truth
        What the answers were drawn from.
    """

    problem: FitProblem
    frame: pd.DataFrame
    areas: pd.DataFrame
    truth: Truth


def simulate(spec: Spec, replicate: int = 0) -> Simulated:
    """Simulate a problem.

    Places and respondents depend on ``spec.seed`` only, so that families and replicates can share them; parameters
    and answers also on the replicate, and two families with the same effects share the noise behind the answers.

    Raises
    ------
    ValueError
        If a level of the geography has fewer areas than the one above, or too few respondents are to cover it.
    """
    rng = np.random.default_rng([spec.seed, 0])
    areas = _areas(spec, rng)
    codes = _respondents(spec, areas, rng)
    x = _columns(spec, areas, codes, rng)  # adds the areas' mean covariates
    rng = np.random.default_rng([spec.seed, 1, replicate])
    truth = _truth(spec, x, codes, rng)
    response, frame = _answers(spec, truth, rng)
    for j in range(spec.slopes):
        frame[f"x{j + 1}"] = x[:, j]
    for name, code in codes.items():
        frame[name] = code
    return Simulated(problem_of(spec, frame, response), frame, areas, truth)


def problem_of(spec: Spec, frame: pd.DataFrame, response: Response) -> FitProblem:
    """A fit of the specification's model to any data with its columns."""
    columns = tuple(Column(f"x{j + 1}", frame[f"x{j + 1}"].to_numpy(np.float64)) for j in range(spec.slopes))
    roles: dict[str, Role] = {f.name: f.role for f in (*spec.factors, *spec.geography)}
    groups = []
    for name in _sizes(spec):
        column, _, factor = name.rpartition("|")
        met, index = np.unique(frame[factor].to_numpy(), return_inverse=True)
        labels = tuple(str(code) for code in met)
        by = columns[int(column[1:]) - 1] if column else None
        groups.append(
            Group(name, roles.get(name, "other"), labels, index, all_labels=labels, by=by, factor=factor if by else "")
        )
    design = Design(spec.family != "cumulative", columns, tuple(groups), len(frame))
    problems = Problems()
    priors = {key: parse_prior(text, key, problems) for key, text in spec.priors.items()}
    problems.raise_if_any()
    known = {key: prior for key, prior in priors.items() if prior is not None}
    finest = spec.geography[-1].name if spec.geography else None
    plan = plan_of(design, response, spec.family, priors=known, area_group=finest)
    return FitProblem(design, response, spec.family, plan)


def unknowns(problem: FitProblem) -> int:
    """Intercept or cutpoints, slopes, effects and standard deviations of the groups."""
    design = problem.design
    location = max(len(problem.response.levels) - 1, 1)
    return location + len(design.columns) + len(design.groups) + sum(len(g.labels) for g in design.groups)


def _sizes(spec: Spec) -> dict[str, int]:
    """Levels of every group, crossed factors first, the finest geography last."""
    single = {g.name: g.size for g in (*spec.factors, *spec.geography)}
    crossed = {f.name: f.size for f in spec.factors}
    crossed |= {i.name: single[i.names[0]] * single[i.names[1]] for i in spec.interactions}
    crossed |= {v.name: single[v.factor] for v in spec.varying}
    return crossed | {g.name: g.size for g in spec.geography}


def _areas(spec: Spec, rng: np.random.Generator) -> pd.DataFrame:
    """Every finest area: its codes on all levels, the levels of of-area factors, its share of the population."""
    if not spec.geography:
        return pd.DataFrame()
    levels = spec.geography
    codes = {levels[-1].name: np.arange(levels[-1].size)}
    at = codes[levels[-1].name]
    for parent, child in zip(reversed(levels[:-1]), reversed(levels[1:]), strict=True):
        if child.size < parent.size:
            raise ValueError(f"{child.name} has {child.size} areas, fewer than {parent.name} with {parent.size}")
        share = rng.gamma(PARENT_SPREAD, size=parent.size)
        children = 1 + rng.multinomial(child.size - parent.size, share / share.sum())
        at = np.repeat(np.arange(parent.size), children)[at]
        codes[parent.name] = at
    areas = pd.DataFrame({g.name: codes[g.name] for g in levels})
    for factor in spec.factors:
        if factor.of_area:
            areas[factor.name] = rng.choice(factor.size, len(areas), p=_shares(factor.size, rng))
    areas["share"] = rng.gamma(PARENT_SPREAD, size=len(areas))
    areas["share"] /= areas["share"].sum()
    return areas


def _respondents(spec: Spec, areas: pd.DataFrame, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Code of each respondent in every group without a slope."""
    codes = {}
    if spec.geography:
        free = spec.n - len(areas) if spec.cover else spec.n
        if free < 0:
            raise ValueError(f"{spec.n} respondents cannot cover {len(areas)} areas")
        drawn = rng.choice(len(areas), free, p=areas["share"].to_numpy())
        at = np.sort(np.r_[np.arange(len(areas)), drawn] if spec.cover else drawn)
        names = [g.name for g in spec.geography] + [f.name for f in spec.factors if f.of_area]
        codes = {name: areas[name].to_numpy()[at] for name in names}
    for factor in spec.factors:
        if not factor.of_area:
            codes[factor.name] = rng.choice(factor.size, spec.n, p=_shares(factor.size, rng))
    sizes = {f.name: f.size for f in (*spec.factors, *spec.geography)}
    for pair in spec.interactions:
        first, second = pair.names
        codes[pair.name] = codes[first] * sizes[second] + codes[second]
    return codes


def _shares(size: int, rng: np.random.Generator) -> np.ndarray:
    """Unequal shares of the levels of a factor."""
    share = rng.gamma(PARENT_SPREAD, size=size)
    return np.asarray(share / share.sum())


def _columns(spec: Spec, areas: pd.DataFrame, codes: Mapping[str, np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Fixed columns, shape (n, p): a part from every level of the geography and one below it, correlated by a factor.

    Adds their area means to ``areas``.
    """
    x = np.empty((spec.n, spec.slopes))
    if spec.slopes == 0:
        return x
    x[:, 0] = rng.integers(0, 2, spec.n)
    p = spec.slopes - 1
    loading = rng.normal(0.0, 0.6, p)
    scale = np.sqrt(loading**2 + 0.7) * np.sqrt(len(spec.geography) + 1)

    def part(size: int) -> np.ndarray:
        return np.asarray(rng.normal(size=(size, 1)) * loading + np.sqrt(0.7) * rng.normal(size=(size, p)))

    x[:, 1:] = part(spec.n)
    if spec.geography:
        mean = np.zeros((len(areas), p))
        for level in spec.geography:
            values = part(level.size)
            mean += values[areas[level.name].to_numpy()]
            x[:, 1:] += values[codes[level.name]]
        areas["x1"] = 0.0
        areas[[f"x{j + 2}" for j in range(p)]] = mean / scale
    x[:, 1:] /= scale
    return x


def _truth(spec: Spec, x: np.ndarray, codes: Mapping[str, np.ndarray], rng: np.random.Generator) -> Truth:
    """Slopes and effects drawn from their distributions, and the linear predictor that follows."""
    sd = {f.name: f.sd for f in (*spec.geography, *spec.factors)}
    sd |= {i.name: i.sd for i in spec.interactions} | {v.name: v.sd for v in spec.varying}
    slopes = rng.normal(0.0, SLOPE_SD, spec.slopes)
    effects = {name: rng.normal(0.0, sd[name], size) for name, size in _sizes(spec).items()}
    eta = x @ slopes
    for name, effect in effects.items():
        column, _, factor = name.rpartition("|")
        eta += effect[codes[factor]] * (x[:, int(column[1:]) - 1] if column else 1.0)
    if spec.family == "cumulative":
        equal = logit(np.arange(1, spec.categories) / spec.categories)
        return Truth(0.0, equal - spec.intercept, slopes, sd, effects, eta)
    return Truth(spec.intercept, np.empty(0), slopes, sd, effects, eta + spec.intercept)


def _answers(spec: Spec, truth: Truth, rng: np.random.Generator) -> tuple[Response, pd.DataFrame]:
    """Answers given the linear predictor; one person's categories are cuts of a logistic latent variable."""
    eta = truth.eta
    kept = np.ones(spec.n, dtype=bool)
    match spec.family:
        case "bernoulli":
            y = (eta + rng.logistic(size=spec.n) > 0.0).astype(np.float64)
            return Response(y, kept), pd.DataFrame({"y": y.astype(np.int64)})
        case "cumulative":
            category = np.searchsorted(truth.cutpoints, eta + rng.logistic(size=spec.n))
            levels = tuple(str(k + 1) for k in range(spec.categories))
            return Response(category, kept, levels=levels), pd.DataFrame({"y": category})
        case "binomial":
            trials = 1.0 + rng.poisson(9.0, spec.n)
            y = rng.binomial(trials.astype(np.int64), 1.0 / (1.0 + np.exp(-eta))).astype(np.float64)
            return Response(y, kept, trials=trials), pd.DataFrame({"y": y, "trials": trials})
        case "poisson":
            exposure = rng.gamma(PARENT_SPREAD, 1.0 / PARENT_SPREAD, spec.n)
            y = rng.poisson(exposure * np.exp(eta)).astype(np.float64)
            return Response(y, kept, exposure=exposure), pd.DataFrame({"y": y, "exposure": exposure})
        case "gaussian":
            y = eta + rng.normal(0.0, spec.sigma, spec.n)
            return Response(y, kept), pd.DataFrame({"y": y})
    raise ValueError(f"no family is called {spec.family!r}")
