"""The recode file of the documentation does what the documentation says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pandas as pd

from placewise.errors import Problems
from placewise.geography.tables import RawTable
from placewise.surveys.recode import Recoding, apply_recoding, parse_recoding
from placewise.surveys.recode.parse import _VARIABLE

DOC = Path(__file__).resolve().parents[3] / "docs" / "recode.md"


def documented() -> Recoding:
    blocks = re.findall(r"```toml\n(.*?)```", DOC.read_text(encoding="utf-8"), flags=re.DOTALL)
    problems = Problems()
    recoding = parse_recoding(tomllib.loads(next(b for b in blocks if "[variables." in b)), "recode.toml", problems)
    assert recoding is not None, [str(p) for p in problems]
    return recoding


def test_the_example_recodes_such_a_survey() -> None:
    raw = RawTable(
        pd.DataFrame(
            {
                "Q1_SEX": [1.0, 2.0, -9.0],
                "AGE": [24.9, 25.0, 80.0],
                "ten1": [1.0, 4.0, 5.0],
                "bel": [1.0, 97.0, 2.0],
                "agr_trust": [1.0, 5.0, -8.0],
                "wt": [1000.0, 500.0, 1500.0],
                "lsoa21cd": ["E01000001", "E01000002", "E01000003"],
            }
        ),
        {
            "Q1_SEX": {1.0: "Male", 2.0: "Female", -9.0: "Refused"},
            "ten1": {1.0: "Owns outright", 5.0: "Rented from a private landlord"},
            "bel": {1.0: "Very strongly", 2.0: "Not at all strongly", 97.0: "Not stated"},
        },
    )
    problems = Problems()
    found = apply_recoding(raw, documented(), "recode.toml", problems)
    assert found is not None, [str(p) for p in problems]
    rows = found.table.astype(object).where(found.table.notna(), None)
    assert rows["sex"].tolist() == ["male", "female", None]
    assert rows["age"].tolist() == ["16-24", "25-64", "65+"]
    assert rows["tenure"].tolist() == ["owned", "social rent", "private rent"]
    assert rows["belonging"].tolist() == ["Very strongly", None, "Not at all strongly"]
    assert rows["trust"].tolist() == [100.0, 0.0, None]
    assert rows["weight"].tolist() == [1.0, 0.5, 1.5]
    assert "mode" not in rows


def test_every_key_is_documented() -> None:
    table = DOC.read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)) == set(_VARIABLE)
