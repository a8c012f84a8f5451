"""A deposit in small, in every format and layout the study comes in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from placewise.errors import Problems
from placewise.geography.areas import AreaTable
from placewise.surveys.respondents import Respondents
from placewise.surveys.spec import GeographyFile, SurveySpec
from placewise.surveys.ukhls.reading import read_ukhls

N, HOUSEHOLDS, LSOAS = 120, 80, 12
WEIGHT = {"a": "indscus_xw", "c": "indscub_xw", "f": "indscui_xw", "o": "indscg2_xw"}
ITEMS = [f"scopngbh{letter}" for letter in "abcdefgh"]
LABELS = {
    "sex": {1: "male", 2: "female"},
    "nbrsnci_dv": {-9: "missing", 1: "lowest cohesion", 5: "highest cohesion"},
    "tenure_dv": {1: "Owned outright", 2: "Owned with mortgage", 3: "Local authority rent"},
    "hiqual_dv": {1: "Degree", 2: "Other higher degree", 3: "A-level etc", 9: "No qualification"},
    "jbstat": {1: "Self employed", 2: "Paid employment(ft/pt)", 3: "Unemployed", 97: "Doing something else"},
    "racel_dv": {-9: "missing", 1: "british/english/scottish/welsh/northern irish (white)", 9: "Indian"},
    **{item: {-9: "missing", 1: "Strongly agree", 5: "Strongly disagree"} for item in ITEMS},
}
LAYOUTS = {
    "flat": "{file}",
    "edition": "UKDA-6614/{format}/ukhls/{file}",
    "by wave": "UKDA-6614-old/ukhls_w{number}/{file}",
}


def lsoa(households: np.ndarray, year: str = "21") -> np.ndarray:
    return np.array([f"E01{year}{h % LSOAS:04d}" for h in households], dtype=object)


def code(vintage: str, households: np.ndarray) -> np.ndarray:
    """The code a special-licence file gives each household: the nesting of the areas table below."""
    k = np.asarray(households) % LSOAS
    named = {
        "lsoa": [f"E01{vintage[4:]}{i:04d}" for i in k],
        "msoa": [f"E02{vintage[4:]}{i // 3:04d}" for i in k],
        "lad": [f"E07{i // 6:06d}" for i in k],
        "oac": [f"{i % 4 + 1}a{i % 3 + 1}" for i in k],
    }
    return np.array(named[vintage[:4] if vintage[:4] in named else vintage], dtype=object)


def wave_tables(wave: str) -> dict[str, pd.DataFrame]:
    """Files of one wave by stem; a fifth of its people answer in no other wave."""
    rng = np.random.default_rng(ord(wave))
    person = 680_000_001 + 4 * np.arange(N) + (0 if wave == "c" else 4 * N // 5)
    household = 68_000_000 + 1000 * ord(wave) + np.arange(N) % HOUSEHOLDS
    attached = rng.normal(size=N)
    items = {item: np.clip(np.round(3 - attached + rng.normal(scale=0.6, size=N)), 1, 5).astype(int) for item in ITEMS}
    main = pd.DataFrame(
        {
            "hidp": household,
            "psu": 100 + household % 10,
            "strata": 1 + household % 5,
            WEIGHT[wave]: np.round(rng.gamma(4, 0.25, N), 6) + 0.01,
            "sex": 1 + np.arange(N) % 2,
            "age_dv": 16 + (7 * np.arange(N)) % 70,
            "hiqual_dv": np.resize([1, 2, 3, 4, 5, 9], N),
            "jbstat": np.resize([1, 2, 3, 4, 6, 7, 8, 97], N),
            "gor_dv": 1 + np.arange(N) % 2,
            "sclfsato": 1 + np.arange(N) % 7,
            "fimngrs": -50.5 - np.arange(N),
            **items,
        }
    )
    main.loc[3, ITEMS[0]] = -9
    main.loc[4, ITEMS[1]] = -8
    main.loc[5, "sex"] = -9
    main.loc[[6, 7], WEIGHT[wave]] = 0.0
    main["nbrsnci_dv"] = official(main[ITEMS].to_numpy(dtype=float))
    main.columns = pd.Index([f"{wave}_{c}" for c in main.columns])
    main.insert(0, "pidp", person)
    homes = np.unique(household)
    households = pd.DataFrame({f"{wave}_hidp": homes, f"{wave}_tenure_dv": 1 + homes % 8})
    status = np.resize([1, 2, 4, 6], N)
    everyone = pd.DataFrame({"pidp": person, f"{wave}_hidp": household, f"{wave}_mastat_dv": status})
    return {"indresp": main, "hhresp": households, "indall": everyone}


def official(items: np.ndarray) -> np.ndarray:
    """The released scale by the rule as documented, person by person and item by item; -9 where there is none."""
    scores = []
    for row in items:
        lost = [letter for letter, x in zip("abcdefgh", row, strict=True) if x < 0]
        if any(2 * sum(c in domain for c in lost) > len(domain) for domain in ("f", "cdh", "abeg")):
            scores.append(-9.0)
        else:
            answers = [6 - x for x in row if x > 0]
            scores.append(int(10 * sum(answers) / len(answers) + 0.5 + 1e-9) / 10)
    return np.array(scores)


def across(waves: Mapping[str, Mapping[str, pd.DataFrame]]) -> pd.DataFrame:
    people = np.unique(np.concatenate([tables["indresp"]["pidp"] for tables in waves.values()]))
    groups = np.resize([1, 4, 6, 9, 12, 15, 17, 97, -20, -9], len(people))
    return pd.DataFrame({"pidp": people, "racel_dv": groups})


@dataclass(frozen=True)
class Deposit:
    """What is to be written: tables by file name without ending."""

    tables: dict[str, pd.DataFrame]
    geography: dict[str, pd.DataFrame] = field(default_factory=dict)

    def changed(self, name: str, column: str, rows: object, value: object) -> Deposit:
        table = self.tables[name].copy()
        table[column] = table[column].astype(object)
        table.loc[rows, column] = value
        table[column] = table[column].infer_objects()
        return replace(self, tables={**self.tables, name: table})

    def write(self, root: Path, suffix: str = ".tab", layout: str = "flat") -> Path:
        for name, table in self.tables.items():
            number = "abcdefghijklmno".find(name[0]) + 1 if "_" in name else 0
            at = LAYOUTS[layout].format(file=f"{name}{suffix}", format=suffix[1:], number=number)
            write_table(table, root / at)
        for name, table in self.geography.items():
            write_table(table, root / "geo" / f"{name}_protect{suffix}")
        return root


def write_table(table: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    labels = {c: v for c in table.columns if (v := LABELS.get(c, LABELS.get(c[2:]))) is not None}
    if path.suffix == ".tab":
        table.to_csv(path, sep="\t", index=False)
    elif path.suffix == ".sav":
        numeric = table.select_dtypes("number").columns
        missing = {c: [{"lo": -9, "hi": -1}] for c in numeric if c in labels}
        pyreadstat.write_sav(table, str(path), variable_value_labels=labels, missing_ranges=missing)
    else:
        pyreadstat.write_dta(table, str(path), variable_value_labels=labels)


@pytest.fixture
def deposit() -> Callable[..., Deposit]:
    def build(waves: str = "c", vintage: str = "lsoa21") -> Deposit:
        made = {wave: wave_tables(wave) for wave in waves}
        tables = {f"{wave}_{stem}": table for wave, files in made.items() for stem, table in files.items()}
        column = {"lad": "oslaua"}.get(vintage, vintage)
        geography = {}
        for wave, files in made.items():
            homes = files["hhresp"][f"{wave}_hidp"].to_numpy()
            geography[f"{wave}_{column}"] = pd.DataFrame(
                {f"{wave}_hidp": homes, f"{wave}_{column}": code(vintage, homes)}
            )
        return Deposit({**tables, "xwavedat": across(made)}, geography)

    return build


@pytest.fixture
def areas() -> AreaTable:
    k = np.arange(LSOAS)
    columns = {
        "lsoa21cd": code("lsoa21", k),
        "msoa21cd": code("msoa21", k),
        "lad22cd": code("lad", k),
        "lsoa11cd": code("lsoa11", k),
        "lsoa01cd": code("lsoa01", k),
        "msoa11cd": code("msoa11", k),
        "msoa01cd": code("msoa01", k),
        "oac_subgroup": code("oac", k),
    }
    table = pd.DataFrame(columns).astype("str")
    classes = ("lsoa11cd", "lsoa01cd", "msoa11cd", "msoa01cd", "oac_subgroup")
    return AreaTable(
        table, "lsoa21cd", ("msoa21cd", "lad22cd"), classes, None, np.ones(LSOAS, bool), available=tuple(columns)
    )


@pytest.fixture
def spec(tmp_path: Path) -> SurveySpec:
    return SurveySpec(
        "panel",
        tmp_path,
        "",
        "",
        reader="ukhls",
        waves=("c",),
        geography=GeographyFile(tmp_path / "geo", "lsoa21"),
    )


@dataclass(frozen=True)
class Reading:
    """Reads a survey that is fine, or tells what is wrong with one that is not."""

    areas: AreaTable

    def people(self, spec: SurveySpec, *required: str, columns: tuple[str, ...] = ()) -> Respondents:
        problems = Problems()
        found = read_ukhls(spec, self.areas, columns, problems, required)
        assert found is not None, [str(p) for p in problems]
        assert not problems
        return found

    def faults(self, spec: SurveySpec, *required: str, columns: tuple[str, ...] = ()) -> list[str]:
        problems = Problems()
        assert read_ukhls(spec, self.areas, columns, problems, required, ", which m asks for") is None
        assert problems
        told = [str(p) for p in problems]
        assert "680000" not in "".join(told), "a person's id in a message"
        return told


@pytest.fixture
def reading(areas: AreaTable) -> Reading:
    return Reading(areas)
