import hashlib
import json

import numpy as np
import pytest

from placewise.opendata import download
from placewise.opendata.download import ATTEMPTS, ChangedError, FetchError, UnreachableError, fetch_file

CONTENT = np.random.default_rng(2).bytes(900_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()
PATH = "/file.zip"
BLOCK = 1 << 14


@pytest.fixture
def bring(publisher, tmp_path):
    publisher.files[PATH] = CONTENT
    target, partial = tmp_path / "box" / "file.zip", tmp_path / "partial" / "ts"
    target.parent.mkdir()
    steps = []

    def run(known="", path=PATH):
        return fetch_file(
            publisher.base + path, target, partial, known, progress=lambda *s: steps.append(s), pause=0.001
        )

    run.target, run.partial, run.steps = target, partial, steps
    return run


def _ranges(publisher):
    return [headers.get("Range") for path, headers in publisher.asked if path == PATH]


def test_a_file_comes_whole_with_its_hash_and_leaves_nothing_else(bring):
    assert bring() == DIGEST
    assert bring.target.read_bytes() == CONTENT
    assert list(bring.partial.parent.iterdir()) == []
    assert list(bring.target.parent.iterdir()) == [bring.target]
    assert bring.steps[-1] == (len(CONTENT), len(CONTENT))


def test_a_known_hash_is_checked(bring):
    assert bring(DIGEST) == DIGEST


def test_a_changed_file_is_refused_with_both_hashes_and_not_kept(bring):
    with pytest.raises(ChangedError) as raised:
        bring("0" * 64)
    assert DIGEST in raised.value.message
    assert "0" * 64 in raised.value.message
    assert list(bring.target.parent.iterdir()) == []
    assert list(bring.partial.parent.iterdir()) == []


def test_a_broken_connection_goes_on_where_it_stopped(bring, publisher):
    publisher.cut[PATH] = [20 * BLOCK + 5, 10 * BLOCK]
    assert bring(DIGEST) == DIGEST
    assert bring.target.read_bytes() == CONTENT
    assert _ranges(publisher) == [None, f"bytes={20 * BLOCK}-", f"bytes={30 * BLOCK}-"]


def test_the_next_run_goes_on_where_the_last_gave_up(bring, publisher):
    publisher.cut[PATH] = [6 * BLOCK] + [BLOCK] * (ATTEMPTS - 1)
    kept = (6 + ATTEMPTS - 1) * BLOCK
    with pytest.raises(FetchError) as raised:
        bring()
    assert f"breaks off after {kept:,} bytes" in raised.value.message
    assert "run the same command again" in raised.value.hint
    assert not bring.target.exists()
    assert bring.partial.stat().st_size == kept
    assert bring(DIGEST) == DIGEST
    assert _ranges(publisher)[-1] == f"bytes={kept}-"


def test_a_new_edition_in_between_is_brought_from_its_start(bring, publisher):
    publisher.cut[PATH] = [6 * BLOCK] + [0] * (ATTEMPTS - 1)
    with pytest.raises(FetchError):
        bring()
    publisher.files[PATH] = b"PK a new edition"
    assert bring() == hashlib.sha256(b"PK a new edition").hexdigest()
    assert bring.target.read_bytes() == b"PK a new edition"


def test_without_a_mark_of_the_edition_nothing_is_resumed(bring, publisher):
    publisher.without_marks = True
    publisher.cut[PATH] = [300_000]
    assert bring(DIGEST) == DIGEST
    assert _ranges(publisher) == [None, None]


def test_what_another_address_left_is_not_gone_on_with(bring, publisher):
    bring.partial.parent.mkdir()
    bring.partial.write_bytes(b"x" * 10)
    bring.partial.with_name("ts.json").write_text(json.dumps({"address": "https://other", "mark": '"m"'}))
    assert bring(DIGEST) == DIGEST
    assert _ranges(publisher) == [None]


def test_more_bytes_than_the_file_has_are_thrown_away(bring, publisher):
    publisher.cut[PATH] = [300_000] + [0] * (ATTEMPTS - 1)
    with pytest.raises(FetchError):
        bring()
    bring.partial.write_bytes(CONTENT + b"too much")
    assert bring(DIGEST) == DIGEST


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><html><body>Sorry</body></html>", b"\n <HTML>moved</HTML>"])
def test_a_web_page_is_refused(bring, publisher, page):
    publisher.pages[PATH] = page
    with pytest.raises(FetchError, match="answers with a web page"):
        bring()
    assert not bring.target.exists()
    publisher.pages.clear()
    publisher.files[PATH] = page
    with pytest.raises(FetchError, match="answers with a web page"):
        bring()


def test_a_file_that_is_gone_is_told(bring):
    with pytest.raises(FetchError, match="404") as raised:
        bring(path="/moved.zip")
    assert "has the file moved?" in raised.value.hint


def test_a_busy_publisher_is_asked_again(bring, publisher):
    publisher.failing[PATH] = [503, 429]
    assert bring(DIGEST) == DIGEST
    bring.target.unlink()
    publisher.failing[PATH] = [503] * ATTEMPTS
    with pytest.raises(FetchError, match="503"):
        bring()


def test_a_redirect_off_https_is_not_followed(bring, publisher):
    publisher.moved[PATH] = publisher.base.replace("127.0.0.1", "0.0.0.0") + "/other.zip"
    publisher.files["/other.zip"] = CONTENT
    with pytest.raises(FetchError, match="the address leads to"):
        bring()
    assert not any(path == "/other.zip" for path, _ in publisher.asked)
    publisher.moved[PATH] = PATH
    with pytest.raises(FetchError, match="leads on and on"):
        bring()
    publisher.moved[PATH] = publisher.base + "/other.zip"
    assert bring(DIGEST) == DIGEST


def test_a_file_without_end_is_stopped(bring, monkeypatch):
    monkeypatch.setattr(download, "MOST_BYTES", 500_000)
    with pytest.raises(FetchError, match="expected at most 500,000"):
        bring()


def test_nobody_answering_is_told(tmp_path):
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1 cannot be reached"):
        fetch_file("http://127.0.0.1:9/x", tmp_path / "b" / "x", tmp_path / "p", progress=lambda *_: None, pause=0.0)
