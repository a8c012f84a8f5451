"""The truth at every level, from counts of the small areas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from placewise.diagnostics.score.groups import require_columns, sole_group
from placewise.errors import DataError, Problem, Problems


@dataclass(frozen=True)
class CountColumns:
    """Columns of a truth of counts: the small area's code, people with the answer, people in all."""

    code: str
    count: str
    total: str


def build_truth(
    areas: pd.DataFrame,
    code: str,
    count: str,
    total: str,
    levels: Sequence[str] = (),
    classes: Sequence[str] = (),
) -> pd.DataFrame:
    """Truth table of the small areas, every level above them and the nation.

    Parameters
    ----------
    areas : DataFrame
        One row per small area with its code, counts, levels and classes.
    code, count, total : str
        Columns: the area's code, people with the answer, people in all.
    levels : sequence of str
        Columns of larger areas.
    classes : sequence of str
        Other grouping columns.

    Returns
    -------
    DataFrame
        ``area_level, area_code, population, count, truth`` and ``by_X`` for every level and class X: the group of an
        area that lies in one only, else missing.

    Raises
    ------
    ConfigurationError
        A column is missing.
    DataError
        Codes that repeat or are missing, counts that are not numbers or exceed the total.
    """
    by = list(dict.fromkeys([*levels, *classes]))
    require_columns(areas, [code, count, total, *by], "truth")
    _check_counts(areas, code, count, total)
    areas = areas.reset_index(drop=True)
    people = pd.DataFrame({"population": areas[total], "count": areas[count]}, dtype=float)
    groups = {column: areas[column] for column in by}
    parts = [
        _one_level(name, areas[name].astype(str).where(areas[name].notna()), people, groups)
        for name in dict.fromkeys([code, *levels])
    ]
    nation = people.sum().to_frame().T.assign(area_level="national", area_code="all")
    table = pd.concat([*parts, nation], ignore_index=True)
    table["truth"] = table["count"] / table["population"]
    return table[["area_level", "area_code", "population", "count", "truth", *(f"by_{column}" for column in by)]]


def truth_from_counts(
    counts: pd.DataFrame,
    columns: CountColumns,
    areas: pd.DataFrame,
    levels: Sequence[str],
    classes: Sequence[str],
) -> pd.DataFrame:
    """Join counts to the areas table, whose first level is the small area's code, and build every level.

    Raises
    ------
    DataError
        Areas without a count, or with two.
    """
    require_columns(counts, [columns.code, columns.count, columns.total], "truth")
    keyed = counts.set_index(counts[columns.code].astype(str))
    repeated = keyed.index[keyed.index.duplicated()]
    if len(repeated):
        raise DataError(Problem("truth", f"{len(repeated)} repeated codes, the first {repeated[0]}", kind="data"))
    absent = areas.loc[~areas[levels[0]].isin(keyed.index), levels[0]]
    if len(absent):
        message = f"no count for {len(absent)} of {len(areas)} areas, the first: {', '.join(absent.head(10))}"
        hint = f"compare its {columns.code!r} with the areas' {levels[0]!r}"
        raise DataError(Problem("truth", message, hint, "data"))
    found = keyed.loc[areas[levels[0]], [columns.count, columns.total]]
    table = areas.assign(_count=found[columns.count].to_numpy(), _total=found[columns.total].to_numpy())
    return build_truth(table, levels[0], "_count", "_total", levels[1:], classes)


def _one_level(name: str, key: pd.Series, people: pd.DataFrame, groups: Mapping[str, pd.Series]) -> pd.DataFrame:
    summed = people.groupby(key, sort=False).sum().rename_axis("area_code")
    for column, group in groups.items():
        summed[f"by_{column}"] = sole_group(group, key)
    return summed.reset_index().assign(area_level=name)


def _check_counts(areas: pd.DataFrame, code: str, count: str, total: str) -> None:
    found = Problems()
    codes = areas[code].astype(str)

    def note(bad: np.ndarray, message: str) -> None:
        if bad.any():
            first = ", ".join(map(str, codes[bad].head(10)))
            found.add("truth", f"{int(bad.sum())} areas {message}, the first: {first}", kind="data")

    people, everyone = (pd.to_numeric(areas[c], errors="coerce").to_numpy(dtype=float) for c in (count, total))
    note(codes.duplicated().to_numpy(), "stand more than once")
    note(areas[code].isna().to_numpy(), "have no code")
    note(~np.isfinite(people) | (people < 0), "have no usable count")
    note(~np.isfinite(everyone) | (everyone < 0), "have no usable total")
    note(everyone == 0, "have nobody, hence no true share")
    note(people > everyone, "count more people than they have")
    found.raise_if_any()
