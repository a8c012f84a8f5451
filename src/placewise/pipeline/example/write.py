"""Write the embedded example to a folder: project file, model file, data."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import shapely

from placewise.pipeline.example.adults import census
from placewise.pipeline.example.areas import COVARIATES, add_covariates, cells, nest, people
from placewise.pipeline.example.deposits import Deposits, draw_deposits, write_deposits, write_parquet
from placewise.pipeline.example.items import cutpoints
from placewise.pipeline.example.land import adjacency, make_land
from placewise.pipeline.example.names import LOCAL_AUTHORITIES, SMALL, STANDARD, Size, code
from placewise.pipeline.example.outcomes import project_truth
from placewise.pipeline.example.own_project import EXAMPLE, write_survey_project
from placewise.pipeline.example.sampling import Places
from placewise.pipeline.example.sizes import SMALL as SMALL_SURVEYS
from placewise.pipeline.example.sizes import STANDARD as STANDARD_SURVEYS
from placewise.pipeline.example.survey import approach, community_survey, household_survey
from placewise.pipeline.example.traits import SLOPES as OTHER_SLOPES
from placewise.pipeline.example.traits import Country, area_values
from placewise.pipeline.example.truth import SLOPES, components

OUTCOMES = ("belonging", "relationships", "satisfaction")
TEMPLATES = ("placewise.toml", *(f"models/{name}.toml" for name in OUTCOMES), "data/README.md")


def write_example(folder: Path, *, seed: int = 20261122, small: bool = False, form: str = "tab") -> None:
    """Write the made-up country as a ready project.

    Parameters
    ----------
    folder : Path
        Where to write; made if absent, files of the same name replaced.
    seed : int
        The same seed gives the same tables.
    small : bool
        About 300 areas and 600 respondents of the reference survey instead of 6,000 and 3,600.
    form : {"tab", "sav", "dta"}
        Of the household panel's files.
    """
    for name in TEMPLATES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            resources.files(__package__).joinpath("template", name).read_text(encoding="utf-8"), encoding="utf-8"
        )
    tables, country, (of_adults, of_surveys) = make_country(seed, small)
    for name, table in tables.items():
        path = folder / "data" / name
        if path.suffix == ".csv":
            table.to_csv(path, index=False, lineterminator="\n")
        else:
            write_parquet(table, path)
    deposits = draw_deposits(country, SMALL_SURVEYS if small else STANDARD_SURVEYS, of_adults, of_surveys)
    write_deposits(deposits, folder / "data", form)
    write_survey_project(
        folder / "surveys", EXAMPLE, name="example-surveys", title="Community life in Alderland", data="../data"
    )


def make_tables(*, seed: int = 20261122, small: bool = False) -> dict[str, pd.DataFrame]:
    """Make every table of the example's own project, by file name.

    Parameters
    ----------
    seed : int
    small : bool
        As in `write_example`.

    Returns
    -------
    dict of str to DataFrame
        ``areas.parquet``, ``cells.parquet``, ``survey.csv``, ``household.csv``, ``truth.parquet``, ``lad.parquet``,
        ``msoa.parquet`` (polygons as WKB) and ``lad_neighbours.csv``.
    """
    return make_country(seed, small)[0]


def make_deposits(*, seed: int = 20261122, small: bool = False, geography: str = "lsoa21") -> Deposits:
    """Draw the two widened surveys of the example.

    Parameters
    ----------
    seed : int
    small : bool
        As in `write_example`.
    geography : str
        Kind of the panel's special-licence file, one of `understanding.GEOGRAPHIES`.

    Returns
    -------
    Deposits
    """
    _, country, seeds = make_country(seed, small)
    return draw_deposits(country, SMALL_SURVEYS if small else STANDARD_SURVEYS, *seeds, geography=geography)


def make_country(
    seed: int = 20261122, small: bool = False
) -> tuple[dict[str, pd.DataFrame], Country, tuple[np.random.SeedSequence, np.random.SeedSequence]]:
    """Make the example's own project and the country behind it.

    Parameters
    ----------
    seed : int
    small : bool
        As in `write_example`.

    Returns
    -------
    tables : dict of str to DataFrame
        As `make_tables`.
    country : Country
    seeds : pair of SeedSequence
        Of the adults, and for the two widened surveys.
    """
    size = SMALL if small else STANDARD
    # One stream a part: a change in one leaves the others as they were.
    seeds = np.random.SeedSequence(seed)
    rng = [np.random.default_rng(s) for s in seeds.spawn(6)]
    of_traits, of_surveys, of_adults = seeds.spawn(3)
    land = make_land(size, rng[0])
    areas = add_covariates(nest(land, rng[1]), land, rng[2])
    counts = people(areas, size, rng[3])
    areas["adults"] = counts.sum(axis=(1, 2)).astype(np.int32)
    belonging = components(areas, SLOPES, rng[4])
    eta = area_values(areas, belonging, OTHER_SLOPES, np.random.default_rng(of_traits))
    country = Country(areas, counts, eta, {})
    community, household, truth = _asked(country, size, of_adults, rng[5])
    listed = [c for c in areas.columns.astype(str) if c not in (*COVARIATES, "adults") and not c.startswith("_")]
    msoa_names = areas.drop_duplicates("msoa")["msoa_name"].tolist()
    tables = {
        "areas.parquet": areas[[*listed, "adults", *COVARIATES]],
        "cells.parquet": cells(areas, counts),
        "survey.csv": community,
        "household.csv": household,
        "truth.parquet": truth,
        "lad.parquet": _polygons("lad", land.lads, list(LOCAL_AUTHORITIES[: size.lads])),
        "msoa.parquet": _polygons("msoa", land.msoas, msoa_names),
        "lad_neighbours.csv": pd.DataFrame(
            [(code("lad", i), code("lad", j)) for i, j in adjacency(land.lads)], columns=["a", "b"]
        ),
    }
    return tables, country, (of_adults, of_surveys)


def _asked(
    country: Country, size: Size, of_adults: np.random.SeedSequence, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Both surveys of the example's own project, and the truth."""
    places, cuts = Places(country), cutpoints(country)
    found = approach(places, size, rng)
    totals, people = census(country, cuts, np.concatenate([found.community, found.household]), of_adults)
    first, second = np.split(np.arange(len(people.area)), [len(found.community)])
    community = community_survey(country, places, cuts, people.take(first), rng)
    household = household_survey(country, places, cuts, found, people.take(second), rng)
    return community, household, project_truth(country, totals)


def _polygons(level: str, polygons: list[shapely.Geometry], names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            level: [code(level, i) for i in range(len(polygons))],
            "name": names,
            "geometry": [shapely.to_wkb(p) for p in polygons],
        }
    )
