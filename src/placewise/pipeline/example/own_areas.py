"""A user's own table of areas as the country that the surveys are drawn in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from placewise.errors import Problems
from placewise.geography.codes import as_codes, as_numbers, listing
from placewise.geography.tables import read_table
from placewise.pipeline.example.areas import ages_and_sexes
from placewise.pipeline.example.names import AGES
from placewise.pipeline.example.traits import Country, area_values, drawn_slopes
from placewise.pipeline.example.truth import components

# What a column's name must be for each role, in any case; the year of a census may follow, as in lsoa21cd.
ROLES: Mapping[str, str] = {
    "oa": r"oa(\d\dcd)?",
    "lsoa": r"lsoa(\d\dcd)?",
    "msoa": r"msoa(\d\dcd)?",
    "lad": r"(lad|ltla)(\d\dcd)?",
    "region": r"(region|rgn\d\dcd)",
    "supergroup": r"(\w+_)?supergroup",
    "group": r"(\w+_)?group",
    "subgroup": r"(\w+_)?subgroup",
    "adults": r"(adults|population)",
}
OPTIONAL = ("msoa", "group", "subgroup")
WHAT = {
    "oa": "the areas' codes, as in oa21cd",
    "lsoa": "codes of the lsoa, as in lsoa21cd",
    "lad": "codes of the local authority, as in lad22cd",
    "region": "codes of the region, as in rgn24cd",
    "supergroup": "a class of areas, as in oac21_supergroup",
    "adults": "how many adults live there, as in adults or population",
}
NESTED = (("lsoa", "msoa"), ("msoa", "lad"), ("lsoa", "lad"), ("lad", "region"))
CLASS_LEAN = 0.15
SKEWED = 2.0


def read_own_areas(path: Path, where: str, problems: Problems) -> tuple[pd.DataFrame, dict[str, str]] | None:
    """Read a user's table of areas and find what each column is by its name.

    Parameters
    ----------
    path : Path
        ``.parquet`` or ``.csv``: one row an area, with the columns of `ROLES`; those of `OPTIONAL` may be absent.
    where : str
        For messages.
    problems : Problems
        Takes everything that is missing or wrong.

    Returns
    -------
    table : DataFrame
        Sorted so that the areas of a region, an authority and an lsoa stand together.
    columns : dict of str to str
        The user's name of each role that was found.
    None when a problem was noted.
    """
    table = read_table(path, None, where, problems)
    if table is None:
        return None
    before = len(problems)
    columns: dict[str, str] = {}
    for role, pattern in ROLES.items():
        found = [str(c) for c in table.columns if re.fullmatch(pattern, str(c), re.IGNORECASE)]
        if len(found) > 1:
            problems.add(
                where, f"{len(found)} columns could be {role!r}: {', '.join(found)}", "keep one of them", "data"
            )
        elif found:
            columns[role] = found[0]
        elif role not in OPTIONAL:
            problems.add(where, f"no column for {role!r}", f"expected {WHAT[role]}", "data")
    for role, column in columns.items():
        if role != "adults":
            table[column] = as_codes(table[column])
            blank = int(table[column].isna().sum())
            if blank:
                problems.add(where, f"column {column!r} is blank for {blank:,} areas", kind="data")
    _check(table, columns, where, problems)
    if len(problems) > before:
        return None
    order = [columns[role] for role in ("region", "lad", "msoa", "lsoa", "oa") if role in columns]
    return table.sort_values(order, ignore_index=True), columns


def _check(table: pd.DataFrame, columns: Mapping[str, str], where: str, problems: Problems) -> None:
    """Note codes that repeat, levels that do not nest, and areas without adults."""
    if "oa" in columns and table[columns["oa"]].duplicated().any():
        twice = table.loc[table[columns["oa"]].duplicated(), columns["oa"]].drop_duplicates()
        problems.add(where, f"{len(twice):,} areas stand more than once: {listing(twice)}", kind="data")
    for fine, coarse in NESTED:
        if fine in columns and coarse in columns:
            pairs = table[[columns[fine], columns[coarse]]].dropna().drop_duplicates()
            split = pairs.loc[pairs[columns[fine]].duplicated(), columns[fine]]
            if len(split):
                what = f"{len(split):,} codes of {columns[fine]!r} lie in more than one {columns[coarse]!r}"
                problems.add(where, f"{what}: {listing(split)}", "use levels of one geography", "data")
    if "adults" in columns:
        adults, _ = as_numbers(table[columns["adults"]])
        empty = ~(np.round(adults) >= 1)
        if empty.any():
            message = f"column {columns['adults']!r} is below one or missing for {int(empty.sum()):,} areas"
            problems.add(where, message, "leave out areas where nobody lives", "data")
    if len(table) < 2:
        problems.add(where, f"{len(table)} areas, expected more", kind="data")


def settle(table: pd.DataFrame, columns: Mapping[str, str], seeds: np.random.SeedSequence) -> Country:
    """Let people live in a user's areas: ages, sexes and traits.

    Every other column of numbers that is complete and varies is a covariate: its slopes on the three traits are drawn.

    Parameters
    ----------
    table, columns
        From `read_own_areas`.
    seeds : SeedSequence

    Returns
    -------
    Country
    """
    of_people, of_traits = (np.random.default_rng(s) for s in seeds.spawn(2))
    roles = [role for role in columns if role != "adults"]
    areas = pd.DataFrame({role: table[columns[role]] for role in roles})
    adults = np.round(as_numbers(table[columns["adults"]])[0]).astype(np.int64)
    group = areas["supergroup"].astype("category").cat.codes.to_numpy()
    lean = of_people.normal(0, CLASS_LEAN, (group.max() + 1, len(AGES)))[group]
    counts = ages_and_sexes(adults, lean, of_people)
    covariates = _covariates(table, set(columns.values()))
    areas = pd.concat([areas, covariates], axis=1)
    slopes = drawn_slopes(areas, [str(c) for c in covariates.columns], of_traits)
    belonging = components(areas, slopes.pop("belonging"), of_traits)
    eta = area_values(areas, belonging, slopes, of_traits)
    return Country(areas[roles], counts, eta, columns)


def _covariates(table: pd.DataFrame, taken: set[str]) -> pd.DataFrame:
    """Complete columns of numbers that vary, skewed positive ones by their logarithm; numbered, not named."""
    found: dict[str, np.ndarray] = {}
    for name in table.columns:
        values = table[name]
        if str(name) in taken or not pd.api.types.is_numeric_dtype(values.dtype):
            continue
        x = values.to_numpy(dtype=float)
        if not np.isfinite(x).all() or x.std() == 0:
            continue
        if x.min() > 0 and ((x - x.mean()) ** 3).mean() / x.std() ** 3 > SKEWED:
            x = np.log(x)
        found[f"covariate {len(found) + 1}"] = x
    return pd.DataFrame(found, index=table.index)
