"""What one outcome's answers say about its coupled effects, all its other unknowns integrated out.

At one point of the hyperparameters the posterior of all unknowns is about gaussian, with the eliminated Hessian H as
its precision. The columns of H⁻¹ at the coupled effects u give their covariance C and, over C, the regression of every
other unknown on them. C⁻¹ less the prior precision of u is the precision Λ of the integrated likelihood, and C⁻¹ times
the mean its linear term b: log p(answers | u) = b'u − u'Λu / 2 + constant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from threadpoolctl import threadpool_limits

from placewise.kernels.leaf_quadrature import FINE
from placewise.models.engines import FitProblem
from placewise.models.engines.laplace.averaged import settle
from placewise.models.engines.laplace.conditional import Conditional
from placewise.models.engines.laplace.expansion import Expansion, Latent
from placewise.models.engines.laplace.explore import in_parallel, survey_landscape
from placewise.models.engines.laplace.hyper import Hyper
from placewise.models.engines.laplace.layout import Layout, lay_out
from placewise.models.joint.factors import Factor, group_named, met


@dataclass(frozen=True, eq=False, repr=False)
class Information:
    """The integrated likelihood of one outcome's coupled effects, to second order.

    The q effects are those of all factors one after another, each level a slot; a factor that the outcome does not
    have, or a level without a respondent, has zeros.

    Parameters
    ----------
    precision : ndarray, shape (q, q)
        Λ.
    linear : ndarray, shape (q,)
        b.
    response : mapping of str to ndarray of float32, shape (q, ...)
        By variable of the posterior: what it moves by as one of the effects moves by 1; of discriminations, which are
        positive, their logarithms, and of a scale's cutpoints the traits at which its answers turn.
    """

    precision: np.ndarray
    linear: np.ndarray
    response: Mapping[str, np.ndarray]


def information_of(
    problem: FitProblem,
    factors: Sequence[Factor],
    number: int,
    *,
    quadrature: bool = False,
    at: np.ndarray | None = None,
    jobs: int = 1,
) -> Information:
    """Expand one outcome's likelihood.

    Parameters
    ----------
    problem : FitProblem
    factors : sequence of Factor
    number : int
        Of the outcome, as the factors know it.
    quadrature : bool
        Whether the finest level is integrated by quadrature, as its fit needed.
    at : ndarray, optional
        Normal scores of the hyperparameters; default their posterior mode.
    jobs : int
        Threads.

    Raises
    ------
    ModelError
        If the answers do not bound an estimate.
    """
    with threadpool_limits(1):
        layout, hyper = lay_out(problem), Hyper(problem)
        conditional = Conditional(problem, layout, hyper)
        start = conditional.start()
        if at is None:
            if conditional.averaged is not None:
                settle(conditional, hyper.at(hyper.start()), start)
            landscape = survey_landscape(conditional, jobs)
            at, start = landscape.centre, landscape.mode
        if quadrature:
            conditional = Conditional(problem, layout, hyper, FINE)
        point = hyper.at(at)
        if conditional.averaged is not None:
            start = settle(conditional, point, start).mode
        expansion = conditional.find_mode(point, start, 1e-10)
        return _expanded(conditional, expansion, factors, number, jobs)


def _expanded(conditional: Conditional, e: Expansion, factors: Sequence[Factor], number: int, jobs: int) -> Information:
    problem, layout = conditional.problem, conditional.layout
    unknown, tau = _slots(problem, layout, factors, number, e)
    known = np.flatnonzero(unknown >= 0)
    mean = e.mode
    if conditional.quadrature is None:
        moments, shift, *_ = conditional.describe(e)
        mean = mean.plus(Latent(moments.shift, shift))

    def column(k: int) -> Latent:
        unit = Latent(np.zeros(layout.n_core), np.zeros(layout.n_nodes))
        in_core = k < layout.n_core
        (unit.core if in_core else unit.nodes)[k if in_core else k - layout.n_core] = 1.0
        found = conditional.solve(e, unit)
        return Latent(found.core, found.nodes.astype(np.float32))

    columns = in_parallel(column, [int(unknown[k]) for k in known], jobs)
    core = np.array([c.core for c in columns]).reshape(len(known), layout.n_core)
    nodes = np.array([c.nodes for c in columns], dtype=np.float32).reshape(len(known), layout.n_nodes)
    at = unknown[known]
    covariance = np.column_stack([core, nodes])[:, at].astype(np.float64)
    precision, linear = np.zeros((len(unknown),) * 2), np.zeros(len(unknown))
    response = {}
    if len(known):
        factor = cho_factor(0.5 * (covariance + covariance.T), lower=True)
        whole = cho_solve(factor, np.eye(len(known)))
        precision[np.ix_(known, known)] = _clipped(whole - np.diag(tau[known]))
        linear[known] = whole @ np.concatenate([mean.core, mean.nodes])[at]
        moved = variables_of(problem, layout, whole @ core, whole.astype(np.float32) @ nodes)
        for name, values in moved.items():
            response[name] = np.zeros((len(unknown), *values.shape[1:]), dtype=np.float32)
            response[name][known] = values
    return Information(precision, linear, response)


def _clipped(matrix: np.ndarray) -> np.ndarray:
    """The nearest matrix without negative eigenvalues, which rounding leaves."""
    values, vectors = np.linalg.eigh(0.5 * (matrix + matrix.T))
    return np.asarray((vectors * np.maximum(values, 0.0)) @ vectors.T)


def _slots(
    problem: FitProblem, layout: Layout, factors: Sequence[Factor], number: int, e: Expansion
) -> tuple[np.ndarray, np.ndarray]:
    """Unknown of each slot, core first, -1 where no answer tells of it; and its prior precision."""
    unknown, tau = [], []
    for factor in factors:
        place = np.full(len(factor.labels), -1, dtype=np.int64)
        group = group_named(problem.design, factor.name)
        if number in factor.positions and group is not None:
            own = _unknowns(problem, layout, factor.name)
            own[~met(group)] = -1
            where = factor.positions[number]
            place = np.where(where >= 0, own[where], -1)
            tau.append(np.full(len(place), np.exp(-2.0 * e.point.log_scale[factor.name])))
        else:
            tau.append(np.zeros(len(place)))
        unknown.append(place)
    return np.concatenate(unknown), np.concatenate(tau)


def _unknowns(problem: FitProblem, layout: Layout, name: str) -> np.ndarray:
    """Position of each level's effect among the unknowns, core first; -1 where there is none."""
    k = next(k for k, g in enumerate(problem.design.groups) if g.name == name)
    if k in layout.groups:
        return np.arange(layout.groups[k].start, layout.groups[k].stop)
    found = np.full(len(problem.design.groups[k].labels), -1, dtype=np.int64)
    level = next(level for level in layout.levels if level.group == k)
    found[level.labels] = layout.n_core + np.arange(level.nodes.start, level.nodes.stop)
    return found


def variables_of(problem: FitProblem, layout: Layout, core: np.ndarray, nodes: np.ndarray) -> dict[str, np.ndarray]:
    """Values of the unknowns under the posterior's names, (R, Q) and (R, nodes) -> (R, ...); discriminations' logs."""
    design, found = problem.design, {}
    if layout.intercept:
        found["intercept"] = core[:, 0]
    if design.columns:
        found["slopes"] = core[:, layout.slopes]
    if layout.thresholds.stop > layout.thresholds.start:
        found["cutpoints"] = -core[:, layout.thresholds]
    if layout.discriminations.stop > layout.discriminations.start:
        found["discrimination"] = core[:, layout.discriminations]
    if design.category_specific:
        shape = (len(core), layout.rows.n_cut, len(design.category_specific))
        found["slope_deviations"] = core[:, layout.deviations].reshape(shape).swapaxes(1, 2)
    for k, where in layout.groups.items():
        found[f"effect_{design.groups[k].name}"] = core[:, where]
    for level in layout.levels:
        group = design.groups[level.group]
        effects = np.zeros((len(nodes), len(group.labels)), dtype=np.float32)
        effects[:, level.labels] = nodes[:, level.nodes]
        found[f"effect_{group.name}"] = effects
    return found
