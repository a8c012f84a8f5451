"""Reads the table of areas: codes, levels, classes, population, covariates and the index's base."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from placewise.errors import Problems, nearest
from placewise.geography.areas import AreaTable
from placewise.geography.centroids import read_centroids
from placewise.geography.codes import as_codes, as_labels, as_numbers, infer, listing, matches
from placewise.geography.joins import Assembled, assemble
from placewise.geography.nesting import check_codes, check_complete, check_nesting, read_names
from placewise.geography.shapes import check_geometry, read_neighbours
from placewise.geography.spec import AreasSpec

MOSTLY = 0.5
DECIMAL_COMMA = r"[+-]?\d+,\d+"


def read_areas(
    spec: AreasSpec,
    index_base: Mapping[str, Collection[Any]],
    problems: Problems,
    covariates: Collection[str] | None = None,
) -> AreaTable | None:
    """Read the areas to be estimated.

    Parameters
    ----------
    spec : AreasSpec
        Table ``[areas]`` of the project file.
    index_base : mapping of column to values
        ``[index] base``; empty: all areas.
    problems : Problems
        Takes everything that is wrong.
    covariates : collection of str, or None
        Names that formulas use: those that are columns here must be complete and finite. Names that are no column
        here are left to whoever knows the respondents. None reads every column and checks none.

    Returns
    -------
    AreaTable or None
        None when a problem was noted.
    """
    before = len(problems)
    structure = _structure(spec, index_base, covariates)
    assembled = assemble(spec, None if covariates is None else {*structure, *covariates}, problems)
    if assembled is None:
        return None
    _check_columns(spec, structure, assembled, problems)
    if len(problems) > before:
        return None
    raw = assembled.frame
    table = _typed(raw, spec)
    check_codes(table, spec.code, problems)
    for column in (*spec.levels, *spec.classes):
        check_complete(table, spec.code, column, structure[column], problems)
    check_nesting(table, spec.levels, problems)
    for column in sorted({*(covariates or ())} & {*raw.columns} - {spec.code, *spec.levels, *spec.classes}):
        _check_covariate(raw, table, spec.code, column, problems)
    population = _population(raw, table, spec, problems) if spec.population else None
    base = _base(table, index_base, problems)
    centroids = read_centroids(raw, table[spec.code], spec.centroid, problems) if spec.centroid is not None else None
    names = {
        level: read_names(table, level, column, problems) for level, column in spec.names.items() if column != level
    }
    errors = {c: _errors(raw, table, c, spec, problems) for c, column in spec.imputed.items() if column in raw}
    neighbours, shape_notes = _shapes(table, spec, problems)
    notes = assembled.notes + shape_notes
    if len(problems) > before:
        return None
    return AreaTable(
        table,
        spec.code,
        tuple(spec.levels),
        tuple(spec.classes),
        population,
        base,
        names,
        assembled.available,
        notes,
        neighbours,
        centroids,
        errors,
    )


def _check_columns(spec: AreasSpec, structure: Mapping[str, str], assembled: Assembled, problems: Problems) -> None:
    """Note the columns and levels that the project file names and the tables lack."""
    for column, where in structure.items():
        if column not in assembled.frame.columns:
            problems.add(
                where,
                f"no column {column!r} in {spec.table.name}{' or what is joined onto it' if spec.join else ''}",
                nearest(column, assembled.available),
                "data",
            )
    groupings = (spec.code, *spec.levels, *spec.classes)
    for key, group in (("neighbours", spec.neighbours), ("geometry", spec.geometry), ("names", spec.names)):
        for level in set(group) - set(groupings):
            problems.add(
                f"areas.{key}.{level}", f"{level!r} is neither the code, a level nor a class", nearest(level, groupings)
            )
    for covariate in spec.imputed:
        if covariate not in assembled.available:
            hint = nearest(covariate, assembled.available)
            problems.add("areas.imputed", f"no table has a column {covariate!r}", hint, "data")


def _structure(
    spec: AreasSpec, index_base: Mapping[str, Collection[Any]], covariates: Collection[str] | None
) -> dict[str, str]:
    """Columns that the project file names, and the key that names each; errors of covariates that are used only."""
    named = {spec.code: "areas.code"}
    named |= dict.fromkeys(spec.levels, "areas.levels") | dict.fromkeys(spec.classes, "areas.classes")
    named |= {c: f"areas.names.{level}" for level, c in spec.names.items() if c not in named}
    named |= {c: "index.base" for c in index_base if c not in named}
    if spec.population:
        named.setdefault(spec.population, "areas.population")
    if spec.centroid is not None:
        named.setdefault(spec.centroid.x, "areas.centroid.x")
        named.setdefault(spec.centroid.y, "areas.centroid.y")
    for covariate, column in spec.imputed.items():
        if covariates is None or covariate in covariates:
            named.setdefault(column, f"areas.imputed.{covariate}")
    return named


def _typed(raw: pd.DataFrame, spec: AreasSpec) -> pd.DataFrame:
    """Codes, levels, classes and names as text; everything else as what it is."""
    texts = {spec.code, *spec.levels, *spec.classes, *spec.names.values()}
    return pd.DataFrame({c: as_codes(raw[c]) if c in texts else infer(raw[c]) for c in raw.columns})


def _check_covariate(raw: pd.DataFrame, table: pd.DataFrame, code: str, column: str, problems: Problems) -> None:
    where = f"areas: column {column!r}"
    values = table[column]
    if pd.api.types.is_float_dtype(values.dtype):
        for what, odd in (("missing", values.isna()), ("infinite", np.isinf(values))):
            if odd.any():
                message = f"{what} for {int(odd.sum()):,} of {len(table):,} areas: {listing(table.loc[odd, code])}"
                problems.add(where, message, "covariates must be complete and finite", "data")
        return
    numbers, bad = as_numbers(raw[column])
    comma = values.str.fullmatch(DECIMAL_COMMA, na=False).to_numpy(dtype=bool)
    if bad.any() and (np.isfinite(numbers) | comma).sum() > MOSTLY * len(table):
        problems.add(
            where,
            f"text in {int(bad.sum()):,} of {len(table):,} values of a column of numbers: "
            f"{listing(as_labels(raw.loc[bad, column]), 5)}",
            "write decimals with a point" if comma.any() else "mend these values",
            "data",
        )
        return
    check_complete(table, code, column, where, problems)


def _population(raw: pd.DataFrame, table: pd.DataFrame, spec: AreasSpec, problems: Problems) -> np.ndarray:
    """People of each area, shape (A,); all must be positive and finite."""
    people, text = as_numbers(raw[spec.population])
    faults = {
        "text": text,
        "missing": np.isnan(people) & ~text,
        "zero": people == 0,
        "negative": people < 0,
        "infinite": people == np.inf,
    }
    for what, odd in faults.items():
        if odd.any():
            problems.add(
                "areas.population",
                f"{what} for {int(odd.sum()):,} of {len(table):,} areas in column "
                f"{spec.population!r}: {listing(table.loc[odd, spec.code])}",
                "every area needs people; leave out areas where nobody lives",
                "data",
            )
    return people


def _errors(raw: pd.DataFrame, table: pd.DataFrame, name: str, spec: AreasSpec, problems: Problems) -> np.ndarray:
    """Standard errors of a covariate that was filled in for some areas, shape (A,): 0 or more."""
    column = spec.imputed[name]
    errors, _ = as_numbers(raw[column])
    if not pd.api.types.is_float_dtype(table[name].dtype):
        where, hint = f"areas.imputed.{name}", "categories that were filled in have no standard error"
        problems.add(where, f"column {name!r} holds text, expected numbers", hint, "data")
        return errors
    odd = ~(np.isfinite(errors) & (errors >= 0))
    if odd.any():
        problems.add(
            f"areas.imputed.{name}",
            f"no number of 0 or more for {int(odd.sum()):,} of {len(table):,} areas in column {column!r}: "
            f"{listing(table.loc[odd, spec.code])}",
            "write the standard error where the value was filled in, 0 where it is known",
            "data",
        )
    return errors


def _base(table: pd.DataFrame, index_base: Mapping[str, Collection[Any]], problems: Problems) -> np.ndarray:
    """Areas of the index's base, shape (A,)."""
    base = np.ones(len(table), dtype=bool)
    for column, values in index_base.items():
        for value in values:
            if not matches(table[column], [value]).any():
                problems.add(
                    "index.base",
                    f"no area has {value!r} in column {column!r}",
                    nearest(str(value), as_labels(table[column].dropna().drop_duplicates())),
                    "data",
                )
        base &= matches(table[column], values)
    if base.sum() < 2:
        problems.add(
            "index.base" if index_base else "areas.table",
            f"{int(base.sum())} areas in the base of the index, expected at least two",
            kind="data",
        )
    return base


def _shapes(
    table: pd.DataFrame, spec: AreasSpec, problems: Problems
) -> tuple[dict[str, pd.DataFrame], tuple[str, ...]]:
    """Neighbours by level, and notes on levels whose neighbours or polygons are not complete."""
    notes: tuple[str, ...] = ()
    neighbours = {}
    for level, path in spec.neighbours.items():
        neighbours[level], found = read_neighbours(path, level, table[level].dropna().drop_duplicates(), problems)
        notes += found
    for level, geometry in spec.geometry.items():
        notes += check_geometry(geometry, level, table[level].dropna().drop_duplicates(), problems)
    return neighbours, notes
