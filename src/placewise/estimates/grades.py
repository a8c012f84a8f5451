"""Reliability, letters and flags: what to make of one area's figures."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from placewise.estimates.hierarchy import Hierarchy
from placewise.estimates.imputed import imputed_areas
from placewise.estimates.predictor import Predictor

SMALL_POPULATION = 50
LOW_RELIABILITY = 0.3
_LETTERS = np.array(["A", "B", "C", "D", "E", "F"], dtype=object)
_WIDTHS = np.array([1.0, 1.5, 2.0, 2.5, 3.0])

FAILED = "failed_checks"

REASONS = {
    "small_population": f"fewer than {SMALL_POPULATION} people live here",
    "low_reliability": "the data say little about this area: its figure is mostly that of areas like it",
    "extrapolated": "nobody in the survey lives in its region or in an area of its class",
    "imputed": "a fact about it was not published and has been filled in",
}


def reliability(index_sd: np.ndarray) -> np.ndarray:
    """Estimated squared correlation of published and true index, max(0, 1 − Var I), I standardised at its own level."""
    return np.maximum(0.0, 1.0 - np.asarray(index_sd, dtype=np.float64) ** 2)


def grade(width: np.ndarray) -> np.ndarray:
    """Letters by the width of the index's 90% interval; object array of str."""
    # quantiles carry single precision: a width of exactly 1 is an A
    return np.asarray(_LETTERS[np.searchsorted(_WIDTHS + 1e-6, width, side="left")])


def flags(
    population: np.ndarray | None, reliable: np.ndarray, marks: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Flags of some areas, and the reasons as one sentence each.

    Parameters
    ----------
    population : ndarray of float64, shape (n,), or None
        None where the project knows no population.
    reliable : ndarray of float64, shape (n,)
        Reliability; NaN is not flagged.
    marks : mapping of flag to ndarray of bool, shape (n,)
        ``extrapolated`` and ``imputed``, as ``marks_of`` gives them.

    Returns
    -------
    flag, reason : ndarray of object (str)
        ``ok`` and the empty text, or names joined by ``;`` and a sentence.
    """
    n = len(reliable)
    raised = {
        "small_population": np.zeros(n, bool) if population is None else population < SMALL_POPULATION,
        "low_reliability": reliable < LOW_RELIABILITY,
        **marks,
    }
    flag, reason = np.full(n, "ok", dtype=object), np.full(n, "", dtype=object)
    for i in np.flatnonzero(np.logical_or.reduce(list(raised.values()))):
        names = [name for name, found in raised.items() if found[i]]
        flag[i] = ";".join(names)
        sentence = "; ".join(REASONS[name] for name in names)
        reason[i] = sentence[0].upper() + sentence[1:] + "."
    return flag, reason


def mark_failed(estimates: pd.DataFrame) -> pd.DataFrame:
    """Estimates of a fit that failed its own checks: every row's flag says so, wherever the row is carried."""
    fine = estimates["flag"] == "ok"
    reason = ("The computation failed its own checks: not for use. " + estimates["flag_reason"]).str.strip()
    return estimates.assign(flag=(FAILED + ";" + estimates["flag"]).mask(fine, FAILED), flag_reason=reason)


def known_population(predictor: Predictor) -> np.ndarray | None:
    """Population of the small areas; None where all are the ones that stand for a project without any."""
    return predictor.population if bool((predictor.population != 1).any()) else None


def marks_of(predictor: Predictor) -> dict[str, np.ndarray]:
    """Small areas to be flagged for what the predictor knows of them; each bool, shape (A,)."""
    return {"extrapolated": extrapolated_areas(predictor), "imputed": imputed_areas(predictor)}


def extrapolated_areas(predictor: Predictor) -> np.ndarray:
    """Small areas whose region (largest level) or whose class met no respondent; bool, shape (A,).

    Known only where the model has an effect of that level or class.
    """
    names = set(predictor.classes) | set(list(predictor.levels)[-1:])
    out = np.zeros(len(predictor.codes), dtype=bool)
    for effect in predictor.effects:
        if effect.name in names and effect.area_index is not None and effect.cell_index is None:
            met = np.zeros(len(effect.all_labels), dtype=bool)
            met[: len(effect.labels)] = True if effect.met is None else effect.met
            out |= ~met[effect.lookup[effect.area_index, 0]]
    return out


def mostly(mark: np.ndarray, predictor: Predictor, hierarchy: Hierarchy, level: int) -> np.ndarray:
    """Areas of a level more than half of whose people live in marked small areas; bool, shape (groups,)."""
    people = hierarchy.sums(predictor.population, level)
    return np.asarray(hierarchy.sums(predictor.population * mark, level) > 0.5 * people)
