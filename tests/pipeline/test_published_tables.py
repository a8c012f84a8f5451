from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from placewise.cli import main

HEADER = ("Question", "Response Breakdown ", "2023/24 Percentage (%)", "2023/24 Lower", "2023/24 Upper")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose survey's file is not there yet."""
    pd.DataFrame(
        {
            "oa": ["A1", "A2", "B1"],
            "lad": ["A", "A", "B"],
            "lad_name": ["Ashford", "Ashford", "=B"],
            "people": [1, 2, 3],
        }
    ).to_csv(tmp_path / "areas.csv", index=False)
    (tmp_path / "placewise.toml").write_text(
        '[areas]\ntable = "areas.csv"\ncode = "oa"\nlevels = ["lad"]\nnames = { lad = "lad_name" }\n'
        'population = "people"\n[survey.cls]\npath = "later.csv"\narea = "oa"\n',
        encoding="utf-8",
    )
    return tmp_path


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    page = book.create_sheet("C6c")
    for row in (
        ("Table C6c",),
        HEADER,
        ("Chat", "Ashford", 70, 66, 74),
        ("Chat", "=B", 50, 46, 54),
        ("", "X", 1, 0, 2),
    ):
        page.append(row)
    page["B4"].data_type = "s"
    book.save(tmp_path / "tables.xlsx")
    return tmp_path / "tables.xlsx"


def test_a_sheet_becomes_the_targets_of_a_benchmark(
    project: Path, workbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = project / "targets" / "chatting.csv"
    given = ["survey", "import-workbook", str(workbook), "--sheet", "C6c", "--level", "lad", "--out", str(out)]
    assert main([*given, "--project", str(project), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unmatched"] == ["X"]
    table = pd.read_csv(out)
    assert table["code"].tolist() == ["A", "B"]
    assert table["estimate"].tolist() == [0.7, 0.5]
    assert table["se"].tolist() == pytest.approx([0.04 / 1.96] * 2, rel=1e-3)
    # a name that a workbook would run is escaped
    assert "'=B" in out.read_text()


def test_a_level_without_names_is_refused_and_nothing_written(
    project: Path, workbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = project / "targets.csv"
    given = ["survey", "import-workbook", str(workbook), "--sheet", "C6c", "--level", "oa", "--out", str(out)]
    assert main([*given, "--project", str(project)]) == 2
    assert "level 'oa' has no names" in capsys.readouterr().err
    assert not out.exists()
