"""Columnar and labelled files: Parquet, SPSS and Stata."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from placewise.geography.delimited import MOST_COLUMNS, UnreadableError

MOST_ROWS = 200_000_000
LABELLED = {".sav": "SPSS", ".dta": "Stata"}
# What ReadStat says of bytes that are no text in the encoding that a file declares.
_NO_TEXT = "unable to convert string"


def parquet_schema(path: Path) -> pa.Schema:
    """Columns and types of a Parquet file.

    Raises
    ------
    UnreadableError
        Empty, truncated, not Parquet, or beyond the bounds on rows and columns.
    """
    if path.stat().st_size == 0:
        raise UnreadableError("the file is empty, expected Parquet")
    try:
        metadata = pq.read_metadata(path)
        schema = metadata.schema.to_arrow_schema()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableError("the file is truncated or is no Parquet, expected Parquet", "write it again") from error
    if metadata.num_rows > MOST_ROWS or len(schema) > MOST_COLUMNS:
        raise UnreadableError(
            f"the file declares {metadata.num_rows:,} rows and {len(schema):,} columns, "
            f"expected at most {MOST_ROWS:,} and {MOST_COLUMNS:,}"
        )
    return schema


def read_parquet(path: Path, schema: pa.Schema, columns: list[str]) -> pd.DataFrame:
    """Read some columns of a Parquet file: text as categories, dates as text, decimals as floats.

    Raises
    ------
    UnreadableError
        The pages are corrupt, or a column holds nested or binary values.
    """
    texts = [
        n for n in columns if pa.types.is_string(schema.field(n).type) or pa.types.is_large_string(schema.field(n).type)
    ]
    try:
        table = pq.ParquetFile(path, read_dictionary=texts).read(columns=columns).select(columns)
        frame: pd.DataFrame = table.cast(pa.schema([_plain_field(f) for f in table.schema])).to_pandas(
            ignore_metadata=True, split_blocks=True, self_destruct=True
        )
        del table
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableError("the file is corrupt: its columns cannot be read", "write it again") from error
    return frame


def _plain_field(field: pa.Field) -> pa.Field:
    kind = field.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise UnreadableError(f"column {field.name!r} holds {kind} values, expected numbers or text")
    if pa.types.is_temporal(kind):
        return pa.field(field.name, pa.string())
    if pa.types.is_decimal(kind):
        return pa.field(field.name, pa.float64())
    return pa.field(field.name, kind)


def labelled_columns(path: Path) -> list[str]:
    """Column names of an SPSS or Stata file.

    Raises
    ------
    UnreadableError
        Empty, truncated, or another format.
    """
    return list(_readstat(path, metadataonly=True)[1].column_names)


@dataclass(frozen=True)
class Described:
    """What an SPSS or Stata file says of its columns.

    Parameters
    ----------
    wordings : mapping of column to text
        Variable labels; columns without one are left out.
    missing : mapping of column to tuple of (least, greatest)
        Values, or ranges of them, that an SPSS file declares as missing.
    """

    wordings: Mapping[str, str]
    missing: Mapping[str, tuple[tuple[Any, Any], ...]]


def describe_labelled(path: Path) -> Described:
    """Variable labels and declared missing values of an SPSS or Stata file; no row is read.

    Raises
    ------
    UnreadableError
        Empty, truncated, or another format.
    """
    meta = _readstat(path, metadataonly=True)[1]
    wordings = {name: text.strip() for name, text in meta.column_names_to_labels.items() if text and text.strip()}
    ranges = {
        name: tuple((part["lo"], part["hi"]) for part in parts) for name, parts in (meta.missing_ranges or {}).items()
    }
    return Described(wordings, ranges)


def read_labelled(
    path: Path, columns: Collection[str], user_missing: bool = False
) -> tuple[pd.DataFrame, dict[str, Mapping[Any, str]]]:
    """Read some columns of an SPSS or Stata file.

    Parameters
    ----------
    user_missing : bool
        Keep the codes that an SPSS file declares as missing; Stata's have no codes and stay missing.

    Returns
    -------
    table : DataFrame
        Codes as stored; values that the file itself declares as missing are missing, unless they are to be kept.
    labels : mapping of column to mapping of code to text
        Only of columns that have value labels.
    """
    kept = {"user_missing": True} if user_missing and LABELLED[path.suffix.lower()] == "SPSS" else {}
    table, meta = _readstat(path, usecols=list(columns), **kept)
    labels: dict[str, Mapping[Any, str]] = {
        name: dict(texts) for name, texts in meta.variable_value_labels.items() if name in table.columns
    }
    return table[list(columns)], labels


def _readstat(path: Path, **how: Any) -> tuple[pd.DataFrame, Any]:
    import pyreadstat

    kind = LABELLED[path.suffix.lower()]
    if path.stat().st_size == 0:
        raise UnreadableError(f"the file is empty, expected {kind}")
    read = pyreadstat.read_sav if kind == "SPSS" else pyreadstat.read_dta
    try:
        try:
            return read(str(path), **how)
        except UnicodeError:
            return read(str(path), encoding="latin1", **how)
    except (pyreadstat.PyreadstatError, pyreadstat.ReadstatError, UnicodeError, ValueError) as error:
        if _NO_TEXT in str(error).lower():
            message = "some of its text is not in the encoding that the file declares"
            raise UnreadableError(message, f"export it again from {kind}, with its text as Unicode (UTF-8)") from error
        message = f"the file is truncated or is no {kind} file, expected {kind}"
        raise UnreadableError(message, "export it again") from error
