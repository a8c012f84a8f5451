"""Shares of respondents, with and without their weights, beside those of the population."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from placewise.frame.cells import Frame
from placewise.geography.areas import AreaTable
from placewise.surveys.design import SurveyDesign
from placewise.surveys.disclosure import RARE, THRESHOLD, blurred, nearest_ten, rare, withheld
from placewise.surveys.respondents import Respondents

MOST_CATEGORIES = 50
LEVEL = 0.90
# A margin that is further from the population's than this, beyond sampling error, is worth a look.
FAR = 0.03
Z_95 = 1.959963984540054
# Respondents are not counted by areas of fewer people than this on average, as neighbourhoods are.
FEWEST_PEOPLE = 4_000


@dataclass(frozen=True)
class Share:
    """One category of a margin.

    Parameters
    ----------
    category : str
        As the survey or the population calls it.
    respondents : int
        How many; not to be told where ``hidden``.
    hidden : bool
        The count is below the threshold, or would tell one that is; nothing but the population's share is told.
    unweighted : float
        Share of those who answered.
    weighted, se, deff : float or None
        Weighted share, its standard error by the design, and its design effect; None where it cannot be known.
    lower, upper : float or None
        90% interval of the weighted share, suited to shares.
    population : float or None
        Share of the people who live in the areas; None where nobody counts them.
    """

    category: str
    respondents: int
    hidden: bool
    unweighted: float
    weighted: float | None = None
    se: float | None = None
    deff: float | None = None
    lower: float | None = None
    upper: float | None = None
    population: float | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON values; null for what is not to be told, the count to the nearest ten, shares to four digits."""
        told = {
            "respondents": nearest_ten(self.respondents),
            "unweighted": blurred(self.unweighted),
            "weighted": blurred(self.weighted),
            "se": blurred(self.se),
            "ci90_lower": blurred(self.lower),
            "ci90_upper": blurred(self.upper),
            "deff": blurred(self.deff),
        }
        shown = dict.fromkeys(told) if self.hidden else told
        return {"category": self.category, **shown, "population": self.population}


@dataclass(frozen=True)
class Margin:
    """Respondents by the categories of one variable.

    Parameters
    ----------
    variable : str
        Column of the respondents, or a level or class of the areas.
    source : {"frame", "areas", ""}
        Where the population's shares are from.
    answered : int
        Respondents with a category.
    shares : tuple of Share
        In the order of the categories.
    """

    variable: str
    source: str
    answered: int
    shares: tuple[Share, ...]

    def strange(self) -> tuple[str, ...]:
        """Categories of respondents that the population does not have."""
        if not self.source:
            return ()
        return tuple(s.category for s in self.shares if s.respondents and not s.population)

    def lacking(self) -> tuple[str, ...]:
        """Categories of the population without a respondent."""
        return tuple(s.category for s in self.shares if not s.respondents and s.population)

    def gaps(self, weighted: bool) -> list[tuple[str, float]]:
        """Share of respondents minus share of the population, of categories that may be told."""
        found = []
        for s in self.shares:
            share = s.weighted if weighted else s.unweighted
            if not s.hidden and share is not None and s.population is not None:
                found.append((s.category, share - s.population))
        return found

    def beyond(self, weighted: bool) -> list[tuple[str, float]]:
        """The gaps that are wider than ``FAR`` and sampling error together explain."""
        error = {s.category: s.se or 0.0 for s in self.shares}
        return [(c, gap) for c, gap in self.gaps(weighted) if round(abs(gap) - FAR - Z_95 * error[c], 9) > 0]

    def told_apart(self, weighted: bool) -> bool:
        """Whether it would show if the labels of two categories were exchanged; True of more than two."""
        if len(self.shares) != 2:
            return True
        first, second = self.shares
        mirrored = (replace(first, population=second.population), replace(second, population=first.population))
        return bool(replace(self, shares=mirrored).beyond(weighted))

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "variable": self.variable,
            "population_from": self.source or None,
            "answered": nearest_ten(self.answered) if self.answered >= THRESHOLD else None,
            "shares": [s.to_json() for s in self.shares],
        }


def margin(
    variable: str,
    values: pd.Series | np.ndarray,
    design: SurveyDesign,
    population: Mapping[str, float] | None = None,
    source: str = "",
    order: Sequence[str] = (),
) -> Margin:
    """Shares of one variable.

    Parameters
    ----------
    values : array of str, shape (n,)
        Category of each respondent; missing where there is none. Those without one stay in the design.
    design : SurveyDesign
        Weights, sampling units and strata of all respondents.
    population : mapping of category to float, or None
        People of each category.
    source : str
        Where these are from.
    order : sequence of str
        Categories in their order; others follow by name.
    """
    labels = pd.Series(np.asarray(values, dtype=object))
    answered = labels.notna().to_numpy()
    people = dict(population or {})
    counted = labels[answered].value_counts()
    labels = labels.mask(labels.isin(rare({str(c): int(n) for c, n in counted.items()}, {*people, *order})), RARE)
    met = labels[answered].value_counts()
    total = sum(people.values())
    ranks = {category: k for k, category in enumerate(order)}
    categories = sorted({*met.index, *people}, key=lambda c: (ranks.get(c, len(ranks)), c))
    counts = np.array([int(met.get(c, 0)) for c in categories])
    hidden = withheld(counts) | (counts == 0)
    told = {} if hidden.all() else _weighted(labels, answered, design)
    shares = []
    for category, count, hide in zip(categories, counts, hidden, strict=True):
        share = people.get(category, 0.0) / total if total else None
        unweighted = float(count / max(counts.sum(), 1))
        known = {} if hide else told[category]
        shares.append(Share(category, int(count), bool(hide), unweighted, population=share, **known))
    return Margin(variable, source if total else "", int(answered.sum()), tuple(shares))


def _weighted(labels: pd.Series, answered: np.ndarray, design: SurveyDesign) -> dict[str, dict[str, float | None]]:
    """Weighted share of each category with its standard error, interval and design effect."""
    table = design.subset(answered).share(labels, level=LEVEL)
    columns = {"weighted": "estimate", "se": "se", "deff": "deff", "lower": "lower", "upper": "upper"}
    return {
        str(row["category"]): {name: _known(row[column]) for name, column in columns.items()}
        for _, row in table.iterrows()
    }


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def categorical(respondents: Respondents) -> list[str]:
    """Columns of the respondents that are text of few categories."""
    table = respondents.table
    return [
        str(name)
        for name in table.columns
        if not pd.api.types.is_numeric_dtype(table[name]) and 1 < table[name].nunique() <= MOST_CATEGORIES
    ]


def frame_population(frame: Frame | None, name: str) -> dict[str, float]:
    """People by category of a column of the frame; empty where it has none of that name, or one of numbers."""
    if frame is None or name not in frame.cells or pd.api.types.is_numeric_dtype(frame.cells[name]):
        return {}
    people = np.bincount(frame.cell, weights=frame.count, minlength=frame.n_cells)
    summed = pd.Series(people).groupby(frame.cells[name].to_numpy()).sum()
    return {str(category): float(count) for category, count in summed.items()}


def places(respondents: Respondents, design: SurveyDesign, areas: AreaTable, frame: Frame | None) -> list[Margin]:
    """Respondents by each level and class of the areas that has few enough categories, the coarsest level first.

    Levels whose areas are small are left out: how many respondents a neighbourhood has is not told.
    """
    people = areas.population if areas.population is not None else None if frame is None else frame.population()
    if people is None:
        return []
    found = []
    for column in (*reversed(areas.levels), *areas.classes):
        codes, size = _place_of(respondents, areas, column), areas.table[column].nunique()
        small = column in areas.levels and people.sum() < FEWEST_PEOPLE * size
        if codes is None or small or not 1 < size <= MOST_CATEGORIES:
            continue
        names = areas.names.get(column, {})
        called = areas.table[column].map(lambda code, names=names: names.get(code, code))
        living = pd.Series(people).groupby(called.to_numpy()).sum()
        labels = [None if code is None else names.get(code, code) for code in codes]
        population = {str(name): float(count) for name, count in living.items()}
        found.append(margin(column, np.array(labels, dtype=object), design, population, "areas"))
    return found


def _place_of(respondents: Respondents, areas: AreaTable, column: str) -> np.ndarray | None:
    """Each respondent's level or class; None where the place they are linked by does not tell it."""
    link = respondents.link
    if link != column and link != areas.code:
        nested = link in areas.levels and column in areas.levels[areas.levels.index(link) :]
        if not nested:
            return None
    table = areas.table.drop_duplicates(link)
    where = pd.Series(table[column].to_numpy(dtype=object), index=table[link].to_numpy(dtype=object))
    return where.reindex(respondents.codes).to_numpy(dtype=object)
