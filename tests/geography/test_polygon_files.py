import json
import sqlite3
import struct

import numpy as np
import pytest
import shapely

from placewise.errors import Problems
from placewise.geography.polygon_files import Polygons, in_system, read_polygon_file

WEST, EAST = shapely.box(-2, 50, -1, 51), shapely.box(-1, 50, 0, 51)


def read(path):
    found = Problems()
    return read_polygon_file(path, "--polygons", found), [str(p) for p in found]


def geojson(path, features, **more):
    told = {"type": "FeatureCollection", "features": features, **more}
    path.write_text(json.dumps(told), encoding="utf-8")
    return path


def feature(shape, **properties):
    return {"type": "Feature", "properties": properties, "geometry": json.loads(shapely.to_geojson(shape))}


def geopackage(path, rows, srs=4326, table='odd "name"; DROP', envelope=1, layers=1):
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE gpkg_spatial_ref_sys (srs_id INTEGER, organization_coordsys_id INTEGER)")
    base.execute("INSERT INTO gpkg_spatial_ref_sys VALUES (7, ?)", (srs,))
    base.execute("CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, srs_id INTEGER)")
    quoted = '"' + table.replace('"', '""') + '"'
    for _ in range(layers):
        base.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 7)", (table,))
    base.execute(f"CREATE TABLE {quoted} (fid INTEGER PRIMARY KEY, geom BLOB, Name TEXT)")
    for name, shape in rows:
        blob = shape
        if shape is not None and not isinstance(shape, bytes):
            box = struct.pack("<4d", 0, 0, 0, 0) if envelope else b""
            blob = b"GP\x00" + bytes([1 | envelope << 1]) + struct.pack("<i", 7) + box + shapely.to_wkb(shape)
        base.execute(f"INSERT INTO {quoted} (geom, Name) VALUES (?, ?)", (blob, name))
    base.commit()
    base.close()
    return path


def test_geojson_in_degrees_and_by_its_names(tmp_path):
    found, problems = read(geojson(tmp_path / "a.geojson", [feature(WEST, Group="w"), feature(EAST, Group="e")]))
    assert problems == []
    assert (found.names, found.epsg) == (["w", "e"], 4326)
    assert found.shapes[1].equals(EAST)


def test_a_bare_geometry_and_a_reference_system_that_is_declared(tmp_path):
    (tmp_path / "a.json").write_text(shapely.to_geojson(WEST))
    assert read(tmp_path / "a.json")[0].names == ["1"]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::27700"}}
    assert read(geojson(tmp_path / "b.geojson", [feature(WEST)], crs=crs))[0].epsg == 27700
    crs["properties"]["name"] = "urn:ogc:def:crs:OGC:1.3:CRS84"
    assert read(geojson(tmp_path / "c.geojson", [feature(WEST)], crs=crs))[0].epsg == 4326


@pytest.mark.parametrize("envelope", [0, 1])
def test_a_geopackage_without_gdal(tmp_path, envelope):
    path = geopackage(tmp_path / "a b#?.gpkg", [("w", WEST), ("e", shapely.MultiPolygon([EAST]))], envelope=envelope)
    before = path.read_bytes()
    found, problems = read(path)
    assert problems == []
    assert (found.names, found.epsg) == (["w", "e"], 4326)
    assert found.shapes[0].equals(WEST)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_the_british_grid_becomes_degrees(tmp_path):
    grid = shapely.box(530000, 180000, 531000, 181000)
    found, _ = read(geopackage(tmp_path / "grid.gpkg", [("city", grid)], srs=27700))
    problems = Problems()
    moved = in_system(found, 4326, "--polygons", problems)
    assert moved.shapes[0].contains(shapely.Point(-0.1205, 51.508))
    assert in_system(found, 27700, "--polygons", problems) is found
    assert not problems
    assert in_system(Polygons(["a"], [WEST], 3857), 4326, "--polygons", problems) is None
    assert "EPSG:3857, the areas' centroids in EPSG:4326" in str(next(iter(problems)))


def test_what_is_wrong_with_features_is_told_at_once(tmp_path):
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    rows = [feature(WEST, name="a"), feature(EAST, name="a"), feature(bow, name="b")]
    rows += [feature(shapely.Point(0, 0), name="c"), {"type": "Feature", "properties": {"name": "d"}, "geometry": None}]
    found, problems = read(geojson(tmp_path / "a.geojson", rows))
    text = "\n".join(problems)
    assert found is None
    assert "2 features are no polygons: 'c', 'd'" in text
    assert "several features have: 'a'" in text
    assert "cross themselves: 'b'" in text


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.shp", b"x", "ends in '.shp', expected .geojson"),
        ("a.geojson", b"{", "cannot be read"),
        ("a.geojson", b"\xff\xfe{}", "cannot be read"),
        ("a.geojson", b"[1]", "no GeoJSON object"),
        ("a.geojson", b'{"type": "FeatureCollection", "features": []}', "holds no features"),
        ("a.geojson", b'{"type": "FeatureCollection", "features": {"a": 1}}', "no list of features"),
        ("a.geojson", b'{"type": "FeatureCollection"}', "'features'"),
        ("a.geojson", b'{"type": "Polygon", "coordinates": [[[0, "x"]]]}', "cannot be read"),
        ("a.geojson", b"[" * 200_000, "cannot be read"),
        ("a.gpkg", b"this is no database, but long enough to look", "cannot be read"),
        ("a.gpkg", b"", "cannot be read"),
    ],
)
def test_files_that_are_something_else(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    found, problems = read(tmp_path / name)
    assert found is None
    assert len(problems) == 1
    assert message in problems[0]


def test_a_geopackage_of_several_layers_or_of_broken_geometries(tmp_path):
    assert "it has 2 layers" in read(geopackage(tmp_path / "a.gpkg", [("w", WEST)], layers=2))[1][0]
    assert "no GeoPackage header" in read(geopackage(tmp_path / "b.gpkg", [("w", b"nonsense")]))[1][0]
    assert "no known kind" in read(geopackage(tmp_path / "c.gpkg", [("w", b"GP\x00\x0f1234")]))[1][0]
    cut = b"GP\x00\x01" + struct.pack("<i", 7) + shapely.to_wkb(WEST)[:40]
    assert "cannot be read" in read(geopackage(tmp_path / "d.gpkg", [("w", cut)]))[1][0]
    assert "no polygons: 'w'" in read(geopackage(tmp_path / "e.gpkg", [("w", None)]))[1][0]
    assert "there is no file none.gpkg" in read(tmp_path / "none.gpkg")[1][0]


def test_a_layer_without_end_is_given_up(tmp_path, monkeypatch):
    path = geopackage(tmp_path / "a.gpkg", [("w", WEST)], table="t")
    base = sqlite3.connect(path)
    base.execute("ALTER TABLE t RENAME TO u")
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT geom, Name FROM u, n WHERE i < 0"
    base.execute(f"CREATE VIEW t AS {endless}")
    base.commit()
    base.close()
    monkeypatch.setattr("placewise.geography.polygon_files._STEPS", 5)
    assert "cannot be read: interrupted" in read(path)[1][0]


def test_outlines_without_end_are_refused(tmp_path):
    far = shapely.Polygon([(0, 0), (np.inf, 0), (1, 1)])
    blob = b"GP\x00\x01" + struct.pack("<i", 7) + shapely.to_wkb(far)
    assert read(geopackage(tmp_path / "a.gpkg", [("w", blob)]))[0] is None
