"""Likelihood averaged over homes, against sums written out and differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from placewise.kernels.averaging import Profiles, averaged_log_likelihood, averaged_slope

HOMES, LEAVES, P, K, Q = 11, 3, 2, 2, 1


def profiles_of(categories: int) -> tuple[Profiles, int]:
    """Four profiles of one to five homes, and the size of the core."""
    rng = np.random.default_rng(2)
    start = np.array([0, 1, 4, 6, 11])
    share = np.concatenate([rng.dirichlet(np.ones(n)) for n in np.diff(start)])
    ordered = categories > 2
    q = Q if ordered else 0
    first = P + (categories - 1) * (1 + q) * ordered
    col = rng.integers(first, first + 4, (HOMES, K)).astype(np.int32)
    counts = rng.integers(0, 4, (4, categories)).astype(float)
    counts[1, 0] = 0.0
    made = Profiles(
        rng.normal(size=(HOMES, P)), col, rng.normal(size=(HOMES, K)), rng.normal(size=(HOMES, q)), share, start,
        np.array([0, 2, 2, 1]), counts, ordered,
    )  # fmt: skip
    return made, first + 4


def by_hand(profiles: Profiles, core: np.ndarray, above: np.ndarray, spread: np.ndarray) -> float:
    total, top = 0.0, profiles.counts.shape[1] - 1
    for i, leaf in enumerate(profiles.leaf):
        chances = np.zeros(top + 2)
        chances[0] = 1.0
        for h in range(profiles.start[i], profiles.start[i + 1]):
            eta = above[leaf] + profiles.x[h] @ core[:P] + profiles.val[h] @ core[profiles.col[h]]
            for k in range(top):
                cut = core[P + k] + profiles.z[h] @ core[P + top + k * Q : P + top + (k + 1) * Q] if top > 1 else 0.0
                for sign in (-1.0, 1.0):
                    chances[k + 1] += 0.5 * profiles.share[h] * expit(eta + cut + sign * spread[i])
        total += profiles.counts[i] @ np.log(-np.diff(chances))
    return float(total)


def values(categories: int) -> tuple[Profiles, np.ndarray, np.ndarray, np.ndarray]:
    profiles, size = profiles_of(categories)
    rng = np.random.default_rng(4)
    core, above = rng.normal(0.0, 0.3, (size, 3)), rng.normal(0.0, 0.5, (LEAVES, 3))
    if categories > 2:
        # far enough apart to be in order whatever the deviations
        core[P : P + categories - 1] = np.array([6.0, 0.0, -6.0])[:, None]
    return profiles, core, above, np.array([0.0, 0.5, 0.2, 1.0])


@pytest.mark.parametrize("categories", [2, 4])
def test_sum_over_homes(categories: int) -> None:
    profiles, core, above, spread = values(categories)
    out = np.ones(3)
    averaged_log_likelihood(profiles, core, above, spread, out)
    wanted = [1.0 + by_hand(profiles, core[:, r], above[:, r], spread) for r in range(3)]
    assert out == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("categories", [2, 4])
def test_gradient(categories: int) -> None:
    profiles, core, above, spread = values(categories)
    theta = np.concatenate([core[:, 0], above[:, 0]])
    score, slope = np.zeros(len(core)), np.zeros(LEAVES)
    value = averaged_slope(profiles, core[:, 0].copy(), above[:, 0].copy(), spread, score, slope)

    def height(at: np.ndarray) -> float:
        return by_hand(profiles, at[: len(core)], at[len(core) :], spread)

    assert value == pytest.approx(height(theta), rel=1e-12)
    steps = 1e-5 * np.eye(len(theta))
    wanted = [(height(theta + s) - height(theta - s)) / 2e-5 for s in steps]
    assert np.concatenate([score, slope]) == pytest.approx(wanted, abs=1e-7)


def test_far_out_nothing_cancels_and_crossed_cutpoints_have_no_chance() -> None:
    profiles, core, above, spread = values(4)
    far = np.full((LEAVES, 1), -40.0)
    out = np.zeros(1)
    averaged_log_likelihood(profiles, core[:, :1].copy(), far, spread, out)
    eased = np.zeros(1)
    averaged_log_likelihood(profiles, core[:, :1].copy(), far - 1.0, spread, eased)
    above_lowest = profiles.counts[:, 1:] @ np.array([1.0, 1.0, 1.0])
    # in the tail of the logistic curve every answer above the lowest costs one unit a step
    assert out[0] - eased[0] == pytest.approx(above_lowest.sum(), rel=1e-9)
    core[P : P + 3] = np.array([-6.0, 0.0, 6.0])[:, None]
    averaged_log_likelihood(profiles, core[:, :1].copy(), above[:, :1].copy(), spread, out)
    assert out[0] == -np.inf
