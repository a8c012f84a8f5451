"""One simulation: draw a truth and answers, fit, and place the truth among the posterior's draws."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from placewise.diagnostics.calibration.answers import draw_answers, log_likelihood
from placewise.diagnostics.calibration.experiment import Experiment, draw_truth
from placewise.diagnostics.calibration.parameters import Values
from placewise.diagnostics.calibration.predictions import area_eta, index_of, linear_predictor, overall
from placewise.diagnostics.calibration.uniformity import uniform_rank
from placewise.errors import ModelError
from placewise.kernels.mixing import ess_bulk
from placewise.models.design import Design
from placewise.models.engines import Engine, FitOptions, FitProblem
from placewise.models.prior_plan import PriorPlan

FEWEST_DRAWS = 20


@dataclass(frozen=True)
class Spread:
    """Standardised errors z = (truth − mean) / sd of the areas of one fit, added up.

    Parameters
    ----------
    n : int
        Areas.
    mean, square : float
        Mean of z and of z².
    covered : float
        Share of areas whose central 90% interval holds the truth.
    """

    n: int
    mean: float
    square: float
    covered: float


@dataclass(frozen=True)
class Replicate:
    """What one simulation says.

    Parameters
    ----------
    number : int
        Of the simulation; with the seed it decides everything.
    seconds : float
        Wall time of the fit.
    draws, kept : int
        Draws of the posterior, and those inside the declared region.
    places : mapping of str to float
        Place of the truth of each scalar, uniform on (0, 1) where the engine is right; empty where fewer than 20 draws
        were kept.
    eta, index : Spread or None
        Standardised errors of the areas; None without areas, or where too few draws were kept.
    error : str
        Why the engine gave no draws at all, if so.
    """

    number: int
    seconds: float
    draws: int
    kept: int
    places: Mapping[str, float]
    eta: Spread | None
    index: Spread | None
    error: str = ""


def simulate_once(experiment: Experiment, engine: Engine, options: FitOptions, seed: int, number: int) -> Replicate:
    """Simulate and fit once; an engine that says it failed leaves a replicate without places.

    Parameters
    ----------
    experiment : Experiment
    engine : callable
        As every engine of `placewise.models.engines`.
    options : FitOptions
        Its seed is replaced.
    seed, number : int
        Of the whole study, and of this simulation.
    """
    rng = np.random.default_rng([seed, number])
    truth = draw_truth(experiment, rng)
    response = draw_answers(experiment, truth, rng)
    problem = FitProblem(experiment.design, response, experiment.family, experiment.priors)
    start = time.perf_counter()
    try:
        idata = engine(problem, replace(options, seed=int(rng.integers(2**31))))
    except ModelError as error:
        return Replicate(number, time.perf_counter() - start, 0, 0, {}, None, None, str(error))
    seconds = time.perf_counter() - start
    values, chains = _posterior(idata, truth.values)
    eta = linear_predictor(experiment.design, values)
    levels = overall(experiment.family, values, eta)
    kept = experiment.inside(levels)
    draws, n_kept = len(kept), int(kept.sum())
    if n_kept < FEWEST_DRAWS:
        return Replicate(number, seconds, draws, n_kept, {}, None, None)
    found = scalars(experiment.design, experiment.priors, values, levels)
    true = scalars(experiment.design, experiment.priors, truth.values, truth.levels)
    found["log likelihood"] = log_likelihood(experiment, values, eta, response)
    true["log likelihood"] = log_likelihood(experiment, truth.values, truth.eta, response)
    places = _places(true, found, kept, chains, rng)
    if not len(experiment.areas):
        return Replicate(number, seconds, draws, n_kept, places, None, None)
    area_truth = area_eta(experiment.design, truth.values, experiment.areas, rng)
    inside = {name: draw[kept] for name, draw in values.items()}
    areas = area_eta(experiment.design, inside, experiment.areas, rng)
    spreads = _spread(area_truth[0], areas), _spread(index_of(area_truth)[0], index_of(areas))
    return Replicate(number, seconds, draws, n_kept, places, *spreads)


def scalars(design: Design, plan: PriorPlan, values: Values, levels: np.ndarray) -> dict[str, np.ndarray]:
    """The scalars whose ranks are looked at, each of shape (S,); those that a prior fixes are left out.

    Intercept or cutpoints, slopes and their sd, the total and every group's sd, autocorrelations and spatial shares,
    the first effect of each group that has a respondent, the residual sd, the overall levels.
    """
    found: dict[str, np.ndarray] = {}
    for name, prior in (("intercept", plan.intercept), ("slope_sd", plan.slope_sd), ("sigma", plan.sigma)):
        if prior is not None and prior.name != "fixed":
            found[name] = values[name]
    for k in range(values["cutpoints"].shape[1] if "cutpoints" in values else 0):
        found[f"cutpoints[{k + 1}]"] = values["cutpoints"][:, k]
    for k, (column, own) in enumerate(zip(design.columns, plan.slopes, strict=True)):
        if own is None or own.name != "fixed":
            found[f"slopes[{column.name}]"] = values["slopes"][:, k]
    if "sd_total" in values and plan.total is not None and plan.total.prior.name != "fixed":
        found["sd_total"] = values["sd_total"]
    for group in design.groups:
        if not _fixed_sd(plan, group.name):
            found[f"sd_{group.name}"] = values[f"sd_{group.name}"]
        if group.name in plan.rho and plan.rho[group.name].name != "fixed":
            found[f"rho_{group.name}"] = values[f"rho_{group.name}"]
        found[f"effect_{group.name}[1]"] = values[f"effect_{group.name}"][:, 0]
    found |= {f"overall[{k + 1}]": levels[:, k] for k in range(levels.shape[1])}
    return found


def _fixed_sd(plan: PriorPlan, name: str) -> bool:
    own = plan.sds.get(name)
    if own is None and len(plan.shared) == 1:
        own = plan.total
    return own is not None and own.prior.name == "fixed"


def _posterior(idata: Any, names: Values) -> tuple[dict[str, np.ndarray], int]:
    """Draws of every variable, chains one after another, and the number of chains."""
    posterior = idata.posterior
    chains = int(posterior.sizes["chain"])
    arrays = {name: np.asarray(posterior[name], dtype=np.float64) for name in names}
    return {name: a.reshape(-1, *a.shape[2:]) for name, a in arrays.items()}, chains


def _places(
    true: Mapping[str, np.ndarray],
    found: Mapping[str, np.ndarray],
    kept: np.ndarray,
    chains: int,
    rng: np.random.Generator,
) -> dict[str, float]:
    """Place of each scalar's truth; draws that depend on each other are thinned to their effective number."""
    names = list(found)
    stacked = np.stack([found[name] for name in names], axis=1)
    by_chain = stacked.reshape(chains, -1, len(names))
    moving = stacked.max(axis=0) > stacked.min(axis=0)
    step = np.ones(len(names), dtype=np.int64)
    step[moving] = np.maximum(1, np.rint(len(stacked) / ess_bulk(by_chain[:, :, moving]))).astype(np.int64)
    return {
        name: uniform_rank(float(true[name][0]), found[name][kept][:: step[k]], rng) for k, name in enumerate(names)
    }


def _spread(truth: np.ndarray, draws: np.ndarray) -> Spread:
    z = (truth - draws.mean(axis=0)) / draws.std(axis=0, ddof=1)
    lower, upper = np.quantile(draws, (0.05, 0.95), axis=0)
    return Spread(len(z), float(z.mean()), float(np.mean(z**2)), float(np.mean((truth >= lower) & (truth <= upper))))
