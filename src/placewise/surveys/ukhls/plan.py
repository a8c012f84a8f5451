"""What is settled before an interview is read: files, mappings, weights, and the level to link by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from placewise.errors import Problems, nearest
from placewise.geography.areas import AreaTable
from placewise.surveys.recode import Recoding, read_recoding
from placewise.surveys.spec import GeographyFile, SurveySpec
from placewise.surveys.ukhls.files import StudyFiles, find_study
from placewise.surveys.ukhls.geography import read_lookup
from placewise.surveys.ukhls.recodings import BUILT_IN, SCALE
from placewise.surveys.ukhls.selection import weight_column
from placewise.surveys.ukhls.vintages import find_geography
from placewise.surveys.ukhls.wave import WaveFiles
from placewise.surveys.ukhls.waves import OWN


@dataclass(frozen=True, eq=False, repr=False)
class Plan:
    """What is settled before any interview is read.

    Parameters
    ----------
    study : mapping of (wave, stem) to Path
        The study's files.
    geography : mapping of wave to Path
        Files that say where households lived.
    recoding : Recoding
        The built-in mappings with the user's in place of their namesakes.
    weights : mapping of wave to str
        Column of each wave's weight; waves whose weight is not settled are left out.
    level : str
        Column of the areas that holds the geography's codes.
    lookup : Series of str or None
        The areas' code by the geography file's, where the user gives a lookup.
    own : frozenset of str
        Variables and columns, in lower case, that the user's recode file settles.
    """

    study: StudyFiles
    geography: Mapping[str, Path]
    recoding: Recoding
    weights: Mapping[str, str]
    level: str
    lookup: pd.Series | None
    own: frozenset[str] = frozenset()


def make_plan(spec: SurveySpec, areas: AreaTable | None, where: str, problems: Problems) -> Plan | None:
    """Settle files, recoding, weights and the level to link by, noting every problem of theirs.

    Parameters
    ----------
    areas : AreaTable or None
        None where they could not be read.
    where : str
        The survey's table in the project file, for messages.
    problems : Problems
        Takes what is wrong.

    Returns
    -------
    Plan or None
        What could be settled; None without a study to read, or without the mappings.
    """
    level = _level(spec, areas, f"{where}.area", problems)
    study = find_study(spec.path, spec.waves, where, problems)
    geography = find_geography(geography_of(spec), spec.area_column, spec.waves, where, problems)
    theirs = Recoding(()) if spec.recode is None else read_recoding(spec.recode, problems)
    weights = {wave: weight_column(spec, wave, where, problems) for wave in spec.waves}
    table = geography_of(spec).lookup
    lookup = None if table is None else read_lookup(table, f"{where}.geography.lookup", problems)
    if study is None or theirs is None:
        return None
    named = {wave: weight for wave, weight in weights.items() if weight is not None}
    own = frozenset(name.casefold() for v in theirs.variables for name in (v.name, *v.sources()))
    return Plan(study, geography or {}, BUILT_IN.overridden_by(theirs), named, level, lookup, own)


def geography_of(spec: SurveySpec) -> GeographyFile:
    """The survey's table ``geography``, which the project file must have."""
    assert spec.geography is not None
    return spec.geography


def ukhls_names(spec: SurveySpec) -> tuple[str, ...] | None:
    """Every name that a formula may use, without the wave's letter; None where a file cannot be opened."""
    problems = Problems()
    study = find_study(spec.path, spec.waves, "", problems)
    theirs = Recoding(()) if spec.recode is None else read_recoding(spec.recode, problems)
    if study is None or theirs is None or problems:
        return None
    names = {*OWN, SCALE, *BUILT_IN.overridden_by(theirs).names()}
    for wave in spec.waves:
        files = WaveFiles(wave, study, spec.path, "", problems)
        for stem in files.stems():
            files.open(stem)
        names |= {column.removeprefix(f"{wave}_") for column in files.columns()}
    return tuple(sorted(names)) if not problems else None


def _level(spec: SurveySpec, areas: AreaTable | None, where: str, problems: Problems) -> str:
    """Column of the areas that holds codes of the vintage: the user's, else the only one named after it."""
    groupings = () if areas is None else (areas.code, *areas.levels, *areas.classes)
    if not groupings:
        return spec.area_level
    if spec.area_level:
        if spec.area_level not in groupings:
            message = f"{spec.area_level!r} is neither the code, a level nor a class of the areas"
            problems.add(where, message, nearest(spec.area_level, groupings))
        return spec.area_level
    vintage = geography_of(spec).vintage
    alike = [g for g in groupings if g.casefold().startswith(vintage)]
    if len(alike) == 1:
        return alike[0]
    what = f"which column of the areas holds the codes of vintage {vintage!r} is not plain from its name"
    problems.add(where, what, f'write area = "…", one of {", ".join(groupings)}')
    return ""
