import dataclasses

import pandas as pd
import pytest

from placewise.errors import Problems
from placewise.opendata.spec import Control
from placewise.opendata.verify import verify_table


def _told(table, source):
    problems = Problems()
    verify_table(table, source, "f.zip", problems)
    return [str(p) for p in problems]


@pytest.fixture
def source(catalogue):
    return dataclasses.replace(catalogue.sources["ts008"], areas=2, control=Control("total", 12, 0.01))


@pytest.fixture
def table():
    columns = {"total": [5.0, 7.0], "female": [2.0, 3.0], "male": [3.0, 4.0]}
    return pd.DataFrame(columns, pd.Index(["E00000001", "E00000002"], name="oa21cd"))


def test_a_right_table_passes(table, source):
    assert _told(table, source) == []


def test_missing_areas_are_told_with_both_numbers(table, source):
    assert "1 areas, expected 2" in _told(table.iloc[:1], source)[0]


def test_cells_that_do_not_add_up_name_the_areas(table, source):
    said = _told(table.assign(male=[3.0, 5.0]), source)
    assert len(said) == 1
    assert "female, male do not add up to the total in 1 of 2 areas: 'E00000002'" in said[0]


@pytest.mark.parametrize(("total", "wrong"), [(12.11, False), (12.13, True), (11.89, False), (11.87, True)])
def test_the_published_total_has_a_tolerance(table, source, total, wrong):
    known = dataclasses.replace(source, control=Control("total", total, 0.01))
    assert bool(_told(table, known)) is (abs(total - 12) > 0.01 * total)
    assert wrong is bool(_told(table, known))


def test_missing_negative_and_infinite_values_are_told(table, source):
    assert "'female' is missing for 1 areas: 'E00000001'" in _told(table.assign(female=[None, 3.0]), source)[0]
    assert "below 0 in 1 areas" in _told(table.assign(female=[-1.0, 3.0], male=[6.0, 4.0]), source)[0]
    assert "not finite" in _told(table.assign(female=[float("inf"), 3.0]), source)[0]
