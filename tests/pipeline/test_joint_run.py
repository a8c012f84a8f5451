"""A whole run of outcomes that are modelled together, on the small example."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from placewise.models import inference
from placewise.pipeline.example import write_example
from placewise.pipeline.run import RunOptions, run_folder

NAMES = ("belonging", "relationships", "satisfaction")
TABLE = f"\n[joint]\noutcomes = {json.dumps(list(NAMES))}\n"
DRAWS = 600


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_three_outcomes_are_coupled_published_and_separate_again(tmp_path: Path) -> None:
    write_example(tmp_path, small=True)
    project = tmp_path / "placewise.toml"
    alone = project.read_text("utf-8")
    project.write_text(alone + TABLE, "utf-8")
    options = RunOptions(draws=DRAWS, quiet=True, allow_fail=True)
    first, out = run_folder(tmp_path, options), tmp_path / "reports"
    assert [o.name for o in first.outcomes] == list(NAMES)
    assert all(o.published and o.stages["joint"] == "computed" for o in first.outcomes)

    common = inference.load(out / "joint" / "posterior.nc")["posterior"]
    assert list(common["lad_outcome"].values) == list(NAMES)
    for name in NAMES:
        own = inference.load(out / name / "posterior.nc")["posterior"]
        shared = common["effect_lad"].sel(lad_outcome=name)
        assert own.sizes["draw"] == common.sizes["draw"] == DRAWS
        same = own["effect_lad"].sel(lad=shared["lad"].values)
        assert np.allclose(same.to_numpy(), shared.to_numpy(), atol=1e-5)
        checks = json.loads((out / name / "diagnostics.json").read_text("utf-8"))["checks"]
        assert {"khat", "joint_khat", "joint_importance_ess", "joint_gaussian"} <= {c["name"] for c in checks}
        assert "was modelled together with" in (out / name / "report.html").read_text("utf-8")
    tables = json.loads((out / "metadata.json").read_text("utf-8"))["tables"]
    joint = next(t for t in tables if t["url"].startswith("belonging/"))["placewise:outcome"]["joint"]
    assert joint["outcomes"] == list(NAMES)
    assert all(-1 < row["q05"] < row["q95"] < 1 for row in joint["correlations"])
    # everyone of either survey answers for several of the outcomes
    assert len(joint["people"]) == 3
    assert all(row["lower"] < row["value"] < row["upper"] for row in joint["people"])
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert "joint/posterior.nc" in manifest["outputs"]

    again = run_folder(tmp_path, options)
    assert all(set(o.stages.values()) == {"up to date"} for o in again.outcomes)
    project.write_text(alone, "utf-8")
    run_folder(tmp_path, RunOptions(draws=DRAWS, quiet=True, until="fit"))
    assert not (out / "joint").exists()
    assert not (out / "belonging" / "separate.nc").exists()
    assert (out / "belonging" / "posterior.nc").is_file()
