"""Polygons of the levels that have them, for maps."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from placewise.geography.codes import as_codes
from placewise.geography.spec import GeometrySpec
from placewise.publish.context import Shapes


def read_polygons(geometry: Mapping[str, GeometrySpec], codes: Mapping[str, set[str]]) -> dict[str, Shapes]:
    """Polygons of each level, those of the areas estimated only.

    Parameters
    ----------
    geometry : mapping of level to GeometrySpec
        Files that have been checked: a code column and a column of well-known binary.
    codes : mapping of level to set of str
        Codes of the areas of each level.
    """
    return {level: _read(spec, codes[level]) for level, spec in geometry.items() if level in codes}


def _read(spec: GeometrySpec, codes: set[str]) -> Shapes:
    schema = pq.read_schema(spec.table)
    binary = [f.name for f in schema if pa.types.is_binary(f.type) or pa.types.is_large_binary(f.type)]
    column = "geometry" if "geometry" in binary else binary[0]
    table = pq.read_table(spec.table, columns=[spec.code, column])
    labels = as_codes(pd.Series(table[spec.code].to_pylist()))
    polygons = table[column].to_pylist()
    pairs = [(str(c), p) for c, p in zip(labels, polygons, strict=True) if p is not None and c in codes]
    return Shapes(codes=[c for c, _ in pairs], wkb=[p for _, p in pairs])
