"""The seed: shrinkage by a closed form, hierarchy, empty cells, faults."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from placewise.errors import Problems
from placewise.frame.grid import Grid
from placewise.frame.margins import read_margins
from placewise.frame.seed import Seed, independence, read_seed, shrink
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


def test_pseudo_bayes_by_hand() -> None:
    """Fienberg and Holland (1973): k = (N² − Σ x²) / Σ (x − N p)² = (100 − 50) / (12.5) = 4 here."""
    tables, weight = shrink(np.array([[5.0, 5.0, 0.0]]), np.array([[0.25, 0.5, 0.25]]))
    k = (100 - 50) / (2.5**2 + 0 + 2.5**2)
    assert k == 4
    assert weight == pytest.approx([10 / 14])
    assert tables[0] == pytest.approx(np.array([5 + 1, 5 + 2, 0 + 1]) / 14)


def test_tables_at_the_edge_are_shrunk_by_a_person_or_altogether() -> None:
    shape = np.array([[0.2, 0.3, 0.5]] * 3)
    tables, weight = shrink(np.array([[4.0, 0.0, 0.0], [0.0, 0.0, 0.0], [20.0, 30.0, 50.0]]), shape)
    assert weight == pytest.approx([4 / 5, 0, 0])
    assert tables[0] == pytest.approx([4.2 / 5, 0.06, 0.1])
    assert tables[1:] == pytest.approx(shape[1:])


def test_shrinkage_comes_nearer_to_the_truth_than_the_counts() -> None:
    rng = np.random.default_rng(6)
    p = rng.dirichlet(np.ones(30), 400)
    parent = np.array([0.5 * p + 0.5 * rng.dirichlet(np.ones(30), 400)][0])
    counts = np.array([rng.multinomial(60, row) for row in p]).astype(float)
    tables, _ = shrink(counts, parent)
    assert np.abs(tables - p).sum() < 0.85 * np.abs(counts / 60 - p).sum()


def test_independence_leaves_empty_cells_empty() -> None:
    grid = Grid(("a", "b"), (pd.Series([1.0, 2.0]), pd.Series([1.0, 2.0])))
    shape = independence(np.array([6.0, 2.0, 2.0, 0.0]), grid, np.array([False, False, False, True]))
    assert shape == pytest.approx(np.array([64.0, 16.0, 16.0, 0.0]) / 96)


def test_classes_lean_on_what_is_above_them(country: Country) -> None:
    rare = country.long(NAMES).merge(country.table, on="oa").groupby(["kind", "region", *NAMES])["n"].sum()
    rare = rare.reset_index()
    small = (rare["kind"] == "city") & (rare["region"] == "north")
    first = small & (rare["sex"] == "f") & (rare["age"] == "65+") & (rare["tenure"] == "own")
    rare.loc[small, "n"] = 0
    rare.loc[first, "n"] = 3
    seed = seed_of(country, country.seed("kind", "region", table=rare))
    rows = country.table.assign(row=seed.group).groupby(["kind", "region"])["row"].first()
    table = seed.tables.reshape(-1, *SHAPE)
    city = country.true[((country.table["kind"] == "city") & (country.table["region"] == "south")).to_numpy()].sum(
        axis=0
    )
    here = table[rows["city", "north"]].copy()
    assert (here > 0).all()
    here[0, 2, 0] = city[0, 2, 0] = 0
    assert here / here.sum() == pytest.approx(city / city.sum(), abs=0.005)
    assert seed.tables.sum(axis=1) == pytest.approx(np.ones(4))


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
