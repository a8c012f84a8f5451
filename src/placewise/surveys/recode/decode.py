"""Looks every distinct value of a column up in a variable's recoding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from placewise.geography.codes import as_labels, as_numbers
from placewise.surveys.recode.keys import key
from placewise.surveys.recode.spec import Band, Variable

# What became of a distinct value; those from UNMAPPED on are problems.
MADE, DECLARED, BLANK, UNMAPPED, UNLABELLED, CONFLICT, NO_NUMBER, NO_BAND, OUT_OF_BOUNDS = range(9)


@dataclass(frozen=True, eq=False, repr=False)
class Decoded:
    """Distinct values of one column and what they became.

    Parameters
    ----------
    position : ndarray of int64, shape (n,)
        Distinct value of each respondent, −1 where there is none.
    codes, labels : ndarray of object, shape (d,)
        Distinct values as text, and their value labels (empty where there is none).
    state : ndarray of int8, shape (d + 1,)
        ``MADE``, ``DECLARED``, ``BLANK`` or what is wrong; the last is blank.
    named : ndarray of bool, shape (d,)
        The recoding names this code or label, in ``values`` or as missing.
    value : ndarray, shape (d + 1,)
        Category (object) or number (float64, after ``reverse`` and ``scale``); missing where there is none.
    count : ndarray of int64, shape (d + 1,)
        Respondents.
    """

    position: np.ndarray
    codes: np.ndarray
    labels: np.ndarray
    state: np.ndarray
    named: np.ndarray
    value: np.ndarray
    count: np.ndarray

    def series(self) -> pd.Series:
        """The variable, shape (n,)."""
        kind = "float64" if self.value.dtype.kind == "f" else "str"
        return pd.Series(self.value[self.position], dtype=kind)


def decode(values: pd.Series, labels: Mapping[Any, str], variable: Variable, missing: tuple[Any, ...] = ()) -> Decoded:
    """Look a column's values up in a variable's recoding, by value label and by code.

    Parameters
    ----------
    values : Series, shape (n,)
        As they stand in the file.
    labels : mapping of code to text
        Value labels of the column.
    missing : tuple
        Codes and labels that are missing unless the variable's ``values`` name them.

    Returns
    -------
    Decoded
    """
    position, uniques = pd.factorize(values)
    codes = as_labels(pd.Series(uniques))
    texts = np.array([str(labels.get(value, "")).strip() for value in uniques], dtype=object)
    size = len(codes)
    into, state = np.full(size + 1, None, dtype=object), np.full(size + 1, BLANK, dtype=np.int8)
    named = np.zeros(size, dtype=bool)
    lookup = _Lookup(variable, missing)
    for i, (code, text) in enumerate(zip(codes, texts, strict=True)):
        if code is None:
            continue
        found = lookup.of(code, text)
        named[i] = found is not None
        state[i], into[i] = found or _unnamed(code, text, variable, bool(labels))
    if variable.kind == "number":
        into = _as_numbers(pd.Series(uniques), into, state, variable)
    elif variable.bands:
        _into_bands(pd.Series(uniques), into, state, variable.bands)
    into[state != MADE] = np.nan if variable.kind == "number" else None
    count = np.bincount(np.where(position < 0, size, position), minlength=size + 1)
    return Decoded(position, codes, texts, state, named, into, count)


class _Lookup:
    """Codes and labels that a variable names, and those that are missing in every variable."""

    def __init__(self, variable: Variable, missing: tuple[Any, ...]) -> None:
        self._named: dict[str, tuple[int, Any]] = {key(code): (DECLARED, None) for code in variable.missing}
        self._named |= {key(raw): (MADE, value) for raw, value in variable.values.items()}
        self._common = {key(code) for code in missing}

    def of(self, code: str, label: str) -> tuple[int, Any] | None:
        """State and value of a code with its label; None where the recoding names neither."""
        keys = (key(label), key(code)) if label else (key(code),)
        found = [self._named[k] for k in keys if k in self._named]
        if len(found) == 2 and found[0] != found[1]:
            return CONFLICT, None
        if found:
            return found[0]
        return (DECLARED, None) if self._common.intersection(keys) else None


def _unnamed(code: str, label: str, variable: Variable, labelled: bool) -> tuple[int, Any]:
    """State and value of a code that the recoding does not name, before numbers and bands are looked at."""
    if variable.kind == "code":
        return MADE, code
    if variable.kind == "number":
        return MADE, None
    if variable.values or variable.bands:
        return UNMAPPED, None
    return (UNLABELLED, None) if labelled and not label else (MADE, label or code)


def _as_numbers(uniques: pd.Series, into: np.ndarray, state: np.ndarray, variable: Variable) -> np.ndarray:
    """Numbers, shape (d + 1,), with their states brought up to date."""
    numbers, text = as_numbers(uniques)
    given = np.array([np.nan if v is None else v for v in into[:-1]], dtype=float)
    numbers = np.where(np.isnan(given), numbers, given)
    inside = state[:-1]
    unsure = (inside == MADE) & np.isnan(given)
    inside[unsure & text] = NO_NUMBER
    inside[unsure & ~text & np.isnan(numbers)] = BLANK
    inside[(inside == MADE) & ~np.isfinite(numbers)] = NO_NUMBER
    if variable.bounds is not None:
        low, high = variable.bounds
        inside[(inside == MADE) & ((numbers < low) | (numbers > high))] = OUT_OF_BOUNDS
        numbers = low + high - numbers if variable.reverse else numbers
    multiply, add = variable.scale
    return np.append(numbers * multiply + add, np.nan)


def _into_bands(uniques: pd.Series, into: np.ndarray, state: np.ndarray, bands: tuple[Band, ...]) -> None:
    """Numbers that are not named fall into their bands."""
    numbers, text = as_numbers(uniques)
    left = state[:-1] == UNMAPPED
    state[:-1][left] = np.where(text[left], UNMAPPED, NO_BAND)
    # NA and the like are no numbers that could be out of every band.
    state[:-1][left & ~text & np.isnan(numbers)] = BLANK
    for band in bands:
        inside = left & (numbers >= band.lower) & (numbers < band.upper)
        into[:-1][inside] = band.category
        state[:-1][inside] = MADE
