"""Questions of the surveys: which trait each measures, how sharply, and how many of the country give each answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtr

from placewise.pipeline.example.published import UNDERSTANDING_SOCIETY, community_life
from placewise.pipeline.example.traits import RESIDUAL, TRAITS, Country, person_effects

BELONGING, RELATIONSHIPS, SATISFACTION = range(len(TRAITS))
FACE_TO_FACE_YEAR = "2012-13"
REFERENCE_YEAR = "2020-21"
YEARS = (FACE_TO_FACE_YEAR, REFERENCE_YEAR, "2021-22")
REFERENCE_WAVE = "c"
# Key of the cutpoints of questions that no real survey asks in these words.
OWN = "own"

_GRID = np.linspace(-12, 12, 601)
_WIDTH = 0.02


@dataclass(frozen=True)
class Item:
    """A question with ordered answers, the least of the trait first.

    Parameters
    ----------
    trait : int
        Which of `TRAITS` it measures.
    above : tuple of float
        Share of adults at or above the second, third ... answer, in the reference year or wave.
    pivot : int
        Position in ``above`` of the share that is published.
    slope : float
        Discrimination of a graded response model, in units of the person's residual. 0: the answer is the person's
        trait itself cut into pieces, a cumulative logit with no noise of its own.
    """

    trait: int
    above: tuple[float, ...]
    pivot: int
    slope: float = 0.0


# The shares that no publication gives are plausible ones.
CLS_ITEMS: Mapping[str, Item] = {
    "SBeNeigh": Item(BELONGING, (0.89, 0.65, 0.23), 1, 2.4),
    "SBeGB": Item(BELONGING, (0.96, 0.84, 0.45), 1, 0.8),
    "Slocsat": Item(SATISFACTION, (0.96, 0.89, 0.79, 0.30), 2),
    "SPull": Item(RELATIONSHIPS, (0.92, 0.65, 0.14), 1, 1.1),
    "STrust": Item(RELATIONSHIPS, (0.96, 0.78, 0.42), 2, 1.3),
    "SchatN": Item(RELATIONSHIPS, (0.90, 0.74, 0.52, 0.20), 1, 1.6),
    "SFavN": Item(RELATIONSHIPS, (0.68, 0.37, 0.11), 1, 1.6),
    "STogeth": Item(SATISFACTION, (0.96, 0.83, 0.22), 1, 0.9),
    "NComfort1": Item(RELATIONSHIPS, (0.90, 0.73, 0.44), 1, 1.5),
    "NComfort2": Item(RELATIONSHIPS, (0.80, 0.55, 0.27), 1, 1.4),
    "NComfort3": Item(RELATIONSHIPS, (0.88, 0.70, 0.40), 1, 1.7),
}
UKHLS_ITEMS: Mapping[str, Item] = {
    "scopngbha": Item(BELONGING, (0.97, 0.90, 0.68, 0.17), 2, 2.2),
    "scopngbhb": Item(RELATIONSHIPS, (0.96, 0.85, 0.58, 0.14), 2, 2.0),
    "scopngbhc": Item(RELATIONSHIPS, (0.95, 0.82, 0.60, 0.13), 2, 2.0),
    "scopngbhd": Item(RELATIONSHIPS, (0.90, 0.70, 0.43, 0.08), 2, 1.6),
    "scopngbhe": Item(BELONGING, (0.97, 0.91, 0.64, 0.12), 2, 1.2),
    "scopngbhf": Item(BELONGING, (0.96, 0.88, 0.70, 0.25), 2, 1.5),
    "scopngbhg": Item(BELONGING, (0.97, 0.86, 0.61, 0.10), 2, 1.2),
    "scopngbhh": Item(RELATIONSHIPS, (0.96, 0.86, 0.70, 0.16), 2, 1.8),
    "nbrcoh3": Item(RELATIONSHIPS, (0.97, 0.88, 0.64, 0.14), 2, 1.2),
}
# Asked by the surveys of the example's own project only. Pride in the area, and the wish to be there in five years, are
# among the Community Life Survey's published tables of 2023/24 (B10c, B11c); their wordings here are the example's.
OWN_ITEMS: Mapping[str, Item] = {
    "proud": Item(BELONGING, (0.95, 0.80, 0.30), 1, 1.9),
    "stay": Item(BELONGING, (0.92, 0.76, 0.42), 1, 1.5),
    "likes_area": Item(SATISFACTION, (0.97, 0.86, 0.45), 1),
}


class Spread:
    """How the linear predictors of a country's adults are spread, in units of the person's residual.

    Parameters
    ----------
    eta : ndarray, shape (A, 3)
    counts : ndarray of int, shape (A, ages, sexes)
        As in `Country`.
    """

    def __init__(self, eta: np.ndarray, counts: np.ndarray) -> None:
        people = person_effects()
        weight = counts.ravel()
        self._parts = []
        for trait in range(len(TRAITS)):
            m = ((eta[:, trait, None, None] + people[..., trait]) / RESIDUAL).ravel()
            edges = np.arange(m.min() - _WIDTH, m.max() + 2 * _WIDTH, _WIDTH)
            share = np.histogram(m, edges, weights=weight)[0] / weight.sum()
            self._parts.append((edges[:-1] + _WIDTH / 2, share))

    def above(self, item: Item) -> np.ndarray:
        """Share of adults at or above a cutpoint, at each point of the grid of cutpoints."""
        middle, share = self._parts[item.trait]
        if not item.slope:
            return np.asarray(expit(RESIDUAL * (middle - _GRID[:, None])) @ share)
        t = np.linspace(middle[0] - 6, middle[-1] + 6, 250)
        density = np.diff(ndtr(t[:, None] - middle), axis=0) @ share
        between = (t[1:] + t[:-1]) / 2
        return np.asarray(expit(item.slope * (between - _GRID[:, None])) @ density)


def cutpoints(country: Country) -> dict[str, dict[str, np.ndarray]]:
    """Cutpoints of every item in every year and wave, in units of the person's residual.

    Solved so that the country's adults give the shares of the item in the reference, and move as a whole by one shift
    in a year or wave that published another share.

    Parameters
    ----------
    country : Country

    Returns
    -------
    dict
        By year ("2012-13" ...), wave ("c", "f") or `OWN`, then by item; ascending arrays.
    """
    spread = Spread(country.eta, country.counts)
    found: dict[str, dict[str, np.ndarray]] = {}
    surveys: tuple[tuple[Mapping[str, Item], str, Mapping[str, Mapping[str, float]]], ...] = (
        (CLS_ITEMS, REFERENCE_YEAR, community_life(YEARS)),
        (UKHLS_ITEMS, REFERENCE_WAVE, UNDERSTANDING_SOCIETY),
        (OWN_ITEMS, OWN, {OWN: {}}),
    )
    for items, reference, published in surveys:
        for name, item in items.items():
            curve = spread.above(item)
            base = np.interp(-np.array(item.above), -curve, _GRID)
            for when, shares in published.items():
                shift = 0.0
                if name in shares and when != reference:
                    shift = np.interp(-shares[name], -curve, _GRID) - base[item.pivot]
                found.setdefault(when, {})[name] = base + shift
    return found


def respond(item: Item, cuts: np.ndarray, m: np.ndarray, residual: np.ndarray, luck: np.ndarray) -> np.ndarray:
    """Answers of people, 1 for the least of the trait.

    Parameters
    ----------
    item : Item
    cuts : ndarray, shape (K - 1,)
    m, residual : ndarray, shape (n,)
        Of the item's trait: the person's linear predictor and standard normal residual.
    luck : ndarray, shape (n,)
        Uniform on 0 to 1; what decides between people of one trait value. Not used where the slope is 0.

    Returns
    -------
    ndarray of int, shape (n,)
    """
    if item.slope:
        above = luck[:, None] < expit(item.slope * ((m + residual)[:, None] - cuts))
    else:
        above = (m + logit(ndtr(residual)) / RESIDUAL)[:, None] > cuts
    answer: np.ndarray = 1 + above.sum(axis=1)
    return answer


def expected_score(items: Mapping[str, Item], cuts: Mapping[str, np.ndarray], t: np.ndarray) -> np.ndarray:
    """Mean of the items' answers that a person of trait value ``t`` is expected to give, shape of ``t``."""
    grid = np.linspace(-9, 9, 1801)
    each = [1 + expit(item.slope * (grid[:, None] - cuts[name])).sum(axis=1) for name, item in items.items()]
    score: np.ndarray = np.interp(t, grid, np.mean(each, axis=0))
    return score
