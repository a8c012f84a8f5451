"""Where each name of a formula stands: in the areas table, among the respondents and the frame, or at a reference."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from placewise.errors import Problems, nearest
from placewise.frame.cells import Frame
from placewise.geography.areas import AreaTable
from placewise.models.terms import Formula

if TYPE_CHECKING:
    from placewise.models.linking import LinkedRows

Place = Literal["areas", "frame", "reference", "respondents"]

DRAW = "draw"
PLACES: dict[str, str] = {
    "areas": "the areas table",
    "frame": "the frame",
    "reference": "[model.reference]",
    "respondents": "the data",
}


@dataclass(frozen=True, eq=False)
class Surroundings:
    """All data that a formula may speak of.

    Parameters
    ----------
    respondents : DataFrame
        n rows.
    area : ndarray of int64, shape (n,)
        Row of the areas table of each respondent.
    areas : AreaTable or None
        None for data without an areas table: then nothing is projected.
    frame : Frame or None
        Who lives in each area.
    reference : mapping of str to str or float
        Values for the columns that the frame lacks; ``"draw"`` is a new level in every draw.
    orders : mapping of str to tuple of str
        Declared orders of categories.
    elsewhere : collection of str
        Further columns of the files, which were not read: for hints.
    structure : mapping of str to str
        How the effects of a group depend on each other, by its name; independent where it is not named.
    neighbours : mapping of str to DataFrame
        Pairs of codes, columns ``a`` and ``b``, by level.
    link : LinkedRows or None
        Where respondents are linked above the area; ``area`` is then one area of the respondent's group.
    """

    respondents: pd.DataFrame
    area: np.ndarray
    areas: AreaTable | None
    frame: Frame | None
    reference: Mapping[str, str | float]
    orders: Mapping[str, tuple[str, ...]]
    elsewhere: Collection[str] = ()
    structure: Mapping[str, str] = field(default_factory=dict)
    neighbours: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    link: LinkedRows | None = None

    def among(self, values: np.ndarray) -> np.ndarray:
        """Values of areas as the respondents have them, (A,) -> (n,): population-weighted means above the area."""
        return np.asarray(values[self.area]) if self.link is None else self.link.mean(values)

    @property
    def n_cells(self) -> int:
        """Cells of the frame; one where there is none."""
        return 1 if self.frame is None else self.frame.n_cells

    def cell_population(self) -> np.ndarray:
        """People in each cell over all areas, shape (C,)."""
        if self.frame is None:
            return np.ones(1)
        return np.bincount(self.frame.cell, weights=self.frame.count, minlength=self.frame.n_cells)


@dataclass(frozen=True, eq=False)
class Variable:
    """One column of the formula, and where it is projected from.

    Parameters
    ----------
    name : str
    place : {"areas", "frame", "reference", "respondents"}
    among : Series or None, shape (n,)
        Values of the respondents; None for a column of the areas table, which they get through their area.
    projected : Series or None
        Values over areas, shape (A,), or over cells, shape (C,); None for the other places.
    reference : str, float or None
        Value at which a column is projected that the frame lacks.
    """

    name: str
    place: Place
    among: pd.Series | None
    projected: pd.Series | None
    reference: str | float | None = None

    @property
    def is_numeric(self) -> bool:
        """Whether every column behind the name holds numbers."""
        return all(is_number(s) for s in (self.among, self.projected) if s is not None)


def is_number(values: pd.Series) -> bool:
    """Whether a column holds numbers (or truth values)."""
    return bool(pd.api.types.is_numeric_dtype(values.dtype))


def locate(formula: Formula, data: Surroundings, problems: Problems) -> dict[str, Variable]:
    """Find every name of the formula; what cannot be found or projected is noted.

    Returns
    -------
    dict of str to Variable
        Only the names found.
    """
    found: dict[str, Variable] = {}
    unknown: list[str] = []
    for name in formula.variables():
        variable = _plain(name, data) if data.areas is None else _projected(name, data, formula.where, problems)
        if variable is not None:
            found[name] = variable
        elif name not in _known(data):
            unknown.append(name)
    _note_unknown(unknown, data, formula.where, problems)
    _check_references(formula, found, data, problems)
    return found


def _plain(name: str, data: Surroundings) -> Variable | None:
    if name not in data.respondents:
        return None
    return Variable(name, "respondents", data.respondents[name], None)


def _projected(name: str, data: Surroundings, where: str, problems: Problems) -> Variable | None:
    areas, frame = data.areas, data.frame
    assert areas is not None
    in_survey, in_frame = name in data.respondents, frame is not None and name in frame.cells
    if name in areas.table:
        if in_survey and name not in (areas.code, *areas.levels, *areas.classes):
            problems.add(
                where,
                f"{name!r} stands both in the areas table and among the respondents",
                "rename one of the two columns",
            )
            return None
        return Variable(name, "areas", None, areas.table[name])
    if in_survey and frame is not None and in_frame:
        return Variable(name, "frame", data.respondents[name], frame.cells[name])
    if in_survey and name in data.reference:
        return Variable(name, "reference", data.respondents[name], None, data.reference[name])
    if in_survey:
        lacking = "the project has no frame" if frame is None else "the frame has no such column"
        problems.add(
            where,
            f"{name!r} is a column of the respondents and {lacking}, so no area can be projected",
            f"add {name!r} to the cells of [frame], or the value to project at to [model.reference]",
        )
    elif in_frame:
        problems.add(
            where,
            f"{name!r} stands in the frame and not among the respondents",
            nearest(name, [str(c) for c in data.respondents.columns]),
        )
    return None


def _known(data: Surroundings) -> list[str]:
    """Every column name there is."""
    tables = [data.respondents]
    if data.areas is not None:
        tables.append(data.areas.table)
    if data.frame is not None:
        tables.append(data.frame.cells)
    return list(dict.fromkeys(str(c) for table in tables for c in table.columns))


def _note_unknown(unknown: list[str], data: Surroundings, where: str, problems: Problems) -> None:
    known = list(dict.fromkeys([*_known(data), *data.elsewhere]))
    place = "the data" if data.areas is None else "the areas table or among the respondents"
    note_unknown(unknown, known, place, where, problems)


def note_unknown(unknown: Sequence[str], known: Sequence[str], place: str, where: str, problems: Problems) -> None:
    """One problem that lists every unknown name with its nearest match; none where there is none."""
    if not unknown:
        return
    named = ", ".join(repr(name) for name in unknown)
    hints = [nearest(name, known) for name in unknown]
    if len(unknown) > 1:
        hints = [f"{name!r}: {hint}" for name, hint in zip(unknown, hints, strict=True)]
    problems.add(where, f"{named} {'is' if len(unknown) == 1 else 'are'} not in {place}", "; ".join(hints))


def _check_references(formula: Formula, found: Mapping[str, Variable], data: Surroundings, problems: Problems) -> None:
    """Every reference value must be of use: nothing written is ignored."""
    used = formula.variables()
    for name in data.reference:
        if name not in used:
            problems.add(
                formula.where, f"[model.reference] names {name!r}, which the formula does not use", nearest(name, used)
            )
        elif name in found and found[name].place != "reference":
            problems.add(
                formula.where,
                f"[model.reference] names {name!r}, which stands in {PLACES[found[name].place]} and needs no reference",
                "remove it",
            )
