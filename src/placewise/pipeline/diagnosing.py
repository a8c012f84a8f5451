"""The stage that judges one outcome's fit: every check of its draws and predictions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from placewise.pipeline import atomic
from placewise.pipeline.fitting import raking_of
from placewise.pipeline.outcome import OutcomeRun


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
        share = crossed_share(run.predictor, run.work.threads)
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
        "frame": raking_of(data),
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
