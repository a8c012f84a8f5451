"""What the catalogue says about each source of open data, and how the covariates are made from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

# what the places of the areas table are taken from, and the columns needed of each
PLACE_SOURCES = {
    "oa21_lookup": ("lsoa21cd", "lsoa21nm", "msoa21cd", "msoa21nm", "lad22cd"),
    "lsoa_changes": ("lsoa21cd", "lad22cd", "lad22nm"),
    "lad22_region": ("rgn24cd", "rgn24nm"),
    "oac21": ("oac21_supergroup", "oac21_group", "oac21_subgroup"),
    "oa21_centroids": ("lng", "lat"),
}

Fetch = Literal["file", "service", "hand"]
Address = Literal["seen", "unconfirmed", "none"]
Values = Literal["number", "text"]
Geometry = Literal["", "point", "polygon"]
Kind = Literal["share", "rate", "value"]


@dataclass(frozen=True)
class Publisher:
    """Who publishes, under which licence, and the words that every use must show."""

    name: str
    licence: str
    licence_url: str
    attribution: str


@dataclass(frozen=True)
class Layout:
    """One way in which a source's table may lie in a folder.

    Parameters
    ----------
    name : {"published", "parquet"}
        The publisher's own files, or one Parquet file a table.
    file : str
        Path inside the folder.
    member : str
        File inside the zip archive ``file``; empty where ``file`` is the table itself.
    key : str
        Column of the areas' codes.
    columns : mapping of column to tuple of str
        The file's columns that are added up for each column of the source; text takes exactly one.
    """

    name: str
    file: str
    member: str
    key: str
    columns: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Control:
    """A published total that a column's sum must come near: cell-key noise moves the sum of small areas a little."""

    column: str
    total: float
    tolerance: float


@dataclass(frozen=True)
class Source:
    """One table of a publisher.

    Parameters
    ----------
    level : str
        What its rows are: the name of the code column in the areas table, or ``lsoa11cd``.
    areas : int or None
        Rows of the real table; None where that is not known.
    countries : tuple of str
        First letters of the codes that it covers; empty for all.
    parts : tuple of str
        Columns that add up to the column ``total`` in every area; may be empty.
    repeats : bool
        A code may stand in several rows.
    optional : bool
        The areas table is built without it, lacking what it gives.
    topic : str
        Words that the publisher puts before each heading.
    fill : mapping of country to mapping of column to value
        Values of areas of countries that the source leaves out.
    """

    name: str
    title: str
    publisher: str
    vintage: str
    page: str
    fetch: Fetch
    level: str
    layouts: tuple[Layout, Layout]
    url: str = ""
    address: Address = "none"
    sha256: str = ""
    areas: int | None = None
    countries: tuple[str, ...] = ()
    values: Values = "number"
    geometry: Geometry = ""
    parts: tuple[str, ...] = ()
    control: Control | None = None
    repeats: bool = False
    optional: bool = False
    topic: str = ""
    fill: Mapping[str, Mapping[str, str]] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of its columns, the code column left out."""
        return tuple(self.layouts[0].columns)

    @property
    def file(self) -> str:
        """The publisher's file, as it is kept."""
        return self.layouts[0].file


@dataclass(frozen=True)
class Covariate:
    """A column of the areas table.

    Parameters
    ----------
    kind : {"share", "rate", "value"}
        A share lies in 0..1; a rate is any other ratio; a value is a published column as it is.
    numerator, denominator : mapping of (source, column) to weight
        Sums whose ratio it is; the denominator is empty for a value.
    imputed_by : tuple of str
        Covariates from which it is predicted where its source does not cover a country; empty for never.
    borrow : str
        Level whose other areas lend their mean where the value is 0 or cannot be computed; empty for never.
    """

    name: str
    title: str
    unit: str
    kind: Kind
    numerator: Mapping[tuple[str, str], float]
    denominator: Mapping[tuple[str, str], float]
    imputed_by: tuple[str, ...] = ()
    borrow: str = ""

    @property
    def inputs(self) -> tuple[tuple[str, str], ...]:
        """Source and column of everything that it needs."""
        return (*self.numerator, *self.denominator)

    @property
    def formula(self) -> str:
        """The formula as people read it."""
        above = _sum(self.numerator)
        return f"{above} / {_sum(self.denominator)}" if self.denominator else above


@dataclass(frozen=True)
class Catalogue:
    """Everything that is known about open data beforehand.

    Parameters
    ----------
    counts : mapping of name to Covariate
        Counts of people and households; ``adults`` is the population of the areas table.
    covariates : mapping of name to Covariate
    """

    title: str
    publishers: Mapping[str, Publisher]
    sources: Mapping[str, Source]
    counts: Mapping[str, Covariate]
    covariates: Mapping[str, Covariate]


def _sum(terms: Mapping[tuple[str, str], float]) -> str:
    named = [f"{source}.{column}" if w == 1 else f"{w:g} × {source}.{column}" for (source, column), w in terms.items()]
    return named[0] if len(named) == 1 else f"({' + '.join(named)})"
