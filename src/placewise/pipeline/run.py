"""From a project folder to its results: each stage of each outcome, computed only where it is out of date."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from placewise.errors import ConfigurationError, PlacewiseError, Problem, Problems
from placewise.pipeline import atomic, interrupt
from placewise.pipeline.finish import write_manifest, write_pages
from placewise.pipeline.inputs import Digests
from placewise.pipeline.joint import FOLDER, Joint
from placewise.pipeline.joint import problems_of as joint_problems
from placewise.pipeline.kept_frame import KeptFrame
from placewise.pipeline.load import ProjectInputs
from placewise.pipeline.lock import locked
from placewise.pipeline.outcome import OutcomeRun, Work
from placewise.pipeline.progress import Reporter
from placewise.pipeline.project_file import PROJECT_FILE, collect, read_project
from placewise.pipeline.project_spec import ProjectSpec
from placewise.pipeline.stages import STAGES, Record, Stage
from placewise.pipeline.steps import STEPS, Step
from placewise.pipeline.summary import OutcomeResult, RunSummary

LEAST_ROOM = 50_000_000
WORDS: Mapping[Stage, str] = {
    "data": "reading the data",
    "fit": "fitting the model",
    "joint": "coupling it with the other outcomes",
    "diagnose": "checking the fit",
    "project": "estimating every area",
    "publish": "writing the report",
}


@dataclass(frozen=True)
class RunOptions:
    """Options of the command line.

    Parameters
    ----------
    until : str
        The last stage wanted.
    outcomes : tuple of str
        Names of the outcomes wanted; empty: all.
    engine, seed, out
        Instead of the model files' and the project file's, where given.
    draws : int
        Posterior draws to keep.
    fresh : bool
        Compute everything again.
    allow_fail : bool
        Go on, watermarked, although the diagnostics fail.
    jobs : int or None
        Processes at the same time; None: all cores.
    scheduler : str or None
        Where areas are estimated: see ``placewise.pipeline.workers.crew_at``.
    quiet : bool
        Say only what went wrong.
    """

    until: Stage = "publish"
    outcomes: tuple[str, ...] = ()
    engine: str | None = None
    seed: int | None = None
    out: Path | None = None
    draws: int = 2000
    fresh: bool = False
    allow_fail: bool = False
    jobs: int | None = None
    scheduler: str | None = None
    quiet: bool = False


def run_folder(folder: Path, options: RunOptions) -> RunSummary:
    """Read a project folder and run it.

    Raises
    ------
    PlacewiseError
        Every problem of the configuration, or else of the data, at once; nothing has been written then.
    """
    require_project(folder)
    engine, seed, out = options.engine, options.seed, options.out
    spec = read_project(folder, outcomes=options.outcomes or None, engine=engine, seed=seed, out=out)
    whole = collect(folder, engine=engine, seed=seed, out=out)[0] if options.outcomes else None
    return run_project(spec, options, everything=whole)


def require_project(folder: Path) -> None:
    """Make sure that there is a project file.

    Raises
    ------
    ConfigurationError
        There is none; the message says how to start one.
    """
    if not folder.is_file() and not (folder / PROJECT_FILE).exists():
        raise ConfigurationError(
            Problem(
                str(folder / PROJECT_FILE),
                "there is no such file",
                "name the project's folder with --project, or start one: placewise init --example",
            )
        )


def run_project(
    spec: ProjectSpec,
    options: RunOptions,
    steps: Mapping[Stage, Step] = STEPS,
    everything: ProjectSpec | None = None,
) -> RunSummary:
    """Run the stages of a project's outcomes up to ``options.until``.

    Parameters
    ----------
    spec : ProjectSpec
        As read; ``engine``, ``seed`` and ``out`` of the options are taken to be in it already.
    steps : mapping of stage to callable
        What each stage does.
    everything : ProjectSpec, optional
        The project with all its outcomes where ``spec`` holds only some: pages and manifest speak of all.

    Raises
    ------
    PlacewiseError
        Every problem of the data of all outcomes at once, before anything is changed on disk.
    """
    began = time.monotonic()
    reporter = Reporter(options.quiet)
    atomic.check_writable(spec.out, LEAST_ROOM)
    with interrupt.watched(), locked(spec.out):
        atomic.remove_leftovers(spec.out)
        if not (everything or spec).joint and FOLDER not in (everything or spec).models:
            atomic.remove(spec.out / FOLDER)
        digests = Digests(spec.root)
        inputs = ProjectInputs(spec, kept=KeptFrame(spec, digests, reporter.warn, options.fresh))
        jobs = options.jobs or os.cpu_count() or 1
        work = Work(inputs, digests, options.draws, jobs, reporter, options.scheduler)
        names = [name for name in spec.models if not options.outcomes or name in options.outcomes]
        runs = [OutcomeRun(work, spec.models[name], fresh=options.fresh) for name in names]
        _read_all(runs, steps)
        _fit_together(runs, options, steps)
        results = [_run_outcome(run, options, steps) for run in runs]
        write_pages(everything or spec, digests, reporter)
        write_manifest(everything or spec, digests, reporter)
    return RunSummary(spec.out, tuple(results), tuple(reporter.warnings), time.monotonic() - began, options.allow_fail)


def _read_all(runs: list[OutcomeRun], steps: Mapping[Stage, Step]) -> None:
    """Read the data of every outcome that needs it, so that the problems of all are told at once."""
    found = Problems()
    for run in runs:
        if run.record("data") is None:
            run.reporter.say(f"{run.name}: {WORDS['data']}")
            try:
                run.perform("data", steps["data"])
            except PlacewiseError as error:
                found.extend(error.problems)
    found.raise_if_any()
    members = [run for run in runs if run.together]
    if any("data" in run.facts for run in members):
        found.extend(joint_problems(members[0].spec, {run.name: run.data for run in members}))
        found.raise_if_any()


def _fit_together(runs: list[OutcomeRun], options: RunOptions, steps: Mapping[Stage, Step]) -> None:
    """Fit the outcomes that are modelled together, before the first of them is coupled with the others."""
    by_name = {run.name: run for run in runs if run.together}
    members = [by_name[name] for name in (runs[0].spec.joint if by_name else ())]
    coupled = STAGES.index("joint") + 1
    if any(run.record(stage) is None for run in members for stage in run.stages(options.until)[:coupled]):
        # what they have in common goes before any of them changes
        atomic.remove(members[0].spec.out / FOLDER)
    joint = Joint(members)
    for run in members:
        run.joint = joint
        for stage in run.stages(options.until):
            if stage in ("data", "fit") and run.record(stage) is None:
                _compute(run, stage, steps)
        run.forget()


def _run_outcome(run: OutcomeRun, options: RunOptions, steps: Mapping[Stage, Step]) -> OutcomeResult:
    done: dict[str, str] = {}
    status, reasons = "", ()
    for stage in run.stages(options.until):
        record = run.record(stage)
        done[stage] = "up to date" if record is not None and not run.made(stage) else "computed"
        if record is None:
            record = _compute(run, stage, steps)
        if stage == "diagnose":
            status, reasons = record.facts["status"], tuple(record.facts["reasons"])
            if status == "fail" and not options.allow_fail:
                run.invalidate("project")
                break
    published = run.store.read("publish") is not None
    run.forget()
    return OutcomeResult(run.name, status, reasons, done, published)


def _compute(run: OutcomeRun, stage: Stage, steps: Mapping[Stage, Step]) -> Record:
    run.invalidate(stage)
    if stage not in run.facts:
        if stage in WORDS:
            run.reporter.say(f"{run.name}: {WORDS[stage]}")
        run.perform(stage, steps[stage])
        interrupt.raise_if_asked()
    return run.finish(stage)
