from __future__ import annotations

import numpy as np
import pytest

from placewise.diagnostics.calibration import anderson_darling, uniform_rank


def _with_statistic(target: float, n: int = 5000) -> np.ndarray:
    """Places whose statistic is the one asked for: an even spread, moved towards 0 as far as needed."""
    even = (np.arange(n) + 0.5) / n
    low, high = 1.0, 1.5
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if anderson_darling(even**middle)[0] < target else (low, middle)
    return even**low


# Stephens (1974), table 1A: upper points of the statistic where nothing is estimated
POINTS = [(1.248, 0.25), (1.933, 0.10), (2.492, 0.05), (3.070, 0.025), (3.857, 0.01)]


@pytest.mark.parametrize(
    ("point", "tail"), [(1.248, 0.25), (1.933, 0.10), (2.492, 0.05), (3.070, 0.025), (3.857, 0.01)]
)
def test_upper_points_are_the_published_ones(point: float, tail: float) -> None:
    statistic, p_value = anderson_darling(_with_statistic(point))
    assert statistic == pytest.approx(point, abs=1e-6)
    assert p_value == pytest.approx(tail, rel=0.03)


@pytest.mark.parametrize("n", [5, 20, 200])
def test_p_values_of_uniform_places_are_uniform(n: int) -> None:
    rng = np.random.default_rng(n)
    p_values = np.array([anderson_darling(rng.random(n))[1] for _ in range(4000)])
    for share in (0.01, 0.1, 0.5, 0.9):
        assert np.mean(p_values < share) == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 4000) + 0.002)


def test_statistic_is_the_integral_it_stands_for() -> None:
    places = np.random.default_rng(2).random(7)
    grid = (np.arange(2_000_000) + 0.5) / 2_000_000
    gap = (np.searchsorted(np.sort(places), grid, side="right") / 7 - grid) ** 2 / (grid * (1 - grid))
    assert anderson_darling(places)[0] == pytest.approx(7 * gap.mean(), rel=1e-4)


def test_places_at_the_ends_are_allowed() -> None:
    assert anderson_darling(np.array([0.0, 0.5, 1.0]))[1] < 0.1


def test_place_lies_in_the_cell_of_its_rank() -> None:
    rng = np.random.default_rng(0)
    draws = np.array([3.0, 1.0, 2.0])
    for truth, rank in ((0.0, 0), (1.5, 1), (2.5, 2), (9.0, 3)):
        assert rank / 4 <= uniform_rank(truth, draws, rng) < (rank + 1) / 4


def test_ties_are_broken_evenly() -> None:
    rng = np.random.default_rng(0)
    places = np.array([uniform_rank(1.0, np.ones(9), rng) for _ in range(2000)])
    assert anderson_darling(places)[1] > 0.01
