"""The model as a PyMC program: the readable reference that faster engines are checked against.

Three linear reparametrisations make it sample well and leave the posterior unchanged:

* an effect u with sd σ and information I from its respondents is sampled as r, u = û I σ² / (1 + I σ²) + r σ /
  sqrt(1 + I σ²): for any σ, r has about mean 0 and variance 1 given the data. It is non-centred where I is small and
  centred where I is large, and has no funnel in between; structured effects are a linear map of coefficients to which
  the same is done;
* slopes and the r of groups with few levels are whitened together, r = M z;
* the sampled location is the linear predictor's mean over the respondents, intercept + x̄'β + Σ ū_g, because the
  intercept alone trades off against the means of well-informed groups.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from placewise.models.design import Group
from placewise.models.engines import FitProblem
from placewise.models.engines.averaged import Homes, homes_of
from placewise.models.engines.bases import basis_of, size_of
from placewise.models.engines.distributions import log_density, positive, real
from placewise.models.engines.likelihoods import (
    binomial_logit,
    cumulative_logit,
    gaussian_identity,
    poisson_log,
)
from placewise.models.engines.preconditioning import VERY_WIDE, Block, choose_block, coordinates, first_guess
from placewise.models.engines.pymc_averaged import area_sd, averaged_logit
from placewise.models.engines.pymc_instruments import add_instruments, instrument_coords
from placewise.models.engines.pymc_shrinkage import shrunk_sds
from placewise.models.engines.pymc_specific import (
    area_multipliers,
    linked_sds,
    sd_of_levels,
    slope_deviations,
    specific_logit,
)
from placewise.models.engines.pymc_structures import autocorrelation_or_share, coefficient_sds, effects_of
from placewise.models.engines.pymc_varying import correlated_effects, correlation_coords, standard_form
from placewise.models.engines.rows import Rows
from placewise.models.prior_plan import PriorPlan, SdPrior


def build_model(problem: FitProblem) -> pm.Model:
    """Write a fit as a PyMC model.

    The variables kept in the posterior are ``intercept`` or ``cutpoints``, ``slopes``, ``slope_sd``, ``sd_total``,
    ``split``, ``sd_<group>``, ``rho_<group>``, ``cor_<factor>``, ``effect_<group>``, ``sigma``, ``slope_deviations``,
    ``deviation_sd``, ``area_scale``, ``area_scale_sd``, ``slope_r2``, ``slope_scale``, ``discrimination`` and
    ``survey_scale``, as far as the model has them.
    """
    rows = problem.rows
    design, plan = problem.design, problem.priors
    tuning = coordinates(problem, rows, first_guess(problem))
    with pm.Model(coords=_coords(problem)) as model:
        sds = _sds(plan)
        raw = _whitened(problem, choose_block(problem), tuning)
        sigma = None if plan.sigma is None else positive("sigma", SdPrior(plan.sigma))
        slopes = _slopes(plan, raw.get("slopes"), shrunk_sds(problem, sigma), tuning)
        multipliers = area_multipliers(design, plan)
        sds |= {g.name: sd_of_levels(g, design, sds[g.name], multipliers) for g in design.groups}
        inside = area_sd(design, plan, sds)
        sds |= linked_sds(design, plan, sds)
        correlated = correlated_effects(problem, sds, raw, tuning)
        effects = [
            correlated[g.name] if g.name in correlated else _effect(g, plan, sds[g.name], raw.get(g.name), tuning)
            for g in design.groups
        ]
        linear, apart = _linear(problem, rows, slopes, effects)
        if rows.instruments is not None:
            add_instruments(problem, rows, linear, apart)
            return model
        shift = _mean_over_rows(linear, rows)
        homes = homes_of(problem)
        ordered = problem.family == "cumulative"
        cutpoints = _cutpoints(plan, shift, len(problem.response.levels)) if ordered else None
        constant = 0.0 if ordered else _intercept(plan, shift, problem)
        if homes is not None:
            eta = _linear(problem, homes, slopes, effects)[0] + constant
            pm.Potential("likelihood", averaged_logit(problem, homes, eta, cutpoints, inside))
        elif ordered:
            pm.Potential("likelihood", _cumulative(problem, linear, rows, cutpoints))
        else:
            pm.Potential("likelihood", _log_likelihood(problem, linear + constant, rows, sigma))
    return model


def _linear(problem: FitProblem, rows: Rows | Homes, slopes: Any | None, effects: list[Any]) -> tuple[Any, Any]:
    """Linear predictor of each row without intercept, and what belongs to the row's survey only."""
    linear = rows.x @ slopes if slopes is not None else pt.zeros(len(rows.x))
    apart = pt.zeros(len(rows.x))
    parts = zip(problem.design.groups, effects, rows.index, rows.by, rows.shares, strict=True)
    for group, u, at, by, share in parts:
        own = u[at] if share is None else share @ u
        own = own if by is None else by * own
        if group.survey:
            apart = apart + own
        else:
            linear = linear + own
    return linear, apart


def _coords(problem: FitProblem) -> dict[str, Any]:
    design, plan = problem.design, problem.priors
    coords: dict[str, Any] = {g.dim: list(g.labels) for g in design.groups} | correlation_coords(design)
    if design.columns:
        coords["covariate"] = [c.name for c in design.columns]
    if len(plan.shared) > 1:
        coords["geography"] = list(plan.shared)
    if problem.response.instruments is not None:
        coords |= instrument_coords(problem.response.instruments)
    elif problem.family == "cumulative":
        levels = problem.response.levels
        coords["cutpoint"] = [f"{a} | {b}" for a, b in itertools.pairwise(levels)]
    if design.category_specific:
        coords["covariate_specific"] = [design.columns[k].name for k in design.category_specific]
    if design.area_scale is not None:
        coords["area_class"] = list(design.area_scale.classes)
    return coords


def _cumulative(problem: FitProblem, linear: Any, rows: Rows, cutpoints: Any) -> Any:
    """Log likelihood of ordered answers, each slope the same at every cutpoint or not."""
    deviations, count = slope_deviations(problem, rows), len(problem.response.levels)
    if deviations is None:
        return cumulative_logit(linear, rows, cutpoints, count)
    return specific_logit(linear, rows, cutpoints, problem.design, deviations, count)


def _log_likelihood(problem: FitProblem, eta: Any, rows: Rows, sigma: Any | None) -> Any:
    if problem.family in ("bernoulli", "binomial"):
        return binomial_logit(eta, rows)
    if problem.family == "poisson":
        return poisson_log(eta, rows)
    return gaussian_identity(eta, rows, sigma)


def _mean_over_rows(linear: Any, rows: Rows) -> Any:
    """Mean of the linear predictor over the respondents, weighted by their information."""
    weight = rows.information / rows.information.sum()
    return (linear * weight).sum()


def _whitened(problem: FitProblem, block: Block, tuning: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Standardised slopes and effects of the block, by name, as one linear map of the sampled z."""
    if not block.size:
        return {}
    r = pm.Data("whitening", tuning["whitening"]) @ pm.Flat("block", shape=block.size, initval=np.zeros(block.size))
    sizes = {"slopes": len(problem.design.columns)} if block.slopes else {}
    sizes |= {problem.design.groups[k].name: size_of(problem.design.groups[k]) for k in block.groups}
    ends = np.cumsum(list(sizes.values()))
    return {name: r[end - size : end] for (name, size), end in zip(sizes.items(), ends, strict=True)}


def _standardised(name: str, r: Any, sd: Any, tuning: Mapping[str, np.ndarray]) -> tuple[Any, Any]:
    """Effects u from their standardised form r, and the log density of each r under u ~ normal(0, sd²)."""
    ratio, density = standard_form(name, r, sd, tuning)
    return ratio * sd, density


def _slopes(plan: PriorPlan, r: Any | None, shrunk: Any | None, tuning: Mapping[str, np.ndarray]) -> Any | None:
    """Slopes: normal(0, τ) with τ learned, one for each where they are shrunk, or with the prior that the user gave."""
    p = len(plan.slopes)
    if p == 0:
        return None
    tau: Any = shrunk if plan.slope_sd is None else positive("slope_sd", SdPrior(plan.slope_sd)) * pt.ones(p)
    if r is None:
        parts = [
            pm.Normal(f"slope_{k}", 0.0, tau[k]) if prior is None else real(f"slope_{k}", prior)
            for k, prior in enumerate(plan.slopes)
        ]
        return pm.Deterministic("slopes", pt.stack(parts), dims="covariate")
    widths = np.array([VERY_WIDE if not prior or not prior.args else prior.args[-1] for prior in plan.slopes])
    learned = np.array([prior is None for prior in plan.slopes], dtype=np.float64)
    sd = widths if tau is None else learned * tau + (1.0 - learned) * widths
    slopes, density = _standardised("slopes", r, sd, tuning)
    pm.Potential("prior_slopes", density[np.flatnonzero(learned)].sum())
    for prior in dict.fromkeys(q for q in plan.slopes if q is not None):
        same = np.flatnonzero([q == prior for q in plan.slopes])
        pm.Potential(f"prior_slopes_{same[0]}", log_density(slopes[same], prior).sum())
    return pm.Deterministic("slopes", slopes, dims="covariate")


def _sds(plan: PriorPlan) -> dict[str, Any]:
    """Standard deviation of every group: its own, or its share of the geography's total."""
    sds = {name: positive(f"sd_{name}", prior) for name, prior in plan.sds.items()}
    if plan.total is not None and len(plan.shared) == 1:
        sds[plan.shared[0]] = positive(f"sd_{plan.shared[0]}", plan.total)
    elif plan.total is not None:
        total = positive("sd_total", plan.total)
        split = pm.Dirichlet("split", a=np.array(plan.concentration), dims="geography")
        for k, name in enumerate(plan.shared):
            sds[name] = pm.Deterministic(f"sd_{name}", total * pt.sqrt(split[k]))
    return sds


def _effect(group: Group, plan: PriorPlan, sd: Any, r: Any | None, tuning: Mapping[str, np.ndarray]) -> Any:
    """Effects of one group; ``r`` where they are whitened with others."""
    if r is None:
        r = pm.Flat(f"raw_{group.name}", shape=size_of(group), initval=np.zeros(size_of(group)))
    basis = basis_of(group)
    if basis is None:
        effects, density = _standardised(group.name, r, sd, tuning)
    else:
        rho = autocorrelation_or_share(group, plan)
        w, density = _standardised(group.name, r, coefficient_sds(basis, sd, rho), tuning)
        effects = effects_of(basis, w, rho)
    pm.Potential(f"prior_{group.name}", density.sum())
    return pm.Deterministic(f"effect_{group.name}", effects, dims=group.dim)


def _intercept(plan: PriorPlan, shift: Any, problem: FitProblem) -> Any:
    """Intercept, sampled as the linear predictor's mean over the respondents."""
    if plan.intercept is None:
        return 0.0
    if plan.intercept.name in ("uniform", "fixed"):
        return real("intercept", plan.intercept)
    location = pm.Flat("location", initval=_start(problem))
    intercept = pm.Deterministic("intercept", location - shift)
    pm.Potential("intercept_prior", log_density(intercept, plan.intercept))
    return intercept


def _start(problem: FitProblem) -> float:
    """Overall mean on the link scale."""
    response = problem.response
    y = np.asarray(response.y, dtype=np.float64)
    if problem.family == "gaussian":
        return float(y.mean())
    size = response.trials if problem.family == "binomial" else response.exposure
    mean = (y.sum() + 0.5) / ((len(y) if size is None else float(np.sum(size))) + 1.0)
    return float(np.log(mean)) if problem.family == "poisson" else float(np.log(mean / (1.0 - mean)))


def _cutpoints(plan: PriorPlan, shift: Any, n_categories: int) -> Any:
    """Ordered cutpoints, sampled relative to the linear predictor's mean over the respondents."""
    spread = np.linspace(-1.0, 1.0, n_categories - 1) if n_categories > 2 else np.zeros(1)
    free = pm.Flat(
        "cutpoints_relative",
        shape=n_categories - 1,
        initval=spread,
        default_transform=pm.distributions.transforms.ordered if n_categories > 2 else None,
    )
    cutpoints = pm.Deterministic("cutpoints", free + shift, dims="cutpoint")
    if plan.cutpoints is not None:
        pm.Potential("cutpoints_prior", log_density(cutpoints, plan.cutpoints).sum())
    return cutpoints
