import numpy as np

from placewise.kernels.exponential import exp_row


def test_agrees_with_float64():
    x = np.concatenate([np.linspace(-87, 88, 400_001), [0.0, -0.0, 1e-30]]).astype(np.float32)
    found = x.copy()
    exp_row(found, len(x), np.empty(len(x), np.int32))
    assert np.allclose(found.astype(float), np.exp(x.astype(float)), rtol=2e-7, atol=0)


def test_only_the_first_n():
    x = np.array([0.0, 1.0, 2.0], np.float32)
    exp_row(x, 1, np.empty(3, np.int32))
    assert x.tolist() == [1.0, 1.0, 2.0]
