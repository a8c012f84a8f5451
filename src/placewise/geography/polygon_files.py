"""Polygons of the user's own, from GeoJSON or a GeoPackage, each with a name and all in one reference system.

A GeoPackage is an SQLite file whose geometries are well-known binary behind a short header (OGC 12-128r18, 2.1.3): it
is read without GDAL.
"""

from __future__ import annotations

import json
import re
import sqlite3
import struct
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from placewise.errors import Problems
from placewise.geography.british_grid import BRITISH_GRID, to_degrees
from placewise.geography.centroids import WGS84
from placewise.geography.codes import listing

SUFFIXES = (".geojson", ".json", ".gpkg")
NAMES = ("group", "name", "code", "id")
_LARGEST = 256 << 20
_MOST = 20_000
_STEPS = 200  # million steps of SQLite's machine: a layer may be a view without end
_ENVELOPE = (0, 32, 48, 48, 64)  # bytes by its kind
_EMPTY = 0x10
_EPSG = re.compile(r"(?:^|EPSG:{1,2}(?:[\d.]*:)?)(\d+)$", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Polygons:
    """Named polygons.

    Parameters
    ----------
    names : list of str
    shapes : list of shapely geometry
        Polygons and multipolygons.
    epsg : int
        Their coordinate reference system.
    """

    names: list[str]
    shapes: list[Any]
    epsg: int


def read_polygon_file(path: Path, where: str, problems: Problems) -> Polygons | None:
    """Read polygons; the features' names are their property ``group``, ``name``, ``code`` or ``id``, else 1, 2, ….

    Returns
    -------
    Polygons or None
        None where a problem was noted.
    """
    if path.suffix.lower() not in SUFFIXES:
        problems.add(where, f"{path.name} ends in {path.suffix!r}, expected {', '.join(SUFFIXES)}")
        return None
    if not path.is_file():
        problems.add(where, f"there is no file {path.name}", f"looked in {path.parent}")
        return None
    if path.stat().st_size > _LARGEST:
        problems.add(where, f"{path.name} is larger than 256 MB", "simplify its outlines", "data")
        return None
    from shapely.errors import ShapelyError

    before = len(problems)
    try:
        found = _geopackage(path) if path.suffix.lower() == ".gpkg" else _geojson(path)
    except (
        ValueError,
        KeyError,
        TypeError,
        RecursionError,
        struct.error,
        sqlite3.Error,
        ShapelyError,
    ) as error:
        told = str(error) or type(error).__name__
        problems.add(where, f"{path.name} cannot be read: {told}", "save it again as GeoJSON", "data")
        return None
    _check(found, path.name, where, problems)
    return found if len(problems) == before else None


def in_system(polygons: Polygons, epsg: int, where: str, problems: Problems) -> Polygons | None:
    """The polygons in another reference system: the British grid becomes longitude and latitude, else both are one."""
    if polygons.epsg == epsg:
        return polygons
    if (polygons.epsg, epsg) == (BRITISH_GRID, WGS84):
        import shapely

        return Polygons(polygons.names, list(shapely.transform(polygons.shapes, to_degrees)), epsg)
    message = f"the polygons are in EPSG:{polygons.epsg}, the areas' centroids in EPSG:{epsg}"
    problems.add(where, message, f"save the polygons in EPSG:{epsg}", "data")
    return None


def _check(found: Polygons, name: str, where: str, problems: Problems) -> None:
    if not found.shapes:
        problems.add(where, f"{name} holds no features", "expected polygons", "data")
    if len(found.shapes) > _MOST:
        problems.add(where, f"{name} holds {len(found.shapes):,} features, expected {_MOST:,} at most", kind="data")
    odd = [n for n, s in zip(found.names, found.shapes, strict=True) if s is None or s.geom_type not in _KINDS]
    if odd:
        problems.add(where, f"{len(odd):,} features are no polygons: {listing(odd)}", "leave them out", "data")
    twice = sorted(name for name, times in Counter(found.names).items() if times > 1)
    if twice:
        problems.add(where, f"names that several features have: {listing(twice)}", "join them into one", "data")
    broken = [n for n, s in zip(found.names, found.shapes, strict=True) if n not in odd and not _sound(s)]
    if broken:
        problems.add(where, f"outlines that cross themselves: {listing(broken)}", "repair them (ST_MakeValid)", "data")


_KINDS = ("Polygon", "MultiPolygon")


def _sound(shape: Any) -> bool:
    return bool(shape.is_valid and not shape.is_empty and np.isfinite(shape.bounds).all())


def _geojson(path: Path) -> Polygons:
    import shapely

    told = json.loads(path.read_text(encoding="utf-8-sig"))
    if not isinstance(told, dict):
        raise ValueError("this is no GeoJSON object")
    features = told["features"] if told.get("type") == "FeatureCollection" else [told]
    if not isinstance(features, list) or not all(isinstance(f, dict) for f in features):
        raise ValueError("'features' is no list of features")
    shapes = []
    for feature in features:
        geometry = feature.get("geometry") if feature.get("type") == "Feature" else feature
        shapes.append(None if geometry is None else shapely.from_geojson(json.dumps(geometry)))
    rows = [{"id": f.get("id"), **(f.get("properties") or {})} for f in features]
    named = ((told.get("crs") or {}).get("properties") or {}).get("name", "")
    return Polygons(_names(rows), shapes, _epsg_of(str(named)))


def _epsg_of(name: str) -> int:
    """EPSG code of an old-fashioned ``crs`` member; longitude and latitude where there is none (RFC 7946)."""
    if not name or name.upper().endswith("CRS84"):
        return WGS84
    found = _EPSG.search(name)
    if found is None:
        raise ValueError(f"its reference system is {name[:60]!r}, expected an EPSG code")
    return int(found[1])


def _geopackage(path: Path) -> Polygons:
    uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True)) as base:
        base.execute("PRAGMA trusted_schema = OFF")
        steps = iter(range(_STEPS))
        base.set_progress_handler(lambda: next(steps, None) is None, 1_000_000)
        tables = base.execute("SELECT table_name, column_name, srs_id FROM gpkg_geometry_columns").fetchall()
        if len(tables) != 1:
            raise ValueError(f"it has {len(tables)} layers, expected one")
        table, column, srs = tables[0]
        (epsg,) = base.execute(
            "SELECT organization_coordsys_id FROM gpkg_spatial_ref_sys WHERE srs_id = ?", (srs,)
        ).fetchone() or (srs,)
        quoted = '"' + str(table).replace('"', '""') + '"'
        cursor = base.execute(f"SELECT * FROM {quoted} LIMIT ?", (_MOST + 1,))
        heads = [str(d[0]) for d in cursor.description]
        rows = [dict(zip(heads, row, strict=True)) for row in cursor]
    shapes = [_shape(row.pop(column)) for row in rows]
    return Polygons(_names(rows), shapes, int(epsg))


def _shape(blob: bytes | None) -> Any:
    """The geometry behind a GeoPackage header; None where it is empty."""
    import shapely

    if blob is None:
        return None
    if len(blob) < 8 or blob[:2] != b"GP":
        raise ValueError("a geometry has no GeoPackage header")
    flags = blob[3]
    kind = (flags >> 1) & 7
    if kind >= len(_ENVELOPE):
        raise ValueError("a geometry's envelope is of no known kind")
    return None if flags & _EMPTY else shapely.from_wkb(blob[8 + _ENVELOPE[kind] :])


def _names(rows: list[dict[str, Any]]) -> list[str]:
    """The first of the name columns that every feature has, else its number."""
    lower = [{str(k).lower(): v for k, v in row.items()} for row in rows]
    for key in NAMES:
        values = [row.get(key) for row in lower]
        if values and all(isinstance(v, (str, int)) and str(v).strip() for v in values):
            return [str(v).strip() for v in values]
    return [str(i + 1) for i in range(len(rows))]
