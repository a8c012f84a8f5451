"""Text tables with separators: what the file turned out to be, and its columns as text."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

LONGEST_LINE = 1 << 20
MOST_COLUMNS = 20_000
LINE_END = re.compile(r"\r\n|\r|\n")
SEPARATORS = (",", ";", "\t", "|")
BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
KNOWN_BINARY = (
    (b"PAR1", "Parquet"),
    (b"PK\x03\x04", "a zip archive or a workbook"),
    (b"\x1f\x8b", "gzip"),
    (b"$FL2", "SPSS"),
    (b"$FL3", "SPSS"),
    (b"<stata_dta>", "Stata"),
    (b"SQLite", "SQLite"),
)


class UnreadableError(Exception):
    """A file is not what its name says: what was found, what was expected, and what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.message, self.hint = message, hint
        super().__init__(message)


@dataclass(frozen=True)
class Dialect:
    """How a text table is written.

    Parameters
    ----------
    encoding : str
        utf-8-sig (also where there is no byte-order mark), utf-16, cp1252 or latin-1.
    separator : str
        One of comma, semicolon, tab, bar.
    columns : tuple of str
        The header, blanks stripped, in the file's order; a name may stand twice.
    skip : int
        Lines up to the header and with it.
    has_rows : bool
        Whether anything follows the header.
    usual : str
        The separator that the file's ending promises.
    """

    encoding: str
    separator: str
    columns: tuple[str, ...]
    skip: int
    has_rows: bool
    usual: str = ","

    @property
    def note(self) -> str:
        """What differs from a file in UTF-8 with the usual separator; empty where nothing does."""
        found = [] if self.encoding == "utf-8-sig" else [self.encoding]
        if self.separator != self.usual:
            found.append(f"separated by {self.separator!r}")
        return f"read as {', '.join(found)}" if found else ""


def dialect(path: Path, needed: Collection[str] = (), separators: Sequence[str] = SEPARATORS) -> Dialect:
    """Find out how a text table is written; the whole file is looked through once for its encoding and line lengths.

    Parameters
    ----------
    needed : collection of str
        Columns that the header should have: they help to tell the separator.
    separators : sequence of str
        Those that the file may have, the usual one first.

    Raises
    ------
    UnreadableError
        Empty, binary, a quotation mark never closed, or beyond the bounds on line length and number of columns.
    """
    encoding = _encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        head = file.read(LONGEST_LINE)
    lines = LINE_END.split(head)
    header = next((i for i, line in enumerate(lines) if line.strip()), None)
    if header is None:
        raise UnreadableError("the file is empty, expected a header line and rows")
    first = lines[header]
    rows = len(head) == LONGEST_LINE or any(line.strip() for line in lines[header + 1 :])

    def fields(separator: str) -> tuple[str, ...]:
        return tuple(name.strip() for name in next(csv.reader([first], delimiter=separator)))

    def fits(separator: str) -> tuple[int, int]:
        names = fields(separator)
        return len(set(names) & set(needed)), len(names)

    try:
        separator = max(separators, key=fits)
    except csv.Error as error:
        raise UnreadableError("the header cannot be split into columns, expected a table with separators") from error
    columns = fields(separator)
    if len(columns) > MOST_COLUMNS:
        raise UnreadableError(f"the header has {len(columns):,} columns, expected at most {MOST_COLUMNS:,}")
    return Dialect(encoding, separator, columns, header + 1, rows, separators[0])


def read_text(path: Path, how: Dialect, positions: list[int]) -> pa.Table:
    """Read some columns as text: blanks stripped, empty values missing.

    Parameters
    ----------
    positions : list of int
        Columns to read, by place in the header.

    Returns
    -------
    pyarrow.Table
        String columns named by their place, in the order asked for.

    Raises
    ------
    UnreadableError
        A line has too few or too many values, or the rows cannot be told apart.
    """
    if not how.has_rows:
        return pa.table({str(i): pa.array([], pa.string()) for i in positions})
    odd: list[pacsv.InvalidRow] = []
    table = _parse(path, how, positions, lambda row: _note(odd, row), threads=True)
    if odd:
        located: list[pacsv.InvalidRow] = []
        _parse(path, how, positions, lambda row: _note(located, row), threads=False)
        worst = located[0]
        values = "value" if worst.actual_columns == 1 else "values"
        first = f"line {worst.number:,} with {worst.actual_columns} {values}"
        header = f"the header of {worst.expected_columns} columns"
        message = (
            f"1 line does not fit {header}: {first}"
            if len(odd) == 1
            else f"{len(odd):,} lines do not fit {header}, the first is {first}"
        )
        raise UnreadableError(message, "is the file cut short, or a separator inside an unquoted value?")
    return pa.table({name: _blank_to_null(table.column(name)) for name in table.column_names})


def _note(rows: list[pacsv.InvalidRow], row: pacsv.InvalidRow) -> str:
    rows.append(row)
    return "skip"


def _parse(
    path: Path, how: Dialect, positions: list[int], handler: Callable[[pacsv.InvalidRow], str], *, threads: bool
) -> pa.Table:
    names = [str(i) for i in range(len(how.columns))]
    wanted = [names[i] for i in positions]
    encoding = {"utf-8-sig": "utf8", "latin-1": "latin-1"}.get(how.encoding, how.encoding)
    try:
        return pacsv.read_csv(
            path,
            read_options=pacsv.ReadOptions(
                use_threads=threads,
                block_size=8 * LONGEST_LINE,
                column_names=names,
                skip_rows=how.skip,
                encoding=encoding,
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=how.separator, newlines_in_values=True, invalid_row_handler=handler
            ),
            convert_options=pacsv.ConvertOptions(
                column_types={name: pa.string() for name in wanted}, include_columns=wanted, strings_can_be_null=False
            ),
        )
    except (pa.ArrowInvalid, UnicodeError) as error:
        raise UnreadableError("the rows cannot be told apart, expected a table with separators") from error


def _blank_to_null(column: pa.ChunkedArray) -> pa.ChunkedArray:
    stripped = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(stripped, ""), pa.scalar(None, pa.string()), stripped)


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(LONGEST_LINE):
            yield block


def _encoding(path: Path) -> str:
    """Encoding of a file that is text with lines of bearable length."""
    blocks = _blocks(path)
    first = next(blocks, b"")
    if not first.strip():
        raise UnreadableError("the file is empty, expected a header line and rows")
    for magic, kind in KNOWN_BINARY:
        if first.startswith(magic):
            raise UnreadableError(f"the file is {kind}, expected text with separators", "is its ending right?")
    for mark, name in BYTE_ORDER_MARKS:
        if first.startswith(mark) and name == "utf-16":
            return name
    strange = sum(first.count(bytes([b])) for b in range(32) if b not in b"\t\n\r\f")
    if b"\x00" in first or strange > len(first) // 100:
        raise UnreadableError("the file is binary, expected text with separators")
    decoder = codecs.getincrementaldecoder("utf-8")()
    utf8, windows, quotes, block = True, True, 0, first
    while block:
        if len(block) == LONGEST_LINE and b"\n" not in block and b"\r" not in block:
            raise UnreadableError(f"a line is longer than {LONGEST_LINE:,} bytes, expected a table")
        if utf8:
            utf8 = _decodes(decoder, block)
        windows = windows and not any(b in block for b in b"\x81\x8d\x8f\x90\x9d")
        quotes += block.count(b'"')
        block = next(blocks, b"")
    if quotes % 2:
        raise UnreadableError(
            "the quotation marks are odd in number: one is never closed",
            "inside a quoted value a quotation mark is written twice",
        )
    utf8 = utf8 and _decodes(decoder, b"", final=True)
    if utf8:
        return "utf-8-sig"
    return "cp1252" if windows else "latin-1"


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True
