"""The example's own models on the small example: two scales and one question, each of two surveys, in one run."""

from __future__ import annotations

import html
import json
import os
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from placewise import cli
from placewise.pipeline.example import write_example
from placewise.pipeline.example.write import OUTCOMES

# a minute and more: two of the fits integrate over every person
pytestmark = pytest.mark.slow
RANGES = {"belonging": (1, 4), "relationships": (1, 5), "satisfaction": (0, 1)}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("three")
    write_example(folder, small=True)
    # importance weights are judged in runs of the usual size
    assert cli.main(["run", "--project", os.fspath(folder), "--draws", "400", "--quiet", "--allow-fail"]) == 0
    return folder


def model_of(project: Path, outcome: str) -> Any:
    return tomllib.loads((project / "models" / f"{outcome}.toml").read_text("utf-8"))


def estimates_of(project: Path, outcome: str, stem: str = "estimates") -> pd.DataFrame:
    return pd.read_parquet(project / "reports" / outcome / f"{stem}.parquet")


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_estimates_go_with_the_truth(project: Path, outcome: str) -> None:
    estimates = estimates_of(project, outcome)
    assert estimates["mean"].between(*RANGES[outcome]).all()
    truth = pd.read_parquet(project / "data" / "truth.parquet")
    both = estimates.merge(truth, on=["area_level", "area_code"], validate="one_to_one")
    assert len(both) == len(estimates) == len(truth)
    small = both[both["area_level"] == "oa"]
    inside = small[outcome].between(small["ci90_lower"], small["ci90_upper"])
    assert inside.mean() > 0.75
    assert small["mean"].corr(small[outcome]) > 0.4
    nation = both[both["area_level"] == "national"].iloc[0]
    assert abs(nation["mean"] - nation[outcome]) < 4 * nation["sd"]


@pytest.mark.parametrize(
    ("outcome", "second", "truth"), [("belonging", "strongly", "belong"), ("relationships", "monthly", "chat")]
)
def test_the_share_of_one_item_stands_beside_the_score(project: Path, outcome: str, second: str, truth: str) -> None:
    share = estimates_of(project, outcome, f"estimates_{second}")
    known = pd.read_parquet(project / "data" / "truth.parquet")
    both = share.merge(known, on=["area_level", "area_code"])
    nation = both[both["area_level"] == "national"].iloc[0]
    assert abs(nation["mean"] - nation[truth]) < 4 * nation["sd"]
    # one trait lies behind both
    score = estimates_of(project, outcome)
    assert np.corrcoef(score["index"], share["index"])[0, 1] > 0.95


def test_the_first_page_shows_three_outcomes(project: Path) -> None:
    page = (project / "reports" / "index.html").read_text("utf-8")
    for outcome in OUTCOMES:
        assert f'href="{outcome}/report.html"' in page
        assert model_of(project, outcome)["outcome"]["title"] in page


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_card_is_in_the_report_and_the_metadata(project: Path, outcome: str) -> None:
    card = model_of(project, outcome)["card"]
    page = (project / "reports" / outcome / "report.html").read_text("utf-8")
    page = html.unescape(page)
    for sentence in (*card["intended_use"], *card["forbidden_use"], *card["limits"]):
        assert sentence in page
    tables = json.loads((project / "reports" / "metadata.json").read_text("utf-8"))["tables"]
    (told,) = [t["placewise:outcome"] for t in tables if t["url"] == f"{outcome}/estimates.csv"]
    assert told["forbidden_uses"][: len(card["forbidden_use"])] == card["forbidden_use"]
    assert {survey["name"] for survey in told["surveys"]} == {"community", "household"}
