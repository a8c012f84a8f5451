"""The whole score of a table of estimates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from placewise.diagnostics.score.accuracy import score_level
from placewise.diagnostics.score.coherence import incoherence
from placewise.diagnostics.score.index import score_index
from placewise.diagnostics.score.numbers import rounded
from placewise.diagnostics.score.tables import align, check_tables, keyed, pick_outcome
from placewise.errors import DataError, Problem, Problems, nearest


def score_tables(
    estimates: pd.DataFrame,
    truth: pd.DataFrame,
    *,
    levels: Sequence[str] | None = None,
    column: str = "truth",
    outcome: str | None = None,
    minimum: int = 30,
) -> dict[str, Any]:
    """Score estimates against the truth at every level that both hold.

    Parameters
    ----------
    estimates : DataFrame
        One row per area and level: ``area_code, area_level, mean`` and whatever else of the columns of a run.
    truth : DataFrame
        ``area_level, area_code, population``, the true values and any ``by_*`` columns whose groups are scored apart.
        The level with the most rows is that of the small areas.
    levels : sequence of str, optional
        Levels to score; default every level of the truth that the estimates have.
    column : str
        Column of the truth to score against.
    outcome : str, optional
        Which outcome, where the estimates hold several.
    minimum : int
        Groups with fewer areas are not scored apart.

    Returns
    -------
    dict
        ``small_area_level``, ``national`` (estimate, truth), ``levels``, ``index`` and ``incoherence``; numbers to six
        significant digits, None where there is none.

    Raises
    ------
    DataError
        The tables cannot be scored.
    """
    check_tables(estimates, truth, column)
    estimates = keyed(pick_outcome(estimates, outcome), "estimates")
    truth = keyed(truth, "truth")
    small_name, chosen = _levels(estimates, truth, levels)
    known = {name: align(estimates, truth, column, name) for name in dict.fromkeys([*truth["area_level"], *chosen])}
    small = known[small_name]
    shown = small.take(small.published)
    if not len(shown.codes):
        message = f"no area of level {small_name} could be joined to the truth"
        raise DataError(Problem("estimates", message, "compare the codes of both tables", "data"))
    national = (
        float(np.average(shown.values("mean"), weights=shown.population)),
        float(np.average(small.truth, weights=small.population)),
    )
    return {
        "small_area_level": small_name,
        "national": {"estimate": rounded(national[0]), "truth": rounded(national[1])},
        "levels": {name: score_level(known[name], national, minimum) for name in chosen},
        "index": score_index(shown, minimum),
        "incoherence": incoherence(shown, known, national[0]),
    }


def _levels(estimates: pd.DataFrame, truth: pd.DataFrame, asked: Sequence[str] | None) -> tuple[str, list[str]]:
    """Level of the small areas, and the levels to score."""
    sizes = truth["area_level"].value_counts(sort=False)
    given = set(estimates["area_level"])
    chosen = list(asked) if asked else [name for name in sizes.index if name in given]
    found = Problems()
    for name in chosen:
        if name not in sizes.index:
            found.add("truth", f"there is no level {name!r}", nearest(name, sizes.index), "data")
    small = str(sizes.idxmax()) if len(sizes) else ""
    if small in given and small not in chosen:
        message = f"the nation and the index are scored on the small areas, so their level {small!r} must be scored too"
        found.add("--level", message, f"add --level {small}", "data")
    elif small not in given:
        held = ", ".join(sorted(given)) or "none"
        found.add("estimates", f"no estimates at the small areas' level {small!r}; levels found: {held}", "", "data")
    found.raise_if_any()
    return small, chosen
