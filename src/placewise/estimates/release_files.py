"""The files of a release as they lie on disk: which there are, and that each is the one that was written.

Loads nothing heavy, so that files can be hashed while libraries are still being loaded.
"""

from __future__ import annotations

import hashlib
import json
import mmap
from pathlib import Path
from typing import Any

from placewise.errors import DataError, Problem, Problems

FORMAT = 1
FACTS = "release.json"
FILES = ("areas.parquet", "arrays.npz", "labels.parquet")


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each file but ``release.json``."""
    return {name: _digest(folder / name) for name in FILES}


def read_facts(folder: Path) -> dict[str, Any]:
    """What ``release.json`` holds, after checking that every other file is the one it tells of.

    Raises
    ------
    DataError
        Missing or altered files, or another format.
    """
    path, found = folder / FACTS, Problems()
    for name in (FACTS, *FILES):
        if not (folder / name).is_file():
            found.add(str(folder), f"{name} is missing", "a release is written by 'placewise project'", kind="data")
    found.raise_if_any()
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(Problem(str(path), f"this is not JSON: {error}", kind="data")) from error
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        got = facts.get("format") if isinstance(facts, dict) else None
        raise DataError(Problem(str(path), f"release format {got!r}, expected {FORMAT}", "make it again", kind="data"))
    written = facts.get("sha256", {})
    for name, got in digests(folder).items():
        if got != written.get(name):
            what = f"SHA-256 {got[:12]}…, expected {str(written.get(name))[:12]}…"
            found.add(str(folder / name), what, "make it again", kind="data")
    found.raise_if_any()
    return facts


def _digest(path: Path) -> str:
    """SHA-256 of a file, in one call: one that returned after each piece would wait for the interpreter each time."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            return hashlib.sha256().hexdigest()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            return hashlib.sha256(whole).hexdigest()
