"""The embedded example: coherent, reproducible, and the same as what the repository holds."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely

from placewise.pipeline.check import check_folder
from placewise.pipeline.example import write_example
from placewise.pipeline.example.items import BELONGING, OWN, REFERENCE_YEAR, RELATIONSHIPS, cutpoints
from placewise.pipeline.example.names import ANSWERS
from placewise.pipeline.example.questions import COMMUNITY, HOUSEHOLD
from placewise.pipeline.example.survey import FACTOR
from placewise.pipeline.example.traits import RESIDUAL, Country
from placewise.pipeline.example.truth import SD
from placewise.pipeline.example.write import OUTCOMES, TEMPLATES, make_country
from placewise.pipeline.run import RunOptions


@pytest.fixture(scope="module")
def made() -> tuple[dict[str, pd.DataFrame], Country]:
    return make_country()[:2]


@pytest.fixture(scope="module")
def tables(made: tuple[dict[str, pd.DataFrame], Country]) -> dict[str, pd.DataFrame]:
    return made[0]


@pytest.fixture(scope="module")
def country(made: tuple[dict[str, pd.DataFrame], Country]) -> Country:
    return made[1]


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
    assert 3_400 < len(survey) < 3_900
    assert 2_400 < len(tables["household.csv"]) < 3_000
    assert (areas["adults"] == 20).sum() == 10
    assert areas.loc[areas["adults"] != 20, "adults"].between(120, 400).all()
    assert 250 < len(_read(small / "data/areas.parquet")) < 350
    assert 500 < len(_read(small / "data/survey.csv")) < 700
    assert 350 < len(_read(small / "data/household.csv")) < 550


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


@pytest.mark.parametrize("outcome", ["belonging", "relationships", "satisfaction", "belong"])
def test_truth_counts_every_adult_at_every_level(tables: dict[str, pd.DataFrame], outcome: str) -> None:
    truth, areas = tables["truth.parquet"], tables["areas.parquet"]
    total = truth.groupby("area_level")["population"].sum()
    assert (total == areas["adults"].sum()).all()
    assert len(total) == 6
    msoa = areas.merge(truth[truth["area_level"] == "oa"], left_on="oa", right_on="area_code")
    by_msoa = (msoa[outcome] * msoa["population"]).groupby(msoa["msoa"]).sum()
    above = truth[truth["area_level"] == "msoa"].set_index("area_code")
    np.testing.assert_allclose(by_msoa / above["population"], above[outcome], atol=2e-5)


def test_geography_is_split_as_censuses_show_it() -> None:
    assert sum(sd**2 for sd in SD.values()) ** 0.5 == pytest.approx(0.166, abs=0.005)
    assert SD["oa"] ** 2 / sum(sd**2 for sd in SD.values()) == pytest.approx(0.64, abs=0.02)


@pytest.mark.parametrize(("name", "units"), [("survey.csv", 320), ("household.csv", 130)])
def test_surveys_are_clustered_and_weighted(tables: dict[str, pd.DataFrame], name: str, units: int) -> None:
    survey, areas = tables[name], tables["areas.parquet"]
    joined = survey.merge(areas, on="oa", validate="many_to_one")
    assert len(joined) == len(survey)
    assert (joined["psu"] == joined["lsoa"]).all()
    assert (joined["stratum"] == joined["region"]).all()
    assert 0.95 * units <= survey["psu"].nunique() <= units
    assert survey["person"].is_unique
    assert survey["weight"].min() > 0
    assert survey["weight"].mean() == pytest.approx(1, abs=1e-3)
    assert survey["weight"].std() > 0.2
    # weighting gives the regions back the shares that oversampling took
    of_region = areas.groupby("region")["adults"].sum() / areas["adults"].sum()
    weighted = survey.groupby("stratum")["weight"].sum() / survey["weight"].sum()
    np.testing.assert_allclose(weighted, of_region, atol=0.01)
    assert np.abs(survey["stratum"].value_counts(normalize=True).sort_index() - of_region).max() > 0.05


def test_a_direct_estimate_agrees_with_the_truth_and_there_are_missing_codes(tables: dict[str, pd.DataFrame]) -> None:
    survey = tables["survey.csv"]
    nation = tables["truth.parquet"].set_index("area_level").loc["national"]
    assert set(survey["belonging"]) == {*ANSWERS, "don't know", "refused", "-9"}
    assert "refused" in set(survey["age"])
    best = {
        "belong": ("belonging", ANSWERS[2:]),
        "chat": ("chatting", ("once or twice a month", "once or twice a week", "on most days")),
        "favours": ("favours", ("tend to agree", "definitely agree")),
        "satisfaction": ("satisfaction", ("fairly satisfied", "very satisfied")),
    }
    for truth, (column, answers) in best.items():
        answered = survey[survey[column].isin(COMMUNITY[column].answers)]
        share = np.average(answered[column].isin(answers), weights=answered["weight"])
        # clustering widens a simple random sample's standard error of .007
        assert share == pytest.approx(nation[truth], abs=0.025), column


def test_what_is_missing_by_design(tables: dict[str, pd.DataFrame]) -> None:
    community, household = tables["survey.csv"], tables["household.csv"]
    not_asked = {name: community[name] == "-8" for name in COMMUNITY}
    paper = community["mode"] == "paper"
    for name in ("stay", "pull_together", "trust"):
        pd.testing.assert_series_equal(not_asked[name], paper, check_names=False)
    assert not_asked["satisfaction"].mean() == pytest.approx(1 / 3, abs=0.03)
    assert not any(not_asked[name].any() for name in ("belonging", "proud", "chatting", "favours"))
    short = household["scopngbhc"] == -8
    assert short.mean() == pytest.approx(1 / 3, abs=0.03)
    for name in HOUSEHOLD:
        np.testing.assert_array_equal(household[name] == -8, short if name[-1] in "ceg" else False)
    # an answer to something: everybody is of use to every scale
    assert (household[["scopngbha", "scopngbhf"]] > 0).any(axis=1).mean() > 0.99


def test_the_scores_are_of_the_reference_surveys_items(country: Country, tables: dict[str, pd.DataFrame]) -> None:
    """The mean over adults of the expected score, by quadrature over the person's residual, against the census."""
    cuts = cutpoints(country)
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    truth = tables["truth.parquet"].set_index("area_level")
    # one area type: at the areas' mean predictor the score is nearly the national one
    people = {"belonging": BELONGING, "relationships": RELATIONSHIPS}
    for scale, names in (("belonging", ("belonging", "proud", "stay")), ("relationships", tuple(COMMUNITY)[3:7])):
        trait = people[scale]
        m = _predictors_of_everybody(country)[..., trait]
        expected = 0.0
        for name in names:
            question = COMMUNITY[name]
            assert question.source in (OWN, REFERENCE_YEAR)
            assert question.item.trait == trait
            cut = cuts[question.source][question.name]
            t = m[..., None] + nodes
            above = sum(1 / (1 + np.exp(-question.item.slope * (t - c))) for c in cut)
            expected += 1 + np.average(above @ weights / weights.sum(), weights=country.counts)
        assert truth.loc["national", scale] == pytest.approx(expected / len(names), abs=0.004)


def _predictors_of_everybody(country: Country) -> np.ndarray:
    from placewise.pipeline.example.traits import person_effects

    predictors: np.ndarray = (country.eta[:, None, None] + person_effects()) / RESIDUAL
    return predictors


def test_the_second_survey_measures_less_sharply(country: Country, tables: dict[str, pd.DataFrame]) -> None:
    """Regressed on what the true predictor makes expected, with the factor and without it."""
    place = pd.Index(country.areas["oa"])
    ages = ["16-24", "25-34", "35-49", "50-64", "65+"]
    household = tables["household.csv"]
    household = household[(household["scopngbha"] > 0) & household["age"].isin(ages)]
    m = _predictors_of_everybody(country)[
        place.get_indexer(household["oa"]), [ages.index(a) for a in household["age"]],
        (household["sex"] == "male").to_numpy().astype(int), BELONGING,
    ]  # fmt: skip
    item, cuts = HOUSEHOLD["scopngbha"].item, cutpoints(country)["f"]["scopngbha"]
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)

    def expected(factor: float) -> np.ndarray:
        t = factor * m[:, None] + nodes
        score: np.ndarray = sum(1 / (1 + np.exp(-item.slope * (t - c))) for c in cuts) @ weights / weights.sum()
        return score

    low, high = (np.cov(household["scopngbha"], expected(f))[0, 1] / expected(f).var() for f in (1.0, FACTOR[0]))
    se = household["scopngbha"].std() / expected(FACTOR[0]).std() / len(household) ** 0.5
    assert high == pytest.approx(1, abs=3 * se)
    assert low == pytest.approx(FACTOR[0], abs=3 * se)


def test_people_who_belong_know_their_neighbours(tables: dict[str, pd.DataFrame]) -> None:
    survey = tables["survey.csv"]
    scored = pd.DataFrame(
        {name: survey[name].map({a: k for k, a in enumerate(q.answers)}) for name, q in COMMUNITY.items()}
    )
    together = scored.corr()
    assert (together.loc["belonging", ["proud", "stay"]] > 0.35).all()
    assert (together.loc["chatting", ["favours", "pull_together", "trust"]] > 0.2).all()
    assert together.loc["belonging", "chatting"] > 0.15
    assert together.loc["belonging", "satisfaction"] > 0.1


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


def test_check_finds_nothing_wrong_with_its_models(small: Path) -> None:
    found = check_folder(small, RunOptions())
    assert [sentence.split(":")[0] for sentence in found.outcomes] == list(OUTCOMES)
    assert any("'household' may depart from 'community' in each lad" in note for note in found.notes)


def test_data_stay_small(root: Path) -> None:
    sizes = [p.stat().st_size for p in (root / "data").iterdir()]
    assert sum(sizes) < 1_500_000
    assert max(sizes) < 1_000_000
