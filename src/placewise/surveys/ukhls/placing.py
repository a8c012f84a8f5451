"""Where each variable stands: in which file of each wave, or in none."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from placewise.errors import Problems, nearest
from placewise.surveys.recode import Recoding, Variable
from placewise.surveys.ukhls.cohesion import CONFIRMED_WAVES
from placewise.surveys.ukhls.recodings import SCALE, SCALE_ITEMS, plain
from placewise.surveys.ukhls.wave import WaveFiles
from placewise.surveys.ukhls.waves import OWN, PERSON

# Variables of each file, by stem.
Placed = Mapping[str, tuple[Variable, ...]]

_PREFIXED = re.compile(r"[a-o]_.+")
_COHESION = re.compile(r"scopngbh[a-h]|nbrsnci.*")


def place(
    names: Collection[str],
    required: Collection[str],
    recoding: Recoding,
    waves: Sequence[WaveFiles],
    where: str,
    problems: Problems,
    why: Mapping[str, str],
) -> dict[str, Placed]:
    """Where each variable stands in each wave.

    Parameters
    ----------
    names : collection of str
        Variables of the recoding, the scale, or of the study without the wave's letter.
    required : collection of str
        Those that must be there; others are left to the areas where no wave has them.
    recoding : Recoding
        The mappings in force.
    waves : sequence of WaveFiles
        Files of each wave.
    where : str
        The survey's table in the project file, for messages.
    problems : Problems
        Takes what is wrong.
    why : mapping of str to str
        What follows the name of a variable that is not there, for those where it is known.

    Returns
    -------
    dict of wave to mapping of stem to tuple of Variable
    """
    found: dict[str, dict[str, tuple[Variable, ...]]] = {files.wave: {} for files in waves}
    for variable in _wanted(names, required, recoding, where, problems):
        places = [(files, files.locate(variable)) for files in waves]
        having = [files.wave for files, at in places if at is not None]
        needed = variable.name in required or variable in SCALE_ITEMS.variables or having
        for files, at in places:
            if at is not None:
                stem, here = at
                found[files.wave][stem] = (*found[files.wave].get(stem, ()), here)
            elif needed and variable.required:
                hint = _hint(variable, files, having, recoding)
                files.tell_absent(variable.sources()[0], where, hint, why.get(variable.name, ""))
    return dict(found)


def _wanted(
    names: Collection[str], required: Collection[str], recoding: Recoding, where: str, problems: Problems
) -> list[Variable]:
    """The variable behind each name; names that cannot be one are noted."""
    wanted: dict[str, Variable] = {}
    for name in dict.fromkeys(names):
        if name == PERSON:
            message = f"{PERSON!r} is who a person is, which would be written with the results"
            problems.add(where, message, "leave it out of formulas; sampling units tell who goes together")
        elif name == SCALE and SCALE not in recoding.names():
            wanted |= {v.name: v for v in SCALE_ITEMS.variables}
        elif _PREFIXED.fullmatch(name) and name not in recoding.names():
            if name in required:
                problems.add(where, f"{name!r} is of one wave", f"write {name[2:]!r}: the reader knows the waves")
        elif name not in OWN:
            wanted[name] = recoding[name] if name in recoding.names() else plain(name)
    return list(wanted.values())


def _hint(variable: Variable, files: WaveFiles, having: Sequence[str], recoding: Recoding) -> str:
    """In which waves a question was put, where that is known; else the name most like it."""
    stem = variable.sources()[0]
    asked = CONFIRMED_WAVES if _COHESION.fullmatch(stem) else having
    if asked:
        return f"asked in waves {', '.join(asked)}"
    stems = [column.removeprefix(f"{files.wave}_") for column in files.columns()]
    return nearest(stem, [*recoding.names(), SCALE, *stems])
