"""What each stage does with one outcome: it leaves its files in the outcome's folder and returns its facts."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from placewise.errors import ConfigurationError
from placewise.pipeline import atomic, benchmarks, interrupt, modelling
from placewise.pipeline.inputs import source_print
from placewise.pipeline.load import OutcomeData
from placewise.pipeline.outcome import OutcomeRun
from placewise.pipeline.stages import Stage

if TYPE_CHECKING:
    from placewise.estimates.predictor import Predictor
    from placewise.estimates.summarise import Summary

Step = Callable[[OutcomeRun], Mapping[str, Any]]

# netCDF and release each hold every draw once, with room for what compression cannot do.
BYTES_A_DRAW = 12
BYTES_AN_AREA = 1500

# Each thread holds a block of draws and its copies, some 100 MB: the national run must stay under 2 GiB.
MOST_THREADS = 4


def read_data(run: OutcomeRun) -> Mapping[str, Any]:
    """Read and check the data, and that the engine can carry the model; nothing of it is written."""
    data = run.data
    refused = [*modelling.problems_of(run.model, data), *benchmarks.problems_of(run.model, data, run.work.draws)]
    if refused:
        raise ConfigurationError(refused)
    labels = sum(len(group.labels) for group in data.design.groups)
    atomic.check_writable(
        run.spec.out, len(data.areas) * BYTES_AN_AREA + (labels + 100) * run.work.draws * BYTES_A_DRAW
    )
    return {"respondents": len(data.respondents), "areas": len(data.areas), "frame": _raking(data)}


def _raking(data: OutcomeData) -> Mapping[str, Any] | None:
    """How raking went, where the frame was raked from margins."""
    report = None if data.frame is None else data.frame.report
    return None if report is None else report.as_dict()


def fit(run: OutcomeRun) -> Mapping[str, Any]:
    """Fit the model; leaves ``posterior.nc``."""
    from placewise.models import inference

    work = run.work
    data = run.data
    for note in (*modelling.notes_of(run.model, data), *benchmarks.notes_of(run.model, data)):
        run.reporter.say(f"{run.name}: {note}")
    posterior = modelling.sample(
        run.model,
        data.design,
        data.response,
        data.areas.code,
        draws=work.draws,
        seed=run.spec.seed,
        jobs=work.jobs,
        progress=run.reporter.bars,
        tell=lambda sentence: run.reporter.warn(f"{run.name}: {sentence}"),
    )
    interrupt.raise_if_asked()
    with atomic.replacing(run.store.folder / ("separate.nc" if run.together else "posterior.nc")) as part:
        inference.save(posterior.idata, part)
    run.separate = posterior
    if not run.together:
        run.posterior = posterior
    return {"engine": posterior.engine, "draws": posterior.n_draws, "escalation": posterior.escalation}


def couple(run: OutcomeRun) -> Mapping[str, Any]:
    """Couple the outcome with those it is modelled with; leaves ``posterior.nc``, and theirs in common once."""
    from placewise.models import inference

    assert run.joint is not None
    posterior, facts = run.joint.take(run.name)
    with atomic.replacing(run.store.folder / "posterior.nc") as part:
        inference.save(posterior.idata, part)
    run.posterior = posterior
    return facts


def sensitivity(run: OutcomeRun) -> Mapping[str, Any]:
    """Fit with survey weights and with other priors, where the model file asks; leaves ``sensitivity.json``."""
    if not run.model.sensitivity:
        return {}
    from placewise.pipeline.sensitivity import sensitivity as try_others

    # other weights and priors change an outcome's own fit, whatever it is coupled with
    found = try_others(run.alone())
    atomic.write_text(run.store.folder / "sensitivity.json", json.dumps(found, indent=1, allow_nan=False))
    return {"refits": len(found["priors"]["refits"])}


def diagnose(run: OutcomeRun) -> Mapping[str, Any]:
    """Check the draws and predictions, fit the baselines; leaves ``diagnostics.json``."""
    from placewise.diagnostics.below_link import link_checks
    from placewise.diagnostics.conflict import conflict_check
    from placewise.diagnostics.convergence import diagnose as check_fit
    from placewise.diagnostics.crossings import crossing_check
    from placewise.diagnostics.joint import joint_checks
    from placewise.diagnostics.prior_predictive import prior_checks
    from placewise.diagnostics.sensitivity import weights_checks
    from placewise.estimates.crossings import crossed_share
    from placewise.pipeline.baselines import baseline_rows, fit_baselines
    from placewise.pipeline.conflict import survey_conflicts
    from placewise.pipeline.predictive import predictive_checks
    from placewise.pipeline.prior_predictive import prior_predictive

    data = run.data
    predictive = predictive_checks(run.model, data, run.posterior, run.spec.seed)
    # an engine is judged by the draws that it made
    found = check_fit(run.separate.idata, private=data.design.geography).with_checks(p.check() for p in predictive)
    coupled = run.record("joint") if run.together else None
    if coupled is not None:
        found = found.with_checks(joint_checks(coupled.facts["measures"]))
    if data.design.category_specific:
        share = crossed_share(run.predictor, min(run.work.jobs, MOST_THREADS))
        found = found.with_checks([] if share is None else [crossing_check(share)])
    found = found.with_checks(link_checks(data.design, run.posterior))
    expected = prior_predictive(run)
    found = found.with_checks(prior_checks(expected))
    # of this outcome by itself: others would speak for a survey that does not ask them
    conflicts = survey_conflicts(run.alone())
    found = found.with_checks(conflict_check(survey, told) for survey, told in conflicts.items())
    tried = read_sensitivity(run)
    if tried is not None:
        found = found.with_checks(weights_checks(tried["weights"], tried["level"]))
    baselines = fit_baselines(data, run.model.outcome)
    told = {
        **found.to_dict(),
        "engine": run.posterior.engine,
        "escalation": run.posterior.escalation,
        "frame": _raking(data),
        "baselines": [] if baselines is None else baseline_rows(baselines),
        "sensitivity": tried,
        "prior": expected,
        "surveys": conflicts,
        "predictive": {p.name: json.loads(p.table.to_json(orient="records")) for p in predictive},
    }
    atomic.write_text(run.store.folder / "diagnostics.json", json.dumps(told, indent=1))
    reasons = [check.sentence for check in found.checks if check.verdict != "pass"]
    return {"status": found.status, "reasons": reasons}


def read_sensitivity(run: OutcomeRun) -> Mapping[str, Any] | None:
    """What other weights and priors would say; None where it was not tried."""
    path = run.store.folder / "sensitivity.json"
    found: Mapping[str, Any] | None = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    return found


def project(run: OutcomeRun) -> Mapping[str, Any]:
    """Estimate every area, level and the nation; leaves ``estimates*``, ``release/`` and ``benchmark.json``."""
    from placewise.estimates.exact_means import meet_exactly
    from placewise.estimates.grades import mark_failed
    from placewise.estimates.release import write_release
    from placewise.publish.tables import with_outcome, write_estimates

    threads = min(run.work.jobs, MOST_THREADS)
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
