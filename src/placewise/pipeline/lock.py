"""One run at a time in one folder of results."""

from __future__ import annotations

import datetime
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from placewise.errors import ConfigurationError, Problem

NAME = ".placewise.lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder of results.

    The operating system drops the lock of a process that dies, so a dead run's lock is taken over by the next run.

    Parameters
    ----------
    folder : Path
        Made when it does not exist, and removed again when nothing was written to it.

    Raises
    ------
    ConfigurationError
        Another run holds it; the message names that run.
    """
    made = [f for f in (folder, *folder.parents) if not f.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    handle = _acquire(path)
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(_identity()).encode(), 0)
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)
        for empty in made:
            if any(empty.iterdir()):
                break
            empty.rmdir()


def _acquire(path: Path) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _describe(os.pread(handle, 4096, 0))
            os.close(handle)
            raise ConfigurationError(
                Problem(
                    str(path.parent),
                    f"another run is writing here: {holder}",
                    "wait until it ends, or choose another --out",
                )
            ) from None
        if _same_file(handle, path):
            return handle
        # The former holder removed the file between our open and our lock: what we hold guards nothing.
        os.close(handle)


def _same_file(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _identity() -> dict[str, str | int]:
    started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {"pid": os.getpid(), "host": socket.gethostname(), "started": started}


def _describe(content: bytes) -> str:
    try:
        holder = json.loads(content)
        return f"process {holder['pid']} on {holder['host']}, started {holder['started']}"
    except (ValueError, KeyError, TypeError):
        return "it has not yet written who it is"
