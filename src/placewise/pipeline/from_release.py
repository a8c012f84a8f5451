"""Answers about areas of one's own choice, from a release alone: no survey, no model is needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from placewise.errors import ConfigurationError, Problem
from placewise.estimates.custom import custom_estimates
from placewise.estimates.release import Release, read_release
from placewise.pipeline.comparison import Comparison, compare_areas
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


def compare(folder: str | Path, a: str, b: str, index: bool = False) -> Comparison:
    """Posterior of the difference between two areas of one level, chance in who lives there left out.

    Parameters
    ----------
    folder : path
        ``<outcome>/release`` of a run.
    a, b : str
        Codes, or names that only one area of their level has.
    index : bool
        In units of the index instead of the estimand's.

    Raises
    ------
    ConfigurationError
        An unknown or ambiguous area, areas of two levels, or there is no release.
    """
    return compare_areas(_read(folder), a, b, index)


def _read(folder: str | Path) -> Release:
    folder = Path(folder)
    if not (folder / "release.json").is_file():
        raise ConfigurationError(
            Problem(str(folder), "this is no release", "name <outcome>/release in the folder of results of a run")
        )
    return read_release(folder)
