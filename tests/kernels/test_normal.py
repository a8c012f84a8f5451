import numpy as np
import pytest
from scipy import special

from placewise.kernels.normal import ndtr, ndtri, ndtri_row


def test_quantiles_agree_with_scipy_to_fourteen_digits():
    p = np.concatenate([np.linspace(1e-6, 1 - 1e-6, 100_001), 10.0 ** -np.arange(1, 300), 1 - 2.0 ** -np.arange(1, 40)])
    found = np.empty_like(p)
    ndtri_row(p, found)
    assert np.allclose(found, special.ndtri(p), rtol=2e-14, atol=2e-15)


def test_one_value_equals_the_row():
    p = np.array([1e-9, 0.07, 0.075, 0.3, 0.5, 0.925, 0.93, 1 - 1e-9])
    row = np.empty_like(p)
    ndtri_row(p, row)
    assert [ndtri(x) for x in p] == row.tolist()


@pytest.mark.parametrize("z", [-30.0, -3.0, -0.1, 0.0, 1.5, 9.0])
def test_cumulative_probability(z):
    assert ndtr(z) == pytest.approx(special.ndtr(z), rel=1e-13)
