"""Every adult of the country, one by one: what a census would have counted, and those whom a survey asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, ndtri

from placewise.pipeline.example.items import (
    CLS_ITEMS,
    REFERENCE_YEAR,
    UKHLS_ITEMS,
    expected_score,
    respond,
)
from placewise.pipeline.example.traits import PERSON, RESIDUAL, TRAITS, Country, person_effects

# Areas drawn at a time: about half a million adults.
BLOCK = 2000
# Questions of several items whose shares the census counts.
COUNTED = {"chat": "SchatN", "favours": "SFavN", "trust": "STrust"}
SCALES = {"belonging": ("scopngbha", "scopngbhf"), "relationships": tuple(f"scopngbh{k}" for k in "bcdh")}
LATEST_WAVE = "f"

Cuts = Mapping[str, Mapping[str, np.ndarray]]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class People:
    """Some of the country's adults.

    Parameters
    ----------
    area, age, sex : ndarray of int, shape (n,)
        Positions of the area, the age band and the sex.
    residual : ndarray, shape (n, 3)
        Of each trait, standard normal.
    luck : ndarray, shape (n, 3)
        Uniform; what decides their answers to the questions of `COUNTED`.
    """

    area: np.ndarray
    age: np.ndarray
    sex: np.ndarray
    residual: np.ndarray
    luck: np.ndarray

    def take(self, rows: np.ndarray) -> People:
        """Some of them, by position."""
        return People(self.area[rows], self.age[rows], self.sex[rows], self.residual[rows], self.luck[rows])


def predictors(country: Country, area: np.ndarray, age: np.ndarray, sex: np.ndarray) -> np.ndarray:
    """Linear predictors of people, in units of the person's residual, shape (n, 3)."""
    effects: np.ndarray = (country.eta[area] + person_effects()[age, sex]) / RESIDUAL
    return effects


def census(
    country: Country,
    cuts: Cuts,
    wanted: np.ndarray,
    seeds: np.random.SeedSequence,
    progress: Progress | None = None,
) -> tuple[pd.DataFrame, People]:
    """Draw every adult, count them by area, and keep those a survey has picked.

    Adults are numbered over the whole country, area after area. Each block of areas has a stream of its own, so that
    the people of an area do not depend on who is picked.

    Parameters
    ----------
    country : Country
    cuts : mapping
        From `items.cutpoints`.
    wanted : ndarray of int, shape (n,)
        Numbers of the adults to keep; one may be wanted twice.
    seeds : SeedSequence
    progress : callable, optional
        Called with the number of areas done and in all.

    Returns
    -------
    totals : DataFrame
        A rows of sums over the adults: ``s1..s5`` answers on satisfaction, one column a question of `COUNTED`,
        ``score_`` and ``latent_`` of the traits.
    people : People
        n rows in the order of ``wanted``.
    """
    size = country.counts.sum(axis=(1, 2))
    start = np.concatenate([[0], np.cumsum(size)])
    order = np.argsort(wanted, kind="stable")
    ranked = wanted[order]
    totals, kept = [], []
    blocks = range(0, len(size), BLOCK)
    for first, seed in zip(blocks, seeds.spawn(len(blocks)), strict=True):
        last = min(first + BLOCK, len(size))
        people, sums = _draw(country, cuts, slice(first, last), np.random.default_rng(seed))
        totals.append(sums)
        inside = slice(*np.searchsorted(ranked, [start[first], start[last]]))
        kept.append(people.take(ranked[inside] - start[first]))
        if progress is not None:
            progress(last, len(size))
    back = np.empty(len(wanted), dtype=int)
    back[order] = np.arange(len(wanted))
    together = People(*(np.concatenate([getattr(p, f) for p in kept]) for f in People.__dataclass_fields__))
    return pd.concat(totals, ignore_index=True), together.take(back)


def _draw(country: Country, cuts: Cuts, block: slice, rng: np.random.Generator) -> tuple[People, pd.DataFrame]:
    """The adults of some areas, and their sums by area."""
    given = country.given[block]
    cell_of = np.indices(given.shape).reshape(4, -1)
    cell = np.repeat(np.arange(given.size), given.ravel())
    area, age, sex, answer = (part[cell] for part in cell_of)
    area += block.start
    m = predictors(country, area, age, sex)
    # the residual behind a known answer lies between that answer's cutpoints
    low, high = _edges(cuts[REFERENCE_YEAR]["SBeNeigh"], m[:, 0], answer)
    residual = np.empty((len(cell), len(TRAITS)))
    residual[:, 0] = ndtri(low + (high - low) * rng.random(len(cell)))
    root = np.linalg.cholesky(PERSON)
    own = rng.normal(size=(len(cell), 2))
    residual[:, 1] = root[1, 0] * residual[:, 0] + root[1, 1] * own[:, 0]
    residual[:, 2] = root[2, 0] * residual[:, 0] + own @ root[2, 1:]
    people = People(area, age, sex, residual, rng.random((len(cell), len(COUNTED))))
    return people, _sums(people, m, cuts, np.arange(block.start, block.stop))


def _edges(cuts: np.ndarray, m: np.ndarray, answer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of a standard normal residual below and up to an answer's interval."""
    padded = np.concatenate([[-np.inf], cuts, [np.inf]])
    return expit(RESIDUAL * (padded[answer] - m)), expit(RESIDUAL * (padded[answer + 1] - m))


def _sums(people: People, m: np.ndarray, cuts: Cuts, areas: np.ndarray) -> pd.DataFrame:
    """Sums over the adults of each area."""
    t = m + people.residual
    satisfied = respond(CLS_ITEMS["Slocsat"], cuts[REFERENCE_YEAR]["Slocsat"], m[:, 2], people.residual[:, 2], t[:, 2])
    columns: dict[str, np.ndarray] = {f"s{k}": satisfied == k for k in range(1, 6)}
    for i, (name, question) in enumerate(COUNTED.items()):
        item = CLS_ITEMS[question]
        cut = cuts[REFERENCE_YEAR][question][item.pivot, None]
        columns[name] = respond(item, cut, m[:, item.trait], people.residual[:, item.trait], people.luck[:, i]) == 2
    for trait, names in SCALES.items():
        items = {name: UKHLS_ITEMS[name] for name in names}
        columns[f"score_{trait}"] = expected_score(items, cuts[LATEST_WAVE], t[:, TRAITS.index(trait)])
    columns |= {f"latent_{trait}": t[:, i] for i, trait in enumerate(TRAITS)}
    at = people.area - areas[0]
    return pd.DataFrame({name: np.bincount(at, value, len(areas)) for name, value in columns.items()})
