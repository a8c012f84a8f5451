"""The seed: its hierarchy, empty cells, faults."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from placewise.errors import Problems
from placewise.frame.margins import read_margins
from placewise.frame.seed import Seed, read_seed
from placewise.frame.spec import RakedFrameSpec, SeedSpec

from .conftest import NAMES, SHAPE, Country

MARGINS = (("sex",), ("age",), ("tenure",))


def seed_of(country: Country, spec: SeedSpec, population: np.ndarray | None = None) -> Seed:
    problems = Problems()
    areas = country.areas(population)
    margins = read_margins([country.margin(*m) for m in MARGINS], areas, "oa", problems)
    assert margins is not None
    seed = read_seed(spec, margins, areas, None, problems)
    assert seed is not None, list(map(str, problems))
    return seed


def log_odds(table: np.ndarray) -> np.ndarray:
    """Of every two neighbouring categories of ages and tenures, by sex."""
    return np.log(table[:, :-1, :-1] * table[:, 1:, 1:] / (table[:, :-1, 1:] * table[:, 1:, :-1])).ravel()


def test_classes_lean_on_what_is_above_them(country: Country) -> None:
    """A class of which the seed has three people has the interactions of its kind, where many are known."""
    rare = country.long(NAMES).merge(country.table, on="oa").groupby(["kind", "region", *NAMES])["n"].sum()
    rare = rare.reset_index()
    small = (rare["kind"] == "city") & (rare["region"] == "north")
    first = small & (rare["sex"] == "f") & (rare["age"] == "65+") & (rare["tenure"] == "own")
    rare.loc[small, "n"] = 0
    rare.loc[first, "n"] = 3
    seed = seed_of(country, country.seed("kind", "region", table=rare))
    rows = country.table.assign(row=seed.group).groupby(["kind", "region"])["row"].first()
    table = seed.tables.reshape(-1, *SHAPE)
    assert (table > 0).all()
    assert seed.tables.sum(axis=1) == pytest.approx(np.ones(4))
    south, shire = log_odds(table[rows["city", "south"]]), log_odds(table[rows["shire", "north"]])
    here = log_odds(table[rows["city", "north"]])
    assert np.corrcoef(here, south)[0, 1] > 0.9
    assert np.abs(here - south).mean() < 0.5 * np.abs(here - shire).mean()


def test_a_sample_s_empty_cells_are_unseen_though_their_rows_stand(country: Country) -> None:
    """Rows of zeros tell nothing where fewer than five people would be expected."""
    table = country.long(NAMES).groupby([*NAMES])["n"].sum().reset_index()
    table["n"] = (table["n"] / 900).round()
    assert (table["n"] == 0).any()
    seed = seed_of(country, country.seed(table=table))
    assert seed.structural == 0
    assert (seed.tables > 0).all()


def test_weighted_counts_are_told(country: Country) -> None:
    table = country.long(NAMES).groupby([*NAMES])["n"].sum().reset_index()
    assert "are not whole" in seed_of(country, country.seed(table=table.assign(n=table["n"] * 1.1))).notes[0]


def test_a_class_without_people_takes_the_shape_above_and_is_told(country: Country) -> None:
    table = country.long(NAMES).merge(country.table, on="oa").groupby(["kind", *NAMES])["n"].sum().reset_index()
    shire = table[table["kind"] == "shire"]
    seed = seed_of(country, country.seed("kind", table=shire))
    cities = int((country.table["kind"] == "city").sum())
    assert seed.without == cities
    assert f"nobody of the class of {cities} areas" in seed.notes[0]
    whole = seed_of(country, country.seed(table=shire.drop(columns="kind")))
    city = seed.tables[seed.group[(country.table["kind"] == "city").to_numpy()][0]]
    assert city == pytest.approx(whole.tables[0])


def test_rows_of_zeros_are_empty_and_absent_rows_unseen(country: Country) -> None:
    table = country.long(NAMES).groupby([*NAMES])["n"].sum().reset_index()
    cell = (table["sex"] == "m") & (table["age"] == "65+") & (table["tenure"] == "social")
    stands = seed_of(country, country.seed(table=table.assign(n=table["n"].where(~cell, 0))))
    assert stands.structural == 1
    assert stands.tables.reshape(SHAPE)[1, 2, 2] == 0
    absent = seed_of(country, country.seed(table=table[~cell]))
    assert absent.structural == 0
    assert 0 < absent.tables.reshape(SHAPE)[1, 2, 2] < 0.01


def test_the_order_of_rows_decides_nothing(country: Country) -> None:
    table = country.long(NAMES).merge(country.table, on="oa").groupby(["kind", *NAMES])["n"].sum().reset_index()
    one = seed_of(country, country.seed("kind", table=table))
    other = seed_of(country, country.seed("kind", table=table.sample(frac=1, random_state=1)))
    assert (one.tables == other.tables).all()


def test_faults_of_a_seed(country: Country) -> None:
    margins = tuple(country.margin(*m) for m in MARGINS)
    table = country.long(NAMES).merge(country.table, on="oa").groupby(["kind", *NAMES])["n"].sum().reset_index()

    def fault(changed: pd.DataFrame, *by: str) -> str:
        return "\n".join(country.faults(RakedFrameSpec(margins, country.seed(*by, table=changed))))

    assert "frame.seed.by: seed.csv has no column 'region'" in fault(table, "region")
    assert "seed.csv has nobody of 'age' '65+', which people of the margins have" in fault(table[table["age"] != "65+"])
    assert "'65+'" in fault(table.assign(n=table["n"].where(table["age"] != "65+", 0)))
    renamed = table.replace({"age": {"65+": "65 +"}})
    assert "did you mean '65 +'?" in fault(renamed, "kind")
    shares = table.assign(n=table["n"] / table.groupby("kind")["n"].transform("sum"))
    assert "expected counts of people" in fault(shares, "kind")
    lost = table.assign(kind=table["kind"].where(table.index > 0))
    assert "column 'kind' is missing in 1 rows" in fault(lost, "kind")
    strange = table.replace({"kind": {"city": "a", "shire": "b"}})
    assert "no class of seed.csv by 'kind' is one of the areas'" in fault(strange, "kind")
    assert "has none of the margins' variables 'sex', 'age', 'tenure'" in fault(table[["kind", "n"]], "kind")
    negative = table.assign(n=table["n"].where(table.index > 0, -1))
    assert "column 'n' is negative in 1 rows of seed.csv" in fault(negative)


def test_people_of_the_seed_that_no_margin_has_are_left_out_and_told(country: Country) -> None:
    table = country.long(NAMES).groupby([*NAMES])["n"].sum().reset_index()
    children = table[table["age"] == "16-34"].assign(age="0-15")
    seed = seed_of(country, country.seed(table=pd.concat([table, children])))
    assert seed.tables.shape == (1, 18)
    assert "the seed's 'age' '0-15' is in no margin and left out" in seed.notes[0]
