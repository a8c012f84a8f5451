"""Survey weights in a pseudo-likelihood: the weights, and how much wider the sample's design makes its parameters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from placewise.models.design_effects import cluster_sums, design_effect_ratios, widened
from placewise.models.fit import Posterior
from placewise.models.inference import replaced
from placewise.models.pointwise import log_likelihood
from placewise.models.refit import scaled_weights
from placewise.pipeline.load import OutcomeData
from placewise.pipeline.predictive import linear_predictor, sd_of_homes
from placewise.surveys.respondents import Respondents

# draws × respondents at a time
MOST_VALUES = 4_000_000
FIXED = ("intercept", "cutpoints", "slopes")


def usable_weights(respondents: Respondents) -> np.ndarray | None:
    """Weights that add up to the number of respondents; None where the survey declares none."""
    return None if respondents.weight is None else scaled_weights(np.asarray(respondents.weight, dtype=np.float64))


def ratios(data: OutcomeData, family: str, posterior: Posterior, weight: np.ndarray) -> dict[str, float]:
    """Design-effect ratio of every fixed effect: intercept or cutpoints, and slopes, by label.

    Clusters are the survey's PSUs within strata, respondents where it declares none.
    """
    labels, parameters = _fixed(data, posterior)
    found = design_effect_ratios(parameters, _cluster_loglik(data, family, posterior, weight))
    return dict(zip(labels, map(float, found), strict=True))


def corrected(posterior: Posterior, effects: Mapping[str, float]) -> Posterior:
    """The posterior with the fixed effects whose ratio exceeds 1.2 widened; the same object where none does."""
    changed, start = {}, 0
    ratio = np.array(list(effects.values()))
    for name in FIXED:
        if posterior.has(name):
            draws = posterior.draws(name)
            flat = draws.reshape(len(draws), -1)
            wide = widened(flat, ratio[start : start + flat.shape[1]])
            start += flat.shape[1]
            if not np.array_equal(wide, flat):
                changed[name] = wide.reshape(draws.shape)
    return Posterior(replaced(posterior.idata, changed), posterior.priors) if changed else posterior


def _fixed(data: OutcomeData, posterior: Posterior) -> tuple[list[str], np.ndarray]:
    """Fixed effects by label, and their draws side by side, (S, p)."""
    parts = {name: posterior.draws(name) for name in FIXED if posterior.has(name)}
    instruments = data.response.instruments
    known = {"intercept": ["intercept"], "slopes": [c.name for c in data.design.columns]}
    if instruments is not None:
        known["cutpoints"] = [f"cutpoint {label}" for label in instruments.cut_labels]
    elif "cutpoints" in parts:
        known["cutpoints"] = [f"cutpoint {k + 1}" for k in range(parts["cutpoints"].shape[-1])]
    columns = [draws.reshape(len(draws), -1) for draws in parts.values()]
    return [label for name in parts for label in known[name]], np.column_stack(columns)


def _cluster_loglik(data: OutcomeData, family: str, posterior: Posterior, weight: np.ndarray) -> np.ndarray:
    """Weighted log likelihood of each cluster in each draw, (S, C)."""
    cluster = _clusters(data.respondents)
    specific = data.design.matrix[:, list(data.design.category_specific)]
    inside = sd_of_homes(data.design, posterior)
    step = max(1, MOST_VALUES // max(len(cluster), 1))
    parts = []
    for first in range(0, posterior.n_draws, step):
        chosen = np.arange(first, min(first + step, posterior.n_draws))
        eta = linear_predictor(data.design, posterior, chosen, data.response.instruments)
        if inside is None:
            each = log_likelihood(data.response, family, eta, posterior, chosen, specific)
        else:
            homes = (
                log_likelihood(data.response, family, eta + by, posterior, chosen, specific) for by in (inside, -inside)
            )
            each = np.logaddexp(*homes) - np.log(2.0)
        parts.append(cluster_sums(each * weight, cluster))
    return np.concatenate(parts)


def _clusters(respondents: Respondents) -> np.ndarray:
    """Number of each respondent's PSU."""
    if respondents.psu is None:
        return np.arange(len(respondents))
    columns = {"psu": respondents.psu}
    if respondents.strata is not None:
        columns["strata"] = respondents.strata
    return np.asarray(pd.DataFrame(columns).groupby(list(columns), sort=False, dropna=False).ngroup(), dtype=np.int64)
