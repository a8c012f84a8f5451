"""One wave's files: where each variable stands, and its columns beside one another, a row each interview."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from placewise.errors import Problems
from placewise.geography.codes import as_codes
from placewise.geography.joins import positions
from placewise.geography.tables import RawTable, TableFile, open_table, read_raw, require
from placewise.surveys.account import FileRead, file_read
from placewise.surveys.disclosure import told
from placewise.surveys.recode import Recoding, Variable
from placewise.surveys.ukhls.files import OF_WAVE, StudyFiles
from placewise.surveys.ukhls.recodings import in_wave
from placewise.surveys.ukhls.waves import ACROSS, PERSON, missing_codes, prefixed

MAIN = "indresp"
# Interviews without a row in another file of the same wave: above this share, it is another edition's or wave's.
MOST_UNMATCHED = 0.05
_HOUSEHOLD = re.compile(r"(b?[a-r])_hidp")


@dataclass(frozen=True, eq=False, repr=False)
class Interviews:
    """Columns of one wave, before they are recoded.

    Parameters
    ----------
    wave : str
        Letter.
    parts : mapping of stem to RawTable
        Needed columns of each file, a row each interview, in the order of ``{w}_indresp``; what a file lacks is blank.
    variables : mapping of stem to tuple of Variable
        Variables whose columns stand in each file, named as in this wave.
    person, household : Series of str, shape (n,)
        ``pidp`` and ``{w}_hidp``.
    missing : tuple of str, int or float
        Codes that the user declares as missing, beside the reserved ones.
    files : tuple of FileRead
        What was read.
    notes : tuple of str
        Harmless findings.
    """

    wave: str
    parts: Mapping[str, RawTable]
    variables: Mapping[str, tuple[Variable, ...]]
    person: pd.Series
    household: pd.Series
    missing: tuple[str | int | float, ...] = ()
    files: tuple[FileRead, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Number of interviews."""
        return len(self.person)

    def names(self) -> set[str]:
        """Names of the variables that stand in some file."""
        return {v.name for variables in self.variables.values() for v in variables}

    def has(self, column: str | None) -> bool:
        """Whether a column of the design stands in the main file."""
        return column in self.parts[MAIN].frame.columns

    def recoding(self, stem: str, names: Collection[str] | None = None) -> Recoding:
        """Variables of one file, all or some, with the codes reserved in it."""
        chosen = tuple(v for v in self.variables.get(stem, ()) if names is None or v.name in names)
        return Recoding(chosen, (*missing_codes(self.wave, stem), *self.missing))

    def codes(self, name: str) -> pd.Series:
        """A column of the main file without its missing codes, as codes in text."""
        codes = as_codes(self.parts[MAIN].frame[name])
        return codes.mask(codes.isin([str(code) for code in missing_codes(self.wave)]))

    def take(self, rows: np.ndarray) -> Interviews:
        """Only some interviews, by a mask."""
        return replace(
            self,
            parts={
                stem: RawTable(part.frame[rows].reset_index(drop=True), part.labels)
                for stem, part in self.parts.items()
            },
            person=self.person[rows].reset_index(drop=True),
            household=self.household[rows].reset_index(drop=True),
        )


@dataclass(frozen=True, eq=False, repr=False)
class WaveFiles:
    """The files of one wave and the file across waves, each opened when a variable is first looked for in it.

    Parameters
    ----------
    wave : str
        Letter.
    files : mapping of (wave, stem) to Path
        Files that there are.
    folder : Path
        The study's, against which files are shown.
    where : str
        The survey's table in the project file, for messages.
    problems : Problems
        Takes what is wrong.
    """

    wave: str
    files: StudyFiles
    folder: Path
    where: str
    problems: Problems
    opened: dict[str, TableFile | None] = field(default_factory=dict)

    @cached_property
    def household(self) -> str:
        """Household id of this wave."""
        return f"{self.wave}_hidp"

    def stems(self) -> tuple[str, ...]:
        """Files that there are, in the order in which a variable is looked for."""
        return tuple(s for s in (*OF_WAVE, ACROSS) if self._key(s) in self.files)

    def open(self, stem: str) -> TableFile | None:
        """A file and the columns it has; None where it cannot be read or holds another wave."""
        if stem not in self.opened:
            path = self.files[self._key(stem)]
            file = open_table(path, f"{self.where}.path", self.problems, self.keys(stem))
            self.opened[stem] = None if file is None or self._of_another_wave(stem, file) else file
        return self.opened[stem]

    def keys(self, stem: str) -> tuple[str, ...]:
        """Columns by which a file is joined onto the interviews, those of the main file itself."""
        if stem == MAIN:
            return PERSON, self.household
        return (self.household,) if stem == "hhresp" else (PERSON,)

    def columns(self) -> tuple[str, ...]:
        """Columns of the files opened so far."""
        return tuple(c for file in self.opened.values() if file is not None for c in file.columns)

    def locate(self, variable: Variable) -> tuple[str, Variable] | None:
        """The first file that has a variable's column, and the variable as it is named there."""
        here = in_wave(variable, self.wave)
        for stem in self.stems():
            file = self.open(stem)
            if file is not None and here.find(file.columns) is not None:
                return stem, here
        return None

    def tell_absent(self, stem: str, where: str, hint: str, why: str) -> None:
        """Note a variable that no file of the wave has, unless one of them cannot be read, which is told already."""
        if any(file is None for file in self.opened.values()):
            return
        looked = ", ".join(self.name(file) for file in self.stems())
        self.problems.add(where, f"no column {prefixed(stem, self.wave)!r} in {looked}{why}", hint, "data")

    def read(
        self,
        variables: Mapping[str, tuple[Variable, ...]],
        design: Collection[str],
        missing: tuple[str | int | float, ...] = (),
    ) -> Interviews | None:
        """Read the columns of some variables, file by file, and those of the design from the main file.

        Parameters
        ----------
        variables : mapping of stem to tuple of Variable
            As ``locate`` names them.
        design : collection of str
            Weight, sampling unit and stratum.
        missing : tuple of str, int or float
            Codes that the user declares as missing.

        Returns
        -------
        Interviews or None
            None where a problem was noted.
        """
        before = len(self.problems)
        raw = {}
        for stem in self.stems():
            if stem != MAIN and not variables.get(stem):
                continue
            file = self.open(stem)
            if file is not None:
                needed = [c for v in variables.get(stem, ()) if (c := v.find(file.columns)) is not None]
                own = design if stem == MAIN else ()
                raw[stem] = self._read(stem, file, [*self.keys(stem), *own, *needed])
        main = raw.get(MAIN)
        if main is None or len(self.problems) > before:
            return None
        person, household = as_codes(main.frame[PERSON]), as_codes(main.frame[self.household])
        self._check_ids(person, MAIN)
        notes: list[str] = []
        parts = {MAIN: main}
        for stem, part in raw.items():
            if stem != MAIN and part is not None:
                parts[stem] = self._beside(stem, part, household if stem == "hhresp" else person, notes)
        if len(self.problems) > before:
            return None
        accounts = tuple(self._account(stem, part) for stem, part in raw.items() if part is not None)
        return Interviews(self.wave, parts, variables, person, household, missing, accounts, tuple(notes))

    def _of_another_wave(self, stem: str, file: TableFile) -> bool:
        """Whether a file named after this wave holds the columns of another, which is noted once."""
        others = {m[1] for column in file.columns if (m := _HOUSEHOLD.fullmatch(column))}
        if stem == ACROSS or not others or self.wave in others:
            return False
        held = " and ".join(f"of wave {letter}" for letter in sorted(others))
        message = f"{file.path.name} holds columns {held}, none of wave {self.wave}"
        self.problems.add(f"{self.where}.path", message, f"put the file of wave {self.wave} in its place", "data")
        return True

    def _key(self, stem: str) -> tuple[str, str]:
        return ("" if stem == ACROSS else self.wave, stem)

    def name(self, stem: str) -> str:
        """A file's name."""
        return self.files[self._key(stem)].name

    def _read(self, stem: str, file: TableFile, columns: Collection[str]) -> RawTable | None:
        if not require(file, columns, f"{self.where}.path", self.problems):
            return None
        return read_raw(file, columns, f"{self.where}.path", self.problems, user_missing=True)

    def _check_ids(self, ids: pd.Series, stem: str) -> bool:
        """Whether every row has an id of its own."""
        blank, twice = int(ids.isna().sum()), int(ids[ids.notna()].duplicated().sum())
        for count, what in ((blank, "no id"), (twice, "the id of a row before")):
            if count:
                message = f"{told(count)} rows of {self.name(stem)} have {what} in {self.keys(stem)[0]!r}"
                self.problems.add(f"{self.where}.path", message, "expected a row each, with an id of its own", "data")
        return not (blank or twice)

    def _beside(self, stem: str, part: RawTable, ids: pd.Series, notes: list[str]) -> RawTable:
        """A file's columns beside the interviews: blank where it has no row."""
        theirs = as_codes(part.frame[self.keys(stem)[0]])
        if not self._check_ids(theirs, stem):
            return part
        at = positions(ids, theirs.to_numpy(dtype=object))
        lost = float((at < 0).mean())
        if lost > MOST_UNMATCHED:
            message = f"{lost:.0%} of the interviews of {self.name(MAIN)} have no row in {self.name(stem)}"
            self.problems.add(f"{self.where}.path", message, "are both of one edition and wave?", "data")
        elif lost:
            count = told(int((at < 0).sum()))
            notes.append(f"{count} interviews of {self.name(MAIN)} have no row in {self.name(stem)}")
        frame = part.frame.take(np.maximum(at, 0)).reset_index(drop=True)
        return RawTable(frame.mask(pd.Series(at < 0), axis=0) if lost else frame, part.labels)

    def _account(self, stem: str, raw: RawTable) -> FileRead:
        file = self.opened[stem]
        assert file is not None
        return file_read(file.path, len(raw.frame), len(file.columns), self.folder, file.note)
