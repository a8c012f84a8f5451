"""Brings published local-authority tables into a project, as the targets of a benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from placewise.errors import Problems, nearest
from placewise.pipeline.atomic import write_text
from placewise.pipeline.project_file import collect
from placewise.surveys.cls.workbook import PublishedAreas, read_cls_workbook


def import_workbook(
    project: Path,
    workbook: Path,
    sheet: str,
    level: str,
    out: Path,
    *,
    year: str = "2023/24",
    design_effect: float | None = None,
) -> PublishedAreas:
    """Write one sheet of the published tables of the Community Life Survey as ``code, name, estimate, se, n``.

    Parameters
    ----------
    project : Path
        Folder of ``placewise.toml``, whose areas have names at ``level``.
    workbook : Path
        The published workbook.
    sheet, level : str
        Such as ``B1c`` and the column of local authorities.
    out : Path
        CSV file, which ``[benchmark] targets`` takes as it is.
    year, design_effect
        As ``read_cls_workbook``.

    Raises
    ------
    DataError, ConfigurationError
        All that is wrong with the areas or the workbook; nothing is written then.
    """
    # imported here, since the publishing layer draws
    from placewise.publish.tables import DIGITS, safe_cells

    names = level_names(project, level)
    found = read_cls_workbook(workbook, sheet, names, year=year, design_effect=design_effect)
    text = safe_cells(found.table).to_csv(index=False, float_format=f"%.{DIGITS}g", lineterminator="\n")
    write_text(out, text)
    return found


def level_names(project: Path, level: str) -> Mapping[str, str]:
    """Names of a level's areas by code, as the project's areas have them.

    Raises
    ------
    ConfigurationError, DataError
        There is no such project, its areas cannot be read, or the level has no names.
    """
    from placewise.geography.reading import read_areas

    spec, problems = collect(project)
    if spec is None:
        problems.raise_if_any()
    assert spec is not None
    # the areas are all that is needed: a survey that is not there yet is no problem
    found = Problems()
    if level not in spec.areas.names:
        hint = nearest(level, spec.areas.names) or f'write names = {{ {level} = "COLUMN" }} in [areas]'
        found.add("areas.names", f"level {level!r} has no names, and a published table has no codes", hint)
    areas = read_areas(spec.areas, {}, found, ())
    found.raise_if_any()
    assert areas is not None
    return areas.names[level]
