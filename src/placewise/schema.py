"""Tables of settings read against a declared schema: one walk that notes every problem and stops at none.

A schema maps each key to a ``Key``: how to read its value, whether it must be there, its default, and what to use
instead where this version cannot honour it. A reader turns a raw value into a typed one, or notes a problem at its
``Place`` and returns None, which no TOML value is.
"""

from __future__ import annotations

import datetime
import difflib
import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from placewise.errors import Kind, Problems, nearest

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


@dataclass(frozen=True)
class Place:
    """Where a value stands, and where its problems go.

    Parameters
    ----------
    file : str
        Name of the file in messages.
    problems : Problems
        Collects what is wrong.
    folder : Path
        Folder against which relative paths are resolved.
    key : str
        Dotted key of the value inside the file; empty for the whole file.
    """

    file: str
    problems: Problems
    folder: Path = Path()
    key: str = ""

    def at(self, key: str | int) -> Place:
        """The place of a key of this table, or of an element of this list."""
        if isinstance(key, int):
            return replace(self, key=f"{self.key}[{key}]")
        shown = key if _BARE_KEY.fullmatch(key) else f'"{key}"'
        return replace(self, key=f"{self.key}.{shown}" if self.key else shown)

    def __str__(self) -> str:
        """File and key, as messages show them."""
        return f"{self.file}: {self.key}" if self.key else self.file

    def add(self, message: str, hint: str = "", kind: Kind = "configuration") -> None:
        """Note a problem here."""
        self.problems.add(str(self), message, hint, kind)

    def unavailable(self, what: str, instead: str) -> None:
        """Note that a part asked for here does not exist in this version, and what does."""
        self.add(f"{what} is not available in this version", instead, "unavailable")

    def broken(self) -> int:
        """Number of configuration problems so far; parts that are unavailable or files that are absent do not count."""
        return sum(p.kind == "configuration" for p in self.problems)


Reader = Callable[[Any, Place], Any]


@dataclass(frozen=True)
class Key:
    """One key of a table.

    Parameters
    ----------
    read : callable
        Turns the raw value into a typed one; None after noting a problem.
    required : bool
        Whether a table without it is a problem.
    default : object
        Value where the key is absent.
    instead : str
        Not empty: this version cannot honour the key, and this is what to do instead.
    """

    read: Reader
    required: bool = False
    default: Any = None
    instead: str = ""


Schema = Mapping[str, Key]


def walk(value: Any, schema: Schema, place: Place) -> dict[str, Any]:
    """Read a table.

    Parameters
    ----------
    value : mapping
        Raw table; anything else is a problem.
    schema : mapping of str to Key
        Keys the table may have.
    place : Place
        Where the table stands.

    Returns
    -------
    dict
        Every key of the schema: its typed value, its default where absent, None where it could not be read.
    """
    if not isinstance(value, Mapping):
        place.add(f"expected a table, got {describe(value)}")
        return dict.fromkeys(schema)
    for name in value:
        if name not in schema:
            place.at(str(name)).add("unknown key", nearest(str(name), schema))
    found: dict[str, Any] = {}
    for name, key in schema.items():
        if name not in value:
            found[name] = key.default
            if key.required:
                place.at(name).add("this key is required")
            continue
        found[name] = key.read(value[name], place.at(name))
        if key.instead and found[name] is not None:
            place.at(name).unavailable(f"{name!r}", key.instead)
    return found


def table(schema: Schema, build: Callable[..., Any] = dict) -> Reader:
    """Reader of a table whose values become keyword arguments of ``build``; absent ones keep its own defaults."""

    def read(value: Any, place: Place) -> Any:
        before = place.broken()
        found = walk(value, schema, place)
        if place.broken() > before:
            return None
        return build(**{name: v for name, v in found.items() if v is not None})

    return read


def table_of(read_value: Reader, read_name: Reader | None = None) -> Reader:
    """Reader of a table with keys of the user's choice, all values of one kind; None if any is wrong."""

    def read(value: Any, place: Place) -> dict[str, Any] | None:
        if not isinstance(value, Mapping):
            place.add(f"expected a table, got {describe(value)}")
            return None
        before = place.broken()
        names = {k: k if read_name is None else read_name(k, place.at(str(k))) for k in value}
        values = {names[k]: read_value(v, place.at(str(k))) for k, v in value.items()}
        return values if place.broken() == before else None

    return read


def list_of(read_value: Reader, least: int = 0, distinct: bool = True) -> Reader:
    """Reader of a list of at least ``least`` values of one kind, as a tuple."""

    def read(value: Any, place: Place) -> tuple[Any, ...] | None:
        if not isinstance(value, list | tuple):
            place.add(f"expected a list, got {describe(value)}", "a list stands in brackets, as in [1, 2]")
            return None
        before = place.broken()
        values = tuple(read_value(v, place.at(i)) for i, v in enumerate(value))
        if place.broken() > before:
            return None
        if len(values) < least:
            place.add(f"expected at least {least} value{'s' * (least > 1)}, got {len(values)}")
            return None
        twice = repeated(values) if distinct else []
        if twice:
            place.add(f"{', '.join(repr(v) for v in twice)} stands there more than once")
            return None
        return values

    return read


def one_of(*choices: str) -> Reader:
    """Reader of one word out of a few."""

    def read(value: Any, place: Place) -> str | None:
        if isinstance(value, str) and value in choices:
            return value
        close = difflib.get_close_matches(value, choices, n=1) if isinstance(value, str) else []
        allowed = ", ".join(repr(c) for c in choices)
        hint = f"did you mean {close[0]!r}?" if close else ""
        place.add(f"expected one of {allowed}, got {describe(value)}", hint)
        return None

    return read


def text(value: Any, place: Place) -> str | None:
    """Text that is not empty and holds no control characters."""
    if not isinstance(value, str):
        place.add(f"expected text, got {describe(value)}")
        return None
    if not value.strip():
        place.add("expected text, got an empty one")
        return None
    if any(ord(c) == 127 or (ord(c) < 32 and c not in "\n\t") for c in value):
        place.add("the text holds a control character")
        return None
    return value


def label(value: Any, place: Place) -> str | None:
    """A category or code: text, or a whole number which becomes text."""
    if isinstance(value, str):
        return text(value, place)
    if is_number(value) and float(value).is_integer():
        return str(int(value))
    place.add(f"expected text or a whole number, got {describe(value)}")
    return None


def is_number(value: Any) -> bool:
    """Whether a raw value is a number that a float can hold; true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def scalar(value: Any, place: Place) -> str | int | float | bool | None:
    """A value as it may stand in a cell of a data file: text, a finite number, true or false."""
    if isinstance(value, str | bool | int | float) and (isinstance(value, str) or is_number(float(value))):
        return value
    place.add(f"expected text, a number, true or false, got {describe(value)}")
    return None


def boolean(value: Any, place: Place) -> bool | None:
    """True or false."""
    if isinstance(value, bool):
        return value
    place.add(f"expected true or false, got {describe(value)}")
    return None


def positive(value: Any, place: Place) -> float | None:
    """A finite number above zero."""
    if not is_number(value) or value <= 0:
        place.add(f"expected a number above 0, got {describe(value)}")
        return None
    return float(value)


def seed_number(value: Any, place: Place) -> int | None:
    """A whole number from 0 to 2⁶³ − 1."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        place.add(f"expected a whole number from 0 to 2^63 - 1, got {describe(value)}")
        return None
    return value


def safe_name(value: Any, place: Place) -> str | None:
    """A name that becomes part of a path in the output folder."""
    if isinstance(value, str) and _SAFE_NAME.fullmatch(value):
        return value
    place.add(
        f"{describe(value)} cannot be a name, since results are written under it",
        "use letters of a-z, digits, _ and -, beginning with a letter or digit, 100 characters at most",
    )
    return None


def data_file(*suffixes: str) -> Reader:
    """Reader of the path of a file that must be there, with one of these endings; the absolute path."""

    def read(value: Any, place: Place) -> Path | None:
        path = expand(value, place)
        if path is None:
            return None
        if path.suffix.lower() not in suffixes:
            place.add(f"expected a file that ends in {' or '.join(suffixes)}, got {value!r}")
            return None
        # os.path answers False where pathlib raises: names too long, or not encodable
        if not os.path.exists(path):
            place.add(f"there is no file {value!r}", f"looked for {path}", "data")
        elif not os.path.isfile(path):
            place.add(f"{value!r} is a folder, not a file", kind="data")
        elif not os.access(path, os.R_OK):
            place.add(f"{value!r} may not be read", "change the file's permissions", "data")
        return path

    return read


def expand(value: Any, place: Place) -> Path | None:
    """A path with ``${NAME}`` replaced from the environment, resolved against the place's folder; it need not exist."""
    written = text(value, place)
    if written is None:
        return None
    names = _VARIABLE.findall(written)
    unset = [name for name in names if not os.environ.get(name)]
    for name in dict.fromkeys(unset):
        place.add(f"the environment variable {name!r} is not set", f"set it, for example: export {name or 'NAME'}=…")
    if unset:
        return None
    expanded = _VARIABLE.sub(lambda match: os.environ[match[1]], written)
    if "${" in expanded:
        place.add(f"{written!r} opens '${{' without closing it", "write ${NAME}")
        return None
    return place.folder / expanded


def describe(value: Any) -> str:
    """What a raw value is, in words, short enough for a message."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f"the text {(value if len(value) <= 60 else value[:57] + '...')!r}"
        case int() | float():
            return f"the number {value}" if is_number(value) or isinstance(value, float) else "a huge number"
        case list() | tuple():
            return "a list" if value else "an empty list"
        case Mapping():
            return "a table"
        case datetime.date() | datetime.time():
            return "a date or time"
    return f"a value of type {type(value).__name__}"


def repeated(values: Iterable[Hashable]) -> list[Any]:
    """Values that occur more than once, each named once, in order."""
    return [value for value, times in Counter(values).items() if times > 1]


def must_be_known(name: str, known: Collection[str], what: str, place: Place) -> None:
    """Note a name that is not among the known ones."""
    if name not in known:
        place.add(f"{name!r} is not {what}", nearest(name, known) or "none is declared")
