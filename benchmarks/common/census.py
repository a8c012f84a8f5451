"""Census 2021 of England and Wales as margins, seed and areas of a frame, from the folder of reference data."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from placewise.frame.grid import Grid
from placewise.frame.margins import Margin
from placewise.geography.areas import AreaTable

SEX = ("female", "male")
ETHNIC = ("asian", "black", "mixed", "other", "white")
AGES: Mapping[str, tuple[str, ...]] = {
    "16-24": ("age_16_19", "age_20_21", "age_22_24"),
    "25-34": ("age_25_29", "age_30_34"),
    "35-49": ("age_35_39", "age_40_44", "age_45_49"),
    "50-64": ("age_50_54", "age_55_59", "age_60_64"),
    "65+": ("age_65plus",),
}
# variable -> table of output areas, and its columns by category; all but sex and health count adults or households
MARGINS: Mapping[str, tuple[str, Mapping[str, Sequence[str]]]] = {
    "sex": ("ts008", {"female": ["ts0080002"], "male": ["ts0080003"]}),
    "age": (
        "age6_complete",
        {k: [c] for k, c in zip(AGES, ["age_16_24", "age_25_34", "age_35_49", "age_50_64", "age_65plus"], strict=True)},
    ),
    "qualification": ("ts067", {str(k): [f"ts067000{k}"] for k in range(2, 9)}),
    "disabled": ("ts038", {"no": ["ts0380005"], "yes": ["ts0380002"]}),
    "owner": ("ts054", {"no": ["ts0540005", "ts0540007", "ts0540010", "ts0540013"], "yes": ["ts0540002"]}),
    "ethnic": ("ts021_ethnic5_recovered", {k: [k] for k in ETHNIC}),
}
LEVELS, CLASSES = ("msoa21cd", "lad22cd", "rgn24cd"), ("oac21_supergroup",)


def folder() -> Path:
    """Where the tables are; ends the program where they are not."""
    root = Path(__file__).resolve().parents[2]
    found = Path(os.environ.get("PLACEWISE_SHARED") or root.parent / "shared" / "data") / "england_wales"
    if not found.is_dir():
        raise SystemExit(f"no reference data at {found}: set PLACEWISE_SHARED, or choose --source made-up")
    return found


def output_areas() -> AreaTable:
    """All 188,880 output areas with their residents of 16 and over."""
    table = pd.read_parquet(folder() / "lookups" / "oa21_lookup.parquet", columns=["oa21cd", *LEVELS, *CLASSES])
    table = table.astype("str")
    adults = pd.read_parquet(folder() / "census2021_oa" / "ts002.parquet", columns=["oa21cd", "ts0020001"])
    people = adults.set_index("oa21cd")["ts0020001"].loc[table["oa21cd"]].to_numpy(dtype=np.float64)
    return AreaTable(table, "oa21cd", LEVELS, CLASSES, people, np.ones(len(table), dtype=bool))


def long_margin(variable: str) -> pd.DataFrame:
    """One margin of the output areas: ``oa21cd``, the variable, ``n``."""
    file, columns = MARGINS[variable]
    used = [c for group in columns.values() for c in group]
    wide = pd.read_parquet(folder() / "census2021_oa" / f"{file}.parquet", columns=["oa21cd", *used])
    counts = pd.DataFrame({k: wide[list(c)].sum(axis=1) for k, c in columns.items()})
    return counts.assign(oa21cd=wide["oa21cd"].astype("str")).melt("oa21cd", var_name=variable, value_name="n")


def middle_areas() -> tuple[AreaTable, np.ndarray]:
    """MSOAs, each in the class of most of its output areas, and their adults by sex, ethnic group and age."""
    table = pd.read_parquet(folder() / "census2021_msoa" / "msoa21_sex_ethnic5_age13.parquet")
    counts = pd.DataFrame({k: table[list(c)].sum(axis=1) for k, c in AGES.items()})
    keys = [table["msoa21cd"].astype(str), table["sex"].astype(str), table["ethnicity"].astype(str).str.lower()]
    counts.index = pd.MultiIndex.from_arrays(keys)
    counts = counts.sort_index()
    codes = counts.index.get_level_values(0).unique()
    areas = pd.read_parquet(folder() / "lookups" / "oa21_lookup.parquet", columns=[*LEVELS, *CLASSES]).astype("str")
    common = areas.value_counts(sort=True).reset_index().drop_duplicates("msoa21cd").set_index("msoa21cd")
    usual = common.loc[codes, [*LEVELS[1:], *CLASSES]].reset_index().astype("str")
    people = counts.to_numpy(dtype=np.float64).reshape(len(codes), len(SEX), len(ETHNIC), len(AGES))
    whole = AreaTable(usual, "msoa21cd", LEVELS[1:], CLASSES, people.sum(axis=(1, 2, 3)), np.ones(len(usual), bool))
    return whole, people


def long_joint(areas: AreaTable, people: np.ndarray, by: Sequence[str]) -> pd.DataFrame:
    """A seed's table: adults by class, sex, ethnic group and age."""
    index = pd.MultiIndex.from_product([areas.codes, SEX, ETHNIC, AGES], names=[areas.code, "sex", "ethnic", "age"])
    long = pd.DataFrame({"n": people.ravel()}, index=index).reset_index()
    grouping = areas.table[[areas.code, *(c for c in by if c != areas.code)]]
    return long.merge(grouping, on=areas.code).groupby([*by, "sex", "ethnic", "age"])["n"].sum().reset_index()


def margins_of(people: np.ndarray, which: Sequence[Sequence[str]]) -> tuple[Margin, ...]:
    """Margins of a joint table of shape (areas, sexes, ethnic groups, ages)."""
    levels = {"sex": SEX, "ethnic": ETHNIC, "age": tuple(AGES)}
    names = list(levels)
    found = []
    for names_of in which:
        axes = tuple(1 + i for i, name in enumerate(names) if name not in names_of)
        ordered = tuple(name for name in names if name in names_of)
        grid = Grid(ordered, tuple(pd.Series(levels[name], dtype="str") for name in ordered))
        found.append(Margin(grid, people.sum(axis=axes).reshape(len(people), -1), "margins"))
    return tuple(found)
