"""The example's Community Life Survey in every format: the same respondents, checked, through the project file too."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from placewise import cli
from placewise.errors import Problems
from placewise.geography.areas import AreaTable
from placewise.models.model_file import read_model
from placewise.pipeline.answers import survey_uses
from placewise.pipeline.example import write_example
from placewise.pipeline.example.labelled import LabelledTable, write_labelled
from placewise.pipeline.example.write import make_deposits, make_tables
from placewise.pipeline.load import OutcomeData
from placewise.surveys.cls.concepts import ORDER
from placewise.surveys.cls.reading import read_community_life
from placewise.surveys.respondents import Respondents
from placewise.surveys.spec import CommunityLifeKeys, SurveySpec

COLUMNS = (*ORDER, "comfortable_keys", "comfortable_child", "comfortable_shopping", "sex", "age", "region")


@pytest.fixture(scope="module")
def areas() -> AreaTable:
    table = make_tables(small=True)["areas.parquet"][["oa", "lad", "region"]].astype("str")
    return AreaTable(table, "oa", ("lad", "region"), (), None, np.ones(len(table), dtype=bool))


@pytest.fixture(scope="module")
def deposit() -> LabelledTable:
    drawn = make_deposits(small=True).community_life
    # Stata's variable labels end at 80 characters
    return replace(drawn, variables={name: wording[:80] for name, wording in drawn.variables.items()})


def codebook(table: LabelledTable, path: Path) -> Path:
    rows = [
        (name, code, label, "yes" if code in table.missing.get(name, ()) else "no")
        for name, labels in table.values.items()
        for code, label in labels.items()
    ]
    pd.DataFrame(rows, columns=["variable", "code", "label", "missing"]).to_csv(path, index=False)
    return path


def people(path: Path, areas: AreaTable, book: Path | None = None) -> Respondents:
    keys = CommunityLifeKeys(
        year_column="Year", mode_column="Mode", pool_modes=True, codebook=book, aliases={"age": ("AgeBand",)}
    )
    spec = SurveySpec(
        "cls", path, "LAD", "lad", reader="cls", weight="Weight", mode="mode", person="Cserial", community_life=keys
    )
    problems = Problems()
    found = read_community_life(spec, areas, COLUMNS, problems, ("belonging",))
    assert found is not None, [str(p) for p in problems]
    return found


def test_one_table_from_every_format(tmp_path: Path, areas: AreaTable, deposit: LabelledTable) -> None:
    book = codebook(deposit, tmp_path / "codebook.csv")
    found = {}
    for form in ("sav", "dta", "tab"):
        path = tmp_path / form / "deep" / f"cls_2020.{form}"
        write_labelled(deposit, path)
        found[form] = people(path, areas, book if form == "tab" else None)
    first = found["sav"]
    assert set(COLUMNS[:-1]) | {"year", "mode", "Cserial"} == set(first.table.columns)
    for other in found.values():
        assert other.table.to_csv().encode() == first.table.to_csv().encode()
        assert other.weight is not None
        assert first.weight is not None
        assert other.weight.tobytes() == first.weight.tobytes()
        assert other.account is not None
        assert first.account is not None
        assert other.account.checks == first.account.checks
        assert [(v.name, v.answered) for v in other.account.variables] == [
            (v.name, v.answered) for v in first.account.variables
        ]


def test_answers_and_sex_are_those_of_the_generator(tmp_path: Path, areas: AreaTable, deposit: LabelledTable) -> None:
    write_labelled(deposit, tmp_path / "cls.sav")
    found = people(tmp_path / "cls.sav", areas).table
    assert len(found) == len(deposit.frame)
    for name, column in (
        ("belonging", "SBeNeigh"),
        ("satisfaction", "Slocsat"),
        ("chatting", "SchatN"),
        ("sex", "SEX"),
    ):
        texts = {code: label.lower() for code, label in deposit.values[column].items()}
        expected = deposit.frame[column].map(texts)
        expected = expected.where(expected.isin([*ORDER.get(name, ()), "male", "female"]))
        assert found[name].fillna("").tolist() == expected.fillna("").tolist()
    # each year is a series of its own: face to face, then online and on paper
    assert set(found.loc[found["year"] == "2012-13", "mode"]) == {"face-to-face"}
    assert set(found.loc[found["year"] != "2012-13", "mode"]) == {"online", "paper"}


def test_directions_and_published_figures_of_the_example(
    tmp_path: Path, areas: AreaTable, deposit: LabelledTable
) -> None:
    write_labelled(deposit, tmp_path / "cls.sav")
    account = people(tmp_path / "cls.sav", areas).account
    assert account is not None
    verdicts = {check.name: check.verdict for check in account.checks}
    assert verdicts["year and mode"] == "warn"
    figures = {name: verdict for name, verdict in verdicts.items() if "as published" in name}
    assert len(figures) == 14
    assert "fail" not in {*figures.values()}
    assert verdicts["belonging rises with satisfaction"] == verdicts["belonging rises with chatting"] == "pass"


def test_the_project_is_checked_and_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_example(tmp_path, small=True)
    folder = tmp_path / "surveys"
    assert cli.main(["check", "--project", str(folder), "--outcome", "belonging", "--json"]) == 0
    capsys.readouterr()
    assert cli.main(["survey", "describe", "--project", str(folder), "--survey", "cls"]) == 0
    told = json.loads(next(folder.rglob("cls.json")).read_text(encoding="utf-8"))
    assert {"year and mode", "belonging rises with chatting"} <= {check["name"] for check in told["checks"]}
    # modes that the project does not choose between are refused, by check and by run
    text = (folder / "placewise.toml").read_text(encoding="utf-8")
    keep = 'mode   = { column = "Mode", keep = ["online", "paper"] }\nwhere  = { year = ["2020-21"] }'
    assert keep in text
    (folder / "placewise.toml").write_text(text.replace(keep, 'mode = "Mode"'), encoding="utf-8")
    shutil.rmtree(folder / "reports")
    capsys.readouterr()
    for command in ("check", "run"):
        assert cli.main([command, "--project", str(folder), "--outcome", "belonging"]) == 1
        assert "modes that are not comparable: " in capsys.readouterr().err


def test_the_report_is_given_years_modes_and_checks(tmp_path: Path, areas: AreaTable, deposit: LabelledTable) -> None:
    write_labelled(deposit, tmp_path / "cls.sav")
    found = people(tmp_path / "cls.sav", areas)
    assert found.account is not None
    survey = SurveySpec("cls", tmp_path / "cls.sav", "LAD", "lad", reader="cls", mode="mode")
    model = {"outcome": {"survey": "cls", "response": "belonging", "family": "gaussian"}, "model": {"formula": "1"}}
    outcome = read_model(model, "belonging", "belonging.toml", Problems(), surveys=["cls"])
    assert outcome is not None
    data = OutcomeData(areas, None, found, None, None, (found,))  # type: ignore[arg-type]
    [use] = survey_uses(data, {"cls": survey}, outcome.outcome)
    assert set(use.years.split(", ")) == {"2012-13", "2020-21", "2021-22"}
    assert set(use.mode.split(", ")) == {"face-to-face", "online", "paper"}
    assert [check[0] for check in use.checks] == [check.name for check in found.account.checks]
