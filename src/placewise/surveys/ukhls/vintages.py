"""Finds special-licence files that say where households lived: one vintage a user, one file a wave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from placewise.errors import Problems
from placewise.surveys.spec import GeographyFile
from placewise.surveys.ukhls.files import PROTECTED, SUFFIXES, tables_under, tell_twice
from placewise.surveys.ukhls.waves import prefixed


@dataclass(frozen=True)
class Vintage:
    """One kind of special-licence file.

    Parameters
    ----------
    name : str
        As the project file says it.
    study : str
        Its number at the UK Data Service.
    column : str
        Its variable, which names the file too; empty where no source tells it.
    what : str
        In words.
    """

    name: str
    study: str
    column: str
    what: str


VINTAGES: Mapping[str, Vintage] = {
    v.name: v
    for v in (
        Vintage("lsoa01", "SN 6670", "{w}_lsoa01", "lower super output areas of 2001"),
        Vintage("lsoa11", "SN 7248", "{w}_lsoa11", "lower super output areas of 2011"),
        Vintage("lsoa21", "SN 9169", "{w}_lsoa21", "lower super output areas of 2021"),
        Vintage("msoa01", "SN 7245", "{w}_msoa01", "middle super output areas of 2001"),
        Vintage("msoa11", "SN 7249", "{w}_msoa11", "middle super output areas of 2011"),
        Vintage("msoa21", "SN 9170", "{w}_msoa21", "middle super output areas of 2021"),
        Vintage("lad", "SN 6666", "{w}_oslaua", "local authority districts"),
        Vintage("oac", "SN 7629", "", "classes of the Output Area Classification"),
    )
}


def geography_files(geography: GeographyFile, waves: Sequence[str]) -> dict[str, list[Path]]:
    """Candidates for the file of each wave, those that there are; a file that is named stands for every wave."""
    if geography.path.is_file():
        return {wave: [geography.path] for wave in waves}
    if not geography.path.is_dir():
        return {}
    tables = tables_under(geography.path)
    return {wave: tables[name] for wave in waves if (name := _file_name(geography, wave)) in tables}


def find_geography(
    geography: GeographyFile, column: str, waves: Sequence[str], where: str, problems: Problems
) -> dict[str, Path] | None:
    """The file of each wave, or None after noting those that are absent or there twice.

    Parameters
    ----------
    geography : GeographyFile
        Where to look, and for which vintage.
    column : str
        The user's name of the variable; empty for that of the vintage.
    waves : sequence of str
        Letters.
    where : str
        The survey's table in the project file, for messages.
    """
    before = len(problems)
    vintage, path = VINTAGES[geography.vintage], geography.path
    where = f"{where}.geography"
    if not vintage.column and not (column and (geography.file or path.is_file())):
        problems.add(
            where,
            f"how {vintage.study} ({vintage.what}) names its files and its variable is confirmed by no source",
            'name them: file = "{w}_…" beside the vintage, and area = { column = "{w}_…", level = "…" }',
        )
        return None
    if not path.exists():
        problems.add(f"{where}.path", f"{path} is not there", f"{vintage.study} holds {vintage.what}", "data")
        return None
    if path.is_file() and len(waves) > 1:
        what = f"{path.name} is one file, and households are numbered anew in each of the {len(waves)} waves"
        problems.add(f"{where}.path", what, "name the folder that holds a file for each wave")
    candidates = geography_files(geography, waves)
    for wave in waves:
        if wave in candidates:
            tell_twice(_file_name(geography, wave), candidates[wave], path, f"{where}.path", problems)
        else:
            _tell_absent(geography, wave, f"{where}.path", problems)
    return {wave: paths[0] for wave, paths in candidates.items()} if len(problems) == before else None


def _file_name(geography: GeographyFile, wave: str) -> str:
    template = geography.file or VINTAGES[geography.vintage].column
    return prefixed(template, wave).lower().removesuffix(PROTECTED)


def _tell_absent(geography: GeographyFile, wave: str, where: str, problems: Problems) -> None:
    name, folder = _file_name(geography, wave), geography.path
    tables = tables_under(folder)
    held = [repr(v.name) for v in VINTAGES.values() if v.column and prefixed(v.column, wave) in tables]
    hint = f"{VINTAGES[geography.vintage].study} holds it"
    if held:
        hint = f"vintage {' and '.join(held)} of that wave is there: name the one whose codes the areas have"
    message = f"no {name} or {name}{PROTECTED} ({', '.join(SUFFIXES)}) in {folder} or any folder below it"
    problems.add(where, message, hint, "data")
