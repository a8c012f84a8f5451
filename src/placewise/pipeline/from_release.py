"""Answers about areas of one's own choice, from a release alone: no survey, no model is needed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from placewise.errors import ConfigurationError, Problem, Problems
from placewise.estimates.release_files import FACTS, read_facts

if TYPE_CHECKING:
    import pandas as pd

    from placewise.estimates.release import Release
    from placewise.pipeline.comparison import Comparison

POPULATION = "population"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What areas of the user's own are made of: one of the first four.

    Parameters
    ----------
    codes : tuple of str
        Taken together as one area.
    groups, postcodes, polygons : Path or None
        Files of several; see ``placewise.pipeline.custom_areas``.
    postcode_lookup : Path or None
        Goes with ``postcodes``.
    weights : str or None
        Column of people in ``groups`` or ``postcodes``; ``population`` or None for the areas' own.
    """

    codes: tuple[str, ...] = ()
    groups: Path | None = None
    postcodes: Path | None = None
    polygons: Path | None = None
    postcode_lookup: Path | None = None
    weights: str | None = None


def own_areas(folder: str | Path, request: Request, differences: bool = False) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Estimates of areas of the user's own, or the differences between them.

    Parameters
    ----------
    folder : path
        ``<outcome>/release`` of a run.
    request : Request
    differences : bool
        One row a pair of areas, and one a pair of area and nation, instead of one an area.

    Returns
    -------
    table : DataFrame
        Columns of ``estimates``, or of ``group_comparisons`` with ``outcome``; ``area_level`` is ``custom``.
    notes : tuple of str
        What is worth knowing of how the areas were found.

    Raises
    ------
    DataError, ConfigurationError
        Every problem of the request, its files or the release.
    """
    _check(request)
    release, weights = _read(folder), None if request.weights == POPULATION else request.weights
    from placewise.estimates.custom import group_comparisons, group_estimates, members_together
    from placewise.pipeline.custom_areas import OwnAreas, areas_of_groups, areas_of_polygons, areas_of_postcodes
    from placewise.publish.tables import with_outcome

    if request.groups is not None:
        own = areas_of_groups(release, request.groups, weights)
    elif request.postcodes is not None:
        own = areas_of_postcodes(release, request.postcodes, request.postcode_lookup, weights)
    elif request.polygons is not None:
        own = areas_of_polygons(release, request.polygons)
    else:
        own = OwnAreas(members_together(release.predictor, request.codes))
    if differences:
        table = group_comparisons(release, own.members)
    else:
        table = group_estimates(release, own.members)
        if request.codes:
            table = table.assign(area_name=", ".join(request.codes))
    return with_outcome(table, Path(folder).resolve().parent.name), own.notes


def _check(request: Request) -> None:
    """Note what does not go together."""
    found = Problems()
    ways = {"--codes": request.codes, "--groups": request.groups, "--postcodes": request.postcodes,
            "--polygons": request.polygons}  # fmt: skip
    given = [name for name, value in ways.items() if value]
    if len(given) != 1:
        found.add("aggregate", f"got {' and '.join(given) or 'no areas'}", f"give one of {', '.join(ways)}")
    if request.postcode_lookup is not None and request.postcodes is None:
        found.add("--postcode-lookup", "there are no postcodes to look up", "give --postcodes too")
    if request.weights not in (None, POPULATION) and not (request.groups or request.postcodes):
        hint = f"give --groups or --postcodes, or --weights {POPULATION}"
        found.add("--weights", f"{request.weights!r} is a column of a file, and there is none", hint)
    found.raise_if_any()


def compare(folder: str | Path, a: str, b: str, index: bool = False) -> Comparison:
    """Posterior of the difference between two areas of one level, chance in who lives there left out.

    Parameters
    ----------
    folder : path
        ``<outcome>/release`` of a run.
    a, b : str
        Codes, or names that only one area of their level has.
    index : bool
        In units of the index instead of the estimand's.

    Raises
    ------
    ConfigurationError
        An unknown or ambiguous area, areas of two levels, or there is no release.
    """
    release = _read(folder)
    from placewise.pipeline.comparison import compare_areas

    return compare_areas(release, a, b, index)


def _read(folder: str | Path) -> Release:
    """The release of a folder; its files are hashed while the libraries that read them are loaded."""
    folder = Path(folder)
    if not (folder / FACTS).is_file():
        raise ConfigurationError(
            Problem(str(folder), "this is no release", "name <outcome>/release in the folder of results of a run")
        )
    with ThreadPoolExecutor(1) as pool:
        facts = pool.submit(read_facts, folder)
        from placewise.estimates.release import read_release

        return read_release(folder, facts.result())
