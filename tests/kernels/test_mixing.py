"""R-hat and effective sample sizes agree with ArviZ scalar by scalar, and with theory."""

from __future__ import annotations

import arviz as az
import numpy as np
import pytest

from placewise.kernels import mixing

MEASURES = [
    (mixing.rhat, lambda x: az.rhat(x, method="rank")),
    (mixing.ess_bulk, lambda x: az.ess(x, method="bulk")),
    (mixing.ess_tail, lambda x: az.ess(x, method="tail")),
    (mixing.ess_mean, lambda x: az.ess(x, method="mean")),
]


def autoregressive(rng: np.random.Generator, chains: int, draws: int, rho: np.ndarray) -> np.ndarray:
    noise = rng.standard_normal((chains, draws, rho.size))
    x = noise.copy()
    for t in range(1, draws):
        x[:, t] = rho * x[:, t - 1] + np.sqrt(1 - rho**2) * noise[:, t]
    return x


@pytest.mark.parametrize(("ours", "theirs"), MEASURES)
@pytest.mark.parametrize(("chains", "draws"), [(4, 500), (2, 101), (4, 13), (3, 8)])
def test_agrees_with_arviz(ours, theirs, chains: int, draws: int):
    rng = np.random.default_rng(chains * draws)
    rho = np.array([-0.95, -0.6, -0.2, 0.0, 0.3, 0.7, 0.9, 0.99])
    x = autoregressive(rng, chains, draws, rho)
    x = np.concatenate([x, np.exp(x), np.round(x), x + np.arange(chains)[:, None, None]], axis=2)
    moving = np.ptp(x, axis=(0, 1)) > 0
    x = x[:, :, moving]
    expected = [float(theirs(x[:, :, k])) for k in range(x.shape[2])]
    np.testing.assert_allclose(ours(x), expected, rtol=1e-9)


def test_autoregressive_chains_are_worth_what_theory_says():
    rho = np.full(200, 0.5)
    x = autoregressive(np.random.default_rng(1), 4, 1000, rho)
    assert mixing.ess_mean(x).mean() == pytest.approx(4000 / 3, rel=0.05)


def test_chunks_do_not_matter(monkeypatch: pytest.MonkeyPatch):
    x = np.random.default_rng(2).standard_normal((4, 60, 23))
    whole = [ours(x) for ours, _ in MEASURES]
    monkeypatch.setattr(mixing, "CHUNK", 5)
    for (ours, _), expected in zip(MEASURES, whole, strict=True):
        np.testing.assert_allclose(ours(x), expected, rtol=1e-12)


def test_no_scalars_make_no_values():
    assert mixing.rhat(np.empty((4, 10, 0))).shape == (0,)


@pytest.mark.parametrize("chains", [2, 4])
def test_chains_stuck_at_two_values_do_not_pass(chains: int):
    x = np.zeros((chains, 100, 1))
    x[::2] = 1.0
    assert mixing.rhat(x)[0] > 100
    assert mixing.ess_bulk(x)[0] < 10
