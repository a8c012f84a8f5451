import json

import pandas as pd
import pytest
import shapely

from placewise.errors import Problems
from placewise.opendata.outlines import read_outlines, touching
from placewise.opendata.reading import locate


def _read(folder, catalogue):
    problems = Problems()
    source = catalogue.sources["lad22_outlines"]
    return read_outlines(locate(folder, source), source, problems), [str(p) for p in problems]


@pytest.mark.parametrize("layout", ["published", "parquet"])
def test_both_layouts_give_the_same_outlines(layout, request, country, catalogue):
    table, problems = _read(request.getfixturevalue(layout), catalogue)
    assert problems == []
    expected = country.outlines["lad22_outlines"]
    assert table["code"].tolist() == expected["code"].tolist()
    assert table["name"].tolist() == expected["name"].tolist()
    assert all(shapely.equals(shapely.from_wkb(list(table["geometry"])), list(expected["geometry"])))


def test_neighbours_are_those_that_touch(published, catalogue):
    table, _ = _read(published, catalogue)
    codes = table["code"].tolist()
    expected = pd.DataFrame({"a": codes[:-1], "b": codes[1:]}, dtype="str")
    pd.testing.assert_frame_equal(touching(table), expected)


def test_a_corner_is_enough_and_an_island_has_none():
    shapes = [shapely.box(0, 0, 1, 1), shapely.box(1, 1, 2, 2), shapely.box(5, 5, 6, 6)]
    found = touching(pd.DataFrame({"code": list("cab"), "geometry": shapely.to_wkb(shapes)}))
    assert found.to_numpy().tolist() == [["a", "c"]]


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        "[]",
        "not json",
        json.dumps({"features": [{"properties": {"LAD22CD": "E1", "LAD22NM": "x"}, "geometry": {"type": "Blob"}}]}),
        json.dumps(
            {"features": [{"properties": {"code": "E1"}, "geometry": {"type": "Point", "coordinates": [0, 0]}}]}
        ),
    ],
)
def test_broken_outlines_are_told(content, tmp_path, catalogue):
    (tmp_path / "lad22_outlines.geojson").write_text(content)
    table, problems = _read(tmp_path, catalogue)
    assert table is None
    assert "the outlines cannot be read" in problems[0]


def test_an_area_with_two_outlines_is_told(tmp_path, published, catalogue):
    content = json.loads((published / "lad22_outlines.geojson").read_text())
    content["features"].append(content["features"][0])
    (tmp_path / "lad22_outlines.geojson").write_text(json.dumps(content))
    table, problems = _read(tmp_path, catalogue)
    assert table is None
    assert "7 areas, 1 of them twice" in problems[0]
