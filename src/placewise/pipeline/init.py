"""Start a project folder: two annotated files, or the made-up country with its data."""

from __future__ import annotations

import shutil
import tempfile
from importlib import resources
from pathlib import Path

from placewise.errors import ConfigurationError, Problem
from placewise.pipeline import atomic

STARTER = ("placewise.toml", "models/outcome.toml")


def init_project(folder: Path, *, example: bool, size: str) -> tuple[Path, ...]:
    """Write a project's first files; none that exists is touched.

    Parameters
    ----------
    folder : Path
        Made when it does not exist.
    example : bool
        The embedded example with its data instead of two files to be filled in.
    size : {"small", "standard"}
        Of the example: about 300 or 6,000 areas.

    Returns
    -------
    tuple of Path
        The files written.

    Raises
    ------
    ConfigurationError
        A file of the same name exists already, or the folder cannot be written to.
    """
    atomic.check_writable(folder, 20_000_000)
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch)
        if example:
            from placewise.pipeline.example import write_example

            write_example(source, small=size == "small")
        else:
            _write_starter(source)
        names = sorted(p.relative_to(source) for p in source.rglob("*") if p.is_file())
        _refuse_overwriting(folder, names)
        for name in names:
            with atomic.replacing(folder / name) as part:
                shutil.copyfile(source / name, part)
    return tuple(folder / name for name in names)


def _write_starter(folder: Path) -> None:
    for name in STARTER:
        text = resources.files("placewise.pipeline").joinpath("starter", name).read_text(encoding="utf-8")
        atomic.write_text(folder / name, text)


def _refuse_overwriting(folder: Path, names: list[Path]) -> None:
    there = [name.as_posix() for name in names if (folder / name).exists()]
    if there:
        raise ConfigurationError(
            Problem(str(folder), f"already holds {', '.join(there[:5])}", "choose an empty folder with --project")
        )
