"""Where each household lived: the codes of a special-licence file, and a lookup from those to the areas' own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from placewise.errors import Problems
from placewise.geography.codes import as_codes, listing, matches
from placewise.geography.tables import open_table, read_raw, require
from placewise.surveys.account import FileRead, file_read
from placewise.surveys.disclosure import told
from placewise.surveys.spec import GeographyFile, LookupFile
from placewise.surveys.ukhls.vintages import VINTAGES
from placewise.surveys.ukhls.waves import missing_codes, prefixed

# First letters of the nine-character codes of England, Wales, Scotland and Northern Ireland.
COUNTRIES = frozenset("EWSN")


@dataclass(frozen=True, eq=False, repr=False)
class Homes:
    """Where households lived in one wave.

    Parameters
    ----------
    column : str
        Variable of the geography file.
    codes : Series of str
        Code by household id; missing where the file has a missing code.
    file : FileRead
        Account of the file.
    """

    column: str
    codes: pd.Series
    file: FileRead


def read_homes(path: Path, wave: str, column: str, where: str, problems: Problems) -> Homes | None:
    """Codes of one wave's households.

    Parameters
    ----------
    path : Path
        The wave's geography file.
    wave : str
        Letter.
    column : str
        The variable that holds codes, with or without the wave's letter.
    where : str
        The survey's table in the project file, for messages.
    problems : Problems
        Takes what is wrong.
    """
    household, column, where = f"{wave}_hidp", prefixed(column, wave), f"{where}.geography"
    file = open_table(path, where, problems, (household, column))
    if file is None:
        return None
    fine = require(file, [household], where, problems)
    if column not in file.columns:
        held = ", ".join(repr(c) for c in file.columns[:10])
        hint = f'name it by area = {{ column = "{{w}}_…", level = "…" }}; the file has {held}'
        problems.add(where, f"{path.name} has no column {column!r}", hint, "data")
    if not fine or column not in file.columns:
        return None
    raw = read_raw(file, (household, column), where, problems, user_missing=True)
    if raw is None:
        return None
    households = as_codes(raw.frame[household])
    twice = int(households[households.notna()].duplicated().sum())
    if twice:
        problems.add(where, f"{path.name} has {told(twice)} households more than once", "expected a row each", "data")
        return None
    codes = as_codes(raw.frame[column])
    codes = codes.mask(matches(codes, missing_codes(wave)))
    known = households.notna().to_numpy()
    homes = pd.Series(codes[known].to_numpy(dtype=object), index=households[known].to_numpy(dtype=object), dtype="str")
    return Homes(column, homes, file_read(path, len(raw.frame), len(file.columns), note=file.note))


def read_lookup(lookup: LookupFile, where: str, problems: Problems) -> pd.Series | None:
    """The areas' code of each code of the geography file: a Series of str by code.

    A code that leads to several is a problem only where it is met; see ``translate``.
    """
    file = open_table(lookup.path, where, problems, (lookup.source, lookup.target))
    if file is None:
        return None
    raw = read_raw(file, (lookup.source, lookup.target), where, problems)
    if raw is None:
        return None
    pairs = pd.DataFrame({"source": as_codes(raw.frame[lookup.source]), "target": as_codes(raw.frame[lookup.target])})
    pairs = pairs.dropna().drop_duplicates()
    return pd.Series(pairs["target"].to_numpy(dtype=object), index=pairs["source"].to_numpy(dtype=object), dtype="str")


def translate(codes: pd.Series, table: pd.Series, name: str, where: str, problems: Problems) -> pd.Series:
    """Codes led through a lookup; codes that lead to several areas, or to none, are noted.

    Parameters
    ----------
    codes, table : Series of str
        Codes of respondents, and target by source.
    name : str
        The lookup's file, for messages.
    """
    met = pd.Index(codes.dropna().unique())
    several = met.intersection(table.index[table.index.duplicated()])
    absent = met.difference(table.index)
    if len(several):
        problems.add(
            where,
            f"{len(several):,} codes lead to more than one area in {name}: {listing(sorted(several))}",
            "keep one row a code (a best-fit lookup), or link at a level that they share",
            "data",
        )
    if len(absent):
        message = f"{len(absent):,} codes are not in {name}: {listing(sorted(absent))}"
        problems.add(where, message, "keep the countries that it covers, by where", "data")
    if len(several) or len(absent):
        return codes
    return codes.map(table.to_dict()).astype("str")


def tell_unknown(
    codes: pd.Series, known: np.ndarray, level: str, geography: GeographyFile, where: str, problems: Problems
) -> None:
    """Note codes that the areas lack, country by country, with what the vintage suggests."""
    unknown = sorted(set(codes.dropna()) - set(known))
    if not unknown:
        return
    met = codes.nunique()
    countries = pd.Series([c[0] for c in unknown]).value_counts()
    spread = ", ".join(f"{n:,} begin with {letter!r}" for letter, n in sorted(countries.items()))
    foreign = ({c[0] for c in unknown} & COUNTRIES) - {str(c)[0] for c in known}
    hints = []
    if foreign:
        hints.append(
            "keep the countries of the areas, as in where = { gor_dv = [1, 2, 3, 4, 5, 6, 7, 8, 9] } for England"
        )
    if any(c[0] not in foreign for c in unknown):
        hints.append(
            f"the areas may be of another year or coding than vintage {geography.vintage!r}, "
            f"{VINTAGES[geography.vintage].what}: link at a column of that one, "
            "or give geography.lookup = { path, from, to }"
        )
    message = f"{len(unknown):,} of {met:,} codes are not in {level!r} of the areas ({spread}): {listing(unknown)}"
    problems.add(where, message, "; ".join(hints), "data")
