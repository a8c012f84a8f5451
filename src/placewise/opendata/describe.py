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
    adults = frame["adults"].to_numpy(dtype=np.float64)
    authorities = pd.factorize(frame["lad22cd"])[0]
    countries, letters = pd.factorize(frame["ctry"])
    found = []
    for covariate in areas.covariates:
        values = frame[covariate.name].to_numpy(dtype=np.float64)
        known = ~np.isnan(values)
        x, w = values[known], adults[known]
        mean, variance = _moments(x, w)
        totals, sums = _sums(x, w, authorities[known])
        between = _moments(sums[totals > 0] / totals[totals > 0], totals[totals > 0])[1]
        of_country = zip(letters, *_sums(x, w, countries[known]), strict=False)
        filled = areas.imputations.get(covariate.name)
        found.append(
            Distribution(
                covariate,
                mean,
                variance**0.5,
                tuple(float(q) for q in np.quantile(x, QUANTILES)),
                between / variance if variance > 0 else 0.0,
                int((~known).sum()),
                filled.areas if filled else 0,
                {str(letter): float(total / weight) for letter, weight, total in of_country if weight > 0},
            )
        )
    return tuple(found)


def _moments(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Weighted mean and variance."""
    mean = float(np.average(values, weights=weights))
    return mean, float(np.average((values - mean) ** 2, weights=weights))


def _sums(values: np.ndarray, weights: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weight and weighted sum of each group."""
    return np.bincount(groups, weights), np.bincount(groups, weights * values)
