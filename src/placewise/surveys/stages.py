"""Stages of selection: who was drawn with whom, and the variance that this gives to sums of scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

Lonely = Literal["fail", "adjust", "average", "certainty", "remove"]
LONELY: tuple[str, ...] = get_args(Lonely)

# Slots a value for which counting is quicker than sorting.
_QUICK = 10


@dataclass(frozen=True, eq=False, repr=False)
class Stage:
    """Units drawn at one stage, numbered throughout the sample.

    Parameters
    ----------
    unit : ndarray of int64, shape (n,)
        Unit of each respondent.
    stratum : ndarray of int64, shape (units,)
        Stratum of each unit; a stratum lies inside one unit of the stage above.
    sampled : ndarray of int64, shape (strata,)
        Units drawn in each stratum.
    correction : ndarray of float64, shape (strata,)
        Share of the stratum's units that were not drawn; 1 without a finite population correction.
    share : ndarray of float64, shape (strata,)
        Product of the sampling fractions of the stages above.
    parent : ndarray of int64, shape (strata,)
        Unit of the stage above that holds the stratum.
    """

    unit: np.ndarray
    stratum: np.ndarray
    sampled: np.ndarray
    correction: np.ndarray
    share: np.ndarray
    parent: np.ndarray

    @property
    def alone(self) -> np.ndarray:
        """Strata with one unit drawn of several, shape (strata,)."""
        return np.asarray((self.sampled == 1) & (self.correction > 0))


def build_stages(
    units: Sequence[np.ndarray], strata: Sequence[np.ndarray], populations: Sequence[np.ndarray]
) -> tuple[Stage, ...]:
    """Number units within strata, and strata within the units above.

    Parameters
    ----------
    units, strata : sequence of ndarray of int64, shape (n,)
        Codes of each stage; later stages may have no strata.
    populations : sequence of ndarray of float64, shape (n,)
        Units in each respondent's stratum in the population; empty: drawn with replacement at the first stage, and
        the later stages then add nothing.

    Returns
    -------
    tuple of Stage
    """
    n = units[0].size
    above, share_above = np.zeros(n, dtype=np.int64), np.ones(1)
    stages: list[Stage] = []
    for k, codes in enumerate(units if len(populations) else units[:1]):
        within = strata[k] if k < len(strata) else np.zeros(n, dtype=np.int64)
        parent, stratum = _numbered(above, within)
        # The same number in two strata is two units.
        of_unit, unit = _numbered(stratum, codes)
        sampled = np.bincount(of_unit)
        population = np.full(sampled.size, np.inf)
        if len(populations):
            population[stratum] = populations[k]
        share = share_above[parent]
        stages.append(Stage(unit, of_unit, sampled, 1 - sampled / population, share, parent))
        above, share_above = unit, (share * sampled / population)[of_unit]
    return tuple(stages)


def _numbered(group: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Group of each distinct pair, and the pair of each respondent."""
    pairs, number = np.unique(group * (codes.max(initial=0) + 1) + codes, return_inverse=True)
    return pairs // (codes.max(initial=0) + 1), number


def sampling_variance(
    score: np.ndarray, position: np.ndarray, n_domains: int, stages: Sequence[Stage], rows: np.ndarray, lonely: Lonely
) -> np.ndarray:
    """Variance of the sum of scores of each domain: within strata between units, stage by stage.

    The recursion of Särndal, Swensson and Wretman (1992, ch. 4) as R's survey package has it: each stage's variance is
    weighted by the sampling fractions above it. Units that the domain does not meet count with a score of zero.

    Parameters
    ----------
    score : ndarray of float64, shape (m,)
        Weighted, linearised values.
    position : ndarray of int64, shape (m,)
        Domain of each score.
    n_domains : int
    stages : sequence of Stage
        Of all n respondents.
    rows : ndarray of int64, shape (m,)
        Which respondents the scores are of.
    lonely : Lonely
        What a stratum with one unit drawn of several gives: ``adjust``, its unit's square (centred at the mean of
        linearised values, zero); ``average``, the mean of the strata beside it; ``certainty`` and ``remove``, nothing.

    Returns
    -------
    ndarray of float64, shape (n_domains,)
        NaN where ``average`` has nothing to average.
    """
    variance = np.zeros(n_domains)
    for stage in stages:
        variance += _of_stage(score, position, n_domains, stage, stage.unit[rows], lonely)
    return variance


def _of_stage(
    score: np.ndarray, position: np.ndarray, n_domains: int, stage: Stage, unit: np.ndarray, lonely: Lonely
) -> np.ndarray:
    n_units, n_strata = stage.stratum.size, stage.sampled.size
    cell, summed = _summed(position * n_units + unit, score, n_domains * n_units)
    pair, where = np.unique(cell // n_units * n_strata + stage.stratum[cell % n_units], return_inverse=True)
    domain, stratum = pair // n_strata, pair % n_strata
    sampled, alone = stage.sampled[stratum], stage.alone[stratum]
    centre = np.bincount(where, summed, pair.size) ** 2 / sampled
    if lonely == "adjust":
        centre[alone] = 0.0
    spread = np.maximum(np.bincount(where, summed**2, pair.size) - centre, 0.0)
    scale = (
        stage.share
        * stage.correction
        * np.where(stage.sampled > 1, stage.sampled / np.maximum(stage.sampled - 1, 1), 1)
    )
    part = scale[stratum] * spread
    if lonely == "average":
        group, at = np.unique(domain * (stage.parent.max() + 1) + stage.parent[stratum], return_inverse=True)
        met, known = np.bincount(at, minlength=group.size), np.bincount(at, ~alone, group.size)
        with np.errstate(divide="ignore", invalid="ignore"):
            part = np.where(alone, 0.0, part)
            part = np.where((known > 0)[at], part * (met / known)[at], np.nan)
    return np.bincount(domain, part, n_domains)


def _summed(key: np.ndarray, values: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Distinct keys below ``size``, and the sum of values of each: counted where that is quicker than sorting."""
    if size <= _QUICK * key.size:
        distinct = np.flatnonzero(np.bincount(key, minlength=size))
        return distinct, np.bincount(key, values, size)[distinct]
    distinct, where = np.unique(key, return_inverse=True)
    return distinct, np.bincount(where, values, distinct.size)


def codes_of(values: object) -> np.ndarray:
    """Numbers of the distinct values, in their order, shape (n,); -1 where missing."""
    return np.asarray(pd.factorize(np.asarray(values, dtype=object), sort=True)[0], dtype=np.int64)
