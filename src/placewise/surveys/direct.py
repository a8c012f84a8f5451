"""Direct estimates: what the respondents of a domain say by themselves, with the variance of the design."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from placewise.errors import Problems
from placewise.surveys.disclosure import THRESHOLD


@dataclass(frozen=True, eq=False)
class _Clusters:
    """Primary sampling units of the whole sample: unit of each respondent, stratum of each unit."""

    unit: np.ndarray
    stratum: np.ndarray
    correction: np.ndarray

    @property
    def in_stratum(self) -> np.ndarray:
        """Units in each stratum."""
        return np.bincount(self.stratum)


def direct_estimates(
    values: np.ndarray,
    weights: np.ndarray | None,
    domains: np.ndarray,
    psu: np.ndarray | None = None,
    strata: np.ndarray | None = None,
    *,
    fpc: np.ndarray | None = None,
    threshold: int = THRESHOLD,
) -> pd.DataFrame:
    """Hájek mean of every domain with its Taylor-linearised variance.

    Every primary sampling unit of the sample counts in its stratum, whether the domain meets it or not (the domain is
    not fixed by design). A unit that is alone in its stratum is centred at the grand mean, which is zero for the
    linearised values. The design effect is against simple random sampling of as many respondents, with replacement
    unless ``fpc`` is given. The same as ``svyby(…, svymean, deff = TRUE)`` of R's survey package.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        What is averaged: 0 and 1 for a share.
    weights : ndarray of float64, shape (n,), or None
        Survey weights, positive.
    domains : ndarray, shape (n,)
        Code of each respondent's domain; a missing one belongs to none.
    psu, strata : ndarray, shape (n,), or None
        Primary sampling units, numbered within strata or throughout, and strata; without them each respondent is a
        unit, and there is one stratum.
    fpc : ndarray of float64, shape (n,), or None
        Number of units in the stratum's population, for the finite population correction.
    threshold : int
        Domains of fewer respondents are not returned.

    Returns
    -------
    DataFrame
        ``domain, estimate, se, n, n_eff, deff``, sorted by domain. ``se`` is missing where all respondents of the
        domain are in one unit, ``deff`` and ``n_eff`` also where all gave the same answer.

    Raises
    ------
    DataError
        Values or weights that are not finite, weights that are not positive; counts only.
    """
    values = np.asarray(values, dtype=float)
    weight = np.ones(values.size) if weights is None else np.asarray(weights, dtype=float)
    _check(values, weight)
    clusters = _clusters(values.size, psu, strata, fpc)
    position, codes = pd.factorize(np.asarray(domains, dtype=object), sort=True)
    member = position >= 0
    position, values, weight, unit = position[member], values[member], weight[member], clusters.unit[member]

    n = np.bincount(position, minlength=len(codes))
    total = np.bincount(position, weight, len(codes))
    mean = np.bincount(position, weight * values, len(codes)) / total
    error = values - mean[position]
    variance, units = _linearised(weight * error / total[position], position, unit, len(codes), clusters)
    spread = np.bincount(position, weight * error**2, len(codes)) / total
    with np.errstate(divide="ignore", invalid="ignore"):
        simple = spread / (n - 1) * (1 - n / total if fpc is not None else 1.0)
        known = (units > 1) & (simple > 0)
        deff = np.where(known, variance / simple, np.nan)
        n_eff = n / deff
    table = pd.DataFrame(
        {
            "domain": codes,
            "estimate": mean,
            "se": np.where(units > 1, np.sqrt(variance), np.nan),
            "n": n,
            "n_eff": n_eff,
            "deff": deff,
        }
    )
    return table[n >= threshold].reset_index(drop=True)


def _check(values: np.ndarray, weight: np.ndarray) -> None:
    found = Problems()
    for name, bad in (("answers", ~np.isfinite(values)), ("weights", ~np.isfinite(weight) | (weight <= 0))):
        if bad.any():
            expected = "finite numbers" if name == "answers" else "positive numbers"
            found.add("direct estimates", f"{int(bad.sum())} {name} are not {expected}", "leave them out", "data")
    found.raise_if_any()


def _clusters(n: int, psu: np.ndarray | None, strata: np.ndarray | None, fpc: np.ndarray | None) -> _Clusters:
    stratum = np.zeros(n, dtype=np.int64) if strata is None else pd.factorize(np.asarray(strata, dtype=object))[0]
    within = np.arange(n) if psu is None else pd.factorize(np.asarray(psu, dtype=object))[0]
    # The same number in two strata is two units.
    _, first, unit = np.unique(stratum * (within.max() + 1) + within, return_index=True, return_inverse=True)
    of_unit = stratum[first]
    sampled = np.bincount(of_unit)
    correction = np.ones(sampled.size)
    if fpc is not None:
        correction[of_unit] = 1 - sampled[of_unit] / np.asarray(fpc, dtype=float)[first]
    return _Clusters(unit, of_unit, correction)


def _linearised(
    score: np.ndarray,
    position: np.ndarray,
    unit: np.ndarray,
    n_domains: int,
    clusters: _Clusters,
) -> tuple[np.ndarray, np.ndarray]:
    """Variance of each domain's mean, and the units it meets."""
    n_units = clusters.stratum.size
    cell, where = np.unique(position * n_units + unit, return_inverse=True)
    score = np.bincount(where, score)
    domain, stratum = cell // n_units, clusters.stratum[cell % n_units]
    sampled = clusters.in_stratum
    alone = sampled == 1
    scale = clusters.correction * np.where(alone, 1.0, sampled / np.maximum(sampled - 1, 1))
    squares = np.bincount(domain, scale[stratum] * score**2, n_domains)

    pair, where = np.unique(domain * sampled.size + stratum, return_inverse=True)
    summed = np.bincount(where, score)
    domain, stratum = pair // sampled.size, pair % sampled.size
    centre = np.where(alone, 0.0, scale / sampled)[stratum] * summed**2
    variance = np.maximum(squares - np.bincount(domain, centre, n_domains), 0.0)
    return variance, np.bincount(cell // n_units, minlength=n_domains)
