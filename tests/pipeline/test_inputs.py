"""Which files decide which stage."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from placewise.pipeline.inputs import Digests, input_files, stage_prints
from placewise.pipeline.project_file import read_project

ROOT = Path(__file__).resolve().parents[2]


def test_neighbours_decide_the_fit_of_a_model_that_uses_them_and_the_report_of_any(tmp_path: Path) -> None:
    for name in ("data", "models"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "placewise.toml", tmp_path)
    spec = read_project(tmp_path)
    plain = next(iter(spec.models.values()))
    spatial = replace(plain, structure={"lad": "bym2"})

    def prints(model):
        return stage_prints(spec, model, Digests(tmp_path), 100)

    before, before_spatial = prints(plain), prints(spatial)
    (path,) = spec.areas.neighbours.values()
    path.write_text("\n".join(path.read_text().splitlines()[:-1]))
    after, after_spatial = prints(plain), prints(spatial)
    assert after["fit"] == before["fit"]
    assert after["publish"] != before["publish"]
    assert after_spatial["fit"] != before_spatial["fit"]


def test_a_recode_file_decides_the_fit_by_what_it_holds(tmp_path: Path) -> None:
    for name in ("data", "models"):
        shutil.copytree(ROOT / name, tmp_path / name)
    recode = tmp_path / "recode.toml"
    recode.write_text("[variables.extra]\nrequired = false\n")
    shutil.copy(ROOT / "placewise.toml", tmp_path)
    spec = read_project(tmp_path)
    model = next(iter(spec.models.values()))
    spec = replace(spec, surveys={name: replace(survey, recode=recode) for name, survey in spec.surveys.items()})
    assert recode in input_files(spec, model)

    def prints():
        return stage_prints(spec, model, Digests(tmp_path), 100)

    before = prints()
    assert prints() == before
    recode.write_text("[variables.other]\nrequired = false\n")
    assert prints()["data"] != before["data"]
    assert prints()["fit"] != before["fit"]
