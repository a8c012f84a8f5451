"""Benchmarking at any size: one pass for the areas' figures in each draw, a few more for the shifts that move them.

The shift of an area in a draw is one more effect of the predictor, on η: estimates, index, ranks, releases and people
follow from it as from any other, and for a given cell the order of the areas inside a benchmarked area is kept. Nothing
of size areas × draws is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from placewise.errors import ConfigurationError, DataError, ModelError, Problem, Problems
from placewise.estimates.benchmarking import (
    Discrepancy,
    centred_on,
    condition,
    draw_targets,
    estimate_discrepancy,
    inside,
    normals,
    uniforms,
)
from placewise.estimates.blocks import block_size, in_order, spans
from placewise.estimates.describe import NATIONAL, WHOLE
from placewise.estimates.hierarchy import Hierarchy
from placewise.estimates.moved import Moved, describe_moves, in_rows, row_moments
from placewise.estimates.predictor import Effect, Predictor
from placewise.estimates.projector import Projector
from placewise.estimates.scale import LinkScale, scale_of_estimand
from placewise.estimates.shift import shift_name
from placewise.estimates.targets import Mode, Targets, check_targets, reliable
from placewise.kernels.sums import add_to_groups

Progress = Callable[[int, int], None]

PASSES = 8  # at most; three or four are usual
_CLOSE = 2e-5  # on the logarithm or logit: a share is met to 5e-6 in every draw
_MOST_VALUES = 20_000_000  # areas × draws of the benchmarked level: four arrays of 160 MB
_DRAWS_AN_AREA = 4  # mode update rests on the covariance between areas, which so many draws each can tell


@dataclass(frozen=True, eq=False)
class Benchmarked:
    """A predictor whose areas stand where the targets put them.

    Parameters
    ----------
    predictor : Predictor
        With the shifts as one more effect.
    level, mode : str
    scale : LinkScale
        Of the estimand that was benchmarked.
    targets : Targets
        In the order of the level's areas.
    estimand : int
        Position of the estimand that they are of.
    used : ndarray of bool, shape (L,)
        Targets that were met; the others failed their gate.
    moved : Moved
        What moved and by how much.
    """

    predictor: Predictor
    level: str
    mode: Mode
    scale: LinkScale
    targets: Targets
    estimand: int
    used: np.ndarray
    moved: Moved


@dataclass(frozen=True, eq=False)
class _Work:
    """What the passes run on: small areas in a fixed order, and the benchmarked area of each."""

    predictor: Predictor
    estimand: int
    order: np.ndarray
    group: np.ndarray
    codes: np.ndarray
    threads: int
    progress: Progress | None

    def rates(self, predictor: Predictor, done: int) -> tuple[np.ndarray, np.ndarray]:
        """Rates of the benchmarked areas, float64 (L, S), and mean rates of the small areas, (A,)."""
        projector = Projector(predictor, self.estimand, people=False)
        weight = np.asarray(predictor.population[self.order], dtype=np.float64)
        sums, mean = np.zeros((len(self.codes), predictor.n_draws)), np.empty(len(self.order))
        parts = spans(len(self.order), block_size(predictor.n_draws))

        def make(start: int, stop: int) -> np.ndarray:
            return projector.block(self.order[start:stop]).values

        with ThreadPoolExecutor(self.threads) as pool:
            for start, stop, values in in_order(make, parts, pool, self.threads):
                add_to_groups(values, weight[start:stop], self.group[start:stop], sums)
                mean[self.order[start:stop]] = values.mean(axis=1, dtype=np.float64)
                if self.progress is not None:
                    self.progress(done * len(self.order) + stop, PASSES * len(self.order))
        total = np.bincount(self.group, weight, minlength=len(self.codes))
        # in place: the benchmarked areas × draws are the largest arrays there are
        sums /= total[:, None]
        sums += projector.origin
        return sums, mean + projector.origin


def level_codes(predictor: Predictor, level: str) -> np.ndarray:
    """Code of each small area's area at a level; object array of str, shape (A,).

    Raises
    ------
    ConfigurationError
        There is no such level.
    """
    if level == NATIONAL:
        return np.full(len(predictor.codes), WHOLE, dtype=object)
    if level == predictor.code:
        return predictor.codes
    if level not in predictor.levels:
        known = ", ".join(repr(name) for name in (predictor.code, *predictor.levels, NATIONAL))
        raise ConfigurationError(Problem("benchmark.level", f"there is no level {level!r}", f"known: {known}"))
    return predictor.levels[level]


def benchmark(
    predictor: Predictor,
    targets: Targets,
    level: str,
    mode: Mode = "drawn",
    *,
    estimand: int = 0,
    where: str = "benchmark.targets",
    threads: int = 2,
    progress: Progress | None = None,
) -> Benchmarked:
    """Move the areas of a level to published figures.

    Parameters
    ----------
    predictor : Predictor
    targets : Targets
        One for each area of the level, in any order.
    level : str
        The code column, a level, or ``national`` (whose one code is ``all``).
    mode : {"drawn", "exact", "update"}
        ``drawn``: each draw is moved to a draw of the target; ``exact``: the same, then the mean over draws to the
        target itself (without standard errors the model's own spread is kept); ``update``: targets and model are
        weighed against each other, their discrepancy estimated over the targets.
    estimand : int
        Position in the predictor's estimands of the one the targets are of; all follow the shift.
    where : str
        What messages call the targets.
    threads : int
        They change no number.
    progress : callable of (done, total), optional

    Raises
    ------
    DataError, ConfigurationError
        Every problem of the targets.
    ModelError
        The figures cannot be reached.
    """
    work = _work(predictor, estimand, level, threads, progress)
    scale = scale_of_estimand(predictor.estimands[estimand])
    found = Problems()
    check_targets(targets, level, work.codes, scale, mode, where, found)
    check_size(len(work.codes), predictor.n_draws, mode, found)
    found.raise_if_any()
    targets = targets.take(work.codes)
    used = reliable(targets, scale)
    if not used.any():
        message = f"no target of {level!r} is precise enough to be used"
        raise DataError(Problem(where, message, "benchmark a larger level", kind="data"))
    figures, mean_before = work.rates(predictor, 0)
    before = row_moments(figures)
    goal, discrepancy, clipped = _goal(figures, targets, used, scale, mode, predictor.seed)
    met = np.ones_like(used) if mode == "update" else used
    for rows in in_rows(figures.shape):
        figures[rows] = scale.forward(figures[rows])
    shift, after, mean_after, passes = _solve(work, scale, figures, goal, met, _parents(predictor, work, level))
    moved = describe_moves(
        targets, used, before, after, shift.mean(axis=1, dtype=np.float64), predictor.population,
        (mean_before, mean_after), discrepancy, clipped=clipped / goal.size, passes=passes,
    )  # fmt: skip
    return Benchmarked(_with(work, level, shift), level, mode, scale, targets, estimand, used, moved)


def _work(predictor: Predictor, estimand: int, level: str, threads: int, progress: Progress | None) -> _Work:
    order = Hierarchy.of(predictor).order
    group, codes = pd.factorize(np.asarray(level_codes(predictor, level), dtype=object)[order], sort=True)
    return _Work(
        predictor,
        estimand,
        order,
        np.asarray(group, dtype=np.int64),
        np.asarray(codes, dtype=object),
        threads,
        progress,
    )


def check_size(areas: int, draws: int, mode: str, found: Problems) -> None:
    """Note a level of too many areas for memory, or for what the draws can tell."""
    if areas * draws > _MOST_VALUES:
        found.add("benchmark.level", f"{areas:,} areas × {draws:,} draws are too many", "benchmark a larger level")
    if mode == "update" and areas * _DRAWS_AN_AREA > draws:
        message = f"{draws:,} draws cannot tell how {areas:,} areas go together"
        found.add("benchmark.mode", message, f"take {_DRAWS_AN_AREA * areas:,} draws, a larger level, or mode 'drawn'")


def _goal(
    before: np.ndarray, targets: Targets, used: np.ndarray, scale: LinkScale, mode: Mode, seed: int
) -> tuple[np.ndarray, Discrepancy | None, int]:
    """Where each area is to stand on the scale in each draw; only rows that are used count, but for ``update``."""
    goal, found, clipped = np.empty_like(before), None, 0
    if mode == "update":
        goal, found, clipped = _updated(before, targets, used, scale, seed)
    for rows in in_rows(before.shape):
        wanted = goal[rows] if mode == "update" else _drawn(before[rows], targets, used, rows, scale, mode, seed)
        goal[rows] = scale.forward(wanted)
    return goal, found, clipped


def _updated(
    before: np.ndarray, targets: Targets, used: np.ndarray, scale: LinkScale, seed: int
) -> tuple[np.ndarray, Discrepancy, int]:
    """Figures once model and targets have been weighed against each other."""
    assert targets.se is not None
    n_draws, estimate, codes = before.shape[1], targets.estimate, targets.codes
    b, se = estimate[used], targets.se[used]
    uniform = uniforms(seed, "discrepancy", np.array([WHOLE], dtype=object), n_draws)[0]
    covariance = np.atleast_2d(np.cov(before[used])) + np.diag(se**2)
    found = estimate_discrepancy(b - before[used].mean(axis=1), covariance, uniform)
    noise = (normals(seed, "area", codes, n_draws), normals(seed, "target", codes[used], n_draws))
    moved = condition(before, used, b, se, found.draws, noise)
    within, clipped = inside(moved, np.where(used, estimate, before.mean(axis=1)), scale)
    return within, found, clipped


def _drawn(
    before: np.ndarray, targets: Targets, used: np.ndarray, rows: slice, scale: LinkScale, mode: Mode, seed: int
) -> np.ndarray:
    """Figures of some areas, drawn from their targets."""
    wanted, own, estimate = before.copy(), used[rows], targets.estimate[rows]
    if targets.se is not None:
        uniform = uniforms(seed, "target", targets.codes[rows], before.shape[1])
        wanted[own] = draw_targets(estimate, targets.se[rows], uniform, scale.lower, scale.upper)[own]
    if mode == "exact":
        wanted[own] = centred_on(wanted[own], estimate[own], scale)
    return wanted


def _parents(predictor: Predictor, work: _Work, level: str) -> list[np.ndarray]:
    """Next larger area of each benchmarked area, then the one above it …, last the whole; int64, shape (L,) each."""
    finer = [predictor.code, *predictor.levels]
    above = finer[finer.index(level) + 1 :] if level in finer else []
    first = np.unique(work.group, return_index=True)[1]
    found = [pd.factorize(predictor.levels[name][work.order[first]])[0] for name in above]
    return [*found, np.zeros(len(work.codes), dtype=np.int64)]


def _solve(
    work: _Work, scale: LinkScale, here: np.ndarray, goal: np.ndarray, met: np.ndarray, parents: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Shifts of η that bring the areas to where they are wanted, by the secant rule on the scale.

    Parameters
    ----------
    here, goal : ndarray of float64, shape (L, S)
        Where the areas stand and where they are wanted, on the scale; both are overwritten.
    met : ndarray of bool, shape (L,)
        Areas that are to be brought there; the others follow their siblings.
    parents : list of ndarray of int64, shape (L,)

    Returns
    -------
    shift : ndarray of float32, shape (L, S)
    after : ndarray of float64, shape (L, S)
        Figures.
    mean : ndarray of float64, shape (A,)
        Mean rates of the small areas afterwards.
    passes : int
    """
    people = np.bincount(work.group, work.predictor.population[work.order])
    goal[~met] = here[~met]
    state, parts = _Secant(scale, here, goal, met), in_rows(goal.shape)
    unit = max(1.0, max(state.largest(rows) for rows in parts)) if scale.link == "identity" else 1.0
    # single precision, as the predictor stores it
    shift = np.zeros(goal.shape, dtype=np.float32)
    for done in range(1, PASSES):
        for rows in parts:
            shift[rows] = shift[rows] + state.step(rows)
        shift[~met] = _of_siblings(shift, met, people, parents)
        after, mean = work.rates(_with(work, "", shift), done)
        miss = float(np.max([state.miss(rows, after[rows]) for rows in parts]))
        if not np.isfinite(miss):
            break
        if miss <= _CLOSE * unit:
            return shift, after, mean, done + 1
        for rows in parts:
            state.learn(rows, after[rows])
        del after
    hint = "are the targets of this estimand, this population and this scale?"
    raise ModelError(
        Problem("benchmark.targets", "the figures cannot be reached by a shift of the model", hint, "model")
    )


class _Secant:
    """Where areas stand, where they are wanted, and how much a shift moves them: a few areas at a time."""

    def __init__(self, scale: LinkScale, here: np.ndarray, goal: np.ndarray, met: np.ndarray) -> None:
        self._scale, self._here, self._goal, self._met = scale, here, goal, met
        self._slope = np.full(goal.shape, scale.direction, dtype=np.float32)

    def largest(self, rows: slice) -> float:
        """Longest way to go."""
        return float(np.abs(self._goal[rows] - self._here[rows]).max())

    def step(self, rows: slice) -> np.ndarray:
        """Next shift; none of areas that are not to be met."""
        step: np.ndarray = (self._goal[rows] - self._here[rows]) / self._slope[rows]
        step[~self._met[rows]] = 0.0
        return step

    def miss(self, rows: slice, after: np.ndarray) -> float:
        """Largest distance left of the areas to be met; not a finite number where one stands at an end."""
        met = self._met[rows]
        return float(np.abs(self._goal[rows][met] - self._scale.forward(after[met])).max(initial=0.0))

    def learn(self, rows: slice, after: np.ndarray) -> None:
        """Take the areas' new place, and from it how much the last step moved them."""
        there, step, slope = self._scale.forward(after), self.step(rows), self._slope[rows]
        large = np.abs(step) > 1e-4
        gradient = self._scale.direction * (there - self._here[rows])[large] / step[large]
        slope[large] = self._scale.direction * np.clip(gradient, 0.02, 2.0)
        self._here[rows] = there


def _of_siblings(shift: np.ndarray, met: np.ndarray, people: np.ndarray, parents: list[np.ndarray]) -> np.ndarray:
    """Shift of areas whose target is not used: their parent's, the population-weighted mean of those that are met."""
    out, open_rows = np.zeros((int((~met).sum()), shift.shape[1])), np.flatnonzero(~met)
    done = np.zeros(len(open_rows), dtype=bool)
    for parent in parents:
        for k in np.flatnonzero(~done):
            siblings = met & (parent == parent[open_rows[k]])
            if siblings.any():
                for row in np.flatnonzero(siblings):
                    out[k] += people[row] * shift[row]
                out[k] /= people[siblings].sum()
                done[k] = True
    return out


def _with(work: _Work, name: str, shift: np.ndarray) -> Predictor:
    """The predictor with shifts as one more effect."""
    index = np.empty(len(work.order), dtype=np.int64)
    index[work.order] = work.group
    labels = tuple(work.codes)
    effect = Effect(
        name=shift_name(name),
        labels=labels,
        draws=np.ascontiguousarray(shift, dtype=np.float32),
        sd=np.zeros(shift.shape[1]),
        all_labels=labels,
        area_index=index,
        cell_index=None,
        lookup=np.arange(len(labels))[:, None],
    )
    return replace(work.predictor, effects=(*work.predictor.effects, effect))
