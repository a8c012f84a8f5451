"""Small latent gaussian models as the kernels take them, and all of their derivatives by dense algebra from scratch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from placewise.kernels.chain import Chain, build_chain
from placewise.kernels.latent import BINOMIAL, CUMULATIVE, GAUSSIAN, POISSON, Rows, simple_rows

# rows of a leaf, and how many children make up a node of each further level
SIZES, CHILDREN = (1, 3, 2, 5), (3, 2, 2)
N_LEAVES, LEVELS, CATEGORIES = 24, 7, 4


@dataclass(frozen=True, eq=False)
class Dense:
    """A model, a value of its unknowns, and what the kernels should find there.

    Parameters
    ----------
    rows, chain : Rows, Chain
    core, nodes : ndarray
        Where it is looked at; all unknowns are ``core`` and then ``nodes``.
    tau : ndarray, shape (nodes,)
    prior : ndarray, shape (Q, Q)
        Precision of the core.
    variance : float
    """

    rows: Rows
    chain: Chain
    core: np.ndarray
    nodes: np.ndarray
    tau: np.ndarray
    prior: np.ndarray
    variance: float

    @property
    def above(self) -> np.ndarray:
        """Sum of the effects of each leaf and its ancestors."""
        return np.asarray(self.membership @ self.nodes)

    @property
    def leaf_of(self) -> np.ndarray:
        """Leaf of each row."""
        return np.repeat(np.arange(len(self.rows.start) - 1), np.diff(self.rows.start))

    @property
    def membership(self) -> np.ndarray:
        """Which nodes a leaf is in, shape (leaves, nodes)."""
        found = np.zeros((self.chain.n_leaves, len(self.tau)))
        if len(self.tau):
            for leaf in range(self.chain.n_leaves):
                node = leaf
                while node >= 0:
                    found[leaf, node] = 1.0
                    node = int(self.chain.parent[node])
        return found

    @property
    def coefficients(self) -> np.ndarray:
        """Linear predictors in all unknowns, thresholds apart; shape (m, Q + nodes)."""
        core = np.zeros((len(self.rows.y), len(self.core)))
        core[:, : self.rows.x.shape[1]] = self.rows.x
        for k in range(self.rows.col.shape[1]):
            core[np.arange(len(core)), self.rows.col[:, k]] += self.rows.val[:, k]
        return np.column_stack([core, self.membership[self.leaf_of]])

    def cut_coefficients(self, cut: int) -> np.ndarray:
        """Predictors of P(y > cut) in all unknowns."""
        p, q, found = self.rows.x.shape[1], self.rows.z.shape[1], self.coefficients
        found[:, p + cut] += 1.0
        at = p + self.rows.n_cut + cut * q
        found[:, at : at + q] += self.rows.z
        return found

    def likelihood(self, u: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Log likelihood as the family's formula has it, gradient and negative Hessian in all unknowns."""
        rows = self.rows
        if rows.family == CUMULATIVE:
            return self._ordered(u)
        a = self.coefficients
        e = a @ u
        p, mean = 1.0 / (1.0 + np.exp(-e)), rows.size * np.exp(e)
        w = rows.weight / (self.variance or rows.size)
        value, slope, curve = {
            BINOMIAL: (
                rows.y * np.log(p) + (rows.size - rows.y) * np.log(1.0 - p), rows.y - rows.size * p,
                rows.size * p * (1.0 - p),
            ),
            POISSON: (rows.y * e - mean, rows.y - mean, mean),
            GAUSSIAN: (
                -0.5 * w * (rows.y - e) ** 2 - 0.5 * rows.weight * np.log(self.variance or rows.size),
                w * (rows.y - e), w,
            ),
        }[rows.family]  # fmt: skip
        return float(value.sum()), a.T @ slope, (a.T * curve) @ a

    def _ordered(self, u: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Differences of logistic distribution functions, as the model is written."""
        y, size = self.rows.y, self.rows.size
        chance, slope = np.zeros(len(y)), np.zeros((len(y), len(u)))
        curved = np.zeros((len(u), len(u)))
        cuts = [self.cut_coefficients(k) for k in range(self.rows.n_cut)]
        chances = [np.ones(len(y)), *(1.0 / (1.0 + np.exp(-a @ u)) for a in cuts), np.zeros(len(y))]
        for k in range(len(chances) - 1):
            chance[y == k] = (chances[k] - chances[k + 1])[y == k]
        for cut, a in enumerate(cuts):
            sign = (y == cut + 1) * 1.0 - (y == cut)
            p = chances[cut + 1]
            slope += (sign * p * (1.0 - p))[:, None] * a
            curved += (a.T * (size * sign * p * (1.0 - p) * (1.0 - 2.0 * p) / chance)) @ a
        gradient = (size / chance) @ slope
        return float(size @ np.log(chance)), gradient, (slope.T * (size / chance**2)) @ slope - curved

    def hessian(self, u: np.ndarray | None = None) -> np.ndarray:
        """Negative Hessian of the log joint density in all unknowns."""
        found = self.likelihood(self.unknowns if u is None else u)[2]
        q = len(self.core)
        found[:q, :q] += self.prior
        found[q:, q:] += np.diag(self.tau)
        return found

    @property
    def unknowns(self) -> np.ndarray:
        """Core and nodes."""
        return np.concatenate([self.core, self.nodes])


def _levels(depth: int, rng: np.random.Generator) -> tuple[list[np.ndarray], np.ndarray]:
    """Position of each row in each level, and the first row of each leaf."""
    counts = np.resize(SIZES, N_LEAVES)
    levels = [np.repeat(np.arange(N_LEAVES), counts)]
    if depth == 0:
        return [], np.array([0, len(levels[0])])
    for k in range(depth - 1):
        own = np.arange(levels[-1].max() + 1) // CHILDREN[k]
        levels.append(own[levels[-1]])
    return levels, np.concatenate([[0], np.cumsum(counts)])


def _answers(family: int, n: int, known: bool, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Answers, sizes and weights; fractional where a pseudo-likelihood has them so."""
    weight = np.ones(n)
    size = rng.uniform(0.5, 3.0, n)
    if family == BINOMIAL:
        return size * rng.uniform(size=n), size, weight
    if family == POISSON:
        return rng.poisson(2.0, n) * rng.uniform(0.5, 1.5, n), size, weight
    if family == GAUSSIAN:
        return rng.normal(size=n), size if known else np.ones(n), rng.uniform(0.5, 2.0, n)
    return rng.integers(0, CATEGORIES, n).astype(float), size, weight


MakeModel = Callable[..., Dense]


@pytest.fixture(scope="session")
def make_model() -> MakeModel:
    """A model of one family and a chain of some levels, at a random value of its unknowns."""

    def make(family: int, depth: int, bare: bool = False, deviations: int = 0, known: bool = False) -> Dense:
        rng = np.random.default_rng([family, depth])
        levels, start = _levels(depth, rng)
        n, n_cut = int(start[-1]), CATEGORIES - 1 if family == CUMULATIVE else 0
        x = rng.normal(size=(n, 0 if bare else 2))
        z = rng.normal(size=(n, deviations)) * 0.1
        at = x.shape[1] + n_cut * (1 + deviations)
        # a crossed grouping with an intercept, and the slope of a column over another
        picked = np.column_stack([rng.integers(0, LEVELS, n), LEVELS + rng.integers(0, LEVELS, n)])
        col = (picked + at).astype(np.int32)[:, : 0 if bare else 2]
        val = np.column_stack([np.ones(n), rng.normal(size=n)])[:, : col.shape[1]]
        y, size, weight = _answers(family, n, known, rng)
        rows = simple_rows(family, x, col, np.ascontiguousarray(val), z, y, size, weight, start.astype(np.int64), n_cut)
        n_core = at + (0 if bare else 2 * LEVELS)
        chain = build_chain(levels, np.column_stack([col, _beside(rows)]).astype(np.int32), n_core)
        root = rng.normal(size=(n_core, n_core)) * 0.2
        core = rng.normal(size=n_core) * 0.3
        core[x.shape[1] : x.shape[1] + n_cut] = [1.5, 0.2, -1.0][:n_cut]
        nodes = rng.normal(size=int(chain.first[-1])) * 0.5
        tau = rng.uniform(0.5, 4.0, len(nodes))
        variance = 0.7 if family == GAUSSIAN and not known else 0.0
        return Dense(rows, chain, core, nodes, tau, root @ root.T + np.eye(n_core), variance)

    return make


def _beside(rows: Rows) -> np.ndarray:
    """Thresholds beside each answer and their deviations; -1 for none."""
    p, q = rows.x.shape[1], rows.z.shape[1]
    found = np.full((len(rows.y), 2 * (1 + q)), -1)
    for i, y in enumerate(rows.y.astype(int)):
        cuts = [k for k in (y - 1, y) if 0 <= k < rows.n_cut]
        own = [[p + k, *(p + rows.n_cut + k * q + np.arange(q))] for k in cuts]
        flat = [c for part in own for c in part]
        found[i, : len(flat)] = flat
    return found
