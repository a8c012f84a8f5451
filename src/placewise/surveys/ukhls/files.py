"""Finds the files of a study in an unpacked download, whatever its folders."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from placewise.errors import Problems
from placewise.surveys.ukhls.waves import ACROSS, WAVES

SUFFIXES = (".tab", ".sav", ".dta")
# In the order in which a variable is looked for.
OF_WAVE = ("indresp", "hhresp", "indall")
PROTECTED = "_protect"
_BHPS = re.compile(r"b[a-r]_indresp")

# Wave (empty for the file across waves) and stem, and where the file is.
StudyFiles = Mapping[tuple[str, str], Path]


def tables_under(folder: Path) -> dict[str, list[Path]]:
    """Every table under a folder, by its name in lower case without ``_protect`` and ending, sorted by path.

    Special-licence files end in ``_protect``; otherwise they are named as the others.
    """
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            found[path.stem.lower().removesuffix(PROTECTED)].append(path)
    return dict(found)


def study_files(folder: Path, waves: Iterable[str]) -> dict[tuple[str, str], list[Path]]:
    """Candidates for each file of the study, those that there are: by wave and stem; the file across waves last."""
    tables = tables_under(folder)
    names = {(wave, stem): f"{wave}_{stem}" for wave in waves for stem in OF_WAVE} | {("", ACROSS): ACROSS}
    return {key: tables[name] for key, name in names.items() if name in tables}


def find_study(folder: Path, waves: Sequence[str], where: str, problems: Problems) -> StudyFiles | None:
    """Files of the study that there are, after noting which interviews are absent and which files are there twice.

    Parameters
    ----------
    folder : Path
        The unpacked download, or any folder above it.
    waves : sequence of str
        Letters.
    where : str
        The survey's table in the project file, for messages.
    problems : Problems
        Takes what is wrong.

    Returns
    -------
    mapping of (wave, stem) to Path, or None
        None where there is no folder.
    """
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "is not there"
        problems.add(f"{where}.path", f"{folder} {what}", "unpack the download and name its folder", "data")
        return None
    candidates = study_files(folder, waves)
    for (wave, stem), paths in candidates.items():
        tell_twice(f"{wave}_{stem}" if wave else stem, paths, folder, f"{where}.path", problems)
    absent = [wave for wave in waves if (wave, "indresp") not in candidates]
    if absent:
        names = ", ".join(f"{wave}_indresp" for wave in absent)
        message = f"no {names} ({', '.join(SUFFIXES)}) in {folder} or any folder below it"
        problems.add(f"{where}.waves", message, _what_there_is(folder), "data")
    return {key: paths[0] for key, paths in candidates.items()}


def tell_twice(name: str, paths: Collection[Path], folder: Path, where: str, problems: Problems) -> None:
    """Note a file that there is more than once: which edition or format to take is not for the reader to choose."""
    if len(paths) > 1:
        shown = ", ".join(_relative(path, folder) for path in paths)
        problems.add(
            where, f"{len(paths)} files are {name}: {shown}", "name the folder of one edition, in one format", "data"
        )


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def _what_there_is(folder: Path) -> str:
    tables = tables_under(folder)
    here = [wave for wave in WAVES if f"{wave}_indresp" in tables]
    bhps = any(_BHPS.fullmatch(name) for name in tables)
    if here:
        beside = "; files ba_ to br_ are harmonised waves of the BHPS, which is another study" if bhps else ""
        return f"waves found: {', '.join(here)}{beside}"
    if bhps:
        return "only harmonised waves of the BHPS (ba_ to br_) are there, which are another study's"
    if any(folder.rglob("*.zip")):
        return "unpack the archive there"
    return "name the folder of the unpacked study SN 6614 or SN 6931"
