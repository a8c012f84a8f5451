"""The benchmark of reading on a small deposit: the same people from both formats, and a table of what it cost."""

from __future__ import annotations

from pathlib import Path

import pyreadstat
import pytest
from reading import cost, main, make_file


@pytest.mark.parametrize("suffix", ["sav", "dta"])
def test_every_respondent_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"made.{suffix}"
    make_file(path, 700, 40)
    meta = pyreadstat.read_sav(path, metadataonly=True) if suffix == "sav" else pyreadstat.read_dta(path)
    assert len(meta[1].column_names) == 40
    for what in ("needed", "whole"):
        row = cost(str(path), str(path), what)
        assert row["rows"] == 700
        # in this process, which may give memory back between the two, either can be the larger
        assert min(row["start_mib"], row["peak_mib"]) > 0


def test_a_reading_that_takes_too_long_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--rows", "300", "--columns", "30", "--seconds", "0.01"])
    assert "stopped after 0 s" in capsys.readouterr().out
