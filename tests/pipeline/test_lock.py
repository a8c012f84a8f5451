import os
import signal
import subprocess
import sys
import textwrap

import pytest

from placewise.errors import ConfigurationError
from placewise.pipeline.lock import NAME, locked

HOLDER = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    from placewise.pipeline.lock import locked
    with locked(Path(sys.argv[1])):
        print("held", flush=True)
        time.sleep(60)
""")


def test_the_second_run_refuses_naming_the_first_and_takes_over_when_it_dies(tmp_path):
    first = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert first.stdout.readline() == "held\n"
        with (
            pytest.raises(ConfigurationError, match=f"another run is writing here: process {first.pid} on "),
            locked(tmp_path),
        ):
            pass
    finally:
        first.send_signal(signal.SIGKILL)
        first.communicate()
    assert (tmp_path / NAME).exists()
    with locked(tmp_path):
        assert f'"pid": {os.getpid()}' in (tmp_path / NAME).read_text()
    assert list(tmp_path.iterdir()) == []


def test_the_lock_is_dropped_after_an_error(tmp_path):
    with pytest.raises(ValueError, match="broken"), locked(tmp_path):
        raise ValueError("broken")
    with locked(tmp_path):
        assert (tmp_path / NAME).exists()


def test_a_folder_made_for_nothing_is_removed(tmp_path):
    with locked(tmp_path / "reports" / "health"):
        pass
    assert list(tmp_path.iterdir()) == []
    with locked(tmp_path / "reports" / "health"):
        (tmp_path / "reports" / "notes.txt").write_text("")
    assert [p.name for p in (tmp_path / "reports").iterdir()] == ["notes.txt"]
