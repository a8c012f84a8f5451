"""Areas of the user's own from files, and the command line, from a release folder alone."""

import io
import json
import os
import re
import sqlite3

import numpy as np
import pandas as pd
import pytest
import shapely

from placewise import cli
from placewise.errors import ConfigurationError, DataError
from placewise.estimates.describe import COLUMNS
from placewise.estimates.draws import AreaDraws
from placewise.estimates.predictor import Effect, Estimand, Predictor
from placewise.estimates.release import read_release, write_release
from placewise.geography.centroids import Centroids
from placewise.pipeline.custom_areas import areas_of_groups, areas_of_polygons, areas_of_postcodes
from placewise.pipeline.from_release import Request, own_areas

N, DRAWS = 40, 60
CODES = np.array([f"E{i:02d}" for i in range(N)], dtype=object)
LADS = np.array([f"L{i // 8}" for i in range(N)], dtype=object)
# a grid of 8 × 5 points, 0.1 degrees apart
POINTS = np.column_stack([-2 + 0.1 * (np.arange(N) % 8), 51 + 0.1 * (np.arange(N) // 8)])


def predictor():
    rng = np.random.default_rng(1)
    draws = rng.normal(0, 0.5, (10, DRAWS)).astype(np.float32)
    own = Effect(
        "oa", tuple(CODES[:10]), draws, np.full(DRAWS, 0.5), tuple(CODES), np.arange(N), None, np.arange(N)[:, None]
    )
    return Predictor(
        seed=1, codes=CODES, code="oa", levels={"lad": LADS}, classes={}, population=rng.integers(100, 300, N) * 1.0,
        base=np.ones(N, bool), intercept=rng.normal(0, 0.1, DRAWS), beta=np.empty((0, DRAWS)),
        area_x=np.empty((N, 0), np.float32), cell_x=np.empty((1, 0)), area_varies=np.empty(0, bool),
        cell_varies=np.empty(0, bool), effects=(own,), indptr=np.arange(N + 1), cell=np.zeros(N, np.int32),
        count=np.ones(N), finite_population=True, polarity=1,
        estimands=(Estimand("", "share", "logit", 1.0, np.array([-1.0]), cuts=np.zeros((1, DRAWS))),),
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "belonging" / "release"
    path.mkdir(parents=True)
    p = predictor()
    write_release(path, p, (AreaDraws(p)._source.standard,), centroids=Centroids(POINTS, 4326))
    return path


@pytest.fixture(scope="module")
def release(folder):
    return read_release(folder)


def weights_of(own):
    """Group → code → people."""
    m = own.members
    return {
        str(name): {CODES[r]: w for r, w in zip(m.row[m.group == g], m.weight[m.group == g], strict=True)}
        for g, name in enumerate(m.codes)
    }


def test_centroids_come_back(release):
    assert np.array_equal(release.centroids.points, POINTS)
    assert release.centroids.epsg == 4326


@pytest.mark.parametrize(
    "text",
    [
        "area_code,group\nE00,a\nE01,a\nL2,b\n",
        "﻿Group;OA\na;E00\na;E01\nb;L2\n",
        "group\tcode\textra\na\tE00\t1\na\tE01\t2\nb\tL2\t3\n",
    ],
)
def test_groups_in_any_dialect(release, tmp_path, text):
    (tmp_path / "groups.csv").write_text(text, encoding="utf-8")
    p = release.predictor
    found = weights_of(areas_of_groups(release, tmp_path / "groups.csv", None))
    assert found["a"] == {"E00": p.population[0], "E01": p.population[1]}
    assert list(found["b"]) == list(CODES[16:24])


def test_groups_weighed_by_a_column(release, tmp_path):
    (tmp_path / "groups.csv").write_text('area_code,group,patients\nE00,a,"1,200"\nE01,a,300\nE02,a,0\n')
    found = weights_of(areas_of_groups(release, tmp_path / "groups.csv", "patients"))
    assert found == {"a": {"E00": 1200.0, "E01": 300.0}}


def test_every_problem_of_groups_at_once(release, tmp_path):
    path = tmp_path / "groups.csv"
    path.write_text("area_code,group\nE00,a\nE00,a\nX99,b\n,c\n")
    with pytest.raises(DataError, match=r"1 rows of groups\.csv lack 'area_code'"):
        areas_of_groups(release, path, None)
    path.write_text("area_code,group,n\nE00,a,1\nE00,a,-1\nX99,b,x\n")
    with pytest.raises(DataError, match="'n' is blank, negative or no number in 2 rows"):
        areas_of_groups(release, path, "n")
    path.write_text("area_code,group\nE00,a\nE00,a\nX99,b\n")
    with pytest.raises(DataError) as error:
        areas_of_groups(release, path, None)
    assert [p.message for p in error.value.problems] == [
        "there is no area 'X99'", "'E00' is named twice, or lies inside another",
    ]  # fmt: skip
    path.write_text("area,grop\nE00,a\n")
    with pytest.raises(DataError) as error:
        areas_of_groups(release, path, None)
    assert len(error.value.problems) == 2
    assert "did you mean 'grop'?" in str(error.value)


LOOKUP = "pcds,oa\nAB1 1AA,E00\nAB1 1AB,E00\nAB1 1AC,E00\nAB1 1AD,E01\nAB1 1AE,E02\nZZ1 1ZZ,W99\n"


def test_postcodes_share_the_people_of_their_area(release, tmp_path):
    (tmp_path / "lookup.csv").write_text(LOOKUP)
    (tmp_path / "p.csv").write_text("postcode,group\nab11aa,x\nAB1  1AD,x\nAB1 1AB,y\nAB1 1AE,y\n")
    people = release.predictor.population
    found = areas_of_postcodes(release, tmp_path / "p.csv", tmp_path / "lookup.csv", None)
    assert found.notes == ()
    expected = {"x": {"E00": people[0] / 3, "E01": people[1]}, "y": {"E00": people[0] / 3, "E02": people[2]}}
    assert {g: pytest.approx(v) for g, v in expected.items()} == weights_of(found)


def test_postcodes_with_people_count_these(release, tmp_path):
    (tmp_path / "lookup.csv").write_text(LOOKUP)
    (tmp_path / "p.csv").write_text("postcode,patients\nAB1 1AA,10\nAB1 1AA,5\nAB1 1AB,5\nAB1 1AD,80\n")
    found = areas_of_postcodes(release, tmp_path / "p.csv", tmp_path / "lookup.csv", "patients")
    assert weights_of(found) == {"custom": {"E00": 20.0, "E01": 80.0}}


def test_a_group_without_people_is_told(release, tmp_path):
    (tmp_path / "lookup.csv").write_text(LOOKUP)
    (tmp_path / "p.csv").write_text("postcode,group,n\nAB1 1AA,x,0\nAB1 1AD,y,3\n")
    with pytest.raises(DataError, match="--postcodes 'x': all weights are zero"):
        areas_of_postcodes(release, tmp_path / "p.csv", tmp_path / "lookup.csv", "n")


def test_a_postcode_file_that_holds_the_areas_needs_no_lookup(release, tmp_path):
    (tmp_path / "p.csv").write_text("postcode,area_code,group\nA1,E00,x\nA2,E00,\nA3,E01,x\n")
    found = weights_of(areas_of_postcodes(release, tmp_path / "p.csv", None, None))
    assert found == {"x": {"E00": release.predictor.population[0] / 2, "E01": release.predictor.population[1]}}


def test_postcodes_that_are_not_known_are_counted_and_never_shown(release, tmp_path):
    (tmp_path / "lookup.csv").write_text(LOOKUP + "".join(f"Q{i},E0{i % 9}\n" for i in range(60)))
    known = "".join(f"Q{i},x\n" for i in range(60))
    (tmp_path / "p.csv").write_text("postcode,group\nXX9 9XX,x\nZZ1 1ZZ,x\n" + known)
    found = areas_of_postcodes(release, tmp_path / "p.csv", tmp_path / "lookup.csv", None)
    assert found.notes == (
        "1 of 62 postcodes are not in the lookup: they are left out",
        "1 of 62 postcodes lie outside the areas of the release: they are left out",
    )
    (tmp_path / "p.csv").write_text("postcode,group\nXX9 9XX,x\nAB1 1AA,x\nAB1 1AA,x\n")
    with pytest.raises(DataError) as error:
        areas_of_postcodes(release, tmp_path / "p.csv", tmp_path / "lookup.csv", None)
    assert "1 rows repeat a postcode in its group" in str(error.value)
    assert "1 of 3 postcodes are not in the lookup" in str(error.value)
    assert "XX9" not in str(error.value)
    with pytest.raises(DataError, match="no column 'area_code' or 'code' or 'oa'"):
        areas_of_postcodes(release, tmp_path / "p.csv", None, None)


def geojson(path, *shapes):
    rows = [
        {"type": "Feature", "properties": {"name": name}, "geometry": json.loads(shapely.to_geojson(shape))}
        for name, shape in shapes
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows}))
    return path


def test_polygons_take_the_areas_whose_centroid_lies_inside_or_on_the_outline(release, tmp_path):
    box, edge = shapely.box(-2.05, 50.95, -1.75, 51.15), shapely.box(-2.0, 51.0, -1.9, 51.0 + 1e-9)
    found = weights_of(areas_of_polygons(release, geojson(tmp_path / "a.geojson", ("box", box), ("edge", edge))))
    inside = [i for i in range(N) if box.covers(shapely.Point(POINTS[i]))]
    assert list(found["box"]) == [CODES[i] for i in inside]
    assert list(found["edge"]) == ["E00", "E01"]
    assert found["box"]["E01"] == release.predictor.population[1]


def test_polygons_elsewhere_or_without_centroids(release, tmp_path):
    path = geojson(tmp_path / "a.geojson", ("metres", shapely.box(400000, 200000, 500000, 300000)))
    with pytest.raises(DataError, match=r"1 polygons hold no centroid .*: 'metres' \(centroids reach from \(-2, 51\)"):
        areas_of_polygons(release, path)
    bare = type(release)(release.predictor, release.standards)
    with pytest.raises(ConfigurationError, match=r"holds no centroids of its areas .*centroid = "):
        areas_of_polygons(bare, path)


def test_rows_are_those_of_the_draws(folder, release, tmp_path):
    (tmp_path / "g.csv").write_text("area_code,group\nE00,=1+1\nE12,=1+1\nL2,b\n")
    table, _ = own_areas(folder, Request(groups=tmp_path / "g.csv"))
    assert set(table.columns) == {*COLUMNS, "outcome"}
    areas = AreaDraws(release.predictor).aggregate({"=1+1": ["E00", "E12"], "b": list(CODES[16:24])})
    assert np.allclose(table["mean"], areas.draws().mean(axis=0), atol=1e-6)
    assert np.allclose(table["ci90_upper"], np.quantile(areas.draws(), 0.95, axis=0), atol=1e-6)
    pairs, _ = own_areas(folder, Request(groups=tmp_path / "g.csv"), differences=True)
    assert list(zip(pairs["area_code"], pairs["compared_with"], strict=True)) == [
        ("=1+1", "national"), ("b", "national"), ("=1+1", "b"),
    ]  # fmt: skip
    assert pairs["mean"][2] == pytest.approx(areas.compare("=1+1", "b")["mean"], abs=1e-10)


def test_a_release_in_python(folder, release):
    areas = AreaDraws.from_release(folder)
    assert np.array_equal(areas.draws(), AreaDraws(release.predictor).draws())
    assert np.abs(areas.index().draws() @ areas.population).max() < 1e-8
    last = areas.difference(AreaDraws.from_release(folder))
    assert (last["sd"] > areas.draws().std(axis=0).min()).all()
    assert last["p_greater"].between(0.2, 0.8).all()


def command(folder, *more):
    return cli.main(["aggregate", "--release", os.fspath(folder), *map(os.fspath, more)])


def test_the_command_line(folder, tmp_path, capsys):
    (tmp_path / "g.csv").write_text("area_code,group\nE00,=1+1\nL2,b\n")
    assert command(folder, "--groups", tmp_path / "g.csv") == 0
    out = capsys.readouterr().out
    table = pd.read_csv(io.StringIO(out))
    assert max(len(digits.replace(".", "").lstrip("0")) for digits in re.findall(r"[\d.]+", out)) == 9
    assert table["area_code"].tolist() == ["'=1+1", "b"]
    assert table["index"].notna().all()
    assert command(folder, "--groups", tmp_path / "g.csv", "--compare", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [r["compared_with"] for r in rows] == ["national", "national", "b"]
    assert rows[0]["area_code"] == "=1+1"
    assert command(folder, "--codes", "L1,E00", "--weights", "population") == 0
    assert pd.read_csv(io.StringIO(capsys.readouterr().out))["area_name"].tolist() == ["L1, E00"]
    path = geojson(tmp_path / "a.geojson", ("box", shapely.box(-2.05, 50.95, -1.75, 51.15)))
    assert command(folder, "--polygons", path) == 0
    assert pd.read_csv(io.StringIO(capsys.readouterr().out))["area_code"].tolist() == ["box"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ((), "got no areas"),
        (("--codes", "E00", "--groups", "g.csv"), "got --codes and --groups"),
        (("--codes", "E00", "--weights", "patients"), "'patients' is a column of a file, and there is none"),
        (("--codes", "E00", "--postcode-lookup", "l.csv"), "there are no postcodes to look up"),
        (("--groups", "../../nowhere/g.csv"), "no folder"),
        (("--polygons", "none.gpkg"), "there is no file none.gpkg"),
    ],
)
def test_wrong_usage(folder, more, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command(folder, *more) == 2
    assert message in capsys.readouterr().err


def test_a_geopackage_by_the_command_line(folder, tmp_path, capsys):
    base = sqlite3.connect(tmp_path / "a.gpkg")
    base.execute("CREATE TABLE gpkg_spatial_ref_sys (srs_id INTEGER, organization_coordsys_id INTEGER)")
    base.execute("INSERT INTO gpkg_spatial_ref_sys VALUES (4326, 4326)")
    base.execute("CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, srs_id INTEGER)")
    base.execute("INSERT INTO gpkg_geometry_columns VALUES ('wards', 'geom', 4326)")
    base.execute("CREATE TABLE wards (geom BLOB, name TEXT)")
    blob = b"GP\x00\x01" + (4326).to_bytes(4, "little") + shapely.to_wkb(shapely.box(-2.05, 50.95, -1.75, 51.15))
    base.execute("INSERT INTO wards VALUES (?, 'west')", (blob,))
    base.commit()
    base.close()
    assert command(folder, "--polygons", tmp_path / "a.gpkg", "--compare") == 0
    table = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert table[["area_code", "compared_with"]].to_numpy().tolist() == [["west", "national"]]
