"""Codes, numbers and labels: one rule for what a value is, whatever the file stores it as."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
import pandas as pd

WHOLE = re.compile(r"[+-]?\d+\.0+")
LEADING_ZERO = r"[+-]?0\d"
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
NOT_AVAILABLE = frozenset({"na", "n/a", "#n/a", "nan", "null", "."})


def as_codes(values: pd.Series) -> pd.Series:
    """Values as text codes: blanks stripped, whole floats as integers, leading zeros kept.

    Parameters
    ----------
    values : Series, shape (n,)
        Of any type.

    Returns
    -------
    Series of str, shape (n,)
        Missing where the value is missing or blank; index as given.

    Examples
    --------
    >>> as_codes(pd.Series([1.0, 2.5])).tolist()
    ['1', '2.5']
    >>> as_codes(pd.Series([" 01", "1.0"])).tolist()
    ['01', '1']
    """
    positions, uniques = pd.factorize(values)
    texts = np.array([_code(v) for v in _plain(uniques)] + [None], dtype=object)
    return pd.Series(texts[positions], index=values.index, name=values.name, dtype="str")


def as_labels(values: pd.Series) -> np.ndarray:
    """Labels of a grouping column, by the rule of `as_codes`.

    Returns
    -------
    ndarray of object, shape (n,)
        Text; None where missing.
    """
    positions, uniques = pd.factorize(values)
    return np.array([_code(v) for v in _plain(uniques)] + [None], dtype=object)[positions]


def as_numbers(values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Values as numbers; thousands separated by commas (``1,234``) are understood.

    Returns
    -------
    numbers : ndarray of float64, shape (n,)
        NaN where missing, or where the value is no number.
    bad : ndarray of bool, shape (n,)
        The value is there and is no number.
    """
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.to_numpy(dtype=np.float64, na_value=np.nan), np.zeros(len(values), dtype=bool)
    positions, uniques = pd.factorize(values)
    numbers, bad = _numbers(pd.Series(_plain(uniques)))
    return np.append(numbers, np.nan)[positions], np.append(bad, False)[positions]


def infer(values: pd.Series) -> pd.Series:
    """A column as float64 when every value is a number without leading zeros, else as stripped text.

    The same data read from CSV or Parquet therefore give the same column. ``NA``, ``NaN``, ``null`` and the like are
    missing in a column of numbers and text in a column of text.
    """
    if pd.api.types.is_numeric_dtype(values.dtype):
        return pd.Series(as_numbers(values)[0], index=values.index, name=values.name)
    positions, uniques = pd.factorize(values)
    texts = pd.Series([_stripped(v) if isinstance(v, str) else _code(v) for v in _plain(uniques)], dtype="str")
    numbers, bad = _numbers(texts)
    if not bad.any() and not texts.str.match(LEADING_ZERO, na=False).any():
        return pd.Series(np.append(numbers, np.nan)[positions], index=values.index, name=values.name)
    return pd.Series(texts.to_numpy(dtype=object)[positions], index=values.index, name=values.name, dtype="str").where(
        positions >= 0
    )


def matches(values: pd.Series, wanted: Iterable[Any]) -> np.ndarray:
    """Which values are among those wanted: numbers match as numbers, text exactly.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    positions, uniques = pd.factorize(values)
    plain = _plain(uniques)
    numbers, _ = _numbers(pd.Series(plain))
    labels = np.array([_code(v) for v in plain], dtype=object)
    found = np.zeros(len(plain) + 1, dtype=bool)
    for want in wanted:
        if isinstance(want, (int, float)):
            found[:-1] |= numbers == float(want)
        else:
            found[:-1] |= labels == _code(want)
    return found[positions]


def listing(values: Collection[Any], most: int = 10) -> str:
    """The first few of several values, as text for a message.

    Examples
    --------
    >>> listing(["a", "b", "c"], most=2)
    "'a', 'b' …"
    """
    shown = ", ".join(repr(str(v)[:60]) for v in list(values)[:most])
    return f"{shown} …" if len(values) > most else shown


def _plain(uniques: Any) -> np.ndarray:
    """Distinct values as an array of numbers or objects."""
    index: pd.Index[Any] = pd.Index(uniques)
    if isinstance(index, pd.CategoricalIndex):
        index = pd.Index(index.categories.take(index.codes))
    numeric = pd.api.types.is_numeric_dtype(index.dtype) and not pd.api.types.is_bool_dtype(index.dtype)
    return np.asarray(index) if numeric else np.asarray(index, dtype=object)


def _stripped(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    return str(value).strip() or None


def _code(value: Any) -> str | None:
    """One value as a code; None where missing."""
    if isinstance(value, (bool, np.bool_)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        if np.isnan(value):
            return None
        return str(int(value)) if np.isfinite(value) and value == int(value) else str(value)
    text = _stripped(value)
    if text is not None and WHOLE.fullmatch(text):
        return str(int(text.split(".")[0]))
    return text


def _numbers(values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Distinct values as numbers, and which of them are no numbers."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.to_numpy(dtype=np.float64), np.zeros(len(values), dtype=bool)
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, copy=True)
    bad = np.zeros(len(values), dtype=bool)
    plain = values.to_numpy(dtype=object)
    for i in np.flatnonzero(np.isnan(numbers)):
        text = _stripped(plain[i])
        if text is None or text.lower() in NOT_AVAILABLE:
            continue
        if THOUSANDS.fullmatch(text):
            numbers[i] = float(text.replace(",", ""))
        else:
            bad[i] = True
    return numbers, bad
