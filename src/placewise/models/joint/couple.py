"""From the separate fits of several outcomes to draws of all of them together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy.linalg import solve_triangular
from threadpoolctl import threadpool_limits

from placewise.models import inference
from placewise.models.engines import FitProblem
from placewise.models.engines.laplace.explore import in_parallel
from placewise.models.engines.laplace.proposals import kish
from placewise.models.fit import Posterior
from placewise.models.joint.factors import Factor, factors_of
from placewise.models.joint.information import Information, information_of
from placewise.models.joint.persons import (
    PersonCorrelation,
    person_correlation,
    scores_of,
    stacked_likelihood,
)
from placewise.models.joint.stacked import Stacked
from placewise.models.joint.weighing import Proposals, propose, resampled

# answers that two outcomes must share for their people's correlation to be told from chance
FEWEST_SHARED = 50
MEASURES = ("importance_ess", "khat", "proposals", "shift", "spread")


@dataclass(frozen=True, eq=False, repr=False)
class Member:
    """One outcome of a joint model.

    Parameters
    ----------
    name : str
    problem : FitProblem
        Its coupled groups hold every level (``factors.widened``).
    posterior : Posterior
        Of its separate fit.
    people : ndarray of object, shape (n,), or None
        Who each respondent is, the same in every outcome; None where that is not known.
    """

    name: str
    problem: FitProblem
    posterior: Posterior
    people: np.ndarray | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Coupled:
    """Draws of several outcomes together: draw s of each belongs to the same draw of the correlations.

    Parameters
    ----------
    idata : InferenceData
        ``cor_<group>``, ``sd_<group>`` and ``effect_<group>`` of the coupled groups, by outcome.
    posteriors : mapping of str to Posterior
        Of each outcome, with the variables of its separate fit, as one chain.
    """

    idata: inference.InferenceData
    posteriors: Mapping[str, Posterior]


def couple(members: Sequence[Member], coupled: Sequence[str], *, seed: int = 0, jobs: int = 1) -> Coupled:
    """Couple the separate fits of several outcomes.

    The answers of each outcome are a gaussian likelihood of its coupled effects (``information``), all of them one with
    errors that go together where the same people answered (``persons``). Draws of the sds are those of the separate
    fits, correlations are drawn to them, and both are weighed by the marginal likelihood and drawn again
    (``weighing``).
    The coupled effects are then moved by the affine map that takes their distribution in the separate fit, given the
    sds, to that of the coupled model, and every other unknown by its regression on them. With correlations of 0 nothing
    moves.

    Parameters
    ----------
    members : sequence of Member
        Two or more, with as many draws each.
    coupled : sequence of str
        Names of the coupled groups.
    seed : int
    jobs : int
        Threads; the result does not depend on them.

    Raises
    ------
    ModelError
        If the answers of an outcome do not bound an estimate.
    """
    factors = factors_of([m.problem.design for m in members], coupled)
    informations = [
        information_of(m.problem, factors, o, quadrature=_integrated(m.posterior), jobs=jobs)
        for o, m in enumerate(members)
    ]
    with threadpool_limits(1):
        stacked, people = _stack(members, factors, informations)
        separate = _Separate(members, factors, informations, seed, jobs)
        proposals = propose(stacked, separate.log_marginal, separate.sds, np.random.default_rng([seed, 3]), jobs)
        smoothed, khat = inference.smooth_weights(proposals.log_weight)
        chosen = resampled(smoothed, len(separate.sds), np.random.default_rng([seed, 4]))
        effects = _moved(stacked, separate, proposals, chosen, jobs)
    ess = kish(proposals.log_weight)
    measures = (ess, khat, len(proposals), separate.shift, separate.spread)
    attrs: dict[str, Any] = {f"joint_{name}": value for name, value in zip(MEASURES, measures, strict=True)}
    names = [m.name for m in members]
    told = [{**vars(c), "first": names[c.first], "second": names[c.second]} for c in people]
    posteriors = {
        m.name: _posterior(m, o, factors, informations[o], separate, proposals.chosen[chosen, o], effects, attrs)
        for o, m in enumerate(members)
    }
    attrs = {**attrs, "outcomes": json.dumps(names), "people": json.dumps(told), "seed": seed}
    sds = np.take_along_axis(separate.sds, proposals.chosen[chosen][:, None, :], axis=0)
    return Coupled(_together(stacked, names, proposals.z[chosen], sds, effects, attrs), posteriors)


def _integrated(posterior: Posterior) -> bool:
    """Whether the separate fit integrated its finest level by quadrature."""
    return bool(posterior.idata["posterior"].attrs.get("quadrature", 0))


def _stack(
    members: Sequence[Member], factors: Sequence[Factor], informations: Sequence[Information]
) -> tuple[Stacked, list[PersonCorrelation]]:
    """All outcomes together, and how the answers of the same people go together."""
    designs = [m.problem.design for m in members]
    scores = [scores_of(m.problem.design, m.problem.response, m.problem.family, m.posterior) for m in members]
    pairs, found = {}, []
    for i, j in combinations(range(len(members)), 2):
        shared = shared_people(members[i].people, members[j].people)
        if len(shared) >= FEWEST_SHARED:
            pairs[i, j] = shared
            found.append(PersonCorrelation(i, j, len(shared), *person_correlation(scores[i], scores[j], shared)))
    precision, linear = stacked_likelihood(informations, designs, scores, found, pairs)
    return Stacked(factors, precision, linear), found


def shared_people(first: np.ndarray | None, second: np.ndarray | None) -> np.ndarray:
    """Rows of the same people in two outcomes, shape (m, 2); somebody's k-th row goes with the other's k-th."""
    if first is None or second is None:
        return np.empty((0, 2), dtype=np.int64)
    one, other = (
        frame.assign(turn=frame.groupby("who").cumcount(), row=np.arange(len(frame)))
        for frame in (pd.DataFrame({"who": first}), pd.DataFrame({"who": second}))
    )
    both = one.merge(other, on=["who", "turn"], suffixes=("", "_other"))
    return np.asarray(both[["row", "row_other"]], dtype=np.int64)


class _Separate:
    """The coupled effects in the separate fits, and how they deviate from their gaussian approximation.

    Attributes
    ----------
    sds : ndarray, shape (S, factors, K)
    effects : ndarray, shape (S, K, q)
        0 where an outcome has no such level.
    log_marginal : ndarray, shape (S, K)
        Of each outcome's answers given the sds.
    deviates : ndarray, shape (S, K, q)
        Standard normal where the approximation holds.
    shift, spread : float
        Root mean square of the deviates' means, and the mean of their sds, where answers tell of the effects.
    """

    def __init__(
        self,
        members: Sequence[Member],
        factors: Sequence[Factor],
        informations: Sequence[Information],
        seed: int,
        jobs: int,
    ) -> None:
        q, k = len(informations[0].linear), len(members)
        n_draws = members[0].posterior.n_draws
        self.sds = np.zeros((n_draws, len(factors), k))
        self.effects = np.zeros((n_draws, k, q))
        there = np.zeros((k, q), dtype=bool)
        ends = np.cumsum([0, *(len(f.labels) for f in factors)])
        for f, factor in enumerate(factors):
            for o, at in factor.positions.items():
                posterior = members[o].posterior
                self.sds[:, f, o] = posterior.draws(f"sd_{factor.name}")
                own = ends[f] + np.flatnonzero(at >= 0)
                self.effects[:, o, own] = posterior.draws(f"effect_{factor.name}")[:, at[at >= 0]]
                there[o, own] = True
        every = [Factor(f.name, f.labels, {0: np.arange(len(f.labels))}) for f in factors]
        alone = [Stacked(every, one.precision[None, :, None], one.linear[None]) for one in informations]
        self.deviates = np.random.default_rng([seed, 5]).standard_normal((n_draws, k, q))
        self.log_marginal = np.zeros((n_draws, k))
        ones = alone[0].roots(np.zeros(0))

        def whiten(s: int) -> None:
            for o in range(k):
                loads = alone[o].loads(self.sds[s, :, o : o + 1], ones)
                found = alone[o].whiten(loads)
                known = there[o] & (loads[0, 0] > 0.0)
                unit = self.effects[s, o] / np.where(known, loads[0, 0], 1.0)
                self.log_marginal[s, o] = found.log_marginal
                self.deviates[s, o, known] = (found.root.T @ (unit - found.mean))[known]

        in_parallel(whiten, range(n_draws), jobs)
        told = np.array([np.diag(one.precision) > 0.0 for one in informations]) & there
        self.shift = float(np.sqrt(np.square(self.deviates.mean(axis=0)[told]).mean())) if told.any() else 0.0
        self.spread = float(self.deviates.std(axis=0)[told].mean()) if told.any() else 1.0


def _moved(stacked: Stacked, separate: _Separate, proposals: Proposals, chosen: np.ndarray, jobs: int) -> np.ndarray:
    """The coupled effects of each draw kept, shape (S, K, q): the separate fits' deviates under the coupled model."""
    kept, inverse = np.unique(chosen, return_inverse=True)
    outcomes, q = np.arange(stacked.n_outcomes), stacked.q

    def move(i: int) -> np.ndarray:
        draws = proposals.chosen[i]
        loads = stacked.loads(separate.sds[draws, :, outcomes].T, stacked.roots(proposals.z[i]))
        found = stacked.whiten(loads)
        deviates = separate.deviates[draws, outcomes].ravel()
        unit = found.mean + solve_triangular(found.root, deviates, lower=True, trans="T", check_finite=False)
        return np.asarray(np.einsum("obq,bq->oq", loads, unit.reshape(-1, q)))

    return np.array(in_parallel(move, [int(i) for i in kept], jobs))[inverse]


def _posterior(
    member: Member,
    number: int,
    factors: Sequence[Factor],
    information: Information,
    separate: _Separate,
    draws: np.ndarray,
    effects: np.ndarray,
    attrs: Mapping[str, Any],
) -> Posterior:
    """One outcome's draws, everything moved with its coupled effects."""
    data = member.posterior.idata["posterior"]
    shift = (effects[:, number] - separate.effects[draws, number]).astype(np.float32)
    values, dims = {}, {}
    for name in map(str, data.data_vars):
        own = member.posterior.draws(name)[draws]
        if name in information.response:
            moved = np.tensordot(shift, information.response[name], axes=1)
            own = (own * np.exp(moved) if name == "discrimination" else own + moved).astype(own.dtype)
            if name == "cutpoints" and "discrimination" in information.response:
                own = _cutpoints_of_scale(member, information, shift, draws, moved)
        values[name], dims[name] = own, [str(d) for d in data[name].dims[2:]]
    ends = np.cumsum([0, *(len(f.labels) for f in factors)])
    for f, factor in enumerate(factors):
        if number in factor.positions:
            at = factor.positions[number]
            own = ends[f] + np.flatnonzero(at >= 0)
            values[f"effect_{factor.name}"][:, at[at >= 0]] = effects[:, number, own]
    coords = {str(d): list(data[d].values) for d in data.dims if d not in ("chain", "draw")}
    kept = {name: value for name, value in data.attrs.items() if name not in ("created_at", "inference_library")}
    idata = inference.build({n: v[None] for n, v in values.items()}, dims, coords, None, {**kept, **attrs})
    return Posterior(idata, member.posterior.priors)


def _cutpoints_of_scale(
    member: Member, information: Information, shift: np.ndarray, draws: np.ndarray, moved: np.ndarray
) -> np.ndarray:
    """Cutpoints c = a b of items whose discriminations a and traits b, at which answers turn, have moved."""
    instruments = member.problem.response.instruments
    assert instruments is not None
    each = np.diff(instruments.cuts)
    steepness = member.posterior.draws("discrimination")[draws]
    turns = member.posterior.draws("cutpoints")[draws] / np.repeat(steepness, each, axis=1)
    steepness = steepness * np.exp(np.tensordot(shift, information.response["discrimination"], axes=1))
    return np.asarray(np.repeat(steepness, each, axis=1) * (turns + moved))


def _together(
    stacked: Stacked, names: Sequence[str], z: np.ndarray, sds: np.ndarray, effects: np.ndarray, attrs: dict[str, Any]
) -> inference.InferenceData:
    """The coupled groups of all outcomes."""
    roots = stacked.roots(z)
    values, dims, coords = {}, {}, {}
    for f, factor in enumerate(stacked.factors):
        members, own = np.array(factor.members), np.flatnonzero(stacked.slot == f)
        chosen = roots[:, f][:, members[:, None], members]
        by = f"{factor.name}_outcome"
        coords[by] = coords[f"{by}2"] = [names[o] for o in members]
        coords[factor.name] = list(factor.labels)
        values[f"cor_{factor.name}"], dims[f"cor_{factor.name}"] = chosen @ chosen.swapaxes(1, 2), [by, f"{by}2"]
        values[f"sd_{factor.name}"], dims[f"sd_{factor.name}"] = sds[:, f, members], [by]
        values[f"effect_{factor.name}"] = effects[:, members][:, :, own].astype(np.float32)
        dims[f"effect_{factor.name}"] = [by, factor.name]
    return inference.build({n: v[None] for n, v in values.items()}, dims, coords, None, attrs)
