from __future__ import annotations

import builtins
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

TEXT = "deprivation + log(density):sex + kind + (1 | age) + (1 | kind:age) + (1 | region/district)"


def test_every_problem_is_told_at_once(country):
    broken = country.with_area_column(holes=np.r_[np.nan, np.ones(29)]).at(nobody="x")
    problems = broken.refuse("nowhere + holes + log(kind) + mode + I(density * years) + (1 | interviewer) + (1 | age)")
    assert len(problems) == 7
    assert {p.where for p in problems} == {"model.formula"}


def test_intercept_and_count(country):
    design = country.build("sex")
    assert design.intercept
    assert design.n == 120
    assert design.matrix.shape == (120, 1)
    assert country.build("1").matrix.shape == (120, 0)
    assert not country.build("0 + sex").intercept


def test_a_design_never_reaches_an_evaluator(country, monkeypatch: pytest.MonkeyPatch):
    country.build(TEXT)

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("an evaluator was reached")

    monkeypatch.setattr(builtins, "eval", forbidden)
    monkeypatch.setattr(builtins, "exec", forbidden)
    monkeypatch.setattr(pd, "eval", forbidden)
    monkeypatch.setattr(pd.DataFrame, "eval", forbidden)
    country.build(f"{TEXT} + I(density ** 2)")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False))
def test_respondents_in_another_order_give_the_same_rows(country, random):
    order = np.array(random.sample(range(120), 120))
    turned = replace(
        country, respondents=country.respondents.iloc[order].reset_index(drop=True), area=country.area[order]
    )
    before, after = country.build(TEXT, standardise=True), turned.build(TEXT, standardise=True)
    assert_allclose(after.matrix, before.matrix[order], rtol=0, atol=1e-12)
    for a, b in zip(after.groups, before.groups, strict=True):
        assert a.all_labels == b.all_labels
        assert_array_equal(a.index, b.index[order])
        assert_array_equal(a.lookup, b.lookup)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False))
def test_areas_in_another_order_give_the_same_factors(country, random):
    order = np.array(random.sample(range(30), 30))
    areas = replace(
        country.areas,
        table=country.areas.table.iloc[order].reset_index(drop=True),
        population=country.areas.population[order],
    )
    frame = replace(country.frame, count=country.frame.count.reshape(30, 6)[order].ravel())
    turned = replace(country, areas=areas, frame=frame, area=np.argsort(order)[country.area])
    before, after = country.build(TEXT, standardise=True), turned.build(TEXT, standardise=True)
    assert_allclose(after.matrix, before.matrix, rtol=0, atol=1e-12)
    for a, b in zip(after.columns, before.columns, strict=True):
        assert (a.name, a.area is None, a.cell is None) == (b.name, b.area is None, b.cell is None)
        if a.area is not None and b.area is not None:
            assert_allclose(a.area, b.area[order], atol=1e-12)
    for a, b in zip(after.groups, before.groups, strict=True):
        assert (a.name, set(a.labels)) == (b.name, set(b.labels))
        assert [a.labels[i] for i in a.index] == [b.labels[i] for i in b.index]
        if a.area_index is not None:
            labels_a = np.array(a.all_labels, dtype=object)[a.lookup[a.area_index]]
            labels_b = np.array(b.all_labels, dtype=object)[b.lookup[b.area_index]]
            assert_array_equal(labels_a, labels_b[order])


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(1e-6, 1e6), st.floats(-1e3, 1e3))
def test_units_of_a_covariate_do_not_matter_once_standardised(country, scale: float, shift: float):
    other = country.with_area_column(deprivation=country.areas.table["deprivation"] * scale + shift)
    assert_allclose(
        other.build("deprivation", standardise=True).matrix,
        country.build("deprivation", standardise=True).matrix,
        rtol=1e-4,
        atol=1e-4,
    )
