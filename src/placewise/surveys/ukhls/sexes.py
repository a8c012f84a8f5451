"""Whether the files of the study agree on each person's sex, as they do unless one codes it the other way round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import pandas as pd

from placewise.errors import Problems
from placewise.geography.codes import as_codes
from placewise.geography.tables import read_raw
from placewise.surveys.account import Check
from placewise.surveys.disclosure import THRESHOLD, told
from placewise.surveys.recode import Variable
from placewise.surveys.ukhls.recodings import in_wave
from placewise.surveys.ukhls.wave import MAIN, WaveFiles
from placewise.surveys.ukhls.waves import ACROSS, PERSON

SEX = Variable("sex", ("sex", "sex_dv"))
# Of people in two files: corrections from wave to wave stay below it.
TOLERATED = 0.01
NAME = "sex across files"
_SHOWN = 4


@dataclass(frozen=True)
class Pair:
    """Two files beside one another.

    Parameters
    ----------
    files : tuple of two str
        Their names.
    both : int
        People whose sex both have.
    differ : int
        Of them, those whose sex is not the same.
    """

    files: tuple[str, str]
    both: int
    differ: int

    @property
    def share(self) -> float:
        """Share of the people in both for whom the files differ."""
        return self.differ / self.both if self.both else 0.0

    @property
    def apart(self) -> bool:
        """More differ than corrections explain, and not only a handful."""
        return self.share > TOLERATED and self.differ >= THRESHOLD

    def told(self) -> str:
        """The pair in words."""
        first, second = self.files
        # to whole percents, so that nobody can count the few of a turned file who agree
        share = f"{self.share:.0%}" if self.share >= 0.1 else f"{self.share:.1%}"
        return f"{first} and {second} for {share} of {told(self.both)} people in both"


def check_sexes(waves: Sequence[WaveFiles], where: str, problems: Problems) -> tuple[Check, ...]:
    """Compare each person's sex between interviews, enumerations and the file across waves.

    Parameters
    ----------
    waves : sequence of WaveFiles
        Files of each wave.
    where : str
        The survey's table in the project file, for messages.
    problems : Problems
        Takes files that differ for more than 1% of the people in both.

    Returns
    -------
    tuple of Check
        Empty where no two files have people in common, or where a problem was noted. A file that is only compared
        with and cannot be read is a warning: nothing else rests on it.
    """
    sources, unread = _sources(waves)
    pairs = [p for p in compare_sexes(sources) if p.both]
    checks = [
        Check(NAME, "warn", f"not compared with {name}, which cannot be read as its name says") for name in unread
    ]
    apart = [p for p in pairs if p.apart]
    if apart:
        suspects = _suspects(apart)
        shown = [p for p in apart if set(p.files) & set(suspects)]
        more = f", and {len(shown) - _SHOWN} more pairs of files" if len(shown) > _SHOWN else ""
        listed = "; ".join(p.told() for p in shown[:_SHOWN])
        message = f"sex is not the same in {listed}{more}; corrections stay below {TOLERATED:.0%}"
        waves_named = " or ".join(_of_wave(name) for name in suspects)
        hint = f"does {waves_named} code sex the other way round? take it as deposited: 1 is male, 2 is female"
        problems.add(f"{where}.path", message, hint, "data")
        return ()
    return (*checks, *([_few(pairs)] if pairs else []))


def _few(pairs: Sequence[Pair]) -> Check:
    """What is left to tell of files that agree, but for corrections."""
    differ = sum(p.differ for p in pairs)
    if not differ:
        return Check(NAME, "pass", f"the same for everyone in any two of the {len(_files(pairs))} files that have it")
    worst = max(pairs, key=lambda p: p.share)
    first, second = worst.files
    shown_share = f"{worst.share:.2%}" if worst.differ >= THRESHOLD else told(worst.differ)
    message = f"differs most between {first} and {second}: for {shown_share} of {told(worst.both)} people in both"
    return Check(NAME, "warn", message)


def compare_sexes(sources: Mapping[str, pd.Series]) -> list[Pair]:
    """Every two files beside one another.

    Parameters
    ----------
    sources : mapping of file name to Series of str
        ``"1"`` or ``"2"`` by ``pidp``.
    """
    found = []
    for (first, a), (second, b) in combinations(sources.items(), 2):
        common = a.index.intersection(b.index)
        differ = int((a.loc[common].to_numpy(dtype=object) != b.loc[common].to_numpy(dtype=object)).sum())
        found.append(Pair((first, second), len(common), differ))
    return found


def _sources(waves: Sequence[WaveFiles]) -> tuple[dict[str, pd.Series], list[str]]:
    """Sex by person in every file that has it, by the file's name; and files that cannot be read."""
    found: dict[str, pd.Series] = {}
    unread: dict[str, None] = {}
    for own in waves:
        # what the reading itself needs is told by it; the others are opened apart
        files = replace(own, problems=Problems(), opened=dict(own.opened))
        for stem in (MAIN, "indall", ACROSS):
            file = files.open(stem) if stem in files.stems() else None
            if stem in files.stems() and file is None and stem not in own.opened:
                unread[files.name(stem)] = None
            column = None if file is None else in_wave(SEX, files.wave).find(file.columns)
            if file is None or column is None or PERSON not in file.columns or file.path.name in found:
                continue
            raw = read_raw(file, (PERSON, column), f"{files.where}.path", files.problems, user_missing=True)
            if raw is None:
                unread[file.path.name] = None
                continue
            sex, person = as_codes(raw.frame[column]), as_codes(raw.frame[PERSON])
            kept = (sex.isin(["1", "2"]) & person.notna() & ~person.duplicated(keep=False)).to_numpy()
            found[file.path.name] = pd.Series(
                sex[kept].to_numpy(dtype=object), index=pd.Index(person[kept].to_numpy(dtype=object))
            )
    return found, list(unread)


def _suspects(apart: Sequence[Pair]) -> list[str]:
    """Files that differ from the most others: the one that is coded otherwise, where two sides are not even."""
    times = {name: sum(name in p.files for p in apart) for name in _files(apart)}
    return [name for name, n in times.items() if n == max(times.values())]


def _files(pairs: Sequence[Pair]) -> list[str]:
    return list(dict.fromkeys(name for p in pairs for name in p.files))


def _of_wave(name: str) -> str:
    letter = name.split("_", 1)[0]
    return f"{name} (wave {letter})" if "_" in name else name
