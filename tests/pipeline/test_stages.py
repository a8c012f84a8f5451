import json

import pytest

from placewise.pipeline.stages import STAGES, StageStore


@pytest.fixture
def warnings():
    return []


@pytest.fixture
def store(tmp_path, warnings):
    store = StageStore(tmp_path, "health", warnings.append)
    store.folder.mkdir()
    return store


def _finish_all(store):
    written = {
        "fit": "posterior.nc",
        "diagnose": "diagnostics.json",
        "project": "estimates.csv",
        "publish": "report.html",
    }
    for stage in STAGES:
        if stage in written:
            (store.folder / written[stage]).write_text(stage)
        if stage == "project":
            (store.folder / "release").mkdir()
            (store.folder / "release" / "draws.npz").write_text("draws")
        store.finish(stage, f"print of {stage}", 1.5, {"n": 3})


def test_a_finished_stage_is_current_until_its_fingerprint_changes(store, warnings):
    _finish_all(store)
    record = store.current("project", "print of project")
    assert set(record.outputs) == {"estimates.csv", "release/draws.npz"}
    assert record.facts == {"n": 3}
    assert store.current("project", "another print") is None
    assert warnings == []


@pytest.mark.parametrize(("damage", "words"), [("half", "is not what was written"), (None, "is gone")])
def test_a_damaged_output_is_made_again_with_a_warning(store, warnings, damage, words):
    _finish_all(store)
    path = store.folder / "release" / "draws.npz"
    path.unlink() if damage is None else path.write_text(damage)
    assert store.current("project", "print of project") is None
    assert len(warnings) == 1
    assert words in warnings[0]
    assert str(path) in warnings[0]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"stage": "fit"}', "\x00\x01"])
def test_a_damaged_record_is_made_again_with_a_warning(store, warnings, tmp_path, content):
    _finish_all(store)
    (tmp_path / ".stages" / "health" / "fit.json").write_text(content)
    assert store.current("fit", "print of fit") is None
    assert "is damaged" in warnings[0]


def test_invalidating_a_stage_removes_it_and_what_follows(store):
    _finish_all(store)
    (store.folder / "estimates_mean.csv").write_text("of an estimand that is no longer declared")
    (store.folder / "notes.txt").write_text("the user's own")
    store.invalidate("diagnose")
    assert sorted(p.name for p in store.folder.iterdir()) == ["notes.txt", "posterior.nc"]
    assert store.current("fit", "print of fit") is not None
    assert store.current("publish", "print of publish") is None


def test_records_are_readable_json(store, tmp_path):
    store.finish("data", "print", 1.5, {"respondents": 12})
    record = json.loads((tmp_path / ".stages" / "health" / "data.json").read_text())
    assert record["facts"]["respondents"] == 12
    assert record["seconds"] == 1.5
