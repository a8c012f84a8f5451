"""Parameters of a model drawn from its priors, under the names that a posterior gives them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import stats

from placewise.errors import Problems
from placewise.kernels.structures import scaled_icar, scaled_rw1
from placewise.models.design import Design, Group
from placewise.models.prior_plan import PriorPlan, SdPrior
from placewise.models.priors import Prior

# variables by name, each with draws along the first axis
Values = Mapping[str, np.ndarray]


def check_can_simulate(design: Design, plan: PriorPlan) -> None:
    """Refuse what has no proper prior to draw from, or is not simulated in this version.

    Raises
    ------
    ConfigurationError
        A flat prior; correlated slopes, category-specific slopes, the area's sd by class, collective shrinkage.
    """
    found = Problems()
    sds = {"total": plan.total, "sigma": None if plan.sigma is None else SdPrior(plan.sigma)} | dict(plan.sds)
    slopes = {f"slope:{c.name}": p for c, p in zip(design.columns, plan.slopes, strict=True)}
    whole = {"intercept": plan.intercept, "cutpoints": plan.cutpoints, "slope": plan.slope_sd} | slopes
    for name, prior in (whole | {k: None if v is None else v.prior for k, v in sds.items()}).items():
        if prior is not None and prior.name == "flat":
            found.add(f"prior of {name}", "nothing can be drawn from flat()", "give it a proper prior")
    absent = {
        "correlated varying slopes": design.correlated,
        "category-specific slopes": design.category_specific,
        "the area's sd by class": design.area_scale,
        "collective shrinkage of slopes": plan.shrinkage,
    }
    for name, there in absent.items():
        if there:
            found.add("model", f"{name} cannot be simulated in this version", "leave them out", "unavailable")
    found.raise_if_any()


def draw_prior(prior: Prior, rng: np.random.Generator, size: int) -> np.ndarray:
    """Independent draws from a prior, shape (size,)."""
    a = prior.args
    match prior.name:
        case "normal":
            return rng.normal(a[0], a[1], size)
        case "student_t":
            return a[1] + a[2] * rng.standard_t(a[0], size)
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
        case "fixed":
            return np.full(size, a[0])
    raise ValueError(f"nothing can be drawn from {prior}")


def draw_parameters(design: Design, plan: PriorPlan, n_categories: int, rng: np.random.Generator) -> Values:
    """One draw of every parameter from its prior.

    Parameters
    ----------
    design : Design
        Columns and groups; effects are drawn for ``all_labels``, sampled or not.
    plan : PriorPlan
        Proper priors (`check_can_simulate`).
    n_categories : int
        Of an ordered answer; ignored without a prior of cutpoints.
    rng : Generator

    Returns
    -------
    mapping of str to ndarray, shapes (1, …)
        Names as in a posterior; ``effect_<group>`` has shape (1, len(all_labels)).
    """
    values: dict[str, np.ndarray] = {}
    if plan.intercept is not None:
        values["intercept"] = draw_prior(plan.intercept, rng, 1)
    if plan.cutpoints is not None:
        # one density for each, restricted to increasing order: the order statistics of independent draws
        values["cutpoints"] = np.sort(draw_prior(plan.cutpoints, rng, n_categories - 1))[None]
    if plan.sigma is not None:
        values["sigma"] = draw_prior(plan.sigma, rng, 1)
    if design.columns:
        values |= _draw_slopes(plan, rng)
    values |= _draw_sds(plan, rng)
    for group in design.groups:
        sd = values[f"sd_{group.name}"]
        if group.name in plan.rho:
            values[f"rho_{group.name}"] = draw_prior(plan.rho[group.name], rng, 1)
        standard = _standard_effects(group, values.get(f"rho_{group.name}", np.zeros(1))[0], rng)
        values[f"effect_{group.name}"] = sd[:, None] * standard
    return values


def _draw_slopes(plan: PriorPlan, rng: np.random.Generator) -> dict[str, np.ndarray]:
    values: dict[str, np.ndarray] = {}
    tau = np.zeros(1)
    if plan.slope_sd is not None:
        values["slope_sd"] = tau = draw_prior(plan.slope_sd, rng, 1)
    learned = [Prior("normal", (0.0, float(tau[0]))) if prior is None else prior for prior in plan.slopes]
    values["slopes"] = np.array([[float(draw_prior(prior, rng, 1)[0]) for prior in learned]])
    return values


def _draw_sd(prior: SdPrior, rng: np.random.Generator) -> np.ndarray:
    drawn = draw_prior(prior.prior, rng, 1)
    return drawn if prior.on == "sd" else np.sqrt(drawn)


def _draw_sds(plan: PriorPlan, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Every group's sd; a total and its split where groups share one."""
    values = {f"sd_{name}": _draw_sd(prior, rng) for name, prior in plan.sds.items()}
    if plan.total is None:
        return values
    total = _draw_sd(plan.total, rng)
    if len(plan.shared) == 1:
        return values | {f"sd_{plan.shared[0]}": total}
    split = stats.dirichlet(plan.concentration).rvs(random_state=rng)
    own = {f"sd_{name}": total * np.sqrt(split[:, k]) for k, name in enumerate(plan.shared)}
    return values | {"sd_total": total, "split": split} | own


def _standard_effects(group: Group, rho: float, rng: np.random.Generator) -> np.ndarray:
    """Effects of every level for an sd of 1, shape (1, len(all_labels))."""
    n = len(group.all_labels or group.labels)
    z = rng.standard_normal(n)
    if group.structure is None:
        return z[None]
    if group.structure.kind == "ar1":
        for k in range(1, n):
            z[k] = rho * z[k - 1] + np.sqrt(1.0 - rho**2) * z[k]
        return z[None]
    if group.structure.kind == "rw1":
        vectors, variance = scaled_rw1(n)
    else:
        vectors, spatial = scaled_icar(n, group.structure.edges)
        # of √(1 - ρ) v + √ρ s, along the eigenvectors of the spatial part s
        variance = 1.0 - rho + rho * spatial
    return np.asarray(vectors @ (np.sqrt(variance) * z))[None]
