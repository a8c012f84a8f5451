"""The categories of a column, in order, among the respondents and where it is projected."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from placewise.errors import Problems, nearest
from placewise.geography.codes import as_labels, listing
from placewise.models.variables import DRAW, Surroundings, Variable
from placewise.surveys.disclosure import told, told_of

NEW_LEVEL = "(new)"

_DIGITS = re.compile(r"([0-9]+)")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)")


@dataclass(frozen=True, eq=False)
class Levels:
    """Categories of one column.

    Parameters
    ----------
    labels : tuple of str
        K categories in declared order, else natural order.
    among : ndarray of int64, shape (n,)
        Position in ``labels`` of each respondent.
    projected : ndarray of int64 or None
        Position over areas, shape (A,), over cells, shape (C,), or at the reference, shape (1,); None for plain data.
    inside : ndarray of int64 or None
        Position of every area that respondents may live in, where they are linked above the area.
    """

    labels: tuple[str, ...]
    among: np.ndarray
    projected: np.ndarray | None
    inside: np.ndarray | None = None

    def met(self) -> np.ndarray:
        """Whether any respondent has, or may have, the category, shape (K,)."""
        among = self.among if self.inside is None else self.inside
        return np.bincount(among, minlength=len(self.labels)) > 0


def natural_order(labels: Iterable[str]) -> list[str]:
    """Numbers by size, digits inside text by size, the rest by letter.

    Examples
    --------
    >>> natural_order(["10", "9", "2.5"])
    ['2.5', '9', '10']
    >>> natural_order(["b10", "b9", "a"])
    ['a', 'b9', 'b10']
    """
    listed = list(labels)
    if is_numbers(listed):
        return sorted(listed, key=lambda label: (float(label), label))
    return sorted(listed, key=_chunks)


def is_numbers(labels: Iterable[str]) -> bool:
    """Whether every label is a number, so that the natural order is that of size."""
    return all(_NUMBER.fullmatch(label) for label in labels)


def _chunks(label: str) -> tuple[tuple[bool, int, str], ...]:
    """Runs of digits compare as numbers, before letters; the text itself settles ties (01 and 1)."""
    parts = _DIGITS.split(label)
    key = [(False, int(part), "") if i % 2 else (True, 0, part) for i, part in enumerate(parts) if part]
    return (*key, (True, 0, label))


def encode(variable: Variable, data: Surroundings, where: str, problems: Problems) -> Levels | None:
    """Categories of a column; what does not agree between respondents and projection is noted.

    Returns
    -------
    Levels or None
        None where a problem was noted.
    """
    before = len(problems)
    among = _coded(variable.among, variable.name, "respondents", where, problems)
    over = _coded(variable.projected, variable.name, _unit(variable), where, problems)
    if len(problems) > before:
        return None
    seen = [label for codes_of in (among, over) if codes_of is not None for label in codes_of[1]]
    labels = _ordered(variable, list(dict.fromkeys(seen)), data, where, problems)
    position = {label: i for i, label in enumerate(labels)}

    def placed(coded: tuple[np.ndarray, list[str]]) -> np.ndarray:
        places: np.ndarray = np.array([position[label] for label in coded[1]], dtype=np.int64)
        return places.take(coded[0])

    if len(problems) > before:
        return None
    projected = None if over is None else placed(over)
    if among is None:
        assert projected is not None
        inside = None if data.link is None else projected[data.link.inside]
        return Levels(tuple(labels), projected[data.area], projected, inside)
    levels = Levels(tuple(labels), placed(among), projected)
    if variable.place == "reference":
        return _at_reference(variable, levels, where, problems)
    if variable.place == "frame":
        _check_frame(variable.name, levels, where, problems)
    return None if len(problems) > before else levels


def _unit(variable: Variable) -> str:
    return "areas" if variable.place == "areas" else "cells of the frame"


def _coded(
    values: pd.Series | None, name: str, unit: str, where: str, problems: Problems
) -> tuple[np.ndarray, list[str]] | None:
    """Codes into the distinct labels of a column; a missing value is a problem."""
    if values is None:
        return None
    first, uniques = pd.factorize(values)
    texts = as_labels(pd.Series(uniques))
    second, labels = pd.factorize(texts)
    codes = np.append(second, -1)[first].astype(np.int64)
    missing = int((codes < 0).sum())
    if missing:
        problems.add(
            where,
            f"{name!r} is missing for {told_of(missing, len(values), unit)}",
            "leave them out, or declare the missing codes",
            "data",
        )
    return codes, [str(label) for label in labels]


def stray_text(labels: Sequence[str]) -> list[str]:
    """Labels that are no numbers in a column where most are: a number column spoilt by text."""
    words = [label for label in labels if not _NUMBER.fullmatch(label)]
    return words if len(words) < len(labels) / 2 else []


def _ordered(variable: Variable, seen: list[str], data: Surroundings, where: str, problems: Problems) -> list[str]:
    """Categories that occur, in declared order, the order of a categorical column, or natural order."""
    declared = data.orders.get(variable.name)
    if declared is not None:
        beyond = natural_order(set(seen) - set(declared))
        if beyond:
            problems.add(
                where,
                f"{variable.name!r} holds {listing(beyond)}, which its declared order lacks",
                f"[variables.{variable.name}] order holds {listing(declared)}",
                "data",
            )
    elif variable.among is not None and isinstance(variable.among.dtype, pd.CategoricalDtype):
        declared = tuple(as_labels(pd.Series(variable.among.cat.categories)))
    known = [label for label in declared or () if label in set(seen)]
    return known + natural_order(set(seen) - set(known))


def _at_reference(variable: Variable, levels: Levels, where: str, problems: Problems) -> Levels | None:
    """Project at one category, or at a new one."""
    if variable.reference == DRAW:
        return Levels((*levels.labels, NEW_LEVEL), levels.among, np.array([len(levels.labels)]))
    value = str(as_labels(pd.Series([variable.reference]))[0])
    if value not in levels.labels:
        problems.add(
            where,
            f"[model.reference] puts {variable.name!r} at {value!r}, which no respondent has",
            nearest(value, levels.labels),
        )
        return None
    return Levels(levels.labels, levels.among, np.array([levels.labels.index(value)]))


def _check_frame(name: str, levels: Levels, where: str, problems: Problems) -> None:
    """A category of the survey must be one of the frame's."""
    assert levels.projected is not None
    in_frame = np.bincount(levels.projected, minlength=len(levels.labels)) > 0
    beyond = levels.met() & ~in_frame
    if beyond.any():
        count = int(beyond[levels.among].sum())
        lacking = [label for label, out in zip(levels.labels, beyond, strict=True) if out]
        has = [label for label, there in zip(levels.labels, in_frame, strict=True) if there]
        problems.add(
            where,
            f"{name!r} is {listing(lacking)} for {told(count)} respondents, which the frame lacks",
            f"recode to the frame's categories: {listing(has)}",
            "data",
        )
