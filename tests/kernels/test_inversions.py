import numpy as np
import pytest

from placewise.kernels.inversions import count_inversions


@pytest.mark.parametrize("n", [0, 1, 2, 3, 17, 200])
def test_as_by_comparing_every_pair(n):
    rng = np.random.default_rng(n)
    for values in (rng.normal(size=n), rng.integers(0, 5, n).astype(float), np.arange(n, 0.0, -1.0)):
        expected = sum(values[i] > values[j] for i in range(n) for j in range(i + 1, n))
        sorted_in_place = values.copy()
        assert count_inversions(sorted_in_place) == expected
        assert np.array_equal(sorted_in_place, np.sort(values))
