"""Every adult of the country, one by one: what a census would have counted, and those whom a survey asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from placewise.pipeline.example.items import (
    CLS_ITEMS,
    OWN,
    OWN_ITEMS,
    REFERENCE_YEAR,
    UKHLS_ITEMS,
    Item,
    expected_score,
    respond,
)
from placewise.pipeline.example.traits import PERSON, RESIDUAL, TRAITS, Country, person_effects

# Areas drawn at a time: about half a million adults.
BLOCK = 2000
# Questions of several items that the census counts: belonging by answer, of the others the share at the pivot.
COUNTED = {"belonging": "SBeNeigh", "chat": "SchatN", "favours": "SFavN", "trust": "STrust"}
LATEST_WAVE = "f"
# Scores that the census adds up, the expected mean of these items: of the panel, and of the example's own project.
SCALES: Mapping[str, tuple[int, tuple[tuple[str, str], ...]]] = {
    "panel_belonging": (0, tuple((LATEST_WAVE, f"scopngbh{k}") for k in "af")),
    "panel_relationships": (1, tuple((LATEST_WAVE, f"scopngbh{k}") for k in "bcdh")),
    "belonging": (0, ((REFERENCE_YEAR, "SBeNeigh"), (OWN, "proud"), (OWN, "stay"))),
    "relationships": (1, tuple((REFERENCE_YEAR, name) for name in ("SchatN", "SFavN", "SPull", "STrust"))),
}
_ITEMS: Mapping[str, Item] = {**CLS_ITEMS, **UKHLS_ITEMS, **OWN_ITEMS}

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
    the people of an area do not depend on who is picked, nor on how often the census is taken.

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
        A rows of sums over the adults: ``n1..n4`` answers on belonging, ``s1..s5`` on satisfaction, one column each
        further question of `COUNTED`, ``score_`` of `SCALES` and ``latent_`` of the traits.
    people : People
        n rows in the order of ``wanted``.
    """
    size = country.counts.sum(axis=(1, 2))
    start = np.concatenate([[0], np.cumsum(size)])
    order = np.argsort(wanted, kind="stable")
    ranked = wanted[order]
    totals, kept = [], []
    blocks = range(0, len(size), BLOCK)
    for number, first in enumerate(blocks):
        last = min(first + BLOCK, len(size))
        # as spawn() numbers them, but the same at every call
        stream = np.random.SeedSequence(seeds.entropy, spawn_key=(*seeds.spawn_key, number))
        people, sums = _draw(country, cuts, slice(first, last), np.random.default_rng(stream))
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
    counts = country.counts[block]
    area, age, sex = (part.repeat(counts.ravel()) for part in np.indices(counts.shape).reshape(3, -1))
    area += block.start
    residual = rng.normal(size=(len(area), len(TRAITS))) @ np.linalg.cholesky(PERSON).T
    people = People(area, age, sex, residual, rng.random((len(area), len(COUNTED))))
    return people, _sums(people, predictors(country, area, age, sex), cuts, np.arange(block.start, block.stop))


def _sums(people: People, m: np.ndarray, cuts: Cuts, areas: np.ndarray) -> pd.DataFrame:
    """Sums over the adults of each area."""
    t = m + people.residual
    satisfied = respond(CLS_ITEMS["Slocsat"], cuts[REFERENCE_YEAR]["Slocsat"], m[:, 2], people.residual[:, 2], t[:, 2])
    columns: dict[str, np.ndarray] = {f"s{k}": satisfied == k for k in range(1, 6)}
    for i, (name, question) in enumerate(COUNTED.items()):
        item = CLS_ITEMS[question]
        given = cuts[REFERENCE_YEAR][question]
        cut = given if name == "belonging" else given[item.pivot, None]
        answer = respond(item, cut, m[:, item.trait], people.residual[:, item.trait], people.luck[:, i])
        columns |= {f"n{k}": answer == k for k in range(1, 5)} if name == "belonging" else {name: answer == 2}
    for scale, (trait, names) in SCALES.items():
        items = {name: _ITEMS[name] for _, name in names}
        columns[f"score_{scale}"] = expected_score(items, {name: cuts[when][name] for when, name in names}, t[:, trait])
    columns |= {f"latent_{trait}": t[:, i] for i, trait in enumerate(TRAITS)}
    at = people.area - areas[0]
    return pd.DataFrame({name: np.bincount(at, value, len(areas)) for name, value in columns.items()})
