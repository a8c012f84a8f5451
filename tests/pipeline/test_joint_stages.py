"""Stages of outcomes that are modelled together, with stub steps: what is computed, kept and removed."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path

import pytest

from placewise.pipeline import atomic
from placewise.pipeline.fingerprint import file_digest

SCRIPT = Path(__file__).with_name("stub_run.py")
_found = importlib.util.spec_from_file_location("stub_run", SCRIPT)
assert _found is not None
assert _found.loader is not None
stub = importlib.util.module_from_spec(_found)
_found.loader.exec_module(stub)

NAMES = ("belonging", "health", "trust")
BOTH = ("belonging", "health")


class Steps(stub.Steps):
    """Stub stages of which the fits of joint outcomes leave ``separate.nc``, and their coupling ``posterior.nc``."""

    def __init__(self, **options):
        super().__init__(**options)
        plain = self["fit"]

        def fit(run):
            facts = plain(run)
            if run.together:
                path = run.store.folder / "posterior.nc"
                (run.store.folder / "separate.nc").write_bytes(path.read_bytes())
                path.unlink()
            return facts

        def joint(run):
            self.ran.append(f"{run.name}.joint")
            assert all((run.spec.out / name / "separate.nc").is_file() for name in BOTH)
            common = run.spec.out / "joint" / "posterior.nc"
            if not common.is_file():
                atomic.write_text(common, "of all\n")
            atomic.write_text(run.store.folder / "posterior.nc", f"coupled {run.name}\n")
            return {"digest": file_digest(common)}

        self.update(fit=fit, joint=joint)


@pytest.fixture
def root(tmp_path, monkeypatch):
    stub.write_inputs(tmp_path)
    monkeypatch.setattr("placewise.pipeline.run.joint_problems", lambda spec, data: [])
    monkeypatch.setattr("placewise.pipeline.outcome.OutcomeRun.data", None)
    return tmp_path


def spec_of(root, joint=BOTH, **options):
    return dataclasses.replace(stub.spec_of(root, names=NAMES, **options), joint=joint)


def computed(root, spec=None, **options):
    steps = Steps()
    stub.run(root, steps, spec=spec or spec_of(root), **options)
    return steps.ran


def of(ran, stage):
    return [x.split(".")[0] for x in ran if x.endswith(f".{stage}")]


def test_all_fits_come_before_the_coupling_and_only_members_are_coupled(root):
    ran = computed(root)
    assert of(ran, "joint") == list(BOTH)
    assert max(ran.index(f"{name}.fit") for name in BOTH) < ran.index("belonging.joint")
    assert of(ran, "fit") == list(NAMES)
    assert (root / "out" / "belonging" / "posterior.nc").read_text() == "coupled belonging\n"
    assert not (root / "out" / "trust" / "separate.nc").exists()
    assert computed(root) == []


def test_the_summary_tells_what_was_computed(root):
    found = stub.run(root, Steps(), spec=spec_of(root))
    assert set(found.outcomes[0].stages) == {"data", "fit", "joint", "sensitivity", "diagnose", "project"}
    assert set(found.outcomes[0].stages.values()) == {"computed"}
    assert "joint" not in found.outcomes[2].stages


def test_a_fit_ends_with_the_coupling(root):
    ran = computed(root, until="fit")
    assert of(ran, "joint") == list(BOTH)
    assert of(ran, "diagnose") == []


def test_another_model_of_one_outcome_couples_all_again_and_refits_one(root):
    computed(root)
    changed = spec_of(root)
    model = dataclasses.replace(changed.models["health"], formula="sex")
    ran = computed(root, dataclasses.replace(changed, models={**changed.models, "health": model}))
    assert of(ran, "fit") == ["health"]
    assert of(ran, "joint") == of(ran, "project") == list(BOTH)


@pytest.mark.parametrize("lost", ["joint/posterior.nc", "belonging/posterior.nc"])
def test_what_is_lost_is_coupled_again_and_nothing_refitted(root, lost):
    computed(root)
    (root / "out" / lost).unlink()
    ran = computed(root)
    assert of(ran, "fit") == []
    assert "belonging" in of(ran, "joint")
    assert (root / "out" / lost).is_file()
    assert computed(root) == []


def test_without_the_table_the_outcomes_are_by_themselves_again(root):
    computed(root)
    ran = computed(root, spec_of(root, joint=()))
    assert of(ran, "joint") == []
    assert of(ran, "fit") == list(BOTH)
    assert not (root / "out" / "joint").exists()
    assert not (root / "out" / "belonging" / "separate.nc").exists()
    assert (root / "out" / "belonging" / "posterior.nc").read_text().startswith("fit of belonging")
