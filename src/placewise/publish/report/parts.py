"""Parts that sections are made of: tables and figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True)
class Cell:
    """A table cell: what is read, what it is sorted by, and a class for its look."""

    text: str
    sort: float | str | None = None
    look: str = ""


@dataclass(frozen=True)
class TablePart:
    """A table with a caption, column headers and a first column of row headers.

    Parameters
    ----------
    columns : sequence of (str, bool)
        Heading and whether its cells are numbers.
    rows : sequence of sequence of Cell
    sortable : bool
        Whether the page's script may offer to sort it.
    """

    caption: str
    columns: Sequence[tuple[str, bool]]
    rows: Sequence[Sequence[Cell]]
    sortable: bool = False
    ident: str = ""


@dataclass(frozen=True)
class FigurePart:
    """A figure: its finding as a title, the drawing, and how to read it."""

    title: str
    drawing: Markup
    note: str = ""
    wide: bool = False
