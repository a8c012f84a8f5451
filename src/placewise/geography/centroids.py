"""Where the people of an area live, as one point: what places an area inside a polygon of the user's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from placewise.errors import Problems
from placewise.geography.codes import as_numbers, listing
from placewise.geography.spec import CentroidSpec

WGS84 = 4326
_DEGREES = (180.0, 90.0)


@dataclass(frozen=True, eq=False)
class Centroids:
    """One point an area.

    Parameters
    ----------
    points : ndarray of float64, shape (A, 2)
        x (longitude or easting) and y (latitude or northing).
    epsg : int
        Their coordinate reference system.
    """

    points: np.ndarray
    epsg: int


def read_centroids(raw: pd.DataFrame, codes: pd.Series, spec: CentroidSpec, problems: Problems) -> Centroids | None:
    """The areas' centroids; None where a problem was noted.

    Parameters
    ----------
    raw : DataFrame
        Has both columns.
    codes : Series of str
        Codes of the areas, for messages.
    """
    before, columns = len(problems), []
    for key, column, most in (("x", spec.x, _DEGREES[0]), ("y", spec.y, _DEGREES[1])):
        values, bad = as_numbers(raw[column])
        where, odd = f"areas.centroid.{key}", bad | ~np.isfinite(values)
        if odd.any():
            message = f"column {column!r} is no number for {int(odd.sum()):,} areas: {listing(codes[odd])}"
            problems.add(where, message, "give every area a point, or leave 'centroid' out", "data")
        elif spec.epsg == WGS84 and (np.abs(values) > most).any():
            message = f"column {column!r} reaches {np.abs(values).max():,.0f}, which is no angle"
            problems.add(where, message, "say which system it is, as in epsg = 27700 for the British grid", "data")
        columns.append(values)
    return None if len(problems) > before else Centroids(np.column_stack(columns), spec.epsg)
