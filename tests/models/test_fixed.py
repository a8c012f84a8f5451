from __future__ import annotations

import numpy as np
import pandas as pd
import patsy
import pytest
from numpy.testing import assert_allclose

from placewise.models.design import Column
from placewise.models.fixed import drop_redundant

FORMULAS = [
    "x",
    "x + z",
    "x*z",
    "a",
    "a + b",
    "a*b",
    "a + a:b",
    "a:b",
    "b + a:b",
    "x:a",
    "x + x:a",
    "a*x",
    "a*b*x",
    "a/b",
    "a/x",
    "(a + b + x)**2",
    "a:b:x",
    "a*b*c",
    "a:b + c",
    "a:b:c",
    "a + b:c + x:a:b",
    "0 + a",
    "0 + x",
    "0 + a + b",
    "0 + a:b",
    "0 + a + a:b",
    "0 + x:a",
    "0 + b*x",
    "a*b - a",
    "a*b - b",
    "a*b*c - a:b",
    "(a + x)/b",
]


@pytest.fixture(scope="module")
def crossed() -> pd.DataFrame:
    """Every combination of three factors, four times over, with two numbers."""
    grid = pd.MultiIndex.from_product([["a1", "a2", "a3"], ["b1", "b2"], ["c1", "c2"], range(4)]).to_frame(index=False)
    rng = np.random.default_rng(2)
    columns = {name: grid[k].astype("str") for k, name in enumerate("abc")}
    return (
        pd.DataFrame({**columns, "x": rng.normal(size=len(grid)), "z": rng.normal(size=len(grid))})
        .sample(frac=1.0, random_state=3)
        .reset_index(drop=True)
    )


@pytest.mark.parametrize("text", FORMULAS)
def test_columns_are_those_of_patsy(text: str, country, crossed: pd.DataFrame):
    plain = type(country)(None, None, crossed, np.zeros(len(crossed), dtype=int), {}, {})
    design = plain.build(text)
    data = crossed.astype(dict.fromkeys("abc", object))
    expected = patsy.dmatrix(text, data, return_type="dataframe")
    named = {name.replace("T.", ""): expected[name].to_numpy() for name in expected.columns if name != "Intercept"}
    assert design.dropped == ()
    assert {frozenset(c.name.split(":")) for c in design.columns} == {frozenset(name.split(":")) for name in named}
    by_factors = {frozenset(name.split(":")): values for name, values in named.items()}
    for column in design.columns:
        assert_allclose(column.values, by_factors[frozenset(column.name.split(":"))], err_msg=column.name)


@pytest.mark.parametrize("text", FORMULAS)
def test_columns_span_the_model_once(text: str, country, crossed: pd.DataFrame):
    plain = type(country)(None, None, crossed, np.zeros(len(crossed), dtype=int), {}, {})
    design = plain.build(text)
    matrix = np.column_stack([np.ones(design.n), design.matrix]) if design.intercept else design.matrix
    assert np.linalg.matrix_rank(matrix) == matrix.shape[1]


def test_cutpoints_count_as_the_constant(country):
    with_cutpoints = country.plain().build("0 + sex", cumulative=True)
    assert [c.name for c in with_cutpoints.columns] == ["sex[male]"]
    assert [c.name for c in country.plain().build("0 + sex").columns] == ["sex[female]", "sex[male]"]


@pytest.mark.parametrize(
    "text",
    [
        "deprivation",
        "log(density)*sex",
        "kind*age",
        "deprivation:kind + sex",
        "poly(density, 2):sex",
        "years*density",
        "I(deprivation / density) + age:sex:kind",
        "zone + years",
    ],
)
@pytest.mark.parametrize("standardise", [False, True])
def test_projection_of_a_respondents_own_area_and_cell_is_the_respondents_row(text: str, standardise: bool, country):
    design = country.build(text, standardise=standardise)
    frame_key = country.frame.cells["age"] + country.frame.cells["sex"]
    cell = pd.Index(frame_key).get_indexer(country.respondents["age"] + country.respondents["sex"])
    assert len(design.columns)
    for column in design.columns:
        area = 1.0 if column.area is None else column.area[country.area]
        cells = 1.0 if column.cell is None else column.cell[cell]
        assert_allclose(column.values, np.broadcast_to(area * cells, design.n), atol=1e-12, err_msg=column.name)


def test_reference_values_are_constants_of_the_projection(country):
    design = country.at(mode="phone", wave=3.0).build("mode*deprivation + wave")
    by_name = {c.name: c for c in design.columns}
    assert by_name["mode[phone]"].cell is None
    assert by_name["mode[phone]"].area is None
    assert_allclose(by_name["wave"].cell, np.full(6, 3.0))
    assert_allclose(by_name["mode[phone]:deprivation"].area, country.areas.table["deprivation"])
    online = country.at(mode="online").build("mode*deprivation")
    assert_allclose({c.name: c for c in online.columns}["mode[phone]:deprivation"].area, np.zeros(30))


def test_reference_without_a_frame_is_constant_over_areas(country):
    bare = type(country)(country.areas, None, country.respondents, country.area, {"wave": 2.0}, {})
    (column,) = bare.build("wave").columns
    assert_allclose(column.area, np.full(30, 2.0))
    assert column.cell is None


def made(**columns: list[float]) -> list[Column]:
    return [Column(name, np.array(values, dtype=float)) for name, values in columns.items()]


def test_constant_columns_go_with_their_reason():
    kept, dropped = drop_redundant(made(one=[3, 3, 3], x=[1, 2, 4]), constant=True)
    assert [c.name for c in kept] == ["x"]
    assert dropped == ["one was left out: it is the same for every respondent."]
    assert [c.name for c in drop_redundant(made(one=[3, 3, 3]), constant=False)[0]] == ["one"]
    assert drop_redundant(made(zero=[0, 0, 0]), constant=False)[0] == []


def test_collinear_columns_go_and_name_what_explains_them():
    columns = made(x=[1, 2, 4, 0, 5], z=[0, 1, 0, 3, 1], w=[2, 5, 1, 0, 7], total=[3, 5, 6, 5, 8], v=[1, 0, 0, 2, 9])
    kept, dropped = drop_redundant(columns, constant=True)
    assert [c.name for c in kept] == ["x", "z", "w", "v"]
    (sentence,) = dropped
    assert sentence.endswith("a sum of multiples of x, z.")


def test_collinearity_does_not_depend_on_units():
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(2, 500))
    columns = [Column("x", 1e-9 * x), Column("z", 1e9 * z + 1e12), Column("nearly", x + 1e-4 * z), Column("sum", x + z)]
    kept, _ = drop_redundant(columns, constant=True)
    assert [c.name for c in kept] == ["x", "z"]
    kept, _ = drop_redundant([Column("x", x), Column("nearly", x + 1e-4 * z)], constant=True)
    assert [c.name for c in kept] == ["x", "nearly"]


def test_shares_that_sum_to_one_lose_the_last(country):
    shares = np.random.default_rng(4).dirichlet(np.ones(3), 30)
    spread = country.with_area_column(owner=shares[:, 0], social=shares[:, 1], private=shares[:, 2])
    design = spread.build("owner + social + private", standardise=True)
    assert [c.name for c in design.columns] == ["owner", "social"]
    assert "owner, social" in design.dropped[0]
    assert [s.name for s in design.scalings] == ["owner", "social"]
