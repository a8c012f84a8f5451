"""Files and folders that appear whole or not at all: written beside their place, synced, renamed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from placewise.errors import ConfigurationError, Problem, Problems

PREFIX = ".placewise-part-"


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a temporary path beside ``target``; on leaving without an error it takes the target's place.

    The temporary name keeps the target's suffix, since writers choose a format by it. Whatever the caller wrote
    there, a file or a folder, is synced first. After an error nothing of it remains and the old target stands.

    Parameters
    ----------
    target : Path
        File or folder to be written or replaced. Its parent is made when it does not exist.

    Yields
    ------
    Path
        Does not exist yet.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    box = Path(tempfile.mkdtemp(prefix=PREFIX, dir=target.parent))
    part = box / target.name
    try:
        yield part
        _sync_tree(part)
        _swap(part, target, box)
        _sync_folder(target.parent)
    finally:
        shutil.rmtree(box, ignore_errors=True)


def write_text(target: Path, text: str) -> None:
    """Write a text file whole or not at all, in UTF-8 with line feeds."""
    with replacing(target) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def remove(target: Path) -> None:
    """Remove a file or a folder, or nothing where there is none."""
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> int:
    """Remove what a killed run left half-written below ``folder``; the number of such leftovers.

    Call it only while holding the folder's lock.
    """
    found = [p for p in folder.rglob(f"{PREFIX}*") if p.is_dir() and not p.is_symlink()]
    for part in found:
        shutil.rmtree(part, ignore_errors=True)
    return len(found)


def check_writable(folder: Path, needed: int) -> None:
    """Make sure that a run can write its results, before anything is computed.

    The folder itself is not made: the nearest folder that exists is tried.

    Parameters
    ----------
    folder : Path
        Folder of results.
    needed : int
        Bytes that the results are expected to take.

    Raises
    ------
    ConfigurationError
        A file stands in the way, writing is refused, or there is too little room.
    """
    found = Problems()
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        found.add(str(folder), f"{there} is a file, a folder for the results was expected", "choose another --out")
        found.raise_if_any()
    try:
        with tempfile.TemporaryFile(prefix=PREFIX, dir=there) as probe:
            probe.write(b"placewise")
            probe.flush()
    except OSError as error:
        found.add(str(folder), f"cannot write here: {error.strerror}", "mend the permissions or choose another --out")
        found.raise_if_any()
    free = shutil.disk_usage(there).free
    if free < needed:
        found.add(
            str(folder),
            f"{free / 1e6:,.0f} MB are free, the results need about {needed / 1e6:,.0f} MB",
            "make room or choose another --out",
        )
    found.raise_if_any()


def inside(folder: Path, name: str) -> Path:
    """Path of ``name`` directly inside ``folder``, for names that come from data or file stems.

    Raises
    ------
    ConfigurationError
        The name is empty, absolute, a traversal, a link leading out, or holds a separator or a control character.
    """
    bad = not name or name in {".", ".."} or name.startswith(".") or any(c in "/\\:" or ord(c) < 32 for c in name)
    target = folder / name if not bad else folder
    if bad or (target.is_symlink() and folder.resolve() not in target.resolve().parents):
        raise ConfigurationError(
            Problem(repr(name), "cannot be the name of a folder of results", "use letters, digits, '-' and '_'")
        )
    return target


def _swap(part: Path, target: Path, box: Path) -> None:
    if part.is_dir() and target.exists():
        os.rename(target, box / ".old")
    os.replace(part, target)


def _sync_tree(path: Path) -> None:
    if path.is_dir():
        for child in path.iterdir():
            _sync_tree(child)
        _sync_folder(path)
        return
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
