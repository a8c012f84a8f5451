"""The error of a covariate that was filled in: how far it moves columns, and what it adds to the draws."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from placewise.estimates.imputed import error_name, imputed_areas
from placewise.estimates.predictor import Effect, Estimand, Predictor
from placewise.estimates.projector import Projector
from placewise.estimates.release import read_release, write_release
from placewise.estimates.summarise import summarise
from placewise.geography.areas import AreaTable
from placewise.models.design import Column
from placewise.models.imputed import error_effects

SE = 0.01
S = 4000


def _known_with_error(country: Any, name: str, se: np.ndarray) -> Any:
    return replace(country, areas=replace(country.areas, errors={name: se}))


def _columns(country: Any, text: str) -> dict[str, Column]:
    design, problems = country.attempt(text, True, False)
    assert design is not None, list(map(str, problems))
    return {column.name: column for column in design.columns}


@pytest.mark.parametrize(
    "text",
    ["deprivation", "log(deprivation)", "poly(deprivation, 2)", "I(deprivation / density)", "deprivation:density"],
)
def test_columns_move_as_the_covariate_does(country: Any, text: str) -> None:
    """By the formula's derivative: the error is so small that both ends lie on a straight line."""
    se = np.where(np.arange(30) % 4 == 0, SE, 0.0)
    formula = f"{text} + sex"
    found = _columns(_known_with_error(country, "deprivation", se), formula)
    plain = _columns(country, formula)
    for name, column in found.items():
        if "sex" in name:
            assert column.errors == {}
            continue
        change = column.errors["deprivation"]
        assert ((change != 0) == (se > 0)).all()
        assert_allclose(column.area, plain[name].area)
        if text == "deprivation":
            table = country.areas.table["deprivation"]
            share = country.areas.population / country.areas.population.sum()
            sd = np.sqrt(share @ (table - share @ table) ** 2)
            assert_allclose(change, se / sd)
        if text.startswith("log"):
            raw = np.log(country.areas.table["deprivation"])
            slope = np.ptp(column.area) / np.ptp(raw)
            assert_allclose(change, slope * se / country.areas.table["deprivation"], rtol=1e-5)
        if text.startswith("I("):
            raw = country.areas.table["deprivation"] / country.areas.table["density"]
            slope = np.ptp(column.area) / np.ptp(raw)
            assert_allclose(change, slope * se / country.areas.table["density"], rtol=1e-9)
        if ":" in text:
            single = _columns(_known_with_error(country, "deprivation", se), "deprivation + density")
            assert_allclose(change, single["deprivation"].errors["deprivation"] * single["density"].area)
    if text.startswith("poly"):
        first, second = (found[f"poly(deprivation, 2)[{k}]"] for k in (1, 2))
        x = country.areas.table["deprivation"].to_numpy()
        coefficients = np.polyfit(x, second.area, 2)
        assert_allclose(second.errors["deprivation"], np.polyval(np.polyder(coefficients), x) * se, atol=1e-9)
        assert_allclose(first.errors["deprivation"], np.polyfit(x, first.area, 1)[0] * se, atol=1e-12)


def test_the_end_that_is_no_number_leaves_the_other(country: Any) -> None:
    table = country.areas.table.assign(deprivation=np.linspace(1.0, 30.0, 30))
    areas = replace(country.areas, table=table, errors={"deprivation": np.where(np.arange(30) == 0, 2.0, 0.0)})
    column = _columns(replace(country, areas=areas), "log(deprivation)")["log(deprivation)"]
    slope = np.ptp(column.area) / np.log(30.0)
    assert column.errors["deprivation"][0] == pytest.approx(slope * np.log(3.0))


def _predictor(effects: tuple[Effect, ...], beta: np.ndarray, x: np.ndarray, cells: np.ndarray) -> Predictor:
    n = len(x)
    return Predictor(
        seed=3, codes=np.array([f"A{i}" for i in range(n)], dtype=object), code="code",
        levels={"ward": np.array([f"W{i // 2}" for i in range(n)], dtype=object)}, classes={},
        population=np.full(n, 100.0), base=np.ones(n, dtype=bool), intercept=np.zeros(beta.shape[1]), beta=beta,
        area_x=x[:, None].astype(np.float32), cell_x=cells[:, None],
        area_varies=np.array([True]), cell_varies=np.array([cells.any() and np.ptp(cells) > 0]),
        effects=effects, indptr=np.arange(n + 1) * len(cells), cell=np.tile(np.arange(len(cells), dtype=np.int32), n),
        count=np.ones(n * len(cells)), estimands=(Estimand("", "mean", "identity"),), finite_population=False,
        polarity=1,
    )  # fmt: skip


def _areas(x: np.ndarray, se: np.ndarray) -> AreaTable:
    n = len(x)
    table = pd.DataFrame({"code": [f"A{i}" for i in range(n)], "ward": [f"W{i // 2}" for i in range(n)], "x": x})
    return AreaTable(table, "code", ("ward",), (), None, np.ones(n, dtype=bool), errors={"x": se})


def test_draws_have_the_variance_that_the_error_adds(tmp_path: Any) -> None:
    """Var η = Var(x β) + β² se², the same draw for areas that share a value; none where the value is known."""
    x, se = np.array([1.0, 1.0, 2.0, -1.0, 0.5, 0.5]), np.array([0.3, 0.3, 0.4, 0.0, 0.0, 0.0])
    rng = np.random.default_rng(5)
    beta = rng.normal(0.8, 0.1, (1, S))
    cells = np.array([0.5, 1.5])  # of mean 1
    column = Column("x", x, x, cells, {"x": se})
    effects = error_effects([column], beta, _areas(x, se))
    assert [e.name for e in effects] == [error_name("x")]
    p = _predictor(effects, beta, x, cells)
    assert imputed_areas(p).tolist() == [True, True, True, False, False, False]
    found = Projector(p)
    values = found.block(np.arange(6)).values.astype(np.float64)
    assert_allclose(values[3:], (x[3:, None] * beta), atol=1e-5)
    variance = x**2 * beta.var() + (beta**2).mean() * se**2
    assert_allclose(values[:3].var(axis=1), variance[:3], rtol=6 * np.sqrt(2 / S))
    # one value, one error: the difference of the two is what it was
    assert_allclose(values[0], values[1], atol=1e-6)
    assert abs(np.corrcoef(values[1] - x[1] * beta[0], values[2] - x[2] * beta[0])[0, 1]) < 5 / np.sqrt(S)
    write_release(tmp_path, p, (summarise(p).standard,))
    again = read_release(tmp_path).predictor
    assert np.array_equal(Projector(again).block(np.arange(6)).values, found.block(np.arange(6)).values)


def test_columns_of_one_covariate_move_with_one_draw() -> None:
    x, se = np.array([1.0, 3.0]), np.array([0.2, 0.0])
    slopes = np.stack([np.full(S, 0.5), np.full(S, -0.25)])
    columns = [Column("x", x, x, None, {"x": se}), Column("I(2 * x)", 2 * x, 2 * x, None, {"x": 2 * se})]
    effects = error_effects(columns, slopes, _areas(x, se))
    p = _predictor(effects, np.zeros((1, S)), x, np.ones(1))
    # 0.5 x − 0.25 (2 x) is nothing, and so is its error
    assert_allclose(Projector(p).block(np.arange(2)).values, 0.0, atol=1e-6)


def test_areas_and_levels_are_flagged() -> None:
    x, se = np.linspace(0.0, 1.0, 6), np.array([0.1, 0.1, 0.1, 0.0, 0.0, 0.0])
    p = _predictor(error_effects([Column("x", x, x, None, {"x": se})], np.ones((1, 60)), _areas(x, se)),
                   np.random.default_rng(1).normal(1.0, 0.1, (1, 60)), x, np.ones(1))  # fmt: skip
    found = summarise(p)
    assert found.level("code")["flag"].str.contains("imputed").tolist() == [True] * 3 + [False] * 3
    # half of the second ward's people do: not most
    assert found.level("ward")["flag"].str.contains("imputed").tolist() == [True, False, False]
    reason = found.level("code")["flag_reason"].iloc[0]
    assert reason.lower().startswith("a fact about it was not published and has been filled in")
