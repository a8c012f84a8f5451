"""A country small enough to check by hand, with every kind of column a formula may name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from placewise.errors import Problem, Problems
from placewise.frame.cells import Frame
from placewise.geography.areas import AreaTable
from placewise.models.build import build_design
from placewise.models.design import Design
from placewise.models.formula import parse_formula
from placewise.models.priors import Prior

AGES = ("16-34", "35-64", "65+")
SEXES = ("female", "male")


@dataclass(frozen=True)
class Country:
    """Areas, frame and respondents; ``build`` makes a design, ``refuse`` the problems of one."""

    areas: AreaTable | None
    frame: Frame | None
    respondents: pd.DataFrame
    area: np.ndarray
    reference: Mapping[str, str | float]
    orders: Mapping[str, tuple[str, ...]]

    def attempt(self, text: str, standardise: bool, cumulative: bool) -> tuple[Design | None, Problems]:
        problems = Problems()
        formula = parse_formula(text, "model.formula", problems)
        problems.raise_if_any()
        assert formula is not None
        design = build_design(
            formula,
            respondents=self.respondents,
            area=self.area,
            areas=self.areas,
            frame=self.frame,
            reference=self.reference,
            orders=self.orders,
            standardise=standardise,
            cumulative=cumulative,
            problems=problems,
        )
        return design, problems

    def build(self, text: str, *, standardise: bool = False, cumulative: bool = False) -> Design:
        design, problems = self.attempt(text, standardise, cumulative)
        problems.raise_if_any()
        assert design is not None
        return design

    def refuse(self, text: str) -> list[Problem]:
        design, problems = self.attempt(text, True, False)
        assert design is None
        return list(problems)

    def at(self, **reference: str | float) -> Country:
        return replace(self, reference=reference)

    def plain(self) -> Country:
        return replace(self, areas=None, frame=None)

    def with_area_column(self, **columns: object) -> Country:
        assert self.areas is not None
        return replace(self, areas=replace(self.areas, table=self.areas.table.assign(**columns)))

    def with_answers(self, **columns: object) -> Country:
        return replace(self, respondents=self.respondents.assign(**columns))


@pytest.fixture(scope="session")
def country() -> Country:
    """Two regions, six districts, 30 areas of which 20 are sampled, 120 respondents."""
    rng = np.random.default_rng(1)
    A, n = 30, 120
    district = np.repeat(np.arange(6), 5)
    table = pd.DataFrame(
        {
            "code": [f"A{i}" for i in range(A)],
            "district": pd.Series([f"D{d}" for d in district], dtype="str"),
            "region": pd.Series(np.where(district < 3, "North", "South"), dtype="str"),
            "kind": pd.Series(rng.permutation(np.repeat(["rural", "town", "city"], 10)), dtype="str"),
            "number": pd.Series([f"{i % 5}" for i in range(A)], dtype="str"),
            "density": np.exp(rng.normal(2, 1, A)),
            "deprivation": rng.normal(20, 5, A),
            "zone": rng.integers(1, 4, A).astype(float),
        }
    )
    population, base = rng.uniform(100, 500, A), np.ones(A, dtype=bool)
    areas = AreaTable(table, "code", ("district", "region"), ("kind",), population, base)
    cells = pd.DataFrame(
        {
            "age": pd.Series(np.repeat(AGES, 2), dtype="str"),
            "sex": pd.Series(np.tile(SEXES, 3), dtype="str"),
            "years": np.repeat([25.0, 50.0, 75.0], 2),
        }
    )
    count = rng.uniform(5, 50, 6 * A)
    frame = Frame(cells, np.arange(0, 6 * A + 1, 6), np.tile(np.arange(6, dtype=np.int32), A), count)
    who, area = rng.integers(0, 6, n), rng.permutation(np.resize(np.arange(0, 30)[np.arange(30) % 3 != 2], n))
    respondents = (
        cells.iloc[who]
        .reset_index(drop=True)
        .assign(
            mode=pd.Series(rng.choice(["online", "phone"], n), dtype="str"),
            interviewer=pd.Series(rng.integers(1, 9, n).astype(str), dtype="str"),
            wave=rng.integers(1, 5, n).astype(float),
            y=rng.normal(size=n),
        )
    )
    return Country(areas, frame, respondents, area, {}, {"age": AGES})


# one of each prior that an sd may have
SD_PRIORS = [
    Prior("half_normal", (0.5,)),
    Prior("half_cauchy", (0.5,)),
    Prior("half_student_t", (3.0, 0.0, 0.5)),
    Prior("gamma", (4.0, 22.0)),
    Prior("inv_gamma", (3.0, 0.5)),
    Prior("exponential", (2.0,)),
    Prior("pc", (1.0, 0.05)),
    Prior("lognormal", (-1.0, 0.5)),
]


@pytest.fixture(params=SD_PRIORS, ids=[p.name for p in SD_PRIORS])
def sd_prior(request: pytest.FixtureRequest) -> Prior:
    """Each prior that an sd may have."""
    prior: Prior = request.param
    return prior
