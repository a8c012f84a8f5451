"""The real tables of England and Wales: sums against other tables of the census, covariates against others' figures."""

import numpy as np
import pandas as pd
import pytest

from placewise.errors import Problems
from placewise.opendata.build import build_areas, used_sources
from placewise.opendata.outlines import read_outlines, touching
from placewise.opendata.reading import locate, read_source
from placewise.opendata.verify import verify_table

# what the authors of the census audits called the covariate of the same counts
AUDIT = {
    "own_outright": "own_outright",
    "mortgage": "mortgage",
    "social_rent": "social_rent",
    "no_car": "nocar",
    "two_cars": "car2",
    "no_qualifications": "noqual",
    "degree": "degree",
    "apprenticeship": "apprent",
    "managerial": "managerial",
    "routine": "routine",
    "student": "student",
    "never_worked": "neverwork",
    "not_deprived": "notdep",
}


@pytest.fixture(scope="module")
def folder(shared):
    return shared / "england_wales"


def _read(catalogue, folder, name):
    problems = Problems()
    source = catalogue.sources[name]
    located = locate(folder, source)
    table = read_source(located, source, problems)
    verify_table(table, source, located.path.name, problems)
    assert list(problems) == []
    return table


def _by_msoa(catalogue, folder, name):
    msoas = _read(catalogue, folder, "oa21_lookup")["msoa21cd"]
    table = _read(catalogue, folder, name)
    return table.groupby(msoas.reindex(table.index).to_numpy()).sum()


@pytest.fixture(scope="module")
def single_years(folder):
    table = pd.read_parquet(folder / "census2021_msoa" / "msoa21_single_year_age.parquet")
    return table.set_index("msoa21cd").drop(columns="msoa21nm").astype(float)


def test_residents_of_output_areas_add_up_to_those_of_msoas(catalogue, folder, single_years):
    found = _by_msoa(catalogue, folder, "ts001")["total"]
    expected = single_years["total"].reindex(found.index)
    assert len(found) == 7264
    # each output area carries noise of a few persons: an MSOA has 26 of them
    assert np.abs(found - expected).max() <= 60
    assert np.abs(found - expected).mean() <= 10
    assert abs(found.sum() - 59_597_542) <= 0.00001 * 59_597_542


def test_ages_of_output_areas_add_up_to_those_of_msoas(catalogue, folder, single_years):
    found = _by_msoa(catalogue, folder, "ts007a")
    for name, years in {"age_25_34": range(25, 35), "age_50_64": range(50, 65), "age_65_plus": range(65, 101)}.items():
        expected = single_years[[f"a{k}" for k in years]].sum(axis=1).reindex(found.index)
        assert found[name].sum() == pytest.approx(expected.sum(), rel=0.001), name
        assert np.corrcoef(found[name], expected)[0, 1] > 0.999, name


def test_sex_and_ethnic_group_add_up_to_the_joint_table_of_msoas(catalogue, folder):
    joint = pd.read_parquet(folder / "census2021_msoa" / "msoa21_sex_ethnic5_age13.parquet")
    joint["total"] = joint["total"].astype(float)
    sex = _by_msoa(catalogue, folder, "ts008")
    women = joint[joint["sex"].astype(str).str.lower().str.startswith("f")].groupby("msoa21cd")["total"].sum()
    assert np.abs(sex["female"] - women.reindex(sex.index)).mean() <= 0.01 * sex["female"].mean()
    ethnic = _by_msoa(catalogue, folder, "ts021")
    for group in ("asian", "black", "mixed"):
        there = (
            joint[joint["ethnicity"].astype(str).str.lower().str.startswith(group)].groupby("msoa21cd")["total"].sum()
        )
        assert ethnic[group].sum() == pytest.approx(there.sum(), rel=0.005), group


def test_outlines_touch_where_neighbours_are_published(catalogue, folder):
    for name, table, share in (
        ("lad22_outlines", "adjacency_ltla21_ew", 0.99),
        ("msoa21_outlines", "adjacency_msoa21_ew", 0.999),
    ):
        source = catalogue.sources[name]
        found = touching(read_outlines(locate(folder, source), source, Problems()))
        expected = pd.read_parquet(folder / "boundaries" / f"{table}.parquet")
        ours = set(found.itertuples(index=False, name=None))
        theirs = {tuple(sorted(pair)) for pair in expected.itertuples(index=False, name=None)}
        assert len(ours & theirs) >= share * max(len(ours), len(theirs)), name


def test_headings_and_codes_of_the_census_are_those_of_its_dictionary(catalogue, folder):
    dictionary = pd.read_csv(folder / "census2021_oa" / "DICTIONARY.csv").set_index("column")
    seen = 0
    for source in catalogue.sources.values():
        published, parquet = source.layouts
        for column, codes in parquet.columns.items():
            # tables that were recovered from percentages have columns of their own
            if not published.member or not codes[0].startswith(source.name):
                continue
            (heading,), (code,) = published.columns[column], codes
            assert dictionary.loc[code, "variable"].removeprefix(f"{source.topic}: ") == heading
            assert dictionary.loc[code, "table_name"] == source.topic
            seen += 1
    assert seen == 83


@pytest.mark.parametrize("name", ["ts002", "ts011", "ts054", "ts067", "ts021", "ts066"])
def test_sums_over_all_areas_are_those_of_the_dictionary(catalogue, folder, name):
    source = catalogue.sources[name]
    dictionary = pd.read_csv(folder / "census2021_oa" / "DICTIONARY.csv")
    file = source.layouts[1].file.removeprefix("census2021_oa/").removesuffix(".parquet")
    sums = dictionary[dictionary["file"] == file].set_index("column")["sum_ew"]
    found = _read(catalogue, folder, name).sum()
    expected = {column: sums[codes[0]] for column, codes in source.layouts[1].columns.items()}
    assert found.to_dict() == expected


@pytest.mark.slow
def test_the_whole_table(catalogue, folder, shared):
    tables = {name: _read(catalogue, folder, name) for name in used_sources(catalogue)}
    areas = build_areas(catalogue, tables)
    frame = areas.frame
    assert len(frame) == 188_880
    assert frame[["lsoa21cd", "msoa21cd", "lad22cd", "rgn24cd"]].nunique().tolist() == [35_672, 7_264, 331, 10]
    assert frame["adults"].sum() == 48_566_557
    assert frame["area_km2"].sum() == pytest.approx(151_047, rel=0.001)
    assert set(areas.imputations) == {"area_km2", "density", "iod2025"}
    assert areas.imputations["density"].areas == 1
    assert areas.imputations["iod2025"].areas == (frame["ctry"] == "W").sum() == 10_275
    assert areas.imputations["iod2025"].r_squared > 0.85
    # what is predicted for Wales is held against Wales's own index, which took no part in it
    wales = frame[frame["ctry"] == "W"].drop_duplicates("lsoa21cd")
    assert wales[["iod2025", "wimd2019"]].corr(method="spearman").iloc[0, 1] > 0.9
    complete = [c.name for c in areas.covariates if not c.name.startswith(("iod2025_", "wimd"))]
    assert np.isfinite(frame[complete].to_numpy()).all()
    audit = pd.read_parquet(shared / "census_audit" / "covariates.parquet").set_index("OA").reindex(frame["oa21cd"])
    for ours, theirs in AUDIT.items():
        np.testing.assert_allclose(frame[ours], audit[theirs], atol=1e-6, err_msg=ours)
    # theirs leaves out those who came from a student's address
    moved = tables["ts019"].reindex(frame["oa21cd"])
    students = (moved["student"] / moved["total"]).to_numpy()
    np.testing.assert_allclose(frame["moved"] - students, audit["moved"], atol=1e-6)
    lookup = pd.read_parquet(folder / "lookups" / "oa21_lookup.parquet").set_index("oa21cd").reindex(frame["oa21cd"])
    for column in ("lsoa21cd", "msoa21cd", "lad22cd", "rgn24cd", "rgn24nm", "ctry", "oac21_group", "lsoa21nm"):
        assert (frame[column].to_numpy() == lookup[column].astype(str).to_numpy()).all(), column
