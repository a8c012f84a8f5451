"""The areas, what they lie in and what class they are of, from lookups."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from placewise.errors import Problems
from placewise.geography.codes import listing
from placewise.geography.nesting import check_nesting, read_names
from placewise.opendata.spec import PLACE_SOURCES, Source

CODE = "oa21cd"
LEVELS = ("lsoa21cd", "msoa21cd", "lad22cd", "rgn24cd")
CLASSES = PLACE_SOURCES["oac21"]
NAMES = {"lsoa21cd": "lsoa21nm", "msoa21cd": "msoa21nm", "lad22cd": "lad22nm", "rgn24cd": "rgn24nm"}


def assemble_places(
    sources: Mapping[str, Source], tables: Mapping[str, pd.DataFrame], problems: Problems
) -> pd.DataFrame | None:
    """Levels, names, country, classes and centroid of every area.

    Parameters
    ----------
    sources, tables : mapping of name to Source, DataFrame
        Among them ``PLACE_SOURCES``.

    Returns
    -------
    DataFrame or None
        One row an area, its code as index, in the order of the codes; None when a problem was noted.
    """
    before = len(problems)
    places = tables["oa21_lookup"].sort_index()
    codes = places.index.to_series()
    places.insert(len(places.columns), "ctry", codes.str[0])
    names = read_names(tables["lsoa_changes"], "lad22cd", "lad22nm", problems)
    places["lad22nm"] = places["lad22cd"].map(names)
    regions = _filled(tables["lad22_region"], sources["lad22_region"], places["lad22cd"])
    for column in regions.columns:
        places[column] = places["lad22cd"].map(regions[column])
    for name in ("oac21", "oa21_centroids"):
        found = align(tables[name], places.index, name, problems)
        if found is not None:
            places[list(found.columns)] = found
    for column in (*LEVELS, *NAMES.values()):
        lost = places.index[places[column].isna()]
        if len(lost):
            problems.add(
                "areas",
                f"no {column!r} for {len(lost):,} of {len(places):,} areas: {listing(lost)}",
                "the lookups are of different vintages, or one is cut short",
                "data",
            )
    if len(problems) == before:
        check_nesting(places.reset_index(), (CODE, *LEVELS), problems)
    if len(problems) > before:
        return None
    return places[[c for level in LEVELS for c in (level, NAMES[level])] + ["ctry", *CLASSES, "lng", "lat"]]


def align(table: pd.DataFrame, codes: pd.Index, name: str, problems: Problems) -> pd.DataFrame | None:
    """A table's rows in the order of ``codes``; codes that only one of them has are a problem."""
    rows = table.index.get_indexer(codes)
    lost = codes[rows < 0]
    strange = table.index[~np.isin(np.arange(len(table)), rows)]
    for found, what in ((lost, "areas have no row"), (strange, "codes are of no area")):
        if len(found):
            hint = "is it a table of 2011?" if len(lost) and len(strange) else "is a file cut short?"
            problems.add(name, f"{len(found):,} {what}: {listing(found)}", hint, "data")
    return None if len(lost) or len(strange) else table.iloc[rows].set_axis(codes)


def _filled(table: pd.DataFrame, source: Source, codes: pd.Series) -> pd.DataFrame:
    """The table with rows for the codes of countries that its source leaves out."""
    rows = [table]
    for country, values in (source.fill or {}).items():
        lost = pd.Index(codes[codes.str.startswith(country, na=False)].unique()).difference(table.index)
        rows.append(pd.DataFrame(dict(values), index=lost, dtype="str"))
    return pd.concat([r for r in rows if len(r)])
