"""The panel's files in the manner of Understanding Society: one row an interview, a household, a person enumerated."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from placewise.pipeline.example.adults import Cuts, predictors
from placewise.pipeline.example.items import UKHLS_ITEMS, respond
from placewise.pipeline.example.labelled import LabelledTable
from placewise.pipeline.example.panel import FULL, NONE, PROXY, Issued, Wave
from placewise.pipeline.example.questionnaire import (
    ACROSS,
    BOOST,
    BOOST_ABSENT,
    BOOST_ONLY,
    MISSING,
    NO_BHPS,
    NO_UKHLS,
    VALUES,
    VARIABLES,
    lasting,
    lose,
    passing,
)
from placewise.pipeline.example.sampling import Places
from placewise.pipeline.example.traits import Country

# Tail of the weights' names, by wave; the self-completion weight is the one for the questions on neighbourhoods.
WEIGHT_TAIL = {"c": "ub_xw", "f": "ui_xw"}
FIRST_YEAR = {"c": 2011, "f": 2014}
FIRST_HOUSEHOLD = {"c": 68_006_800, "f": 272_006_800}
COHESION = tuple(f"scopngbh{letter}" for letter in "abcdefgh")
# Items of each domain: attraction, neighbouring, sense of community.
DOMAINS = ("f", "cdh", "abeg")
# Of those interviewed who returned no questionnaire: they were not routed to it.
NOT_ROUTED = 0.2
LOST_ITEM = {-9: 0.012, -1: 0.004, -2: 0.002}
HAS_CHILDREN = 0.28
NO_GEOGRAPHY = 0.006
FROM_BHPS = 0.1
TENURE = {1: 0.31, 2: 0.36, 3: 0.10, 4: 0.08, 6: 0.11, 7: 0.03, 8: 0.01}
UNPREFIXED = ("pidp", "pid")

# Kinds of special-licence file: study number, name of file and variable without the wave, level that it tells.
GEOGRAPHIES = {
    "lsoa01": ("6670", "lsoa01", "lsoa"),
    "lsoa11": ("7248", "lsoa11", "lsoa"),
    "lsoa21": ("9169", "lsoa21", "lsoa"),
    "msoa01": ("7245", "msoa01", "msoa"),
    "msoa11": ("7249", "msoa11", "msoa"),
    "msoa21": ("9170", "msoa21", "msoa"),
    "lad": ("6666", "oslaua", "lad"),
}


class Study:
    """What all files of the study share.

    Parameters
    ----------
    country, places
    cuts : mapping
        From `items.cutpoints`.
    issued : Issued
    rng : Generator
    geography : str
        Which special-licence file goes with the study, one of `GEOGRAPHIES`. The country's borders never change, so
        that one code serves every vintage.
    """

    def __init__(
        self,
        country: Country,
        places: Places,
        cuts: Cuts,
        issued: Issued,
        rng: np.random.Generator,
        geography: str = "lsoa21",
    ) -> None:
        self.country, self.places, self.cuts, self.issued, self.rng = country, places, cuts, issued, rng
        self.geography = geography
        n = len(issued.adults)
        self.people = lasting(n, rng)
        # children take numbers after the adults'
        self.pidp = 68_001_367 + 3_400 * rng.permutation(n)
        self.pid = np.where(rng.random(n) < FROM_BHPS, 10_000_007 + 67 * np.arange(n), -8)

    def files(self, waves: Mapping[str, Wave]) -> dict[str, LabelledTable]:
        """Every file by its name without ending: ``c_indresp``, ``c_lsoa21_protect``, ``xwavedat`` and so on."""
        found: dict[str, LabelledTable] = {}
        for letter, wave in waves.items():
            homes, home = self._homes(letter, wave)
            persons = self._persons(wave, homes, home)
            frames = {
                "indresp": self._interviews(letter, wave, persons, homes, home),
                "hhresp": homes.drop(columns="area"),
                "indall": self._enumerated(letter, wave, persons, homes),
            }
            frames |= self._geography(homes)
            found |= {f"{letter}_{name}": _labelled(frame, letter) for name, frame in frames.items()}
        found["xwavedat"] = _labelled(self._across(waves), "")
        return found

    def _homes(self, letter: str, wave: Wave) -> tuple[pd.DataFrame, np.ndarray]:
        """One row a household, ``area`` its position; and the row of each person's household."""
        rng = self.rng
        first, home, adults = np.unique(wave.household, return_index=True, return_inverse=True, return_counts=True)[1:]
        n, area, member = len(first), wave.people.area[first], wave.member[first]
        children = np.where(rng.random(n) < HAS_CHILDREN, 1 + rng.binomial(2, 0.35, n), 0)
        table = pd.DataFrame(
            {
                "hidp": FIRST_HOUSEHOLD[letter] + 6_800 * rng.permutation(n),
                "psu": self.issued.psu[member],
                "strata": self.issued.strata[member],
                "gor_dv": _region_codes(self.country)[area],
                "urban_dv": np.where(self.places.group[area] == 0, 2, 1),
                "tenure_dv": lose(rng.choice(list(TENURE), n, p=list(TENURE.values())), {-9: 0.008}, rng),
                "hhsize": adults + children,
                "nchild_dv": children,
                "area": area,
            }
        )
        return table, home

    def _persons(self, wave: Wave, homes: pd.DataFrame, home: np.ndarray) -> pd.DataFrame:
        """One row an adult enumerated: who, in which household, with which design."""
        start = np.flatnonzero(np.diff(home, prepend=-1))
        return pd.DataFrame(
            {
                "pidp": self.pidp[wave.member],
                "pid": self.pid[wave.member],
                "hidp": homes["hidp"].to_numpy()[home],
                "pno": 1 + np.arange(len(home)) - start[home],
                "psu": self.issued.psu[wave.member],
                "strata": self.issued.strata[wave.member],
                "sex": 2 - wave.people.sex,
                "dvage": wave.years,
            }
        )

    def _interviews(
        self, letter: str, wave: Wave, persons: pd.DataFrame, homes: pd.DataFrame, home: np.ndarray
    ) -> pd.DataFrame:
        """One row an interview, in full or by proxy."""
        rng, n = self.rng, len(persons)
        proxy = wave.outcome == PROXY
        month = rng.integers(0, 24, n)
        dates = pd.DataFrame(
            {
                "ivfio": wave.outcome,
                "istrtdatd": rng.integers(1, 29, n),
                "istrtdatm": 1 + month % 12,
                "istrtdaty": FIRST_YEAR[letter] + month // 12,
            }
        )
        own = self.people[["racel_dv", "hiqual_dv"]].iloc[wave.member].reset_index(drop=True)
        place = homes[["gor_dv", "urban_dv", "hhsize", "nchild_dv"]].iloc[home].reset_index(drop=True)
        parts = [persons, dates, place, own, passing(wave.people.age, proxy, rng), self._answers(letter, wave)]
        if letter == "f":
            parts.append(self._services(wave))
        tail = WEIGHT_TAIL[letter]
        parts.append(pd.DataFrame({f"ind{base}{tail}": np.round(wave.weight[base], 6) for base in ("px", "in", "sc")}))
        table: pd.DataFrame = pd.concat(parts, axis=1).loc[wave.outcome != NONE]
        return table.sort_values("pidp", ignore_index=True)

    def _answers(self, letter: str, wave: Wave) -> pd.DataFrame:
        """Codes of the statements on the neighbourhood, 1 strong agreement, and the scale made of them."""
        rng, people = self.rng, wave.people
        n = len(people.area)
        m = predictors(self.country, people.area, people.age, people.sex)
        proxy, full = wave.outcome == PROXY, wave.outcome == FULL
        absent = np.select([proxy, full & (rng.random(n) < NOT_ROUTED)], [-7, -8], -9)
        columns = {}
        for name, item in UKHLS_ITEMS.items():
            cuts = self.cuts[letter][name]
            answer = respond(item, cuts, m[:, item.trait], people.residual[:, item.trait], rng.random(n))
            code = lose(6 - answer, LOST_ITEM, rng)
            # trust was asked by the interviewer
            columns[name] = np.where(proxy, -7, code) if name == "nbrcoh3" else np.where(wave.returned, code, absent)
        table = pd.DataFrame(columns)
        life = 1 + rng.binomial(6, 0.72, n)
        table["sclfsato"] = np.where(wave.returned, lose(life, LOST_ITEM, rng), absent)
        table["nbrsnci_dv"] = np.where(proxy, -7, cohesion(table[list(COHESION)].to_numpy()))
        return table

    def _services(self, wave: Wave) -> pd.DataFrame:
        """Two questions of wave f, one not put to the boost sample, one to nobody else."""
        rng, boost = self.rng, self.issued.boost[wave.member]
        codes = [lose(rng.integers(1, 5, len(boost)), {-1: 0.05}, rng) for _ in range(2)]
        return pd.DataFrame(
            {
                "locserap": np.where(boost, BOOST_ABSENT, codes[0]),
                "locseras": np.where(boost, codes[1], BOOST_ONLY),
            }
        )

    def _enumerated(self, letter: str, wave: Wave, persons: pd.DataFrame, homes: pd.DataFrame) -> pd.DataFrame:
        """One row a person of any age."""
        weight = f"psnen{WEIGHT_TAIL[letter]}"
        adults = persons.assign(**{weight: np.round(wave.weight["en"], 6)})
        mother = np.repeat(np.arange(len(homes)), homes["nchild_dv"])
        n = len(mother)
        order = np.arange(n) - np.searchsorted(mother, mother)
        before = (homes["hhsize"] - homes["nchild_dv"]).to_numpy()[mother]
        household = homes.iloc[mother].reset_index(drop=True)
        children = household[["hidp", "psu", "strata"]].assign(
            pidp=self.pidp.max() + 3_400 * (1 + np.arange(n)) + 340 * (letter == "f"),
            pid=-8,
            pno=1 + before + order,
            sex=self.rng.integers(1, 3, n),
            dvage=self.rng.integers(0, 16, n),
            **{weight: 0.0},
        )
        table = pd.concat([adults, children[adults.columns]], ignore_index=True)
        return table.sort_values(["hidp", "pno"], ignore_index=True)

    def _geography(self, homes: pd.DataFrame) -> dict[str, pd.DataFrame]:
        """The special-licence file: where each household lives; of a few it is not known."""
        _, name, level = GEOGRAPHIES[self.geography]
        codes = self.country.areas[level].to_numpy(dtype=object)[homes["area"]]
        codes = np.where(self.rng.random(len(codes)) < NO_GEOGRAPHY, "-9", codes)
        table = pd.DataFrame({"hidp": homes["hidp"].to_numpy(), name: codes})
        return {f"{name}_protect": table.sort_values("hidp", ignore_index=True)}

    def _across(self, waves: Mapping[str, Wave]) -> pd.DataFrame:
        """One row a person ever enumerated: what is known over the waves, from this study or the one before it."""
        seen = np.unique(np.concatenate([wave.member for wave in waves.values()]))
        asked = np.unique(np.concatenate([wave.member[wave.outcome == FULL] for wave in waves.values()]))
        known = np.isin(seen, asked)
        table = self.people[["racel_dv", "ethn_dv", "bornuk_dv"]].iloc[seen].reset_index(drop=True)
        bhps = self.pid[seen] > 0
        for name in table.columns:
            table[name] = np.where(known, table[name], np.where(bhps, NO_UKHLS, NO_BHPS))
        table.insert(0, "pidp", self.pidp[seen])
        return table.sort_values("pidp", ignore_index=True)


def cohesion(items: np.ndarray) -> np.ndarray:
    """Buckner's neighbourhood cohesion instrument in its short form, as the study derives it.

    Parameters
    ----------
    items : ndarray of int, shape (n, 8)
        Codes of ``scopngbha`` to ``h``, 1 strong agreement; negative where missing.

    Returns
    -------
    ndarray, shape (n,)
        Mean of the reversed items to one decimal, halves up; -9 where more than half the items of a domain are
        missing.
    """
    there = items > 0
    gone = np.zeros(len(items), dtype=bool)
    for domain in DOMAINS:
        of_domain = there[:, ["abcdefgh".index(letter) for letter in domain]]
        gone |= 2 * of_domain.sum(axis=1) < len(domain)
    # whole numbers, so that a half is met exactly: tenths of the mean are 10 sum / n
    total, n = np.where(there, 6 - items, 0).sum(axis=1), np.maximum(there.sum(axis=1), 1)
    tenths = (20 * total + n) // (2 * n)
    return np.where(gone, -9.0, tenths / 10)


def _region_codes(country: Country) -> np.ndarray:
    """Region of each area as the study numbers them: England's nine as their codes end, Wales 10, else in order."""
    region = country.areas["region"].astype("category")
    codes = [_region_code(str(code), i) for i, code in enumerate(region.cat.categories)]
    return np.array(codes)[region.cat.codes.to_numpy()]


def _region_code(code: str, i: int) -> int:
    if code.startswith("E1200000"):
        return int(code[-1])
    return 10 if code.startswith("W") else i + 1


def _labelled(frame: pd.DataFrame, letter: str) -> LabelledTable:
    """A file with the wave's letter before its variables, and its labels."""
    name = {c: c if c in UNPREFIXED or not letter else f"{letter}_{c}" for c in frame.columns.astype(str)}
    numeric = [c for c in name if c not in ("pidp", "hidp") and pd.api.types.is_numeric_dtype(frame[c])]
    reserved = MISSING | {"": ACROSS, "f": BOOST}.get(letter, {})
    values = {}
    for column in numeric:
        held = {code: text for code, text in reserved.items() if (frame[column] == code).any()}
        if VALUES.get(column) or held:
            values[name[column]] = {**held, **VALUES.get(column, {})}
    wordings = {name[c]: VARIABLES.get(c, c) for c in name}
    return LabelledTable(frame.rename(columns=name), wordings, values)
