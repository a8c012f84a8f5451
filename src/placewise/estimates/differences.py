"""Differences between areas, releases or models: posterior, intervals, and the probability of being greater."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pandas as pd

from placewise.errors import ConfigurationError, Problem
from placewise.estimates.describe import LEVELS

_BLOCK = 4_000_000  # areas × draws at a time
_SHOWN = 10


class Draws(Protocol):
    """As much of ``AreaDraws`` as a difference needs."""

    @property
    def codes(self) -> np.ndarray:
        """Codes of the areas."""

    @property
    def n_draws(self) -> int:
        """Number of draws."""

    def draws(self, codes: list[str] | None = None) -> np.ndarray:
        """Draws of some areas, shape (S, areas)."""


def describe_differences(values: np.ndarray) -> pd.DataFrame:
    """``mean, sd``, the 50, 90 and 95% intervals and ``p_greater`` of draws of differences, shape (n, S)."""
    found = {"mean": values.mean(axis=1), "sd": values.std(axis=1, ddof=1)}
    for name, ends in LEVELS.items():
        found[f"{name}_lower"], found[f"{name}_upper"] = np.quantile(values, ends, axis=1)
    return pd.DataFrame(found | {"p_greater": (values > 0).mean(axis=1)})


def paired_differences(one: Draws, other: Draws, paired: bool) -> pd.DataFrame:
    """Differences area by area, one row a code in the order of the first.

    New areas are drawn by a generator keyed by seed, code and draw: two fits of one project would share that chance and
    their difference look too certain. Draws that do not belong together are therefore paired half a turn apart.
    """
    codes, known = [str(c) for c in one.codes], {str(c) for c in other.codes}
    alone = [*(c for c in codes if c not in known), *sorted(known - set(codes))]
    if alone:
        shown = ", ".join(repr(c) for c in alone[:_SHOWN]) + (" …" if len(alone) > _SHOWN else "")
        message = f"{len(alone):,} codes are in one of the two only: {shown}"
        raise ConfigurationError(Problem("difference", message, "aggregate both to the same areas first"))
    if paired and one.n_draws != other.n_draws:
        message = f"{one.n_draws:,} and {other.n_draws:,} draws cannot be paired"
        raise ConfigurationError(Problem("difference", message, "leave out paired=True where the fits are independent"))
    n = min(one.n_draws, other.n_draws)
    tables, step = [], max(1, _BLOCK // n)
    for start in range(0, len(codes), step):
        here = codes[start : start + step]
        first, second = one.draws(here)[:n], other.draws(here)[:n]
        second = second if paired else np.roll(second, n // 2, axis=0)
        tables.append(describe_differences((first - second).T))
    return pd.concat([pd.DataFrame({"area_code": codes}), pd.concat(tables, ignore_index=True)], axis=1)
