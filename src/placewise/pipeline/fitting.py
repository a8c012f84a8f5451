"""The first stages of one outcome: its data are read, its model fitted and coupled with other outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from placewise.errors import ConfigurationError
from placewise.pipeline import atomic, benchmarks, interrupt, modelling
from placewise.pipeline.load import OutcomeData
from placewise.pipeline.outcome import OutcomeRun

# netCDF and release each hold every draw once, with room for what compression cannot do.
BYTES_A_DRAW = 12
BYTES_AN_AREA = 1500


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
    return {"respondents": len(data.respondents), "areas": len(data.areas), "frame": raking_of(data)}


def raking_of(data: OutcomeData) -> Mapping[str, Any] | None:
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
