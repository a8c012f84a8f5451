"""Estimates of an area of the user's own, from a release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from placewise.errors import DataError, Problem, Problems
from placewise.estimates.describe import COLUMNS, describe_index, describe_values
from placewise.estimates.draws import AreaDraws, code_hint
from placewise.estimates.grades import flags, known_population, mark_failed
from placewise.estimates.predictor import Predictor
from placewise.estimates.release import Release


def custom_estimates(
    release: Release, codes: Sequence[str], weights: Mapping[str, float] | None = None, estimand: int = 0
) -> pd.DataFrame:
    """One row for a set of areas taken together.

    Parameters
    ----------
    release : Release
    codes : sequence of str
        Small areas, or areas of any level, whose small areas are meant.
    weights : mapping of small-area code to share, optional
        The share of each small area's people who belong; default 1.
    estimand : int
        Position in the predictor's estimands.

    Returns
    -------
    DataFrame
        Columns of ``estimates`` with ``area_level`` and ``area_code`` "custom"; ranks, deciles, triple goal and
        reliability are empty, since a single area has no level to be compared within.

    Raises
    ------
    DataError
        Unknown codes, areas named twice, weights that are missing, negative, not finite or all zero.
    """
    predictor = release.predictor
    rows = _small_areas(predictor, codes)
    share = _shares(predictor, rows, weights)
    rows, share = rows[share > 0], share[share > 0]
    people = predictor.population[rows] * share
    standard = release.standards[estimand]
    areas = AreaDraws(predictor, estimand=estimand, standard=standard)
    values = np.average(areas.draws(predictor.codes[rows]), axis=1, weights=people)
    origin = float(values.mean())
    below = (values - origin).astype(np.float32)[None, :]
    columns = describe_values(below, origin) | describe_index(below, standard.moved(origin))
    known = None if known_population(predictor) is None else people.sum(keepdims=True)
    flag, reason = flags(known, np.full(1, np.nan), np.zeros(1, dtype=bool))
    table = {name: columns.get(name, np.full(1, np.nan)) for name in COLUMNS}
    table |= {
        "reliability": np.full(1, np.nan),
        "population": people.sum(keepdims=True),
        "flag": flag,
        "flag_reason": reason,
    }
    text = {"area_code": "custom", "area_name": ", ".join(codes), "area_level": "custom"}
    frame = pd.DataFrame(table, columns=list(COLUMNS)).assign(**text)
    frame = frame.astype(dict.fromkeys([*text, "grade", "flag", "flag_reason"], "str"))
    return mark_failed(frame) if release.failed else frame


def _small_areas(predictor: Predictor, codes: Sequence[str]) -> np.ndarray:
    """Positions of the small areas meant by codes of any level, sorted."""
    found, chosen = Problems(), np.zeros(len(predictor.codes), dtype=np.int64)
    if not codes:
        found.add("codes", "there are none", "name at least one area", kind="data")
    for code in codes:
        inside = predictor.codes == code
        for level in predictor.levels.values():
            inside = inside if inside.any() else level == code
        if not inside.any():
            found.add("codes", f"there is no area {code!r}", code_hint(code, predictor.codes), kind="data")
        elif (chosen[inside] > 0).any():
            found.add("codes", f"{code!r} is named twice, or lies inside another", kind="data")
        chosen += inside
    found.raise_if_any()
    return np.flatnonzero(chosen)


def _shares(predictor: Predictor, rows: np.ndarray, weights: Mapping[str, float] | None) -> np.ndarray:
    """Share of each small area's people who belong."""
    if weights is None:
        return np.ones(len(rows))
    codes, found = predictor.codes[rows], Problems()
    missing = [code for code in codes if code not in weights]
    if missing:
        shown = ", ".join(missing[:10])
        found.add("weights", f"{len(missing)} areas have none: {shown}", "give 0 to leave an area out", kind="data")
    share = np.array([float(weights.get(code, 0.0)) for code in codes])
    if not np.isfinite(share).all() or (share < 0).any():
        found.add("weights", "some are negative or not finite", "write shares of each area's people", kind="data")
    found.raise_if_any()
    if not (share > 0).any():
        raise DataError(Problem("weights", "all are zero", kind="data"))
    return share
