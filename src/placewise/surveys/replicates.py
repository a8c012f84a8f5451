"""Replicate weights: the variance of an estimate from its spread over reweighted samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd
from scipy import linalg, sparse

from placewise.errors import Problems, nearest
from placewise.surveys.stages import Stage

if TYPE_CHECKING:
    from placewise.surveys.design import SurveyDesign
    from placewise.surveys.domains import Members

ReplicateKind = Literal["JK1", "JKn", "BRR", "Fay", "bootstrap"]
Centre = Literal["mean", "estimate"]
KINDS: tuple[str, ...] = get_args(ReplicateKind)
CENTRES: tuple[str, ...] = get_args(Centre)

# Factors that are kept at once: 800 MB.
_MOST_FACTORS = 100_000_000


@dataclass(frozen=True, eq=False, repr=False)
class Replicates:
    """Factors on the weights, and how squared deviations add up to a variance.

    Parameters
    ----------
    kind : str
        ``JK1, JKn, BRR, Fay, bootstrap``, or what the survey calls it.
    unit : ndarray of int64, shape (n,)
        Row of ``factors`` for each respondent.
    factors : ndarray of float64, shape (units, replicates)
        Replicate weight ÷ weight.
    scale : float
    rscales : ndarray of float64, shape (replicates,)
        The variance is scale × Σ rscales × (estimate of the replicate − centre)².
    centre : {"mean", "estimate"}
        Mean of the replicates' estimates, R's default, or the full sample's estimate (its ``mse = TRUE``).
    rank : int or None
        Dimensions that the replicates span, where known without computing.
    """

    kind: str
    unit: np.ndarray
    factors: np.ndarray
    scale: float
    rscales: np.ndarray
    centre: Centre = "mean"
    rank: int | None = None

    @cached_property
    def freedom(self) -> int:
        """Degrees of freedom: rank of the replicate weights less one."""
        return (self.rank if self.rank is not None else int(np.linalg.matrix_rank(self.factors))) - 1

    def sums(self, values: np.ndarray, members: Members) -> np.ndarray:
        """Sum over each domain of one weighted value a member, in every replicate, shape (domains, replicates)."""
        table = sparse.coo_array(
            (values, (members.position, self.unit[members.rows])), shape=(len(members), len(self.factors))
        )
        return np.asarray(table.tocsr() @ self.factors)

    def variance(self, estimates: np.ndarray, full: np.ndarray) -> np.ndarray:
        """Variance of each domain's estimate.

        Parameters
        ----------
        estimates : ndarray of float64, shape (domains, replicates)
        full : ndarray of float64, shape (domains,)
            Of the whole sample.

        Returns
        -------
        ndarray of float64, shape (domains,)
        """
        centre = estimates[:, self.rscales > 0].mean(axis=1) if self.centre == "mean" else full
        return np.asarray(self.scale * ((estimates - centre[:, None]) ** 2 @ self.rscales))


def make_replicates(design: SurveyDesign, kind: ReplicateKind, seed: int, count: int, rho: float) -> Replicates:
    """Replicates of the first stage's units.

    ``JK1``: each unit left out, without strata. ``JKn``: each left out of its stratum. ``BRR``: half of each stratum's
    two units, by the columns of a Hadamard matrix; ``Fay`` puts ``rho`` on the others instead of 0 (Judkins 1990).
    ``bootstrap``: n_h − 1 of n_h units drawn with replacement (Rao, Wu and Yue 1992). Scales and corrections for
    finite populations are those of ``as.svrepdesign`` in R's survey package (BRR and the bootstrap have none).

    Parameters
    ----------
    design : SurveyDesign
        Before weights are adjusted: adjusting then adjusts every replicate.
    kind : {"JK1", "JKn", "BRR", "Fay", "bootstrap"}
    seed, count : int
        Of the bootstrap.
    rho : float
        Of Fay's method, 0 ≤ rho < 1.

    Returns
    -------
    Replicates

    Raises
    ------
    DataError
        More factors than memory should hold, strata for JK1, strata without two units for BRR and Fay, strata with one
        unit where the design's rule is none that leaves them out (for JKn), weights already adjusted.
    """
    stage, problems = design.stages[0], Problems()
    where = f"replicates: {kind}"
    if kind not in KINDS:
        problems.add("replicates: kind", f"{kind!r} is no kind", nearest(str(kind), KINDS))
    if design.adjustments:
        problems.add(
            where, "weights are already adjusted", "make replicates first: adjusting then adjusts each", "data"
        )
    if kind == "JK1" and stage.sampled.size > 1:
        problems.add(where, f"the design has {stage.sampled.size:,} strata", "use 'JKn'", "data")
    if kind in ("BRR", "Fay") and (stage.sampled != 2).any():
        odd = int((stage.sampled != 2).sum())
        problems.add(where, f"{odd:,} strata do not have two units", "use 'JKn' or 'bootstrap'", "data")
    if kind == "bootstrap" and count < 2:
        problems.add(where, f"{count} replicates tell no variance", "200 or more", "data")
    if kind == "Fay" and not 0 <= rho < 1:
        problems.add(where, f"rho is {rho:g}, expected 0 ≤ rho < 1", kind="data")
    if kind == "JKn" and stage.alone.any() and design.lonely not in ("certainty", "remove"):
        hint = "merge strata, or say lonely = 'remove' to leave them out"
        problems.add(where, f"{int(stage.alone.sum()):,} strata have one unit each", hint, "data")
    if kind in ("JK1", "JKn") and not _left_out(stage).size:
        problems.add(where, "no unit can be left out", "use linearisation", "data")
    made = {"bootstrap": count, "BRR": 2 * stage.sampled.size, "Fay": 2 * stage.sampled.size}.get(
        kind, stage.stratum.size
    )
    if stage.stratum.size * made > _MOST_FACTORS:
        message = f"{made:,} replicates of {stage.stratum.size:,} units are too many to keep"
        problems.add(where, message, "use 'bootstrap' with fewer replicates, or linearisation", "data")
    problems.raise_if_any()
    if kind in ("BRR", "Fay"):
        return _balanced(stage, kind, rho if kind == "Fay" else 0.0)
    if kind == "bootstrap":
        return _bootstrap(stage, seed, count)
    return _jackknife(stage, kind)


def given_replicates(
    design: SurveyDesign, weights: Any, scale: float, rscales: Any, centre: Centre, kind: str
) -> Replicates:
    """Replicate weights as deposited: whole weights, one column a replicate.

    Parameters
    ----------
    design : SurveyDesign
    weights : array of float64, shape (n, replicates)
        The full weight is in each (R's ``combined.weights = TRUE``); zero or more.
    scale : float
    rscales : array of float64, shape (replicates,), or None
        1 each.
    centre, kind
        As in `Replicates`.

    Returns
    -------
    Replicates

    Raises
    ------
    DataError
        Shapes that do not fit, numbers that are not finite or are negative, adjusted weights; counts only.
    """
    found = pd.DataFrame(weights).apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float)
    problems = Problems()
    if len(found) != len(design):
        message = f"replicate weights have shape {found.shape}, expected {len(design):,} rows, one a respondent"
        problems.add("replicate weights", message, kind="data")
        problems.raise_if_any()
    each = np.ones(found.shape[1]) if rscales is None else np.asarray(rscales, dtype=float)
    bad = int((~np.isfinite(found) | (found < 0)).sum())
    if bad:
        problems.add("replicate weights", f"{bad:,} are not finite numbers of zero or more", kind="data")
    if each.shape != (found.shape[1],) or not (np.isfinite(each) & (each >= 0)).all() or not scale > 0:
        problems.add(
            "replicate weights", f"scale and rscales must be positive, {found.shape[1]:,} rscales", kind="data"
        )
    if centre not in CENTRES:
        problems.add("replicate weights: centre", f"{centre!r} is no centre", nearest(str(centre), CENTRES))
    if design.adjustments:
        problems.add("replicate weights", "weights are already adjusted", "give replicate weights first", "data")
    problems.raise_if_any()
    return Replicates(kind, np.arange(len(design)), found / design.weights[:, None], float(scale), each, centre)


def _left_out(stage: Stage) -> np.ndarray:
    """Units that a jackknife leaves out: not those alone in their strata, nor where every unit was drawn."""
    return np.flatnonzero(((stage.sampled > 1) & (stage.correction > 0))[stage.stratum])


def _jackknife(stage: Stage, kind: str) -> Replicates:
    """Each unit left out in turn, the others of its stratum standing in."""
    out = _left_out(stage)
    stratum = stage.stratum[out]
    size = stage.sampled[stratum]
    factors = np.where(stage.stratum[:, None] == stratum, size / (size - 1), 1.0)
    factors[out, np.arange(out.size)] = 0.0
    each = stage.correction[stratum] * (size - 1) / size
    rank = out.size - np.unique(stratum).size + 1
    if kind == "JK1":
        return Replicates(kind, stage.unit, factors, float(each[0]), np.ones(out.size), rank=rank)
    return Replicates(kind, stage.unit, factors, 1.0, each, rank=rank)


def _balanced(stage: Stage, kind: str, rho: float) -> Replicates:
    """One of each stratum's two units, balanced over replicates (McCarthy 1969)."""
    strata = stage.sampled.size
    # The first column of a Hadamard matrix is constant, and would favour the same unit throughout.
    count = 1 << int(strata).bit_length()
    signs = linalg.hadamard(count)[1 : strata + 1]
    second = np.ones(stage.stratum.size)
    second[np.unique(stage.stratum, return_index=True)[1]] = -1.0
    factors = 1.0 + (1 - rho) * second[:, None] * signs[stage.stratum]
    return Replicates(kind, stage.unit, factors, 1 / (count * (1 - rho) ** 2), np.ones(count), rank=strata + 1)


def _bootstrap(stage: Stage, seed: int, count: int) -> Replicates:
    """n_h − 1 units drawn with replacement in each stratum; strata with one unit stay as they are."""
    rng = np.random.default_rng(seed)
    factors = np.ones((stage.stratum.size, count))
    for stratum in np.flatnonzero(stage.sampled > 1):
        units = np.flatnonzero(stage.stratum == stratum)
        drawn = rng.multinomial(units.size - 1, np.full(units.size, 1 / units.size), size=count)
        factors[units] = drawn.T * units.size / (units.size - 1)
    rank = min(count, stage.stratum.size - stage.sampled.size + 1)
    return Replicates("bootstrap", stage.unit, factors, 1 / (count - 1), np.ones(count), rank=rank)
