import struct
import zipfile

import country as mini
import pytest

from placewise.geography.delimited import UnreadableError
from placewise.opendata import archive

NAME = "census2021-ts008-oa.csv"


def _extract(tmp_path, content, member=NAME):
    box = tmp_path / "box.zip"
    box.write_bytes(content)
    target = tmp_path / "out" / "table.csv"
    target.parent.mkdir()
    archive.extract_member(box, member, target)
    return target


def _refused(tmp_path, content, member=NAME):
    with pytest.raises(UnreadableError) as raised:
        _extract(tmp_path, content, member)
    assert list((tmp_path / "out").iterdir()) == []
    return raised.value.message


def test_one_member_is_written_and_nothing_else(tmp_path):
    outside = {"../escaped.csv": b"x", "/absolute.csv": b"x", "a/../../b.csv": b"x"}
    target = _extract(tmp_path, mini.zipped({**outside, NAME: b"a,b\n1,2\n"}))
    assert target.read_bytes() == b"a,b\n1,2\n"
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["box.zip", "out", "table.csv"]


def test_a_link_inside_is_read_as_the_text_that_it_is(tmp_path):
    info = zipfile.ZipInfo(NAME)
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "l.zip", "w") as box:
        box.writestr(info, "/etc/passwd")
    assert _extract(tmp_path, (tmp_path / "l.zip").read_bytes()).read_bytes() == b"/etc/passwd"


def test_an_absent_member_names_the_nearest(tmp_path):
    with pytest.raises(UnreadableError) as raised:
        _extract(tmp_path, mini.zipped({"census2021-ts008-lsoa.csv": b"x"}))
    assert "0 files named" in raised.value.message
    assert "census2021-ts008-lsoa.csv" in raised.value.hint


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as box:
        box.writestr(NAME, "a")
        box.writestr(NAME, "b")
    assert "2 files named" in _refused(tmp_path, (tmp_path / "t.zip").read_bytes())


def test_a_bomb_is_refused_by_what_it_declares(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MOST_BYTES", 1 << 20)
    content = mini.zipped({NAME: b"0" * ((1 << 20) + 1)})
    assert len(content) < 5000
    assert "unpacks to more than 1 MB" in _refused(tmp_path, content)


def test_a_bomb_that_lies_about_its_size_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MOST_BYTES", 1 << 20)
    size = 3 << 20
    content = mini.zipped({NAME: b"0" * size})
    lying = content.replace(struct.pack("<I", size), struct.pack("<I", 1000))
    assert lying != content
    _refused(tmp_path, lying)


def test_too_many_members_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MOST_MEMBERS", 3)
    assert "4 files" in _refused(tmp_path, mini.zipped({f"{k}": b"" for k in range(4)}))


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.99])
def test_an_archive_cut_short_is_refused(tmp_path, keep):
    content = mini.zipped({NAME: bytes(range(256)) * 200})
    assert "cut short" in _refused(tmp_path, content[: int(len(content) * keep)])


def test_a_flipped_byte_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "s.zip", "w", zipfile.ZIP_STORED) as box:
        box.writestr(NAME, b"geography code,1\n" * 100)
    content = bytearray((tmp_path / "s.zip").read_bytes())
    content[200] ^= 1
    assert "cut short or is no zip" in _refused(tmp_path, bytes(content))


def test_an_unknown_method_of_packing_is_refused(tmp_path):
    content = bytearray(mini.zipped({NAME: b"a,b\n1,2\n"}))
    # deflate64 in the member's header and in the directory
    struct.pack_into("<H", content, 8, 9)
    struct.pack_into("<H", content, content.rindex(b"PK\x01\x02") + 10, 9)
    assert "packed in a way that cannot be unpacked here" in _refused(tmp_path, bytes(content))


def test_an_encrypted_member_is_refused(tmp_path):
    content = bytearray(mini.zipped({NAME: b"a,b\n"}))
    content[6] |= 1
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in _refused(tmp_path, bytes(content))
