"""Every special term in one model, from the model file to the report, by the fast engine."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest
from small_example import write_small_example

from placewise import cli

FORMULA = "private_rent + sex + (1 | age) + (private_rent | lad) + (0 + sex | region)"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("special")
    model = write_small_example(folder, FORMULA)
    keys = 'structure = { age = "ar1" }\ncategory_specific = ["private_rent"]\narea_scale = "supergroup"\n'
    model.write_text(model.read_text("utf-8").replace("[model]\n", f"[model]\n{keys}"), "utf-8")
    words = ["run", "--project", os.fspath(folder), "--draws", "400", "--quiet", "--allow-fail"]
    assert cli.main(words) == 0
    return folder / "reports" / "belonging"


def test_the_report_says_what_was_used_and_what_came_of_it(out: Path) -> None:
    page = (out / "report.html").read_text("utf-8")
    for said in (
        "Let it vary.",
        "leans towards the one before",
        "The slope of private rent differs by local authorities, and may go with",
        "The slopes of sex[female] and sex[male] differ by regions.",
        "age: correlation with the next",
        "local authorities: correlation of intercept and slope of private rent",
        "supergroup",
        "slopes from one step of the answers to the next",
    ):
        assert said in page, said


def test_every_area_has_an_estimate(out: Path) -> None:
    estimates = pd.read_parquet(out / "estimates.parquet")
    assert estimates["mean"].between(0, 1).all()
    assert (estimates["sd"] > 0).all()
