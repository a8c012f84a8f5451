"""Groups of varying slopes: their columns, levels and names, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from placewise.errors import Problems
from placewise.models.build import build_design
from placewise.models.design import Design, Group
from placewise.models.formula import parse_formula


def by_name(design: Design) -> dict[str, Group]:
    return {group.name: group for group in design.groups}


def names(design: Design) -> list[str]:
    return [group.name for group in design.groups]


def test_a_slope_is_a_group_on_the_levels_of_its_intercept(country):
    design = country.build("deprivation + (deprivation | region)", standardise=True)
    assert names(design) == ["region", "code", "deprivation|region"]
    groups = by_name(design)
    slope, intercept = groups["deprivation|region"], groups["region"]
    assert (slope.role, slope.factor, slope.dim) == ("other", "region", "region")
    assert (slope.labels, slope.all_labels) == (intercept.labels, intercept.all_labels)
    np.testing.assert_array_equal(slope.index, intercept.index)
    np.testing.assert_array_equal(slope.lookup, intercept.lookup)
    (fixed,) = design.columns
    np.testing.assert_array_equal(slope.by.values, fixed.values)
    np.testing.assert_array_equal(slope.by.area, fixed.area)
    assert slope.by.cell is None
    assert design.correlated == ((0, 2),)
    weights = country.areas.weights
    assert np.average(slope.by.area, weights=weights) == pytest.approx(0.0, abs=1e-12)
    assert np.average(slope.by.area**2, weights=weights) == pytest.approx(1.0)


def test_a_slope_without_its_fixed_column_is_standardised_the_same(country):
    design = country.build("1 + (0 + log(density) | region)", standardise=True)
    assert names(design) == ["log(density)|region", "code"]
    assert design.correlated == ()
    assert [s.name for s in design.scalings] == ["log(density)"]
    both = country.build("log(density) + (0 + log(density) | region)", standardise=True)
    np.testing.assert_array_equal(by_name(design)["log(density)|region"].by.area, both.columns[0].area)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("log(density) + (density | region)", ["density"]),
        ("1 + (0 + deprivation | region)", ["deprivation"]),
        ("log(density) + (log(density) | region)", []),
        ("center(density) + (density || region)", []),
        ("poly(density, 2) + (density | region)", []),
        ("(1 | sex) + (0 + sex | region)", []),
    ],
)
def test_a_slope_that_varies_about_nought_is_told(text: str, told: list[str], country):
    for standardise in (True, False):
        notes = country.build(text, standardise=standardise).notes
        found = [note.partition(" but has no fixed slope")[0] for note in notes if "no fixed slope" in note]
        assert found == [f"{name} varies over region" for name in told]


def test_the_levels_stay_private(country):
    assert country.build("(0 + deprivation | district)").geography == ("district", "code")
    assert country.build("(deprivation | region/district)").geography == ("region", "district", "code")
    assert country.build("(deprivation | kind)").geography == ("code",)


def test_slopes_take_no_share_of_the_geography(country):
    design = country.build("(deprivation | district) + (years | code)")
    assert [(g.name, g.role) for g in design.groups] == [
        ("district", "geography"),
        ("code", "geography"),
        ("deprivation|district", "other"),
        ("years|code", "other"),
    ]
    assert design.correlated == ((0, 2), (1, 3))
    own, slope = design.groups[1], design.groups[3]
    assert slope.labels == own.labels
    assert slope.by.area is None
    np.testing.assert_array_equal(slope.by.cell, country.frame.cells["years"])


@pytest.mark.parametrize(
    "text",
    [
        "(1 | region/district) + (deprivation | district)",
        "(deprivation | district) + (1 | region/district)",
        "(deprivation | district) + (1 | district) + (1 | region/district/code)",
    ],
)
def test_the_intercept_of_a_grouping_is_one_group(text: str, country):
    design = country.build(text)
    assert sorted(names(design)) == sorted({*names(design)})
    assert set(names(design)) >= {"region", "code", "deprivation|district"}
    (block,) = design.correlated
    assert [design.groups[i].dim for i in block] == ["district", "district"]
    assert [design.groups[i].by is None for i in block] == [True, False]


def test_double_bars_leave_effects_uncorrelated(country):
    design = country.build("(deprivation || region) + (1 | district) + (0 + density | district)")
    assert names(design) == ["region", "deprivation|region", "district", "code", "density|district"]
    assert design.correlated == ()


def test_nested_slopes_vary_over_each_level(country):
    design = country.build("(years | region/district)")
    assert names(design) == ["region", "years|region", "district", "code", "years|district"]
    assert design.correlated == ((0, 1), (2, 4))


def test_categories_become_indicators(country):
    design = country.build("(age | region)")
    assert names(design) == ["region", "code", "age[35-64]|region", "age[65+]|region"]
    assert design.correlated == ((0, 2, 3),)
    for group in design.groups[2:]:
        category = group.name.partition("[")[2].partition("]")[0]
        np.testing.assert_array_equal(group.by.values, (country.respondents["age"] == category).astype(float))
        np.testing.assert_array_equal(group.by.cell, (country.frame.cells["age"] == category).astype(float))
    assert names(country.build("(0 + age | region)"))[:-1] == [f"age[{a}]|region" for a in ("16-34", "35-64", "65+")]


def test_products_have_a_factor_over_areas_and_one_over_cells(country):
    group = by_name(country.build("(deprivation:sex | region)"))["deprivation:sex[female]|region"]
    np.testing.assert_array_equal(group.by.area, country.areas.table["deprivation"])
    np.testing.assert_array_equal(group.by.cell, (country.frame.cells["sex"] == "female").astype(float))
    np.testing.assert_array_equal(
        group.by.values,
        country.areas.table["deprivation"].to_numpy()[country.area] * (country.respondents["sex"] == "female"),
    )


def test_poly_makes_one_slope_a_degree(country):
    assert names(country.build("(0 + poly(years, 2) | region)"))[:-1] == [
        "poly(years, 2)[1]|region",
        "poly(years, 2)[2]|region",
    ]


def test_slopes_of_plain_data_are_not_projected(country):
    design = country.plain().build("wave + (wave | sex)", standardise=True)
    assert names(design) == ["sex", "wave|sex"]
    assert design.correlated == ((0, 1),)
    assert design.groups[1].lookup is None
    assert design.groups[1].by.values.std() == pytest.approx(1.0)


def test_reference_values_project_a_slope_at_one_point(country):
    design = country.at(wave=3.0).build("(wave | region)")
    group = by_name(design)["wave|region"]
    np.testing.assert_array_equal(group.by.cell, np.full(6, 3.0))


def test_columns_that_say_nothing_new_are_left_out(country):
    flat = country.with_area_column(flat=1.5, twice=2 * country.areas.table["deprivation"])
    design = flat.build("(deprivation + flat + twice | region)")
    assert names(design) == ["region", "code", "deprivation|region"]
    assert len(design.dropped) == 2
    assert all(sentence.startswith("In (1 + deprivation + flat + twice | region), ") for sentence in design.dropped)
    one = country.with_area_column(nation="England").build("(deprivation | nation)")
    assert names(one) == ["code"]
    assert one.dropped == ("(1 + deprivation | nation) was left out: it has one level only, 'England'.",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(deprivatoin | region)", "'deprivatoin' is not in the areas table"),
        ("(mode | region)", "no area can be projected"),
        ("(deprivation | region) + (0 + deprivation | region)", "varies over region twice"),
        ("(deprivation | region) + (density | region)", "two brackets"),
        ("(deprivation | twin)", "divides the areas as district does"),
        ("(years | region:district)", "divides the areas as district does (write (1 + years | district))"),
        ("(0 + deprivation | chain)", "called 'chain'"),
        ("(deprivation | district) + (1 | district_term)", "called 'district_term'"),
        ("(I(density / deprivation) | region)", "called 'I(density / deprivation)|region'"),
        ("(log(kind) | region)", "needs numbers"),
        ("(poly(deprivation, 8) + years | region) + (poly(density, 3) + age | region)", "two brackets"),
        ("(poly(deprivation, 8) + age | region)", "correlates 11 effects, at most 10"),
    ],
)
def test_what_cannot_vary_is_refused(text: str, words: str, country):
    table = country.areas.table
    odd = country.with_area_column(
        twin=table["district"] + "x",
        chain=pd.Series(np.arange(30) % 7, dtype="str"),
        district_term=pd.Series(np.arange(30) % 4, dtype="str"),
    )
    if "twin" in text or "region:district" in text:
        text = f"(1 | district) + {text}"
    problems = odd.refuse(text)
    assert any(words in str(problem) for problem in problems), [str(p) for p in problems]
    assert len(problems) == 1


def test_missing_values_of_a_slopes_column_are_told_once(country):
    gaps = country.areas.table["deprivation"].where(np.arange(30) > 2)
    (problem,) = country.with_area_column(deprivation=gaps).refuse("deprivation + (deprivation | region)")
    assert "missing" in problem.message


def test_a_reference_that_only_a_slope_uses_is_used(country):
    assert replace(country, reference={"wave": 2.0}).build("(0 + wave | region)").groups


def test_slopes_stand_on_all_levels_of_a_grouping_with_a_structure(country):
    few = country.respondents["age"].ne("35-64").to_numpy()
    problems = Problems()
    design = build_design(
        parse_formula("(deprivation || age)", "model.formula", problems),
        respondents=country.respondents[few].reset_index(drop=True), area=country.area[few], areas=country.areas,
        frame=replace(country.frame, count=np.where(country.frame.cell // 2 == 1, 1e-3, country.frame.count)),
        reference={}, orders=country.orders, standardise=True, cumulative=False, problems=problems,
        structure={"age": "rw1"},
    )  # fmt: skip
    problems.raise_if_any()
    intercept, slope = (by_name(design)[name] for name in ("age", "deprivation|age"))
    assert intercept.structure.kind == "rw1"
    assert slope.structure is None
    assert slope.labels == intercept.labels == ("16-34", "35-64", "65+")
    np.testing.assert_array_equal(slope.index, intercept.index)
    np.testing.assert_array_equal(slope.lookup, intercept.lookup)
