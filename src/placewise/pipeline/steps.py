"""What each stage does with one outcome: it leaves its files in the outcome's folder and returns its facts."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from placewise.pipeline import atomic, benchmarks
from placewise.pipeline.diagnosing import diagnose
from placewise.pipeline.fitting import couple, fit, read_data
from placewise.pipeline.inputs import source_print
from placewise.pipeline.outcome import OutcomeRun
from placewise.pipeline.stages import Stage

if TYPE_CHECKING:
    from placewise.estimates.predictor import Predictor
    from placewise.estimates.summarise import Summary

Step = Callable[[OutcomeRun], Mapping[str, Any]]


def sensitivity(run: OutcomeRun) -> Mapping[str, Any]:
    """Fit with survey weights and with other priors, where the model file asks; leaves ``sensitivity.json``."""
    if not run.model.sensitivity:
        return {}
    from placewise.pipeline.sensitivity import sensitivity as try_others

    # other weights and priors change an outcome's own fit, whatever it is coupled with
    found = try_others(run.alone())
    atomic.write_text(run.store.folder / "sensitivity.json", json.dumps(found, indent=1, allow_nan=False))
    return {"refits": len(found["priors"]["refits"])}


def project(run: OutcomeRun) -> Mapping[str, Any]:
    """Estimate every area, level and the nation; leaves ``estimates*``, ``release/`` and ``benchmark.json``."""
    from placewise.estimates.exact_means import meet_exactly
    from placewise.estimates.grades import mark_failed
    from placewise.estimates.release import write_release
    from placewise.publish.tables import with_outcome, write_estimates

    threads = run.work.threads
    moved = benchmarks.benchmark_run(run, threads)
    predictor = run.predictor if moved is None else moved.predictor
    checked = run.record("diagnose")
    failed = checked is not None and checked.facts["status"] == "fail"
    summaries = []
    for position, estimand in enumerate(run.model.outcome.estimands):
        summary = _estimate(run, predictor, position, threads)
        name = f"estimates_{estimand.name}" if position else "estimates"
        estimates = summary.estimates
        if moved is not None and moved.mode == "exact" and position == 0:
            estimates = meet_exactly(estimates, moved)
        estimates = mark_failed(estimates) if failed else estimates
        write_estimates(with_outcome(estimates, run.name), run.store.folder, name)
        summaries.append(summary)
    with atomic.replacing(run.store.folder / "release") as part:
        part.mkdir()
        standards = tuple(summary.standard for summary in summaries)
        areas = run.data.areas
        write_release(part, predictor, standards, failed, areas.names, areas.centroids)
    if moved is not None:
        told = {"level": moved.level, "mode": moved.mode, **moved.moved.as_dict()}
        atomic.write_text(run.store.folder / "benchmark.json", json.dumps(told, indent=1, allow_nan=False))
    return {"chance_share": summaries[0].chance_share, "standing": _standing(run, predictor, summaries[0])}


def _standing(run: OutcomeRun, predictor: Predictor, summary: Summary) -> Mapping[str, Any] | None:
    """What stands out at the level that the report ranks, given who lives there; None where there is no such level."""
    from placewise.estimates.notable import notable
    from placewise.publish.ranked import level_to_rank

    levels = (run.data.areas.code, *run.data.areas.levels)
    level = level_to_rank({name: len(summary.level(name)) for name in levels})
    return None if level is None else notable(predictor, level, summary.standard)


def _estimate(run: OutcomeRun, predictor: Predictor, position: int, threads: int) -> Summary:
    """Estimates of one estimand, on threads or on the workers of a scheduler."""
    from placewise.estimates.summarise import summarise
    from placewise.pipeline.workers import crew_at

    names, work = run.data.areas.names, run.work
    told = work.reporter.bar(f"{run.name}: areas", len(predictor.codes))
    with told as bar, crew_at(work.scheduler, work.jobs) as crew:
        return summarise(predictor, position, names=names, threads=threads, crew=crew, progress=bar)


def publish(run: OutcomeRun) -> Mapping[str, Any]:
    """Write the report; leaves ``report.html`` and keeps what the first page and the metadata say of the outcome."""
    from placewise.pipeline.report import estimand_kind, estimand_words, report_context
    from placewise.publish.index_page import summarise
    from placewise.publish.metadata import further_metadata, outcome_metadata
    from placewise.publish.report import render_report

    context, outcome = report_context(run), run.model.outcome
    further = [
        further_metadata(context, e.name, estimand_words(outcome, e), estimand_kind(e)) for e in outcome.estimands[1:]
    ]
    atomic.write_text(run.store.folder / "report.html", render_report(context))
    return {
        "source": source_print(run.spec, run.model, run.work.digests),
        "date": context.date,
        "summary": dataclasses.asdict(summarise(context)),
        "metadata": [outcome_metadata(context), *further],
    }


STEPS: Mapping[Stage, Step] = {
    "data": read_data,
    "fit": fit,
    "joint": couple,
    "sensitivity": sensitivity,
    "diagnose": diagnose,
    "project": project,
    "publish": publish,
}
