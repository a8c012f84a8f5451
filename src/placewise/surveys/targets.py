"""What is known of the population, read by name: totals of numbers and people by category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from placewise.errors import Problems, nearest
from placewise.geography.codes import as_labels, listing
from placewise.surveys.disclosure import told_of

Target = float | Mapping[Any, float] | pd.Series

# Populations of two margins may differ by rounding only.
_SAME_POPULATION = 1e-6


@dataclass(frozen=True, eq=False, repr=False)
class Margin:
    """People by category.

    Parameters
    ----------
    name : str
    code : ndarray of int64, shape (n,)
        Category of each respondent.
    counts : ndarray of float64, shape (categories,)
        People in the population.
    labels : tuple of str
    """

    name: str
    code: np.ndarray
    counts: np.ndarray
    labels: tuple[str, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Targets:
    """Auxiliary variables beside their population totals.

    Parameters
    ----------
    names : tuple of str
    columns : tuple of Margin or ndarray of float64, shape (n,)
    numbers : tuple of float
        Total of each number; 0 for a margin, which holds its own.
    """

    names: tuple[str, ...]
    columns: tuple[Margin | np.ndarray, ...]
    numbers: tuple[float, ...]

    def matrix(self) -> np.ndarray:
        """One column a number or category, shape (n, p)."""
        parts = [
            (c.code[:, None] == np.arange(c.counts.size)).astype(float) if isinstance(c, Margin) else c[:, None]
            for c in self.columns
        ]
        return np.hstack(parts)

    def totals(self) -> np.ndarray:
        """Totals of the matrix's columns, shape (p,)."""
        pairs = zip(self.columns, self.numbers, strict=True)
        return np.concatenate([c.counts if isinstance(c, Margin) else np.array([t]) for c, t in pairs])

    def labels(self) -> list[str]:
        """Names of the matrix's columns, for messages."""
        pairs = zip(self.columns, self.names, strict=True)
        return [x for c, n in pairs for x in ([f"{n} {a!r}" for a in c.labels] if isinstance(c, Margin) else [repr(n)])]


def read_targets(table: pd.DataFrame, given: Mapping[str, Target], n: int, problems: Problems) -> Targets:
    """Match totals to columns and categories by name.

    Parameters
    ----------
    table : DataFrame
        n rows.
    given : mapping of column to float, or to mapping of category to float
    n : int
    problems : Problems
        Takes everything that is wrong; what is returned then holds only what was right.
    """
    names: list[str] = []
    columns: list[Margin | np.ndarray] = []
    numbers: list[float] = []
    if len(table) != n:
        problems.add("weights", f"the table has {len(table):,} rows for {n:,} respondents", kind="data")
        return Targets((), (), ())
    if not given:
        problems.add("weights", "no totals given", kind="data")
    for name, target in given.items():
        if name not in table.columns:
            problems.add("weights", f"column {name!r} is missing", nearest(name, map(str, table.columns)), "data")
            continue
        column: Margin | np.ndarray | None
        if isinstance(target, Mapping | pd.Series):
            column, number = _margin(name, table[name], dict(target.items()), problems), 0.0
        else:
            column = read_numbers(table[name], n, f"column {name!r}", problems)
            number = float(read_numbers([target], 1, f"total of {name!r}", problems)[0])
        if column is not None:
            names.append(name)
            columns.append(column)
            numbers.append(number)
    found = Targets(tuple(names), tuple(columns), tuple(numbers))
    _check_populations([c for c in columns if isinstance(c, Margin)], problems)
    return found


def read_cells(table: pd.DataFrame, counts: pd.DataFrame, names: Sequence[str], n: int, problems: Problems) -> Margin:
    """People by joint category, matched by key; nothing in particular where a problem was noted."""
    nothing = Margin("", np.zeros(n, dtype=np.int64), np.ones(1), ("",))
    if "count" not in counts.columns or not names:
        problems.add("poststratify", "counts needs a column 'count' and those of the categories", kind="data")
        return nothing
    for name in names:
        if name not in table.columns:
            problems.add("weights", f"column {name!r} is missing", nearest(name, map(str, table.columns)), "data")
    if len(table) != n:
        problems.add("weights", f"the table has {len(table):,} rows for {n:,} respondents", kind="data")
    if problems:
        return nothing
    labels = _joint(counts, names)
    if labels.duplicated().any():
        problems.add("poststratify", f"categories twice in counts: {listing(labels[labels.duplicated()])}", kind="data")
        return nothing
    numbers = pd.Series(read_numbers(counts["count"], len(counts), "column 'count'", problems), index=labels)
    margin = _margin(" × ".join(names), _joint(table, names), numbers.to_dict(), problems)
    return margin or nothing


def _joint(table: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """Joint label of each row; missing where one of its parts is."""
    parts = pd.DataFrame({name: as_labels(table[name].reset_index(drop=True)) for name in names}, dtype=object)
    if len(names) == 1:
        return parts[names[0]]
    return parts.where(parts.notna(), "").agg(" × ".join, axis=1).mask(parts.isna().any(axis=1))


def read_numbers(values: Any, n: int, what: str, problems: Problems, *, positive: bool = False) -> np.ndarray:
    """Finite numbers, shape (n,)."""
    series = pd.Series(np.asarray(values))
    if len(series) != n:
        problems.add("weights", f"{what} has {len(series):,} values, expected {n:,}", kind="data")
        return np.ones(n)
    found = pd.to_numeric(series, errors="coerce").to_numpy(dtype=float)
    bad = ~np.isfinite(found) | ((found <= 0) if positive else False)
    if bad.any():
        expected = "positive numbers" if positive else "finite numbers"
        where = f" for {told_of(int(bad.sum()), n, 'respondents')}" if n > 1 else ""
        problems.add("weights", f"{what} holds values that are not {expected}{where}", kind="data")
    return np.where(bad, 1.0, found)


def _margin(name: str, values: pd.Series, target: Mapping[Any, float], problems: Problems) -> Margin | None:
    before = len(problems)
    numbers = read_numbers(list(target.values()), len(target), f"totals of {name!r}", problems)
    if (numbers < 0).any():
        problems.add("weights", f"totals of {name!r} hold negative numbers", kind="data")
    missing = int(values.isna().sum())
    if missing:
        message = f"column {name!r} is missing for {told_of(missing, len(values), 'respondents')}"
        problems.add("weights", message, "fill it, or give the category its own name and total", "data")
    names = as_labels(pd.Series(list(target), dtype=object))
    wanted = {str(category): float(x) for category, x in zip(names, numbers, strict=True)}
    answers = pd.Series(as_labels(values)).dropna().astype("str")
    strange = sorted({*answers.unique()} - {*wanted})
    absent = sorted({c for c, x in wanted.items() if x > 0} - {*answers.unique()})
    zero = sorted({c for c, x in wanted.items() if x == 0} & {*answers.unique()})
    if strange:
        problems.add("weights", f"no total for {name!r} {listing(strange)}", nearest(strange[0], wanted), "data")
    if absent:
        problems.add("weights", f"nobody answered {name!r} {listing(absent)}", "merge categories", "data")
    if zero:
        problems.add("weights", f"the total of {name!r} {listing(zero)} is zero, but some answered so", kind="data")
    if len(problems) > before:
        return None
    labels = [c for c, x in wanted.items() if x > 0]
    code = pd.Index(labels).get_indexer(pd.Index(answers))
    return Margin(name, code.astype(np.int64), np.array([wanted[c] for c in labels]), tuple(labels))


def _check_populations(margins: Sequence[Margin], problems: Problems) -> None:
    sums = {m.name: float(m.counts.sum()) for m in margins}
    if sums and max(sums.values()) - min(sums.values()) > _SAME_POPULATION * max(sums.values()):
        told = ", ".join(f"{name} {total:,.10g}" for name, total in sums.items())
        problems.add("weights", f"margins add up to different populations: {told}", "scale them to one", "data")
