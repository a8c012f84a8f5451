"""The embedded example: coherent, reproducible, and the same as what the repository holds."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely

from placewise.pipeline.example import write_example
from placewise.pipeline.example.names import ANSWERS
from placewise.pipeline.example.truth import SD, propensity
from placewise.pipeline.example.write import TEMPLATES, make_tables


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return make_tables()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    write_example(folder, small=True)
    return folder


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)


def test_the_repository_holds_what_the_generator_makes(root: Path, tables: dict[str, pd.DataFrame]) -> None:
    for name, table in tables.items():
        pd.testing.assert_frame_equal(_read(root / "data" / name), table, check_dtype=False, check_column_type=False)
    source = root / "src/placewise/pipeline/example/template"
    for name in TEMPLATES:
        assert (root / name).read_text(encoding="utf-8") == (source / name).read_text(encoding="utf-8")


def test_same_seed_same_bytes_other_seed_other_bytes(small: Path, tmp_path: Path) -> None:
    write_example(tmp_path / "again", small=True)
    write_example(tmp_path / "other", small=True, seed=1)
    for path in sorted(p for p in (small / "data").rglob("*") if p.is_file()):
        name = path.relative_to(small)
        if path.suffix == ".sav":
            continue  # holds the time of writing: test_deposits compares its table
        again = (tmp_path / "again" / name).read_bytes()
        assert again == path.read_bytes(), name
        if path.name != "README.md":
            assert (tmp_path / "other" / name).read_bytes() != again, name


def test_sizes(tables: dict[str, pd.DataFrame], small: Path) -> None:
    areas, survey = tables["areas.parquet"], tables["survey.csv"]
    assert 5_800 < len(areas) < 6_200
    assert (areas["region"].nunique(), areas["lad"].nunique(), areas["msoa"].nunique()) == (3, 24, 267)
    assert [areas[c].nunique() for c in ("supergroup", "group", "subgroup")] == [4, 9, 18]
    assert 4_500 < len(survey) < 5_500
    assert (areas["adults"] == 20).sum() == 10
    assert areas.loc[areas["adults"] != 20, "adults"].between(120, 400).all()
    assert 250 < len(_read(small / "data/areas.parquet")) < 350
    assert 500 < len(_read(small / "data/survey.csv")) < 700


@pytest.mark.parametrize("chain", [("oa", "lsoa", "msoa", "lad", "region"), ("subgroup", "group", "supergroup")])
def test_levels_and_classes_nest(tables: dict[str, pd.DataFrame], chain: tuple[str, ...]) -> None:
    areas = tables["areas.parquet"]
    assert areas["oa"].is_unique
    for fine, coarse in itertools.pairwise(chain):
        assert (areas.groupby(fine)[coarse].nunique() == 1).all(), (fine, coarse)


def test_cells_add_up_to_adults(tables: dict[str, pd.DataFrame]) -> None:
    cells = tables["cells.parquet"]
    assert (cells["adults"] > 0).all()
    assert not cells.duplicated(["oa", "age", "sex"]).any()
    areas = tables["areas.parquet"].set_index("oa")["adults"]
    assert (cells.groupby("oa")["adults"].sum().reindex(areas.index) == areas).all()


def test_truth_counts_every_adult_at_every_level(tables: dict[str, pd.DataFrame]) -> None:
    truth, areas = tables["truth.parquet"], tables["areas.parquet"]
    total = truth.groupby("area_level")["population"].sum()
    assert (total == areas["adults"].sum()).all()
    assert len(total) == 6
    np.testing.assert_array_equal(truth[[f"n{k}" for k in (1, 2, 3, 4)]].sum(axis=1), truth["population"])
    np.testing.assert_allclose(truth["truth"], (truth["n3"] + truth["n4"]) / truth["population"], atol=1e-6)
    msoa = areas.merge(truth[truth["area_level"] == "oa"], left_on="oa", right_on="area_code")
    by_msoa = (msoa["truth"] * msoa["population"]).groupby(msoa["msoa"]).sum()
    above = truth[truth["area_level"] == "msoa"].set_index("area_code")
    np.testing.assert_allclose(by_msoa / above["population"], above["truth"], atol=2e-6)


def test_areas_explain_one_to_six_hundredths(tables: dict[str, pd.DataFrame]) -> None:
    eta = propensity(tables["areas.parquet"], np.random.default_rng(3))
    share = eta.var() / (eta.var() + np.pi**2 / 3)
    assert 0.01 < share < 0.06
    assert sum(sd**2 for sd in SD.values()) ** 0.5 == pytest.approx(0.166, abs=0.005)
    assert SD["oa"] ** 2 / sum(sd**2 for sd in SD.values()) == pytest.approx(0.64, abs=0.02)


def test_survey_is_clustered_and_weighted(tables: dict[str, pd.DataFrame]) -> None:
    survey, areas = tables["survey.csv"], tables["areas.parquet"]
    joined = survey.merge(areas, on="oa", validate="many_to_one")
    assert len(joined) == len(survey)
    assert (joined["psu"] == joined["lsoa"]).all()
    assert (joined["stratum"] == joined["region"]).all()
    assert 400 <= survey["psu"].nunique() <= 420
    assert survey["weight"].min() > 0
    assert survey["weight"].mean() == pytest.approx(1, abs=1e-3)
    assert survey["weight"].std() > 0.2
    # weighting gives the regions back the shares that oversampling took
    of_region = areas.groupby("region")["adults"].sum() / areas["adults"].sum()
    weighted = survey.groupby("stratum")["weight"].sum() / survey["weight"].sum()
    np.testing.assert_allclose(weighted, of_region, atol=0.01)
    assert np.abs(survey["stratum"].value_counts(normalize=True).sort_index() - of_region).max() > 0.05


def test_survey_agrees_with_the_truth_and_has_missing_codes(tables: dict[str, pd.DataFrame]) -> None:
    survey = tables["survey.csv"]
    assert set(survey["belonging"]) == {*ANSWERS, "don't know", "refused", "-9"}
    assert "refused" in set(survey["age"])
    answered = survey[survey["belonging"].isin(ANSWERS)]
    strongly = answered["belonging"].isin(ANSWERS[2:])
    nation = tables["truth.parquet"].set_index("area_level").loc["national", "truth"]
    # clustering widens a simple random sample's standard error of .007
    assert np.average(strongly, weights=answered["weight"]) == pytest.approx(nation, abs=0.025)


def test_polygons_nest_and_do_not_overlap(tables: dict[str, pd.DataFrame]) -> None:
    lads = shapely.from_wkb(tables["lad.parquet"]["geometry"].to_numpy())
    msoas = shapely.from_wkb(tables["msoa.parquet"]["geometry"].to_numpy())
    assert shapely.is_valid(lads).all()
    assert shapely.is_valid(msoas).all()
    country = shapely.union_all(lads)
    assert shapely.area(lads).sum() == pytest.approx(country.area, rel=1e-3)
    assert shapely.area(msoas).sum() == pytest.approx(country.area, rel=1e-3)
    parent = tables["areas.parquet"].drop_duplicates("msoa").set_index("msoa")["lad"]
    position = {c: i for i, c in enumerate(tables["lad.parquet"]["lad"])}
    home = lads[[position[parent[m]] for m in tables["msoa.parquet"]["msoa"]]]
    assert (shapely.area(shapely.intersection(msoas, home)) / shapely.area(msoas) > 0.999).all()


def test_neighbours_share_a_boundary_and_connect_the_country(tables: dict[str, pd.DataFrame]) -> None:
    pairs = tables["lad_neighbours.csv"]
    assert (pairs["a"] < pairs["b"]).all()
    assert not pairs.duplicated().any()
    reached = {"X06000001"}
    for _ in range(24):
        reached |= set(pairs.loc[pairs["a"].isin(reached), "b"]) | set(pairs.loc[pairs["b"].isin(reached), "a"])
    assert len(reached) == 24


def test_data_stay_small(root: Path) -> None:
    sizes = [p.stat().st_size for p in (root / "data").iterdir()]
    assert sum(sizes) < 1_500_000
    assert max(sizes) < 1_000_000
