"""A project whose survey is Understanding Society, from the files of a deposit to estimates."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest

from placewise import cli
from placewise.pipeline.example.deposits import write_deposits
from placewise.pipeline.example.write import make_deposits, make_tables
from placewise.pipeline.inputs import Digests, input_files, stage_prints
from placewise.pipeline.project_file import read_project

PROJECT = """
[areas]
table      = "areas.csv"
code       = "lsoa21cd"
levels     = ["msoa", "lad", "region"]
population = "adults"
[frame]
cells = "cells.csv"
count = "adults"
[variables.age]
order = ["16-24", "25-34", "35-49", "50-64", "65+"]
[survey.panel]
reader    = "ukhls"
path      = "ukhls"
waves     = ["c", "f"]
geography = { path = "ukhls", vintage = "lsoa21" }
"""
MODEL = """
[outcome]
survey   = "panel"
response = "nbrsnci"
family   = "gaussian"
estimand = "mean"
[model]
formula = "sex + (1 | age) + (1 | region)"
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("panel")
    tables = make_tables(small=True)
    above = ["lsoa", "msoa", "lad", "region"]
    areas = tables["areas.parquet"].groupby(above, as_index=False)["adults"].sum()
    areas.rename(columns={"lsoa": "lsoa21cd"}).to_csv(folder / "areas.csv", index=False)
    cells = tables["cells.parquet"].merge(tables["areas.parquet"][["oa", "lsoa"]], on="oa")
    cells = cells.groupby(["lsoa", "age", "sex"], as_index=False)["adults"].sum()
    cells.rename(columns={"lsoa": "lsoa21cd"}).to_csv(folder / "cells.csv", index=False)
    write_deposits(make_deposits(small=True), folder)
    (folder / "placewise.toml").write_text(PROJECT)
    (folder / "models").mkdir()
    (folder / "models" / "cohesion.toml").write_text(MODEL)
    return folder


def command(project: Path, *arguments: str) -> int:
    return cli.main([arguments[0], "--project", os.fspath(project), *arguments[1:]])


def test_the_project_is_checked(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(project, "check", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["problems"] == []
    assert any("records are of people who answered in an earlier wave too" in note for note in told["notes"])
    assert any("c_indscub_xw: outside the base of the weight (0)" in note for note in told["notes"])


def test_the_project_is_run(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(project, "run", "--draws", "400", "--quiet", "--allow-fail") == 0
    out = project / "reports"
    estimates = pd.read_parquet(out / "cohesion" / "estimates.parquet")
    areas = pd.read_csv(project / "areas.csv")
    assert (estimates["area_level"] == "lsoa21cd").sum() == len(areas)
    national = estimates[estimates["area_level"] == "national"].iloc[0]
    assert 3.0 < national["mean"] < 4.5
    page = (out / "cohesion" / "report.html").read_text(encoding="utf-8")
    assert "waves c, f" in page
    assert "panel has a weight, “c_indscub_xw, f_indscui_xw”" in page
    # nobody can be found again in what is written
    ids = pd.read_csv(next(project.rglob("c_indresp.tab")), sep="\t")["pidp"].astype(str)
    written = [p for p in out.rglob("*") if p.is_file() and p.suffix in (".html", ".json", ".csv")]
    assert written
    for path in written:
        text = path.read_text(encoding="utf-8")
        assert not any(person in text for person in ids), path.name


def test_every_file_of_the_deposit_makes_a_run_out_of_date(project: Path) -> None:
    spec = read_project(project)
    model = spec.models["cohesion"]
    names = {path.name for path in input_files(spec, model)}
    assert names >= {"c_indresp.tab", "f_hhresp.tab", "xwavedat.tab", "c_lsoa21_protect.tab", "f_lsoa21_protect.tab"}

    def data() -> str:
        return stage_prints(spec, model, Digests(spec.root), 400)["data"]

    before = data()
    for name in ("c_indresp.tab", "f_lsoa21_protect.tab"):
        path = next(project.rglob(name))
        content = path.read_bytes()
        path.write_bytes(content + b"\n")
        assert data() != before
        path.write_bytes(content)
        assert data() == before


def test_problems_are_told_together(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = project / "placewise.toml"
    text = file.read_text()
    try:
        file.write_text(text.replace('["c", "f"]', '["c", "i", "o"]').replace('"lsoa21" }', '"lsoa11" }'))
        assert command(project, "check") == 2
    finally:
        file.write_text(text)
    told = capsys.readouterr().err
    for expected in ("no i_indresp", "no c_lsoa11", "vintage 'lsoa21' of that wave is there", "weight = { o ="):
        assert expected in told


def test_names_are_looked_up_even_where_the_areas_cannot_be_read(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, areas = project / "models" / "cohesion.toml", project / "areas.csv"
    text, table = model.read_text(), areas.read_bytes()
    try:
        areas.write_bytes(table.split(b"\n")[0])
        model.write_text(text.replace("(1 | age)", "(1 | age) + (1 | tenur_dv) + sclfsato + (1 | tenure)"))
        assert command(project, "check") == 2
    finally:
        model.write_text(text)
        areas.write_bytes(table)
    told = capsys.readouterr().err
    assert "areas.csv has a header and no rows" in told
    assert "did you mean 'tenure_dv'?" in told
    assert "sclfsato" not in told
    assert "'age'" not in told
