"""Reads a recode file: every problem in one list, each with what to do."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from placewise.errors import Problems
from placewise.schema import Key, Place, boolean, describe, is_number, label, list_of, one_of, table, text, walk
from placewise.surveys.recode.keys import key
from placewise.surveys.recode.spec import KINDS, Band, Recoding, Variable
from placewise.toml_file import read_toml

_NUMBER_ONLY = ("bounds", "reverse", "scale")


def read_recoding(path: Path, problems: Problems) -> Recoding | None:
    """Read a recode file.

    Parameters
    ----------
    path : Path
        TOML; at most 2 MB of UTF-8 text.
    problems : Problems
        Takes everything that is wrong.

    Returns
    -------
    Recoding or None
        None where a problem was noted.
    """
    tables = read_toml(path, Place(path.name, problems), "write [variables.NAME]; docs/recode.md has an example")
    return None if tables is None else parse_recoding(tables, path.name, problems)


def parse_recoding(document: Mapping[str, Any], where: str, problems: Problems) -> Recoding | None:
    """Read a recoding from the tables of a recode file.

    Parameters
    ----------
    document : mapping
        ``missing`` and ``variables``, as ``tomllib`` reads them.
    where : str
        Name of the file, for messages.
    problems : Problems
        Takes everything that is wrong.

    Returns
    -------
    Recoding or None
        None where a problem was noted.
    """
    before = len(problems)
    place = Place(where, problems)
    found = walk(document, _TOP, place)
    raw = found["variables"]
    if raw is not None and (not isinstance(raw, Mapping) or not raw):
        got = "an empty one" if isinstance(raw, Mapping) else describe(raw)
        place.at("variables").add(f"expected a table of variables by name, got {got}", "write [variables.NAME]")
        return None
    here = place.at("variables")
    variables = tuple(_variable(str(name), value, here.at(str(name))) for name, value in (raw or {}).items())
    if len(problems) > before:
        return None
    return Recoding(tuple(v for v in variables if v is not None), found["missing"])


def _anything(value: Any, place: Place) -> Any:
    """The value as it stands: read later, once its surroundings are known."""
    return value


def _missing_code(value: Any, place: Place) -> str | int | float | None:
    if is_number(value):
        return value  # type: ignore[no-any-return]
    if isinstance(value, str):
        return text(value, place)
    place.add(f"expected text or a number, got {describe(value)}")
    return None


def _columns(value: Any, place: Place) -> tuple[str, ...] | None:
    if isinstance(value, list):
        return list_of(text, least=1)(value, place)  # type: ignore[no-any-return]
    one = text(value, place)
    return None if one is None else (one,)


def _number(value: Any, place: Place) -> float | None:
    if is_number(value):
        return float(value)
    place.add(f"expected a number, got {describe(value)}")
    return None


def _bounds(value: Any, place: Place) -> tuple[float, float] | None:
    ends = list_of(_number, least=2, distinct=False)(value, place)
    if ends is None:
        return None
    if len(ends) != 2 or ends[0] >= ends[1]:
        place.add("expected the least and the greatest value, in this order", "as in bounds = [1, 5]")
        return None
    return ends  # type: ignore[no-any-return]


_MISSING = list_of(_missing_code)
_TOP = {"missing": Key(_MISSING, default=()), "variables": Key(_anything, required=True)}
_BAND = {"category": Key(label, required=True), "from": Key(_number), "below": Key(_number)}
_SCALE = {"multiply": Key(_number), "add": Key(_number)}
_VARIABLE = {
    "column": Key(_columns),
    "wording": Key(text),
    "kind": Key(one_of(*KINDS), default="category"),
    "values": Key(_anything),
    "bands": Key(list_of(table(_BAND), least=1, distinct=False)),
    "missing": Key(_MISSING),
    "required": Key(boolean),
    "bounds": Key(_bounds),
    "reverse": Key(boolean),
    "scale": Key(table(_SCALE)),
    "note": Key(text),
}


def _variable(name: str, value: Any, place: Place) -> Variable | None:
    before = len(place.problems)
    if not name.isidentifier():
        place.add("this cannot be a name in formulas", "use letters, digits and _, beginning with a letter")
    found = walk(value, _VARIABLE, place)
    if not isinstance(value, Mapping):
        return None
    kind = found["kind"]
    if "values" in value:
        found["values"] = _values(value["values"], kind, place.at("values"))
    if "bands" in value and kind in ("number", "code"):
        place.at("bands").add(f"bands make categories, and kind is {kind!r}", 'leave out kind, or write "category"')
    for own in _NUMBER_ONLY:
        if own in value and kind in ("category", "code"):
            place.at(own).add(f"{own!r} is for numbers, and kind is {kind!r}", 'write kind = "number"')
    if found["reverse"] and "bounds" not in value:
        place.at("reverse").add("the ends of the scale are not known", "add bounds = [least, greatest]")
    bands = _bands(found["bands"] or (), place.at("bands"))
    _check_apart(found["values"] or {}, found["missing"] or (), place.at("missing"))
    if len(place.problems) > before:
        return None
    scale = found.pop("scale") or {}
    columns = found.pop("column")
    rest = {k: v for k, v in found.items() if v is not None}
    rest |= {"columns": columns or (), "bands": bands}
    return Variable(name, scale=(scale.get("multiply", 1.0), scale.get("add", 0.0)), **rest)


def _values(value: Any, kind: Any, place: Place) -> dict[str, str | float] | None:
    """Codes and labels with what they become; a number where the variable is one."""
    if not isinstance(value, Mapping):
        place.add(f"expected a table, got {describe(value)}", 'write values = { "1" = "male", "Female" = "female" }')
        return None
    read = _number if kind == "number" else label
    found: dict[str, Any] = {}
    folded: dict[str, str] = {}
    for raw, into in value.items():
        here = place.at(raw)
        if not key(raw):
            here.add("a blank is missing by itself and cannot be a category")
        elif key(raw) in folded:
            here.add(f"this is the same as {folded[key(raw)]!r}, case and outer blanks apart", "keep one of them")
        folded[key(raw)] = raw
        found[raw] = read(into, here)
    return found


def _bands(written: tuple[dict[str, Any], ...], place: Place) -> tuple[Band, ...]:
    bands = []
    for i, band in enumerate(written):
        lower, upper = band.get("from", -math.inf), band.get("below", math.inf)
        if "from" not in band and "below" not in band:
            place.at(i).add("the band has no end", "give 'from' (included), 'below' (not included) or both")
        elif lower >= upper:
            place.at(i).add(f"nothing is from {lower:g} and below {upper:g}", "'from' must be less than 'below'")
        else:
            bands.append(Band(band["category"], lower, upper))
    for one, other in itertools.pairwise(sorted(bands, key=lambda b: (b.lower, b.upper))):
        if other.lower < one.upper:
            place.add(
                f"{one.category!r} and {other.category!r} overlap",
                "a band ends below its 'below', so the next begins from there",
            )
    return tuple(bands)


def _check_apart(values: Mapping[str, Any], missing: tuple[Any, ...], place: Place) -> None:
    """Note codes that are given a value and are missing as well."""
    known = {key(raw): raw for raw in values}
    for code in missing:
        if key(code) in known:
            place.add(f"{code!r} is missing here and has a value in 'values'", "keep one of them")
