"""The columns one factor of a term makes: a transformed number, or one indicator a category."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from placewise.errors import Kind, Problems
from placewise.geography.codes import listing
from placewise.models.design import Scaling
from placewise.models.imputed import errors_of_factor
from placewise.models.levels import Levels, encode, stray_text
from placewise.models.terms import Call, Factor, Name
from placewise.models.transforms import evaluate, weighted_moments
from placewise.models.variables import DRAW, PLACES, Surroundings, Variable, is_number
from placewise.surveys.disclosure import told_of

MOST_CATEGORIES = 100
SHIFT = 10.0
NO_SPREAD = 1e-10


@dataclass(frozen=True, eq=False)
class Part:
    """One factor of a fixed column.

    Parameters
    ----------
    name : str
    values : ndarray of float64, shape (n,)
        Among the respondents.
    area : ndarray, shape (A,), or None
        Over areas.
    cell : ndarray, shape (C,), or None
        Over cells.
    constant : float
        Where neither varies: the value to project at.
    errors : mapping of covariate to ndarray, shape (A,)
        Change of ``area`` with one standard error of a covariate that was filled in.
    """

    name: str
    values: np.ndarray
    area: np.ndarray | None = None
    cell: np.ndarray | None = None
    constant: float = 1.0
    errors: Mapping[str, np.ndarray] = field(default_factory=dict)


class PartMaker:
    """Makes the parts of factors, each factor once.

    Parameters
    ----------
    variables : mapping of str to Variable
        Every name of the formula.
    data : Surroundings
    standardise : bool
        Whether transformed numbers are centred and scaled.
    where : str
        File and key of the formula.
    problems : Problems
    """

    def __init__(
        self, variables: Mapping[str, Variable], data: Surroundings, standardise: bool, where: str, problems: Problems
    ) -> None:
        self._variables, self._data, self._standardise = variables, data, standardise
        self._where, self._problems = where, problems
        self._numeric: dict[str, list[Part] | None] = {}
        self._levels: dict[str, Levels | None] = {}
        self.scalings: list[Scaling] = []

    def is_categorical(self, factor: Factor) -> bool:
        """Whether a factor is text, or has a declared order of categories."""
        if not isinstance(factor, Name):
            return False
        return factor.name in self._data.orders or not self._variables[factor.name].is_numeric

    def levels(self, name: str) -> Levels | None:
        """Categories of a column; None where a problem was noted."""
        if name not in self._levels:
            self._levels[name] = encode(self._variables[name], self._data, self._where, self._problems)
        return self._levels[name]

    def numeric(self, factor: Factor) -> list[Part] | None:
        """Parts of a number: one, or one a degree for ``poly``; None where a problem was noted."""
        key = str(factor)
        if key not in self._numeric:
            self._numeric[key] = self._make_numeric(factor)
        return self._numeric[key]

    def categorical(self, name: str, full: bool) -> list[Part] | None:
        """Indicators of a column's categories, all or without the first; None where a problem was noted."""
        levels = self.levels(name)
        if levels is None or not self._fit_for_indicators(self._variables[name], levels):
            return None
        return [self._indicator(name, k, levels) for k in range(0 if full else 1, len(levels.labels))]

    def _indicator(self, name: str, k: int, levels: Levels) -> Part:
        title, values = f"{name}[{levels.labels[k]}]", (levels.among == k).astype(np.float64)
        if levels.projected is None:
            return Part(title, values)
        projected, place = (levels.projected == k).astype(np.float64), self._variables[name].place
        return self._placed(title, self._data.among(projected) if place == "areas" else values, projected, place)

    def _placed(self, title: str, values: np.ndarray, projected: np.ndarray, place: str) -> Part:
        if place == "areas":
            return Part(title, values, area=projected)
        if place == "frame":
            return Part(title, values, cell=projected)
        return Part(title, values, constant=float(projected[0]))

    def _fit_for_indicators(self, variable: Variable, levels: Levels) -> bool:
        """Whether categories can be fixed columns; why not is noted."""
        name, before = variable.name, len(self._problems)
        words = stray_text(levels.labels)
        if variable.reference == DRAW:
            self._note(f"[model.reference] draws a new {name!r}, which needs a varying term", f"write (1 | {name})")
        elif words:
            self._note(
                f"{name!r} is a column of numbers with text in it: {listing(words, 3)}",
                "declare the text as missing or mend it",
                "data",
            )
        elif len(levels.labels) > MOST_CATEGORIES:
            self._note(
                f"{name!r} has {len(levels.labels)} categories, a fixed term takes at most {MOST_CATEGORIES}",
                f"write (1 | {name})",
            )
        elif levels.projected is not None and variable.place != "reference":
            unmet = [label for label, met in zip(levels.labels, levels.met(), strict=True) if not met]
            if unmet:
                self._note(
                    f"no respondent has {name!r} {listing(unmet)}, which stands in {PLACES[variable.place]}",
                    f"(1 | {name}) draws such effects from the others' distribution; or merge categories",
                    "data",
                )
        return len(self._problems) == before

    def _note(self, message: str, hint: str = "", kind: Kind = "configuration") -> None:
        self._problems.add(self._where, message, hint, kind)

    def _make_numeric(self, factor: Factor) -> list[Part] | None:
        names = list(dict.fromkeys(factor.names()))
        place = self._one_place(factor, names)
        if place is None:
            return None
        pairs = {name: self._numbers(self._variables[name]) for name in names}
        columns = {name: np.concatenate(pair) for name, pair in pairs.items() if pair is not None}
        if len(columns) < len(names):
            return None
        if place == "frame":
            for name in names:
                self._check_shift(name)
        weights, over = self._population(place)
        made = evaluate(factor, columns, weights)
        if not self._is_finite(factor, made, len(weights), place, columns, weights):
            return None
        made = made.reshape(len(made), -1)
        known = {} if self._data.areas is None or place != "areas" else self._data.areas.errors
        errors = errors_of_factor(factor, columns, known, weights)
        titles = (
            [str(factor)]
            if made.shape[1] == 1 and not _is_poly(factor)
            else [f"{factor}[{k + 1}]" for k in range(made.shape[1])]
        )
        changes = [{name: error[:, k] for name, error in errors.items()} for k in range(len(titles))]
        return [self._split(title, made[:, k], weights, over, place, changes[k]) for k, title in enumerate(titles)]

    def _one_place(self, factor: Factor, names: list[str]) -> str | None:
        """The one place where all columns inside a function stand."""
        text = [name for name in names if not self._variables[name].is_numeric]
        places = list(dict.fromkeys(self._variables[name].place for name in names))
        if text:
            self._note(f"{factor} needs numbers, and {listing(text)} is text")
        elif len(places) > 1:
            self._note(
                f"{factor} mixes columns of {' and '.join(PLACES[p] for p in places)}",
                "a : between two terms multiplies them",
            )
        return places[0] if len(places) == 1 and not text else None

    def _numbers(self, variable: Variable) -> tuple[np.ndarray, np.ndarray] | None:
        """Values of the population a function learns on, then the others; None where some are missing."""
        among = _floats(variable.among)
        projected = _floats(variable.projected)
        if variable.place == "reference":
            value = _as_float(variable.reference)
            if value is None:
                self._note(
                    f"[model.reference] puts {variable.name!r}, a number, at {variable.reference!r}",
                    "give the number to project at",
                )
                return None
            projected = np.array([value])
        sound = self._all_there(variable.name, among, "respondents")
        sound &= self._all_there(variable.name, projected, "areas" if variable.place == "areas" else "cells")
        if not sound:
            return None
        return (projected, among) if variable.place in ("areas", "frame") else (among, projected)

    def _all_there(self, name: str, values: np.ndarray, unit: str) -> bool:
        missing, infinite = int(np.isnan(values).sum()), int(np.isinf(values).sum())
        for count, word in ((missing, "missing"), (infinite, "infinite")):
            if count:
                self._note(
                    f"{name!r} is {word} for {told_of(count, len(values), unit)}",
                    "complete the column, or leave it out of the formula",
                    "data",
                )
        return not missing and not infinite

    def _check_shift(self, name: str) -> None:
        """Respondents and frame must hold the same quantity: a percent is no share."""
        variable = self._variables[name]
        among, cells = _floats(variable.among), _floats(variable.projected)
        if not len(among) or not np.isfinite(among).all() or not np.isfinite(cells).all():
            return
        spreads = sorted((np.ptp(among), np.ptp(cells)))
        apart = among.min() > cells.max() or among.max() < cells.min()
        if apart or (spreads[0] > 0 and spreads[1] > SHIFT * spreads[0]):
            self._note(
                f"{name!r} runs from {among.min():g} to {among.max():g} among the respondents and from "
                f"{cells.min():g} to {cells.max():g} in the frame",
                "bring both to one unit",
                "data",
            )

    def _population(self, place: str) -> tuple[np.ndarray, str]:
        """Weights of the population that standardises, and its name."""
        if place == "areas" and self._data.areas is not None:
            weighted = self._data.areas.population is not None
            return self._data.areas.weights, "areas, weighted by population" if weighted else "areas"
        if place == "frame":
            return self._data.cell_population(), "people of the frame"
        return np.ones(len(self._data.respondents)), "respondents"

    def _is_finite(
        self,
        factor: Factor,
        made: np.ndarray,
        m: int,
        place: str,
        columns: Mapping[str, np.ndarray],
        weights: np.ndarray,
    ) -> bool:
        if isinstance(factor, Call) and _is_poly(factor):
            distinct = len(np.unique(evaluate(factor.argument, columns, weights)[:m]))
            if distinct <= factor.degree:
                self._note(
                    f"{factor} needs more than {factor.degree} different values, there are {distinct}", "", "data"
                )
                return False
        bad = ~np.isfinite(made).reshape(len(made), -1).all(axis=1)
        units = {"areas": ("areas", ""), "frame": ("cells of the frame", "respondents")}.get(
            place, ("respondents", "reference values")
        )
        for some, unit in ((bad[:m], units[0]), (bad[m:], units[1])):
            if some.any():
                self._note(
                    f"{factor} is not a finite number for {told_of(int(some.sum()), len(some), unit)}",
                    "log needs numbers above 0, log1p above -1, logit between 0 and 1, sqrt 0 or more",
                    "data",
                )
        return not bad.any()

    def _split(
        self, title: str, made: np.ndarray, weights: np.ndarray, over: str, place: str, errors: Mapping[str, np.ndarray]
    ) -> Part:
        """Standardise over the population and hand each side its values."""
        m, sd = len(weights), 1.0
        if self._standardise:
            mean, sd = weighted_moments(made[:m], weights)
            sd = sd if sd > NO_SPREAD * max(abs(mean), 1e-300) else 1.0
            made = (made - mean) / sd
            self.scalings.append(Scaling(title, mean, sd, over))
        if place == "areas":
            return Part(title, self._data.among(made), area=made, errors={n: e / sd for n, e in errors.items()})
        if place == "frame":
            return Part(title, made[m:], cell=made[:m])
        return Part(title, made[:m]) if place == "respondents" else Part(title, made[:m], constant=float(made[m]))


def _is_poly(factor: Factor) -> bool:
    return isinstance(factor, Call) and factor.function == "poly"


def _floats(values: pd.Series | None) -> np.ndarray:
    """Numbers as float64, empty where there is no column."""
    if values is None or not is_number(values):
        return np.empty(0)
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def _as_float(value: str | float | None) -> float | None:
    try:
        number = float(value) if value is not None else np.nan
    except ValueError:
        return None
    return number if np.isfinite(number) else None
