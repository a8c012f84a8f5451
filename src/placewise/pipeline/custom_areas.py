"""Areas of the user's own, read from files: groups of codes, postcodes, polygons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from placewise.errors import ConfigurationError, Problem, Problems, nearest
from placewise.estimates.groups import Members, members_of_table
from placewise.estimates.release import Release
from placewise.geography.codes import as_codes, as_numbers
from placewise.geography.tables import open_table, read_raw

POSTCODES = ("postcode", "pcds", "pcd", "pcd7", "pcd8")
AREA_CODES = ("area_code", "code")
GROUP = "group"
ALONE = "custom"
MOST_UNKNOWN = 0.05  # of a file's postcodes: more is another country or year


@dataclass(frozen=True)
class OwnAreas:
    """Members of the user's areas, and what is worth knowing of how they were found."""

    members: Members
    notes: tuple[str, ...] = ()


def areas_of_groups(release: Release, path: Path, weights: str | None) -> OwnAreas:
    """Areas from a table of an area code and a group.

    Parameters
    ----------
    release : Release
    path : Path
        Columns ``group`` and ``area_code`` (or ``code``, or the name of the release's code column or of a level).
    weights : str or None
        Column of people who take the place of the population.

    Raises
    ------
    DataError, ConfigurationError
        Every problem of the file.
    """
    found, where = Problems(), "--groups"
    codes = (*AREA_CODES, release.predictor.code, *release.predictor.levels)
    table = _table(path, where, {"code": codes, "group": (GROUP,)}, weights, found)
    found.raise_if_any()
    assert table is not None
    people = np.full(len(table), np.nan) if weights is None else table["people"].to_numpy(dtype=np.float64)
    members = members_of_table(
        release.predictor, table.assign(people=people), _in_order(table["group"]), where, "data", found
    )
    found.raise_if_any()
    return OwnAreas(members)


def areas_of_postcodes(release: Release, path: Path, lookup: Path | None, weights: str | None) -> OwnAreas:
    """Areas from a table of postcodes.

    An area counts with its population times the share of its postcodes that are in the group, among those of the
    lookup; or, with a column of weights, with the people given at its postcodes.

    Parameters
    ----------
    release : Release
    path : Path
        Column ``postcode``; ``group`` where there are several areas; an area code where there is no lookup, in which
        case the file must hold every postcode of the areas it touches (those of no group with an empty group).
    lookup : Path or None
        Columns ``postcode`` (or ``pcds``, ``pcd7``, ``pcd8``) and the code of the small area.
    weights : str or None
        Column of ``path``: people at each postcode.

    Raises
    ------
    DataError, ConfigurationError
        Every problem of the files.
    """
    found, where, codes = Problems(), "--postcodes", (*AREA_CODES, release.predictor.code)
    wanted = {"postcode": POSTCODES} | ({"code": codes} if lookup is None else {})
    table = _table(path, where, wanted, weights, found, group=True)
    pairs = table
    if lookup is not None:
        pairs = _table(lookup, "--postcode-lookup", {"postcode": POSTCODES, "code": codes}, None, found)
    found.raise_if_any()
    assert table is not None
    assert pairs is not None
    known = pd.Series(pairs["code"].to_numpy(dtype=object), index=pd.Index(pairs["postcode"]))
    known = known[~known.index.duplicated()]
    inside = table[table["group"].notna()]
    repeated = int(inside.duplicated(["postcode", "group"]).sum())
    if repeated and weights is None:
        hint = "keep one row each, or name a column of people by --weights"
        found.add(where, f"{repeated:,} rows repeat a postcode in its group", hint, "data")
    inside = inside.assign(code=known.reindex(inside["postcode"]).to_numpy(dtype=object))
    ours = pd.Index(release.predictor.codes).get_indexer(pd.Index(inside["code"])) >= 0
    notes = _without_area(inside["code"].isna().to_numpy(), ours, where, found)
    found.raise_if_any()
    inside = inside[ours]
    if weights is None:
        inside = inside.assign(people=_shared_people(inside, known, release))
    summed = inside.groupby(["group", "code"], sort=False)["people"].sum().reset_index()
    summed = summed[summed["people"] > 0]
    members = members_of_table(release.predictor, summed, _in_order(inside["group"]), where, "data", found)
    found.raise_if_any()
    return OwnAreas(members, notes)


def areas_of_polygons(release: Release, path: Path) -> OwnAreas:
    """Areas from polygons: the small areas whose population-weighted centroid lies inside or on the outline.

    Raises
    ------
    DataError, ConfigurationError
        Every problem of the file, polygons without any small area, or a release that holds no centroids.
    """
    from placewise.estimates.inside import members_of_polygons
    from placewise.geography.polygon_files import in_system, read_polygon_file

    found, where = Problems(), "--polygons"
    if release.centroids is None:
        hint = 'name them in placewise.toml, centroid = { x = "lng", y = "lat" } under [areas], and run again'
        raise ConfigurationError(Problem(where, "the release holds no centroids of its areas", hint))
    read = read_polygon_file(path, where, found)
    polygons = None if read is None else in_system(read, release.centroids.epsg, where, found)
    found.raise_if_any()
    assert polygons is not None
    members = members_of_polygons(release.predictor, release.centroids.points, polygons.names, polygons.shapes)
    empty = members.codes[members.population <= 0]
    if len(empty):
        shown = ", ".join(repr(str(name)) for name in empty[:10])
        low, high = release.centroids.points.min(axis=0), release.centroids.points.max(axis=0)
        reach = f"centroids reach from ({low[0]:g}, {low[1]:g}) to ({high[0]:g}, {high[1]:g})"
        message = f"{len(empty):,} polygons hold no centroid of a small area: {shown}"
        found.add(where, message, f"{reach}; are the polygons in the same reference system, and large enough?", "data")
    found.raise_if_any()
    return OwnAreas(members)


def _table(
    path: Path,
    where: str,
    wanted: Mapping[str, tuple[str, ...]],
    weights: str | None,
    found: Problems,
    group: bool = False,
) -> pd.DataFrame | None:
    """Columns by role as text, weights as numbers in ``people``; None where a problem was noted."""
    before = len(found)
    file = open_table(path, where, found, [name for names in wanted.values() for name in names])
    if file is None:
        return None
    lower = {name.lower(): name for name in file.columns}
    chosen = {}
    for role, names in wanted.items():
        there = [lower[name.lower()] for name in names if name.lower() in lower]
        if there:
            chosen[role] = there[0]
        else:
            expected = " or ".join(repr(name) for name in dict.fromkeys(names))
            found.add(where, f"{path.name} has no column {expected}", nearest(names[0], file.columns), "data")
    if group and GROUP in lower:
        chosen["group"] = lower[GROUP]
    if weights is not None:
        chosen["people"] = weights
    if len(found) > before:
        return None
    raw = read_raw(file, list(chosen.values()), where, found)
    if raw is None:
        return None
    table = pd.DataFrame({
        role: _plain(raw.frame[name]) if role == "postcode" else as_codes(raw.frame[name])
        for role, name in chosen.items()
        if role != "people"
    })  # fmt: skip
    for role in wanted:
        blank = int(table[role].isna().sum())
        if blank:
            found.add(where, f"{blank:,} rows of {path.name} lack {chosen[role]!r}", "mend or leave them out", "data")
    if group and "group" not in table:
        table["group"] = ALONE
    if weights is not None:
        table["people"] = _people(raw.frame[weights], weights, where, found)
    return table if len(found) == before else None


def _people(values: pd.Series, column: str, where: str, found: Problems) -> np.ndarray:
    numbers, bad = as_numbers(values)
    odd = bad | ~np.isfinite(numbers) | (numbers < 0)
    if odd.any():
        message = f"column {column!r} is blank, negative or no number in {int(odd.sum()):,} rows"
        found.add(where, message, "write people, 0 to leave an area out", "data")
    return numbers


def _in_order(groups: pd.Series) -> list[str]:
    return [str(name) for name in groups.drop_duplicates()]


def _plain(postcodes: pd.Series) -> pd.Series:
    """Postcodes as one word in capitals, however they are spaced."""
    words = pa.chunked_array(pa.array(postcodes, type=pa.string(), from_pandas=True))
    plain = pc.replace_substring(pc.utf8_upper(words), " ", "").to_pandas()
    return pd.Series(plain.array, index=postcodes.index, dtype="str")


def _without_area(missing: np.ndarray, ours: np.ndarray, where: str, found: Problems) -> tuple[str, ...]:
    """Note postcodes that have no area of the release; which they are is not told: they may be patients'."""
    notes = []
    elsewhere = ~missing & ~ours
    for what, odd in (("are not in the lookup", missing), ("lie outside the areas of the release", elsewhere)):
        if not odd.any():
            continue
        told = f"{int(odd.sum()):,} of {len(odd):,} postcodes {what}"
        if odd.mean() > MOST_UNKNOWN:
            found.add(
                where, told, "is the lookup of the right year and country, its codes those of the release?", "data"
            )
        notes.append(f"{told}: they are left out")
    if not len(ours):
        found.add(where, "no postcode belongs to a group", "write the group beside the postcode", "data")
    return tuple(notes)


def _shared_people(inside: pd.DataFrame, known: pd.Series, release: Release) -> np.ndarray:
    """People of each row: its area's, shared evenly among the area's postcodes."""
    all_of = known.value_counts()
    people = pd.Series(release.predictor.population, index=release.predictor.codes)
    codes = inside["code"]
    return np.asarray(people.reindex(codes).to_numpy() / all_of.reindex(codes).to_numpy(), dtype=np.float64)
