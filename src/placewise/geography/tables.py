"""Tables of every format that users have, read the same way; what is wrong is told, never raised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from placewise.errors import Problems, nearest
from placewise.geography import columnar, delimited
from placewise.geography.codes import as_codes, infer
from placewise.geography.delimited import UnreadableError

SUFFIXES = (".parquet", ".csv", ".tab", ".sav", ".dta")
SEPARATORS = {".csv": delimited.SEPARATORS, ".tab": ("\t",)}


@dataclass(frozen=True)
class TableFile:
    """A table's file and the columns it has; nothing else is read yet.

    Parameters
    ----------
    path : Path
        The file.
    columns : tuple of str
        Column names in the file's order.
    note : str
        What is unusual about the file; may be empty.
    detail : object
        What the reader of the format found out.
    """

    path: Path
    columns: tuple[str, ...]
    note: str = ""
    detail: Any = None


@dataclass(frozen=True, eq=False)
class RawTable:
    """Columns as they stand in the file, before numbers and text are told apart.

    Parameters
    ----------
    frame : DataFrame
        n rows, RangeIndex; text may be categorical.
    labels : mapping of column to mapping of code to text
        Value labels (SPSS, Stata).
    """

    frame: pd.DataFrame
    labels: Mapping[str, Mapping[Any, str]] = field(default_factory=dict)

    def pop(self, column: str) -> pd.Series:
        """A column with its value labels, which is then no longer held."""
        values = self.labelled(column)
        del self.frame[column]
        return values

    def labelled(self, column: str) -> pd.Series:
        """A column with its codes replaced by value labels; a code without a label stays."""
        values = self.frame[column]
        return with_labels(values, self.labels[column]) if column in self.labels else values


def with_labels(values: pd.Series, labels: Mapping[Any, str]) -> pd.Series:
    """Replace codes by their value labels; a column none of whose values has a label stays as it is."""
    texts = {code: str(text).strip() for code, text in labels.items()}
    positions, uniques = pd.factorize(values)
    if not any(value in texts for value in uniques):
        return values
    codes = as_codes(pd.Series(uniques)).to_numpy(dtype=object)
    shown = np.array([texts.get(v, c) for v, c in zip(uniques, codes, strict=True)] + [None], dtype=object)
    return pd.Series(shown[positions], index=values.index, name=values.name, dtype="str")


def open_table(path: Path, where: str, problems: Problems, needed: Collection[str] = ()) -> TableFile | None:
    """Find a table and its column names.

    Parameters
    ----------
    path : Path
        ``.parquet``, ``.csv``, ``.tab``, ``.sav`` or ``.dta``.
    where : str
        Key of the project file, for messages.
    needed : collection of str
        Columns expected, which help to tell the separator of a text table.

    Returns
    -------
    TableFile or None
        None when a problem was noted.
    """
    if not path.is_file():
        siblings = [p.name for p in path.parent.iterdir() if p.is_file()] if path.parent.is_dir() else []
        what = f"no file {path.name} in {path.parent}" if path.parent.is_dir() else f"no folder {path.parent}"
        problems.add(where, what, nearest(path.name, siblings))
        return None
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        problems.add(where, f"{path.name} ends in {suffix or 'nothing'!r}, expected {', '.join(SUFFIXES)}")
        return None
    try:
        if suffix == ".parquet":
            schema = columnar.parquet_schema(path)
            return TableFile(path, tuple(schema.names), detail=schema)
        if suffix in SEPARATORS:
            how = delimited.dialect(path, needed, SEPARATORS[suffix])
            return TableFile(path, how.columns, f"{path.name}: {how.note}" if how.note else "", how)
        return TableFile(path, tuple(columnar.labelled_columns(path)))
    except UnreadableError as error:
        problems.add(where, f"{path.name}: {error.message}", error.hint, "data")
    except OSError as error:
        problems.add(where, f"{path.name} cannot be read: {error.strerror}", kind="data")
    return None


def require(file: TableFile, columns: Iterable[str], where: str, problems: Problems, why: str = "") -> bool:
    """Note each column that the file lacks or has twice; True when all are there once.

    ``why`` is put after the name of one that it lacks, as in ", which outcome.items asks for".
    """
    counts = Counter(file.columns)
    fine = True
    for name in dict.fromkeys(columns):
        if counts[name] == 1:
            continue
        fine = False
        if counts[name]:
            message = f"{file.path.name} has {counts[name]} columns named {name!r}, expected one"
            problems.add(where, message, kind="data")
        else:
            problems.add(where, f"{file.path.name} has no column {name!r}{why}", nearest(name, counts), "data")
    return fine


def read_raw(
    file: TableFile, columns: Collection[str], where: str, problems: Problems, *, user_missing: bool = False
) -> RawTable | None:
    """Read some columns of a table, as they stand.

    Parameters
    ----------
    columns : collection of str
        Names, each of which must stand once in the header.
    user_missing : bool
        Keep the codes that an SPSS file itself declares as missing, for who tells its kinds of missing apart.

    Returns
    -------
    RawTable or None
        None when a problem was noted: columns missing or duplicated, no rows, a file that is corrupt.
    """
    names = list(dict.fromkeys(columns))
    if not require(file, names, where, problems):
        return None
    labels: Mapping[str, Mapping[Any, str]] = {}
    try:
        if file.path.suffix.lower() in SEPARATORS:
            text = delimited.read_text(file.path, file.detail, [file.columns.index(n) for n in names])
            table = text.rename_columns(names).to_pandas()
        elif file.path.suffix.lower() == ".parquet":
            table = columnar.read_parquet(file.path, file.detail, names)
        else:
            table, labels = columnar.read_labelled(file.path, names, user_missing)
    except UnreadableError as error:
        problems.add(where, f"{file.path.name}: {error.message}", error.hint, "data")
        return None
    if table.empty:
        problems.add(where, f"{file.path.name} has a header and no rows, expected rows", kind="data")
        return None
    return RawTable(table, labels)


def read_table(path: Path, columns: Collection[str] | None, where: str, problems: Problems) -> pd.DataFrame | None:
    """Read a table: text as ``str``, numbers as float64, value labels as text.

    Parameters
    ----------
    path : Path
        ``.parquet``, ``.csv``, ``.tab``, ``.sav`` or ``.dta``.
    columns : collection of str, or None
        Columns needed; None reads all.
    where : str
        Key of the project file, for messages.
    problems : Problems
        Takes what is wrong.

    Returns
    -------
    DataFrame or None
        RangeIndex, columns in the order asked for; None when a problem was noted.
    """
    file = open_table(path, where, problems, columns or ())
    if file is None:
        return None
    raw = read_raw(file, file.columns if columns is None else columns, where, problems)
    return None if raw is None else pd.DataFrame({name: infer(raw.labelled(name)) for name in raw.frame.columns})
