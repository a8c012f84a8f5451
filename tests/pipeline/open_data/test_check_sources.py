import json
import shutil

import country as mini
import pytest

from placewise import cli
from placewise.errors import ConfigurationError, DataError
from placewise.pipeline.open_data.check import check_sources
from placewise.pipeline.open_data.fetch import fetch_sources
from placewise.pipeline.open_data.listing import list_sources


@pytest.fixture
def store(published, offline_catalogue, tmp_path):
    folder = tmp_path / "open"
    fetch_sources(folder, origin=published, catalogue_file=offline_catalogue, quiet=True)
    return folder


def test_a_right_folder_has_no_problems(store, offline_catalogue):
    found = check_sources(store, catalogue_file=offline_catalogue, quiet=True)
    assert "432 rows, census2021-ts037.zip, as taken on" in found.sources["ts037"]
    assert found.sources["msoa21_outlines"] == "is not there (optional)"
    assert found.text().startswith(f"{store}: no problems.")


@pytest.mark.parametrize("layout", ["published", "parquet"])
def test_a_folder_of_ones_own_is_checked_without_pins(layout, request, offline_catalogue):
    found = check_sources(request.getfixturevalue(layout), catalogue_file=offline_catalogue, quiet=True)
    assert found.sources["ts037"].endswith("not in checksums.toml")


def test_missing_changed_and_broken_files_are_told_at_once(store, offline_catalogue, country):
    (store / "census2021-ts037.zip").unlink()
    (store / "census2021-ts045.zip").write_bytes((store / "census2021-ts054.zip").read_bytes())
    shutil.copy(store / "oa21_lookup.csv", store / "census2021_oa.csv")
    with pytest.raises(DataError) as raised:
        check_sources(store, catalogue_file=offline_catalogue, quiet=True)
    said = str(raised.value)
    assert "2 problems" in said
    assert "ts037: is not in" in said
    assert "placewise data fetch ts037" in said
    assert "ts045: census2021-ts045.zip has changed since it was taken on" in said


def test_an_optional_source_that_is_named_must_be_there(store, offline_catalogue):
    with pytest.raises(DataError, match="msoa21_outlines: is not in"):
        check_sources(store, ["msoa21_outlines"], catalogue_file=offline_catalogue, quiet=True)


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ConfigurationError, match="there is no such folder"):
        check_sources(tmp_path / "nowhere", quiet=True)


def test_the_list_says_what_is_there_and_under_which_licence(store, offline_catalogue):
    text = list_sources(store, offline_catalogue).text()
    assert "+ ts037" in text
    assert "  msoa21_outlines" in text
    assert "address unconfirmed" in text
    assert "by hand" in text
    assert "Open Government Licence v3.0" in text


def test_commands_list_check_and_fetch(store, published, offline_catalogue, tmp_path, capsys):
    catalogue = ["--catalogue", str(offline_catalogue)]
    assert cli.main(["data", "list", "--folder", str(store), "--json", *catalogue]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {s["name"] for s in listed["sources"]} == set(mini.builtin().sources)
    assert all(s["attribution"] and s["licence"] for s in listed["sources"])
    assert cli.main(["data", "check", "ts037", "--folder", str(store), *catalogue]) == 0
    assert "no problems" in capsys.readouterr().out
    project = ["--project", str(tmp_path)]
    assert cli.main(["data", "fetch", "ts037", "--from", str(published), *project, *catalogue]) == 0
    assert (tmp_path / "data" / "open" / "census2021-ts037.zip").is_file()
    assert "Next: placewise data areas" in capsys.readouterr().out
    assert cli.main(["data", "fetch", "ts0037", *project]) == 2
    assert cli.main(["data", "check", "ts045", *project, *catalogue]) == 1
