"""Each survey beside the reference, place by place, where an outcome is asked by several."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from placewise.diagnostics.conflict import FALSE_DISCOVERIES, Contrast, best_departures, contrast_surveys
from placewise.estimates.predictor import Predictor
from placewise.estimates.projector import Projector
from placewise.estimates.subset import only, spread_evenly
from placewise.models.design import Group
from placewise.models.design_effects import cluster_sums
from placewise.models.discrepancy import DISCREPANCY_OF
from placewise.models.fit import Posterior
from placewise.models.pointwise import log_likelihood
from placewise.models.sd_table import SET_BY_PRIOR, sd_table, spread_of_log
from placewise.pipeline.load import OutcomeData
from placewise.pipeline.predictive import linear_predictor
from placewise.surveys.disclosure import THRESHOLD
from placewise.surveys.instruments import Instruments

if TYPE_CHECKING:
    from placewise.pipeline.outcome import OutcomeRun

STEP = 0.1
# draws × respondents for which likelihoods are computed; of a scale each costs an integral
MOST_VALUES, MOST_OF_A_SCALE = 6_000_000, 1_500_000
LEAST_DRAWS, MOST_DRAWS = 250, 1000
# draws × respondents in memory at once
MOST_AT_ONCE = 2_000_000
# areas over which the published figure's slope is taken
MOST_AREAS = 100


def survey_conflicts(run: OutcomeRun) -> dict[str, Any]:
    """By survey but the reference, as JSON values; empty where one survey asks or no level tells them apart.

    Each has ``reference``; ``level`` of the places; how many are ``compared``, ``withheld`` (fewer than ten respondents
    of either survey) and ``untold`` (nothing but the survey tells of them); ``scale`` (λ) and ``sd`` (τ) with prior,
    posterior and ``set_by_prior``; ``agreement``, the test of all places together; ``apart`` and ``beyond``, the codes
    of those that differ by more than chance and by more than the model expects, at the false discovery rate ``rate``;
    ``areas``, each with ``code``, ``difference`` and ``se`` on the published scale (to first order), and ``z`` and
    ``p`` under the model.
    """
    data, posterior, asked = run.data, run.posterior, run.data.response.instruments
    found: dict[str, Any] = {}
    if asked is None or len(asked.surveys) < 2:
        return found
    slope = _published_slope(run.predictor)
    for number, survey in enumerate(asked.surveys[1:], start=1):
        group = next((g for g in data.design.groups if g.name == DISCREPANCY_OF + survey), None)
        if group is not None:
            found[survey] = _conflict(data, run.model.outcome.family, posterior, asked, number, group, slope)
    return found


def _conflict(
    data: OutcomeData,
    family: str,
    posterior: Posterior,
    asked: Instruments,
    number: int,
    group: Group,
    slope: float,
) -> dict[str, Any]:
    places = len(group.labels)
    met = [np.bincount(group.index[asked.survey == s], minlength=places) for s in (0, number)]
    told = np.flatnonzero((met[0] >= THRESHOLD) & (met[1] >= THRESHOLD))
    scale = posterior.draws("survey_scale")[:, number - 1]
    contrast = _contrast(data, family, posterior, asked, number, group, told)
    # on the reference's scale, then on the published one
    factor = slope / float(scale.mean())
    known = np.flatnonzero(np.isfinite(contrast.z))
    codes = [str(group.labels[k]) for k in told]
    return {
        "reference": asked.surveys[0],
        "level": _level(data, group),
        "compared": len(known),
        "withheld": places - len(told),
        "untold": len(told) - len(known),
        "scale": _scale_row(posterior, scale),
        "sd": _sd_row(posterior, group.name),
        "agreement": {"statistic": contrast.statistic, "degrees": contrast.degrees, "p": contrast.agreement},
        "rate": FALSE_DISCOVERIES,
        "apart": [codes[k] for k in contrast.apart],
        "beyond": [codes[k] for k in contrast.beyond],
        "areas": [
            {
                "code": codes[k],
                "difference": float(contrast.difference[k] * factor),
                "se": float(contrast.se[k] * abs(factor)),
                "z": float(contrast.z[k]),
                "p": float(contrast.p[k]),
            }
            for k in known
        ],
    }


def _contrast(
    data: OutcomeData,
    family: str,
    posterior: Posterior,
    asked: Instruments,
    number: int,
    group: Group,
    told: np.ndarray,
) -> Contrast:
    """Differences in the places that may be told, from as many draws as time allows."""
    if not len(told):
        nothing = np.empty(0)
        return Contrast(nothing, nothing, nothing, nothing, agreement=1.0, statistic=0.0, degrees=0.0)
    rows = np.flatnonzero((asked.survey == number) & np.isin(group.index, told))
    most = MOST_OF_A_SCALE if asked.scale else MOST_VALUES
    wanted = min(MOST_DRAWS, max(LEAST_DRAWS, most // max(len(rows), 1)), posterior.n_draws)
    chosen = np.unique(np.linspace(0, posterior.n_draws - 1, wanted).astype(int))
    response = replace(data.response, instruments=asked.take(rows))
    place = np.searchsorted(told, group.index[rows])
    none = np.empty((len(rows), 0))
    parts = []
    for some in np.array_split(chosen, -(-len(chosen) * data.design.n // MOST_AT_ONCE)):
        mean = linear_predictor(data.design, posterior, some, asked)[:, rows]
        each = [log_likelihood(response, family, mean + h, posterior, some, none) for h in (-STEP, 0.0, STEP)]
        parts.append([cluster_sums(one, place) for one in each])
    below, at, above = np.concatenate(parts, axis=1)
    effect = posterior.draws(f"effect_{group.name}")[np.ix_(chosen, told)]
    best, information = best_departures(effect, below, at, above, STEP)
    return contrast_surveys(best, information, posterior.draws(f"sd_{group.name}"))


def _level(data: OutcomeData, group: Group) -> str:
    """Column whose codes the places are."""
    table = data.areas.table
    columns = [*data.areas.levels, *data.areas.classes]
    return next((name for name in columns if set(group.labels) <= set(map(str, table[name]))), group.dim)


def _sd_row(posterior: Posterior, name: str) -> dict[str, Any]:
    table = sd_table(posterior)
    row = table[table["group"] == name].iloc[0].to_dict()
    told = {key: float(row[key]) for key in ("mean", "q05", "q95")}
    return {"prior": str(row["prior"]), **told, "set_by_prior": bool(row["set_by_prior"])}


def _scale_row(posterior: Posterior, draws: np.ndarray) -> dict[str, Any]:
    prior = posterior.priors.discrimination
    assert prior is not None
    low, high = np.quantile(draws, [0.05, 0.95])
    decided = bool(np.std(np.log(draws)) > SET_BY_PRIOR * spread_of_log(prior))
    return {
        "prior": str(prior), "mean": float(draws.mean()), "q05": float(low), "q95": float(high),
        "set_by_prior": decided,
    }  # fmt: skip


def _published_slope(predictor: Predictor) -> float:
    """How much the published figure rises with the trait, on average over areas; 1 for a latent score."""
    part = only(predictor, spread_evenly(len(predictor.codes), MOST_AREAS))

    def mean_at(shift: float) -> float:
        projector = Projector(replace(part, intercept=part.intercept + shift), people=False)
        return float(projector.block(np.arange(len(part.codes))).values.mean(dtype=float)) + projector.origin

    return (mean_at(STEP) - mean_at(-STEP)) / (2.0 * STEP)
