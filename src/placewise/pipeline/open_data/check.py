"""Whether the folder of open data holds what it should: files there, unchanged, and right inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from placewise.errors import Problems
from placewise.opendata.reading import expected_names, locate
from placewise.opendata.spec import Source
from placewise.pipeline.fingerprint import file_digest
from placewise.pipeline.open_data.inspect import read_verified
from placewise.pipeline.open_data.store import PINS, Pin, choose, load_catalogue, read_pins
from placewise.pipeline.progress import Reporter


@dataclass(frozen=True)
class Checked:
    """A folder without problems.

    Parameters
    ----------
    sources : mapping of name to str
        What was found of each, in words.
    """

    folder: Path
    sources: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {"status": "done", "exit_status": 0, "folder": str(self.folder), "sources": self.sources}

    def text(self) -> str:
        """A few lines for a person."""
        width = max(len(name) for name in self.sources)
        return "\n".join([f"{self.folder}: no problems.", *(f"  {n:<{width}}  {w}" for n, w in self.sources.items())])


def check_sources(
    folder: Path, names: Sequence[str] = (), *, catalogue_file: Path | None = None, quiet: bool = False
) -> Checked:
    """Check the files of a folder, in either layout; nothing is written.

    Raises
    ------
    DataError
        Every problem at once: files that are missing, changed since they were taken, cut short, or not what the
        catalogue says.
    """
    chosen = choose(load_catalogue(catalogue_file), names)
    problems = Problems()
    if not folder.is_dir():
        problems.add(str(folder), "there is no such folder", "placewise data fetch makes it, --folder names another")
        problems.raise_if_any()
    pins = read_pins(folder)
    found = {}
    with Reporter(quiet).bar("checking", len(chosen)) as bar:
        for k, source in enumerate(chosen):
            found[source.name] = _check(folder, source, pins.get(source.name), bool(names), problems)
            bar(k + 1, len(chosen))
    problems.raise_if_any()
    return Checked(folder, found)


def _check(folder: Path, source: Source, pin: Pin | None, named: bool, problems: Problems) -> str:
    located = locate(folder, source)
    if located is None:
        if not source.optional or named or pin is not None:
            hint = f"looked for {' and '.join(expected_names(source))}; placewise data fetch {source.name}"
            problems.add(source.name, f"is not in {folder}", hint, "data")
        return "is not there (optional)"
    name = located.path.relative_to(folder).as_posix()
    if pin is not None and pin.file == name:
        digest = file_digest(located.path)
        if digest != pin.sha256:
            problems.add(
                source.name,
                f"{name} has changed since it was taken on {pin.taken}: its SHA-256 is {digest}, expected {pin.sha256}",
                f"placewise data fetch {source.name} brings it again; with --accept-new a new edition is taken",
                "data",
            )
            return "changed"
    table = read_verified(located, source, problems)
    if table is None:
        return "wrong"
    pinned = f"as taken on {pin.taken}" if pin is not None and pin.file == name else f"not in {PINS}"
    return f"{len(table):,} rows, {name}, {pinned}"
