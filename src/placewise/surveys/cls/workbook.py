"""The published local-authority tables of the Community Life Survey, as targets with standard errors.

The annual tables of 2023/24 are a workbook with one sheet a question (``SHEETS``). Each sheet opens with lines of text;
its header is the row that begins with "Question". Which rows come before it is not relied on.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from placewise.errors import Problems, nearest
from placewise.geography.codes import listing
from placewise.geography.delimited import UnreadableError
from placewise.geography.place_names import codes_by_name, plain_name
from placewise.geography.workbook import Rows, read_sheets
from placewise.schema import repeated
from placewise.surveys.cls.years import survey_year

SHEETS: Mapping[str, str] = {
    "B1c": "belonging: very or fairly strongly to the immediate neighbourhood",
    "B15c": "satisfaction: satisfied with the local area as a place to live (January to March 2024 only)",
    "C6c": "chatting: to neighbours, more than just to say hello, at least once a month",
}
HEADER_WITHIN = 40
# Two-sided 95% of the standard normal distribution: the level of the published bounds.
Z_95 = 1.959963984540054
WHOLE_COUNTRY = frozenset({"all", "total", "england"})
# Shorthand of the Government Statistical Service, and what older tables write instead.
SUPPRESSED = frozenset({"c", "x", "z", "u", "w", "low", "-", "–", "—", "..", ".", ":", "*", "#", "n/a", "na", "nan"})
_MARKED = re.compile(r"([+-]?[\d,]*\.?\d+)\s*%?\s*(\[[a-z]+\])?", re.IGNORECASE)
# What a column's name says it holds, the first that fits. The number of respondents is taken where there is no base.
_COLUMNS: Mapping[str, re.Pattern[str]] = {
    "lower": re.compile(r"\blower\b"),
    "upper": re.compile(r"\bupper\b"),
    "n": re.compile(r"\bbase\b"),
    "respondents": re.compile(r"\brespondents\b|\bsample size\b"),
    "percent": re.compile(r"\bpercentage\b|%"),
}


@dataclass(frozen=True, eq=False)
class PublishedAreas:
    """Published estimates of areas, ready to be targets of a benchmark or a truth to validate against.

    Parameters
    ----------
    table : DataFrame
        ``code, name, estimate, se, n``, sorted by code: shares between 0 and 1; ``n`` is missing where the sheet has
        no column for it.
    sheet, column : str
        Where the estimates stand.
    standard_error : str
        How ``se`` was derived, in words.
    unmatched : tuple of str
        Published names that are no area's.
    absent : tuple of str
        Codes of areas that have no published estimate.
    suppressed : mapping of name to mark
        Areas whose estimate is withheld, and the mark that stands in its place.
    """

    table: pd.DataFrame
    sheet: str
    column: str
    standard_error: str
    unmatched: tuple[str, ...]
    absent: tuple[str, ...]
    suppressed: Mapping[str, str]

    @property
    def notes(self) -> tuple[str, ...]:
        """What was made of the sheet, one sentence each."""
        found = [f"{len(self.table)} areas from column {self.column!r} of sheet {self.sheet}"]
        found.append(f"standard errors: {self.standard_error}")
        if self.suppressed:
            found.append(f"withheld by the publisher: {listing(list(self.suppressed), 20)}")
        if self.unmatched:
            found.append(f"{len(self.unmatched)} published names are no area's: {listing(self.unmatched, 20)}")
        if self.absent:
            found.append(f"{len(self.absent)} areas have no published estimate: {listing(self.absent, 20)}")
        return tuple(found)


def read_cls_workbook(
    path: Path | str,
    sheet: str,
    names: Mapping[str, str],
    *,
    year: str = "2023/24",
    design_effect: float | None = None,
) -> PublishedAreas:
    """Read one sheet of the published local-authority tables.

    The standard error of a share is the width of its published 95% interval over 2 × 1.96; where the sheet has no
    bounds, √(design effect · p(1 − p) ÷ n) with the published number of respondents and a design effect that the
    caller states.

    Parameters
    ----------
    path : path
        The workbook.
    sheet : str
        Such as ``"B1c"``; see ``SHEETS``.
    names : mapping of code to name
        The areas: which codes the published names are.
    year : str
        Whose columns to read; those that name no year are everybody's.
    design_effect : float, optional
        Of a local authority's estimate; used, and needed, only where no bounds are published.

    Returns
    -------
    PublishedAreas

    Raises
    ------
    DataError, ConfigurationError
        All that is wrong: no such file or sheet, no header, columns that are not there, cells that are neither
        numbers nor marks, a name twice, nothing to derive a standard error from, no name that is an area's.
    """
    path = Path(path)
    problems = Problems()
    rows = _sheet(path, sheet, problems)
    problems.raise_if_any()
    assert rows is not None
    where = f"{path.name}: sheet {sheet}"
    header = _header(rows, year, where, problems)
    problems.raise_if_any()
    assert header is not None
    table, suppressed = _figures(rows, header, where, problems)
    problems.raise_if_any()
    table, how = _with_errors(_as_shares(table), design_effect, where, problems)
    codes, unclear = codes_by_name(table["name"], names)
    _check_matched(codes, unclear, names, where, problems)
    problems.raise_if_any()
    table.insert(0, "code", table["name"].map(codes))
    known = table["code"].notna() & table["estimate"].notna()
    tidy = table.loc[known, ["code", "name", "estimate", "se", "n"]].sort_values("code").reset_index(drop=True)
    return PublishedAreas(
        tidy,
        sheet,
        header.names[header.percent],
        how,
        tuple(n for n in unclear if plain_name(n) not in WHOLE_COUNTRY),
        tuple(sorted(set(names) - set(tidy["code"]))),
        suppressed,
    )


@dataclass(frozen=True)
class _Header:
    """Positions of the columns that are read; -1 for one that the sheet lacks."""

    row: int
    names: tuple[str, ...]
    place: int
    percent: int
    lower: int
    upper: int
    n: int

    def items(self) -> list[tuple[str, int]]:
        found = {"percent": self.percent, "lower": self.lower, "upper": self.upper, "n": self.n}
        return [(key, at) for key, at in found.items() if at >= 0]


def _sheet(path: Path, sheet: str, problems: Problems) -> Rows | None:
    if not path.is_file():
        siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        problems.add(str(path), "there is no such file", nearest(path.name, siblings), "data")
        return None
    try:
        found, there = read_sheets(path, [sheet])
    except UnreadableError as error:
        problems.add(path.name, error.message, error.hint, "data")
        return None
    if sheet not in found:
        known = "; ".join(f"{name}: {about}" for name, about in SHEETS.items())
        problems.add(path.name, f"there is no sheet {sheet!r}", f"{nearest(sheet, there)} {known}", "data")
    return found.get(sheet)


def _header(rows: Rows, year: str, where: str, problems: Problems) -> _Header | None:
    """The row that begins with "Question", and which of its columns is what."""
    wanted = survey_year(year)
    if not wanted:
        problems.add(where, f"{year!r} is no survey year", 'write it as in "2023/24"')
        return None
    row = next((i for i, r in enumerate(rows[:HEADER_WITHIN]) if r and _text(r[0]).casefold() == "question"), None)
    if row is None:
        message = f"no row among the first {HEADER_WITHIN} begins with 'Question'"
        problems.add(where, message, "is it one of the local-authority tables, whose names end in c?", "data")
        return None
    names = tuple(_text(cell) for cell in rows[row])
    place = [i for i, name in enumerate(names) if name.casefold() == "response breakdown"]
    found: dict[str, list[int]] = {key: [] for key in _COLUMNS}
    for i, name in enumerate(names):
        kind = next((key for key, pattern in _COLUMNS.items() if pattern.search(name.casefold())), None)
        if kind is not None and survey_year(name) in ("", wanted):
            found[kind].append(i)
    # of a percentage without a year beside one of the year, the latter is meant
    found = {key: [i for i in hits if survey_year(names[i])] or hits for key, hits in found.items()}
    respondents = found.pop("respondents")
    found["n"] = found["n"] or respondents
    before = len(problems)
    for what, hits in (("'Response Breakdown'", place), (f"'{year} Percentage (%)'", found["percent"])):
        if not hits:
            shown = listing([name for name in names if name])
            problems.add(where, f"the header has no column {what}, it has {shown}", "name the year in 'year'", "data")
    for key, hits in found.items():
        if len(hits) > 1:
            message = f"several columns may be {key} of {year}: {listing([names[i] for i in hits])}"
            problems.add(where, message, "keep one of them in a copy of the workbook", "data")
    if len(problems) > before:
        return None
    return _Header(row, names, place[0], **{key: hits[0] if hits else -1 for key, hits in found.items()})


def _figures(rows: Rows, header: _Header, where: str, problems: Problems) -> tuple[pd.DataFrame, dict[str, str]]:
    """Names and figures of the areas, and the mark of each whose estimate is withheld."""
    body = _body(rows[header.row + 1 :], header)
    cells = {key: _numbers(body[at], f"{where}: column {header.names[at]!r}", problems) for key, at in header.items()}
    names = body[header.place]
    _check_names(names, where, problems)
    table = pd.DataFrame({"name": names, **{key: values for key, (values, _) in cells.items()}})
    return table, {name: mark for name, mark in zip(names, cells["percent"][1], strict=True) if mark}


def _body(rows: Rows, header: _Header) -> dict[int, list[Any]]:
    """Columns of the rows that hold an area: a name, and something in a column of figures."""
    wanted = [header.place, *(at for _, at in header.items())]
    kept = [[row[at] if at < len(row) else None for at in wanted] for row in rows]
    kept = [row for row in kept if row[0] is not None and any(cell is not None for cell in row[1:])]
    columns = {at: [row[i] for row in kept] for i, at in enumerate(wanted)}
    columns[header.place] = [_text(name) for name in columns[header.place]]
    return columns


def _numbers(cells: list[Any], where: str, problems: Problems) -> tuple[np.ndarray, list[str]]:
    """Figures, NaN where withheld, and the mark that stands there instead."""
    values, marks, strange = np.full(len(cells), np.nan), [""] * len(cells), []
    for i, cell in enumerate(cells):
        text = _text(cell)
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            values[i] = float(cell)
        elif match := _MARKED.fullmatch(text):
            values[i] = float(match[1].replace(",", ""))
        elif not text or text.strip("[]").casefold() in SUPPRESSED:
            marks[i] = text or "blank"
        else:
            strange.append(text)
    if strange:
        message = f"{len(strange)} cells are neither numbers nor marks of suppression: {listing(strange)}"
        problems.add(where, message, "see the notes sheet of the workbook", "data")
    if (values < 0).any() or not np.isfinite(values[~np.isnan(values)]).all():
        problems.add(where, "some figures are negative or infinite", "download the workbook again", "data")
    return values, marks


def _check_names(places: list[str], where: str, problems: Problems) -> None:
    twice = repeated(places)
    if twice:
        message = f"these names stand there more than once: {listing(twice)}"
        problems.add(where, message, "the sheet holds several answers: keep one of them in a copy", "data")
    if not places:
        problems.add(where, "there is no row below the header", kind="data")


def _as_shares(table: pd.DataFrame) -> pd.DataFrame:
    """Percentages, or the fractions that a workbook keeps behind a percent format, as shares."""
    fractions = table["percent"].max() <= 1
    for key in ("percent", "lower", "upper"):
        if key in table.columns and not fractions:
            table[key] = table[key] / 100
    return table.rename(columns={"percent": "estimate"})


def _with_errors(
    table: pd.DataFrame, design_effect: float | None, where: str, problems: Problems
) -> tuple[pd.DataFrame, str]:
    """Standard errors from the bounds or from n, and in words how."""
    there = table["estimate"].notna()
    if (table.loc[there, "estimate"] > 1).any():
        problems.add(where, "some percentages are above 100", "download the workbook again", "data")
    if "n" not in table.columns:
        table["n"] = np.nan
    if {"lower", "upper"} <= {*table.columns}:
        _check_bounds(table[there], where, problems)
        return table.assign(se=(table["upper"] - table["lower"]) / (2 * Z_95)), (
            "width of the published 95% interval over 2 × 1.96"
        )
    if table.loc[there, "n"].isna().any():
        problems.add(
            where,
            "the sheet has neither lower and upper bounds nor the number of respondents of every area",
            "without one of them no standard error can be derived: use the workbook as published",
            "data",
        )
        return table, ""
    if design_effect is None or not math.isfinite(design_effect) or design_effect <= 0:
        problems.add(
            where,
            "the sheet has no bounds, only numbers of respondents",
            "state the design effect of a local authority's estimate, from the survey's technical report: "
            "design_effect = … in Python, --design-effect on the command line",
        )
        return table, ""
    # a share of nobody or everybody has an error too
    share = (table["estimate"] * table["n"] + 0.5) / (table["n"] + 1)
    error = np.sqrt(design_effect * share * (1 - share) / table["n"])
    return table.assign(se=error), f"√(deff · p(1 − p) ÷ n) with the stated design effect of {design_effect:g}"


def _check_bounds(table: pd.DataFrame, where: str, problems: Problems) -> None:
    names = table["name"]
    # bounds rounded to a whole percent may meet the estimate
    slack = 0.0051
    outside = (table["lower"] > table["estimate"] + slack) | (table["upper"] < table["estimate"] - slack)
    faults = {
        "have no bounds": table["lower"].isna() | table["upper"].isna(),
        "have an estimate outside its bounds": outside,
        "have bounds of no width": table["upper"] <= table["lower"],
    }
    for what, odd in faults.items():
        if odd.any():
            message = f"{int(odd.sum())} areas {what}: {listing(list(names[odd]))}"
            problems.add(where, message, "use the workbook as published", "data")


def _check_matched(
    codes: Mapping[str, str],
    unclear: Mapping[str, tuple[str, ...]],
    names: Mapping[str, str],
    where: str,
    problems: Problems,
) -> None:
    for name, several in unclear.items():
        if several:
            message = f"{name!r} is the name of {len(several)} areas: {listing(several)}"
            problems.add(where, message, "give the codes and names of one level", "data")
    counts = pd.Series(list(codes.values()), dtype="str").value_counts()
    for code in counts[counts > 1].index:
        both = [name for name, c in codes.items() if c == code]
        problems.add(where, f"{listing(both)} are all matched to {code!r}", "correct the areas' names", "data")
    if not codes:
        problems.add(
            where,
            f"none of its names is an area's: {listing(list(unclear), 5)}; the areas are called "
            f"{listing(list(names.values()), 5)}",
            "give the local authorities' codes and names: areas.names of their level",
            "data",
        )


def _text(cell: Any) -> str:
    return "" if cell is None else " ".join(str(cell).split())
