"""Whether probabilities of lying above the nation come true, over many surveys.

The expected calibration error sorts areas into ten bins by probability, and adds up the gaps between what was promised
and what was seen. In a single survey it is far from 0 even where every probability is right: all areas share the errors
of slopes, of classes, of larger areas and of the sds, so that a bin goes wrong as a whole, by chance, and the absolute
value adds what chance gives either way. More areas do not help; more surveys do. Gaps are therefore averaged over the
surveys of a cell before their absolute values are taken.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from placewise.diagnostics.score.numbers import calibration_error, calibration_gaps
from placewise.estimates.predictor import Predictor
from placewise.estimates.projector import Projector

BINS = 10
LOOKED_AT = 50  # draws that are taken for the truth


def gap_columns(name: str = "gap") -> tuple[str, ...]:
    """Columns of a row that hold the gaps of each bin."""
    return tuple(f"{name}_{b}" for b in range(BINS))


def gaps_of(probability: np.ndarray, happened: np.ndarray, name: str = "gap") -> dict[str, float]:
    """Gaps of one survey, each over the number of all areas.

    Parameters
    ----------
    probability : ndarray of float64, shape (A,)
    happened : ndarray of bool, shape (A,)
    """
    return dict(zip(gap_columns(name), map(float, calibration_gaps(probability, happened, BINS)), strict=True))


def expected_ece(predictor: Predictor) -> float:
    """Calibration error of one survey were every probability right: a draw of the posterior takes the truth's place."""
    values = Projector(predictor).block(np.arange(len(predictor.codes))).values
    above = values > np.average(values, axis=0, weights=predictor.population)
    probability = above.mean(axis=1)
    some = np.unique(np.linspace(0, above.shape[1] - 1, LOOKED_AT).astype(int))
    return float(np.mean([calibration_error(probability, above[:, s], BINS) for s in some]))


def pooled_ece(gaps: np.ndarray) -> tuple[float, float]:
    """Calibration error over all surveys together, and its standard error by the jackknife over surveys.

    Parameters
    ----------
    gaps : ndarray of float64, shape (surveys, bins)

    Returns
    -------
    error, standard_error : float
        The latter is missing for one survey.
    """
    count = len(gaps)
    error = float(np.abs(gaps.mean(axis=0)).sum())
    if count < 2:
        return error, float("nan")
    without = np.abs((gaps.sum(axis=0) - gaps) / (count - 1)).sum(axis=1)
    return error, float(np.sqrt((count - 1) * without.var()))


def with_pooled_ece(
    table: pd.DataFrame, rows: pd.DataFrame, by: Sequence[str], name: str = "ece_pooled", gap: str = "gap"
) -> pd.DataFrame:
    """A summary with the pooled error of every cell and its standard error (``<name>_se``).

    Parameters
    ----------
    table : DataFrame
        One row a cell.
    rows : DataFrame
        One row a survey, with the columns of `gaps_of`.
    by : sequence of str
        Columns that make a cell.
    """
    found = {
        key: pooled_ece(own[list(gap_columns(gap))].to_numpy(dtype=np.float64))
        for key, own in rows.groupby(list(by), sort=False, dropna=False)
    }
    pairs = [found[key] for key in table[list(by)].itertuples(index=False, name=None)]
    return table.assign(**{name: [e for e, _ in pairs], f"{name}_se": [s for _, s in pairs]})
