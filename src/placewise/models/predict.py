"""From a fitted model to the predictor that draws every area."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from placewise.estimates.predictor import Effect, Estimand, Predictor
from placewise.estimates.reach import reach_of_eta
from placewise.frame.cells import Frame
from placewise.geography.areas import AreaTable
from placewise.kernels.philox import stream_key
from placewise.models.correlations import cholesky_of
from placewise.models.design import BelowLink, Design, Group
from placewise.models.fit import Posterior
from placewise.models.imputed import error_effects
from placewise.models.scale_estimands import scale_estimands
from placewise.models.spec import EstimandSpec, OutcomeSpec
from placewise.surveys.instruments import Instruments


def build_predictor(
    outcome: OutcomeSpec,
    design: Design,
    posterior: Posterior,
    areas: AreaTable,
    frame: Frame | None,
    *,
    seed: int,
    known_variance: bool = False,
    instruments: Instruments | None = None,
) -> Predictor:
    """Collect what is needed to draw any area, in single precision where it is stored so.

    Parameters
    ----------
    outcome : OutcomeSpec
        Family, estimands, polarity, finite population.
    design : Design
        Columns and groups over areas and cells.
    posterior : Posterior
        S draws.
    areas : AreaTable
        A areas.
    frame : Frame or None
        Who lives there; without one each area is one cell.
    seed : int
        Of the project; the generator's key is made of it and the outcome's name, so that two outcomes share no chance.
    known_variance : bool
        Gaussian outcome with known sampling variances: a person's own variance is then unknown.
    instruments : Instruments, optional
        Items of a scale, or questions of several surveys: what is projected is the reference survey's.
    """
    n_areas, n_draws = len(areas), posterior.n_draws
    n_cells = 1 if frame is None else frame.n_cells
    columns = design.columns
    has_people = areas.population is not None or frame is not None
    population = areas.population if areas.population is not None or frame is None else frame.population()
    weights = np.ones(n_areas) if population is None else population
    area_x = [np.ones(n_areas) if c.area is None else c.area for c in columns]
    beta = posterior.draws("slopes").T.copy() if columns else np.empty((0, n_draws))
    cell_x = [np.ones(n_cells) if c.cell is None else c.cell for c in columns]
    scale = instruments is not None and instruments.scale
    found = Predictor(
        seed=int(stream_key(seed, outcome.name)),
        codes=areas.codes,
        code=areas.code,
        levels={name: areas.table[name].to_numpy(dtype=object) for name in areas.levels},
        classes={name: areas.table[name].to_numpy(dtype=object) for name in areas.classes},
        population=weights,
        base=areas.base,
        intercept=posterior.draws("intercept") if posterior.has("intercept") else np.zeros(n_draws),
        beta=beta,
        area_x=np.column_stack([np.empty((n_areas, 0)), *area_x]).astype(np.float32),
        cell_x=np.column_stack([np.empty((n_cells, 0)), *cell_x]),
        area_varies=np.array([c.area is not None for c in columns], dtype=bool),
        cell_varies=np.array([c.cell is not None for c in columns], dtype=bool),
        effects=(*_effects(design, posterior), *error_effects(columns, beta, areas)),
        indptr=np.arange(n_areas + 1, dtype=np.int64) if frame is None else frame.indptr,
        cell=np.zeros(n_areas, dtype=np.int32) if frame is None else frame.cell,
        count=weights if frame is None else frame.count,
        estimands=() if scale else tuple(build_estimand(e, outcome, posterior, instruments) for e in outcome.estimands),
        finite_population=_finite(outcome, has_people, known_variance),
        polarity=1 if outcome.higher_is_better else -1,
        specific=np.array(design.category_specific, dtype=np.int64),
    )
    if instruments is None or not scale:
        return found
    reach = reach_of_eta(found)
    return replace(found, estimands=scale_estimands(outcome.estimands, instruments, posterior, reach))


def _finite(outcome: OutcomeSpec, has_people: bool, known_variance: bool) -> bool:
    """Default of ``finite_population``: on, unless nothing says how many people there are or how they vary."""
    if outcome.finite_population is not None:
        return outcome.finite_population
    latent = all(e.kind == "latent" for e in outcome.estimands)
    return has_people and not latent and not known_variance and outcome.family != "poisson"


def _effects(design: Design, posterior: Posterior) -> tuple[Effect, ...]:
    """Effects of every group, those of correlated ones with what new levels of theirs depend on."""
    made = {k: _effect(group, posterior, design) for k, group in enumerate(design.groups) if not group.survey}
    for block in design.correlated:
        names = [made[k].name for k in block]
        factor = cholesky_of(posterior.draws(f"cor_{design.groups[block[0]].dim}"))
        for j, k in enumerate(block[1:], start=1):
            made[k] = replace(made[k], along=tuple(names[:j]), loading=factor[:, j, : j + 1])
    found = list(made.values())
    if design.link is not None:
        found.append(_below(design.link, posterior))
    scale = design.area_scale
    if scale is None:
        return tuple(found)
    declared = scale.multipliers
    by_class = posterior.draws("area_scale").T if declared is None else np.outer(declared, np.ones(posterior.n_draws))
    return tuple(replace(e, scale=by_class, scale_class=scale.index) if e.name == scale.group else e for e in found)


def _below(link: BelowLink, posterior: Posterior) -> Effect:
    """What the areas of a linked group have beyond its effect, drawn anew in every area."""
    codes, count = link.codes, len(link.parent)
    return Effect(
        name=link.area,
        labels=(),
        draws=np.empty((0, posterior.n_draws), dtype=np.float32),
        sd=posterior.draws(f"sd_{link.area}"),
        all_labels=codes,
        area_index=np.arange(count, dtype=np.int64),
        cell_index=None,
        lookup=np.arange(count, dtype=np.int64).reshape(-1, 1),
        within=link.group,
        parent=link.parent,
        share=link.share,
    )


def _effect(group: Group, posterior: Posterior, design: Design) -> Effect:
    if group.lookup is None:
        raise ValueError(f"group {group.name!r} has no projection: the design was built without an areas table")
    met = np.bincount(group.index, minlength=len(group.labels)) > 0
    if group.shares is not None:
        met = group.shares.sum(axis=0) > 0
    link = design.link if design.link is not None and design.link.group == group.name else None
    return Effect(
        name=group.name,
        labels=group.labels,
        draws=np.ascontiguousarray(posterior.draws(f"effect_{group.name}").T, dtype=np.float32),
        sd=posterior.draws(f"sd_{group.name}"),
        all_labels=group.all_labels,
        area_index=group.area_index,
        cell_index=group.cell_index,
        lookup=group.lookup,
        area_x=None if group.by is None else group.by.area,
        cell_x=None if group.by is None else group.by.cell,
        met=None if met.all() else met,
        below_sd=None if link is None else posterior.draws(f"sd_{link.area}"),
        squares=None if link is None else link.squares(len(group.all_labels)),
    )


def build_estimand(
    spec: EstimandSpec, outcome: OutcomeSpec, posterior: Posterior, instruments: Instruments | None = None
) -> Estimand:
    """What is computed from η, as a linear combination of cumulative probabilities where the link is a logit.

    With F_k = logit⁻¹(c_k − η), k = 1..K−1, F_0 = 0 and F_K = 1: the share of a set of categories is Σ_{k in set}
    (F_k − F_{k−1}), the mean of scores 1..K is K − Σ F_k, and the mean of their squares K² − Σ (2k + 1) F_k.
    """
    if spec.kind == "latent":
        return Estimand(spec.name, "latent", "identity")
    if outcome.family in ("bernoulli", "binomial", "cumulative"):
        if outcome.family != "cumulative":
            zero = np.zeros((1, posterior.n_draws))
            return Estimand(spec.name, "share", "logit", 1.0, np.array([-1.0]), cuts=zero, lower=0.0, upper=1.0)
        cuts = posterior.draws("cutpoints").T
        if instruments is not None:
            asked = int(np.flatnonzero(instruments.asked[0])[0])
            cuts = np.ascontiguousarray(cuts[instruments.cuts[asked] : instruments.cuts[asked + 1]])
        if not posterior.has("slope_deviations"):
            return ordinal_estimand(spec, outcome.order, cuts)
        deviations = np.ascontiguousarray(posterior.draws("slope_deviations").transpose(2, 1, 0))
        return replace(ordinal_estimand(spec, outcome.order, cuts, every_cut=True), deviations=deviations)
    if outcome.family == "gaussian":
        sigma = posterior.draws("sigma") if posterior.has("sigma") else None
        return Estimand(spec.name, "mean", "identity", sigma=sigma)
    return Estimand(spec.name, "mean", "log", lower=0.0)


def ordinal_estimand(spec: EstimandSpec, order: tuple[str, ...], cuts: np.ndarray, every_cut: bool = False) -> Estimand:
    """Share or mean; ``every_cut`` keeps the cutpoints that a share does not depend on."""
    k = np.arange(1, len(order))
    if spec.kind == "mean":
        top = float(len(order))
        return Estimand(
            spec.name, "mean", "logit", top, -np.ones(len(k)), top**2, -(2.0 * k + 1.0), cuts, lower=1.0, upper=top
        )
    chosen = np.array([c in spec.categories for c in order], dtype=float)
    weights = chosen[:-1] - chosen[1:]
    used = (weights != 0.0) | every_cut
    return Estimand(
        spec.name,
        "share",
        "logit",
        chosen[-1],
        weights[used],
        cuts=np.ascontiguousarray(cuts[used]),
        lower=0.0,
        upper=1.0,
    )
