"""The folder of open data: what is in it, and the checksum that each file had when it was first taken."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import tomli_w

from placewise.errors import ConfigurationError, Problem, Problems, nearest
from placewise.opendata.catalogue import COVARIATES_FILE, SOURCES_FILE, read_catalogue, relative_file
from placewise.opendata.spec import Catalogue, Source
from placewise.pipeline import atomic
from placewise.schema import Key, Place, table, table_of, text
from placewise.toml_file import read_toml

PINS = "checksums.toml"
DEFAULT_FOLDER = Path("data/open")
_HEADER = "# What placewise took from whom, and its SHA-256 then. A file that has another one now is refused.\n\n"


@dataclass(frozen=True)
class Pin:
    """A file as it was when it was taken.

    Parameters
    ----------
    file : str
        Path inside the folder.
    sha256 : str
        In hexadecimal.
    origin : str
        The address, or the words "a folder".
    taken : str
        Day, ISO 8601.
    """

    file: str
    sha256: str
    origin: str
    taken: str


def new_pin(file: str, sha256: str, origin: str) -> Pin:
    """A pin of today."""
    return Pin(file, sha256, origin, datetime.datetime.now(datetime.UTC).date().isoformat())


def load_catalogue(path: Path | None = None) -> Catalogue:
    """The catalogue that comes with placewise, or one in the user's own file of the same form.

    Raises
    ------
    ConfigurationError
        Everything that is wrong with it.
    """
    problems = Problems()
    sources = path or SOURCES_FILE
    place, other = Place(str(sources) if path else sources.name, problems), Place(COVARIATES_FILE.name, problems)
    tables, covariates = read_toml(sources, place), read_toml(COVARIATES_FILE, other)
    problems.raise_if_any()
    assert tables is not None
    assert covariates is not None
    return read_catalogue(tables, covariates, place, other)


def choose(catalogue: Catalogue, names: Sequence[str]) -> tuple[Source, ...]:
    """Sources by name; all where none is named.

    Raises
    ------
    ConfigurationError
        A name that no source has.
    """
    unknown = [n for n in names if n not in catalogue.sources]
    if unknown:
        known = list(catalogue.sources)
        raise ConfigurationError(Problem(n, "is no source of the catalogue", nearest(n, known)) for n in unknown)
    return tuple(catalogue.sources[n] for n in (dict.fromkeys(names) or catalogue.sources))


def read_pins(folder: Path) -> dict[str, Pin]:
    """Pins of a folder by source; none where it has no file of them.

    Raises
    ------
    ConfigurationError
        The file is there and is not what this program writes.
    """
    path = folder / PINS
    if not path.exists():
        return {}
    problems = Problems()
    place = Place(str(path), problems)
    found = read_toml(path, place)
    keys = {"file": Key(relative_file, True), **{k: Key(text, True) for k in ("sha256", "origin", "taken")}}
    pins = table_of(table(keys, Pin))(found, place) if found is not None else None
    problems.raise_if_any()
    return dict(pins or {})


def write_pins(folder: Path, pins: Mapping[str, Pin]) -> None:
    """Write the pins of a folder, in the order of their names."""
    tables = {name: asdict(pins[name]) for name in sorted(pins)}
    atomic.write_text(folder / PINS, _HEADER + tomli_w.dumps(tables))
