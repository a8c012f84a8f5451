"""Where each unknown of a problem stands: in the core, or in the nested chain that is eliminated exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from placewise.kernels.chain import Chain, build_chain, parts_of
from placewise.kernels.latent import BINOMIAL, CUMULATIVE, GAUSSIAN, GRADED, POISSON, Rows
from placewise.models.engines import FitProblem
from placewise.models.engines.laplace.questions import Questions, collected, questions_of
from placewise.models.engines.rows import Rows as Collected

FAMILIES = {
    "bernoulli": BINOMIAL, "binomial": BINOMIAL, "poisson": POISSON, "gaussian": GAUSSIAN, "cumulative": CUMULATIVE,
    "graded_response": GRADED,
}  # fmt: skip
# a group with fewer levels costs less in the core
SMALLEST_LEVEL = 40
# spacing of the grid on which persons are integrated, until the items' discriminations are known
STEP = 0.4
PARTS = 4


@dataclass(frozen=True, eq=False)
class Level:
    """One level of the chain.

    Parameters
    ----------
    group : int
        Position among the design's groups.
    labels : ndarray of int64
        Position in the group's labels of each node, in the chain's order.
    nodes : slice
        Its nodes.
    """

    group: int
    labels: np.ndarray
    nodes: slice


@dataclass(frozen=True, eq=False)
class Layout:
    """Unknowns and data of a problem, as the kernels take them.

    Parameters
    ----------
    rows : Rows
    chain : Chain
    parts : ndarray of int64
        Ends of the runs of leaves that are summed separately, so that sums do not depend on the number of threads.
    levels : tuple of Level
        Of the chain, finest first.
    intercept : bool
        Whether coefficient 0 of the core is the intercept.
    slopes, thresholds, deviations, discriminations : slice
        In the core; deviations by cutpoint, then covariate; discriminations are logarithms.
    groups : mapping of int to slice
        Groups in the core, by position among the design's.
    n_core : int
        Coefficients in the core, Q.
    questions : Questions
        What the rows answer.
    trait : ndarray of bool, shape (K,)
        Which of the rows' further coefficients are part of the trait, which a survey's scale multiplies.
    survey : ndarray of int64, shape (m,)
        Survey of each row.
    """

    rows: Rows
    chain: Chain
    parts: np.ndarray
    levels: tuple[Level, ...]
    intercept: bool
    slopes: slice
    thresholds: slice
    deviations: slice
    groups: dict[int, slice]
    n_core: int
    discriminations: slice
    questions: Questions
    trait: np.ndarray
    survey: np.ndarray

    @property
    def n_nodes(self) -> int:
        """Nodes of the chain."""
        return int(self.chain.first[-1])

    @property
    def n_unknowns(self) -> int:
        """Coefficients and effects."""
        return self.n_core + self.n_nodes

    def rows_at(self, scale: np.ndarray) -> Rows:
        """The rows, the trait multiplied by each survey's scale, shape (surveys,)."""
        if len(scale) < 2:
            return self.rows
        load = scale[self.survey]
        by = np.where(self.trait, load[:, None], 1.0)
        return self.rows._replace(x=self.rows.x * load[:, None], val=self.rows.val * by, load=load)


def place_groups(problem: FitProblem) -> tuple[list[int], dict[int, slice], int]:
    """Groups of the chain, finest first; where each other group stands in the core; coefficients in the core."""
    chosen = _nested(problem, collected(problem).index)
    p, n_cut, q, n_items = _counts(problem)
    at = p + n_cut + n_cut * q + n_items
    groups: dict[int, slice] = {}
    for k, g in enumerate(problem.design.groups):
        if k not in chosen:
            groups[k] = slice(at, at + len(g.labels))
            at += len(g.labels)
    return chosen, groups, at


def _counts(problem: FitProblem) -> tuple[int, int, int, int]:
    """Intercept and slopes, cutpoints, slopes that differ by cutpoint, and discriminations."""
    p = int(problem.priors.intercept is not None) + len(problem.design.columns)
    questions = questions_of(problem)
    return p, questions.n_cut, len(problem.design.category_specific), questions.n_items


def lay_out(problem: FitProblem) -> Layout:
    """Order the unknowns of a problem."""
    design = problem.design
    data, questions = collected(problem), questions_of(problem)
    chosen, groups, n_core = place_groups(problem)
    intercept = problem.priors.intercept is not None
    p, n_cut, q, n_items = _counts(problem)
    order = np.lexsort([data.index[k] for k in chosen]) if chosen else np.arange(len(data.y))
    numbers, labels = [], []
    for k in chosen:
        own = data.index[k][order]
        starts = np.r_[True, own[1:] != own[:-1]]
        numbers.append(np.cumsum(starts) - 1)
        labels.append(own[starts])
    entries_of = [_entries(data, k, order) for k in groups]
    starts_of = [at.start for at in groups.values()]
    none = np.empty((len(order), 0))
    col = np.column_stack([none.astype(np.int64)] + [s + at for s, (at, _) in zip(starts_of, entries_of, strict=True)])
    val = np.column_stack([none] + [value for _, value in entries_of])
    x = np.column_stack([np.ones((len(order), int(intercept))), data.x[order]])
    z = data.x[order][:, list(design.category_specific)]
    low, high, answers = questions.low[order], questions.high[order], questions.answers[order]
    entries = col
    if n_items:
        entries = np.column_stack([col, _item_entries(answers, questions.cuts, p)])
    elif n_cut:
        entries = np.column_stack([col, _threshold_entries(data.y[order], low, high, p, n_cut, q)])
    chain = build_chain(numbers, entries, n_core)
    start = np.array([0, len(order)]) if not chosen else np.searchsorted(numbers[0], np.arange(chain.n_leaves + 1))
    rows = Rows(
        FAMILIES[problem.family], x, col.astype(np.int32), np.ascontiguousarray(val), np.ascontiguousarray(z),
        data.y[order], data.size[order], data.weight[order], start.astype(np.int64), n_cut,
        low, high, np.ones(len(order)), answers, questions.cuts, p + n_cut, STEP, False,
    )  # fmt: skip
    trait = np.concatenate(
        [np.zeros(0, dtype=bool)]
        + [np.full(at.shape[1], not design.groups[k].survey) for k, (at, _) in zip(groups, entries_of, strict=True)]
    )
    levels = tuple(
        Level(k, labels[i], slice(int(chain.first[i]), int(chain.first[i + 1]))) for i, k in enumerate(chosen)
    )
    return Layout(
        rows, chain, parts_of(chain, rows.start, PARTS), levels, intercept, slice(int(intercept), p),
        slice(p, p + n_cut), slice(p + n_cut, p + n_cut + n_cut * q), groups, n_core,
        slice(p + n_cut, p + n_cut + n_items), questions, trait, questions.survey[order],
    )  # fmt: skip


def answer_counts(layout: Layout) -> list[tuple[int, np.ndarray]]:
    """Of each question with ordered answers, its first threshold and how often each category was chosen."""
    rows = layout.rows
    if rows.family == GRADED:
        each = zip(rows.cuts[:-1], rows.cuts[1:], rows.answers.T, strict=True)
        return [
            (int(low), np.bincount(own[own >= 0], rows.size[own >= 0], minlength=int(high - low) + 1))
            for low, high, own in each
        ]
    found = []
    for low in np.unique(rows.low):
        own = rows.low == low
        n_cut = int(rows.high[own][0]) - int(low)
        category = rows.y[own].astype(np.int64) - int(low)
        found.append((int(low), np.bincount(category, rows.size[own], minlength=n_cut + 1)))
    return found


def area_classes(problem: FitProblem, layout: Layout) -> list[np.ndarray | None]:
    """Class of each node of each level of the chain: of the area's, where its sd differs by class, else None."""
    scale, found = problem.design.area_scale, []
    for level in layout.levels:
        own = scale is not None and problem.design.groups[level.group].name == scale.group
        found.append(scale.index[level.labels] if own and scale is not None else None)
    return found


def _entries(data: Collected, k: int, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Levels of group k that each row meets, and how often each counts; (m, J) both.

    The kernels add up lower triangles, so a row's levels increase; a row that meets fewer than another names its first
    more than once, counted 0 times but for the last.
    """
    share = data.shares[k]
    if share is None:
        at, value = data.index[k][order, None], np.ones((len(order), 1))
    else:
        most = int((share > 0).sum(axis=1).max())
        numbers = np.where(share > 0, np.arange(share.shape[1]), -1)[order]
        at = np.sort(numbers, axis=1)[:, -most:]
        value = np.where(at < 0, 0.0, np.take_along_axis(share[order], np.maximum(at, 0), axis=1))
        least = np.where(at < 0, share.shape[1], at).min(axis=1)
        at = np.where(at < 0, least[:, None], at)
    by = data.by[k]
    return at, value if by is None else value * by[order, None]


def _threshold_entries(y: np.ndarray, low: np.ndarray, high: np.ndarray, p: int, n_cut: int, q: int) -> np.ndarray:
    """Core coefficients of the one or two thresholds beside each answer; -1 for none."""
    found = []
    for cut in (y.astype(np.int64) - 1, y.astype(np.int64)):
        there = (cut >= low) & (cut < high)
        found.append(np.where(there, p + cut, -1))
        found += [np.where(there, p + n_cut + cut * q + j, -1) for j in range(q)]
    return np.column_stack(found)


def _item_entries(answers: np.ndarray, cuts: np.ndarray, p: int) -> np.ndarray:
    """Core coefficients of the thresholds beside each answer to an item, and of the item; -1 for none."""
    found = []
    for m in range(answers.shape[1]):
        k, n_cut = answers[:, m].astype(np.int64), cuts[m + 1] - cuts[m]
        found.append(np.where(k > 0, p + cuts[m] + k - 1, -1))
        found.append(np.where((k >= 0) & (k < n_cut), p + cuts[m] + k, -1))
        found.append(np.where(k >= 0, p + cuts[-1] + m, -1))
    return np.column_stack(found)


def _nested(problem: FitProblem, index: tuple[np.ndarray, ...]) -> list[int]:
    """Groups that make up the chain, finest first: the largest, the next that it is nested in, and so on."""
    design = problem.design
    tied = {k for positions in design.correlated for k in positions}
    sizes = {
        k: len(np.unique(index[k]))
        for k, g in enumerate(design.groups)
        if g.structure is None and g.by is None and g.shares is None and k not in tied
    }
    chosen: list[int] = []
    for k in sorted(sizes, key=lambda k: (-sizes[k], k)):
        if sizes[k] < SMALLEST_LEVEL:
            break
        if not chosen or _is_nested(index[chosen[-1]], index[k]):
            chosen.append(k)
    return chosen


def _is_nested(child: np.ndarray, parent: np.ndarray) -> bool:
    """Whether each level of one grouping lies in one level of the other."""
    known = np.full(int(child.max()) + 1, -1, dtype=np.int64)
    known[child] = parent
    return bool((known[child] == parent).all())
