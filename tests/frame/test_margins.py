"""What is wrong with a margin is told, all of it."""

from __future__ import annotations

import pandas as pd
import pytest

from placewise.frame.spec import RakedFrameSpec

from .conftest import Country


def test_every_fault_of_a_table_is_told_with_its_key(country: Country) -> None:
    table = country.long(("sex",))
    table.loc[0, "n"] = -1
    table.loc[1, "oa"] = "X"
    table.loc[2, "sex"] = None
    faults = country.faults(RakedFrameSpec((country.margin("age"), country.margin("sex", table=table))))
    assert sum("frame.margins[1].count: column 'n' is negative in 1 rows of sex.csv" in f for f in faults) == 1
    assert any("frame.margins[1].table: 1 area codes of sex.csv are not in the areas table: 'X'" in f for f in faults)
    assert any("column 'sex' is missing in 1 rows of sex.csv" in f for f in faults)


def test_columns_that_are_not_there(country: Country) -> None:
    table = country.long(("sex",)).rename(columns={"sex": "sexe"})
    (fault,) = country.faults(RakedFrameSpec((country.margin("sex", table=table),)))
    assert "frame.margins[0].variable: sex.csv has no column 'sex' of categories (did you mean 'sexe'?)" in fault
    (fault,) = country.faults(RakedFrameSpec((country.margin("sex", table=country.long(("sex",)).drop(columns="n")),)))
    assert "frame.margins[0].count: sex.csv has no column 'n'" in fault


def test_an_area_without_rows_is_a_fault_and_one_with_zeros_is_not(country: Country) -> None:
    table = country.long(("sex",))
    lost = table[table["oa"] != "E07"]
    (fault,) = country.faults(RakedFrameSpec((country.margin("age"), country.margin("sex", table=lost))))
    assert "1 of 60 areas have no row in sex.csv: 'E07'" in fault
    assert "rows of zeros" in fault
    table.loc[table["oa"] == "E07", "n"] = 0
    country.read(RakedFrameSpec((country.margin("age"), country.margin("sex", table=table))))


def test_a_margin_without_people(country: Country) -> None:
    (fault,) = country.faults(RakedFrameSpec((country.margin("sex", table=country.long(("sex",)).assign(n=0)),)))
    assert "column 'n' of sex.csv counts nobody" in fault


def test_categories_differ_between_margins(country: Country) -> None:
    both = country.long(("age", "sex")).replace({"age": {"65+": "65 and over"}})
    (fault,) = country.faults(RakedFrameSpec((country.margin("age"), country.margin("age", "sex", table=both))))
    assert (
        "the categories of 'age' that people have differ from those of frame.margins[0]: '65 and over', '65+'" in fault
    )
    numbers = country.long(("age", "sex")).replace({"age": {"16-34": 1, "35-64": 2, "65+": 3}})
    (fault,) = country.faults(RakedFrameSpec((country.margin("age"), country.margin("age", "sex", table=numbers))))
    assert "'age' is made of numbers in one and of text in the other" in fault


def test_categories_that_nobody_has_are_left_out(country: Country) -> None:
    table = country.long(("sex",))
    none = table[table["sex"] == "f"].assign(sex="x", n=0)
    frame = country.read(RakedFrameSpec((country.margin("sex", table=pd.concat([table, none])),)))
    assert frame.cells["sex"].tolist() == ["f", "m"]


def test_rows_of_one_area_and_category_are_summed(country: Country) -> None:
    table = country.long(("sex",))
    twice = country.read(RakedFrameSpec((country.margin("sex", table=pd.concat([table, table])),)))
    assert twice.population() == pytest.approx(2 * country.true.sum(axis=(1, 2, 3)))
