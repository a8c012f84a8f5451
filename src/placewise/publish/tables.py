"""Estimates as parquet and CSV: the same bytes for the same table, and no cell that a workbook would run."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

DIGITS = 9
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def escape_cell(text: str) -> str:
    """Text as it may stand in a CSV file: a leading quote where a workbook would read a formula."""
    safe = f"'{text}" if text.startswith(_DANGEROUS) else text
    # A bare return inside a cell would be read as the end of the line.
    return safe.replace("\r", " ")


def write_estimates(table: pd.DataFrame, folder: Path, name: str = "estimates") -> tuple[Path, Path]:
    """Write ``<name>.parquet`` and ``<name>.csv`` into a folder.

    Both are written under a temporary name, synced and renamed. In the CSV, text that begins with ``= + - @``, a tab
    or a return gets a leading quote; numbers stay numbers, with nine significant digits; missing is empty.

    Parameters
    ----------
    table : DataFrame
        Rows of every level; the index is not written.
    folder : Path
        Existing folder.
    name : str
        Stem of the files.

    Returns
    -------
    parquet, csv : Path
    """
    parquet, csv = folder / f"{name}.parquet", folder / f"{name}.csv"
    frame = table.reset_index(drop=True)
    arrow = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    part = parquet.with_name(parquet.name + ".part")
    pyarrow.parquet.write_table(arrow, part, compression="zstd")
    _finish(part, parquet)
    part = csv.with_name(csv.name + ".part")
    safe_cells(frame).to_csv(part, index=False, float_format=f"%.{DIGITS}g", lineterminator="\n", encoding="utf-8")
    _finish(part, csv)
    return parquet, csv


def with_outcome(table: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """The table with the column ``outcome`` after ``area_level``, where the interface has it."""
    order = list(table.columns)
    order.insert(order.index("area_level") + 1, "outcome")
    return table.assign(outcome=outcome)[order]


def safe_cells(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its text cells and column names escaped; numbers are untouched."""
    safe = {}
    for column in table.columns:
        values = table[column]
        if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            safe[escape_cell(str(column))] = values
        else:
            safe[escape_cell(str(column))] = values.map(lambda v: escape_cell(v) if isinstance(v, str) else v)
    return pd.DataFrame(safe, index=table.index)


def _finish(part: Path, final: Path) -> None:
    with part.open("rb") as handle:
        os.fsync(handle.fileno())
    part.replace(final)
