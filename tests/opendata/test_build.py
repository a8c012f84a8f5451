import dataclasses

import numpy as np
import pandas as pd
import pytest

from placewise.errors import DataError
from placewise.opendata.build import build_areas, needed_sources, used_sources


@pytest.fixture
def tables(country):
    return {name: table.copy() for name, table in country.tables.items()}


@pytest.fixture(scope="module")
def areas(country, catalogue):
    return build_areas(catalogue, country.tables)


def _refused(catalogue, tables):
    with pytest.raises(DataError) as raised:
        build_areas(catalogue, tables)
    return str(raised.value)


def test_one_row_an_area_in_the_order_of_the_codes(areas, country):
    frame = areas.frame
    assert frame["oa21cd"].tolist() == sorted(country.areas)
    assert (
        not frame.drop(columns=["iod2025_crime", "iod2025_services", "iod2025_environment", "wimd2019"])
        .isna()
        .any()
        .any()
    )
    assert list(frame.columns[:9]) == [
        "oa21cd", "lsoa21cd", "lsoa21nm", "msoa21cd", "msoa21nm", "lad22cd", "lad22nm", "rgn24cd", "rgn24nm",
    ]  # fmt: skip
    assert set(frame.loc[frame["ctry"] == "W", "rgn24nm"]) == {"Wales"}
    assert set(frame.loc[frame["lad22cd"] == "E06000003", "rgn24nm"]) == {"South"}
    assert frame.loc[frame["lad22cd"] == "E06000003", "lad22nm"].unique().tolist() == ["Town of E06000003"]


def test_every_covariate_is_its_formula(areas, country, catalogue):
    t = country.tables
    frame = areas.frame.set_index("oa21cd")
    by_hand = {
        "no_car": t["ts045"]["none"] / t["ts045"]["total"],
        "two_cars": (t["ts045"]["two"] + t["ts045"]["three_or_more"]) / t["ts045"]["total"],
        "deprivation": (
            t["ts011"] @ pd.Series({"total": 0, "none": 0, "one": 1, "two": 2, "three": 3, "four": 4})[list(t["ts011"])]
        )
        / t["ts011"]["total"],
        "own_outright": t["ts054"]["outright"] / t["ts054"]["total"],
        "employed": t["ts066"]["employed"] / t["ts066"]["total"],
        "density": t["ts006"]["density"],
        "area_km2": t["ts001"]["total"] / t["ts006"]["density"],
    }
    for name, expected in by_hand.items():
        np.testing.assert_allclose(frame[name], expected.loc[frame.index], rtol=1e-14, err_msg=name)
    assert frame["adults"].dtype == np.int64
    assert frame["adults"].sum() == t["ts002"]["total"].sum()
    shares = [c.name for c in catalogue.covariates.values() if c.kind == "share"]
    assert frame[shares].min().min() >= 0
    assert frame[shares].max().max() <= 1


def test_a_lsoas_score_goes_to_its_areas_of_its_own_country_only(areas, country):
    frame = areas.frame
    english = frame["ctry"] == "E"
    scores = country.tables["iod2025"]["crime"]
    np.testing.assert_array_equal(frame.loc[english, "iod2025_crime"], scores[frame.loc[english, "lsoa21cd"]])
    assert frame.loc[~english, "iod2025_crime"].isna().all()
    assert frame.loc[english, "wimd2019"].isna().all()
    assert frame.loc[~english, "wimd2019"].notna().all()


def test_only_what_was_filled_in_is_marked(areas):
    frame = areas.frame
    assert set(frame.loc[frame["ctry"] == "E", "imputed"]) == {""}
    assert set(frame.loc[frame["ctry"] == "W", "imputed"]) == {"iod2025"}
    assert (frame.loc[frame["ctry"] == "E", "iod2025_se"] == 0).all()
    assert (frame.loc[frame["ctry"] == "W", "iod2025_se"] > 0).all()
    assert areas.imputations["iod2025"].areas == (frame["ctry"] == "W").sum()
    assert areas.imputations["iod2025"].fitted == 144


def test_the_order_of_rows_does_not_matter(catalogue, country, areas):
    mixed = {n: t.sample(frac=1, random_state=3) for n, t in country.tables.items()}
    pd.testing.assert_frame_equal(build_areas(catalogue, mixed).frame, areas.frame, rtol=1e-9)


def test_an_optional_source_may_be_absent(catalogue, tables, areas):
    del tables["wimd2019"]
    found = build_areas(catalogue, tables)
    assert found.left_out == {"wimd2019": "source 'wimd2019' is not there"}
    pd.testing.assert_frame_equal(found.frame, areas.frame.drop(columns="wimd2019"))


def test_which_sources_are_needed(catalogue):
    needed, used = set(needed_sources(catalogue)), set(used_sources(catalogue))
    assert used - needed == {"wimd2019"}
    assert set(catalogue.sources) - used == {"lad22_outlines", "msoa21_outlines", "lsoa21_outlines"}


def test_codes_that_do_not_match_are_told_for_every_table_at_once(catalogue, tables):
    tables["ts037"] = tables["ts037"].iloc[5:]
    tables["ts045"] = tables["ts045"].rename(index={tables["ts045"].index[0]: "E00999999"})
    tables["iod2025"] = tables["iod2025"].iloc[1:]
    said = _refused(catalogue, tables)
    assert "ts037: 5 areas have no row" in said
    assert "ts045: 1 codes are of no area: 'E00999999' (is it a table of 2011?)" in said
    assert "iod2025: 1 LSOAs have no row" in said


def test_levels_that_do_not_nest_are_told(catalogue, tables):
    lookup = tables["oa21_lookup"]
    lookup.loc[lookup.index[0], "lad22cd"] = "E06000004"
    assert "lie in more than one" in _refused(catalogue, tables)


def test_a_local_authority_of_another_vintage_is_told(catalogue, tables):
    tables["oa21_lookup"] = tables["oa21_lookup"].replace("E06000002", "E06000099")
    said = _refused(catalogue, tables)
    assert "no 'rgn24cd' for 72 of 432 areas" in said
    assert "no 'lad22nm' for 72 of 432 areas" in said


def test_a_denominator_of_0_is_told(catalogue, tables):
    tables["ts045"].iloc[3] = 0.0
    said = _refused(catalogue, tables)
    assert f"no_car: the denominator is 0 in 1 areas: '{tables['ts045'].index[3]}'" in said


def test_a_share_above_1_is_told(catalogue, tables):
    tables["ts045"].iloc[3, 0] = 1.0
    assert "no_car: 1 shares lie outside 0 to 1" in _refused(catalogue, tables)


def test_a_density_of_0_borrows_from_its_lsoa(catalogue, tables, areas):
    first, second = areas.frame["oa21cd"][:2]
    tables["ts006"].loc[first, "density"] = 0.0
    found = build_areas(catalogue, tables)
    frame = found.frame.set_index("oa21cd")
    assert frame.loc[first, "density"] == pytest.approx(tables["ts006"].loc[second, "density"])
    assert frame.loc[first, "area_km2"] == pytest.approx(frame.loc[second, "area_km2"])
    assert frame.loc[first, "imputed"] == "area_km2;density"
    assert found.imputations["density"].areas == 1
    # areas of one LSOA lie around its mean by so much, everywhere
    known = frame.drop(first)
    means = (known["density"] * known["adults"]).groupby(known["lsoa21cd"]).sum() / known["adults"].groupby(
        known["lsoa21cd"]
    ).sum()
    apart = known["density"] - known["lsoa21cd"].map(means)
    assert frame.loc[first, "density_se"] == pytest.approx(np.sqrt(np.average(apart**2, weights=known["adults"])))
    assert (known["density_se"] == 0).all()


def test_nothing_to_borrow_from_is_told(catalogue, tables, areas):
    tables["ts006"].loc[list(areas.frame["oa21cd"][:2]), "density"] = 0.0
    assert "density: 2 areas are unknown, and so are the others of their lsoa21cd" in _refused(catalogue, tables)


def test_too_few_lsoas_for_a_prediction_are_told(catalogue, tables):
    narrow = dataclasses.replace(
        catalogue.covariates["iod2025"],
        imputed_by=tuple(n for n, c in catalogue.covariates.items() if c.kind == "share"),
    )
    wide = dataclasses.replace(catalogue, covariates={**catalogue.covariates, "iod2025": narrow})
    assert "iod2025: cannot be predicted: 144 LSOAs with a score are too few" in _refused(wide, tables)
