"""Start a project folder: two annotated files, or the made-up country with its data."""

from __future__ import annotations

import shutil
import tempfile
from importlib import resources
from pathlib import Path

from placewise.errors import ConfigurationError, Problem, Problems
from placewise.pipeline import atomic
from placewise.pipeline.progress import Reporter

STARTER = ("placewise.toml", "models/outcome.toml")


NATIONAL = "national"


def init_project(
    folder: Path, *, example: bool, size: str = "standard", form: str = "tab", areas: Path | None = None
) -> tuple[Path, ...]:
    """Write a project's first files; none that exists is touched.

    Parameters
    ----------
    folder : Path
        Made when it does not exist.
    example : bool
        The embedded example with its data instead of two files to be filled in.
    size : {"small", "standard", "national"}
        Of the example: about 300 or 6,000 made-up areas, or a user's own.
    form : {"tab", "sav", "dta"}
        Of the example's household panel.
    areas : Path, optional
        Table of the user's own areas, for size "national" and for no other.

    Returns
    -------
    tuple of Path
        The files written.

    Raises
    ------
    ConfigurationError
        A file of the same name exists already, the folder cannot be written to, or the options do not go together.
    DataError
        With everything that the user's own areas lack.
    """
    _check_options(example, size, form, areas)
    atomic.check_writable(folder, 20_000_000 if areas is None else 200_000_000)
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch)
        if areas is not None:
            from placewise.pipeline.example import write_own_areas

            with Reporter().bar("areas", 1) as bar:
                write_own_areas(source, areas, form=form, progress=bar)
        elif example:
            from placewise.pipeline.example import write_example

            write_example(source, small=size == "small", form=form)
        else:
            _write_starter(source)
        names = sorted(p.relative_to(source) for p in source.rglob("*") if p.is_file())
        _refuse_overwriting(folder, names)
        for name in names:
            with atomic.replacing(folder / name) as part:
                shutil.copyfile(source / name, part)
    return tuple(folder / name for name in names)


def _check_options(example: bool, size: str, form: str, areas: Path | None) -> None:
    found = Problems()
    for option, given in (("--areas", areas is not None), ("--format", form != "tab")):
        if given and not example:
            found.add(option, "goes with --example", "add --example")
    if size == NATIONAL and areas is None:
        found.add("--size national", "needs a table of areas", "write --areas TABLE: one row an area")
    if areas is not None and size != NATIONAL:
        found.add("--areas", f"goes with --size national, not with {size}", "the example's own areas are made up")
    found.raise_if_any()


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
