from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose


def moments(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    mean = np.average(values, weights=weights)
    return mean, np.sqrt(np.average((values - mean) ** 2, weights=weights))


def test_area_columns_are_standardised_over_the_population_after_transformation(country):
    design = country.build("log(density)", standardise=True)
    (column,) = design.columns
    mean, sd = moments(np.log(country.areas.table["density"]), country.areas.population)
    assert_allclose([design.scalings[0].mean, design.scalings[0].sd], [mean, sd])
    assert design.scalings[0].over == "areas, weighted by population"
    assert_allclose(moments(column.area, country.areas.population), [0, 1], atol=1e-12)
    unweighted = replace(country, areas=replace(country.areas, population=None)).build("log(density)", standardise=True)
    assert_allclose(moments(unweighted.columns[0].area, np.ones(30)), [0, 1], atol=1e-12)
    assert unweighted.scalings[0].over == "areas"


def test_frame_columns_are_standardised_over_the_people(country):
    (column,) = country.build("years", standardise=True).columns
    people = np.bincount(country.frame.cell, country.frame.count)
    assert_allclose(moments(column.cell, people), [0, 1], atol=1e-12)


def test_reference_columns_and_plain_data_are_standardised_over_respondents(country):
    (column,) = country.at(wave=4.0).build("wave", standardise=True).columns
    assert_allclose(moments(column.values, np.ones(120)), [0, 1], atol=1e-12)
    wave = country.respondents["wave"]
    assert_allclose(column.cell, np.full(6, (4 - wave.mean()) / wave.std(ddof=0)))
    (column,) = country.plain().build("wave", standardise=True).columns
    assert_allclose(column.values, (wave - wave.mean()) / wave.std(ddof=0))
    assert column.area is column.cell is None


def test_interactions_multiply_standardised_parts_and_indicators_stay(country):
    design = country.build("deprivation*years + sex:density", standardise=True)
    by_name = {c.name: c for c in design.columns}
    product = by_name["deprivation:years"]
    assert_allclose(product.values, by_name["deprivation"].values * by_name["years"].values)
    assert_allclose(product.area, by_name["deprivation"].area)
    assert_allclose(product.cell, by_name["years"].cell)
    assert set(country.build("sex", standardise=True).columns[0].values) == {0.0, 1.0}


def test_first_category_is_left_out_in_declared_order(country):
    assert [c.name for c in country.build("age + kind").columns] == [
        "age[35-64]",
        "age[65+]",
        "kind[rural]",
        "kind[town]",
    ]
    turned = replace(country, orders={"age": ("65+", "35-64", "16-34"), "zone": ("3", "2", "1")})
    assert [c.name for c in turned.build("age + zone").columns] == ["age[35-64]", "age[16-34]", "zone[2]", "zone[1]"]


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("log(x)", np.r_[0.0, -1.0, np.ones(28) + np.arange(28)], "not a finite number for 2 of 30 areas"),
        ("logit(x)", np.r_[np.full(3, 100.0), np.linspace(0.1, 0.9, 27)], "not a finite number for 3 of 30 areas"),
        ("x", np.r_[np.full(4, np.nan), np.arange(26.0)], "'x' is missing for 4 of 30 areas"),
        ("log(x)", np.r_[np.full(4, np.nan), np.arange(26.0)], "'x' is missing for 4 of 30 areas"),
        ("x", np.r_[np.inf, -np.inf, np.arange(28.0)], "'x' is infinite for 2 of 30 areas"),
        ("poly(x, 3)", np.arange(30) % 3.0, "more than 3 different values, there are 3"),
        ("I(1 / x)", np.arange(30.0), "not a finite number for 1 of 30 areas"),
    ],
)
def test_numbers_that_are_none_are_counted(text: str, column: np.ndarray, words: str, country):
    (problem,) = country.with_area_column(x=column).refuse(text)
    assert words in problem.message
    assert problem.kind == "data"


def test_missing_answers_are_counted_never_shown(country):
    holes = country.with_answers(years=country.respondents["years"].where(np.arange(120) > 8))
    (problem,) = holes.refuse("years")
    assert "'years' is missing for fewer than 10 of 120 respondents" in problem.message
    blank = country.with_answers(sex=country.respondents["sex"].where(np.arange(120) > 8))
    for text in ("sex", "(1 | sex)"):
        (problem,) = blank.refuse(text)
        assert "'sex' is missing for fewer than 10 of 120 respondents" in problem.message


def test_units_that_differ_between_survey_and_frame_are_found(country):
    for years in (country.respondents["years"] / 100, country.respondents["years"] + 1900):
        (problem,) = country.with_answers(years=years).refuse("log(years)")
        assert "bring both to one unit" in problem.hint
        assert problem.kind == "data"


def test_text_where_a_number_is_needed(country):
    (problem,) = country.refuse("log(kind)")
    assert "'kind' is text" in problem.message
    spoilt = pd.Series([*(str(i) for i in range(29)), "n/a"], dtype="str")
    (problem,) = country.with_area_column(x=spoilt).refuse("x")
    assert "'n/a'" in problem.message
    assert "text in it" in problem.message


def test_one_function_holds_columns_of_one_place(country):
    (problem,) = country.refuse("I(density * years)")
    assert "the areas table and the frame" in problem.message
    assert "a : between" in problem.hint


def test_categories_must_agree(country):
    odd = country.with_answers(sex=country.respondents["sex"].where(np.arange(120) > 4, "unknown"))
    for text in ("sex", "(1 | sex)"):
        (problem,) = odd.refuse(text)
        assert "'unknown' for fewer than 10 respondents, which the frame lacks" in problem.message
        assert "'female', 'male'" in problem.hint
    far = country.areas.table["kind"].where(np.arange(30) % 3 != 2, "island")
    (problem,) = country.with_area_column(kind=far).refuse("kind")
    assert "no respondent has 'kind' 'island'" in problem.message
    assert "(1 | kind)" in problem.hint
    beyond = replace(country, orders={"age": ("16-34", "35-64")})
    (problem,) = beyond.refuse("age")
    assert "its declared order lacks" in problem.message


def test_too_many_categories_for_fixed_columns(country):
    many = type(country)(None, None, pd.DataFrame({"g": [f"g{i}" for i in range(200)]}), np.zeros(200, int), {}, {})
    (problem,) = many.refuse("g")
    assert "200 categories" in problem.message
    assert problem.hint == "write (1 | g)"
