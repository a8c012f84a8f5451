"""Which files decide which stage."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from placewise.pipeline.inputs import Digests, stage_prints
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
