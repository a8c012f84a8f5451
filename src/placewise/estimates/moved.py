"""What benchmarking moved, and by how much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from placewise.estimates.benchmarking import Discrepancy
from placewise.estimates.blocks import spans
from placewise.estimates.targets import Targets
from placewise.kernels.inversions import count_inversions

_AT_A_TIME = 1_000_000  # values: 8 MB


@dataclass(frozen=True, eq=False)
class Moved:
    """What benchmarking moved.

    Parameters
    ----------
    table : DataFrame
        One row an area of the benchmarked level: ``area_code``, ``target``, ``target_se`` (NaN where not given),
        ``used``, the model's ``before`` and ``before_sd``, ``after`` and ``after_sd`` (rates, on the estimand's own
        scale), ``shift`` (mean shift of η) and ``surprise``, (target − before) / √(before_sd² + target_se²).
    median_move, largest_move : float
        Absolute change of the small areas' mean rates: population-weighted median, and largest.
    pairs, pairs_changed : int
        Pairs of small areas, and those whose mean rates change order.
    discrepancy : tuple of float, or None
        Median, 5% and 95% points of τ, where it was estimated.
    clipped : float
        Share of areas × draws that left the estimand's range and were brought back.
    passes : int
        Times all areas were drawn.
    """

    table: pd.DataFrame
    median_move: float
    largest_move: float
    pairs: int
    pairs_changed: int
    discrepancy: tuple[float, float, float] | None
    clipped: float
    passes: int

    @property
    def surprising(self) -> int:
        """Targets more than three standard deviations from what the model expected."""
        return int((self.table["surprise"].abs() > 3).sum())

    def as_dict(self) -> dict[str, Any]:
        """JSON values; None where a number is not known."""
        rows = self.table.astype(object).where(self.table.notna(), None)
        told: dict[str, Any] = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "table"}
        return told | {"surprising": self.surprising, "areas": rows.to_dict(orient="records")}


def in_rows(shape: tuple[int, ...]) -> list[slice]:
    """Rows of an array, some at a time: what is done to each by itself then takes little memory."""
    return [slice(start, stop) for start, stop in spans(shape[0], max(1, _AT_A_TIME // max(shape[1], 1)))]


def row_moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sd of each row; float64, shape (L, S) -> two of shape (L,)."""
    parts = [(values[rows].mean(axis=1), values[rows].std(axis=1, ddof=1)) for rows in in_rows(values.shape)]
    mean, sd = (np.concatenate(found) for found in zip(*parts, strict=True))
    return mean, sd


def describe_moves(
    targets: Targets,
    used: np.ndarray,
    before: tuple[np.ndarray, np.ndarray],
    after: np.ndarray,
    shift: np.ndarray,
    population: np.ndarray,
    means: tuple[np.ndarray, np.ndarray],
    discrepancy: Discrepancy | None,
    *,
    clipped: float,
    passes: int,
) -> Moved:
    """Gather what moved.

    Parameters
    ----------
    targets : Targets
        L areas.
    used : ndarray of bool, shape (L,)
    before : two ndarray of float64, shape (L,)
        Mean and sd of the rates.
    after : ndarray of float64, shape (L, S)
        Rates.
    shift : ndarray of float64, shape (L,)
        Mean shifts of η.
    population : ndarray of float64, shape (A,)
    means : two ndarray of float64, shape (A,)
        Mean rates of the small areas before and after.
    discrepancy : Discrepancy or None
    """
    se = np.full(len(targets.codes), np.nan) if targets.se is None else targets.se
    (middle, spread), (middle_after, spread_after) = before, row_moments(after)
    together = np.sqrt(spread**2 + np.nan_to_num(se) ** 2)
    surprise = np.divide(targets.estimate - middle, together, out=np.full_like(middle, np.nan), where=together > 0)
    table = pd.DataFrame({
        "area_code": pd.Series(targets.codes, dtype="str"),
        "target": targets.estimate,
        "target_se": se,
        "used": used,
        "before": middle,
        "before_sd": spread,
        "after": middle_after,
        "after_sd": spread_after,
        "shift": shift,
        "surprise": surprise,
    })  # fmt: skip
    change = np.abs(means[1] - means[0])
    ordered = np.argsort(change)
    half = np.searchsorted(np.cumsum(population[ordered]), population.sum() / 2)
    n = len(change)
    return Moved(
        table=table,
        median_move=float(change[ordered[min(half, n - 1)]]),
        largest_move=float(change.max()),
        pairs=n * (n - 1) // 2,
        pairs_changed=int(count_inversions(means[1][np.lexsort((means[1], means[0]))])),
        discrepancy=None if discrepancy is None else discrepancy.quantiles,
        clipped=clipped,
        passes=passes,
    )
