"""Sheets of a workbook (.xlsx) as rows of cells, within bounds; what is wrong is raised as ``UnreadableError``."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

from placewise.geography.delimited import UnreadableError

MOST_BYTES = 512 << 20
MOST_ROWS = 200_000
MOST_COLUMNS = 1_000

Rows = list[tuple[Any, ...]]


def read_sheets(path: Path, wanted: Collection[str]) -> tuple[dict[str, Rows], tuple[str, ...]]:
    """Cells of some sheets of a workbook, as their values were last computed.

    Parameters
    ----------
    path : Path
        ``.xlsx``.
    wanted : collection of str
        Names of sheets; case and blanks around them do not count.

    Returns
    -------
    sheets : dict of name as wanted to list of tuples
        Those that the workbook has: rows of text, numbers, None for an empty cell.
    names : tuple of str
        Every sheet of the workbook.

    Raises
    ------
    UnreadableError
        No workbook, encrypted, truncated, or beyond the bounds on bytes, rows and columns.
    """
    import openpyxl

    _check_archive(path)
    try:
        with warnings.catch_warnings():
            # told of styles and validation rules that it leaves out; neither is a value
            warnings.simplefilter("ignore", UserWarning)
            book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
            try:
                names = {name.strip().casefold(): name for name in book.sheetnames}
                found = {name: names[name.strip().casefold()] for name in wanted if name.strip().casefold() in names}
                return {name: _rows(book[sheet], sheet) for name, sheet in found.items()}, tuple(book.sheetnames)
            finally:
                book.close()
    except UnreadableError:
        raise
    # a damaged part of the archive surfaces as whatever its parser meets first
    except (zipfile.BadZipFile, SyntaxError, KeyError, ValueError, TypeError, AttributeError, EOFError) as error:
        raise UnreadableError(
            "the file is damaged: its sheets cannot be read, expected a workbook", "download it again"
        ) from error


def _check_archive(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(8)
    if not head.startswith(b"PK"):
        old = head.startswith(b"\xd0\xcf\x11\xe0")
        what = "encrypted, or a workbook of the old kind" if old else "no workbook"
        raise UnreadableError(f"the file is {what}, expected .xlsx", "open it and save it as .xlsx" if old else "")
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile as error:
        raise UnreadableError("the file is truncated, expected a workbook", "download it again") from error
    if size > MOST_BYTES:
        raise UnreadableError(f"the workbook unpacks to {size:,} bytes, expected at most {MOST_BYTES:,}")


def _rows(sheet: Any, name: str) -> Rows:
    # the size a file states can be anything
    sheet.reset_dimensions()
    rows: Rows = []
    for row in sheet.iter_rows(values_only=True):
        if len(rows) == MOST_ROWS or len(row) > MOST_COLUMNS:
            raise UnreadableError(
                f"sheet {name!r} is larger than {MOST_ROWS:,} rows and {MOST_COLUMNS:,} columns, expected a table"
            )
        rows.append(tuple(None if isinstance(v, str) and not v.strip() else v for v in row))
    return rows
