"""The areas table: places, counts and covariates of every area, from the sources' tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from placewise.errors import Problems
from placewise.geography.codes import listing
from placewise.opendata.imputation import Imputation, impute_covariates, to_lsoa21
from placewise.opendata.places import CODE, align, assemble_places
from placewise.opendata.spec import PLACE_SOURCES, Catalogue, Covariate, Source


@dataclass(frozen=True, eq=False)
class AreasTable:
    """The table and what was done to it.

    Parameters
    ----------
    frame : DataFrame
        One row an area, ``oa21cd`` first; ``imputed`` names the covariates that were predicted for the area.
    covariates : tuple of Covariate
        Those that the table holds.
    left_out : mapping of covariate to str
        Why the others are not there.
    imputations : mapping of covariate to Imputation
    """

    frame: pd.DataFrame
    covariates: tuple[Covariate, ...]
    left_out: Mapping[str, str]
    imputations: Mapping[str, Imputation]


def needed_sources(catalogue: Catalogue) -> tuple[str, ...]:
    """Sources without which the areas table cannot be built."""
    used = set(PLACE_SOURCES)
    for covariate in (*catalogue.counts.values(), *catalogue.covariates.values()):
        used |= {source for source, _ in covariate.inputs}
    return tuple(name for name, s in catalogue.sources.items() if name in used and not s.optional)


def used_sources(catalogue: Catalogue) -> tuple[str, ...]:
    """Sources that the areas table takes something from, optional ones among them; outlines are none of them."""
    return tuple(name for name, s in catalogue.sources.items() if s.geometry != "polygon")


def build_areas(catalogue: Catalogue, tables: Mapping[str, pd.DataFrame]) -> AreasTable:
    """Make the areas table.

    Parameters
    ----------
    catalogue : Catalogue
    tables : mapping of source to DataFrame
        From ``reading.read_source``: every needed source, optional ones where they are there.

    Raises
    ------
    DataError
        Codes that do not match, levels that do not nest, denominators of 0: everything at once.
    """
    problems = Problems()
    places = assemble_places(catalogue.sources, tables, problems)
    problems.raise_if_any()
    assert places is not None
    aligned = _align_all(catalogue.sources, tables, places, problems)
    problems.raise_if_any()
    left_out = {
        name: f"source {source!r} is not there"
        for name, covariate in catalogue.covariates.items()
        for source, _ in covariate.inputs
        if source not in aligned
    }
    made = [c for c in catalogue.covariates.values() if c.name not in left_out]
    columns = {c.name: _evaluate(c, aligned, problems) for c in (*catalogue.counts.values(), *made)}
    problems.raise_if_any()
    frame = pd.concat([places, pd.DataFrame(columns, index=places.index)], axis=1)
    for name in catalogue.counts:
        frame[name] = frame[name].round().astype(np.int64)
    imputations = impute_covariates(frame, made, problems)
    problems.raise_if_any()
    return AreasTable(frame.reset_index(names=CODE), tuple(made), left_out, imputations)


def _align_all(
    sources: Mapping[str, Source], tables: Mapping[str, pd.DataFrame], places: pd.DataFrame, problems: Problems
) -> dict[str, pd.DataFrame]:
    """Every table of numbers with one row an area; NaN in countries that its source does not cover."""
    found = {}
    for name, table in tables.items():
        source = sources[name]
        if source.values == "text" or source.geometry:
            continue
        if source.level == CODE:
            rows = align(table, places.index, name, problems)
        else:
            rows = _of_lsoas(table, source, tables["lsoa_changes"], places, problems)
        if rows is not None:
            found[name] = rows
    return found


def _of_lsoas(
    table: pd.DataFrame, source: Source, changes: pd.DataFrame, places: pd.DataFrame, problems: Problems
) -> pd.DataFrame:
    """A table of LSOAs, of 2011 or 2021, given to their output areas."""
    scores = to_lsoa21(table, changes) if source.level == "lsoa11cd" else table
    covered = places["ctry"].isin(source.countries) if source.countries else pd.Series(True, index=places.index)
    lost = pd.Index(places["lsoa21cd"][covered].unique()).difference(scores.index)
    if len(lost):
        problems.add(source.name, f"{len(lost):,} LSOAs have no row: {listing(lost)}", "is a file cut short?", "data")
    return scores.reindex(places["lsoa21cd"]).set_axis(places.index)


def _evaluate(covariate: Covariate, tables: Mapping[str, pd.DataFrame], problems: Problems) -> pd.Series:
    above = _total(covariate.numerator, tables)
    if not covariate.denominator:
        return above
    below = _total(covariate.denominator, tables)
    empty = below.index[below <= 0]
    if len(empty) and not covariate.borrow:
        problems.add(covariate.name, f"the denominator is 0 in {len(empty):,} areas: {listing(empty)}", kind="data")
    ratio = above / below.where(below > 0)
    if covariate.kind == "share" and ((ratio < 0) | (ratio > 1)).any():
        outside = ratio.index[(ratio < 0) | (ratio > 1)]
        problems.add(covariate.name, f"{len(outside):,} shares lie outside 0 to 1: {listing(outside)}", kind="data")
    return ratio


def _total(terms: Mapping[tuple[str, str], float], tables: Mapping[str, pd.DataFrame]) -> pd.Series:
    parts = [weight * tables[source][column] for (source, column), weight in terms.items()]
    return pd.concat(parts, axis=1).sum(axis=1, skipna=False)
