"""Tells what a recoding does not cover: every such value of a variable in one problem."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np

from placewise.errors import Problems
from placewise.surveys.disclosure import THRESHOLD, told
from placewise.surveys.recode.decode import (
    CONFLICT,
    MADE,
    NO_BAND,
    NO_NUMBER,
    OUT_OF_BOUNDS,
    UNLABELLED,
    UNMAPPED,
    Decoded,
)
from placewise.surveys.recode.keys import key
from placewise.surveys.recode.spec import Variable

MOST_CATEGORIES = 200
# Beyond these an unlabelled value that few respondents have could be a measurement or free text of one person.
MOST_SHOWN = 10
LONGEST_CODE = 4

_SAID = {
    UNMAPPED: ("neither mapped nor missing", "map {them} in 'values', or declare {them} in 'missing'"),
    UNLABELLED: ("without a value label", "map {them} in 'values', or declare {them} in 'missing'"),
    NO_NUMBER: ("no number", "give {them} a number in 'values', or declare {them} in 'missing'"),
    NO_BAND: ("in no band", "widen the bands, or declare {them} in 'missing'"),
    OUT_OF_BOUNDS: ("outside the bounds", "declare {them} in 'missing', or widen 'bounds'"),
    CONFLICT: ("one thing by code and another by label", "check which the file means, and keep codes or labels"),
}


def tell_unmapped(found: Decoded, variable: Variable, column: str, where: str, problems: Problems) -> None:
    """Note the values of a column that became nothing, with how many respondents have each.

    Parameters
    ----------
    found : Decoded
        The column's values.
    column : str
        Its name in the file.
    where : str
        Survey, file and variable.
    problems : Problems
        Takes one problem for each kind of fault.
    """
    state = found.state[:-1]
    for fault, (what, hint) in _SAID.items():
        rows = np.flatnonzero(state == fault)
        if not rows.size:
            continue
        plural = rows.size != 1
        noun = "values" if plural else "value"
        message = f"{rows.size:,} {noun} of column {column!r} {'are' if plural else 'is'} {what}: "
        advice = hint.format(them="them" if plural else "it")
        close = _close(found, rows, variable) if fault == UNMAPPED else ""
        problems.add(where, message + _listed(found, rows), f"{close}{advice}", "data")
    if variable.kind == "category" and not variable.values and not variable.bands:
        made = int((state == MADE).sum())
        if made > MOST_CATEGORIES:
            problems.add(
                where,
                f"column {column!r} has {made:,} different values, too many for categories",
                'group them by values or bands, or write kind = "number" or "code"',
                "data",
            )


def _listed(found: Decoded, rows: np.ndarray) -> str:
    """The values with their labels and counts, the most frequent first."""
    ordered = sorted(rows, key=lambda i: (-int(found.count[i]), str(found.codes[i])))
    shown = [i for i in ordered if len(ordered) <= MOST_SHOWN or _harmless(found, i)]
    parts = [f"{_shown(found, i)} ({told(int(found.count[i]))})" for i in shown]
    if len(shown) < len(ordered):
        parts.append(f"{len(ordered) - len(shown):,} {'others' if shown else 'values'}, each rare")
    return ", ".join(parts)


def _harmless(found: Decoded, i: int) -> bool:
    code = str(found.codes[i])
    is_code = len(code) <= LONGEST_CODE and code.lstrip("-").isdigit()
    return bool(found.labels[i]) or is_code or int(found.count[i]) >= THRESHOLD


def _shown(found: Decoded, i: int) -> str:
    code, label = str(found.codes[i]), str(found.labels[i])
    return f"{code[:60]} {label[:60]!r}" if label else repr(code[:60])


def _close(found: Decoded, rows: Sequence[int] | np.ndarray, variable: Variable) -> str:
    """Which of the mapped labels the first unmapped one is most like."""
    known = {key(raw): raw for raw in variable.values if not _is_code(raw)}
    for i in rows:
        text = str(found.labels[i] or found.codes[i])
        if near := get_close_matches(key(text), known, n=1):
            return f"is {text!r} the same as {known[near[0]]!r}? If so "
    return _stands_for(found, rows, variable)


def _stands_for(found: Decoded, rows: Sequence[int] | np.ndarray, variable: Variable) -> str:
    """Which mapped code a text may stand for, where 'values' maps codes and the file holds their labels instead."""
    codes = {key(str(into)): raw for raw, into in variable.values.items() if _is_code(raw)}
    for i in rows:
        text = str(found.codes[i])
        near = [] if found.labels[i] or _is_code(text) else get_close_matches(key(text), codes, n=1)
        if near:
            return (
                f"the file holds text where 'values' maps codes: is {text!r} what code {codes[near[0]]} stands for, "
                f"{str(variable.values[codes[near[0]]])!r}? If so write the text in place of the code; else "
            )
    return ""


def _is_code(raw: str) -> bool:
    return key(raw).lstrip("-").isdigit()
