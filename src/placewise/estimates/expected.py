"""What is expected of an area from who lives there and what kind of area it is, and how far it is from that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from placewise.estimates.describe import LEVELS
from placewise.estimates.differences import Draws, describe_differences
from placewise.estimates.predictor import Effect, Predictor
from placewise.estimates.shift import is_shift

_BLOCK = 4_000_000  # areas × draws at a time


def expected_predictor(predictor: Predictor) -> Predictor:
    """The predictor of places like each other: no effect of a level of the geography or of the area itself is left.

    People, covariates and classes stay as they are. Shifts of benchmarking are replaced by their mean over the people:
    they belong to the measurement, not to the place.
    """
    places = {predictor.code, *predictor.levels}
    kept = []
    for effect in predictor.effects:
        if is_shift(effect):
            kept.append(_everywhere(effect, predictor.population))
        elif not places & set(effect.name.split("|")[-1].split(":")):
            kept.append(effect)
    return replace(predictor, effects=tuple(kept))


def _everywhere(effect: Effect, population: np.ndarray) -> Effect:
    """The effect's mean over the people, in every area."""
    assert effect.area_index is not None
    people = np.bincount(effect.area_index, population, minlength=len(effect.labels))
    mean = np.average(effect.draws, axis=0, weights=people)
    return replace(effect, draws=np.repeat(mean[None, :], len(effect.labels), axis=0).astype(np.float32))


def beyond_expected(rates: Draws, expected: Draws, polarity: int) -> pd.DataFrame:
    """How far each area's rate is from what is expected of it.

    Parameters
    ----------
    rates, expected : Draws
        Of the same areas and draws.
    polarity : int
        +1 higher is better, -1 lower is better.

    Returns
    -------
    DataFrame
        ``area_code``, ``rate``, ``expected``, ``difference`` with ``sd`` and its intervals, and ``p_better``, the
        probability that the area is on the better side of what is expected.
    """
    tables = []
    for codes in in_blocks(rates):
        ours, theirs = rates.draws(codes), expected.draws(codes)
        found = describe_differences((ours - theirs).T)
        above = found.pop("p_greater")
        better = above if polarity > 0 else (ours < theirs).mean(axis=0)
        found = found.rename(columns={"mean": "difference"})
        tables.append(
            found.assign(area_code=codes, rate=ours.mean(axis=0), expected=theirs.mean(axis=0), p_better=better)
        )
    ends = [f"{name}_{end}" for name in LEVELS for end in ("lower", "upper")]
    columns = ["area_code", "rate", "expected", "difference", "sd", *ends, "p_better"]
    return pd.concat(tables, ignore_index=True)[columns]


def in_blocks(areas: Draws) -> Iterator[list[str]]:
    """Codes in pieces whose draws fit in memory."""
    codes = [str(code) for code in areas.codes]
    step = max(1, _BLOCK // areas.n_draws)
    for start in range(0, len(codes), step):
        yield codes[start : start + step]
