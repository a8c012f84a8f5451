"""R-hat and effective sample sizes of many scalars at once (Vehtari et al. 2021; Geyer 1992)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import fft
from scipy.special import ndtri
from scipy.stats import rankdata

CHUNK = 256
TAIL = (0.05, 0.95)


def rhat(draws: np.ndarray) -> np.ndarray:
    """Rank-normalised split R-hat: the larger of bulk and folded.

    Parameters
    ----------
    draws : ndarray of float, shape (chains, S, k)
        Finite, at least four a chain, and no scalar that never moves.

    Returns
    -------
    ndarray of float64, shape (k,)
    """
    return _by_chunk(_rhat_rank, draws)


def ess_bulk(draws: np.ndarray) -> np.ndarray:
    """Effective sample size of the rank-normalised draws; shapes as for ``rhat``."""
    return _by_chunk(lambda x: _ess(_normal_scores(_split(x))), draws)


def ess_tail(draws: np.ndarray) -> np.ndarray:
    """Effective sample size of the 5% and 95% quantiles, the smaller; shapes as for ``rhat``."""
    return _by_chunk(_ess_quantiles, draws)


def ess_mean(draws: np.ndarray) -> np.ndarray:
    """Effective sample size for the mean; shapes as for ``rhat``."""
    return _by_chunk(lambda x: _ess(_split(x)), draws)


def _by_chunk(measure: Callable[[np.ndarray], np.ndarray], draws: np.ndarray) -> np.ndarray:
    starts = range(0, draws.shape[2], CHUNK)
    parts = [measure(draws[:, :, k : k + CHUNK].astype(np.float64)) for k in starts]
    return np.concatenate(parts) if parts else np.empty(0)


def _split(x: np.ndarray) -> np.ndarray:
    """Halves of chains as chains of their own; the middle draw of an odd chain goes."""
    half = x.shape[1] // 2
    return np.concatenate([x[:, :half], x[:, -half:]])


def _normal_scores(x: np.ndarray) -> np.ndarray:
    flat = x.reshape(-1, x.shape[2])
    z: np.ndarray = ndtri((rankdata(flat, axis=0) - 0.375) / (flat.shape[0] + 0.25))
    return z.reshape(x.shape)


def _rhat_rank(x: np.ndarray) -> np.ndarray:
    split = _split(x)
    folded = np.abs(split - np.median(split, axis=(0, 1)))
    # chains stuck at two values have nothing to fold: the bulk alone then tells
    return np.asarray(np.fmax(_rhat(_normal_scores(split)), _rhat(_normal_scores(folded))))


def _rhat(z: np.ndarray) -> np.ndarray:
    n = z.shape[1]
    between = n * z.mean(axis=1).var(axis=0, ddof=1)
    within = z.var(axis=1, ddof=1).mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: np.ndarray = np.sqrt((between / within + n - 1) / n)
    return ratio


def _ess_quantiles(x: np.ndarray) -> np.ndarray:
    cuts = np.quantile(x.reshape(-1, x.shape[2]), TAIL, axis=0)
    lower, upper = (_ess(_split(x <= cut).astype(np.float64)) for cut in cuts)
    return np.asarray(np.minimum(lower, upper))


def _ess(x: np.ndarray) -> np.ndarray:
    """Effective sample size by Geyer's initial positive and monotone sequences, shape (k,)."""
    m, n, k = x.shape
    still = x.max(axis=(0, 1)) == x.min(axis=(0, 1))
    covariance = _autocovariance(x)
    within = covariance[0] * n / (n - 1)
    total = covariance[0] + (x.mean(axis=1).var(axis=0, ddof=1) if m > 1 else 0.0)
    rho = 1 - (within - covariance) / np.where(still, 1.0, total)
    rho[0] = 1.0
    n_pairs = (n - 1) // 2
    pairs = rho[0 : 2 * n_pairs : 2] + rho[1 : 2 * n_pairs : 2]
    ends = pairs <= 0
    ended = ends.any(axis=0)
    end = np.where(ended, ends.argmax(axis=0), n_pairs - 1)
    monotone = np.minimum.accumulate(pairs, axis=0)
    kept = np.where(np.arange(n_pairs)[:, None] < end, monotone, 0.0).sum(axis=0)
    # The first even lag beyond the last whole pair improves the estimate of antithetic chains.
    extra = rho[2 * end, np.arange(k)]
    tau = -1 + 2 * kept + np.where(ended, np.maximum(extra, 0.0), extra)
    return np.asarray(np.where(still, m * n, m * n / np.maximum(tau, 1 / np.log10(m * n))))


def _autocovariance(x: np.ndarray) -> np.ndarray:
    """Mean over chains of the autocovariance at every lag, shape (n, k)."""
    n = x.shape[1]
    size = fft.next_fast_len(2 * n, real=True)
    power = np.abs(fft.rfft(x - x.mean(axis=1, keepdims=True), size, axis=1)) ** 2
    covariance: np.ndarray = fft.irfft(power.mean(axis=0), size, axis=0)[:n] / n
    return covariance
