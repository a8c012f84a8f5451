"""A run whose own checks fail publishes nothing; what ``--allow-fail`` publishes is marked wherever it is carried."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest
from small_example import write_small_example

from placewise import cli


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of a fit that is held to a standard that none meets."""
    folder = tmp_path_factory.mktemp("failed")
    write_small_example(folder, "private_rent")
    words = ["run", "--project", os.fspath(folder), "--draws", "400", "--quiet"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("placewise.diagnostics.convergence.IMPORTANCE_ESS", 1e9)
        assert cli.main(words) == 1
        assert not (folder / "reports" / "belonging" / "estimates.csv").exists()
        assert not (folder / "reports" / "index.html").exists()
        assert cli.main([*words, "--allow-fail"]) == 0
    return folder / "reports"


def test_pages_are_watermarked(out: Path) -> None:
    for page in ("index.html", "belonging/report.html"):
        assert 'class="watermark"' in (out / page).read_text("utf-8")


def test_every_row_of_the_estimates_bears_the_mark(out: Path) -> None:
    for table in (pd.read_csv(out / "belonging/estimates.csv"), pd.read_parquet(out / "belonging/estimates.parquet")):
        assert table["flag"].str.startswith("failed_checks").all()
        assert table["flag_reason"].str.contains("failed its own checks: not for use").all()


def test_manifest_and_metadata_say_so(out: Path) -> None:
    outcome = json.loads((out / "manifest.json").read_text("utf-8"))["outcomes"]["belonging"]
    assert (outcome["status"], outcome["not_for_use"]) == ("fail", True)
    (table,) = json.loads((out / "metadata.json").read_text("utf-8"))["tables"]
    assert table["placewise:not_for_use"] is True
    assert table["dc:description"].startswith("NOT FOR USE: ")


def test_what_is_made_from_the_release_bears_the_mark(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    release = os.fspath(out / "belonging" / "release")
    estimates = pd.read_parquet(out / "belonging" / "estimates.parquet")
    a, b = estimates.loc[estimates["area_level"] == "lad", "area_code"].iloc[:2]
    assert cli.main(["aggregate", "--release", release, "--codes", a, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["flag"] == "failed_checks"
    assert cli.main(["compare", "--release", release, a, b]) == 0
    assert "failed_checks" in capsys.readouterr().out
    assert cli.main(["compare", "--release", release, a, b, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["flag"] == "failed_checks"
