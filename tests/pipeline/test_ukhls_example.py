"""The example's panel in every format, layout and vintage: the same respondents, and nobody named in what is told."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from placewise import cli
from placewise.errors import Problems
from placewise.geography.areas import AreaTable
from placewise.pipeline.example import write_example
from placewise.pipeline.example.deposits import write_deposits
from placewise.pipeline.example.understanding import GEOGRAPHIES
from placewise.pipeline.example.write import make_deposits, make_tables
from placewise.surveys.respondents import Respondents
from placewise.surveys.spec import GeographyFile, SurveySpec
from placewise.surveys.ukhls.reading import read_ukhls

COLUMNS = ("age", "sex", "tenure", "ethnic_group", "qualification", "economic_activity", "marital_status", "urban")


@pytest.fixture(scope="module")
def areas() -> AreaTable:
    table = make_tables(small=True)["areas.parquet"][["oa", "lsoa", "msoa", "lad", "region"]].astype("str")
    return AreaTable(table, "oa", ("lsoa", "msoa", "lad", "region"), (), None, np.ones(len(table), dtype=bool))


def people(folder: Path, vintage: str, areas: AreaTable) -> Respondents:
    level = GEOGRAPHIES[vintage][2]
    geography = GeographyFile(folder, vintage)
    spec = SurveySpec("panel", folder, "", level, reader="ukhls", waves=("c", "f"), geography=geography)
    problems = Problems()
    found = read_ukhls(spec, areas, COLUMNS, problems, ("nbrsnci", "scopngbhb", "nbrcoh3", "sclfsato"))
    assert found is not None, [str(p) for p in problems]
    return found


def same(one: Respondents, other: Respondents) -> bool:
    pd.testing.assert_frame_equal(one.table, other.table, check_exact=True)
    assert one.weight is not None
    assert other.weight is not None
    assert one.weight.tobytes() == other.weight.tobytes()
    return [(d.reason, d.count) for d in one.dropped] == [(d.reason, d.count) for d in other.dropped]


def test_one_table_from_every_format_layout_and_vintage(tmp_path: Path, areas: AreaTable) -> None:
    first = None
    for vintage in GEOGRAPHIES:
        drawn = make_deposits(small=True, geography=vintage)
        for form in ("tab", "sav", "dta") if vintage in ("lsoa21", "lad") else ("tab",):
            write_deposits(drawn, tmp_path / vintage / form, form)
            found = people(tmp_path / vintage / form, vintage, areas)
            first = found if first is None else first
            assert same(first, found)
            assert found.link == GEOGRAPHIES[vintage][2]
    deep, flat = tmp_path / "lsoa21" / "tab", tmp_path / "flat"
    flat.mkdir()
    for path in deep.rglob("*.tab"):
        (flat / path.name.upper().replace(".TAB", ".tab")).write_bytes(path.read_bytes())
    assert first is not None
    assert same(first, people(flat, "lsoa21", areas))


def test_the_scale_is_the_released_one(tmp_path: Path, areas: AreaTable) -> None:
    write_deposits(make_deposits(small=True), tmp_path)
    account = people(tmp_path, "lsoa21", areas).account
    assert account is not None
    assert {check.verdict for check in account.checks} == {"pass"}
    kinds = {m.raw for v in account.variables if v.name == "nbrcoh3" for m in v.mapping if not m.category}
    assert kinds >= {"-9"}
    none = {v.name: v for v in account.variables if v.file == "c_indresp"}["scopngbhb"]
    assert none.answered + none.declared == len(people(tmp_path, "lsoa21", areas).table.query("wave == 'c'"))


def test_the_survey_is_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_example(tmp_path, small=True)
    folder = tmp_path / "surveys"
    assert cli.main(["survey", "describe", "--project", os.fspath(folder), "--survey", "panel"]) == 0
    written = folder / "reports" / "surveys"
    ids = pd.read_csv(next(tmp_path.rglob("c_indresp.tab")), sep="\t")["pidp"].astype(str)
    told = capsys.readouterr().out + "".join(path.read_text(encoding="utf-8") for path in written.iterdir())
    assert "c_scopngbha" in told
    assert not any(person in told for person in ids)
