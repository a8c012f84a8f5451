import random
import subprocess
import sys
import time
import tomllib

import country as mini
import pytest

from placewise.errors import ConfigurationError, DataError
from placewise.pipeline.lock import locked
from placewise.pipeline.open_data.fetch import PARTIAL, fetch_sources
from placewise.pipeline.open_data.store import PINS, read_pins

ABSENT = {"msoa21_outlines", "lsoa21_outlines"}
BY_HAND = "wimd2019"


@pytest.fixture
def fetch(catalogue_file, tmp_path):
    folder = tmp_path / "data" / "open"

    def run(*names, **how):
        return fetch_sources(folder, names, catalogue_file=catalogue_file, quiet=True, pause=0.001, **how)

    run.folder = folder
    return run


def _paths(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def _everything():
    return [n for n in mini.builtin().sources if n not in ABSENT and n != BY_HAND]


def test_everything_comes_from_the_publishers_and_is_pinned(fetch, publisher):
    done = fetch(*_everything())
    assert set(done.new) == set(_everything())
    files = {s.file for n, s in mini.builtin().sources.items() if n in done.new}
    assert set(_paths(fetch.folder)) == files | {PINS}
    pins = tomllib.loads((fetch.folder / PINS).read_text())
    assert set(pins) == set(done.new)
    assert pins["ts037"]["origin"] == f"{publisher.base}/census2021-ts037.zip"
    assert any("Open Government Licence" in words for words in done.attribution)
    assert not (fetch.folder / PARTIAL).exists()


def test_what_is_there_is_not_asked_for_again(fetch, publisher):
    fetch("ts037", "oa21_lookup")
    before = len(publisher.asked)
    done = fetch("ts037", "oa21_lookup")
    assert (done.new, done.there) == ((), ("ts037", "oa21_lookup"))
    assert len(publisher.asked) == before


def test_a_source_without_an_address_is_a_note_where_nothing_depends_on_it(fetch):
    done = fetch("ts037", BY_HAND)
    assert done.new == ("ts037",)
    assert "wimd2019_scores.csv" in done.notes[0]
    assert "https://www.gov.wales/" in done.notes[0]


def test_one_that_fails_does_not_stop_the_others(fetch, publisher):
    del publisher.files["/census2021-ts037.zip"]
    publisher.pages["/census2021-ts045.zip"] = b"<!doctype html><title>Sorry</title>"
    with pytest.raises(DataError) as raised:
        fetch("ts001", "ts037", "ts045", "ts054")
    said = str(raised.value)
    assert "2 problems" in said
    assert "ts037: the publisher answers 404" in said
    assert "ts045: the publisher answers with a web page" in said
    assert "https://www.nomisweb.co.uk/sources/census_2021_bulk" in said
    assert "use --from" in said
    assert set(read_pins(fetch.folder)) == {"ts001", "ts054"}
    assert _paths(fetch.folder) == ["census2021-ts001.zip", "census2021-ts054.zip", PINS]


def test_a_changed_file_is_refused_until_it_is_accepted(fetch, publisher, country):
    fetch("ts037")
    pin = read_pins(fetch.folder)["ts037"]
    before = (fetch.folder / "census2021-ts037.zip").read_bytes()
    source = mini.builtin().sources["ts037"]
    frame = mini.published_columns("ts037", source, country.tables["ts037"][::-1])
    publisher.files["/census2021-ts037.zip"] = mini.zipped({source.layouts[0].member: mini.csv_bytes(frame)})
    (fetch.folder / "census2021-ts037.zip").unlink()
    with pytest.raises(DataError) as raised:
        fetch("ts037")
    said = str(raised.value)
    assert pin.sha256 in said
    assert said.count("SHA-256") == 1
    assert "--accept-new" in said
    assert source.page in said
    assert not (fetch.folder / "census2021-ts037.zip").exists()
    assert fetch("ts037", accept_new=True).new == ("ts037",)
    assert read_pins(fetch.folder)["ts037"].sha256 != pin.sha256
    assert (fetch.folder / "census2021-ts037.zip").read_bytes() != before


def test_a_file_damaged_in_the_folder_is_brought_again(fetch, capsys):
    fetch("ts037")
    path = fetch.folder / "census2021-ts037.zip"
    whole = path.read_bytes()
    path.write_bytes(whole[:-50])
    assert fetch("ts037").new == ("ts037",)
    assert path.read_bytes() == whole
    assert "was changed since it was taken" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04 broken", "no zip archive"),
        (mini.zipped({"census2021-ts037-lsoa.csv": b"a\n1\n"}), "0 files named 'census2021-ts037-oa.csv'"),
        (mini.zipped({"../../../census2021-ts037-oa.csv": b"a\n1\n"}), "0 files named 'census2021-ts037-oa.csv'"),
        (
            mini.zipped({"census2021-ts037-oa.csv": b"geography code,a\nE00000001,1\n"}),
            "has no column 'Very good health'",
        ),
    ],
)
def test_a_file_that_is_wrong_inside_is_never_kept(fetch, publisher, content, words, tmp_path):
    publisher.files["/census2021-ts037.zip"] = content
    with pytest.raises(DataError) as raised:
        fetch("ts037")
    assert words in str(raised.value)
    assert _paths(fetch.folder) == []
    assert not list(tmp_path.rglob("census2021-ts037-oa.csv"))


def test_a_table_with_areas_missing_is_never_kept(fetch, publisher, country):
    source = mini.builtin().sources["ts037"]
    frame = mini.published_columns("ts037", source, country.tables["ts037"].iloc[3:])
    publisher.files["/census2021-ts037.zip"] = mini.zipped({source.layouts[0].member: mini.csv_bytes(frame)})
    with pytest.raises(DataError, match="429 areas, expected 432"):
        fetch("ts037")


def test_a_checksum_in_the_catalogue_is_checked_at_the_first_download(fetch, catalogue_file):
    text = catalogue_file.read_text().replace("[source.ts037]", f'[source.ts037]\nsha256 = "{"0" * 64}"')
    catalogue_file.write_text(text)
    with pytest.raises(DataError, match="expected " + "0" * 64):
        fetch("ts037")


def _large_archive(publisher, country):
    source = mini.builtin().sources["ts062"]
    frame = mini.published_columns("ts062", source, country.tables["ts062"])
    members = {source.layouts[0].member: mini.csv_bytes(frame), "notes.bin": random.Random(1).randbytes(90_000)}
    path = f"/{source.file}"
    publisher.files[path] = mini.zipped(members)
    return path


def test_a_killed_fetch_leaves_nothing_half_written_and_goes_on(fetch, publisher, country, catalogue_file):
    path = _large_archive(publisher, country)
    publisher.stalls[path] = 60_000
    command = [sys.executable, "-m", "placewise.cli", "data", "fetch", "ts001", "ts062"]
    options = ["--folder", str(fetch.folder), "--catalogue", str(catalogue_file), "--quiet"]
    partial = fetch.folder / PARTIAL / "ts062"
    with subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL) as running:
        deadline = time.monotonic() + 60
        while not (partial.exists() and partial.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.02)
        running.kill()
    publisher.go_on.set()
    assert 0 < partial.stat().st_size < len(publisher.files[path])
    assert set(read_pins(fetch.folder)) == {"ts001"}
    assert not (fetch.folder / "census2021-ts062.zip").exists()
    done = fetch("ts001", "ts062")
    assert (done.new, done.there) == (("ts062",), ("ts001",))
    assert publisher.asked[-1][1]["Range"].startswith("bytes=")
    assert _paths(fetch.folder) == ["census2021-ts001.zip", "census2021-ts062.zip", PINS]
    assert (fetch.folder / "census2021-ts062.zip").read_bytes() == publisher.files[path]


def test_an_interrupted_download_goes_on_in_the_next_run(fetch, publisher, country):
    path = _large_archive(publisher, country)
    publisher.cut[path] = [20_000, *[0] * 10]
    with pytest.raises(DataError, match="run the same command again"):
        fetch("ts062")
    publisher.cut.clear()
    assert fetch("ts062").new == ("ts062",)
    assert publisher.asked[-1][1]["Range"] == "bytes=16384-"


@pytest.mark.parametrize("layout", ["published", "parquet"])
def test_a_folder_in_either_layout_is_taken_from(layout, fetch, request, publisher):
    origin = request.getfixturevalue(layout)
    done = fetch(origin=origin)
    assert set(done.new) == set(mini.builtin().sources) - ABSENT
    assert [note.split(":")[0] for note in done.notes] == ["msoa21_outlines", "lsoa21_outlines"]
    assert publisher.asked == []
    kept = {p for p in _paths(fetch.folder) if p != PINS}
    assert all((fetch.folder / p).read_bytes() == (origin / p).read_bytes() for p in kept)
    assert fetch(origin=origin).new == ()


def test_a_file_changed_in_the_folder_it_is_taken_from_is_refused(fetch, published, tmp_path):
    fetch("iod2025", origin=published)
    name = mini.builtin().sources["iod2025"].file
    content = (published / name).read_bytes()
    (fetch.folder / name).unlink()
    (tmp_path / name).write_bytes(content + b"\n")
    with pytest.raises(DataError, match="--accept-new"):
        fetch("iod2025", origin=tmp_path)
    assert fetch("iod2025", origin=tmp_path, accept_new=True).new == ("iod2025",)


def test_another_layout_takes_the_place_of_the_first(fetch, published, parquet):
    fetch("ts037", origin=published)
    fetch("ts037", origin=parquet, accept_new=True)
    assert _paths(fetch.folder) == ["census2021_oa/ts037.parquet", PINS]


def test_a_file_that_holds_several_sources_stays_while_one_needs_it(fetch, published, parquet):
    fetch("oa21_lookup", "oac21", origin=parquet)
    fetch("oac21", origin=published, accept_new=True)
    assert _paths(fetch.folder) == ["UK_OAC_Final.parquet", PINS, "lookups/oa21_lookup.parquet"]
    fetch("oa21_lookup", origin=published, accept_new=True)
    assert _paths(fetch.folder) == ["UK_OAC_Final.parquet", PINS, "oa21_lookup.csv"]


def test_what_is_not_in_the_folder_is_told_with_its_names(fetch, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError) as raised:
        fetch("ts037", "ts045", origin=tmp_path / "empty")
    assert "census2021-ts037.zip and census2021-ts037-oa.csv and census2021_oa/ts037.parquet" in str(raised.value)
    assert "2 problems" in str(raised.value)


def test_wrong_names_and_folders_are_usage_errors(fetch, tmp_path):
    with pytest.raises(ConfigurationError, match="did you mean 'ts037'"):
        fetch("ts0037")
    with pytest.raises(ConfigurationError, match="there is no folder"):
        fetch("ts037", origin=tmp_path / "nowhere")


def test_a_broken_file_of_pins_is_told(fetch):
    fetch.folder.mkdir(parents=True)
    (fetch.folder / PINS).write_text('[ts037]\nfile = "../../x"\n')
    with pytest.raises(ConfigurationError) as raised:
        fetch("ts037")
    assert "no path inside a folder" in str(raised.value)
    assert "sha256: this key is required" in str(raised.value)


def test_a_host_that_does_not_answer_is_asked_for_one_file_only(fetch, catalogue_file, publisher, capsys):
    text = catalogue_file.read_text().replace(f"{publisher.base}/census2021", "http://localhost:9/census2021")
    catalogue_file.write_text(text)
    with pytest.raises(DataError) as raised:
        fetch_sources(fetch.folder, ["ts001", "ts037", "iod2025"], catalogue_file=catalogue_file, pause=0.001)
    said = str(raised.value)
    assert "2 problems" in said
    assert "ts001: localhost cannot be reached (ConnectionError)" in said
    assert "ts037: localhost cannot be reached (is there a connection?" in said
    assert capsys.readouterr().err.count("http://localhost:9/") == 1
    assert set(read_pins(fetch.folder)) == {"iod2025"}


def test_a_second_run_in_the_same_folder_is_refused(fetch, published):
    with locked(fetch.folder), pytest.raises(ConfigurationError, match="another run is writing here"):
        fetch("ts037", origin=published)
    assert fetch("ts037", origin=published).new == ("ts037",)
