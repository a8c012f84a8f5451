"""Which prior each parameter of a model gets: the user's where written, the documented default elsewhere.

Defaults, on the link scale: geography and the area share one total, gamma(4, 22), split by a Dirichlet(1, …, 1, 1.5 L)
over the L levels above the area and the area itself; classes gamma(2, 10) each; other groupings half-student-t(3, 0,
0.5); slopes normal(0, τ) with τ ~ half-normal(0.25) learned; intercept and cutpoints normal(0, 3). Gaussian outcomes
multiply every default by sd(y) and centre the intercept on mean(y), so that results follow the units of y.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from placewise.errors import Problems, nearest
from placewise.models.design import Design
from placewise.models.discrepancy import is_shift
from placewise.models.priors import DISTRIBUTIONS, Prior

INTERCEPT = Prior("normal", (0.0, 3.0))
CUTPOINTS = Prior("normal", (0.0, 3.0))
SLOPE_SD = Prior("half_normal", (0.25,))
TOTAL = Prior("gamma", (4.0, 22.0))
CLASS_SD = Prior("gamma", (2.0, 10.0))
OTHER_SD = Prior("half_student_t", (3.0, 0.0, 0.5))
RESIDUAL_SD = Prior("half_student_t", (3.0, 0.0, 1.0))
CORRELATIONS = Prior("lkj", (2.0,))
AREA_SPLIT = 1.5
DEVIATION_SD = Prior("half_normal", (0.1,))
DISCRIMINATION = Prior("lognormal", (0.0, 0.5))
DISCREPANCY_SD = Prior("half_normal", (0.1,))
SHIFT = Prior("normal", (0.0, 0.5))
AREA_SCALE_SD = Prior("half_normal", (0.3,))
# Flat over all that is possible: nothing is said of how alike neighbours are. For bym2 a beta(0.5, 0.5) would say that
# the variance is nearly all spatial or nearly none, and the penalised prior of Riebler et al. (2016) favours none.
RHO = {"ar1": Prior("uniform", (-1.0, 1.0)), "bym2": Prior("uniform", (0.0, 1.0))}


@dataclass(frozen=True)
class SdPrior:
    """A prior on a standard deviation, or on its square."""

    prior: Prior
    on: Literal["sd", "var"] = "sd"

    def __str__(self) -> str:
        return f"{self.prior}" if self.on == "sd" else f"variance ~ {self.prior}"


@dataclass(frozen=True)
class PriorPlan:
    """Every prior of one model, resolved.

    Parameters
    ----------
    intercept : Prior or None
        None in cumulative models and formulas without an intercept.
    cutpoints : Prior or None
        An independent density for each cutpoint, restricted to increasing order; in a scale for each cutpoint over its
        item's discrimination, the trait at which an answer turns.
    slope_sd : Prior or None
        Prior of τ, the common sd of slopes without a prior of their own; None when there are none.
    slopes : tuple of (Prior or None), length p
        A slope's own prior; None where it is normal(0, τ).
    total : SdPrior or None
        Prior of the total sd of geography and the area; None when no group shares it.
    shared : tuple of str
        Groups that share the total, coarsest first.
    concentration : tuple of float
        Dirichlet weights of the split over ``shared``.
    sds : mapping of str to SdPrior
        Groups with an sd of their own.
    sigma : Prior or None
        Residual sd of a gaussian outcome with unknown variance.
    rho : mapping of str to Prior
        By group: autocorrelation of an ar1 group, share of the spatial part in the variance of a bym2 group.
    cor : mapping of str to float
        By factor: the η of an LKJ(η) prior on the correlations of its varying intercept and slopes.
    shrinkage : Prior or None
        ``r2d2`` or ``horseshoe`` on all slopes without a prior of their own; then ``slope_sd`` is None.
    deviation_sd : Prior or None
        Prior of ω, the sd of category-specific deviations of slopes.
    area_scale_sd : Prior or None
        Prior of ω, the sd of the log multipliers of the area's sd, where they are learned.
    below : tuple of str, str and float, or None
        Where respondents are linked above the area and the ratio r is known: the group at which they are, whose part of
        the total is that of the area too, the area's own group, and r.
    discrimination : Prior or None
        Of each item's discrimination in a scale, and of the scale of each survey but the reference.
    """

    intercept: Prior | None
    cutpoints: Prior | None
    slope_sd: Prior | None
    slopes: tuple[Prior | None, ...]
    total: SdPrior | None
    shared: tuple[str, ...]
    concentration: tuple[float, ...]
    sds: Mapping[str, SdPrior]
    sigma: Prior | None
    rho: Mapping[str, Prior] = field(default_factory=dict)
    cor: Mapping[str, float] = field(default_factory=dict)
    shrinkage: Prior | None = None
    deviation_sd: Prior | None = None
    area_scale_sd: Prior | None = None
    below: tuple[str, str, float] | None = None
    discrimination: Prior | None = None


def scaled(prior: Prior, factor: float, location: float = 0.0) -> Prior:
    """Prior of ``location + factor * x`` when x has ``prior`` (a default; location only moves normal priors)."""
    a = prior.args
    match prior.name:
        case "normal":
            return Prior("normal", (location + factor * a[0], factor * a[1]))
        case "half_normal":
            return Prior("half_normal", (factor * a[0],))
        case "half_student_t":
            return Prior("half_student_t", (a[0], 0.0, factor * a[2]))
        case "gamma":
            return Prior("gamma", (a[0], a[1] / factor))
    raise ValueError(f"no default prior is {prior}")


def plan_priors(
    priors: Mapping[str, Prior],
    split: float | None,
    design: Design,
    area_group: str | None,
    family: str,
    *,
    y_mean: float = 0.0,
    y_sd: float = 1.0,
    known_variance: bool = False,
    instruments: bool = False,
) -> PriorPlan:
    """Resolve the priors of a model.

    Parameters
    ----------
    priors : mapping of str to Prior
        What the user wrote, by the keys of the model file.
    split : float or None
        ``split:geography``.
    design : Design
        Names of columns and groups, and the groups' roles.
    area_group : str or None
        Name of the area's own group; None where there is no areas table.
    family : str
        Likelihood family.
    y_mean, y_sd : float
        Of a gaussian outcome; 0 and 1 elsewhere.
    known_variance : bool
        Gaussian outcome with known sampling variances.
    instruments : bool
        Whether the trait is measured by several items or surveys.
    """
    cumulative = family in ("cumulative", "graded_response")
    common, shrinkage = _common_slope(priors)
    slopes = tuple(priors.get(f"slope:{c.name}", common) for c in design.columns)
    shrunk = any(s is None for s in slopes)
    learned_scale = design.area_scale is not None and design.area_scale.multipliers is None
    shared, concentration, sds = _plan_sds(priors, split, design, area_group, y_sd)
    has_total = bool(shared)
    has_intercept = design.intercept and not cumulative
    return PriorPlan(
        intercept=priors.get("intercept", scaled(INTERCEPT, y_sd, y_mean)) if has_intercept else None,
        cutpoints=priors.get("cutpoints", CUTPOINTS) if cumulative else None,
        slope_sd=scaled(SLOPE_SD, y_sd) if shrunk and shrinkage is None else None,
        slopes=slopes,
        total=_own(priors, "geography") or SdPrior(scaled(TOTAL, y_sd)) if has_total else None,
        shared=shared,
        concentration=concentration,
        sds=sds,
        sigma=priors.get("sigma", scaled(RESIDUAL_SD, y_sd)) if family == "gaussian" and not known_variance else None,
        rho=_plan_rho(priors, design),
        cor={f: priors.get(f"cor:{f}", CORRELATIONS).args[0] for f in correlated_factors(design)},
        shrinkage=shrinkage if shrunk else None,
        deviation_sd=priors.get("sd:category_specific", DEVIATION_SD) if design.category_specific else None,
        area_scale_sd=priors.get("sd:area_scale", AREA_SCALE_SD) if learned_scale else None,
        below=_below(design),
        discrimination=priors.get("discrimination", DISCRIMINATION) if instruments else None,
    )


def _below(design: Design) -> tuple[str, str, float] | None:
    """Groups and ratio of a link above the area, where the ratio is known."""
    link = design.link
    return None if link is None or link.ratio is None else (link.group, link.area, link.ratio)


def _common_slope(priors: Mapping[str, Prior]) -> tuple[Prior | None, Prior | None]:
    """The prior of each slope without one of its own, or else the one that they have together."""
    written = priors.get("slope")
    together = written is not None and DISTRIBUTIONS[written.name].support == "slopes"
    return (None, written) if together else (written, None)


def _plan_rho(priors: Mapping[str, Prior], design: Design) -> dict[str, Prior]:
    """The prior of each structured group's ρ, where its structure has one."""
    kinds = {g.name: g.structure.kind for g in design.groups if g.structure is not None}
    return {name: priors.get(f"rho:{name}", RHO[kind]) for name, kind in kinds.items() if kind in RHO}


def correlated_factors(design: Design) -> list[str]:
    """Groupings over which an intercept and slopes vary with correlated effects."""
    return [design.groups[block[0]].dim for block in design.correlated]


def _own(priors: Mapping[str, Prior], name: str) -> SdPrior | None:
    """The prior written for one group, on its sd or on its variance."""
    if f"var:{name}" in priors:
        return SdPrior(priors[f"var:{name}"], "var")
    return SdPrior(priors[f"sd:{name}"]) if f"sd:{name}" in priors else None


def _plan_sds(
    priors: Mapping[str, Prior], split: float | None, design: Design, area_group: str | None, y_sd: float
) -> tuple[tuple[str, ...], tuple[float, ...], dict[str, SdPrior]]:
    """Which groups share the geography's total, with which weights, and the prior of every other sd."""
    shared: list[str] = []
    sds: dict[str, SdPrior] = {}
    for g in design.groups:
        own = _own(priors, g.name)
        if own is not None:
            sds[g.name] = own
        elif is_shift(g):
            # one effect about 0: its prior's sd is its own
            sds[g.name] = SdPrior(Prior("fixed", (priors.get("shift", SHIFT).args[1],)))
        elif g.survey:
            sds[g.name] = SdPrior(priors.get("discrepancy", DISCREPANCY_SD))
        elif g.role == "geography":
            shared.append(g.name)
        elif g.role == "class":
            sds[g.name] = SdPrior(priors.get("sd:classes", scaled(CLASS_SD, y_sd)))
        else:
            sds[g.name] = SdPrior(priors.get("sd", scaled(OTHER_SD, y_sd)))
    link = design.link
    if link is not None and link.prior is not None:
        sds[link.area] = SdPrior(link.prior)
    weights = {} if link is None or link.ratio is None else {link.group: 1.0 + link.ratio**2}
    above = sum(name != area_group for name in shared)
    area_weight = (AREA_SPLIT if split is None else split) * above if above else 1.0
    weights[area_group or ""] = area_weight
    return tuple(shared), tuple(weights.get(name, 1.0) for name in shared), sds


def check_prior_keys(
    priors: Mapping[str, Prior], groups: list[str], columns: list[str], where: str, problems: Problems
) -> None:
    """Note every prior whose group or covariate is not in the formula."""
    collective = {"geography", "classes"}
    # an intercept need not vary where slopes do: "x|g" names the grouping g
    factors = {name.rpartition("|")[2] for name in groups}
    for key in priors:
        head, _, name = key.partition(":")
        if key in ("sd:category_specific", "sd:area_scale"):
            continue
        known = sorted(factors) if head == "cor" else groups
        of_one = head in ("cor", "rho") or (head in ("sd", "var") and name not in collective)
        if of_one and name and name not in known:
            problems.add(f"{where}: model.priors.{key!r}", f"the formula has no group {name!r}", nearest(name, known))
        elif head == "slope" and name and name not in columns:
            problems.add(
                f"{where}: model.priors.{key!r}", f"the formula has no covariate {name!r}", nearest(name, columns)
            )


def check_collective_keys(
    priors: Mapping[str, Prior], split: float | None, design: Design, where: str, problems: Problems
) -> None:
    """Note every prior of several groups at once that no group of the design is left to take."""
    sharing = [g.name for g in design.groups if g.role == "geography" and _own(priors, g.name) is None]
    classes = [g.name for g in design.groups if g.role == "class" and _own(priors, g.name) is None]
    for key in ("sd:geography", "var:geography"):
        if key in priors and not sharing:
            problems.add(f"{where}: model.priors.{key!r}", "no group shares the geography's total", "leave it out")
    if split is not None and len(sharing) < 2:
        message = "there are not two groups between which the geography's total is split"
        problems.add(f"{where}: model.priors.'split:geography'", message, "leave it out")
    if "sd:classes" in priors and not classes:
        problems.add(f"{where}: model.priors.'sd:classes'", "the formula has no class without its own", "leave it out")
    if "intercept" in priors and not design.intercept:
        problems.add(f"{where}: model.priors.intercept", "the formula has no intercept", "leave it out")
    grouped = {group.dim for group in design.groups}
    for key in priors:
        head, _, name = key.partition(":")
        if head == "cor" and name in grouped and name not in correlated_factors(design):
            message = f"no effects over {name!r} are correlated"
            problems.add(f"{where}: model.priors.{key!r}", message, f"leave it out, or write (x | {name})")
    if "shift" in priors and not any(is_shift(group) for group in design.groups):
        message = "no survey has an item in common with another, and each has cutpoints of its own"
        problems.add(f"{where}: model.priors.shift", message, "leave it out")
    for group in filter(is_shift, design.groups):
        for key in {f"sd:{group.name}", f"var:{group.name}"} & priors.keys():
            problems.add(f"{where}: model.priors.{key!r}", "a shift is one effect", "write its prior under 'shift'")
    if "discrepancy" in priors and not any(g.survey and not is_shift(g) for g in design.groups):
        message = "the areas have no level at which a survey could depart from the reference"
        problems.add(f"{where}: model.priors.discrepancy", message, "leave it out")
    if "sd:category_specific" in priors and not design.category_specific:
        message = "no slope may differ by cutpoint"
        problems.add(f"{where}: model.priors.'sd:category_specific'", message, "name covariates in category_specific")
    if "sd:area_scale" in priors and (design.area_scale is None or design.area_scale.multipliers is not None):
        message = "no multipliers of the area's sd are learned"
        problems.add(f"{where}: model.priors.'sd:area_scale'", message, "name a class in area_scale")
    _check_shrinkage(priors, design, f"{where}: model.priors.slope", problems)


def _check_shrinkage(priors: Mapping[str, Prior], design: Design, where: str, problems: Problems) -> None:
    """Note a prior of all slopes together that too few slopes take."""
    _, shrinkage = _common_slope(priors)
    if shrinkage is None:
        return
    count = sum(f"slope:{c.name}" not in priors for c in design.columns)
    if count < 2:
        problems.add(where, f"{shrinkage} is for several slopes, {count} have no prior of their own", "leave it out")
    elif shrinkage.name == "horseshoe" and shrinkage.args[0] >= count:
        message = f"p0 is the number of slopes expected to matter, below the {count} there are, got {shrinkage}"
        problems.add(where, message, f'for example "horseshoe({max(1, count // 3)})"')
