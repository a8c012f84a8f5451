"""What weights, sampling units and strata do to the precision of a survey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from placewise.surveys.disclosure import THRESHOLD
from placewise.surveys.respondents import Respondents

HEAVIEST = 0.01


@dataclass(frozen=True)
class WeightFacts:
    """How unequal the weights are.

    Parameters
    ----------
    deff : float
        Kish's design effect of weighting, n Σw² / (Σw)²: how many times as large the variance of a mean is as with
        equal weights, where what is measured has nothing to do with the weights.
    n_eff : float
        Respondents with equal weights who would tell as much, (Σw)² / Σw².
    cv : float
        Standard deviation of the weights over their mean.
    heaviest : float or None
        Share of all weight on the heaviest 1% of respondents; None where these are fewer than the threshold.
    """

    deff: float
    n_eff: float
    cv: float
    heaviest: float | None


@dataclass(frozen=True)
class ClusterFacts:
    """How respondents are clustered.

    Parameters
    ----------
    units, strata : int or None
        Primary sampling units, and strata; None where the survey names none.
    lonely : int
        Strata with one unit, whose variance the design cannot tell.
    respondents : float or None
        Respondents in a unit, on average.
    """

    units: int | None
    strata: int | None
    lonely: int
    respondents: float | None


def weight_facts(respondents: Respondents) -> WeightFacts | None:
    """How unequal the weights are; None where there are none or too few respondents.

    References
    ----------
    Kish (1965), Survey Sampling, section 11.7.
    """
    weight = respondents.weight
    if weight is None or weight.size < THRESHOLD:
        return None
    n_eff = float(weight.sum() ** 2 / (weight**2).sum())
    heavy = int(HEAVIEST * weight.size)
    heaviest = float(np.sort(weight)[-heavy:].sum() / weight.sum()) if heavy >= THRESHOLD else None
    return WeightFacts(weight.size / n_eff, n_eff, float(np.sqrt(weight.size / n_eff - 1)), heaviest)


def cluster_facts(respondents: Respondents) -> ClusterFacts | None:
    """How respondents are clustered; None where the survey names neither units nor strata."""
    psu, strata = respondents.psu, respondents.strata
    if psu is None and strata is None:
        return None
    stratum = np.zeros(len(respondents), dtype=object) if strata is None else strata
    lonely, units = 0, None
    if psu is not None:
        pairs = pd.DataFrame({"stratum": stratum, "psu": psu}).drop_duplicates()
        units = len(pairs)
        lonely = int((pairs["stratum"].value_counts() == 1).sum())
    return ClusterFacts(
        units,
        None if strata is None else len(set(strata)),
        lonely,
        None if units is None else len(respondents) / units,
    )


def to_json(facts: WeightFacts | ClusterFacts | None) -> dict[str, Any] | None:
    """JSON values."""
    return None if facts is None else dict(vars(facts))
