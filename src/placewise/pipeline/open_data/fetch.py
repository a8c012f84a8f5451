"""Bring open data into the folder, from the publishers or from another folder; only what is whole and right is kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from placewise.errors import Problems
from placewise.opendata.download import ChangedError, FetchError, UnreachableError, fetch_file
from placewise.opendata.reading import Located, expected_names, locate
from placewise.opendata.service import fetch_service
from placewise.opendata.spec import Source
from placewise.pipeline import atomic
from placewise.pipeline.fingerprint import file_digest
from placewise.pipeline.lock import locked
from placewise.pipeline.open_data.inspect import read_verified
from placewise.pipeline.open_data.store import Pin, choose, load_catalogue, new_pin, read_pins, write_pins
from placewise.pipeline.progress import Reporter

PARTIAL = ".partial"
ROOM = 20_000_000


@dataclass(frozen=True)
class Fetched:
    """What a fetch did.

    Parameters
    ----------
    new, there : tuple of str
        Sources that were brought, and those that were there already.
    notes : tuple of str
        Optional sources that could not be brought, and what to do.
    attribution : tuple of str
        Words that every use must show.
    """

    folder: Path
    new: tuple[str, ...]
    there: tuple[str, ...]
    notes: tuple[str, ...]
    attribution: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        done = {"new": self.new, "there": self.there, "notes": self.notes, "attribution": self.attribution}
        return {"status": "done", "exit_status": 0, "folder": str(self.folder), **{k: list(v) for k, v in done.items()}}

    def text(self) -> str:
        """A few lines for a person."""
        lines = [f"{self.folder}: {len(self.new)} brought, {len(self.there)} there already."]
        lines += [f"  - {note}" for note in self.notes]
        lines += ["Whoever uses these data shows:", *(f"  {words}" for words in self.attribution)]
        return "\n".join([*lines, "Next: placewise data areas"])


class _RefusedError(Exception):
    """A file that is not kept; what is wrong with it has been noted."""


@dataclass
class _Job:
    """One run of fetch: where from, where to, and what was found so far."""

    folder: Path
    origin: Path | None
    accept_new: bool
    reporter: Reporter
    pause: float
    pins: dict[str, Pin]
    problems: Problems = field(default_factory=Problems)
    notes: list[str] = field(default_factory=list)
    unreachable: set[str | None] = field(default_factory=set)


def fetch_sources(
    folder: Path,
    names: Sequence[str] = (),
    *,
    origin: Path | None = None,
    accept_new: bool = False,
    catalogue_file: Path | None = None,
    quiet: bool = False,
    pause: float = 1.0,
) -> Fetched:
    """Bring sources into a folder.

    Parameters
    ----------
    folder : Path
        Made when it does not exist; ``checksums.toml`` in it pins every file.
    names : sequence of str
        Sources; all where empty.
    origin : Path, optional
        Folder to take them from instead of the publishers, in either layout.
    accept_new : bool
        Bring again what is there too, take files whose checksum differs from the known one, and pin the new one.
    pause : float
        Seconds before a second attempt.

    Raises
    ------
    DataError
        What could not be brought, each source once; the others are there.
    """
    catalogue = load_catalogue(catalogue_file)
    chosen = choose(catalogue, names)
    problems = Problems()
    if origin is not None and not origin.is_dir():
        problems.add("--from", f"there is no folder {origin}")
        problems.raise_if_any()
    atomic.check_writable(folder, ROOM * len(chosen))
    new, there = [], []
    with locked(folder):
        atomic.remove_leftovers(folder)
        job = _Job(folder, origin, accept_new, Reporter(quiet), pause, read_pins(folder))
        for source in chosen:
            if _is_there(job, source):
                there.append(source.name)
            elif _bring(job, source):
                new.append(source.name)
                write_pins(folder, job.pins)
        job.problems.raise_if_any()
    publishers = dict.fromkeys(s.publisher for s in chosen if s.name in (*new, *there))
    words = tuple(catalogue.publishers[p].attribution for p in publishers)
    return Fetched(folder, tuple(new), tuple(there), tuple(job.notes), words)


def _is_there(job: _Job, source: Source) -> bool:
    """Whether the pinned file is there and unchanged."""
    pin = job.pins.get(source.name)
    if pin is None or job.accept_new or not (job.folder / pin.file).is_file():
        return False
    if file_digest(job.folder / pin.file) == pin.sha256:
        return True
    job.reporter.warn(f"{source.name}: {pin.file} was changed since it was taken, and is brought again")
    return False


def _bring(job: _Job, source: Source) -> bool:
    try:
        if job.origin is not None:
            return _copy(job, source, job.origin)
        if source.fetch == "hand":
            _miss(job, source, "has no address: it is taken by hand", f"look at {source.page}; {_by_hand(source)}")
            return False
        host = urlsplit(source.url).hostname
        if host in job.unreachable:
            raise UnreachableError(f"{host} cannot be reached", "is there a connection?")
        job.reporter.say(f"{source.name}: {source.url}")
        return _download(job, source)
    except _RefusedError:
        pass
    except ChangedError as error:
        where = str(job.origin) if job.origin is not None else source.page
        hint = f"look at {where} for what is new; --accept-new takes it and records its checksum"
        job.problems.add(source.name, error.message, hint, "data")
    except FetchError as error:
        if isinstance(error, UnreachableError):
            job.unreachable.add(urlsplit(source.url).hostname)
        confirmed = "" if source.address == "seen" else "the address is unconfirmed; "
        hint = f"{error.hint}; {confirmed}see {source.page}; {_by_hand(source)}"
        job.problems.add(source.name, error.message, hint, "data")
    return False


def _by_hand(source: Source) -> str:
    return f"or save it as {' or '.join(expected_names(source))} in a folder and use --from"


def _miss(job: _Job, source: Source, message: str, hint: str) -> None:
    """What cannot be brought: a problem, or a note where nothing depends on it."""
    if source.optional:
        job.notes.append(f"{source.name}: {message} ({hint})")
    else:
        job.problems.add(source.name, message, hint, "data")


def _copy(job: _Job, source: Source, origin: Path) -> bool:
    located = locate(origin, source)
    if located is None:
        _miss(job, source, f"is not in {origin}", f"looked for {' and '.join(expected_names(source))}")
        return False
    unpacked = located.layout.member and not located.packed
    name = PurePosixPath(located.layout.member).name if unpacked else located.layout.file

    def copy(part: Path, known: str) -> str:
        shutil.copyfile(located.path, part)
        digest = file_digest(part)
        if known and digest != known:
            raise ChangedError(known, digest)
        return digest

    return _keep(job, source, replace(located, path=job.folder / name), "a folder", copy)


def _download(job: _Job, source: Source) -> bool:
    layout = source.layouts[0]
    partial = job.folder / PARTIAL / source.name

    def file(part: Path, known: str) -> str:
        with job.reporter.bar(source.name, 0) as bar:
            return fetch_file(source.url, part, partial, known, progress=bar, pause=job.pause)

    def service(part: Path, known: str) -> str:
        with job.reporter.bar(source.name, 0) as bar:
            fetch_service(source, part, partial, progress=bar, pause=job.pause)
        digest = file_digest(part)
        if known and digest != known:
            raise ChangedError(known, digest)
        return digest

    target = Located(job.folder / layout.file, layout, bool(layout.member))
    done = _keep(job, source, target, source.url, file if source.fetch == "file" else service)
    atomic.remove(partial)
    if not any(partial.parent.iterdir()):
        partial.parent.rmdir()
    return done


def _keep(job: _Job, source: Source, target: Located, origin: str, write: Callable[[Path, str], str]) -> bool:
    """Put what ``write`` brings into the folder when its checksum fits and nothing is wrong with the table in it."""
    name = target.path.relative_to(job.folder).as_posix()
    pin = job.pins.get(source.name)
    known = source.sha256 if name == source.file else ""
    if not known and pin is not None and pin.file == name:
        known = pin.sha256
    with atomic.replacing(target.path) as part:
        digest = write(part, "" if job.accept_new else known)
        if read_verified(replace(target, path=part), source, job.problems) is None:
            raise _RefusedError
    job.pins[source.name] = new_pin(name, digest, origin)
    # one file of the Parquet layout may hold several sources
    if pin is not None and all(other.file != pin.file for other in job.pins.values()):
        atomic.remove(job.folder / pin.file)
    return True
