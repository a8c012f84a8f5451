"""Frames raked from margins in files."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from placewise.errors import Problems
from placewise.frame.raking import read_raked_frame, variables_of
from placewise.frame.report import RakingReport
from placewise.frame.spec import RakedFrameSpec

from .conftest import NAMES, Country, written_out


def specs(country: Country, *margins: tuple[str, ...], by: tuple[str, ...] | None = None) -> RakedFrameSpec:
    return RakedFrameSpec(tuple(country.margin(*m) for m in margins), None if by is None else country.seed(*by))


def noisy(country: Country, names: tuple[str, ...], rng: np.random.Generator) -> pd.DataFrame:
    table = country.long(names)
    table["n"] = (table["n"] + rng.integers(-3, 4, len(table))).clip(lower=0)
    return table


ONE_BY_ONE = (("sex",), ("age",), ("tenure",))


def test_without_a_seed_margins_are_independent(country: Country) -> None:
    frame = country.read(specs(country, *ONE_BY_ONE))
    total = country.true.sum(axis=(1, 2, 3))
    sex, age, tenure = (country.true.sum(axis=axes) for axes in ((2, 3), (1, 3), (1, 2)))
    expected = np.einsum("as,ag,at,a->asgt", sex, age, tenure, total**-2.0)
    assert written_out(frame) == pytest.approx(expected, rel=1e-9)
    assert frame.report is not None
    assert not frame.report.seeded
    assert "without a seed" in frame.notes[0]


def test_margins_are_met_and_the_seed_brings_cells_nearer_to_the_truth(country: Country) -> None:
    frame = country.read(specs(country, *ONE_BY_ONE, by=("kind", "region")))
    table = written_out(frame)
    for axes in ((2, 3), (1, 3), (1, 2)):
        assert table.sum(axis=axes) == pytest.approx(country.true.sum(axis=axes), rel=1e-8, abs=1e-12)
    independent = written_out(country.read(specs(country, *ONE_BY_ONE)))
    assert np.abs(table - country.true).sum() < 0.8 * np.abs(independent - country.true).sum()
    assert frame.report is not None
    assert frame.report.error < 1e-8
    assert (frame.report.areas, frame.report.cells) == (60, 18)


def test_a_margin_of_two_variables(country: Country) -> None:
    frame = country.read(specs(country, ("sex", "age"), ("tenure",), by=("kind",)))
    assert written_out(frame).sum(axis=3) == pytest.approx(country.true.sum(axis=3), rel=1e-8, abs=1e-12)


def test_the_seed_of_the_areas_themselves_gives_them_back(country: Country) -> None:
    """A table of each area's own people has their margins already, save for what is shrunk to the country."""
    table = written_out(country.read(specs(country, *ONE_BY_ONE, by=("oa",))))
    assert np.abs(table - country.true).sum() < 0.12 * country.true.sum()


def test_cells_are_summed_over_what_no_formula_uses(country: Country) -> None:
    spec = specs(country, *ONE_BY_ONE, by=("kind",))
    full = written_out(country.read(spec))
    frame = country.read(spec, {"age", "sex", "elsewhere"})
    assert frame.cells.columns.tolist() == ["sex", "age"]
    kept = np.zeros((60, 6))
    kept[np.repeat(np.arange(60), np.diff(frame.indptr)), frame.cell] = frame.count
    assert kept == pytest.approx(full.sum(axis=3).reshape(60, 6), rel=1e-12)
    assert country.read(spec, set()).n_cells == 1


def test_a_variable_of_the_seed_alone_comes_from_the_seed(country: Country) -> None:
    spec = specs(country, ("sex",), ("age",), by=("kind",))
    assert variables_of(spec) == {"sex", "age", "tenure", "kind", "n"}
    frame = country.read(spec, {*NAMES})
    table = written_out(frame)
    assert table.sum(axis=(2, 3)) == pytest.approx(country.true.sum(axis=(2, 3)), rel=1e-8)
    city = (country.table["kind"] == "city").to_numpy()
    tenure = country.true[city].sum(axis=(0, 1, 2))
    assert table[city].sum(axis=(0, 1, 2)) / table[city].sum() == pytest.approx(tenure / tenure.sum(), abs=0.02)
    assert country.read(spec).cells.columns.tolist() == ["sex", "age"]


def test_columns_of_the_areas_are_no_variables_of_the_seed(country: Country) -> None:
    spec = RakedFrameSpec((country.margin("sex"),), country.seed("kind", "region"))
    by_kind = RakedFrameSpec(spec.margins, replace(country.seed("kind", "region"), by=("kind",)))
    assert country.read(by_kind, {"sex", "region"}).cells.columns.tolist() == ["sex"]


def test_more_cells_than_can_be_raked(country: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("placewise.frame.seed.MOST_CELLS", 17)
    for by in (None, ("kind",)):
        (fault,) = country.faults(specs(country, *ONE_BY_ONE, by=by))
        assert "the variables make 18 cells, at most 17 can be raked" in fault


def test_all_margins_are_scaled_to_the_population(country: Country) -> None:
    people = np.linspace(50, 400, 60)
    frame = country.read(specs(country, *ONE_BY_ONE, by=("kind",)), population=people)
    assert frame.population() == pytest.approx(people, rel=1e-12)
    share = country.true.sum(axis=(1, 2)) / country.true.sum(axis=(1, 2, 3))[:, None]
    assert written_out(frame).sum(axis=(1, 2)) / people[:, None] == pytest.approx(share, rel=1e-8)
    assert frame.report is not None
    gap = np.abs(country.true.sum(axis=(1, 2, 3)) / people - 1)
    assert frame.report.margins[0].largest == pytest.approx(gap.max())
    assert frame.report.margins[0].area == country.table["oa"][gap.argmax()]


def test_noise_of_three_a_cell_is_harmonised(country: Country) -> None:
    rng = np.random.default_rng(3)
    margins, counts = [], {}
    for names in ONE_BY_ONE:
        table = noisy(country, names, rng)
        margins.append(country.margin(*names, table=table))
        counts[names] = table["n"].to_numpy().reshape(60, -1)
    frame = country.read(RakedFrameSpec(tuple(margins), country.seed("kind", "region")))
    table = written_out(frame)
    people = counts[("sex",)].sum(axis=1)
    assert frame.population() == pytest.approx(people, rel=1e-12)
    for names, axes in zip(ONE_BY_ONE, ((2, 3), (1, 3), (1, 2)), strict=True):
        scaled = counts[names] * (people / counts[names].sum(axis=1))[:, None]
        assert table.sum(axis=axes) == pytest.approx(scaled, rel=1e-6)
    assert "the largest discrepancy" in frame.notes[1]


def test_overlapping_margins_agree_with_the_first(country: Country) -> None:
    joint = noisy(country, ("age", "tenure"), np.random.default_rng(4))
    margins = (country.margin("age"), country.margin("sex"), country.margin("age", "tenure", table=joint))
    frame = country.read(RakedFrameSpec(margins, country.seed("kind")))
    table = written_out(frame)
    assert table.sum(axis=(1, 3)) == pytest.approx(country.true.sum(axis=(1, 3)), rel=1e-8)
    assert np.abs(table.sum(axis=1) - country.true.sum(axis=1)).max() < 8
    assert frame.report is not None
    assert 0 < frame.report.margins[2].adjusted < 8
    assert frame.report.reconciled == 0
    assert any(note.startswith("age × tenure was made to agree") for note in frame.notes)


def test_a_joint_margin_agrees_with_each_of_its_variables(country: Country) -> None:
    rng = np.random.default_rng(9)
    joint = country.margin("age", "tenure", table=noisy(country, ("age", "tenure"), rng))
    frame = country.read(RakedFrameSpec((country.margin("age"), country.margin("tenure"), joint), country.seed("kind")))
    table = written_out(frame, ("age", "tenure"))
    true = country.true.sum(axis=1)
    assert table.sum(axis=2) == pytest.approx(true.sum(axis=2), rel=1e-8)
    assert table.sum(axis=1) == pytest.approx(true.sum(axis=1), rel=1e-8)
    alone = written_out(country.read(specs(country, ("age",), ("tenure",))), ("age", "tenure"))
    assert np.abs(table - true).sum() < 0.5 * np.abs(alone - true).sum()


@pytest.mark.parametrize("noise", [False, True])
def test_margins_that_overlap_in_a_ring(country: Country, noise: bool) -> None:
    rng = np.random.default_rng(10)
    ring = (("sex", "age"), ("age", "tenure"), ("sex", "tenure"))
    margins = tuple(country.margin(*m, table=noisy(country, m, rng) if noise else None) for m in ring)
    frame = country.read(RakedFrameSpec(margins, country.seed("kind", "region")))
    table = written_out(frame)
    assert frame.report is not None
    assert frame.report.error < 1e-8
    assert frame.report.reconciled <= 3 * noise
    if not noise:
        for axis in (1, 2, 3):
            assert table.sum(axis=axis) == pytest.approx(country.true.sum(axis=axis), rel=1e-7, abs=1e-7)
    assert np.abs(table - country.true).sum() < 0.25 * country.true.sum()


def test_the_order_of_margins_and_areas_decides_nothing(country: Country) -> None:
    people = country.true.sum(axis=(1, 2, 3)) * 1.1
    spec = specs(country, *ONE_BY_ONE, by=("kind", "region"))
    base = written_out(country.read(spec, population=people))
    for order in itertools.permutations(spec.margins):
        turned = country.read(RakedFrameSpec(order, spec.seed), population=people)
        assert written_out(turned) == pytest.approx(base, rel=1e-8, abs=1e-10)
    rows = np.random.default_rng(2).permutation(60)
    other = Country(country.folder, country.table.iloc[rows].reset_index(drop=True), country.true)
    assert (written_out(other.read(spec, population=people[rows])) == base[rows]).all()


def test_structural_zeros_are_respected_and_counted(country: Country) -> None:
    country.true[:, 1, 2, 1] = 0
    frame = country.read(specs(country, *ONE_BY_ONE, by=("kind",)))
    assert (written_out(frame)[:, 1, 2, 1] == 0).all()
    assert frame.n_cells == 17
    assert frame.report is not None
    assert frame.report.structural_zeros == 1


def test_margins_tied_by_empty_cells_are_reconciled_within_noise(country: Country) -> None:
    """All who are young rent privately: the two tables may differ by their noise, and by no more."""
    country.true[:, :, 0, :] = 0
    country.true[:, :, 0, 1] = 10
    country.true[:, :, 1:, 1] = 0
    tenure = country.long(("tenure",))
    mine = (tenure["oa"] == country.table["oa"][7]) & (tenure["tenure"] == "private")
    tenure.loc[mine, "n"] -= 4
    margins = (country.margin("sex"), country.margin("age"), country.margin("tenure", table=tenure))
    frame = country.read(RakedFrameSpec(margins, country.seed("kind")))
    assert frame.report is not None
    assert frame.report.reconciled == 1
    assert 1 < frame.report.moved < 3
    assert any("in 1 areas no table has all margins" in note for note in frame.notes)
    assert frame.population() == pytest.approx(country.true.sum(axis=(1, 2, 3)), rel=1e-9)
    tenure.loc[mine, "n"] = 0
    tenure.loc[(tenure["oa"] == country.table["oa"][7]) & (tenure["tenure"] == "own"), "n"] += 60
    margins = (*margins[:2], country.margin("tenure", table=tenure))
    (fault,) = country.faults(RakedFrameSpec(margins, country.seed("kind")))
    assert f"raking does not converge in 1 of 60 areas: '{country.table['oa'][7]}'" in fault
    assert "'16-34'" in fault or "'private'" in fault


def test_a_table_that_counts_nobody_somewhere_is_silent_there(country: Country) -> None:
    tenure = country.long(("tenure",))
    tenure.loc[tenure["oa"] == country.table["oa"][0], "n"] = 0
    margins = (country.margin("sex"), country.margin("age"), country.margin("tenure", table=tenure))
    frame = country.read(RakedFrameSpec(margins, country.seed("kind")))
    table = written_out(frame)
    assert table[0].sum(axis=(1, 2)) == pytest.approx(country.true[0].sum(axis=(1, 2)), rel=1e-8)
    assert table[0].sum(axis=(0, 1)).min() > 0
    assert any("the table of tenure counts nobody in 1 areas" in note for note in frame.notes)
    (fault,) = country.faults(RakedFrameSpec(margins[::-1], None))
    assert "1 of 60 areas have nobody in the first margin" in fault
    people = country.true.sum(axis=(1, 2, 3))
    (fault,) = country.faults(RakedFrameSpec(margins[2:], None), population=people)
    assert f"1 of 60 areas have nobody in any margin: '{country.table['oa'][0]}'" in fault


def test_the_report_is_json_and_back(country: Country) -> None:
    report = country.read(specs(country, *ONE_BY_ONE, by=("kind",))).report
    assert report is not None
    assert RakingReport.from_dict(json.loads(json.dumps(report.as_dict(), allow_nan=False))) == report


def test_areas_that_could_not_be_read_leave_the_tables_to_be_checked(country: Country) -> None:
    table = country.long(("sex",)).assign(n=-1)
    problems = Problems()
    spec = RakedFrameSpec((country.margin("sex", table=table),))
    assert read_raked_frame(spec, None, "oa", None, problems) is None
    assert "'n' is negative in 120 rows" in "".join(map(str, problems))


def test_numbers_stay_numbers(country: Country) -> None:
    table = country.long(("age",))
    table["age"] = table["age"].map({"16-34": 2, "35-64": 10, "65+": 9})
    frame = country.read(RakedFrameSpec((country.margin("age", table=table),)))
    assert frame.cells["age"].tolist() == [2.0, 9.0, 10.0]
    pd.testing.assert_index_equal(frame.cells.columns, pd.Index(["age"]))
