"""A small country whose people are known one by one, as margins and a seed in files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from placewise.errors import Problems
from placewise.frame.cells import Frame
from placewise.frame.raking import read_raked_frame
from placewise.frame.spec import MarginSpec, RakedFrameSpec, SeedSpec
from placewise.geography.areas import AreaTable

VARIABLES = {"sex": ["f", "m"], "age": ["16-34", "35-64", "65+"], "tenure": ["own", "private", "social"]}
NAMES = tuple(VARIABLES)
SHAPE = tuple(len(values) for values in VARIABLES.values())


@dataclass
class Country:
    """Areas, the people of each cell in each of them, and a folder for their tables.

    ``true`` has shape (areas, sexes, ages, tenures).
    """

    folder: Path
    table: pd.DataFrame
    true: np.ndarray

    def areas(self, population: np.ndarray | None = None) -> AreaTable:
        n = len(self.table)
        return AreaTable(self.table, "oa", ("region",), ("kind",), population, np.ones(n, dtype=bool))

    def long(self, names: Sequence[str], table: np.ndarray | None = None) -> pd.DataFrame:
        """Counts by area and some variables, one row each."""
        true = self.true if table is None else table
        kept = [1 + NAMES.index(name) for name in names]
        counts = true.sum(axis=tuple(a for a in range(1, true.ndim) if a not in kept)).ravel()
        values = [self.table["oa"], *(VARIABLES[n] for n in sorted(names, key=NAMES.index))]
        index = pd.MultiIndex.from_product(values, names=["oa", *sorted(names, key=NAMES.index)])
        return pd.DataFrame({"n": counts}, index=index).reset_index()

    def margin(self, *names: str, table: pd.DataFrame | None = None) -> MarginSpec:
        path = self.folder / f"{'_'.join(names)}.csv"
        (self.long(names) if table is None else table).to_csv(path, index=False)
        return MarginSpec(path, names, "n")

    def seed(self, *by: str, table: pd.DataFrame | None = None) -> SeedSpec:
        path = self.folder / "seed.csv"
        joined = self.long(NAMES).merge(self.table, on="oa")
        summed = joined.groupby([*by, *NAMES])["n"].sum().reset_index() if table is None else table
        summed.to_csv(path, index=False)
        return SeedSpec(path, "n", by)

    def read(
        self, spec: RakedFrameSpec, columns: set[str] | None = None, population: np.ndarray | None = None
    ) -> Frame:
        problems = Problems()
        frame = read_raked_frame(spec, self.areas(population), "oa", columns, problems)
        assert frame is not None, list(map(str, problems))
        assert not problems
        return frame

    def faults(self, spec: RakedFrameSpec, population: np.ndarray | None = None) -> list[str]:
        problems = Problems()
        assert read_raked_frame(spec, self.areas(population), "oa", None, problems) is None
        return [str(p) for p in problems]


def written_out(frame: Frame, names: Sequence[str] = NAMES) -> np.ndarray:
    """A frame as a dense table, shape (areas, values of each name)."""
    dense = np.zeros((len(frame.indptr) - 1, *(len(VARIABLES[name]) for name in names)))
    at = [pd.Index(VARIABLES[name]).get_indexer(frame.cells[name])[frame.cell] for name in names]
    dense[np.repeat(np.arange(len(dense)), np.diff(frame.indptr)), *at] = frame.count
    return dense


@pytest.fixture
def country(tmp_path: Path) -> Country:
    """Sixty areas in two regions and two kinds, each kind with interactions of its own."""
    rng = np.random.default_rng(1)
    n = 60
    table = pd.DataFrame(
        {
            "oa": [f"E{i:02d}" for i in rng.permutation(n)],
            "region": np.where(np.arange(n) < 30, "north", "south"),
            "kind": np.where(rng.random(n) < 0.4, "city", "shire"),
        },
        dtype="str",
    )
    log = {kind: rng.normal(0, 0.8, SHAPE) for kind in ("city", "shire")}
    rate = np.exp(np.array([log[k] for k in table["kind"]]) + rng.normal(0, 0.3, (n, *SHAPE)))
    true = rng.poisson(rate * 15).astype(float)
    true[:, 0, 0, 1] += 1
    return Country(tmp_path, table, true)
