from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from placewise.errors import ConfigurationError
from placewise.frame.spec import MarginSpec, RakedFrameSpec, SeedSpec
from placewise.geography.spec import GeometrySpec, JoinSpec
from placewise.pipeline.project_file import collect, from_dict, read_project, to_tables, to_toml

Make = Callable[..., Path]
Edit = Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]


def test_a_full_project_becomes_typed_data(make_project: Make) -> None:
    folder = make_project()
    spec = read_project(folder)
    assert (spec.name, spec.title, spec.seed) == ("dynamics", "Community Dynamics", 20261122)
    assert (spec.root, spec.out) == (folder, folder / "reports" / "dynamics")
    assert spec.areas.table == folder / "data" / "areas.parquet"
    assert spec.areas.join == (JoinSpec(folder / "data" / "covariates.csv", {"oa21cd": "OA"}),)
    assert spec.areas.levels == ("lsoa21cd", "lad22cd", "rgn24cd")
    assert spec.areas.neighbours == {"lad22cd": folder / "data" / "adjacency.csv"}
    assert spec.areas.geometry == {"lad22cd": GeometrySpec(folder / "data" / "lad.parquet", "ltla21_code")}
    assert spec.frame is not None
    assert (spec.frame.cells, spec.frame.count) == (folder / "data" / "cells.csv", "N")
    cls, polls = spec.surveys["cls"], spec.surveys["polls"]
    assert (cls.area_column, cls.area_level, cls.where, cls.missing) == (
        "lsoa21cd", "lsoa21cd", {"survey": (8,)}, (-9, "refused"),
    )  # fmt: skip
    assert (cls.weight, cls.psu, cls.strata, cls.mode) == ("weight", "psu", "strata", "")
    assert (polls.path, polls.area_column, polls.area_level) == (folder / "data" / "polls.csv", "OA", "oa21cd")
    assert spec.variables == {"age": ("16-24", "25+")}
    assert spec.index_base == {"ctry": ("E", "W")}
    assert list(spec.models) == ["belonging"]


def test_the_least_that_a_project_needs(make_project: Make) -> None:
    folder = make_project()
    least = {
        "areas": {"table": "data/areas.parquet", "code": "oa21cd"},
        "survey": {"cls": {"path": "data/cls.csv", "area": "oa21cd"}},
    }
    (folder / "placewise.toml").write_text(tomli_w.dumps(least))
    spec = read_project(folder)
    assert (spec.name, spec.title, spec.seed, spec.out) == ("project", "project", 1, folder / "reports")
    assert (spec.frame, spec.variables, spec.index_base) == (None, {}, {})


def test_a_project_file_of_another_name_is_read_too(make_project: Make) -> None:
    folder = make_project()
    (folder / "placewise.toml").rename(folder / "last-poll.toml")
    assert read_project(folder / "last-poll.toml").root == folder
    with pytest.raises(ConfigurationError, match=r"placewise\.toml: there is no such file"):
        read_project(folder)


def test_reading_dumping_and_reading_gives_the_same_tables(
    make_project: Make, project_tables: dict[str, Any], model_tables: dict[str, Any]
) -> None:
    folder = make_project()
    first = read_project(folder)
    (folder / "placewise.toml").write_text(to_toml(first))
    (folder / "models" / "belonging.toml").write_text(to_toml(first.models["belonging"]))
    again = read_project(folder)
    assert again == first
    assert again.raw == project_tables
    assert again.models["belonging"].raw == model_tables
    assert from_dict(to_tables(first), folder) == first


value = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=9), st.integers(-9, 2**40), st.booleans(), st.floats(-9, 9)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["project.seed", "project.title", "areas.levels", "areas.code", "survey.cls.area", "index.base"]
            ),
            st.one_of(
                value, st.lists(value, max_size=3), st.dictionaries(st.text("ab", max_size=2), value, max_size=2)
            ),
        ),
        max_size=4,
    )
)
def test_whatever_stands_in_a_key_it_is_read_or_refused_never_a_crash(
    make_project: Make, changes: list[tuple[str, Any]]
) -> None:
    folder = make_project(dict(changes))
    spec, problems = collect(folder)
    assert spec is not None or any(p.kind == "configuration" for p in problems)
    if spec is not None:
        assert tomllib.loads(to_toml(spec)) == spec.raw


def test_tables_in_memory_are_read_like_files(
    make_project: Make, edit: Edit, project_tables: dict[str, Any], model_tables: dict[str, Any]
) -> None:
    folder = make_project()
    tables = edit(
        project_tables, {"areas.table": Path("data") / "areas.parquet", "areas.levels": ("lsoa21cd", "lad22cd")}
    )
    tables["areas"]["classes"] = ("rgn24cd",)
    spec = from_dict({**tables, "models": {"belonging": model_tables}}, folder)
    assert spec.areas.table == folder / "data" / "areas.parquet"
    assert spec.areas.levels == ("lsoa21cd", "lad22cd")
    assert tomllib.loads(to_toml(spec)) == spec.raw
    assert list(from_dict(tables, folder).models) == ["belonging"]
    with pytest.raises(ConfigurationError, match=r"models\.other: model: this key is required"):
        from_dict({**tables, "models": {"other": {"outcome": model_tables["outcome"]}}}, folder)
    with pytest.raises(ConfigurationError, match="cannot be a name"):
        from_dict({**tables, "models": {"../up": model_tables}}, folder)


def test_the_command_line_takes_the_place_of_the_files(
    make_project: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_project(model={"model.engine": "hmc"})
    monkeypatch.chdir(tmp_path)
    spec = read_project(folder, engine="nuts", seed=5, out="elsewhere")
    assert (spec.models["belonging"].engine, spec.seed, spec.out) == ("nuts", 5, tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match=r"--seed: expected a whole number"):
        read_project(folder, engine="nuts", seed=-5)


def test_only_the_models_asked_for_are_read(make_project: Make) -> None:
    folder = make_project()
    (folder / "models" / "broken.toml").write_text("[outcome")
    assert list(read_project(folder, outcomes=["belonging"]).models) == ["belonging"]
    with pytest.raises(ConfigurationError, match=r"models/broken\.toml: this is not TOML"):
        read_project(folder, outcomes=[])
    with pytest.raises(
        ConfigurationError, match=r"--outcome: there is no outcome 'belongng' \(did you mean 'belonging'"
    ):
        read_project(folder, outcomes=["belongng"])


def test_margins_and_their_seed_round_trip(make_project: Make) -> None:
    margins = [
        {"table": "data/cells.csv", "variable": "age", "count": "n"},
        {"table": "data/cells.csv", "variable": ["sex", "tenure"], "count": "n"},
    ]
    frame = {"margins": margins, "seed": {"table": "data/cells.csv", "count": "n", "by": ["rgn24cd"]}}
    folder = make_project({"frame": frame})
    spec = read_project(folder)
    cells = folder / "data" / "cells.csv"
    assert spec.frame == RakedFrameSpec(
        (MarginSpec(cells, ("age",), "n"), MarginSpec(cells, ("sex", "tenure"), "n")),
        SeedSpec(cells, "n", ("rgn24cd",)),
    )
    assert spec.frame.files == (cells,)
    assert from_dict(to_tables(spec), folder) == spec


def test_six_things_wrong_at_once_are_told_at_once(make_project: Make) -> None:
    project = {
        "project.tilte": "x",
        "areas.levles": ["lad22cd"],
        "areas.table": "data/none.parquet",
        "survey.cls.area": "lsoa11cd",
        "survey.polls.path": "${NOT_SET_HERE}/polls.csv",
    }
    model = {"outcome.survey": "csl", "outcome.order": ["not", "fairly"], "model.priors": {"intercept": "normal(0, 1)"}}
    with pytest.raises(ConfigurationError) as error:
        read_project(make_project(project, model))
    found = [p.where for p in error.value.problems]
    assert sorted(found) == sorted([
        "placewise.toml: project.tilte",
        "placewise.toml: areas.levles",
        "placewise.toml: areas.table",
        "placewise.toml: survey.cls.area",
        "placewise.toml: survey.polls.path",
        "models/belonging.toml: outcome.survey",
        "models/belonging.toml: outcome.estimand.share[1]",
        "models/belonging.toml: model.priors.intercept",
    ])  # fmt: skip
    assert str(error.value).startswith("8 problems:\n  - placewise.toml: project.tilte: unknown key")
    assert error.value.exit_status == 2


@pytest.mark.parametrize("stem", ["..", ".hidden", "a b", "a.b", "-x", "é"])
def test_model_files_whose_names_would_be_odd_paths_are_refused(make_project: Make, stem: str) -> None:
    folder = make_project()
    (folder / "models" / "belonging.toml").rename(folder / "models" / f"{stem}.toml")
    with pytest.raises(ConfigurationError, match="cannot be a name, since results are written under it"):
        read_project(folder)


def test_a_project_without_models(make_project: Make) -> None:
    folder = make_project()
    (folder / "models" / "belonging.toml").unlink()
    with pytest.raises(ConfigurationError, match="models/: there is no model file"):
        read_project(folder)
    (folder / "models").rmdir()
    with pytest.raises(ConfigurationError, match="models/: there is no model file"):
        read_project(folder)


@pytest.mark.parametrize("content", [b"", b"[project", b"\xff\xfe\x00binary", b"PK\x03\x04\x00\x00"])
@pytest.mark.parametrize("file", ["placewise.toml", "models/belonging.toml"])
def test_files_that_are_no_settings(make_project: Make, file: str, content: bytes) -> None:
    folder = make_project()
    (folder / file).write_bytes(content)
    with pytest.raises(ConfigurationError) as error:
        read_project(folder)
    assert len(error.value.problems) == 1
    assert error.value.problems[0].where == file
    assert error.value.exit_status == 2


@pytest.mark.parametrize("path", ["nowhere", "nowhere/placewise.toml", "a\0b"])
def test_a_project_that_is_not_there(tmp_path: Path, path: str) -> None:
    with pytest.raises(ConfigurationError, match="there is no such file"):
        read_project(tmp_path / path)


def test_a_finite_population_needs_a_population(make_project: Make) -> None:
    without = {"areas.population": None, "frame": None}
    asked = {"outcome.finite_population": True}
    with pytest.raises(ConfigurationError, match="says nothing about how many people live in an area"):
        read_project(make_project(without, asked))
    assert read_project(make_project(without)).areas.population == ""
    assert read_project(make_project({"areas.population": None}, asked)).frame is not None
    assert read_project(make_project({"frame": None}, asked)).areas.population == "adults"


def test_absent_data_and_wrong_settings_are_told_together_with_status_2(make_project: Make) -> None:
    with pytest.raises(ConfigurationError) as error:
        read_project(make_project({"frame.cells": "data/none.csv", "project.seed": -1}))
    assert [p.kind for p in error.value.problems] == ["configuration", "data"]
    spec, problems = collect(make_project({"frame.cells": "data/none.csv"}))
    assert spec is not None
    assert [p.kind for p in problems] == ["data"]


def test_the_census_audits_are_read(shared: Path) -> None:
    for name, level in (("health_oa", "oa21cd"), ("health_lsoa", "lsoa21cd")):
        spec = read_project(shared / "census_audit" / name, engine="nuts")
        assert spec.surveys["audit"].area_level == level
        assert spec.areas.levels == ("lsoa21cd", "msoa21cd", "lad22cd", "rgn24cd")
        assert spec.models["health"].outcome.estimands[0].categories == ("good", "very good")
