"""A run whose stages write a line each: what the tests of killing, resuming and locking run, also as a script."""

import os
import signal
import sys
import time
from pathlib import Path

from placewise.geography.spec import AreasSpec
from placewise.models.spec import ModelSpec, OutcomeSpec
from placewise.pipeline import atomic
from placewise.pipeline.project_spec import ProjectSpec
from placewise.pipeline.run import RunOptions, run_project
from placewise.surveys.spec import SurveySpec

WRITES = {"fit": "posterior.nc", "diagnose": "diagnostics.json", "project": "estimates.csv"}


def spec_of(root, formula="age", names=("belonging", "health"), seed=1, title="Health"):
    models = {name: ModelSpec(OutcomeSpec(name, title, ("cls",), "bernoulli"), formula) for name in names}
    survey = SurveySpec("cls", root / "survey.csv", "area", "code")
    return ProjectSpec(
        root, "stub", "Stub", seed, root / "out", AreasSpec(root / "areas.csv", "code"), {"cls": survey}, models
    )


def write_inputs(root):
    (root / "areas.csv").write_text("code\nA\n")
    (root / "survey.csv").write_text("area,age\nA,30\n")


class Steps(dict):
    """Stub stages; ``ran`` lists what was computed; a stage in ``deaths`` ends the process in its middle or end."""

    def __init__(self, status="pass", deaths=(), pause=None):
        super().__init__({stage: self._step(stage) for stage in ("data", "fit", "sensitivity", "diagnose", "project")})
        self.ran = []
        self.status, self.deaths, self.pause = status, deaths, pause

    def _step(self, stage):
        def step(run):
            self.ran.append(f"{run.name}.{stage}")
            if self.pause == stage:
                print("paused", flush=True)
                time.sleep(60)
            if stage in WRITES:
                with atomic.replacing(run.store.folder / WRITES[stage]) as part:
                    part.write_text(f"{stage} of {run.name}: {run.model.formula}, seed {run.spec.seed}\n")
                    self._die(run, stage, "in")
            self._die(run, stage, "after")
            return (
                {"status": self.status, "reasons": ["rhat 1.02 > 1.01"] * (self.status == "fail")}
                if stage == "diagnose"
                else {}
            )

        return step

    def _die(self, run, stage, when):
        if f"{when} {run.name}.{stage}" in self.deaths:
            os.kill(os.getpid(), signal.SIGKILL)


def run(root, steps, until="project", spec=None, **options):
    return run_project(spec or spec_of(root), RunOptions(until=until, quiet=True, **options), steps)


if __name__ == "__main__":
    run(Path(sys.argv[1]), Steps(deaths=tuple(sys.argv[2:3]), pause=(sys.argv[3:4] or [None])[0]))
