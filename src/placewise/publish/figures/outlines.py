"""Polygons of one level, fitted to a page and thinned to what can be seen on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from matplotlib.path import Path as Outline

from placewise.errors import DataError, Problem
from placewise.publish.context import Shapes

WIDTH = 330.0
TALLEST = 460.0
# Steps of a point: fine where few areas are drawn as SVG, coarse where thousands are, finest for a raster of many.
_STEPS = ((1_000, 0.2), (10_000, 0.5))
_RASTER_STEP = 0.1
_POLYGONS = (3, 6, 7)


@dataclass(frozen=True, eq=False)
class MapOutlines:
    """Outlines of one level on a page of points.

    Parameters
    ----------
    codes : tuple of str
        Codes with something to draw.
    outlines : list of matplotlib Path
        One an area, in points, y upwards.
    width, height : float
        Size of the page in points.
    """

    codes: tuple[str, ...]
    outlines: list[Outline]
    width: float
    height: float


def fit_outlines(shapes: Shapes, wanted: Sequence[str], where: str = "geometry") -> MapOutlines:
    """Fit the polygons of the areas wanted to the page.

    Degrees are shown with the east-west scale of the middle latitude; anything else is taken as a plane.

    Raises
    ------
    DataError
        Where a geometry cannot be read, or is not a polygon; the first ten areas are named.
    """
    keep = set(wanted)
    pairs = sorted((c, w) for c, w in zip(shapes.codes, shapes.wkb, strict=True) if c in keep and w is not None)
    codes = [c for c, _ in pairs]
    geometry = _read([w for _, w in pairs], codes, where)
    every = shapely.get_coordinates(geometry)
    if not len(every):
        return MapOutlines((), [], WIDTH, WIDTH)
    low, high = every.min(axis=0), every.max(axis=0)
    degrees = bool((np.abs(every) <= (180, 90)).all())
    aspect = np.array([np.cos(np.radians((low[1] + high[1]) / 2)) if degrees else 1.0, 1.0])
    size = np.maximum((high - low) * aspect, 1e-12)
    scale = float(min(WIDTH / size[0], TALLEST / size[1]))
    grid = next((step for most, step in _STEPS if len(codes) <= most), _RASTER_STEP)
    found: dict[str, list[Outline]] = {}
    parts, owner = shapely.get_parts(geometry, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    points, of = shapely.get_coordinates(rings, return_index=True)
    placed = (points - low) * aspect * scale
    for ring, start, stop in _runs(of):
        thin = _thin(placed[start:stop], grid)
        if len(thin) > 3:
            found.setdefault(codes[owner[part[ring]]], []).append(Outline(thin, closed=True))
    paths = [Outline.make_compound_path(*rings) for rings in found.values()]
    width, height = np.ceil(size * scale)
    return MapOutlines(tuple(found), paths, float(width), float(height))


def _read(wkb: list[bytes], codes: list[str], where: str) -> np.ndarray:
    geometry = shapely.from_wkb(np.array([bytes(w) for w in wkb], dtype=object), on_invalid="ignore")
    bad = [c for c, kind in zip(codes, shapely.get_type_id(geometry), strict=True) if kind not in _POLYGONS]
    if bad:
        shown = ", ".join(repr(c) for c in bad[:10])
        message = f"{len(bad)} geometries are not polygons in well-known binary: {shown}"
        raise DataError(Problem(where, message, "give Polygon or MultiPolygon, or leave geometry out", "data"))
    return np.asarray(geometry)


def _runs(of: np.ndarray) -> list[tuple[int, int, int]]:
    starts = np.concatenate([[0], np.flatnonzero(np.diff(of)) + 1, [len(of)]])
    return [(int(of[a]), int(a), int(b)) for a, b in pairwise(starts)]


def _thin(ring: np.ndarray, grid: float) -> np.ndarray:
    snapped = np.round(np.round(ring / grid) * grid, 1)
    moved = np.any(np.diff(snapped, axis=0) != 0, axis=1)
    kept: np.ndarray = snapped[np.concatenate([[True], moved])]
    return kept
