"""A deposited file of the Community Life Survey, whatever its format: columns, labels and declared missing codes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from placewise.errors import Problems
from placewise.geography import columnar
from placewise.geography.codes import as_labels
from placewise.geography.delimited import UnreadableError
from placewise.geography.tables import RawTable, TableFile, open_table, read_raw
from placewise.surveys.cls.codebook import Codebook
from placewise.surveys.recode.keys import key
from placewise.surveys.recode.spec import Recoding, Variable


@dataclass(frozen=True)
class Deposit:
    """A survey's file before its rows are read.

    Parameters
    ----------
    file : TableFile
        Path and columns.
    codebook : Codebook
        What the user says of its codes; empty where they say nothing.
    described : Described
        What the file itself says of its columns.
    """

    file: TableFile
    codebook: Codebook = field(default_factory=Codebook)
    described: columnar.Described = field(default_factory=lambda: columnar.Described({}, {}))

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the file."""
        return self.file.columns

    def find(self, name: str) -> str | None:
        """The file's column of a name, whatever its case."""
        return Variable(name).find(self.columns)

    def candidates(self, words: Iterable[str], most: int = 6) -> list[str]:
        """Columns whose name or variable label holds one of some words, as ``NAME (label)``."""
        lowered = [word.casefold() for word in words]
        found = []
        for column in self.columns:
            wording = self.described.wordings.get(column, "")
            if any(word in text for word in lowered for text in (column.casefold(), wording.casefold())):
                found.append(f"{column} ({wording[:60]})" if wording else column)
        return found[:most]


@dataclass(frozen=True, eq=False, repr=False)
class Answers:
    """Rows of a deposit.

    Parameters
    ----------
    raw : RawTable
        Codes as stored with their labels, those declared as missing among them.
    missing : mapping of column to tuple of str
        Codes that the file or the codebook declares as missing.
    """

    raw: RawTable
    missing: Mapping[str, tuple[str, ...]]

    def declared_in(self, recoding: Recoding) -> Recoding:
        """The recoding with each column's declared missing codes among its variable's."""
        return replace(recoding, variables=tuple(self._of(variable) for variable in recoding.variables))

    def _of(self, variable: Variable) -> Variable:
        column = variable.find(self.raw.frame.columns)
        codes = self.missing.get(column, ()) if column is not None else ()
        known = {key(code) for code in (*variable.values, *variable.missing)}
        added = tuple(code for code in codes if key(code) not in known)
        return replace(variable, missing=(*variable.missing, *added)) if added else variable


def open_deposit(
    path: Path, where: str, needed: Collection[str], codebook: Codebook | None, problems: Problems
) -> Deposit | None:
    """Find a survey's file and what it says of itself.

    Parameters
    ----------
    path : Path
        ``.sav``, ``.dta``, ``.tab`` or ``.csv``.
    where : str
        Key of the project file, for messages.
    needed : collection of str
        Columns expected, which help to tell the separator of a text table.
    codebook : Codebook or None
        The user's, if there is one.

    Returns
    -------
    Deposit or None
        None where a problem was noted.
    """
    file = open_table(path, where, problems, needed)
    if file is None:
        return None
    described = columnar.Described({}, {})
    if path.suffix.lower() in columnar.LABELLED:
        try:
            described = columnar.describe_labelled(path)
        except UnreadableError as error:
            problems.add(where, f"{path.name}: {error.message}", error.hint, "data")
            return None
    return Deposit(file, codebook or Codebook(), described)


def read_answers(deposit: Deposit, columns: Collection[str], where: str, problems: Problems) -> Answers | None:
    """Read some columns with their labels: the file's own, and the codebook's where the file has none.

    A code that the file and the codebook label differently is a problem.

    Returns
    -------
    Answers or None
        None where a problem was noted.
    """
    before = len(problems)
    raw = read_raw(deposit.file, columns, where, problems, user_missing=True)
    if raw is None:
        return None
    labels = {name: dict(texts) for name, texts in raw.labels.items()}
    missing: dict[str, tuple[str, ...]] = {}
    for column in raw.frame.columns:
        own = deposit.codebook.labels.get(column.casefold(), {})
        ranges = deposit.described.missing.get(column, ())
        if not own and not ranges:
            # such as a weight, which has as many values as rows
            continue
        values = list(pd.unique(raw.frame[column].dropna()))
        codes = [str(code) for code in as_labels(pd.Series(values, dtype=object))] if values else []
        apart = []
        for value, code in zip(values, codes, strict=True):
            said = own.get(key(code))
            there = labels.setdefault(column, {}).get(value, "").strip()
            if said and there and key(said) != key(there):
                apart.append(f"{code} is {there!r} in the file and {said!r} in the codebook")
            elif said and not there:
                labels[column][value] = said
        if apart:
            problems.add(where, f"column {column!r}: {'; '.join(apart[:5])}", "correct the codebook", "data")
        gone = deposit.codebook.missing.get(column.casefold(), frozenset())
        declared = [c for v, c in zip(values, codes, strict=True) if key(c) in gone or _within(v, ranges)]
        if declared:
            missing[column] = tuple(declared)
    if len(problems) > before:
        return None
    return Answers(RawTable(raw.frame, {name: texts for name, texts in labels.items() if texts}), missing)


def _within(value: Any, ranges: Iterable[tuple[Any, Any]]) -> bool:
    return any(isinstance(value, str) == isinstance(low, str) and low <= value <= high for low, high in ranges)
