"""TOML read from disk with bounds, and written back."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from placewise.schema import Place

MOST_BYTES = 2_000_000
MOST_SHOWN = 60
INIT = "`placewise init` writes one to begin with"
_COLON_KEY = re.compile(r"\s*([A-Za-z]+:[\w:./-]+)\s*=")
_BARE_TEXT = re.compile(r"[^\W\d][^\"'#,\]}]*|[./~$][^\"'#,\]}]*")


def read_toml(path: Path, place: Place, if_empty: str = INIT) -> dict[str, Any] | None:
    """Tables of a TOML file.

    Parameters
    ----------
    path : Path
        File to read; at most 2 MB of UTF-8 text.
    place : Place
        The file, for messages; takes what is wrong.
    if_empty : str
        What to do about a file that holds nothing.

    Returns
    -------
    dict or None
        None where a problem was noted.
    """
    if not os.path.isfile(path):
        found = "this is a folder, not a file" if os.path.isdir(path) else "there is no such file"
        place.add(found, f"looked for {path}")
        return None
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        place.add(f"the file cannot be read: {error.strerror}")
        return None
    if len(content) > MOST_BYTES:
        place.add(f"the file is larger than {MOST_BYTES // 1_000_000} MB", "settings are far smaller; is this data?")
        return None
    try:
        written = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        place.add("this is not a text file in UTF-8", "settings are written in TOML")
        return None
    return parse_toml(written, place, if_empty)


def parse_toml(written: str, place: Place, if_empty: str = INIT) -> dict[str, Any] | None:
    """Tables of TOML text; None after noting why it is not TOML, or that there is nothing in it."""
    try:
        tables = tomllib.loads(written)
    except RecursionError:
        place.add("this is not TOML: its values are nested too deeply")
        return None
    # a number of thousands of digits is a plain ValueError
    except ValueError as error:
        place.add(f"this is not TOML: {str(error)[:200]}", _hint(written, str(error)))
        return None
    if not tables:
        place.add("the file is empty", if_empty)
        return None
    return tables


def plain(value: Any) -> Any:
    """Settings given in Python as TOML knows them: mappings as tables, tuples as lists, paths as text."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _hint(written: str, error: str) -> str:
    """What to do about the line that TOML refuses, where the cause is a usual one."""
    at, lines = re.search(r"at line (\d+), column (\d+)", error), written.splitlines()
    if at is None or int(at[1]) > len(lines):
        return ""
    line = lines[int(at[1]) - 1]
    if key := _COLON_KEY.match(line):
        return f'a key with a colon stands in quotes: "{key[1]}" = …'
    bare = _BARE_TEXT.match(line, int(at[2]) - 1) if error.startswith("Invalid value") else None
    if bare is None:
        return ""
    word = bare[0].rstrip()
    return f"write {word.lower()}" if word in ("True", "False") else f'text needs quotes: "{word[:MOST_SHOWN]}"'
