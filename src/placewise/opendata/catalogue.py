"""The catalogue read from its TOML tables: every problem noted, nothing evaluated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from placewise.errors import nearest
from placewise.opendata.spec import PLACE_SOURCES, Catalogue, Control, Covariate, Layout, Publisher, Source
from placewise.schema import (
    Key,
    Place,
    boolean,
    describe,
    is_number,
    list_of,
    must_be_known,
    one_of,
    positive,
    safe_name,
    table,
    table_of,
    text,
    walk,
)

SOURCES_FILE = Path(__file__).with_name("catalogue.toml")
COVARIATES_FILE = Path(__file__).with_name("covariates.toml")

_LOCAL = {"127.0.0.1", "localhost", "::1"}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PUBLISHER = table({name: Key(text, True) for name in ("name", "licence", "licence_url", "attribution")}, Publisher)


def read_catalogue(
    sources: Mapping[str, Any], covariates: Mapping[str, Any], place: Place, covariates_place: Place
) -> Catalogue:
    """The catalogue from the tables of its two files.

    Parameters
    ----------
    sources : mapping
        ``title``, ``publishers``, ``family`` and ``source``, as in ``catalogue.toml``.
    covariates : mapping
        ``counts`` and ``covariate``, as in ``covariates.toml``.
    place, covariates_place : Place
        The files, for messages.

    Raises
    ------
    ConfigurationError
        Everything that is wrong, at once.
    """
    schema = {
        "title": Key(text, True),
        "publishers": Key(table_of(_PUBLISHER, safe_name), True),
        "family": Key(table_of(_as_is), default={}),
        "source": Key(table_of(_as_is, safe_name), True),
    }
    found = walk(sources, schema, place)
    place.problems.raise_if_any()
    read = {name: _source(name, raw, found, place.at("source").at(name)) for name, raw in found["source"].items()}
    known = {name: source for name, source in read.items() if source is not None}
    for name, columns in PLACE_SOURCES.items():
        if name not in read:
            place.at("source").at(name).add("this source is required", "the areas and their levels come from it")
        for column in columns:
            if name in known and column not in known[name].columns:
                place.at("source").at(name).at("columns").at(column).add("this column is required")
    made = walk(
        covariates,
        {"counts": Key(table_of(_as_is, safe_name), True), "covariate": Key(table_of(_as_is, safe_name), True)},
        covariates_place,
    )
    place.problems.raise_if_any()
    counts = _covariates(made["counts"], known, covariates_place.at("counts"))
    others = _covariates(made["covariate"], known, covariates_place.at("covariate"))
    for name, covariate in others.items():
        for other in covariate.imputed_by:
            must_be_known(other, others, "a covariate", covariates_place.at("covariate").at(name).at("imputed_by"))
    must_be_known("adults", counts, "a count, and the population is taken from it", covariates_place.at("counts"))
    place.problems.raise_if_any()
    return Catalogue(found["title"], found["publishers"], known, counts, others)


def _as_is(value: Any, place: Place) -> Any:
    return value


def _source(name: str, raw: Any, found: Mapping[str, Any], place: Place) -> Source | None:
    before = place.broken()
    family = raw.get("family") if isinstance(raw, Mapping) else None
    if family is not None:
        must_be_known(family, found["family"], "a family of sources", place.at("family"))
    given = {**found["family"].get(family, {}), **raw} if isinstance(raw, Mapping) else raw
    values = walk(_filled_in(given, name), _SOURCE, place)
    values.pop("family")
    if place.broken() > before:
        return None
    must_be_known(values["publisher"], found["publishers"], "a publisher", place.at("publisher"))
    values["layouts"] = _layouts(values, place)
    for column in values["parts"] + ((values["control"].column,) if values["control"] else ()):
        must_be_known(column, values["layouts"][0].columns, "a column of the source", place)
    for country, filled in (values["fill"] or {}).items():
        for column in filled:
            must_be_known(column, values["layouts"][0].columns, "a column", place.at("fill").at(country))
    if values["geometry"] == "polygon" and tuple(values["layouts"][0].columns) != ("name",):
        place.at("columns").add("outlines have one column, 'name'")
    if values["fetch"] != "hand" and not values["url"]:
        place.at("url").add("this key is required", 'where there is no address, write fetch = "hand"')
    return Source(name=name, **values) if place.broken() == before else None


def _filled_in(value: Any, name: str) -> Any:
    """Texts with ``{name}`` replaced by the source's name."""
    if isinstance(value, str):
        return value.replace("{name}", name)
    if isinstance(value, Mapping):
        return {k: _filled_in(v, name) for k, v in value.items()}
    return [_filled_in(v, name) for v in value] if isinstance(value, list) else value


def _layouts(values: dict[str, Any], place: Place) -> tuple[Layout, Layout]:
    files, keys, member, columns = (values.pop(k) for k in ("file", "key", "member", "columns"))
    headings: list[dict[str, tuple[str, ...]]] = [{}, {}]
    for column, pair in columns.items():
        for k, names in enumerate(pair):
            headings[k][column] = names
            if values["values"] == "text" and len(names) != 1:
                place.at("columns").at(column).add(f"text cannot be added up, got {len(names)} columns")
    return (
        Layout("published", files[0], member, keys[0], headings[0]),
        Layout("parquet", files[1], "", keys[1], headings[1]),
    )


def _pair(value: Any, place: Place) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The publisher's heading and the Parquet column; either may be a list."""
    if not isinstance(value, list) or len(value) != 2:
        place.add(f"expected the publisher's heading and the Parquet column, got {describe(value)}")
        return None
    each = [list_of(text, 1)(v, place) if isinstance(v, list) else text(v, place) for v in value]
    if any(v is None for v in each):
        return None
    first, second = (tuple([v] if isinstance(v, str) else v) for v in each)  # type: ignore[arg-type]
    return first, second


def _two(read: Any) -> Any:
    def reader(value: Any, place: Place) -> Any:
        if not isinstance(value, list) or len(value) != 2:
            place.add(f"expected one for each of the two layouts, got {describe(value)}")
            return None
        return tuple(read(v, place) for v in value)

    return reader


def relative_file(value: Any, place: Place) -> str | None:
    """A path inside a folder: relative, without steps upwards."""
    written = text(value, place)
    if written is None:
        return None
    path = PurePosixPath(written)
    if path.is_absolute() or ".." in path.parts or "\\" in written or ":" in written or str(path) != written:
        place.add(f"{describe(value)} is no path inside a folder", "write it as in folder/file.parquet")
        return None
    return written


def web_address(value: Any, place: Place) -> str | None:
    """An address that starts with https, or with http on this machine."""
    written = text(value, place)
    if written is None:
        return None
    if not is_allowed(written):
        place.add(f"{describe(value)} is no address that is fetched from", "it begins with https://")
        return None
    return written


def is_allowed(address: str) -> bool:
    """Whether an address may be fetched: https anywhere, http on this machine only."""
    parts = urlsplit(address)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL))


def _digest(value: Any, place: Place) -> str | None:
    if isinstance(value, str) and _SHA256.fullmatch(value):
        return value
    place.add(f"expected a SHA-256 in hexadecimal, got {describe(value)}")
    return None


def _whole(value: Any, place: Place) -> int | None:
    number = positive(value, place)
    return None if number is None else int(number)


_SOURCE = {
    "family": Key(text),
    "title": Key(text, True),
    "publisher": Key(text, True),
    "vintage": Key(text, True),
    "page": Key(web_address, True),
    "fetch": Key(one_of("file", "service", "hand"), True),
    "url": Key(web_address, default=""),
    "address": Key(one_of("seen", "unconfirmed", "none"), default="none"),
    "sha256": Key(_digest, default=""),
    "level": Key(one_of("oa21cd", "lsoa21cd", "lsoa11cd", "msoa21cd", "lad22cd"), True),
    "areas": Key(_whole),
    "countries": Key(list_of(text), default=()),
    "values": Key(one_of("number", "text"), default="number"),
    "geometry": Key(one_of("point", "polygon"), default=""),
    "topic": Key(text, default=""),
    "parts": Key(list_of(text), default=()),
    "control": Key(
        table({"column": Key(text, True), "total": Key(positive, True), "tolerance": Key(positive, True)}, Control)
    ),
    "repeats": Key(boolean, default=False),
    "optional": Key(boolean, default=False),
    "fill": Key(table_of(table_of(text))),
    "file": Key(_two(relative_file), True),
    "member": Key(relative_file, default=""),
    "key": Key(_two(text), True),
    "columns": Key(table_of(_pair, safe_name), True),
}


def _covariates(raw: Mapping[str, Any], sources: Mapping[str, Source], place: Place) -> dict[str, Covariate]:
    found = {}
    for name, value in raw.items():
        covariate = _covariate(name, value, sources, place.at(name))
        if covariate is not None:
            found[name] = covariate
    return found


def _covariate(name: str, raw: Any, sources: Mapping[str, Source], place: Place) -> Covariate | None:
    before = place.broken()

    def terms(value: Any, where: Place) -> dict[tuple[str, str], float]:
        weights = value if isinstance(value, Mapping) else dict.fromkeys(value, 1) if isinstance(value, list) else {}
        if not weights:
            where.add(f"expected columns such as ts054.private, got {describe(value)}")
        return {_column(str(k), sources, where): _weight(w, where) for k, w in weights.items()}

    def single(value: Any, where: Place) -> dict[tuple[str, str], float]:
        return terms([value], where)

    values = walk(
        raw,
        {
            "title": Key(text, True),
            "unit": Key(text, default="count"),
            "kind": Key(one_of("share", "rate"), default="share"),
            "numerator": Key(terms, default={}),
            "denominator": Key(terms, default={}),
            "value": Key(single),
            "imputed_by": Key(list_of(text), default=()),
            "borrow": Key(one_of("lsoa21cd", "msoa21cd"), default=""),
        },
        place,
    )
    value = values.pop("value")
    if (value is None) == (not values["numerator"]) or bool(values["numerator"]) != bool(values["denominator"]):
        place.add("expected a numerator and a denominator, or a value")
    if place.broken() > before:
        return None
    if value is not None:
        values.update(kind="value", numerator=value)
    return Covariate(name=name, **values)


def _column(written: str, sources: Mapping[str, Source], place: Place) -> tuple[str, str]:
    source, _, column = written.partition(".")
    if source not in sources:
        place.add(f"{written!r} names no source", nearest(source, sources))
    elif column not in sources[source].columns:
        place.add(f"source {source!r} has no column {column!r}", nearest(column, sources[source].columns))
    return source, column


def _weight(value: Any, place: Place) -> float:
    if not is_number(value):
        place.add(f"expected a number as the weight, got {describe(value)}")
        return 0.0
    return float(value)
