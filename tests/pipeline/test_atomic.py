import os
import subprocess
import sys
import textwrap

import pytest

from placewise.errors import ConfigurationError
from placewise.pipeline import atomic


def test_a_file_appears_whole(tmp_path):
    target = tmp_path / "deep" / "table.csv"
    with atomic.replacing(target) as part:
        part.write_text("a\n1\n")
        assert part.suffix == ".csv"
        assert not target.exists()
    assert target.read_text() == "a\n1\n"
    assert list(target.parent.iterdir()) == [target]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "table.csv"
    target.write_text("old")

    def write_half():
        with atomic.replacing(target) as part:
            part.write_text("half of the ne")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        write_half()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_replaces_a_folder(tmp_path):
    target = tmp_path / "release"
    for content in ("first", "second"):
        with atomic.replacing(target) as part:
            part.mkdir()
            (part / f"{content}.txt").write_text(content)
    assert [p.name for p in target.iterdir()] == ["second.txt"]
    assert list(tmp_path.iterdir()) == [target]


def test_a_killed_writer_leaves_the_old_file_and_a_leftover_that_is_cleared(tmp_path):
    target = tmp_path / "table.csv"
    target.write_text("old")
    code = textwrap.dedent("""
        import os, signal, sys
        from pathlib import Path
        from placewise.pipeline import atomic
        with atomic.replacing(Path(sys.argv[1])) as part:
            part.write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
    """)
    done = subprocess.run([sys.executable, "-c", code, str(target)], check=False)
    assert done.returncode == -9
    assert target.read_text() == "old"
    assert atomic.remove_leftovers(tmp_path) == 1
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_in_the_way_is_found_before_computing(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(ConfigurationError, match="is a file"):
        atomic.check_writable(tmp_path / "out" / "deeper", 1)


def test_too_little_room_is_found_and_nothing_is_made(tmp_path):
    with pytest.raises(ConfigurationError, match="are free, the results need about"):
        atomic.check_writable(tmp_path / "out", 10**18)
    atomic.check_writable(tmp_path / "out", 1)
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_found(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigurationError, match="cannot write here"):
        atomic.check_writable(tmp_path, 1)


def test_a_refused_write_is_told(tmp_path, monkeypatch):
    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(atomic.tempfile, "TemporaryFile", refuse)
    with pytest.raises(ConfigurationError, match="cannot write here: Permission denied"):
        atomic.check_writable(tmp_path, 1)


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "/etc", "a/b", "a\\b", "a\0b", ".stages", "c:"])
def test_names_never_lead_out_of_the_folder(tmp_path, name):
    with pytest.raises(ConfigurationError, match="cannot be the name"):
        atomic.inside(tmp_path, name)


def test_a_link_that_leads_out_is_refused(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "belonging").symlink_to(tmp_path)
    with pytest.raises(ConfigurationError, match="cannot be the name"):
        atomic.inside(tmp_path / "out", "belonging")
    assert atomic.inside(tmp_path / "out", "health") == tmp_path / "out" / "health"
