"""Which small areas lie inside polygons: those whose population-weighted centroid does, with all of their people."""

from __future__ import annotations

from typing import Any

import numpy as np

from placewise.estimates.groups import Members
from placewise.estimates.predictor import Predictor


def members_of_polygons(predictor: Predictor, points: np.ndarray, names: list[str], shapes: list[Any]) -> Members:
    """Members of polygons.

    An area belongs to a polygon that contains its centroid, wholly, and is outside otherwise; a centroid on an outline
    counts as inside. Polygons that overlap share areas.

    Parameters
    ----------
    predictor : Predictor
    points : ndarray of float64, shape (A, 2)
        Centroids, in the polygons' reference system.
    names : list of str, length G
    shapes : list of shapely geometry, length G

    Returns
    -------
    Members
        Polygons without any area have no members.
    """
    import shapely

    tree = shapely.STRtree(shapely.points(points))
    group, row = tree.query(shapes, predicate="intersects")
    ordered = np.lexsort((row, group))
    row = row[ordered].astype(np.int64)
    weight = np.asarray(predictor.population[row], dtype=np.float64)
    return Members(np.array(names, dtype=object), row, group[ordered].astype(np.int64), weight)
