"""Lists of areas that stand out, with the share of them expected to be on the wrong side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

AT_LEAST = 0.90
WRONG = 0.05


@dataclass(frozen=True, eq=False)
class StandingOut:
    """Areas on one side of a line.

    Parameters
    ----------
    table : DataFrame
        ``area_code`` and ``p``, the probability of being on that side; the surest first.
    wrong_share : float
        Expected share of the list that is in truth on the other side, the mean of 1 − p; 0 for an empty list.
    """

    table: pd.DataFrame
    wrong_share: float

    @property
    def wrong(self) -> float:
        """Expected number of areas on the wrong side, Σ (1 − p)."""
        return self.wrong_share * len(self.table)


def stand_out(table: pd.DataFrame, at_least: float = AT_LEAST, wrong: float = WRONG) -> StandingOut:
    """The longest list of areas each of which is surely enough on the right side, and all of which together are.

    Every area has p of at least ``at_least``; the mean of 1 − p, the Bayesian false discovery rate (Müller, Parmigiani
    and Rice 2006), is at most ``wrong``. Areas of equal p enter together or not at all.

    Parameters
    ----------
    table : DataFrame
        ``area_code`` and ``p``; areas without a probability are left out.
    at_least, wrong : float
        Between 0 and 1.
    """
    ordered = table[["area_code", "p"]].dropna().sort_values(["p", "area_code"], ascending=[False, True])
    p = ordered["p"].to_numpy(dtype=np.float64)
    share = np.cumsum(1.0 - p) / np.arange(1, len(p) + 1)
    last_of_its_p = np.append(p[1:] < p[:-1], True)[: len(p)]
    fits = np.flatnonzero((p >= at_least) & (share <= wrong) & last_of_its_p)
    n = int(fits[-1]) + 1 if len(fits) else 0
    return StandingOut(ordered.iloc[:n].reset_index(drop=True), float(share[n - 1]) if n else 0.0)
