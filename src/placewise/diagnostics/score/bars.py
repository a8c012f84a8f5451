"""Bars: conditions on the numbers of a score, written ``PATH OP NUMBER`` or ``PATH in LOW:HIGH``."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from placewise.errors import DataError, Problem

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
COMPARISON = re.compile(r"(?P<path>[^<>=]+?)\s*(?P<op><=|>=|==|<|>)\s*(?P<bound>\S+)")
RANGE = re.compile(r"(?P<path>[^<>=]+?)\s+in\s+(?P<low>[^\s:]+):(?P<high>[^\s:]+)")


@dataclass(frozen=True)
class Bar:
    """One condition.

    Parameters
    ----------
    text : str
        As written.
    path : tuple of str
        Keys from the top of the score, or below ``levels``; ``*`` is every key.
    holds : callable
        Whether a number meets it.
    """

    text: str
    path: tuple[str, ...]
    holds: Callable[[float], bool]


def parse_bar(text: str) -> Bar:
    """Read one bar.

    Raises
    ------
    DataError
        It is not of either form.
    """
    stripped = text.strip()
    try:
        if found := COMPARISON.fullmatch(stripped):
            compare, bound = OPERATORS[found["op"]], float(found["bound"])
            return Bar(text, _path(found["path"]), lambda x: compare(x, bound))
        if found := RANGE.fullmatch(stripped):
            low, high = float(found["low"]), float(found["high"])
            return Bar(text, _path(found["path"]), lambda x: low <= x <= high)
    except ValueError as error:
        raise _unreadable(text) from error
    raise _unreadable(text)


def _path(text: str) -> tuple[str, ...]:
    return tuple(text.split("."))


def _unreadable(text: str) -> DataError:
    return DataError(
        Problem(
            f"bar {text!r}",
            "cannot be read",
            "write 'oa21cd.rmse<=0.0355' or 'oa21cd.cov90 in 0.87:0.93'",
            "data",
        )
    )


def read_bars(path: Path) -> list[str]:
    """Bars of a JSON file: a list, or an object with the key ``bars``.

    Raises
    ------
    DataError
        The file is missing or holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(Problem(str(path), "cannot be opened", "give a JSON file of bars", "data")) from error
    except ValueError as error:
        raise DataError(Problem(str(path), f"is not JSON: {error}", "", "data")) from error
    bars = content.get("bars") if isinstance(content, dict) else content
    if not isinstance(bars, list) or not all(isinstance(bar, str) for bar in bars):
        raise DataError(Problem(str(path), "holds no list of bars", "a list, or an object with the key 'bars'", "data"))
    return bars


def judge(result: dict[str, Any], bars: Sequence[str]) -> tuple[int, list[dict[str, Any]]]:
    """Hold a score against bars.

    Parameters
    ----------
    result : dict
        What ``score_tables`` returned.
    bars : sequence of str
        A bar that finds nothing fails, and one over several numbers holds where all of them do.

    Returns
    -------
    held : int
        Bars that hold.
    failed : list of dict
        ``bar`` and ``found`` of every other one, in the order given.
    """
    failed = []
    for bar in map(parse_bar, bars):
        found = list(_walk(result, bar.path)) or list(_walk(result["levels"], bar.path))
        if not found or not all(isinstance(x, int | float) and bar.holds(x) for x in found):
            failed.append({"bar": bar.text, "found": found[0] if len(found) == 1 else found})
    return len(bars) - len(failed), failed


def _walk(node: Any, path: tuple[str, ...]) -> Iterator[Any]:
    if not path:
        yield node
    elif isinstance(node, dict):
        for key in node if path[0] == "*" else [path[0]]:
            if key in node:
                yield from _walk(node[key], path[1:])
