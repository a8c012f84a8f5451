"""Estimates of areas of the user's own, from a release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd

from placewise.errors import ConfigurationError, Problem, Problems
from placewise.estimates.describe import COLUMNS, NATIONAL, RANK_COLUMNS
from placewise.estimates.differences import describe_differences
from placewise.estimates.draws import AreaDraws
from placewise.estimates.grades import flags, known_population, mark_failed, marks_of
from placewise.estimates.groups import Members, members_of_groups
from placewise.estimates.predictor import Predictor
from placewise.estimates.release import Release
from placewise.estimates.subset import only

CUSTOM = "custom"
MOST_COMPARED = 100  # groups: 5,000 pairs


def members_together(predictor: Predictor, codes: Sequence[str]) -> Members:
    """One area of the user's own, called ``custom``, from codes of any level.

    Raises
    ------
    DataError
        No codes, unknown codes, areas named twice.
    """
    found = Problems()
    if not codes:
        found.add("codes", "there are none", "name at least one area", kind="data")
        found.raise_if_any()
    members = members_of_groups(predictor, {CUSTOM: codes}, "codes", "data", found)
    found.raise_if_any()
    return members


def group_estimates(release: Release, members: Members, estimand: int = 0) -> pd.DataFrame:
    """One row for each of the user's areas, the correlation between the small areas inside kept.

    Parameters
    ----------
    release : Release
    members : Members
        Of the release's predictor.
    estimand : int
        Position in the predictor's estimands.

    Returns
    -------
    DataFrame
        Columns of ``estimates``, ``area_level`` being ``custom``. The index is that of the release's base. Ranks are
        among these areas, and empty where there is one only; reliability is empty, since it is that of a level.
    """
    found = _areas(release, members, estimand).summary()
    n = len(members.codes)
    missing = np.full(n, np.nan)
    known = None if known_population(release.predictor) is None else members.population
    most = {
        name: np.bincount(members.group, members.weight * mark[members.row], minlength=n) > 0.5 * members.population
        for name, mark in marks_of(release.predictor).items()
    }
    flag, reason = flags(known, missing, most)
    table = {name: found.get(name, missing) for name in COLUMNS}
    if n == 1:
        table |= dict.fromkeys((*RANK_COLUMNS, "triple_goal"), missing)
    table |= {"area_name": members.codes, "population": members.population, "flag": flag, "flag_reason": reason}
    frame = pd.DataFrame(table, columns=list(COLUMNS)).assign(area_level=CUSTOM)
    frame = frame.astype(dict.fromkeys(["area_code", "area_name", "area_level", "grade", "flag", "flag_reason"], "str"))
    return mark_failed(frame) if release.failed else frame


def group_comparisons(release: Release, members: Members, estimand: int = 0, index: bool = False) -> pd.DataFrame:
    """Posterior of the difference of rates for each pair of the user's areas, and of each with the nation.

    Parameters
    ----------
    release : Release
    members : Members
    estimand : int
    index : bool
        In units of the index, oriented, instead of the estimand's.

    Returns
    -------
    DataFrame
        ``area_code, area_level, compared_with, mean, sd``, the intervals and ``p_greater``. The nation is the mean over
        the index's base.

    Raises
    ------
    ConfigurationError
        More than 100 areas, or one that bears the nation's name.
    """
    codes = [str(code) for code in members.codes]
    if len(codes) > MOST_COMPARED:
        message = f"{len(codes):,} areas make {len(codes) * (len(codes) - 1) // 2:,} pairs"
        raise ConfigurationError(Problem("--compare", message, f"compare {MOST_COMPARED} areas at most at a time"))
    if NATIONAL in codes:
        raise ConfigurationError(Problem("--compare", f"{NATIONAL!r} is what the whole is called", "rename the area"))
    values, standard = _areas(release, members, estimand, rate=True).draws().T, release.standards[estimand]
    nation = standard.mean
    if index:
        values, nation = (values - standard.mean) * standard.scale, np.zeros_like(nation)
    pairs = [(i, -1) for i in range(len(codes))] + list(combinations(range(len(codes)), 2))
    differences = np.stack([values[i] - (nation if j < 0 else values[j]) for i, j in pairs])
    names = pd.DataFrame({
        "area_code": [codes[i] for i, _ in pairs],
        "area_level": CUSTOM,
        "compared_with": [NATIONAL if j < 0 else codes[j] for _, j in pairs],
    })  # fmt: skip
    return pd.concat([names, describe_differences(differences)], axis=1)


def _areas(release: Release, members: Members, estimand: int, rate: bool = False) -> AreaDraws:
    """Draws of the user's areas, made from the small areas that they need."""
    rows, place = np.unique(members.row, return_inverse=True)
    predictor = only(release.predictor, rows)
    areas = AreaDraws(predictor, estimand=estimand, rate=rate, standard=release.standards[estimand])
    return areas.grouped(replace(members, row=place.astype(np.int64)))
