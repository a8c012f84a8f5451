"""A source's table out of a folder, in whichever of the two layouts it lies there."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from placewise.errors import Problems, nearest
from placewise.geography.codes import as_codes, as_numbers, listing
from placewise.geography.delimited import UnreadableError
from placewise.geography.tables import TableFile, open_table, read_raw
from placewise.opendata.archive import extract_member
from placewise.opendata.spec import Layout, Source

COUNTRIES = ("E", "W")
_MEASURES = re.compile(r"\s*;\s*measures:.*$", re.IGNORECASE)


@dataclass(frozen=True)
class Located:
    """Where a source's table lies.

    Parameters
    ----------
    path : Path
        The file.
    layout : Layout
        How to read it.
    packed : bool
        The table is a member of the zip archive ``path``.
    """

    path: Path
    layout: Layout
    packed: bool


def locate(folder: Path, source: Source) -> Located | None:
    """Find a source: the publisher's file, the table unpacked from it, or the Parquet file, in this order."""
    for layout in source.layouts:
        if (folder / layout.file).is_file():
            return Located(folder / layout.file, layout, bool(layout.member))
        if layout.member and (folder / PurePosixPath(layout.member).name).is_file():
            return Located(folder / PurePosixPath(layout.member).name, layout, False)
    return None


def expected_names(source: Source) -> tuple[str, ...]:
    """Names under which a source is looked for in a folder."""
    names = [n for layout in source.layouts for n in (layout.file, PurePosixPath(layout.member).name)]
    return tuple(name for name in dict.fromkeys(names) if name)


def read_source(located: Located, source: Source, problems: Problems) -> pd.DataFrame | None:
    """Read a source's table.

    Parameters
    ----------
    located : Located
        From ``locate``.
    source : Source
        Numbers or text; outlines are read by ``outlines.read_outlines``.
    problems : Problems
        Takes what is wrong, with the file's name.

    Returns
    -------
    DataFrame or None
        One row a code (several where ``source.repeats``), the codes as index under the name of ``source.level``,
        columns float64 or ``str``; codes of England and Wales only. None when a problem was noted.
    """
    if not located.packed:
        return _read(located.path, located.layout, source, problems)
    with tempfile.TemporaryDirectory(prefix="placewise-") as folder:
        table = Path(folder) / PurePosixPath(located.layout.member).name
        try:
            extract_member(located.path, located.layout.member, table)
        except UnreadableError as error:
            problems.add(source.name, f"{located.path.name}: {error.message}", error.hint, "data")
            return None
        return _read(table, located.layout, source, problems)


def _read(path: Path, layout: Layout, source: Source, problems: Problems) -> pd.DataFrame | None:
    file = open_table(path, source.name, problems)
    if file is None:
        return None
    names = _headings(file, layout, source, problems)
    if names is None:
        return None
    raw = read_raw(file, list(names.values()), source.name, problems)
    if raw is None:
        return None
    codes = _codes(raw.frame[names["", 0]])
    wanted = codes.str.startswith(source.countries or COUNTRIES, na=False).to_numpy(dtype=bool)
    before = len(problems)
    _check_codes(codes, wanted, source, path.name, problems)
    columns: dict[str, np.ndarray] = {}
    for column, headings in layout.columns.items():
        parts = [raw.frame[names[column, k]] for k in range(len(headings))]
        if source.values == "text":
            columns[column] = as_codes(parts[0]).to_numpy(dtype=object)
        else:
            columns[column] = np.sum([_numbers(part, source, path.name, problems) for part in parts], axis=0)
    if len(problems) > before:
        return None
    table = pd.DataFrame(columns)[wanted]
    if source.values == "text":
        table = table.astype("str")
    table.index = pd.Index(codes[wanted], dtype="str", name=source.level)
    return _one_a_code(table, source, path.name, problems)


def _codes(values: pd.Series) -> pd.Series:
    """Codes by the rule of ``as_codes``, which looks at each one; text that begins with a letter needs no look."""
    text = values.astype("str").str.strip() if isinstance(values.dtype, pd.CategoricalDtype) else values
    if not isinstance(text.dtype, pd.StringDtype) or not text.str.get(0).str.isalpha().all():
        return as_codes(values)
    return text.str.strip()


def _headings(file: TableFile, layout: Layout, source: Source, problems: Problems) -> dict[tuple[str, int], str] | None:
    """The file's column for the code (under ``""``) and for each part of each column of the source."""

    def plain(name: str) -> str:
        return name if layout.name == "parquet" else _plain(name, source.topic)

    there: dict[str, list[str]] = {}
    for name in file.columns:
        there.setdefault(plain(name), []).append(name)
    found: dict[tuple[str, int], str] = {}
    fine = True
    for column, headings in {"": (layout.key,), **layout.columns}.items():
        for k, heading in enumerate(headings):
            matches = there.get(plain(heading), [])
            if len(matches) == 1:
                found[column, k] = matches[0]
                continue
            fine = False
            if matches:
                problems.add(
                    source.name, f"{file.path.name} has {len(matches)} columns {heading!r}, expected one", "", "data"
                )
            else:
                hint = nearest(heading, file.columns) or "has the publisher changed the table?"
                problems.add(source.name, f"{file.path.name} has no column {heading!r}", hint, "data")
    return found if fine else None


def _plain(heading: str, topic: str) -> str:
    """A heading without the topic before it and the measure after it, as different editions write them."""
    text = re.sub(r"\s*:\s*", ": ", " ".join(_MEASURES.sub("", heading).split())).casefold()
    lead = f"{' '.join(topic.split()).casefold()}: "
    while topic and text.startswith(lead):
        text = text[len(lead) :]
    return text


def _check_codes(codes: pd.Series, wanted: np.ndarray, source: Source, name: str, problems: Problems) -> None:
    missing = int(codes.isna().sum())
    if missing:
        problems.add(source.name, f"{name}: {missing:,} rows have no code", kind="data")
    if not wanted.any():
        first = ", ".join(repr(c) for c in source.countries or COUNTRIES)
        problems.add(source.name, f"{name}: no code begins with {first}", "is this the table of another area?", "data")


def _numbers(values: pd.Series, source: Source, name: str, problems: Problems) -> np.ndarray:
    numbers, bad = as_numbers(values)
    if bad.any():
        problems.add(source.name, f"{name}: {int(bad.sum()):,} values of {values.name!r} are no numbers", kind="data")
    return numbers


def _one_a_code(table: pd.DataFrame, source: Source, name: str, problems: Problems) -> pd.DataFrame | None:
    """Rows that say the same of a code become one; rows that differ are a problem unless codes may repeat."""
    if source.repeats or table.index.is_unique:
        return table
    level = str(table.index.name)
    table = table.reset_index().drop_duplicates().set_index(level)
    twice = table.index[table.index.duplicated()].unique()
    if len(twice):
        problems.add(source.name, f"{name}: {len(twice):,} codes stand there twice: {listing(twice)}", kind="data")
        return None
    return table
