"""The keys of ``placewise.toml`` and the checks across them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from placewise.errors import nearest
from placewise.frame.spec import FrameSpec, MarginSpec, RakedFrameSpec, SeedSpec
from placewise.geography.spec import AreasSpec, CentroidSpec, GeometrySpec, JoinSpec
from placewise.pipeline.community_life_keys import KEYS as COMMUNITY_LIFE
from placewise.pipeline.community_life_keys import community_life_keys
from placewise.pipeline.ukhls_keys import NOT_OF_UKHLS, UKHLS, ukhls_settings
from placewise.schema import (
    Key,
    Place,
    data_file,
    describe,
    expand,
    label,
    list_of,
    must_be_known,
    one_of,
    repeated,
    safe_name,
    scalar,
    seed_number,
    table,
    table_of,
    text,
    walk,
)
from placewise.surveys.recode.parse import read_recoding
from placewise.surveys.spec import SurveySpec

_TABULAR = data_file(".parquet", ".csv")
_SURVEY_FILE = data_file(".csv", ".tab", ".parquet", ".sav", ".dta")
_EITHER = "give 'cells' and 'count', or 'margins' and perhaps a 'seed'"

# rows of the estimates that are no level of the user's
RESERVED_LEVELS = ("national", "base", "custom")


def _texts(value: Any, place: Place) -> tuple[str, ...] | None:
    """One name or a list of names, as a tuple."""
    if isinstance(value, str):
        one = text(value, place)
        return None if one is None else (one,)
    several: tuple[str, ...] | None = list_of(text, least=1)(value, place)
    return several


def _raw(value: Any, place: Place) -> Any:
    """The value as it stands: read later, once its surroundings are known."""
    return value


def _recode_file(value: Any, place: Place) -> Path | None:
    """Path of a recode file whose own problems are noted."""
    path: Path | None = data_file(".toml")(value, place)
    if path is not None and path.is_file():
        read_recoding(path, place.problems)
    return path


TOP = {
    "project": Key(_raw, default={}),
    "areas": Key(_raw, required=True),
    "frame": Key(_raw),
    "variables": Key(table_of(table({"order": Key(list_of(label, least=2), required=True)}))),
    "survey": Key(_raw, required=True),
    "index": Key(table({"base": Key(table_of(list_of(label, least=1)))})),
    "joint": Key(table({"outcomes": Key(list_of(text, least=2), required=True)})),
}

PROJECT = {
    "name": Key(text),
    "title": Key(text),
    "seed": Key(seed_number, default=1),
    "out": Key(text, default="reports"),
}

_JOIN = {"table": Key(_TABULAR, required=True), "on": Key(table_of(text), required=True)}
_GEOMETRY = {"table": Key(data_file(".parquet"), required=True), "code": Key(text, required=True)}
_CENTROID = {"x": Key(text, required=True), "y": Key(text, required=True), "epsg": Key(seed_number)}
AREAS = {
    "table": Key(_TABULAR, required=True),
    "join": Key(list_of(table(_JOIN, JoinSpec), distinct=False), default=()),
    "code": Key(text, required=True),
    "levels": Key(list_of(text), default=()),
    "classes": Key(list_of(text), default=()),
    "names": Key(table_of(text)),
    "population": Key(text),
    "centroid": Key(table(_CENTROID, CentroidSpec)),
    "neighbours": Key(table_of(_TABULAR)),
    "geometry": Key(table_of(table(_GEOMETRY, GeometrySpec))),
    "imputed": Key(table_of(text)),
}

_MARGIN = {
    "table": Key(_TABULAR, required=True),
    "variable": Key(_texts, required=True),
    "count": Key(text, required=True),
}
_SEED_TABLE = {"table": Key(_TABULAR, required=True), "count": Key(text, required=True), "by": Key(list_of(text))}


def _margin(**found: Any) -> MarginSpec:
    return MarginSpec(found["table"], found["variable"], found["count"])


FRAME = {
    "cells": Key(_TABULAR),
    "count": Key(text),
    "margins": Key(list_of(table(_MARGIN, _margin), least=1)),
    "seed": Key(table(_SEED_TABLE, SeedSpec)),
}

SURVEY = {
    "reader": Key(one_of("table", "ukhls", "cls"), default="table"),
    "path": Key(expand, required=True),
    "area": Key(_raw),
    "where": Key(table_of(list_of(scalar, least=1))),
    "missing": Key(list_of(scalar)),
    "recode": Key(_recode_file),
    "weight": Key(text),
    "psu": Key(text),
    "strata": Key(text),
    "mode": Key(text),
    "person": Key(text),
}
_OF_READER: Mapping[str, Mapping[str, Key]] = {
    "table": {},
    "ukhls": UKHLS,
    "cls": {"path": Key(data_file(".sav", ".dta", ".tab", ".csv"), required=True), **COMMUNITY_LIFE},
}


def groupings(tables: Mapping[str, Any]) -> tuple[str, ...]:
    """The code column, levels and classes as far as they can be read, for checks of what refers to them."""
    areas = tables.get("areas")
    if not isinstance(areas, Mapping):
        return ()
    columns = [areas.get("code")]
    for key in ("levels", "classes"):
        written = areas.get(key)
        columns += written if isinstance(written, list) else []
    return tuple(c for c in columns if isinstance(c, str))


def read_areas(value: Any, place: Place) -> AreasSpec | None:
    """Table ``[areas]``; None where it could not be read."""
    before = place.broken()
    found = walk(value, AREAS, place)
    code, levels, classes = found["code"], found["levels"] or (), found["classes"] or ()
    columns = [*([code] if code else []), *levels, *classes]
    for twice in repeated(columns):
        if twice not in repeated(levels) and twice not in repeated(classes):
            place.add(f"column {twice!r} has two roles among code, levels and classes", "keep one of them")
    for i, level in enumerate(levels):
        if level in RESERVED_LEVELS:
            place.at("levels").at(i).add(f"{level!r} is the name of a row of the estimates", "rename the column")
    if code in RESERVED_LEVELS:
        place.at("code").add(f"{code!r} is the name of a row of the estimates", "rename the column")
    for key, known in (("names", columns), ("neighbours", [code, *levels]), ("geometry", [code, *levels])):
        for column in found[key] or ():
            what = "the code column or a level" if key != "names" else "the code column, a level or a class"
            must_be_known(column, [c for c in known if c], what, place.at(key).at(column))
    for i, join in enumerate(found["join"] or ()):
        if not join.on:
            place.at("join").at(i).at("on").add("no column to join on", 'write on = { areas_column = "column" }')
    if place.broken() > before:
        return None
    return AreasSpec(**{name: v for name, v in found.items() if v is not None})


def read_frame(value: Any, known: Collection[str], place: Place) -> FrameSpec | RakedFrameSpec | None:
    """Table ``[frame]``; None where it could not be read.

    Parameters
    ----------
    value : mapping
        Raw table.
    known : collection of str
        Code column, levels and classes: what a seed may differ by.
    place : Place
        Where the table stands.
    """
    before = place.broken()
    found = walk(value, FRAME, place)
    if not isinstance(value, Mapping):
        return None
    raked = "margins" in value or "seed" in value
    for key in ("cells", "count") if raked else ():
        if key in value:
            place.at(key).add("there are 'margins' or 'seed' too", _EITHER)
    for key in ("margins",) if raked else ("cells", "count"):
        if key not in value:
            place.at(key).add("this key is required", _EITHER)
    seed = found["seed"]
    for i, column in enumerate(seed.by if seed is not None and known else ()):
        must_be_known(column, known, "the code column, a level or a class of [areas]", place.at("seed").at("by").at(i))
    if place.broken() > before or (found["margins"] if raked else found["cells"]) is None:
        return None
    return RakedFrameSpec(found["margins"], seed) if raked else FrameSpec(found["cells"], found["count"])


def read_surveys(value: Any, known: Collection[str], place: Place) -> dict[str, SurveySpec]:
    """Tables ``[survey.NAME]``, those that could be read.

    Parameters
    ----------
    value : mapping
        Raw tables by name.
    known : collection of str
        Code column, levels and classes: what respondents may be linked by.
    place : Place
        Where the tables stand.
    """
    if not isinstance(value, Mapping):
        place.add(f"expected a table, got {describe(value)}", "one table a survey: [survey.NAME]")
        return {}
    if not value:
        place.add("there is no survey", "add a table [survey.NAME]")
    surveys = {}
    for name, raw in value.items():
        here = place.at(name)
        if not isinstance(raw, Mapping):
            here.add(f"expected a table, got {describe(raw)}", "one table a survey: [survey.NAME]")
            continue
        survey = _read_survey(name, raw, known, here)
        if survey is not None:
            surveys[name] = survey
    return surveys


def _read_survey(name: str, value: Mapping[str, Any], known: Collection[str], place: Place) -> SurveySpec | None:
    """One survey; its keys depend on its reader."""
    before = place.broken()
    safe_name(name, place)
    reader = value.get("reader", "table")
    own = _OF_READER.get(reader, {}) if isinstance(reader, str) else {}
    schema = {key: rule for key, rule in {**SURVEY, **own}.items() if reader != "ukhls" or key not in NOT_OF_UKHLS}
    if reader == "table":
        schema["path"] = Key(_SURVEY_FILE, required=True)
        schema["area"] = Key(_raw, required=True)
    found = walk(value, schema, place)
    column, level = _link(found["area"], known, place.at("area"))
    ukhls = ukhls_settings(found, place) if reader == "ukhls" else {}
    if place.broken() > before:
        return None
    skipped = {"area", *own} - {"path"}
    kept = {k: v for k, v in found.items() if k not in skipped and v is not None}
    if reader == "cls":
        kept |= {"mode": "mode", "community_life": community_life_keys(found)}
    if reader == "ukhls":
        # a text names the areas' column: what the study calls it follows from the vintage
        column = column if isinstance(found["area"], Mapping) else ""
        kept |= ukhls
    return SurveySpec(name=name, area_column=column, area_level=level, **kept)


def _link(value: Any, known: Collection[str], place: Place) -> tuple[str, str]:
    """Column of the survey that holds codes, and the column of the areas table they are codes of."""
    if value is None:
        return "", ""
    what = "the code column, a level or a class of [areas]"
    if isinstance(value, Mapping):
        found = walk(value, {"column": Key(text, required=True), "level": Key(text, required=True)}, place)
        if found["level"] and known:
            must_be_known(found["level"], known, what, place.at("level"))
        return found["column"] or "", found["level"] or ""
    column = text(value, place)
    if column is None:
        return "", ""
    if known and column not in known:
        near = nearest(column, known)
        other = f'or area = {{ column = "{column}", level = "…" }}'
        place.add(f"{column!r} is not {what}", f"{near}; {other}")
    return column, column
