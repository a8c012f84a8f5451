import hashlib
import json
import re
import shutil
import tomllib

import country as mini
import pandas as pd
import pytest

from placewise import cli
from placewise.errors import ConfigurationError, DataError, Problems
from placewise.geography import reading
from placewise.pipeline import project_tables
from placewise.pipeline.open_data import areas
from placewise.pipeline.open_data.areas import build_folder
from placewise.pipeline.open_data.fetch import fetch_sources
from placewise.schema import Place

FILES = {
    "areas.parquet",
    "areas.html",
    "areas.json",
    "outlines_lad22cd.parquet",
    "neighbours_lad22cd.parquet",
}


@pytest.fixture(scope="module")
def built(published, offline_catalogue, tmp_path_factory):
    out = tmp_path_factory.mktemp("project") / "data"
    return build_folder(published, out, catalogue_file=offline_catalogue, quiet=True)


@pytest.fixture
def plain_page(monkeypatch):
    """The page's figures take most of the time: where it does not matter it is left out."""
    monkeypatch.setattr(areas, "render_covariates", lambda *_: "<html></html>")


def test_what_is_written(built):
    assert {p.name for p in built.folder.iterdir()} == FILES == set(built.files)
    assert (built.areas, built.covariates) == (432, 46)
    assert any("iod2025: filled in for 144 areas" in note for note in built.notes)
    assert any("wimd2019: missing for 288 areas" in note for note in built.notes)


def test_both_layouts_give_the_same_table(built, parquet, offline_catalogue, tmp_path, plain_page):
    other = build_folder(parquet, tmp_path / "a", catalogue_file=offline_catalogue, quiet=True)
    expected = pd.read_parquet(built.folder / "areas.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(other.folder / "areas.parquet"), expected)


def test_a_fetched_folder_gives_the_same_bytes(built, published, offline_catalogue, tmp_path):
    fetch_sources(tmp_path / "open", origin=published, catalogue_file=offline_catalogue, quiet=True)
    build_folder(tmp_path / "open", tmp_path / "b", catalogue_file=offline_catalogue, quiet=True)
    for name in FILES:
        assert (tmp_path / "b" / name).read_bytes() == (built.folder / name).read_bytes(), name


def test_the_metadata_tell_sources_formulas_and_hashes(built, published):
    found = json.loads((built.folder / "areas.json").read_text())
    source = next(s for s in found["sources"] if s["name"] == "ts037")
    content = (published / "census2021-ts037.zip").read_bytes()
    assert source["sha256"] == hashlib.sha256(content).hexdigest()
    assert source["publisher"]["licence"] == "Open Government Licence v3.0"
    table = (built.folder / "areas.parquet").read_bytes()
    assert found["files"]["areas.parquet"] == hashlib.sha256(table).hexdigest()
    frame = pd.read_parquet(built.folder / "areas.parquet")
    described = {c["name"]: c for c in found["covariates"]}
    assert described["no_car"]["formula"] == "ts045.none / ts045.total"
    assert described["no_car"]["quantiles"]["0.5"] == frame["no_car"].median()
    assert re.fullmatch("[0-9a-f]{64}", found["fingerprint"])


def test_a_changed_source_changes_the_fingerprint(built, published, offline_catalogue, country, tmp_path, plain_page):
    folder = shutil.copytree(published, tmp_path / "open")
    source = mini.builtin().sources["ts037"]
    frame = mini.published_columns("ts037", source, country.tables["ts037"][::-1])
    (folder / source.file).write_bytes(mini.zipped({source.layouts[0].member: mini.csv_bytes(frame)}))
    build_folder(folder, tmp_path / "out", catalogue_file=offline_catalogue, quiet=True)
    before, after = (json.loads((f / "areas.json").read_text()) for f in (built.folder, tmp_path / "out"))
    assert after["fingerprint"] != before["fingerprint"]
    assert after["files"]["areas.parquet"] == before["files"]["areas.parquet"]


def test_the_page_stands_alone_and_tells_every_covariate(built):
    page = (built.folder / "areas.html").read_text()
    catalogue = mini.builtin()
    for name, covariate in catalogue.covariates.items():
        assert f'id="c-{name}"' in page
        assert covariate.formula.replace("'", "&#39;") in page
    for publisher in catalogue.publishers.values():
        assert publisher.name in page
    assert "Content-Security-Policy" in page
    assert not re.search(r'(src|href)="https?:', page)
    assert page.count("<svg") == len(catalogue.covariates)
    assert "432 output areas" in page


def test_the_settings_it_prints_are_a_project_that_reads(built):
    problems = Problems()
    written = built.text().split("In placewise.toml:")[1]
    spec = project_tables.read_areas(tomllib.loads(written)["areas"], Place("placewise.toml", problems, built.folder))
    assert not list(problems)
    assert spec is not None
    assert spec.imputed == {"iod2025": "iod2025_se"}
    table = reading.read_areas(spec, {}, problems, ["no_car", "iod2025"])
    assert not list(problems)
    assert table is not None
    assert ((table.errors["iod2025"] > 0) == table.table["rgn24cd"].str.startswith("W")).all()
    assert len(table.table) == 432


def test_missing_sources_are_told_at_once_and_nothing_is_written(published, offline_catalogue, tmp_path):
    folder = shutil.copytree(published, tmp_path / "open")
    (folder / "census2021-ts037.zip").unlink()
    (folder / "oa21_lookup.csv").unlink()
    with pytest.raises(DataError) as raised:
        build_folder(folder, tmp_path / "out", catalogue_file=offline_catalogue, quiet=True)
    assert "oa21_lookup: is not in" in str(raised.value)
    assert "ts037: is not in" in str(raised.value)
    assert not (tmp_path / "out").exists()


def test_a_pinned_file_that_changed_is_not_used(published, offline_catalogue, tmp_path):
    fetch_sources(tmp_path / "open", origin=published, catalogue_file=offline_catalogue, quiet=True)
    with (tmp_path / "open" / "lad22_rgn22.csv").open("a") as file:
        file.write("\n")
    with pytest.raises(DataError, match=r"is not the file that checksums\.toml pins"):
        build_folder(tmp_path / "open", tmp_path / "out", catalogue_file=offline_catalogue, quiet=True)


def test_a_wrong_table_is_told_and_the_old_one_stands(built, published, offline_catalogue, tmp_path):
    folder = shutil.copytree(published, tmp_path / "open")
    out = shutil.copytree(built.folder, tmp_path / "out")
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    (folder / "census2021-ts037.zip").write_bytes(b"PK")
    with pytest.raises(DataError, match="ts037"):
        build_folder(folder, out, catalogue_file=offline_catalogue, quiet=True)
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before


@pytest.mark.parametrize("name", ["areas.parquet", "areas.json", "areas.html"])
def test_a_table_of_the_project_is_never_replaced(name, built, published, offline_catalogue, tmp_path):
    content = b"my own"
    if name == "areas.parquet":
        pd.read_parquet(built.folder / name).to_parquet(tmp_path / name)
        content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigurationError, match=f"already holds {name}"):
        build_folder(published, tmp_path, catalogue_file=offline_catalogue, quiet=True)
    assert (tmp_path / name).read_bytes() == content
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_the_command(parquet, offline_catalogue, tmp_path, capsys, plain_page):
    arguments = ["--folder", str(parquet), "--project", str(tmp_path), "--catalogue", str(offline_catalogue)]
    assert cli.main(["data", "areas", "--json", *arguments]) == 0
    assert json.loads(capsys.readouterr().out)["areas"] == 432
    assert (tmp_path / "data" / "areas.parquet").is_file()
    assert cli.main(["data", "areas", *arguments]) == 0
    assert 'table      = "data/areas.parquet"' in capsys.readouterr().out
    assert cli.main(["data", "areas", "--folder", str(tmp_path / "none"), "--project", str(tmp_path)]) == 2
