"""Fingerprints: whether what a stage would compute is what it computed before."""

from __future__ import annotations

import functools
import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import placewise

LIBRARIES = (
    "placewise",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "numba",
    "formulae",
    "pymc",
    "pytensor",
    "nutpie",
    "arviz",
    "scikit-learn",
    "statsmodels",
    "matplotlib",
    "jinja2",
)

SOURCES = {".py", ".j2", ".css", ".js"}


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(**parts: Any) -> str:
    """SHA-256 over named parts: dataclasses, mappings, sequences, texts, numbers, None.

    The order of mappings does not count. A path counts by its last name only: a moved project stays up to date, and
    what the file holds must be a part of its own.
    """
    text = json.dumps(_canonical(parts), sort_keys=True, ensure_ascii=True, allow_nan=True)
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def code_digest(*parts: str) -> str:
    """SHA-256 over the source of some of placewise's packages and modules: changed code makes stages out of date."""
    root = Path(placewise.__file__).parent
    digest = hashlib.sha256()
    for part in sorted(parts):
        found = sorted((root / part).rglob("*")) if (root / part).is_dir() else [root / part]
        for path in found:
            if path.is_file() and path.suffix in SOURCES:
                digest.update(path.relative_to(root).as_posix().encode())
                digest.update(bytes.fromhex(file_digest(path)))
    return digest.hexdigest()


@functools.cache
def library_versions() -> Mapping[str, str]:
    """Versions of Python and of the libraries that take part, by name; libraries that are absent are left out."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _canonical(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _canonical(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(k): _canonical(v) for k, v in value.items()}
    if isinstance(value, Path):
        return value.name
    if isinstance(value, str | int | float | bool | None):
        return value
    if isinstance(value, Sequence):
        return [_canonical(v) for v in value]
    if isinstance(value, set | frozenset):
        return sorted(str(v) for v in value)
    return str(value)
