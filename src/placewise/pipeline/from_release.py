"""Answers about areas of one's own choice, from a release alone: no survey, no model is needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from placewise.errors import ConfigurationError, Problem
from placewise.estimates.custom import custom_estimates
from placewise.estimates.draws import AreaDraws
from placewise.estimates.grades import FAILED
from placewise.estimates.release import Release, read_release
from placewise.publish.tables import with_outcome


def aggregate(folder: str | Path, codes: Sequence[str]) -> pd.DataFrame:
    """Estimate of several areas taken together.

    Parameters
    ----------
    folder : path
        ``<outcome>/release`` of a run.
    codes : sequence of str
        Small areas, or areas of any level.

    Returns
    -------
    DataFrame
        One row with the columns of ``estimates``; ``area_level`` is ``custom``.

    Raises
    ------
    DataError
        Unknown or repeated codes, or a release that cannot be read.
    ConfigurationError
        There is no release.
    """
    return with_outcome(custom_estimates(_read(folder), codes), Path(folder).resolve().parent.name)


def compare(folder: str | Path, a: str, b: str, index: bool = False) -> pd.Series:
    """Posterior of the difference between two areas of one level, chance in who lives there left out.

    Parameters
    ----------
    folder : path
        ``<outcome>/release`` of a run.
    a, b : str
        Codes of small areas or of areas of one level.
    index : bool
        In units of the index instead of the estimand's.

    Returns
    -------
    Series
        ``mean, sd``, the intervals of a − b, and ``p_greater``; ``flag`` where the fit failed its own checks.

    Raises
    ------
    ConfigurationError
        An unknown code, codes of two levels, or there is no release.
    """
    release = _read(folder)
    predictor = release.predictor
    levels = {predictor.code: predictor.codes, **predictor.levels}
    level = max(levels, key=lambda name: len({a, b} & set(levels[name])))
    of_a, of_b = predictor.level_of(a), predictor.level_of(b)
    if of_a and of_b and not {a, b} <= set(levels[level]):
        message = f"{a!r} is an area of {of_a!r} and {b!r} one of {of_b!r}"
        raise ConfigurationError(Problem("codes", message, "name two areas of one level"))
    areas = AreaDraws(predictor, level, standard=release.standards[0])
    found = (areas.index() if index else areas).compare(a, b)
    return pd.Series(found.to_dict() | {"flag": FAILED}, name=found.name) if release.failed else found


def _read(folder: str | Path) -> Release:
    folder = Path(folder)
    if not (folder / "release.json").is_file():
        raise ConfigurationError(
            Problem(str(folder), "this is no release", "name <outcome>/release in the folder of results of a run")
        )
    return read_release(folder)
