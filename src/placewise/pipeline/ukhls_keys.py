"""The keys of a survey table with ``reader = "ukhls"``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from placewise.schema import Key, Place, Schema, data_file, expand, list_of, one_of, table, table_of, text
from placewise.surveys.spec import GeographyFile, LookupFile
from placewise.surveys.ukhls.vintages import VINTAGES
from placewise.surveys.ukhls.waves import PERSON, WAVES

_wave = one_of(*WAVES)


def _there(value: Any, place: Place) -> Path | None:
    """The path of a folder or file that must be there."""
    path = expand(value, place)
    if path is not None and not os.path.exists(path):
        place.add(
            f"there is no folder {value!r}", f"looked for {path}: unpack the download and name its folder", "data"
        )
    return path


def _lookup(**found: Any) -> LookupFile:
    return LookupFile(found["path"], found["from"], found["to"])


def _weight(value: Any, place: Place) -> Any:
    """A name for every wave, or a table of names by wave."""
    return table_of(text, _wave)(value, place) if isinstance(value, Mapping) else text(value, place)


_LOOKUP = {
    "path": Key(data_file(".csv", ".parquet"), required=True),
    "from": Key(text, required=True),
    "to": Key(text, required=True),
}
_GEOGRAPHY = {
    "path": Key(_there, required=True),
    "vintage": Key(one_of(*VINTAGES), required=True),
    "file": Key(text),
    "lookup": Key(table(_LOOKUP, _lookup)),
}

UKHLS: Schema = {
    "path": Key(_there, required=True),
    "waves": Key(list_of(_wave, least=1), required=True),
    "geography": Key(table(_GEOGRAPHY, GeographyFile), required=True),
    "weight": Key(_weight),
}
# The reader knows them by wave, or asks for them in the recode file.
NOT_OF_UKHLS = ("missing", "mode", "person")


def ukhls_settings(found: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """Settings as ``SurveySpec`` takes them; notes a weight for a wave that is not read."""
    weight, waves = found["weight"], found["waves"] or ()
    by_wave = weight if isinstance(weight, Mapping) else {}
    for letter in by_wave:
        if waves and letter not in waves:
            place.at("weight").at(letter).add(f"wave {letter!r} is not among the waves", f"waves: {', '.join(waves)}")
    return {
        "waves": waves,
        "geography": found["geography"],
        "weights": by_wave,
        "weight": weight if isinstance(weight, str) else "",
        "person": PERSON,
    }
