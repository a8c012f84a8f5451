"""Each covariate in figures: how it spreads over the areas, and where it is missing or filled in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from placewise.opendata.build import AreasTable
from placewise.opendata.spec import Covariate

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


@dataclass(frozen=True)
class Distribution:
    """A covariate over the areas.

    Parameters
    ----------
    mean, sd : float
        Weighted by adults, over the areas that have a value.
    quantiles : tuple of float
        At ``QUANTILES``, every area counting once.
    between : float
        Share of the weighted variance that lies between local authorities.
    missing, imputed : int
        Areas without a value, and areas whose value was filled in.
    countries : mapping of country to float
        Weighted mean of each country that has values.
    """

    covariate: Covariate
    mean: float
    sd: float
    quantiles: tuple[float, ...]
    between: float
    missing: int
    imputed: int
    countries: dict[str, float]


def describe_covariates(areas: AreasTable) -> tuple[Distribution, ...]:
    """Every covariate of an areas table in figures, in the table's order."""
    frame = areas.frame
    imputed = {c.name: areas.imputations[c.name].areas if c.name in areas.imputations else 0 for c in areas.covariates}
    return tuple(_describe(frame, covariate, imputed[covariate.name]) for covariate in areas.covariates)


def _describe(frame: pd.DataFrame, covariate: Covariate, imputed: int) -> Distribution:
    known = frame[frame[covariate.name].notna()]
    values, weights = known[covariate.name].to_numpy(), known["adults"].to_numpy(dtype=np.float64)
    mean = float(np.average(values, weights=weights))
    variance = float(np.average((values - mean) ** 2, weights=weights))
    groups = pd.DataFrame({"w": weights, "wv": weights * values}).groupby(known["lad22cd"].to_numpy()).sum()
    between = float(np.average((groups["wv"] / groups["w"] - mean) ** 2, weights=groups["w"]))
    sums = pd.DataFrame({"w": weights, "wv": weights * values}).groupby(known["ctry"].to_numpy()).sum()
    return Distribution(
        covariate,
        mean,
        variance**0.5,
        tuple(float(q) for q in np.quantile(values, QUANTILES)),
        between / variance if variance > 0 else 0.0,
        len(frame) - len(known),
        imputed,
        {str(country): float(row.wv / row.w) for country, row in sums.iterrows()},
    )
