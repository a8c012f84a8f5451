"""Small measures that several parts of the score share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

TOLERANCE = 1e-9
NO_SPREAD = 1e-9


def rounded(value: Any, digits: int = 6) -> float | None:
    """Round to significant digits; None for what is not a finite number (JSON has no NaN)."""
    return float(format(float(value), f".{digits}g")) if math.isfinite(value) else None


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's r; NaN for fewer than three areas or where one side does not vary."""
    if a.size < 3 or a.std() < NO_SPREAD or b.std() < NO_SPREAD:
        return math.nan
    return float(np.corrcoef(a, b)[0, 1])


def covered(lower: np.ndarray, value: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Whether each interval holds its value, ends included."""
    return np.asarray((value - lower >= -TOLERANCE) & (upper - value >= -TOLERANCE))


def coverage_by_group(hit: np.ndarray, groups: pd.Series, minimum: int) -> dict[str, Any] | None:
    """Share of hits in each group of at least ``minimum`` areas, with the lowest and the highest.

    Parameters
    ----------
    hit : ndarray of bool, shape (k,)
    groups : Series, shape (k,)
        Areas without a group are left out.

    Returns
    -------
    dict or None
        None where no group is large enough.
    """
    has = groups.notna().to_numpy()
    position, labels = pd.factorize(groups[has].astype(str).to_numpy(dtype=object), sort=True)
    size = np.bincount(position, minlength=len(labels))
    share = np.bincount(position, hit[has], len(labels)) / np.maximum(size, 1)
    large = size >= minimum
    if not large.any():
        return None
    names, share = [str(name) for name in labels[large]], share[large]
    lowest, highest = int(share.argmin()), int(share.argmax())
    return {
        "min": rounded(share[lowest]),
        "min_group": names[lowest],
        "max": rounded(share[highest]),
        "max_group": names[highest],
        "groups": len(names),
        "all": {name: rounded(s, 4) for name, s in zip(names, share, strict=True)},
    }


def calibration_gaps(probability: np.ndarray, happened: np.ndarray, bins: int = 10) -> np.ndarray:
    """Events promised less events seen, per area, in each of some bins of equal width; shape (bins,)."""
    where = np.minimum(np.floor(probability * bins), bins - 1).astype(int)
    promised = np.bincount(where, probability, bins)
    seen = np.bincount(where, happened.astype(float), bins)
    return np.asarray((promised - seen) / probability.size)


def calibration_error(probability: np.ndarray, happened: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error: gap between probability and frequency, averaged over equal-width bins by size."""
    return float(np.abs(calibration_gaps(probability, happened, bins)).sum())
