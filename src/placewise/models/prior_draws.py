"""Parameters of a model drawn from its priors, under the names that a posterior gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from placewise.kernels.structures import scaled_icar, scaled_rw1
from placewise.models.correlations import correlation_cholesky, partial_priors
from placewise.models.design import Design, Group
from placewise.models.engines.shrinkage import CONCENTRATION, SLAB_DF, SLAB_SCALE, ShrinkageScales
from placewise.models.prior_plan import PriorPlan, SdPrior
from placewise.models.priors import Prior

# variables by name, each with draws along the first axis
Values = Mapping[str, np.ndarray]


def draw_prior(prior: Prior, rng: np.random.Generator, size: int | tuple[int, ...]) -> np.ndarray:
    """Independent draws from a prior of one number, of any shape.

    Raises
    ------
    ValueError
        The prior is flat, or of several numbers together.
    """
    a = prior.args
    match prior.name:
        case "normal":
            return rng.normal(a[0], a[1], size)
        case "student_t":
            return np.asarray(a[1] + a[2] * rng.standard_t(a[0], size))
        case "half_normal":
            return np.abs(rng.normal(0.0, a[0], size))
        case "half_cauchy":
            return np.abs(a[0] * rng.standard_cauchy(size))
        case "half_student_t":
            return np.abs(a[2] * rng.standard_t(a[0], size))
        case "gamma":
            return rng.gamma(a[0], 1.0 / a[1], size)
        case "inv_gamma":
            return np.asarray(a[1] / rng.gamma(a[0], 1.0, size))
        case "exponential":
            return rng.exponential(1.0 / a[0], size)
        case "pc":
            return rng.exponential(-a[0] / np.log(a[1]), size)
        case "uniform":
            return rng.uniform(a[0], a[1], size)
        case "lognormal":
            return rng.lognormal(a[0], a[1], size)
        case "beta":
            return rng.beta(a[0], a[1], size)
        case "fixed":
            return np.full(size, a[0])
    raise ValueError(f"nothing can be drawn from {prior}")


def improper_priors(design: Design, plan: PriorPlan) -> list[str]:
    """Names of the parameters whose prior is flat, so that nothing can be drawn from it."""
    sds = {"total": plan.total} | dict(plan.sds)
    slopes = {f"slope:{c.name}": p for c, p in zip(design.columns, plan.slopes, strict=True)}
    single = {
        "intercept": plan.intercept,
        "cutpoints": plan.cutpoints,
        "slope": plan.slope_sd,
        "sigma": plan.sigma,
        "category_specific": plan.deviation_sd,
        "area_scale": plan.area_scale_sd,
        "discrimination": plan.discrimination,
    }
    whole = single | slopes | {name: None if sd is None else sd.prior for name, sd in sds.items()}
    return [name for name, prior in whole.items() if prior is not None and prior.name == "flat"]


def draw_from_priors(
    design: Design,
    plan: PriorPlan,
    cuts: Sequence[int],
    rng: np.random.Generator,
    draws: int,
    *,
    scales: ShrinkageScales | None = None,
    instruments: int = 0,
    surveys: int = 1,
) -> dict[str, np.ndarray]:
    """Every parameter but the effects of groups.

    Parameters
    ----------
    design : Design
    plan : PriorPlan
        Proper priors (`improper_priors`).
    cuts : sequence of int
        Number of cutpoints of each ordered question; not looked at without a prior of cutpoints.
    rng : Generator
    draws : int
        S.
    scales : ShrinkageScales, optional
        Of slopes shrunk together, where the plan has such a prior.
    instruments : int
        Items that have a discrimination; 0 outside a scale.
    surveys : int
        Surveys of the outcome: each but the reference has a scale.

    Returns
    -------
    mapping of str to ndarray, shapes (S, …)
    """
    values: dict[str, np.ndarray] = {}
    if plan.intercept is not None:
        values["intercept"] = draw_prior(plan.intercept, rng, draws)
    if plan.cutpoints is not None:
        # one density for each, restricted to increasing order: the order statistics of independent draws
        each = [np.sort(draw_prior(plan.cutpoints, rng, (draws, count)), axis=1) for count in cuts]
        values["cutpoints"] = np.concatenate(each, axis=1)
    if plan.sigma is not None:
        values["sigma"] = draw_prior(plan.sigma, rng, draws)
    if design.columns:
        values |= _draw_slopes(design, plan, rng, draws, scales, sum(cuts))
    values |= _draw_sds(plan, rng, draws)
    for name, prior in plan.rho.items():
        values[f"rho_{name}"] = draw_prior(prior, rng, draws)
    for block in design.correlated:
        factor = design.groups[block[0]].dim
        values[f"cor_{factor}"] = _draw_correlations(len(block), plan.cor[factor], rng, draws)
    values |= _draw_area_scale(design, plan, rng, draws)
    if plan.discrimination is not None and instruments:
        values["discrimination"] = draw_prior(plan.discrimination, rng, (draws, instruments))
        if "cutpoints" in values:  # the prior is of the trait at which an answer turns
            values["cutpoints"] = values["cutpoints"] * np.repeat(values["discrimination"], cuts, axis=1)
    if plan.discrimination is not None and surveys > 1:
        values["survey_scale"] = draw_prior(plan.discrimination, rng, (draws, surveys - 1))
    return values


def _draw_area_scale(design: Design, plan: PriorPlan, rng: np.random.Generator, draws: int) -> dict[str, np.ndarray]:
    """Multipliers of the area's own sd by class, where they are learned, and the sd of their logs."""
    if plan.area_scale_sd is None or design.area_scale is None:
        return {}
    omega = draw_prior(plan.area_scale_sd, rng, draws)
    normals = rng.standard_normal((draws, len(design.area_scale.classes)))
    return {"area_scale_sd": omega, "area_scale": np.exp(omega[:, None] * normals)}


def standard_effects(group: Group, levels: int, rho: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Effects of a group's levels for an sd of 1.

    Parameters
    ----------
    group : Group
        Its structure decides how they depend on each other.
    levels : int
        n.
    rho : ndarray of float64, shape (S,)
        Autocorrelation or spatial share; not looked at without such a structure.

    Returns
    -------
    ndarray of float64, shape (S, n)
    """
    z = rng.standard_normal((len(rho), levels))
    if group.structure is None:
        return z
    if group.structure.kind == "ar1":
        for k in range(1, levels):
            z[:, k] = rho * z[:, k - 1] + np.sqrt(1.0 - rho**2) * z[:, k]
        return z
    if group.structure.kind == "rw1":
        vectors, variance = scaled_rw1(levels)
        return np.asarray((np.sqrt(variance) * z) @ vectors.T)
    vectors, spatial = scaled_icar(levels, group.structure.edges)
    # of √(1 - ρ) v + √ρ s, along the eigenvectors of the spatial part s
    variance = 1.0 - rho[:, None] + rho[:, None] * spatial
    return np.asarray((np.sqrt(variance) * z) @ vectors.T)


def _draw_slopes(
    design: Design,
    plan: PriorPlan,
    rng: np.random.Generator,
    draws: int,
    scales: ShrinkageScales | None,
    cuts: int,
) -> dict[str, np.ndarray]:
    """Slopes, their common sd, and their deviations by cutpoint."""
    values: dict[str, np.ndarray] = {}
    sd = np.zeros((draws, 1))
    if plan.slope_sd is not None:
        values["slope_sd"] = draw_prior(plan.slope_sd, rng, draws)
        sd = values["slope_sd"][:, None]
    elif plan.shrinkage is not None:
        assert scales is not None
        sd = _shrunk_sds(plan.shrinkage, sum(p is None for p in plan.slopes), scales, values.get("sigma"), rng, draws)
    learned = iter(np.broadcast_to(sd, (draws, len(plan.slopes))).T if sd.shape[1] == 1 else sd.T)
    values["slopes"] = np.column_stack([
        rng.normal(0.0, next(learned)) if prior is None else draw_prior(prior, rng, draws) for prior in plan.slopes
    ])  # fmt: skip
    if plan.deviation_sd is not None:
        values["deviation_sd"] = draw_prior(plan.deviation_sd, rng, draws)
        normals = rng.standard_normal((draws, len(design.category_specific), cuts))
        values["slope_deviations"] = values["deviation_sd"][:, None, None] * normals
    return values


def _shrunk_sds(
    prior: Prior, count: int, scales: ShrinkageScales, sigma: np.ndarray | None, rng: np.random.Generator, draws: int
) -> np.ndarray:
    """The sd of each slope under ``r2d2`` or ``horseshoe``, shape (S, count)."""
    unit = np.full(draws, scales.unit) if sigma is None else sigma
    if prior.name == "r2d2":
        mean, precision = prior.args
        r2 = rng.beta(mean * precision, (1.0 - mean) * precision, draws)
        split = rng.dirichlet(np.full(count, CONCENTRATION), draws)
        return np.asarray(unit[:, None] * np.sqrt(split * (r2 / (1.0 - r2))[:, None]))
    (p0,) = prior.args
    noise = scales.noise if sigma is None else scales.noise * sigma
    tau = np.abs(rng.standard_cauchy(draws)) * (p0 / (count - p0)) * noise
    wide = tau[:, None] * np.abs(rng.standard_cauchy((draws, count)))
    slab = SLAB_DF / 2.0 * (SLAB_SCALE * scales.unit) ** 2 / rng.gamma(SLAB_DF / 2.0, 1.0, (draws, 1))
    return np.asarray(wide * np.sqrt(slab / (slab + wide**2)))


def _draw_sd(prior: SdPrior, rng: np.random.Generator, draws: int) -> np.ndarray:
    drawn = draw_prior(prior.prior, rng, draws)
    return drawn if prior.on == "sd" else np.sqrt(drawn)


def _draw_sds(plan: PriorPlan, rng: np.random.Generator, draws: int) -> dict[str, np.ndarray]:
    """Every group's sd; a total and its split where groups share one."""
    values = {f"sd_{name}": _draw_sd(prior, rng, draws) for name, prior in plan.sds.items()}
    if plan.total is None:
        return values
    total = _draw_sd(plan.total, rng, draws)
    if len(plan.shared) == 1:
        return values | {f"sd_{plan.shared[0]}": total}
    split = rng.dirichlet(plan.concentration, draws)
    own = {f"sd_{name}": total * np.sqrt(split[:, k]) for k, name in enumerate(plan.shared)}
    return values | {"sd_total": total, "split": split} | own


def _draw_correlations(k: int, eta: float, rng: np.random.Generator, draws: int) -> np.ndarray:
    """Correlation matrices under LKJ(η), shape (S, k, k)."""
    alpha = np.array(partial_priors(k, eta))
    factor = correlation_cholesky(2.0 * rng.beta(alpha, alpha, (draws, len(alpha))) - 1.0)
    return np.asarray(factor @ factor.swapaxes(1, 2))
