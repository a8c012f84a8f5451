"""One base error, few subclasses; every message says what was found, what was expected and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["configuration", "unavailable", "data", "model"]

EXIT_STATUS: dict[str, int] = {"configuration": 2, "unavailable": 2, "data": 1, "model": 1}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, where it stands and what to do about it.

    Parameters
    ----------
    where : str
        File and key, or table and column, e.g. ``"models/belonging.toml: model.engine"``.
    message : str
        What was found and what was expected, one sentence without a full stop.
    hint : str
        What to do; may be empty.
    kind : {"configuration", "unavailable", "data", "model"}
        Decides the exit status: 2 for the first two, 1 for the others.
    """

    where: str
    message: str
    hint: str = ""
    kind: Kind = "configuration"

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} ({self.hint})" if self.hint else text


class PlacewiseError(Exception):
    """Base of every error that a user can cause and mend.

    Parameters
    ----------
    problems : Problem or iterable of Problem
        All that is wrong, not only the first.
    """

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__(str(self))

    @property
    def exit_status(self) -> int:
        """Exit status of the command line: the highest among the problems."""
        return max((EXIT_STATUS[p.kind] for p in self.problems), default=1)

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return str(self.problems[0])
        lines = [f"{len(self.problems)} problems:"]
        return "\n".join(lines + [f"  - {p}" for p in self.problems])


class ConfigurationError(PlacewiseError):
    """Wrong usage or configuration (exit status 2)."""


class DataError(PlacewiseError):
    """The data failed a check (exit status 1)."""


class ModelError(PlacewiseError):
    """The model could not be fitted, or failed its own checks (exit status 1)."""


class Problems:
    """Collects problems so that all are told at once.

    Examples
    --------
    >>> found = Problems()
    >>> found.add("areas.code", "column 'oa21cd' is missing", nearest("oa21cd", ["oa21"]))
    >>> bool(found)
    True
    """

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, where: str, message: str, hint: str = "", kind: Kind = "configuration") -> None:
        """Note one problem; the same problem is noted once."""
        problem = Problem(where, message, hint, kind)
        if problem not in self._found:
            self._found.append(problem)

    def extend(self, problems: Iterable[Problem]) -> None:
        """Note several problems."""
        for p in problems:
            self.add(p.where, p.message, p.hint, p.kind)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def raise_if_any(self) -> None:
        """Raise one error that holds every problem noted so far."""
        if not self._found:
            return
        status = max(EXIT_STATUS[p.kind] for p in self._found)
        raise (ConfigurationError if status == 2 else DataError)(self._found)


def nearest(name: str, known: Iterable[str]) -> str:
    """Hint that names the nearest match, or the first few known names.

    Examples
    --------
    >>> nearest("belongng", ["belonging", "weight"])
    "did you mean 'belonging'?"
    """
    names = [str(k) for k in known]
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    if not names:
        return ""
    shown = ", ".join(repr(n) for n in names[:10])
    return f"known: {shown}{' …' if len(names) > 10 else ''}"
