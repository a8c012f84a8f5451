"""`placewise survey describe` and a recode file, through the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest
import tomli_w

from placewise.cli import main
from placewise.pipeline.example import write_example
from placewise.surveys.readers import READERS

N = 400
LABELS = {
    "RSex": {1.0: "Female", 2.0: "Male", 9.0: "Refused"},
    "SBeNeigh": {1.0: "Very strongly", 2.0: "Fairly strongly", 3.0: "Not very strongly", 4.0: "Not at all strongly"},
}
RECODE: dict[str, Any] = {
    "variables": {
        "sex": {"column": "rsex", "values": {"female": "f", "male": "m"}, "missing": ["refused"], "wording": "Sex?"},
        "belonging": {
            "column": "SBeNeigh",
            "values": {
                "very strongly": "very",
                "fairly strongly": "fairly",
                "not very strongly": "not",
                "not at all strongly": "not",
            },
        },
        "age": {
            "column": "DVAge",
            "bands": [{"category": "16-39", "below": 40}, {"category": "40+", "from": 40}],
        },
        "chats": {"required": False},
    }
}
PROJECT: dict[str, Any] = {
    "project": {"title": "A town", "out": "reports"},
    "areas": {"table": "areas.csv", "code": "oa", "levels": ["lad"], "population": "adults"},
    "frame": {"cells": "cells.csv", "count": "n"},
    "survey": {
        "cls": {"path": "cls.sav", "area": "oa", "recode": "recode.toml", "weight": "W", "psu": "point", "person": "id"}
    },
}
MODEL: dict[str, Any] = {
    "outcome": {
        "survey": "cls",
        "response": "belonging",
        "family": "cumulative",
        "order": ["not", "fairly", "very"],
        "estimand": {"share": ["fairly", "very"]},
    },
    "model": {"formula": "(1 | sex) + (1 | age)"},
}


def stored() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    i = np.arange(N)
    return pd.DataFrame(
        {
            "id": 7_000_000.0 + i,
            "oa": [f"E{k:02}" for k in i % 20],
            "RSex": np.where(i < 6, 9.0, 1.0 + i % 2),
            "SBeNeigh": rng.integers(1, 5, N).astype(float),
            "DVAge": rng.integers(16, 90, N).astype(float),
            "W": np.where(i % 2, 1.5, 0.5),
            "point": (i % 20).astype(float),
        }
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "town"
    (folder / "models").mkdir(parents=True)
    areas = pd.DataFrame({"oa": [f"E{k:02}" for k in range(20)], "adults": 1000.0})
    areas["lad"] = np.where(areas.index < 5, "West", "East")
    areas.to_csv(folder / "areas.csv", index=False)
    cells = areas[["oa"]].merge(pd.DataFrame({"sex": ["f", "m"]}), how="cross")
    cells = cells.merge(pd.DataFrame({"age": ["16-39", "40+"]}), how="cross").assign(n=250.0)
    cells.to_csv(folder / "cells.csv", index=False)
    pyreadstat.write_sav(stored(), folder / "cls.sav", variable_value_labels=LABELS)
    for name, tables in (("placewise.toml", PROJECT), ("recode.toml", RECODE), ("models/belonging.toml", MODEL)):
        (folder / name).write_text(tomli_w.dumps(tables))
    return folder


def described(project: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    status = main(["survey", "describe", "--project", str(project), "--json", *more])
    return status, json.loads(capsys.readouterr().out)


def test_a_survey_is_described_by_page_and_json(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, told = described(project, capsys)
    assert (status, told["status"]) == (0, "done")
    folder = project / "reports" / "surveys"
    assert [Path(p).name for p in told["written"]] == ["cls.html", "cls.json", "cls.recode.toml"]
    survey = told["surveys"]["cls"]
    assert json.loads((folder / "cls.json").read_text()) == {**survey, "project": "A town", "placewise": "0.1.0"}

    assert (survey["read"], survey["kept"]) == (N, N)
    assert [v["name"] for v in survey["variables"]] == ["sex", "belonging", "age", "chats"]
    margins = {m["variable"]: m for m in survey["margins"]}
    assert list(margins) == ["belonging", "sex", "age", "lad"]
    assert [s["category"] for s in margins["belonging"]["shares"]] == ["not", "fairly", "very"]
    female, male = margins["sex"]["shares"]
    # of 400, six refused: 197 women with half a weight and 197 men with one and a half
    assert (female["unweighted"], female["weighted"], female["population"]) == (0.5, 0.25, 0.5)
    assert (male["respondents"], margins["sex"]["population_from"]) == (200, "frame")
    assert [s["population"] for s in margins["lad"]["shares"]] == [0.75, 0.25]
    effects = survey["design_effects"]
    assert effects["weights"]["deff"] == pytest.approx(1.25, rel=1e-12)
    assert effects["clusters"] == {"units": 20, "strata": None, "lonely": 0, "respondents": 20.0}
    verdicts = {c["name"]: c["verdict"] for c in survey["checks"]}
    assert verdicts["sex beside the frame"] == "warn"


def test_no_small_count_and_nothing_of_a_person_leaves(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, told = described(project, capsys)
    sex = told["surveys"]["cls"]["variables"][0]
    assert sex["mapping"][-1] == {"raw": "9", "label": "Refused", "category": None, "respondents": None}
    assert [m["respondents"] for m in sex["mapping"]].count(None) == 2
    page = (project / "reports" / "surveys" / "cls.html").read_text()
    assert "fewer than 10" in page
    for text in (page, json.dumps(told)):
        assert "70000" not in text
        assert "'id'" not in text
    cells = re.findall(r">\s*(\d+)\s*</t[dh]>", page)
    counted = [int(c) for c in cells if not 0 < int(c) < 10]
    assert len(counted) > 10
    codes = {m["raw"] for v in told["surveys"]["cls"]["variables"] for m in v["mapping"]}
    files = {str(f["columns"]) for f in told["surveys"]["cls"]["files"]}
    assert {c for c in cells if 0 < int(c) < 10} <= codes | files


def test_the_same_survey_gives_the_same_files(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    described(project, capsys)
    folder = project / "reports" / "surveys"
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    described(project, capsys)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_a_reader_is_asked_for_names_in_one_order(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read, asked = READERS["table"], []

    def reader(survey: Any, areas: Any, columns: Any, problems: Any) -> Any:
        asked.append(columns)
        return read(survey, areas, columns, problems)

    monkeypatch.setitem(READERS, "table", reader)  # type: ignore[arg-type]
    described(project, capsys)
    # outcomes, formulas, the frame, the recode file
    assert asked == [("belonging", "sex", "age", "chats")]


def test_the_mappings_in_force_are_a_recode_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, told = described(project, capsys)
    (project / "reports" / "surveys" / "cls.recode.toml").replace(project / "recode.toml")
    _, again = described(project, capsys)
    assert again == told


def test_what_is_wrong_with_models_does_not_matter(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "models" / "belonging.toml").write_text("[outcome]\nsurvey = 'cls'\n")
    status, told = described(project, capsys)
    assert status == 0
    assert {"sex", "age", "belonging"} <= {m["variable"] for m in told["surveys"]["cls"]["margins"]}


def test_categories_that_the_frame_lacks_fail(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (project / "recode.toml").read_text()
    (project / "recode.toml").write_text(text.replace('"f"', '"women"'))
    status, told = described(project, capsys)
    assert (status, told["status"]) == (1, "failed")
    assert "This survey failed a check" in (project / "reports" / "surveys" / "cls.html").read_text()
    assert main(["survey", "describe", "--project", str(project)]) == 1
    printed = capsys.readouterr().out
    assert "FAILED: sex beside the frame: 'women' of the survey is not in the frame" in printed
    assert "400 respondents kept of 400 rows in cls.sav" in printed


def test_faults_of_files_and_settings_are_told_at_once(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, told = described(project, capsys, "--survey", "clss")
    assert status == 2
    assert told["problems"][0]["hint"] == "did you mean 'cls'?"
    text = (project / "recode.toml").read_text()
    (project / "recode.toml").write_text(text.replace("female", "femal").replace("DVAge", "Age"))
    status, told = described(project, capsys)
    assert status == 1
    found = [p["where"] for p in told["problems"]]
    assert found == ["survey.cls.recode: age", "survey.cls.recode: sex"]
    (project / "recode.toml").write_text("[variables.sex]\nkind = 'x'\ncolum = 'y'\n")
    status, told = described(project, capsys)
    assert status == 2
    assert len(told["problems"]) == 2


def test_formulas_use_the_names_of_the_recode_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--project", str(project), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["outcomes"] == ["belonging: about 390 respondents, 20 areas"]
    model = (project / "models" / "belonging.toml").read_text()
    (project / "models" / "belonging.toml").write_text(model.replace("(1 | sex)", "(1 | sexx)"))
    assert main(["check", "--project", str(project)]) == 2
    assert "did you mean 'sex'?" in capsys.readouterr().err


def test_outcomes_of_several_items_are_told_as_scales(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(5)
    common = rng.normal(size=N)
    words = np.array(["never", "sometimes", "often"])
    items = {f"talk_{j}": words[np.digitize(common + rng.normal(size=N), [-0.5, 0.8])] for j in range(4)}
    pyreadstat.write_sav(stored().assign(**items), project / "cls.sav", variable_value_labels=LABELS)
    outcome = {"survey": "cls", "items": list(items), "family": "graded_response", "order": words.tolist()}
    ties = {"outcome": outcome, "model": {"formula": "(1 | sex)"}}
    (project / "models" / "ties.toml").write_text(tomli_w.dumps(ties))

    status, told = described(project, capsys)
    assert status == 0
    (scale,) = told["surveys"]["cls"]["scales"]
    assert (scale["name"], scale["items"], scale["respondents"], scale["against"]) == ("ties", list(items), N, [])
    weighted, plain = scale["weighted"], scale["unweighted"]
    assert 0.5 < weighted["alpha"]["lower"] < weighted["alpha"]["value"] < weighted["alpha"]["upper"] < 0.9
    assert weighted["omega"]["value"] != plain["omega"]["value"]
    assert {c["name"]: c["verdict"] for c in told["surveys"]["cls"]["checks"]}["items of ties"] == "pass"
    assert "Ties: alpha" in (project / "reports" / "surveys" / "cls.html").read_text()


def bounds(text: str) -> tuple[int, int]:
    """What a count told in words may be: "about 30" is 25 to 35, a bare one itself."""
    if text.startswith("fewer than"):
        return 1, 9
    number = int(text.removeprefix("about ").replace(",", ""))
    return (number - 5, number + 5) if text.startswith("about") else (number, number)


def left_over(survey: dict[str, Any], name: str, outcome: str, check: dict[str, Any]) -> list[tuple[int, int]]:
    """What the withheld answers of a variable may count together, by each way of differencing what is told."""
    [variable] = [v for v in survey["variables"] if v["name"] == name]
    cells = [*variable["mapping"], {"category": name, "respondents": variable["other_values"]}]
    cells.append({"category": None, "respondents": variable["blank"]})
    shown = [c["respondents"] for c in cells if c["respondents"]]
    told = survey["kept"] - sum(shown)
    among = [c["respondents"] for c in cells if c["category"] and c["respondents"]]
    found = []
    for note in check["notes"]:
        gone = re.search(rf"{outcome}: (.*) respondents left out: {name}: declared missing code", note)
        if gone:
            low, high = bounds(gone[1])
            found.append((told - 5 * len(shown) - high, told + 5 * len(shown) - low))
    [sentence] = [s for s in check["outcomes"] if s.startswith(f"{outcome}: ")]
    low, high = bounds(sentence.removeprefix(f"{outcome}: ").split(" respondents")[0])
    return [*found, (low - sum(among) - 5 * len(among), high - sum(among) + 5 * len(among))]


def test_differences_of_what_commands_tell_leave_a_small_count_open(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # six women, thirty who refused: both are withheld, and each would tell the other
    table = stored()
    table["RSex"] = np.where(table.index < 6, 1.0, np.where(table.index < 36, 9.0, 2.0))
    pyreadstat.write_sav(table, project / "cls.sav", variable_value_labels=LABELS)
    _, told = described(project, capsys)
    survey = told["surveys"]["cls"]
    [sex] = [v for v in survey["variables"] if v["name"] == "sex"]
    assert sorted(m["respondents"] or 0 for m in sex["mapping"]) == [0, 0, 360]
    assert main(["check", "--project", str(project), "--json"]) == 0
    check = json.loads(capsys.readouterr().out)
    assert "belonging: about 30 respondents left out: sex: declared missing code" in check["notes"]
    ways = left_over(survey, "sex", "belonging", check)
    assert len(ways) == 2
    assert all(low <= 1 and high >= 9 for low, high in ways)
    page = (project / "reports" / "surveys" / "cls.html").read_text()
    assert not re.search(r">\s*(364|36)\s*<", page), "an exact count beside a withheld one"


@pytest.mark.parametrize("outcome", ["belonging", "cohesion"])
def test_the_examples_commands_tell_no_exact_count_of_who_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], outcome: str
) -> None:
    write_example(tmp_path, small=True)
    project, survey_of = tmp_path / "surveys", {"belonging": "cls", "cohesion": "panel"}
    assert main(["check", "--project", str(project), "--outcome", outcome, "--json"]) == 0
    check = json.loads(capsys.readouterr().out)
    left = [n.split(" respondents left out")[0].split(": ")[-1] for n in check["notes"] if "respondents left out" in n]
    assert left
    assert all(text.startswith(("about ", "fewer than 10")) for text in left)
    assert main(["survey", "describe", "--project", str(project), "--survey", survey_of[outcome], "--json"]) in (0, 1)
    survey = json.loads(capsys.readouterr().out)["surveys"][survey_of[outcome]]
    withheld = [v for v in survey["variables"] if None in [*(m["respondents"] for m in v["mapping"]), v["blank"]]]
    for variable in withheld:
        counts = [*(m["respondents"] for m in variable["mapping"]), variable["other_values"], variable["blank"]]
        assert all(n is None or n % 10 == 0 for n in counts), variable["name"]
