"""Where each unknown of a problem stands: in the core, or in the nested chain that is eliminated exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from placewise.errors import ConfigurationError, Problem
from placewise.kernels.chain import Chain, build_chain, parts_of
from placewise.kernels.latent import BINOMIAL, CUMULATIVE, GAUSSIAN, POISSON, Rows
from placewise.models.engines import FitProblem

FAMILIES = {
    "bernoulli": BINOMIAL, "binomial": BINOMIAL, "poisson": POISSON, "gaussian": GAUSSIAN, "cumulative": CUMULATIVE
}  # fmt: skip
# a group with fewer levels costs less in the core
SMALLEST_LEVEL = 40
LARGEST_CORE = 3000
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
    slopes, thresholds, deviations : slice
        In the core; deviations by cutpoint, then covariate.
    groups : mapping of int to slice
        Groups in the core, by position among the design's.
    n_core : int
        Coefficients in the core, Q.
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

    @property
    def n_nodes(self) -> int:
        """Nodes of the chain."""
        return int(self.chain.first[-1])

    @property
    def n_unknowns(self) -> int:
        """Coefficients and effects."""
        return self.n_core + self.n_nodes


def lay_out(problem: FitProblem) -> Layout:
    """Order the unknowns of a problem.

    Raises
    ------
    ConfigurationError
        If more unknowns would stand in the core than it can hold.
    """
    design = problem.design
    data = problem.rows
    chosen = _nested(problem, data.index)
    intercept = problem.priors.intercept is not None
    p = int(intercept) + len(design.columns)
    n_cut = len(problem.response.levels) - 1 if problem.family == "cumulative" else 0
    q = len(design.category_specific)
    at = p + n_cut + n_cut * q
    groups: dict[int, slice] = {}
    for k, g in enumerate(design.groups):
        if k not in chosen:
            groups[k] = slice(at, at + len(g.labels))
            at += len(g.labels)
    _check_size(problem, groups, at)
    order = np.lexsort([data.index[k] for k in chosen]) if chosen else np.arange(len(data.y))
    numbers, labels = [], []
    for k in chosen:
        own = data.index[k][order]
        starts = np.r_[True, own[1:] != own[:-1]]
        numbers.append(np.cumsum(starts) - 1)
        labels.append(own[starts])
    col = np.column_stack(
        [np.empty((len(order), 0), dtype=np.int64)] + [groups[k].start + data.index[k][order] for k in groups]
    )
    val = np.column_stack([np.empty((len(order), 0))] + [_values(data.by[k], order) for k in groups])
    x = np.column_stack([np.ones((len(order), int(intercept))), data.x[order]])
    z = data.x[order][:, list(design.category_specific)]
    entries = np.column_stack([col, _threshold_entries(data.y[order], p, n_cut, q)]) if n_cut else col
    chain = build_chain(numbers, entries, at)
    start = np.array([0, len(order)]) if not chosen else np.searchsorted(numbers[0], np.arange(chain.n_leaves + 1))
    rows = Rows(
        FAMILIES[problem.family], x, col.astype(np.int32), np.ascontiguousarray(val), np.ascontiguousarray(z),
        data.y[order], data.size[order], data.weight[order], start.astype(np.int64), n_cut,
    )  # fmt: skip
    levels = tuple(
        Level(k, labels[i], slice(int(chain.first[i]), int(chain.first[i + 1]))) for i, k in enumerate(chosen)
    )
    return Layout(
        rows, chain, parts_of(chain, rows.start, PARTS), levels, intercept, slice(int(intercept), p),
        slice(p, p + n_cut), slice(p + n_cut, p + n_cut + n_cut * q), groups, at,
    )  # fmt: skip


def _values(by: np.ndarray | None, order: np.ndarray) -> np.ndarray:
    return np.ones(len(order)) if by is None else by[order]


def _threshold_entries(y: np.ndarray, p: int, n_cut: int, q: int) -> np.ndarray:
    """Core coefficients of the one or two thresholds beside each answer; -1 for none."""
    found = []
    for cut in (y.astype(np.int64) - 1, y.astype(np.int64)):
        there = (cut >= 0) & (cut < n_cut)
        found.append(np.where(there, p + cut, -1))
        found += [np.where(there, p + n_cut + cut * q + j, -1) for j in range(q)]
    return np.column_stack(found)


def _nested(problem: FitProblem, index: tuple[np.ndarray, ...]) -> list[int]:
    """Groups that make up the chain, finest first: the largest, the next that it is nested in, and so on."""
    design = problem.design
    tied = {k for positions in design.correlated for k in positions}
    sizes = {
        k: len(np.unique(index[k]))
        for k, g in enumerate(design.groups)
        if g.structure is None and g.by is None and k not in tied
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


def _check_size(problem: FitProblem, groups: dict[int, slice], n_core: int) -> None:
    if n_core <= LARGEST_CORE:
        return
    names = [f"{problem.design.groups[k].name} ({s.stop - s.start:,})" for k, s in groups.items()]
    large = ", ".join(sorted(names, key=lambda n: -int(n.rsplit("(", 1)[1].rstrip(")").replace(",", "")))[:3])
    raise ConfigurationError(
        Problem(
            "model.engine",
            f"'laplace' eliminates one nested chain of groups and can hold {LARGEST_CORE:,} further unknowns; the "
            f"formula has {n_core:,}, most of them in {large}",
            "use engine = 'nuts', or leave out a large group that is not nested in the others",
            "unavailable",
        )
    )
