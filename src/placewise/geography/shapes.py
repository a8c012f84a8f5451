"""Neighbours and polygons of a level: are they there, and do they fit its codes?"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa

from placewise.errors import Problems
from placewise.geography.codes import as_codes, listing
from placewise.geography.joins import reconcile
from placewise.geography.spec import GeometrySpec
from placewise.geography.tables import open_table, read_raw, require


def read_neighbours(
    path: Path, level: str, codes: pd.Series, problems: Problems
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read and check a table of neighbours: columns ``a`` and ``b``, codes of the level, no area its own neighbour.

    Parameters
    ----------
    codes : Series of str
        Codes of the level, each once.

    Returns
    -------
    pairs : DataFrame
        Codes of each pair in ``a`` and ``b``; without rows where a problem was noted.
    notes : tuple of str
        Areas without a neighbour.
    """
    where = f"areas.neighbours.{level}"
    file = open_table(path, where, problems, ("a", "b"))
    raw = None if file is None else read_raw(file, ("a", "b"), where, problems)
    nothing = pd.DataFrame({"a": [], "b": []}, dtype="str")
    if raw is None:
        return nothing, ()
    before = len(problems)
    a, b = as_codes(raw.frame["a"]), as_codes(raw.frame["b"])
    blank = int((a.isna() | b.isna()).sum())
    if blank:
        problems.add(where, f"{blank:,} of {len(a):,} pairs in {path.name} lack a code", kind="data")
    met = pd.concat([a, b]).dropna().unique()
    unknown = sorted(set(met) - set(codes))
    if unknown:
        problems.add(
            where,
            f"{len(unknown):,} codes in {path.name} are not in {level!r}: {listing(unknown)}",
            reconcile(met, codes),
            "data",
        )
    own = a[(a == b) & a.notna()].unique()
    if len(own):
        problems.add(where, f"{len(own):,} areas are their own neighbours in {path.name}: {listing(own)}", kind="data")
    alone = len(set(codes) - set(met))
    notes = (f"{level}: {alone:,} areas have no neighbour",) if alone else ()
    return nothing if len(problems) > before else pd.DataFrame({"a": a, "b": b}), notes


def check_geometry(spec: GeometrySpec, level: str, codes: pd.Series, problems: Problems) -> tuple[str, ...]:
    """Check that polygons can be read and carry the level's codes; the polygons themselves are not read.

    Returns
    -------
    tuple of str
        Notes: areas without a polygon.
    """
    where = f"areas.geometry.{level}"
    if spec.table.suffix.lower() != ".parquet":
        problems.add(where, f"{spec.table.name} is no Parquet, expected GeoParquet or a column of WKB")
        return ()
    file = open_table(spec.table, where, problems)
    if file is None or not require(file, (spec.code,), where, problems):
        return ()
    if not any(pa.types.is_binary(f.type) or pa.types.is_large_binary(f.type) for f in file.detail):
        problems.add(where, f"{spec.table.name} has no column of WKB polygons", kind="data")
    raw = read_raw(file, (spec.code,), where, problems)
    if raw is None:
        return ()
    without = sorted(set(codes) - set(as_codes(raw.frame[spec.code]).dropna()))
    if len(without) == len(codes):
        problems.add(where, f"no code of {level!r} is in column {spec.code!r} of {spec.table.name}", kind="data")
    return (f"{level}: {len(without):,} areas have no polygon: {listing(without)}",) if without else ()
