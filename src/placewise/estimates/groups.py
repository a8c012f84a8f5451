"""Which small areas belong to which larger one, and how much each counts: levels, and groups of the user's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from placewise.errors import Kind, Problems, nearest
from placewise.estimates.predictor import Predictor

_FEW = 5_000  # codes that are searched for the nearest match
_SHOWN = 10

Groups = Mapping[str, Iterable[str] | Mapping[str, float]]


@dataclass(frozen=True, eq=False)
class Members:
    """Small areas of some larger ones.

    Parameters
    ----------
    codes : ndarray of object (str), shape (G,)
        Codes of the larger areas.
    row : ndarray of int64, shape (m,)
        Position of a small area.
    group : ndarray of int64, shape (m,)
        Position in ``codes`` of a larger area that it belongs to; it may belong to several.
    weight : ndarray of float64, shape (m,)
        People with whom it counts there, above 0.
    """

    codes: np.ndarray
    row: np.ndarray
    group: np.ndarray
    weight: np.ndarray

    @property
    def population(self) -> np.ndarray:
        """People of each larger area, float64, shape (G,)."""
        return np.bincount(self.group, self.weight, minlength=len(self.codes))

    def take(self, groups: np.ndarray) -> Members:
        """The members of some of the larger areas, each named once."""
        place = np.full(len(self.codes), -1)
        place[groups] = np.arange(len(groups))
        kept = place[self.group] >= 0
        return Members(self.codes[groups], self.row[kept], place[self.group[kept]], self.weight[kept])


def members_of_level(predictor: Predictor, level: str) -> Members:
    """Every small area in its area of a level the predictor has; codes are sorted, those of small areas as they are."""
    own = predictor.codes if level == predictor.code else predictor.levels[level]
    group, codes = pd.factorize(np.asarray(own, dtype=object), sort=level != predictor.code)
    weight = np.asarray(predictor.population, dtype=np.float64)
    return Members(np.asarray(codes, dtype=object), np.arange(len(own)), np.asarray(group, dtype=np.int64), weight)


def members_of_groups(predictor: Predictor, groups: Groups, where: str, kind: Kind, found: Problems) -> Members:
    """Members of groups that are given as codes, or as codes with the people that count.

    Parameters
    ----------
    groups : mapping of name to codes, or to mapping of code to people
        Codes of small areas or, for all of theirs, of areas of any level. A small area may be in several groups.
    where : str
        What messages call the groups.
    kind : {"configuration", "data"}
        Whose mistake it is.
    found : Problems
        Takes everything that is wrong.
    """
    names, codes, people = [], [], []
    for name, members in groups.items():
        listed = list(members)
        if not listed:
            found.add(f"{where} {name!r}", "it has no areas", "name at least one", kind)
        names += [name] * len(listed)
        codes += listed
        people += list(members.values()) if isinstance(members, Mapping) else [np.nan] * len(listed)
    table = pd.DataFrame({"group": names, "code": codes, "people": np.array(people, dtype=np.float64)})
    return members_of_table(predictor, table, list(groups), where, kind, found)


def members_of_table(
    predictor: Predictor, table: pd.DataFrame, names: list[str], where: str, kind: Kind, found: Problems
) -> Members:
    """Members from rows of ``group``, ``code`` and ``people``, NaN standing for the population.

    Parameters
    ----------
    names : list of str
        The groups, in the order wanted.
    """
    group = pd.Index(names).get_indexer(pd.Index(table["group"]))
    codes, people = table["code"].to_numpy(dtype=object), table["people"].to_numpy(dtype=np.float64)
    rows = pd.Index(predictor.codes).get_indexer(pd.Index(codes))
    entry, row = np.flatnonzero(rows >= 0), rows[rows >= 0]
    larger = np.flatnonzero(rows < 0)
    if len(larger):
        more_entry, more_row = _of_larger_areas(predictor, codes, larger, where, kind, found)
        entry, row = np.concatenate([entry, more_entry]), np.concatenate([row, more_row])
        ordered = np.argsort(entry, kind="stable")
        entry, row = entry[ordered], row[ordered]
    _note_repeated(predictor, names, group[entry], row, codes[entry], where, kind, found)
    if not (np.isnan(people) | (np.isfinite(people) & (people >= 0))).all():
        found.add(where, "some weights are negative or not finite", "write people, 0 to leave an area out", kind)
    population = np.asarray(predictor.population[row], dtype=np.float64)
    # the people of a larger area are spread as its population is
    whole = np.bincount(entry, population, minlength=len(codes))
    share = np.divide(people[entry], whole[entry], out=np.zeros(len(entry)), where=whole[entry] > 0)
    weight = np.where(np.isnan(people[entry]), population, share * population)
    counts = np.bincount(group[entry], weight, minlength=len(names))
    for g in np.flatnonzero(counts <= 0):
        if not len(found):
            found.add(f"{where} {names[g]!r}", "all weights are zero", "write people above 0", kind)
    kept = weight > 0
    return Members(np.array(names, dtype=object), row[kept], group[entry][kept], weight[kept])


def _of_larger_areas(
    predictor: Predictor, codes: np.ndarray, larger: np.ndarray, where: str, kind: Kind, found: Problems
) -> tuple[np.ndarray, np.ndarray]:
    """Entries and small areas of codes that are no small area's."""
    wanted = dict.fromkeys(codes[larger])
    inside: dict[str, np.ndarray] = {}
    for level in predictor.levels.values():
        place, known = pd.factorize(level)
        for k in pd.Index(known).get_indexer(pd.Index([c for c in wanted if c not in inside])):
            if k >= 0:
                inside[str(known[k])] = np.flatnonzero(place == k)
    unknown = [code for code in wanted if code not in inside]
    for code in unknown[:_SHOWN]:
        found.add(where, f"there is no area {code!r}", code_hint(str(code), predictor.codes), kind)
    if len(unknown) > _SHOWN:
        found.add(where, f"{len(unknown) - _SHOWN:,} more codes are no areas of the release", kind=kind)
    known_entries = [k for k in larger if codes[k] in inside]
    entry = [np.full(len(inside[codes[k]]), k) for k in known_entries]
    nothing = np.empty(0, dtype=np.int64)
    if not known_entries:
        return nothing, nothing
    return np.concatenate(entry), np.concatenate([inside[codes[k]] for k in known_entries])


def _note_repeated(
    predictor: Predictor,
    names: list[str],
    group: np.ndarray,
    row: np.ndarray,
    code: np.ndarray,
    where: str,
    kind: Kind,
    found: Problems,
) -> None:
    """Note small areas that are in one group twice, by the codes as written."""
    key = group.astype(np.int64) * len(predictor.codes) + row
    repeated = pd.Series(key).duplicated().to_numpy()
    twice = dict.fromkeys(zip(group[repeated], code[repeated], strict=True))
    for g, written in list(twice)[:_SHOWN]:
        found.add(f"{where} {names[g]!r}", f"{written!r} is named twice, or lies inside another", kind=kind)
    if len(twice) > _SHOWN:
        found.add(where, f"{len(twice) - _SHOWN:,} more codes are repeated", kind=kind)


def code_hint(code: str, codes: np.ndarray) -> str:
    """Nearest code; among very many, what a code looks like."""
    if len(codes) <= _FEW:
        return nearest(code, codes)
    return f"codes look like {codes[0]!r}"
