"""What would be published with weighted answers, less of a second survey, or other priors: the fits beside the fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from placewise.diagnostics import sensitivity as verdicts
from placewise.errors import PlacewiseError
from placewise.estimates.outlook import Outlook, outlook
from placewise.geography.level_names import compared_level
from placewise.models import inference
from placewise.models.design_effects import RATIO
from placewise.models.engines import FitOptions
from placewise.models.fewer_surveys import without_survey
from placewise.models.fit import Posterior
from placewise.models.hyperprior import log_hyperprior
from placewise.models.prior_scale import set_by_prior, with_scaled
from placewise.models.refit import refit
from placewise.pipeline import interrupt
from placewise.pipeline.modelling import predict
from placewise.pipeline.weighting import corrected, ratios, usable_weights

if TYPE_CHECKING:
    from placewise.models.prior_plan import PriorPlan
    from placewise.pipeline.load import OutcomeData
    from placewise.pipeline.outcome import OutcomeRun

FACTORS = {"halved": 0.5, "doubled": 2.0}
# of the likelihood of each survey but the reference (a power prior, Ibrahim and Chen 2000); 0: the reference alone
SURVEY_POWERS = (0.5, 0.0)
# powers of the hyperpriors at which clear areas are counted: a little off 1, where weights can still be relied on
POWERS = (0.8, 1.25)


def sensitivity(run: OutcomeRun) -> dict[str, Any]:
    """All of it, as JSON values: ``level``, ``weights`` (None without them), ``surveys``, ``priors``, ``powers``.

    A refit that fails is told with its reason, not passed over.
    """
    level = compared_level(run.data.areas.levels)
    threads = run.work.threads
    densities = log_hyperprior(run.posterior)
    together = np.sum(list(densities.values()), axis=0) if densities else np.zeros(run.posterior.n_draws)
    weights, khats = _importance(together)
    base = outlook(run.predictor, level, weights, threads)
    return {
        "level": level,
        "weights": _weighted(run, base, level, threads),
        "surveys": _surveys(run, base, level, threads),
        "priors": _priors(run, base, level, threads),
        "powers": _powers(base, together, khats),
        "hyperpriors": sorted(densities),
    }


def _importance(log_prior: np.ndarray) -> tuple[np.ndarray, list[float]]:
    """Weights of the draws with the prior as it is and to each of the powers, (3, S); Pareto k of the latter."""
    rows, khats = [np.full(len(log_prior), 1.0 / len(log_prior))], []
    for power in POWERS:
        smoothed, khat = inference.smooth_weights((power - 1.0) * log_prior)
        rows.append(np.exp(smoothed - np.logaddexp.reduce(smoothed)))
        khats.append(khat)
    return np.array(rows), khats


def _again(
    run: OutcomeRun, plan: PriorPlan, weights: np.ndarray | None = None, data: OutcomeData | None = None
) -> Posterior:
    """Another fit by the engine that made the published draws, with as many draws and the same seed."""
    interrupt.raise_if_asked()
    options = FitOptions(
        draws=run.work.draws, seed=run.spec.seed, jobs=run.work.jobs, progress=run.reporter.bars, tell=run.reporter.say
    )
    own = data or run.data
    return refit(own.design, own.response, run.model.outcome.family, plan, run.posterior.engine, options, weights)


def _outlook(
    run: OutcomeRun, posterior: Posterior, level: str, threads: int, data: OutcomeData | None = None
) -> Outlook:
    return outlook(predict(run.model, data or run.data, posterior, run.spec.seed), level, threads=threads)


def _weighted(run: OutcomeRun, base: Outlook, level: str, threads: int) -> dict[str, Any] | None:
    """The weighted pseudo-likelihood beside the fit; None where the survey has no weights."""
    weight = usable_weights(run.data.respondents)
    if weight is None:
        return None
    run.reporter.say(f"{run.name}: fitting with survey weights")
    try:
        posterior = _again(run, run.posterior.priors, weight)
    except PlacewiseError as error:
        return {"failed": error.problems[0].message}
    kish = float(weight.sum() ** 2 / np.square(weight).sum() / len(weight))
    effects = ratios(run.data, run.model.outcome.family, posterior, weight)
    other = _outlook(run, posterior, level, threads)
    wide = corrected(posterior, effects)
    honest = other if wide is posterior else _outlook(run, wide, level, threads)
    shift = verdicts.shift_in_sds(other.level, base.level)
    far = np.flatnonzero(np.abs(shift) > verdicts.SHIFT)
    order = far[np.argsort(-np.abs(shift[far]), kind="stable")]
    return {
        **_told(other, base),
        "corrected_sd": float(honest.national.std()),
        "kish": kish,
        "chance": len(shift) * verdicts.by_chance(kish),
        "moved": [base.codes[k] for k in order],
        "shifts": [float(shift[k]) for k in order],
        "ratios": effects,
        "corrected": {name: ratio for name, ratio in effects.items() if ratio > RATIO},
    }


def _surveys(run: OutcomeRun, base: Outlook, level: str, threads: int) -> list[dict[str, Any]]:
    """The published figures had each survey but the reference counted half, or not at all; one row a fit."""
    asked, rows = run.data.response.instruments, list[dict[str, Any]]()
    if asked is None:
        return rows
    for number, survey in enumerate(asked.surveys[1:], start=1):
        for power in SURVEY_POWERS:
            run.reporter.say(f"{run.name}: fitting with survey {survey} to the power {power:g}")
            row: dict[str, Any] = {"survey": survey, "power": power}
            data, plan, weights = run.data, run.posterior.priors, np.where(asked.survey == number, power, 1.0)
            if not power:
                # cutpoints that no answer tells of would be draws of their prior
                design, response, plan = without_survey(data.design, data.response, plan, number)
                data, weights = replace(data, design=design, response=response), weights[asked.survey != number]
            try:
                posterior = _again(run, plan, weights, data)
            except PlacewiseError as error:
                rows.append(row | {"failed": error.problems[0].message})
                continue
            rows.append(row | _told(_outlook(run, posterior, level, threads, data), base))
    return rows


def _priors(run: OutcomeRun, base: Outlook, level: str, threads: int) -> dict[str, Any]:
    """The published figures, and those with the prior of each sd that it sets halved and doubled."""
    plan, rows = run.posterior.priors, []
    for name in set_by_prior(run.posterior):
        for change, factor in FACTORS.items():
            run.reporter.say(f"{run.name}: fitting with the prior of {name} {change}")
            row: dict[str, Any] = {"group": name, "change": change}
            try:
                posterior = _again(run, with_scaled(plan, name, factor))
            except PlacewiseError as error:
                rows.append(row | {"failed": error.problems[0].message})
                continue
            rows.append(row | _told(_outlook(run, posterior, level, threads), base))
    return {"published": _told(base, base), "refits": rows}


def _told(other: Outlook, base: Outlook) -> dict[str, Any]:
    """How one set of draws differs from the published one; shifts in posterior sds of the latter."""
    shift = verdicts.shift_in_sds(other.level, base.level)
    largest = float(shift[np.abs(shift).argmax()]) if len(shift) else 0.0
    return {
        "mean": float(other.national.mean()),
        "sd": float(other.national.std()),
        "national": float(verdicts.shift_in_sds(other.national, base.national)),
        "areas": len(shift),
        "largest": largest,
        "beyond": int((np.abs(shift) > verdicts.SHIFT).sum()),
        "spread": float(other.spread.mean()),
        "clear": float(other.clear[0]),
        "width": other.width,
    }


def _powers(base: Outlook, log_prior: np.ndarray, khats: list[float]) -> dict[str, Mapping[str, Any]]:
    """How far each figure leans on the hyperpriors."""
    areas = {f"area {k}": draws for k, draws in enumerate(base.level)}
    found = inference.power_sensitivity({"national": base.national, "spread": base.spread, **areas}, log_prior)
    told: dict[str, Mapping[str, Any]] = {"national": verdicts.power_verdict(found["national"])}
    if areas:
        each = np.array([found[name] for name in areas])
        told["areas"] = {
            **verdicts.power_verdict(float(each.max())),
            "of": len(each),
            "leaning": int((each > verdicts.POWER).sum()),
        }
    told["spread"] = verdicts.power_verdict(found["spread"])
    share = verdicts.share_verdict(base.clear[1], base.clear[0], base.clear[2], float(np.log2(POWERS[1] / POWERS[0])))
    told["clear"] = {**share, "khat": max(khats), "down": float(base.clear[1]), "up": float(base.clear[2])}
    return told
