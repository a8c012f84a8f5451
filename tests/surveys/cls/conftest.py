"""A deposit in the manner of the Community Life Survey, in any of the formats that deposits come in."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from placewise.errors import Problems
from placewise.geography.areas import AreaTable
from placewise.surveys.cls.reading import read_community_life
from placewise.surveys.respondents import Respondents
from placewise.surveys.spec import CommunityLifeKeys, SurveySpec

N = 600
STRENGTH = {1: "Very strongly", 2: "Fairly strongly", 3: "Not very strongly", 4: "Not at all strongly"}
SATISFIED = {
    1: "Very satisfied",
    2: "Fairly satisfied",
    3: "Neither satisfied nor dissatisfied",
    4: "Fairly dissatisfied",
    5: "Very dissatisfied",
}
CHAT = {
    1: "On most days",
    2: "Once or twice a week",
    3: "Once or twice a month",
    4: "Less than once a month",
    5: "Never",
    6: "Don't have any neighbours",
}
COMFORT = {1: "Very comfortable", 2: "Fairly comfortable", 3: "Fairly uncomfortable", 4: "Very uncomfortable"}
LOST = {-8: "Don't know", -9: "Refused"}
LADS = ("E06000001", "E06000002", "E06000003")


@dataclass
class Deposit:
    """Columns, value labels, variable labels, and codes declared as missing."""

    frame: pd.DataFrame
    labels: dict[str, dict[int, str]]
    wordings: dict[str, str] = field(default_factory=dict)
    missing: dict[str, list[int]] = field(default_factory=dict)

    def rename(self, **names: str) -> Deposit:
        """The same with other column names."""

        def of(table: dict[str, Any]) -> dict[str, Any]:
            return {names.get(key, key): value for key, value in table.items()}

        return Deposit(self.frame.rename(columns=names), of(self.labels), of(self.wordings), of(self.missing))

    def codebook(self) -> pd.DataFrame:
        """What the labels say, as a codebook."""
        rows = [
            (name, code, label, "yes" if code in self.missing.get(name, ()) else "no")
            for name, labels in self.labels.items()
            for code, label in labels.items()
        ]
        return pd.DataFrame(rows, columns=["variable", "code", "label", "missing"])

    def write(self, path: Path) -> Path:
        """The deposit in the format of the path's ending; a .tab or .csv has a codebook beside it."""
        given = {"column_labels": self.wordings, "variable_value_labels": self.labels}
        if path.suffix == ".sav":
            pyreadstat.write_sav(self.frame, path, missing_ranges=self.missing, **given)
        elif path.suffix == ".dta":
            pyreadstat.write_dta(self.frame, path, **given)
        else:
            self.frame.to_csv(path, index=False, sep="\t" if path.suffix == ".tab" else ",")
            self.codebook().to_csv(path.with_name("codebook.csv"), index=False)
        return path


def _answers(rng: np.random.Generator, trait: np.ndarray, categories: int) -> np.ndarray:
    """Codes 1.. of a question on a trait, the most of it first."""
    rank = pd.Series(-trait + rng.normal(0, 1, len(trait))).rank(pct=True).to_numpy()
    return np.minimum((rank * categories).astype(int) + 1, categories)


@pytest.fixture
def deposit() -> Deposit:
    """One online survey year; who belongs is satisfied and chats."""
    rng = np.random.default_rng(20231)
    trait = rng.normal(size=N)
    frame = pd.DataFrame(
        {
            "Cserial": np.arange(N) + 1000.0,
            "SurveyYear": 1,
            "CMode": np.where(rng.random(N) < 0.7, 1, 2),
            "LADcode": np.array(LADS)[rng.integers(0, 3, N)],
            "RimWeight": rng.uniform(0.5, 1.5, N).round(4),
            "Stratum": rng.integers(1, 4, N),
            "SEX": rng.integers(1, 3, N),
            "SBeNeigh": _answers(rng, trait, 4),
            "Slocsat": _answers(rng, trait, 5),
            "SchatN": _answers(rng, trait, 6),
            "NComfort1": _answers(rng, trait, 4),
        }
    )
    for column in ("SBeNeigh", "Slocsat", "SchatN", "NComfort1"):
        frame.loc[rng.random(N) < 0.05, column] = -8
        frame.loc[rng.random(N) < 0.02, column] = -9
    frame.loc[:14, "SEX"] = 998
    labels = {
        "SurveyYear": {1: "2023/24"},
        "CMode": {1: "Online", 2: "Paper"},
        "SEX": {1: "Female", 2: "Male", 998: "Prefer not to say"},
        "SBeNeigh": STRENGTH | LOST,
        "Slocsat": SATISFIED | LOST,
        "SchatN": CHAT | LOST,
        "NComfort1": COMFORT | LOST,
    }
    wordings = {
        "RimWeight": "Individual weight",
        "LADcode": "Local authority of the address",
        "SBeNeigh": "How strongly do you feel you belong to your immediate neighbourhood",
        "Slocsat": "Satisfied with the local area as a place to live",
        "SchatN": "Chat to neighbours",
    }
    missing = {name: [-8, -9] for name in ("SBeNeigh", "Slocsat", "SchatN")}
    return Deposit(frame, copy.deepcopy(labels), wordings, missing)


@pytest.fixture
def areas() -> AreaTable:
    table = pd.DataFrame({"oa": [f"A{i}" for i in range(6)], "lad": [LADS[i // 2] for i in range(6)]}).astype("str")
    names = {"lad": dict(zip(LADS, ("Ashby", "Bourne, City of", "Corfe"), strict=True))}
    return AreaTable(table, "oa", ("lad",), (), None, np.ones(6, dtype=bool), names, ("oa", "lad"))


@pytest.fixture
def spec(tmp_path: Path) -> SurveySpec:
    return SurveySpec(
        "cls",
        tmp_path / "cls.sav",
        "LADcode",
        "lad",
        reader="cls",
        weight="RimWeight",
        strata="Stratum",
        mode="mode",
        community_life=CommunityLifeKeys(year_column="SurveyYear", mode_column="CMode"),
    )


@dataclass
class Reader:
    """Writes a deposit and reads it."""

    areas: AreaTable

    def collect(
        self,
        deposit: Deposit,
        spec: SurveySpec,
        columns: tuple[str, ...] = ("sex",),
        required: tuple[str, ...] = ("belonging",),
    ) -> tuple[Respondents | None, list[str]]:
        """Respondents and what is wrong."""
        deposit.write(spec.path)
        if spec.path.suffix in (".tab", ".csv") and spec.community_life is not None:
            keys = replace(spec.community_life, codebook=spec.path.with_name("codebook.csv"))
            spec = replace(spec, community_life=keys)
        problems = Problems()
        found = read_community_life(spec, self.areas, columns, problems, required)
        return found, [str(problem) for problem in problems]

    def read(self, *given: Any, **how: Any) -> Respondents:
        """Respondents of a deposit that is as it should be."""
        found, problems = self.collect(*given, **how)
        assert problems == []
        assert found is not None
        return found


@pytest.fixture
def reader(areas: AreaTable) -> Reader:
    return Reader(areas)
