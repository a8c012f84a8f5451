import importlib.util
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from placewise.errors import ConfigurationError, DataError, Problem

SCRIPT = Path(__file__).with_name("stub_run.py")
_found = importlib.util.spec_from_file_location("stub_run", SCRIPT)
stub = importlib.util.module_from_spec(_found)
_found.loader.exec_module(stub)

STAGES = ("data", "fit", "sensitivity", "diagnose", "project")
ALL = [f"{name}.{stage}" for name in ("belonging", "health") for stage in STAGES]


@pytest.fixture
def root(tmp_path):
    stub.write_inputs(tmp_path)
    return tmp_path


def contents(out):
    """What must be the same however often a run was interrupted: everything but the manifest and the records."""
    return {
        p.relative_to(out).as_posix(): p.read_bytes()
        for p in sorted(out.rglob("*"))
        if p.is_file() and ".stages" not in p.parts and p.name != "manifest.json"
    }


def computed(root, **options):
    steps = stub.Steps()
    stub.run(root, steps, **options)
    return sorted(steps.ran)


def test_everything_is_computed_once_and_then_nothing(root):
    steps = stub.Steps()
    first = stub.run(root, steps)
    assert sorted(steps.ran) == sorted(ALL)
    assert first.exit_status == 0
    assert (first.wrong(), "computed data, fit" in first.text()) == ("", True)
    before = contents(root / "out")
    steps = stub.Steps()
    again = stub.run(root, steps)
    assert steps.ran == []
    assert again.outcomes[0].stages == dict.fromkeys(STAGES, "up to date")
    assert contents(root / "out") == before


def test_each_stage_is_timed_by_its_own_work(root, monkeypatch):
    costs = {"data": 1.0, "fit": 30.0, "sensitivity": 4.0, "diagnose": 5.0, "project": 6.0}
    clock = {"now": 100.0}
    monkeypatch.setattr("placewise.pipeline.outcome.time", SimpleNamespace(monotonic=lambda: clock["now"]))

    def taking(stage, step):
        def slow(run):
            clock["now"] += costs[stage]
            return step(run)

        return slow

    stub.run(root, {stage: taking(stage, step) for stage, step in stub.Steps().items()})
    # the second outcome's data are read with the first's and recorded when the first has gone through all stages
    told = json.loads((root / "out" / "manifest.json").read_text())["outcomes"]
    seconds = {name: {stage: row["seconds"] for stage, row in told[name]["stages"].items()} for name in told}
    assert seconds == {"belonging": costs, "health": costs}


def test_all_data_is_read_before_anything_is_fitted(root):
    steps = stub.Steps()
    stub.run(root, steps)
    assert steps.ran[:2] == ["belonging.data", "health.data"]


def test_fresh_computes_everything_again(root):
    computed(root)
    assert computed(root, fresh=True) == sorted(ALL)


def test_only_what_is_out_of_date_is_computed(root):
    computed(root)
    assert computed(root, draws=100) == sorted(x for x in ALL if not x.endswith("data"))
    (root / "survey.csv").write_text("area,age\nA,31\n")
    assert computed(root, draws=100) == sorted(ALL)


def test_a_title_refits_nothing_and_a_formula_does(root):
    computed(root)
    assert computed(root, spec=stub.spec_of(root, title="Other")) == []
    assert "health.fit" in computed(root, spec=stub.spec_of(root, formula="sex"))


def test_a_formula_is_checked_against_the_data_of_every_outcome_before_one_is_fitted(root):
    computed(root)
    steps = stub.Steps()
    stub.run(root, steps, spec=stub.spec_of(root, formula="sex"))
    assert steps.ran[:2] == ["belonging.data", "health.data"]


def test_one_outcome_leaves_the_other_alone(root):
    computed(root)
    assert computed(root, outcomes=("health",), fresh=True) == sorted(x for x in ALL if x.startswith("health"))
    assert (root / "out" / "belonging" / "estimates.csv").exists()


def test_fit_stops_after_the_fit(root):
    assert computed(root, until="fit") == sorted(x for x in ALL if x.endswith(("data", "fit")))
    assert computed(root) == sorted(x for x in ALL if x.endswith(("sensitivity", "diagnose", "project")))


def test_results_of_an_older_model_do_not_stay_beside_a_new_fit(root):
    computed(root)
    computed(root, until="fit", spec=stub.spec_of(root, formula="sex"))
    assert set(contents(root / "out")) == {"belonging/posterior.nc", "health/posterior.nc"}


def test_failed_diagnostics_stop_the_outcome(root):
    computed(root)
    steps = stub.Steps(status="fail")
    summary = stub.run(root, steps, fresh=True)
    assert summary.exit_status == 1
    assert not any(x.endswith("project") for x in steps.ran)
    assert not (root / "out" / "health" / "estimates.csv").exists()
    assert "rhat 1.02 > 1.01" in summary.text()
    assert "rhat 1.02 > 1.01" in summary.wrong()
    again = stub.run(root, stub.Steps())
    assert again.exit_status == 1, "a recorded failure stays a failure"
    allowed = stub.Steps()
    assert stub.run(root, allowed, allow_fail=True).exit_status == 0
    assert sorted(allowed.ran) == ["belonging.project", "health.project"]
    assert stub.run(root, stub.Steps()).exit_status == 1
    assert not (root / "out" / "health" / "estimates.csv").exists()


@pytest.mark.parametrize(
    "death",
    ["in belonging.fit", "after belonging.fit", "in health.project", "after health.diagnose", "after health.data"],
)
def test_a_killed_run_goes_on_from_the_last_finished_stage(root, death):
    whole = root / "whole"
    whole.mkdir()
    stub.write_inputs(whole)
    computed(whole)
    done = subprocess.run([sys.executable, SCRIPT, root, death], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (root / "out" / "manifest.json").exists()
    again = computed(root)
    stage = death.split()[1]
    assert stage in again
    if stage.startswith("health") and not stage.endswith("data"):
        assert not any(x.startswith("belonging") for x in again)
    assert contents(root / "out") == contents(whole / "out")


def test_ctrl_c_leaves_a_clean_state(root):
    process = subprocess.Popen(
        [sys.executable, SCRIPT, root, "", "diagnose"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "paused\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert "KeyboardInterrupt" in said
    assert set(contents(root / "out")) == {"belonging/posterior.nc"}
    assert "belonging.fit" not in computed(root)


def test_the_second_run_in_a_folder_is_refused(root):
    process = subprocess.Popen([sys.executable, SCRIPT, root, "", "fit"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "paused\n"
        with pytest.raises(ConfigurationError, match=f"process {process.pid} on "):
            stub.run(root, stub.Steps())
    finally:
        process.kill()
        process.communicate()
    assert "belonging.fit" in computed(root)


def test_a_full_disk_is_found_before_anything_is_computed(root, monkeypatch):
    usage = shutil.disk_usage(root)._replace(free=10**6)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    steps = stub.Steps()
    with pytest.raises(ConfigurationError, match="1 MB are free, the results need about 50 MB"):
        stub.run(root, steps)
    assert steps.ran == []
    assert not (root / "out").exists()


def test_a_corrupt_cache_is_rebuilt_with_a_warning(root):
    computed(root)
    (root / "out" / "health" / "posterior.nc").write_bytes(b"\x00half")
    steps = stub.Steps()
    summary = stub.run(root, steps)
    assert sorted(steps.ran) == ["health.diagnose", "health.fit", "health.project", "health.sensitivity"]
    assert "posterior.nc is not what was written" in summary.warnings[0]


def test_problems_of_all_outcomes_are_told_at_once_and_nothing_is_written(root):
    steps = stub.Steps()

    def fail(run):
        raise DataError(Problem(run.name, "no answers", kind="data"))

    steps["data"] = fail
    with pytest.raises(DataError) as caught:
        stub.run(root, steps)
    assert [p.where for p in caught.value.problems] == ["belonging", "health"]
    assert not (root / "out").exists()


def test_problems_leave_earlier_results_as_they_were(root):
    computed(root)
    before = contents(root / "out")
    steps = stub.Steps()

    def fail(run):
        raise DataError(Problem(run.name, "no answers", kind="data"))

    steps["data"] = fail
    (root / "survey.csv").write_text("area,age\n")
    with pytest.raises(DataError):
        stub.run(root, steps)
    assert contents(root / "out") == before


def test_the_manifest_names_what_went_in_and_what_came_out(root):
    computed(root)
    manifest = json.loads((root / "out" / "manifest.json").read_text())
    assert manifest["audience"] == "internal"
    assert set(manifest["inputs"]) == {"areas.csv", "survey.csv"}
    assert set(manifest["outputs"]) == set(contents(root / "out"))
    assert manifest["outcomes"]["health"]["status"] == "pass"
    assert manifest["outcomes"]["health"]["stages"]["fit"]["seconds"] >= 0
    assert manifest["peak_memory_bytes"] > 1e6


def test_a_run_that_computes_nothing_leaves_the_manifest_and_one_whose_files_changed_does_not(root):
    computed(root)
    path = root / "out" / "manifest.json"
    known = json.loads(path.read_text()) | {"created": "2020-01-01T00:00:00+00:00", "peak_memory_bytes": 7}
    path.write_text(json.dumps(known))
    assert computed(root) == []
    assert json.loads(path.read_text()) == known
    assert computed(root, outcomes=("health",)) == []
    assert json.loads(path.read_text()) == known
    path.write_text("{")
    assert computed(root) == []
    assert json.loads(path.read_text())["peak_memory_bytes"] > 7
    (root / "survey.csv").write_text("area,age\nA,31\n")
    path.write_text(json.dumps(known))
    assert computed(root) == sorted(ALL)
    assert json.loads(path.read_text())["created"] > known["created"]


def test_the_manifest_holds_the_draws_each_fit_kept(root):
    steps = stub.Steps()
    fit = steps["fit"]
    kept = {"belonging": 104, "health": 100}

    def fitted(run):
        fit(run)
        return {"engine": "nuts", "draws": kept[run.name], "escalation": "The fast engine was set aside."}

    steps["fit"] = fitted
    stub.run(root, steps, draws=101)
    manifest = json.loads((root / "out" / "manifest.json").read_text())
    assert {name: o["draws"] for name, o in manifest["outcomes"].items()} == kept
    assert manifest["draws"] is None, "they differ"
    assert manifest["outcomes"]["health"]["escalation"] == "The fast engine was set aside."
    kept["belonging"] = 100
    stub.run(root, steps, draws=101, fresh=True, outcomes=("belonging",))
    assert json.loads((root / "out" / "manifest.json").read_text())["draws"] == 100


@pytest.mark.parametrize("afterwards", ["goes on", "breaks"])
def test_a_swallowed_ctrl_c_still_ends_the_run(root, afterwards):
    steps = stub.Steps()
    fit = steps["fit"]

    def swallow(run):
        try:
            signal.raise_signal(signal.SIGINT)
            time.sleep(1)
        except KeyboardInterrupt:
            if afterwards == "breaks":
                raise ValueError("a shortened chain") from None
        return fit(run)

    steps["fit"] = swallow
    with pytest.raises(KeyboardInterrupt):
        stub.run(root, steps)
    assert "belonging.fit" in computed(root)
