"""The two passes over all areas: first what each draw's areas have in common, then each area against it.

Nothing of size areas × draws is kept at national size: the second pass makes the draws again.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np

from placewise.errors import ModelError, Problem
from placewise.estimates.blocks import block_size, in_turn, spans
from placewise.estimates.crew import Crew, Task, Threads
from placewise.estimates.describe import Columns, Standard, describe_index, describe_ranks, describe_values
from placewise.estimates.hierarchy import Hierarchy
from placewise.estimates.projector import Block, Projector
from placewise.estimates.ranking import EXACT_VALUES, ExactRanking, Ranking, SketchRanking
from placewise.kernels.sums import add_moments, add_to_levels

Progress = Callable[[int, int], None]

_PILOT = 4096  # areas from which the sketch's bins are placed


@dataclass(frozen=True, eq=False)
class Work:
    """What both passes run on.

    Parameters
    ----------
    projector : Projector
    hierarchy : Hierarchy
    pool : Executor
        Threads of this process, for what is not done block by block.
    threads, block : int
    crew : Crew
        Who makes and describes blocks.
    shared : object
        Stands for the projector in the crew's ``submit``.
    progress : callable of (done, total), optional
    """

    projector: Projector
    hierarchy: Hierarchy
    pool: Executor
    threads: int
    block: int
    crew: Crew
    shared: Any
    progress: Progress | None = None

    def make(self, start: int, stop: int) -> Block:
        """Draws of areas ``start`` … ``stop`` of the hierarchy's order."""
        return self.projector.block(self.hierarchy.order[start:stop])

    def begin(self, start: int, stop: int) -> Task[Block]:
        """Have the crew make them."""
        return self.crew.submit(make_block, self.shared, self.hierarchy.order[start:stop])

    def told(self, done: int) -> None:
        """Report progress, over both passes."""
        if self.progress is not None:
            self.progress(done, 2 * len(self.hierarchy.order))

    @property
    def base(self) -> np.ndarray:
        """Areas of the base, in the hierarchy's order."""
        return np.asarray(self.projector.predictor.base[self.hierarchy.order], dtype=bool)

    @property
    def population(self) -> np.ndarray:
        """People, in the hierarchy's order."""
        return np.asarray(self.projector.predictor.population[self.hierarchy.order], dtype=np.float64)


def make_block(projector: Projector, rows: np.ndarray) -> Block:
    """Draws of some areas."""
    return projector.block(rows)


@dataclass(frozen=True, eq=False)
class FirstPass:
    """What the draws have in common.

    Parameters
    ----------
    standard : Standard
        On the projector's scale (less its origin).
    national : ndarray of float64, shape (S,)
        Mean over all people, less the origin.
    levels : ndarray of float32, shape (groups of all levels, S)
        Areas of every level, finest level first, in the hierarchy's order, less the origin.
    chance : ndarray of float64, shape (A,)
        Variance that is chance in who lives there, in the hierarchy's order.
    rankings : tuple of (members, Ranking)
        The base's small areas and, if there are any, those outside.
    """

    standard: Standard
    national: np.ndarray
    levels: np.ndarray
    chance: np.ndarray
    rankings: tuple[tuple[np.ndarray, Ranking], ...]


class _Moments:
    """Mean and sd over the base's areas in each draw, in the areas' order."""

    def __init__(self, weight: np.ndarray, shift: np.ndarray) -> None:
        self._weight, self._shift = weight, shift
        self._first, self._second = np.zeros_like(shift), np.zeros_like(shift)

    def add(self, start: int, stop: int, values: np.ndarray) -> None:
        add_moments(values, self._weight[start:stop], self._shift, self._first, self._second)

    def finish(self, polarity: int) -> Standard:
        total = self._weight.sum()
        mean = self._first / total
        sd = np.sqrt(np.maximum(self._second / total - mean**2, 0.0))
        if not np.isfinite(mean + sd).all():
            raise ModelError(Problem("posterior", "the draws of some areas are not finite", kind="model"))
        return Standard(mean + self._shift, sd, polarity)


def _shift(work: Work, weight: np.ndarray) -> np.ndarray:
    """Value of the first area of the base in each draw: near enough to the mean that no digits cancel."""
    first = int(np.flatnonzero(weight > 0)[0])
    return np.asarray(work.make(first, first + 1).values[0], dtype=np.float64)


def base_standard(work: Work) -> Standard:
    """Mean and sd of the base's small areas in each draw, and nothing else."""
    weight = work.population * work.base
    moments = _Moments(weight, _shift(work, weight))
    for start, stop, block in in_turn(work.begin, spans(len(weight), work.block), work.crew.ahead):
        moments.add(start, stop, block.values)
    return moments.finish(work.projector.predictor.polarity)


def small_area_ranking(work: Work, members: np.ndarray) -> Ranking:
    """Exact where all draws of the members fit in memory, else a sketch placed by a pilot of them."""
    n = int(members.sum())
    if n * work.projector.n_draws <= EXACT_VALUES:
        return ExactRanking(np.empty((n, work.projector.n_draws), dtype=np.float32))
    places = np.flatnonzero(members)
    chosen = places[np.linspace(0, n - 1, min(n, _PILOT)).astype(np.int64)]
    return SketchRanking(work.projector.block(work.hierarchy.order[chosen]).values)


def first_pass(work: Work) -> FirstPass:
    """Sums over the base, over every level and over all, and the rankings."""
    hierarchy, population, base = work.hierarchy, work.population, work.base
    n, n_draws, n_levels = len(population), work.projector.n_draws, len(hierarchy.levels)
    groups = [len(codes) for codes in hierarchy.codes]
    levels = np.empty((sum(groups), n_draws), dtype=np.float32)
    next_row = np.concatenate([[0], np.cumsum(groups)[:-1]]).astype(np.int64) if groups else np.zeros(0, np.int64)
    running, running_weight = np.zeros((n_levels + 1, n_draws)), np.zeros(n_levels + 1)
    ends, chance = hierarchy.ends(), np.empty(n)
    moments = _Moments(population * base, _shift(work, population * base))
    sets = [base] if base.all() else [base, ~base]
    rankings = tuple((members, small_area_ranking(work, members)) for members in sets)
    for start, stop, block in in_turn(work.begin, spans(n, work.block), work.crew.ahead):
        here = slice(start, stop)
        tasks = [work.pool.submit(ranking.add, block.values, members[here]) for members, ranking in rankings]
        add_to_levels(block.values, population[here], ends[here], running, running_weight, levels, next_row)
        moments.add(start, stop, block.values)
        chance[here] = block.chance
        for task in tasks:
            task.result()
        work.told(stop)
    standard = moments.finish(work.projector.predictor.polarity)
    for _, ranking in rankings:
        ranking.finish(work.pool)
    return FirstPass(standard, running[-1] / running_weight[-1], levels, chance, rankings)


def second_pass(work: Work, first: FirstPass) -> Columns:
    """Columns of the small areas, in the hierarchy's order."""
    n, crew = len(work.hierarchy.order), work.crew
    before = [np.concatenate([[0], np.cumsum(members)]) for members, _ in first.rankings]
    common = [crew.share(ranking) if ranking.common else None for _, ranking in first.rankings]
    columns: Columns = {}

    def describe(start: int, stop: int) -> Task[Columns]:
        sets, rankings = [], []
        for k, (members, ranking) in enumerate(first.rankings):
            sets.append((members[start:stop], int(before[k][-1])))
            rankings.append(ranking.part(before[k][start], before[k][stop]) if common[k] is None else common[k])
        rows = work.hierarchy.order[start:stop]
        return crew.submit(describe_block, work.shared, rows, first.standard, sets, *rankings)

    for start, stop, found in in_turn(describe, spans(n, work.block), crew.ahead):
        for name, column in found.items():
            columns.setdefault(name, np.empty(n, dtype=column.dtype))[start:stop] = column
        work.told(n + stop)
    return columns


def describe_block(
    projector: Projector,
    rows: np.ndarray,
    standard: Standard,
    sets: list[tuple[np.ndarray, int]],
    *rankings: Ranking,
) -> Columns:
    """Columns of some areas.

    Parameters
    ----------
    projector : Projector
    rows : ndarray of int64, shape (B,)
    standard : Standard
    sets : list of (ndarray of bool, int)
        Which of the areas are in each ranking, and how many areas it ranks in all; the base first.
    *rankings : Ranking
        What is needed to rank those.
    """
    values = projector.block(rows).values
    found = describe_values(values, projector.origin) | describe_index(values, standard)
    for k, ((inside, n), ranking) in enumerate(zip(sets, rankings, strict=True)):
        for name, column in describe_ranks(ranking.ranks(values[inside], 0), n, standard.polarity).items():
            if k == 0 or name == "mean_rank":
                found.setdefault(name, np.full(len(rows), np.nan))[inside] = column
    return found


def work_on(
    projector: Projector,
    pool: Executor,
    threads: int,
    block: int | None,
    progress: Progress | None = None,
    crew: Crew | None = None,
) -> Work:
    """Everything that a pass needs; without a crew the pool's threads are it."""
    size = block or block_size(projector.n_draws)
    hands = Threads(pool, threads) if crew is None else crew
    hierarchy = Hierarchy.of(projector.predictor)
    return Work(projector, hierarchy, pool, threads, size, hands, hands.share(projector), progress)
