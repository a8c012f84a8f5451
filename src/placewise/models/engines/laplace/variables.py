"""Posterior draws under the names that every engine uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from placewise.models.design import Group
from placewise.models.engines import FitProblem
from placewise.models.engines.laplace.hyper import Hyper, Point
from placewise.models.engines.laplace.layout import Layout, Level
from placewise.models.engines.laplace.proposals import Proposal


@dataclass(frozen=True, eq=False)
class Kept:
    """Draws kept, and what labels them.

    Parameters
    ----------
    draws : dict of str to ndarray, shape (S, ...)
    dims : dict of str to list of str
        Further dimensions of each variable.
    coords : dict of str to list of str
        Labels along each dimension.
    """

    draws: dict[str, np.ndarray] = field(default_factory=dict)
    dims: dict[str, list[str]] = field(default_factory=dict)
    coords: dict[str, list[str]] = field(default_factory=dict)

    def put(self, name: str, draws: np.ndarray, *over: str) -> None:
        """Add one variable."""
        self.draws[name], self.dims[name] = draws, list(over)


def collect(
    problem: FitProblem, layout: Layout, hyper: Hyper, proposals: Sequence[Proposal], chosen: np.ndarray, seed: int
) -> Kept:
    """Pick the chosen proposals.

    Parameters
    ----------
    chosen : ndarray of int64, shape (S,)
        Positions among all draws, those of each point of the design one after another.
    seed : int
        Of effects of levels that no row is in.
    """
    design = problem.design
    kept = Kept(coords={g.dim: list(g.labels) for g in design.groups})
    at = chosen // len(proposals[0].log_exact)
    core = np.concatenate([p.core for p in proposals], axis=1).T[chosen]

    def each(of: Callable[[Point], float | np.ndarray]) -> np.ndarray:
        values = np.array([of(p.point) for p in proposals])
        return np.asarray(values[at])

    _put_coefficients(kept, problem, layout, core)
    _put_hyperparameters(kept, problem, hyper, each)
    rng = np.random.default_rng([seed, 1])
    for k, group in enumerate(design.groups):
        sd = each(_scale_of(group.name))
        kept.put(f"sd_{group.name}", sd)
        if k in layout.groups:
            kept.put(f"effect_{group.name}", core[:, layout.groups[k]], group.dim)
    if design.link is not None and design.link.area in problem.priors.sds:
        kept.put(f"sd_{design.link.area}", each(_scale_of(design.link.area)))
    for level in layout.levels:
        group = design.groups[level.group]
        effects = rng.standard_normal((len(chosen), len(group.labels)), dtype=np.float32)
        effects *= _sds_of_levels(problem, kept, group)
        _fill(effects, level, proposals, chosen)
        kept.put(f"effect_{group.name}", effects, group.dim)
    return kept


def _sds_of_levels(problem: FitProblem, kept: Kept, group: Group) -> np.ndarray:
    """Sd of each of a group's effects, shape (S, levels) or (S, 1)."""
    sd, scale = kept.draws[f"sd_{group.name}"][:, None], problem.design.area_scale
    if scale is None or scale.group != group.name:
        return sd
    by_class = kept.draws["area_scale"] if scale.multipliers is None else scale.multipliers[None]
    return np.asarray(sd * by_class[:, scale.index[: len(group.labels)]])


def _scale_of(name: str) -> Callable[[Point], float]:
    return lambda point: point.scale(name)


def _value_of(name: str) -> Callable[[Point], float]:
    return lambda point: point.values[name]


def _put_coefficients(kept: Kept, problem: FitProblem, layout: Layout, core: np.ndarray) -> None:
    design = problem.design
    if layout.intercept:
        kept.put("intercept", core[:, 0])
    if layout.questions.n_cut:
        cutpoints = -core[:, layout.thresholds]
        instruments = problem.response.instruments
        if layout.questions.n_items and instruments is not None:
            steepness = np.exp(core[:, layout.discriminations])
            cutpoints = cutpoints * np.repeat(steepness, np.diff(instruments.cuts), axis=1)
            kept.coords["instrument"] = list(instruments.names)
            kept.put("discrimination", steepness, "instrument")
        kept.coords["cutpoint"] = layout.questions.labels
        kept.put("cutpoints", cutpoints, "cutpoint")
    if design.columns:
        kept.coords["covariate"] = [c.name for c in design.columns]
        kept.put("slopes", core[:, layout.slopes], "covariate")
    if design.category_specific:
        kept.coords["covariate_specific"] = [design.columns[k].name for k in design.category_specific]
        shape = (len(core), layout.rows.n_cut, len(design.category_specific))
        deviations = core[:, layout.deviations].reshape(shape).swapaxes(1, 2)
        kept.put("slope_deviations", deviations, "covariate_specific", "cutpoint")


def _put_hyperparameters(
    kept: Kept, problem: FitProblem, hyper: Hyper, each: Callable[[Callable[[Point], float | np.ndarray]], np.ndarray]
) -> None:
    design, plan = problem.design, problem.priors
    known = {p.name for p in hyper.parameters}
    for name in ("slope_sd", "sigma", "deviation_sd", "area_scale_sd"):
        if name in known:
            kept.put(name, each(_value_of(name)))
    for name in plan.rho:
        kept.put(f"rho_{name}", each(_value_of(f"rho_{name}")))
    if len(plan.shared) > 1:
        kept.coords["geography"] = list(plan.shared)
        kept.put("sd_total", each(_value_of("sd_total")))
        kept.put("split", each(lambda point: point.split), "geography")
    instruments = problem.response.instruments
    if instruments is not None and len(instruments.surveys) > 1:
        kept.coords["survey"] = list(instruments.surveys[1:])
        kept.put("survey_scale", each(lambda point: hyper.survey_scale(point)[1:]), "survey")
    scale = design.area_scale
    if scale is not None and scale.multipliers is None:
        kept.coords["area_class"] = list(scale.classes)
        names = [f"class_{k}" for k in range(len(scale.classes))]
        own = each(_scale_of(scale.group))[:, None]
        kept.put("area_scale", each(lambda point: np.array([point.scale(n) for n in names])) / own, "area_class")
    for positions in design.correlated:
        factor, k = design.groups[positions[0]].dim, len(positions)
        columns = [design.groups[j].by for j in positions]
        names = ["intercept" if by is None else by.name for by in columns]
        kept.coords[f"{factor}_term"] = kept.coords[f"{factor}_term2"] = names
        root = each(_root_of(hyper, factor, k))
        kept.put(f"cor_{factor}", root @ root.swapaxes(1, 2), f"{factor}_term", f"{factor}_term2")


def _root_of(hyper: Hyper, factor: str, k: int) -> Callable[[Point], np.ndarray]:
    return lambda point: hyper.correlation(factor, k, point.values)


def _fill(effects: np.ndarray, level: Level, proposals: Sequence[Proposal], chosen: np.ndarray) -> None:
    """Put the chosen draws of one level's nodes under their labels, point by point: no copy of all proposals."""
    each = len(proposals[0].log_exact)
    order = np.argsort(chosen, kind="stable")
    ends = np.searchsorted(chosen[order], each * np.arange(len(proposals) + 1))
    for proposal, first, last in zip(proposals, ends[:-1], ends[1:], strict=True):
        draws = order[first:last]
        if len(draws):
            effects[np.ix_(draws, level.labels)] = proposal.nodes[level.nodes][:, chosen[draws] % each].T
