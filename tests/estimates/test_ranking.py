from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import stats

from placewise.estimates.ranking import ExactRanking, SketchRanking, triple_goal


def both(values):
    with ThreadPoolExecutor(2) as pool:
        exact = ExactRanking(values.copy(), filled=True)
        sketch = SketchRanking(values[:: max(1, len(values) // 4096)])
        for start in range(0, len(values), 3000):
            part = values[start : start + 3000]
            sketch.add(part, np.ones(len(part), bool))
        exact.finish(pool)
        sketch.finish(pool)
    return exact, sketch


def skewed(rng, n, draws):
    return rng.gamma(2.0, 0.02, (n, draws))


def counts(rng, n, draws):
    return rng.binomial(100, rng.beta(20, 30, n)[:, None], (n, draws)) / 100


def rare(rng, n, draws):
    people = rng.integers(80, 500, n)[:, None]
    return rng.poisson(0.004 * people, (n, draws)) / people


def bell(rng, n, draws):
    return rng.normal(0.4, 0.05, (n, draws)) + rng.normal(0, 0.01, draws)


@pytest.mark.parametrize("law", [bell, skewed, counts, rare])
def test_sketch_is_within_n_over_4096_of_exact_ranks(law):
    values = law(np.random.default_rng(4), 20_000, 12).astype(np.float32)
    exact, sketch = both(values)
    expected = stats.rankdata(values, axis=0)
    assert np.array_equal(exact.ranks(values, 0), expected)
    assert np.abs(sketch.ranks(values, 0) - expected).max() <= 20_000 / 4096
    truth = np.sort(values.astype(float), axis=0).mean(axis=1)
    assert np.allclose(exact.order_statistics, truth)
    middle = slice(100, -100)
    sd = values.std()
    assert np.abs(sketch.order_statistics - truth)[middle].max() < 0.005 * sd
    assert sketch.order_statistics.std() == pytest.approx(truth.std(), rel=1e-3)
    assert (np.diff(sketch.order_statistics) >= -1e-12).all()


def test_members_only():
    values = np.random.default_rng(1).normal(size=(50, 20)).astype(np.float32)
    member = np.arange(50) % 3 == 0
    exact = ExactRanking(np.empty((17, 20), np.float32))
    exact.add(values[:20], member[:20])
    exact.add(values[20:], member[20:])
    with ThreadPoolExecutor(1) as pool:
        exact.finish(pool)
    assert np.array_equal(exact.ranks(values[member][5:9], 5), stats.rankdata(values[member], axis=0)[5:9])


def test_all_areas_equal():
    values = np.full((100, 4), 0.25, np.float32)
    exact, sketch = both(values)
    assert (exact.ranks(values, 0) == 50.5).all()
    assert (sketch.ranks(values, 0) == 50.5).all()
    assert np.allclose(sketch.order_statistics, 0.25)


def test_triple_goal_goes_by_mean_rank():
    goal = triple_goal(np.array([0.1, 0.2, 0.3]), np.array([2.5, 1.0, 2.4]))
    assert goal.tolist() == [0.3, 0.1, 0.2]
