"""What stands out at one level: areas beyond what is expected of them, and pairs that are alike but in the outcome."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from placewise.estimates.describe import Standard
from placewise.estimates.draws import AreaDraws
from placewise.estimates.expected import beyond_expected
from placewise.estimates.groups import members_of_level
from placewise.estimates.lists import AT_LEAST, stand_out
from placewise.estimates.matched import matched_pairs
from placewise.estimates.predictor import Predictor

MOST = 20  # areas on each list, and pairs, that are kept


@dataclass(frozen=True, eq=False)
class KeptDraws:
    """Draws of a few areas that have been made already.

    Parameters
    ----------
    codes : ndarray of object (str), shape (G,)
    values : ndarray of float64, shape (S, G)
    """

    codes: np.ndarray
    values: np.ndarray

    @property
    def n_draws(self) -> int:
        """Number of draws, S."""
        return len(self.values)

    def draws(self, codes: Sequence[str] | None = None) -> np.ndarray:
        """Draws of some areas, shape (S, areas)."""
        if codes is None:
            return self.values
        place = {code: k for k, code in enumerate(self.codes)}
        return self.values[:, [place[code] for code in codes]]


def notable(predictor: Predictor, level: str, standard: Standard) -> Mapping[str, Any]:
    """Areas of a level that are better or worse than expected, and matched pairs, as JSON values.

    Two passes over all small areas make the rates and the expected rates; everything else follows from these.

    Parameters
    ----------
    predictor : Predictor
    level : str
        One of its levels, or the small areas' code column; S × areas values must fit in memory.
    standard : Standard
        Of the primary estimand, which all of this is about.

    Returns
    -------
    mapping
        ``level`` and ``areas``, their number. ``better`` and ``worse``: ``found`` areas on the list of
        ``placewise.estimates.lists``, its ``wrong_share`` and the surest of its ``rows`` (``area_code, rate, expected,
        difference``, its 90% interval and ``p``). ``pairs``: those with a probability of .9 or more, ``wrong_share``
        and ``rows`` (``a, b, rate_a, rate_b, difference``, interval, ``p``).
    """
    areas = AreaDraws(predictor, rate=True, standard=standard).aggregate(level)
    rates, expected = (KeptDraws(each.codes, each.draws()) for each in (areas, areas.expected()))
    table = beyond_expected(rates, expected, predictor.polarity).set_index("area_code", drop=False)
    pairs = matched_pairs(rates, expected, predictor, members_of_level(predictor, level), MOST)
    sure = pairs[pairs["p_greater"] >= AT_LEAST].rename(columns={"mean": "difference", "p_greater": "p"})
    columns = ["a", "b", "rate_a", "rate_b", "difference", "ci90_lower", "ci90_upper", "p"]
    return {
        "level": level,
        "areas": len(table),
        "better": _listed(table, table["p_better"]),
        "worse": _listed(table, 1.0 - table["p_better"]),
        "pairs": {"wrong_share": float((1.0 - sure["p"]).mean()) if len(sure) else 0.0, "rows": _rows(sure[columns])},
    }


def _listed(table: pd.DataFrame, p: pd.Series) -> dict[str, Any]:
    """The list of areas on one side of what is expected of them."""
    found = stand_out(pd.DataFrame({"area_code": table["area_code"].to_numpy(), "p": p.to_numpy()}))
    shown = found.table.head(MOST)
    columns = ["rate", "expected", "difference", "ci90_lower", "ci90_upper"]
    rows = shown.join(table[columns], on="area_code")
    return {"found": len(found.table), "wrong_share": found.wrong_share, "rows": _rows(rows)}


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(table.to_json(orient="records", double_precision=10))
    return rows
