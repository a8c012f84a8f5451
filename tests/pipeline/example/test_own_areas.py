"""Surveys drawn in a user's own areas: what their table needs, and what comes out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from placewise.errors import ConfigurationError, DataError, Problems
from placewise.pipeline.example import own_project, write_own_areas
from placewise.pipeline.example.adults import census
from placewise.pipeline.example.items import cutpoints
from placewise.pipeline.example.own_areas import read_own_areas, settle
from placewise.pipeline.example.sizes import SMALL
from placewise.pipeline.example.traits import Country, area_share
from placewise.pipeline.init import init_project

NAMES = {
    "oa": "OA21CD",
    "lsoa": "lsoa21cd",
    "msoa": "msoa21cd",
    "lad": "lad24cd",
    "region": "rgn24cd",
    "supergroup": "oac21_supergroup",
    "adults": "population",
}


@pytest.fixture
def table(country: Country) -> pd.DataFrame:
    """Areas as a user may hold them: other names, in no order, with covariates."""
    rng = np.random.default_rng(4)
    own = country.areas[[role for role in NAMES if role != "adults"]].rename(columns=NAMES)
    own["population"] = country.counts.sum(axis=(1, 2)) + 0.4
    own["crowding"] = rng.lognormal(0, 1.5, len(own))
    own["constant"] = 1.0
    own["incomplete"] = np.where(np.arange(len(own)) == 3, np.nan, 0.5)
    own["note"] = "text"
    return own.sample(frac=1, random_state=1)


def read(table: pd.DataFrame, folder: Path) -> tuple[tuple[pd.DataFrame, dict[str, str]] | None, Problems]:
    path = folder / "areas.parquet"
    table.to_parquet(path, index=False)
    problems = Problems()
    return read_own_areas(path, "--areas", problems), problems


def test_columns_are_known_by_their_names_in_any_order(table: pd.DataFrame, tmp_path: Path) -> None:
    found, problems = read(table, tmp_path)
    assert not problems
    assert found is not None
    assert found[1] == NAMES
    for column in ("rgn24cd", "lad24cd", "lsoa21cd"):
        codes = found[0][column].to_numpy()
        # the areas of each stand together
        assert 1 + (codes[1:] != codes[:-1]).sum() == len(np.unique(codes))


def test_everything_missing_is_told_at_once(table: pd.DataFrame, tmp_path: Path) -> None:
    found, problems = read(table.drop(columns=["lsoa21cd", "rgn24cd", "population", "msoa21cd"]), tmp_path)
    told = "\n".join(map(str, problems))
    assert found is None
    assert len(problems) == 3  # the msoa may be absent
    for name in ("'lsoa'", "'region'", "'adults'", "rgn24cd", "population"):
        assert name in told


def test_everything_wrong_is_told_at_once(table: pd.DataFrame, tmp_path: Path) -> None:
    table = table.reset_index(drop=True)
    table["LAD22CD"] = table["lad24cd"]
    table.loc[1, "OA21CD"] = table.loc[0, "OA21CD"]
    table.loc[2, "population"] = 0
    table.loc[4, "oac21_supergroup"] = None
    other = table.index[table["lsoa21cd"] == table.loc[5, "lsoa21cd"]]
    table.loc[other[0], "msoa21cd"] = "elsewhere"
    found, problems = read(table, tmp_path)
    told = "\n".join(map(str, problems))
    assert found is None
    for part in (
        "lad24cd, LAD22CD",
        "more than once",
        "below one",
        "is blank for 1",
        "lie in more than one 'msoa21cd'",
    ):
        assert part in told, part
    assert len(problems) == 5


def test_people_live_there_and_belong_as_published(table: pd.DataFrame, tmp_path: Path) -> None:
    found, _ = read(table, tmp_path)
    assert found is not None
    country = settle(*found, np.random.SeedSequence(9))
    np.testing.assert_array_equal(country.counts.sum(axis=(1, 2)), np.round(found[0]["population"]))
    totals, _ = census(country, cutpoints(country), np.array([0]), np.random.SeedSequence(9))
    adults = country.counts.sum()
    share = (totals["n3"] + totals["n4"]).sum() / adults
    assert share == pytest.approx(0.65, abs=4 * np.sqrt(0.25 / adults) + 5e-4)
    spread = area_share(country)
    assert ((spread > 0.005) & (spread < 0.08)).all(), spread
    again = settle(*found, np.random.SeedSequence(9))
    np.testing.assert_array_equal(country.eta, again.eta)


def test_a_project_in_own_areas(table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_project, "NATIONAL", SMALL)
    path = tmp_path / "mine.csv"
    table.to_csv(path, index=False)
    folder = tmp_path / "project"
    written = {
        p.relative_to(folder).as_posix() for p in init_project(folder, example=True, size="national", areas=path)
    }
    assert {
        "placewise.toml",
        "models/satisfaction.toml",
        "data/cells.parquet",
        "data/cls/community_life.sav",
    } <= written
    areas = pd.read_parquet(folder / "data/areas.parquet").set_index("OA21CD")
    cells = pd.read_parquet(folder / "data/cells.parquet")
    adults = cells.groupby("OA21CD")["adults"].sum()
    np.testing.assert_array_equal(adults.reindex(areas.index), np.round(areas["population"]))
    truth = pd.read_parquet(folder / "data/truth_satisfaction.parquet")
    assert set(truth["area_level"]) == {"OA21CD", "lsoa21cd", "msoa21cd", "lad24cd", "rgn24cd", "national"}
    assert set(truth.loc[truth["area_level"] == "OA21CD", "area_code"]) == set(areas.index)


def test_own_areas_that_will_not_do_write_nothing(table: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "areas.parquet"
    table.drop(columns="OA21CD").to_parquet(path)
    with pytest.raises(DataError, match="no column for 'oa'"):
        write_own_areas(tmp_path / "project", path)
    assert not (tmp_path / "project").exists()


def test_options_that_do_not_go_together(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="needs a table of areas"):
        init_project(tmp_path / "a", example=True, size="national")
    with pytest.raises(ConfigurationError) as caught:
        init_project(tmp_path / "a", example=False, form="sav", areas=tmp_path / "x.csv")
    assert [p.where for p in caught.value.problems] == ["--areas", "--format", "--areas"]
    with pytest.raises(ConfigurationError, match="no file"):
        init_project(tmp_path / "a", example=True, size="national", areas=tmp_path / "x.csv")
    assert not (tmp_path / "a").exists()


@pytest.mark.slow
def test_the_whole_of_england_and_wales(shared: Path, tmp_path: Path) -> None:
    path = shared / "census_audit/health_oa/areas.parquet"
    write_own_areas(tmp_path, path)
    respondents = pd.read_csv(next((tmp_path / "data/ukhls").rglob("c_indresp.tab")), sep="\t", usecols=["c_scopngbha"])
    assert len(respondents) > 20_000
    truth = pd.read_parquet(tmp_path / "data/truth_belonging.parquet").set_index("area_level")
    assert len(truth.loc["oa21cd"]) == 178_605
    assert truth.loc["national", "truth"] == pytest.approx(0.65, abs=0.001)
