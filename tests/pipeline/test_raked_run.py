"""A project whose frame is raked from margins: checked, run, kept between runs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_example import write_small_example

from placewise.errors import ConfigurationError, DataError
from placewise.estimates.release import read_release
from placewise.frame.cells import Frame
from placewise.frame.uncertain import CellNoise
from placewise.pipeline.check import check_folder
from placewise.pipeline.inputs import Digests
from placewise.pipeline.kept_frame import KeptFrame
from placewise.pipeline.load import ProjectInputs
from placewise.pipeline.project import Project
from placewise.pipeline.project_file import read_project
from placewise.pipeline.run import RunOptions, run_folder

OPTIONS = RunOptions(outcomes=("belonging",), draws=400, quiet=True, allow_fail=True, jobs=2)
FRAME = """[frame]
margins = [
    { table = "data/age.csv", variable = "age", count = "n" },
    { table = "data/sex.csv", variable = "sex", count = "n" },
]
seed    = { table = "data/seed.csv", count = "n", by = ["supergroup"] }

[variables"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded example, small, its frame as margins that differ by noise."""
    folder = tmp_path_factory.mktemp("raked")
    write_small_example(folder, "private_rent + sex + (1 | age) + (1 | region)")
    cells = pd.read_parquet(folder / "data" / "cells.parquet")
    areas = pd.read_parquet(folder / "data" / "areas.parquet")
    noise = np.random.default_rng(1)
    for name in ("age", "sex"):
        margin = cells.groupby(["oa", name], observed=True)["adults"].sum().unstack(fill_value=0).stack()
        margin = (margin + noise.integers(-3, 4, len(margin))).clip(lower=0)
        margin.rename("n").reset_index().to_csv(folder / "data" / f"{name}.csv", index=False)
    joined = cells.merge(areas[["oa", "supergroup"]], on="oa")
    seed = joined.groupby(["supergroup", "age", "sex"], observed=True)["adults"].sum().rename("n").reset_index()
    seed.to_csv(folder / "data" / "seed.csv", index=False)
    project = folder / "placewise.toml"
    text = re.sub(r"(?s)\[frame\].*?\[variables", FRAME, project.read_text("utf-8"), count=1)
    project.write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="module")
def done(written: Path) -> Path:
    """Folder of results of a run."""
    run_folder(written, OPTIONS)
    return written / "reports"


@pytest.fixture
def rakings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Takes one entry each time that a frame is raked."""
    from placewise.frame import raking

    found: list[int] = []
    real: Callable[..., Any] = raking.read_raked_frame

    def counted(*given: Any) -> Any:
        found.append(1)
        return real(*given)

    monkeypatch.setattr(raking, "read_raked_frame", counted)
    return found


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def test_the_account_of_raking_stands_in_manifest_diagnostics_and_report(done: Path) -> None:
    account = read(done / "manifest.json")["outcomes"]["belonging"]["frame"]
    assert account == read(done / "belonging" / "diagnostics.json")["frame"]
    assert [m["name"] for m in account["margins"]] == ["age", "sex"]
    assert account["seed_by"] == ["supergroup"]
    assert account["error"] < 1e-6
    assert 0 < account["margins"][0]["largest"] < 1
    report = (done / "belonging" / "report.html").read_text("utf-8")
    assert "the frame was raked to age, sex, from a seed by supergroup" in report
    assert "margins were scaled to one population; the largest discrepancy is that of" in report


def test_margins_of_the_release_s_frame(done: Path, written: Path) -> None:
    p = read_release(done / "belonging" / "release").predictor
    age = pd.read_csv(written / "data" / "age.csv").groupby("oa")["n"].sum()
    wanted = pd.read_csv(written / "data" / "age.csv").pivot_table(index="oa", columns="age", values="n")
    area = np.repeat(p.codes, np.diff(p.indptr))
    people = pd.Series(p.count).groupby(area).sum()
    assert people[p.codes].to_numpy() == pytest.approx(p.population, rel=1e-9)
    # ten cells of five ages and two sexes, ages first
    got = pd.Series(p.count).groupby([area, p.cell // 2]).sum().unstack(fill_value=0).loc[p.codes]
    share = wanted.loc[p.codes].to_numpy() / age[p.codes].to_numpy()[:, None]
    assert got.to_numpy() / p.population[:, None] == pytest.approx(share, rel=1e-6, abs=1e-12)


def test_check_rakes_too_and_writes_nothing(written: Path, tmp_path: Path) -> None:
    report = check_folder(written, RunOptions(outcomes=("belonging",), out=tmp_path / "out"))
    assert any("the frame was raked to age, sex" in note for note in report.notes)
    assert list(tmp_path.iterdir()) == []


def test_a_later_run_takes_the_frame_as_it_was_kept(written: Path, tmp_path: Path, rakings: list[int]) -> None:
    told: list[str] = []

    def frame(fresh: bool = False, formula: str = "") -> Frame:
        spec = read_project(written, outcomes=["belonging"], out=tmp_path)
        model = spec.models["belonging"]
        models = {"belonging": replace(model, formula=formula or model.formula)}
        kept = KeptFrame(spec, Digests(spec.root), told.append, fresh)
        found = ProjectInputs(replace(spec, models=models), kept=kept).frame[0]
        assert found is not None
        return found

    first, again = frame(), frame()
    assert len(rakings) == 1
    pd.testing.assert_frame_equal(again.cells, first.cells)
    for name in ("indptr", "cell", "count"):
        one, other = getattr(again, name), getattr(first, name)
        assert (one == other).all()
        assert one.dtype == other.dtype
    assert (again.report, again.notes, again.available) == (first.report, first.notes, first.available)
    frame(formula="deprivation + sex + (1 | age)")
    assert len(rakings) == 1
    assert frame(formula="sex").cells.columns.tolist() == ["sex"]
    assert len(rakings) == 2
    frame()
    frame(fresh=True)
    assert len(rakings) == 4
    folder = tmp_path / ".stages" / ".frame"
    for damaged in ("count.npy", "frame.json", "cells.parquet"):
        whole = (folder / damaged).read_bytes()
        (folder / damaged).write_bytes(whole[: len(whole) // 2])
        assert (frame().count == first.count).all()
    assert len(rakings) == 7
    assert told == [f"{folder} is damaged: the frame is raked again"] * 3


def test_other_margins_are_raked_anew(written: Path, tmp_path: Path, rakings: list[int]) -> None:
    spec = read_project(written, outcomes=["belonging"], out=tmp_path)
    sex = written / "data" / "sex.csv"
    text = sex.read_text("utf-8")
    for changed in (text, text, text.replace(",male,", ",other,")):
        try:
            sex.write_text(changed, "utf-8")
            inputs = ProjectInputs(spec, kept=KeptFrame(spec, Digests(spec.root), lambda _: None))
            frame, problems = inputs.frame
        finally:
            sex.write_text(text, "utf-8")
    assert len(rakings) == 2
    assert frame is None
    assert "seed.csv has nobody of 'sex' 'other'" in "".join(map(str, problems))


def test_margins_that_contradict_the_seed_stop_a_run_before_it_writes(
    written: Path, done: Path, tmp_path: Path
) -> None:
    seed = pd.read_csv(written / "data" / "seed.csv")
    text = (written / "data" / "seed.csv").read_text("utf-8")
    try:
        seed.assign(n=seed["n"].where(seed["age"] != "65+", 0)).to_csv(written / "data" / "seed.csv", index=False)
        with pytest.raises(DataError, match=r"seed\.csv has nobody of 'age' '65\+'"):
            run_folder(written, RunOptions(outcomes=("belonging",), out=tmp_path / "out", quiet=True))
        assert not list((tmp_path / "out").rglob("*.npy"))
    finally:
        (written / "data" / "seed.csv").write_text(text, "utf-8")


def test_replicates_of_uncertain_margins_are_projected(written: Path) -> None:
    project = Project(written)
    fit = project.fit("belonging", draws=400, jobs=2)
    frames = list(project.frames(fit, {"age": CellNoise(2.0)}, 3))
    code = str(fit.data.areas.codes[0])
    means = [fit.project(frame=frame).summary() for frame in [None, *frames]]
    first = [float(m.loc[m["area_code"] == code, "mean"].iloc[0]) for m in means]
    assert len({round(value, 9) for value in first}) == 4
    assert np.ptp(first) < 0.05
    with pytest.raises(ConfigurationError, match="there is no margin 'tenure'"):
        next(project.frames(fit, {"tenure": CellNoise(1.0)}, 1))
