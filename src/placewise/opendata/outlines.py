"""Outlines of areas from either layout, and which of them touch."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from placewise.errors import Problems, nearest
from placewise.geography.columnar import parquet_schema
from placewise.geography.delimited import UnreadableError
from placewise.opendata.reading import COUNTRIES, Located
from placewise.opendata.spec import Source

MOST_BYTES = 1 << 30


def read_outlines(located: Located, source: Source, problems: Problems) -> pd.DataFrame | None:
    """Read the outlines of a level.

    Returns
    -------
    DataFrame or None
        Columns ``code``, ``name`` and ``geometry`` (well-known binary, longitude and latitude), areas of England and
        Wales only, sorted by code; None when a problem was noted.
    """
    name = located.path.name
    try:
        table = _parquet(located, source) if located.layout.name == "parquet" else _geojson(located, source)
    except UnreadableError as error:
        problems.add(source.name, f"{name}: {error.message}", error.hint, "data")
        return None
    table = table[table["code"].str.startswith(source.countries or COUNTRIES)].sort_values("code", ignore_index=True)
    if table.empty or not table["code"].is_unique or not all(table["geometry"]):
        found = f"{name}: {len(table):,} areas, {int(table['code'].duplicated().sum()):,} of them twice"
        problems.add(source.name, found, "each area of England and Wales needs one outline", "data")
        return None
    return table


def touching(outlines: pd.DataFrame) -> pd.DataFrame:
    """Pairs of areas whose outlines meet, each once.

    Parameters
    ----------
    outlines : DataFrame
        From ``read_outlines``, generalised together so that neighbours share their line.

    Returns
    -------
    DataFrame
        Columns ``a`` < ``b``, sorted.
    """
    shapes = shapely.from_wkb(outlines["geometry"].to_numpy(dtype=object))
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    codes = outlines["code"].to_numpy(dtype=object)
    once = codes[first] < codes[second]
    pairs = pd.DataFrame({"a": codes[first[once]], "b": codes[second[once]]}, dtype="str")
    return pairs.sort_values(["a", "b"], ignore_index=True)


def _parquet(located: Located, source: Source) -> pd.DataFrame:
    schema = parquet_schema(located.path)
    names = [located.layout.key, located.layout.columns["name"][0], "geometry"]
    for name in names:
        if name not in schema.names:
            raise UnreadableError(f"the file has no column {name!r}", nearest(name, schema.names))
    try:
        table = pq.read_table(located.path, columns=names).to_pandas()
        shapely.from_wkb(table["geometry"].to_numpy(dtype=object))
    except (pa.ArrowException, OSError, shapely.errors.GEOSException, TypeError) as error:
        raise UnreadableError("the outlines cannot be read, expected well-known binary", "fetch it again") from error
    return _named(table[names[0]], table[names[1]], table["geometry"])


def _geojson(located: Located, source: Source) -> pd.DataFrame:
    if located.path.stat().st_size > MOST_BYTES:
        raise UnreadableError(f"the file is larger than {MOST_BYTES >> 20:,} MB, expected generalised outlines")
    key, name = located.layout.key, located.layout.columns["name"][0]
    try:
        features = json.loads(located.path.read_text(encoding="utf-8"))["features"]
        shapes = shapely.from_geojson([json.dumps(f["geometry"]) for f in features])
        codes, names = ([f["properties"][field] for f in features] for field in (key, name))
    except (ValueError, KeyError, TypeError, RecursionError, shapely.errors.GEOSException) as error:
        found = f"expected GeoJSON whose features have {key!r} and {name!r}"
        raise UnreadableError(f"the outlines cannot be read, {found}", "fetch it again") from error
    return _named(codes, names, shapely.to_wkb(shapes))


def _named(codes: object, names: object, shapes: object) -> pd.DataFrame:
    table = pd.DataFrame(
        {"code": np.asarray(codes, dtype=object), "name": np.asarray(names, dtype=object)}, dtype="str"
    )
    return table.assign(geometry=np.asarray(shapes, dtype=object))
