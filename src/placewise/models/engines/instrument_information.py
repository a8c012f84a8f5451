"""What several answers tell of a respondent's trait: for the sampler's coordinates, no part of the model."""

from __future__ import annotations

import numpy as np

from placewise.surveys.instruments import Instruments


def information_of(instruments: Instruments, size: np.ndarray, discrimination: np.ndarray | None = None) -> np.ndarray:
    """Fisher information of one respondent of each row about the trait's location, at the overall answers.

    A cumulative logit with shares p of the answers has (1 − Σ p³) / 3 about its linear predictor, and items add up. In
    a scale the person's own part, of variance 1, is in the way: 1 / (1 + 1 / I).

    Parameters
    ----------
    instruments : Instruments
        Answers of m rows.
    size : ndarray of float64, shape (m,)
        Respondents of each.
    discrimination : ndarray of float64, shape (M,), optional
        Of each item; default ones.

    Returns
    -------
    ndarray of float64, shape (m,)
    """
    total = np.zeros(len(size))
    for m, answer in enumerate(instruments.answers.T):
        given = answer >= 0
        count = np.bincount(answer[given], size[given])
        steepness = 1.0 if discrimination is None else discrimination[m]
        share = count / max(count.sum(), 1.0)
        total[given] += steepness**2 * (1.0 - np.sum(share**3)) / 3.0
    return total / (1.0 + total) if instruments.scale else total
