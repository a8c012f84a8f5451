import numpy as np
import pytest
from scipy.special import expit

from placewise.kernels.cuts import TILE, add_fraction, fractions, set_fraction


def _values(log_cuts, weight, log_e):
    """Value and second moment at each e, from the fractions; shapes (2, S)."""
    coefficients, caps = fractions(log_cuts, weight)
    n = log_cuts.shape[1]
    x, ones = np.exp(log_e).astype(np.float32), np.ones(n, np.float32)
    value, scratch = np.zeros(8 * TILE, np.float32), np.zeros(8 * TILE, np.float32)
    for f, cap in enumerate(caps):
        c = np.zeros(12 * TILE, np.float32)
        c.reshape(12, TILE)[:, :n] = coefficients[f]
        if f == 0:
            set_fraction(x, ones, ones, ones, ones, cap, c, n, value)
        else:
            add_fraction(x, ones, ones, ones, ones, cap, c, n, value, scratch)
    rows = value.reshape(8, TILE)[:, :n]
    assert all(np.array_equal(rows[4 * k + j], rows[4 * k]) for k in range(2) for j in range(1, 4))
    return rows[[0, 4]], len(caps)


@pytest.mark.parametrize(
    ("cuts", "spread", "parts"),
    [(1, 0, 1), (2, 3, 1), (4, 4, 1), (4, 12, 2), (4, 60, 4), (10, 8, 3), (40, 32, 10), (60, 60, 17)],
)
def test_fractions_equal_the_sum_over_cut_points(cuts, spread, parts):
    rng = np.random.default_rng(cuts)
    n = TILE
    log_cuts = np.linspace(-spread / 2, spread / 2, cuts)[:, None] + rng.normal(0, 0.05, (cuts, n))
    weight = np.stack([rng.normal(size=cuts), 2.0 * np.arange(cuts) + 1])
    for log_e in (np.linspace(-38, 38, n), np.linspace(-4, 4, n)):
        found, n_parts = _values(log_cuts, weight, log_e)
        true = weight @ expit(-(log_e + log_cuts))
        assert np.abs(found - true).max() < 4e-7 * np.abs(weight).sum()
        assert n_parts <= parts
