"""Held-out scores on grouped folds: whole groups of respondents are left out together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import gammaln, xlogy
from sklearn.model_selection import GroupKFold

Kind = Literal["share", "mean", "rate"]

SMALLEST_GROUP = 10
SMALLEST_PROBABILITY = 1e-6


@dataclass(frozen=True)
class Score:
    """How near predictions come to what respondents answered.

    Parameters
    ----------
    respondents, groups : int
        Respondents scored, and groups large enough for a mean of their own.
    rmse : float or None
        Root mean square of predicted minus answered group means; None without such a group.
    noise : float or None
        Root mean sampling variance of the answered group means: what even the truth would show.
    rmse_net : float or None
        ``rmse`` with the noise taken out in quadrature, not below 0.
    mse : float
        Mean square per person; the Brier score where answers are 0 or 1.
    log_score : float or None
        Mean log probability of the answer, for shares and rates; higher is better.
    """

    respondents: int
    groups: int
    rmse: float | None
    noise: float | None
    rmse_net: float | None
    mse: float
    log_score: float | None


def grouped_folds(groups: np.ndarray, n_folds: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows to learn from and rows held out, for each fold; the same for the same groups.

    Parameters
    ----------
    groups : ndarray, shape (n,)
        Code of each respondent's group; fewer than two groups make no folds.
    n_folds : int
        At most this many.
    """
    codes = pd.factorize(np.asarray(groups, dtype=object), sort=True)[0]
    n_groups = np.unique(codes).size
    if n_groups < 2:
        return []
    splitter = GroupKFold(n_splits=min(n_folds, n_groups))
    return [(train, held) for train, held in splitter.split(np.zeros((codes.size, 1)), groups=codes)]


def score_predictions(
    kind: Kind,
    y: np.ndarray,
    size: np.ndarray,
    predicted: np.ndarray,
    groups: np.ndarray,
    *,
    smallest: int = SMALLEST_GROUP,
) -> Score:
    """Score predictions of respondents' expected answers.

    Parameters
    ----------
    kind : {"share", "mean", "rate"}
    y, predicted : ndarray of float64, shape (n,)
        Share of successes, value, or events by unit of exposure; answered and predicted.
    size : ndarray of float64, shape (n,)
        Trials or exposure; ones for single answers.
    groups : ndarray, shape (n,)
    smallest : int
        Groups of fewer respondents have no mean of their own.
    """
    code, labels = pd.factorize(np.asarray(groups, dtype=object))
    k = len(labels)
    rows = np.bincount(code, minlength=k)
    total = np.bincount(code, size, k)
    answered = np.bincount(code, size * y, k) / total
    expected = np.bincount(code, size * predicted, k) / total
    large = rows >= smallest
    rmse = noise = net = None
    if large.any():
        residual = (size * (y - answered[code])) ** 2
        variance = (np.bincount(code, residual, k) / total**2)[large] * rows[large] / (rows[large] - 1)
        square = float(np.mean((expected - answered)[large] ** 2))
        rmse, noise = square**0.5, float(variance.mean()) ** 0.5
        net = max(square - noise**2, 0.0) ** 0.5
    return Score(
        respondents=int(y.size),
        groups=int(large.sum()),
        rmse=rmse,
        noise=noise,
        rmse_net=net,
        mse=float(np.average(_person_square(kind, y, predicted), weights=size)),
        log_score=_log_score(kind, y, size, predicted),
    )


def _person_square(kind: Kind, y: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Square error of one answer; a share of several trials is made of zeros and ones."""
    square = y * (1 - predicted) ** 2 + (1 - y) * predicted**2 if kind == "share" else (y - predicted) ** 2
    return np.asarray(square)


def _log_score(kind: Kind, y: np.ndarray, size: np.ndarray, predicted: np.ndarray) -> float | None:
    """Log probability of one trial (shares) or of one count (rates); probabilities kept off 0 and 1 by 1e-6."""
    if kind == "share":
        p = np.clip(predicted, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
        return float(np.average(y * np.log(p) + (1 - y) * np.log1p(-p), weights=size))
    if kind == "rate":
        count, mean = y * size, np.maximum(predicted * size, SMALLEST_PROBABILITY)
        return float(np.mean(xlogy(count, mean) - mean - gammaln(count + 1)))
    return None
