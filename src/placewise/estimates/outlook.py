"""The few figures by which two fits of one outcome are compared, from one set of draws."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from placewise.estimates.blocks import in_order, spans
from placewise.estimates.describe import describe_values
from placewise.estimates.passes import Work, base_standard, work_on
from placewise.estimates.predictor import Predictor
from placewise.estimates.projector import Projector

# clearly above or below the nation: p ≥ .975 or ≤ .025, where the 95% interval of the difference leaves 0 out
CLEAR = 0.975


@dataclass(frozen=True, eq=False)
class Outlook:
    """What a set of draws says of the whole, of the areas of one level and of the small areas together.

    Parameters
    ----------
    national : ndarray of float64, shape (S,)
        Mean over everybody.
    codes : tuple of str, length G
        Areas of the level; empty where there is none.
    level : ndarray of float64, shape (G, S)
        Their means.
    spread : ndarray of float64, shape (S,)
        σ_s, the population-weighted sd between the base's small areas.
    clear : ndarray of float64, shape (K,)
        Share of the base's small areas that are clearly above or below the base's mean, under each set of weights.
    width : float
        Mean width of the small areas' 90% intervals.
    """

    national: np.ndarray
    codes: tuple[str, ...]
    level: np.ndarray
    spread: np.ndarray
    clear: np.ndarray
    width: float


def outlook(predictor: Predictor, level: str = "", weights: np.ndarray | None = None, threads: int = 2) -> Outlook:
    """Compute the figures of the primary estimand, as published: people are drawn where the predictor says so.

    Parameters
    ----------
    predictor : Predictor
    level : str
        A level of the predictor; empty where it has none.
    weights : ndarray of float64, shape (K, S), optional
        Weights of the draws, each row adding up to 1, under which to count clear areas; default equal ones, K = 1.
    threads : int
    """
    projector = Projector(predictor)
    drawn = np.full((1, projector.n_draws), 1.0 / projector.n_draws) if weights is None else weights
    with ThreadPoolExecutor(threads) as pool:
        work = work_on(projector, pool, threads, None)
        standard = base_standard(work)
        start, codes = _runs(work, level)
        sums, clear, width = np.zeros((len(start), projector.n_draws)), np.zeros(len(drawn)), 0.0
        run = np.searchsorted(start, np.arange(len(work.population)), side="right") - 1
        for first, last, block in in_order(work.make, spans(len(run), work.block), pool, threads):
            people, own, inside = work.population[first:last, None], run[first:last], work.base[first:last]
            begins = np.flatnonzero(np.diff(own, prepend=-1))
            sums[own[begins]] += np.add.reduceat(block.values * people, begins, axis=0)
            above = (block.values[inside] > standard.mean) @ drawn.T
            clear += ((above >= CLEAR) | (above <= 1.0 - CLEAR)).sum(axis=0)
            found = describe_values(block.values, 0.0)
            width += float((found["ci90_upper"] - found["ci90_lower"]).sum())
    total = np.add.reduceat(work.population, start)
    return Outlook(
        national=sums.sum(axis=0) / total.sum() + projector.origin,
        codes=codes,
        level=(sums / total[:, None] + projector.origin)[: len(codes)],
        spread=standard.sd,
        clear=clear / work.base.sum(),
        width=width / len(run),
    )


def _runs(work: Work, level: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Where the areas of a level begin in the hierarchy's order, and their codes; one run where there is no level."""
    if not level:
        return np.zeros(1, dtype=np.int64), ()
    k = work.hierarchy.levels.index(level)
    return work.hierarchy.starts[k][:-1], tuple(map(str, work.hierarchy.codes[k]))
