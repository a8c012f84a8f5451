"""Keys of ``[survey.NAME]`` that only the reader of the Community Life Survey has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from placewise.errors import nearest
from placewise.schema import Key, Place, boolean, data_file, describe, list_of, table_of, text, walk
from placewise.surveys.cls.concepts import MODE_LABELS
from placewise.surveys.cls.years import survey_year, unknown_year
from placewise.surveys.spec import CommunityLifeKeys

_YEAR_LIKE = re.compile(r"\s*\d[\d\s/–_-]*\s*")
_ROLES = ("area", "weight", "psu", "strata", "mode", "year", "person")
_YEAR_HINT = 'write year = "2023-24", or name its column: year = { column = "…" }'


def _year(value: Any, place: Place) -> dict[str, str] | None:
    """The survey year of the whole file, the calendar year in which that began, or the column that holds it."""
    if isinstance(value, Mapping):
        found = walk(value, {"column": Key(text, required=True)}, place)
        return {"year_column": found["column"]} if found["column"] else None
    if isinstance(value, int) and 2000 <= value < 2099:
        value = f"{value}-{(value + 1) % 100:02d}"
    if not isinstance(value, str):
        place.add(f"expected a survey year or a column, got {describe(value)}", _YEAR_HINT)
        return None
    written = text(value, place)
    if written is None:
        return None
    year = survey_year(written)
    if not year:
        if not _YEAR_LIKE.fullmatch(written):
            return {"year_column": written}
        place.add(f"{written!r} is no survey year", _YEAR_HINT)
        return None
    if message := unknown_year(year):
        place.add(message, "see which year the file's own documentation names")
        return None
    return {"year": year}


def _mode_word(value: Any, place: Place) -> str | None:
    written = text(value, place)
    if written is None:
        return None
    if written.casefold() in MODE_LABELS:
        return MODE_LABELS[written.casefold()]
    place.add(f"{written!r} is no mode of interview", nearest(written, ("face-to-face", "online", "paper")))
    return None


_MODES = list_of(_mode_word, least=1)


def _mode(value: Any, place: Place) -> dict[str, Any] | None:
    """The mode of the whole file, the column that holds it, the modes to keep, or both of these."""
    if isinstance(value, list | tuple):
        kept = _MODES(value, place)
        return None if kept is None else {"mode_column": "mode", "modes": kept}
    if isinstance(value, Mapping):
        before = place.broken()
        found = walk(value, {"column": Key(text, required=True), "keep": Key(_MODES, default=())}, place)
        if place.broken() > before:
            return None
        return {"mode_column": found["column"], "modes": found["keep"]}
    written = text(value, place)
    if written is None:
        return None
    if written.casefold() in MODE_LABELS:
        return {"mode": MODE_LABELS[written.casefold()]}
    return {"mode_column": written}


def _columns(value: Any, place: Place) -> tuple[str, ...] | None:
    if isinstance(value, list):
        return list_of(text, least=1)(value, place)  # type: ignore[no-any-return]
    one = text(value, place)
    return None if one is None else (one,)


def _aliases(value: Any, place: Place) -> dict[str, tuple[str, ...]] | None:
    """Columns of concepts; what has a key of its own is named there."""
    if isinstance(value, Mapping):
        for name in value:
            if name in _ROLES:
                place.at(str(name)).add(f"{name!r} is no concept", f"name its column by the key {name!r} of the survey")
    return table_of(_columns)(value, place)  # type: ignore[no-any-return]


KEYS: Mapping[str, Key] = {
    "year": Key(_year, default={}),
    "mode": Key(_mode, default={}),
    "pool_modes": Key(boolean, default=False),
    "codebook": Key(data_file(".csv", ".tab")),
    "aliases": Key(_aliases, default={}),
}


def community_life_keys(found: Mapping[str, Any]) -> CommunityLifeKeys:
    """The keys as they were read, none of them broken."""
    return CommunityLifeKeys(
        **found["year"],
        **found["mode"],
        pool_modes=found["pool_modes"],
        codebook=found["codebook"],
        aliases=found["aliases"],
    )
