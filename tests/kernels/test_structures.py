"""Scaled covariances of random walks and neighbourhoods; the precision of an autoregression."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from placewise.kernels.structures import ar1_precision, bym2_precision, path_edges, scaled_icar, scaled_rw1

# two components (a square with a diagonal; a pair), and the island 4
EDGES = np.array([[0, 1], [1, 2], [2, 3], [3, 0], [0, 2], [5, 6]])


def covariance(vectors: np.ndarray, values: np.ndarray) -> np.ndarray:
    assert vectors.T @ vectors == pytest.approx(np.eye(len(values)), abs=1e-12)
    product: np.ndarray = (vectors * values) @ vectors.T
    return product


def test_random_walk_is_a_brownian_path_about_its_mean() -> None:
    n = 7
    # cumulated independent steps, centred: another way to the same covariance
    steps = np.tril(np.ones((n, n)))[:, 1:]
    centred = steps - steps.mean(axis=0)
    walk = centred @ centred.T
    walk /= np.exp(np.log(np.diag(walk)).mean())
    vectors, values = scaled_rw1(n)
    assert covariance(vectors, values) == pytest.approx(walk, abs=1e-12)
    assert values[0] == 0.0
    assert vectors[:, 0] == pytest.approx(np.full(n, n**-0.5))


def test_two_levels_differ_by_a_normal_of_variance_four() -> None:
    assert covariance(*scaled_rw1(2)) == pytest.approx(np.array([[1.0, -1.0], [-1.0, 1.0]]))


def test_neighbourhoods_are_scaled_and_centred_in_each_component() -> None:
    vectors, values = scaled_icar(7, EDGES)
    found = covariance(vectors, values)
    for inside in ([0, 1, 2, 3], [5, 6]):
        own = found[np.ix_(inside, inside)]
        assert np.exp(np.log(np.diag(own)).mean()) == pytest.approx(1.0)
        assert own.sum(axis=0) == pytest.approx(np.zeros(len(inside)), abs=1e-12)
    laplacian = np.array([[3, -1, -1, -1], [-1, 2, -1, 0], [-1, -1, 3, -1], [-1, 0, -1, 2]])
    shape = np.linalg.pinv(laplacian.astype(float))
    assert found[:4, :4] == pytest.approx(shape / np.exp(np.log(np.diag(shape)).mean()))
    assert found[4] == pytest.approx(np.eye(7)[4])
    assert found[:4, 5:] == pytest.approx(np.zeros((4, 2)))
    assert (values == 0.0).sum() == 2


def test_areas_without_any_neighbours_are_independent() -> None:
    assert covariance(*scaled_icar(3, np.empty((0, 2), dtype=np.int64))) == pytest.approx(np.eye(3))


def test_a_pair_named_twice_counts_once() -> None:
    once, twice = scaled_icar(7, EDGES), scaled_icar(7, np.vstack([EDGES, EDGES[:, ::-1]]))
    assert covariance(*once) == pytest.approx(covariance(*twice))


@pytest.mark.parametrize("edges", [[[1, 1]], [[0, 3]], [[-1, 0]]])
def test_positions_that_are_no_pair_of_areas_are_refused(edges: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="pairs of different positions"):
        scaled_icar(3, np.array(edges))


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.95])
def test_precision_of_the_mixture_is_the_inverse_of_its_covariance(rho: float) -> None:
    vectors, values = scaled_icar(7, EDGES)
    mixed = (1 - rho) * np.eye(7) + rho * covariance(vectors, values)
    found = bym2_precision(vectors, values, rho)
    assert found.matrix == pytest.approx(np.linalg.inv(mixed))
    assert found.log_det == pytest.approx(-np.linalg.slogdet(mixed)[1])


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("rho", [-0.6, 0.0, 0.9])
def test_precision_of_the_autoregression_is_the_inverse_of_its_covariance(n: int, rho: float) -> None:
    lag = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    correlation = np.power(rho, lag)
    found = ar1_precision(n, rho)
    assert found.matrix == pytest.approx(np.linalg.inv(correlation))
    assert found.log_det == pytest.approx(-np.linalg.slogdet(correlation)[1])


def test_derivatives_are_those_of_finite_differences() -> None:
    step = 1e-6
    for precision in (partial(ar1_precision, 6), partial(bym2_precision, *scaled_icar(7, EDGES))):
        at, above, below = precision(0.4), precision(0.4 + step), precision(0.4 - step)
        assert at.derivative == pytest.approx((above.matrix - below.matrix) / (2 * step), abs=1e-7)
        assert at.log_det_derivative == pytest.approx((above.log_det - below.log_det) / (2 * step), abs=1e-7)


def test_path_has_each_level_beside_the_next() -> None:
    assert path_edges(3).tolist() == [[0, 1], [1, 2]]
    assert path_edges(1).shape == (0, 2)
