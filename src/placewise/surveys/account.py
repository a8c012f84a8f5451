"""The account of how a survey was read: files, variables, what was dropped, checks, design; counts, never rows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from placewise.surveys.disclosure import RARE, THRESHOLD, blurred, nearest_ten, rare, tellable
from placewise.surveys.respondents import Dropped

if TYPE_CHECKING:
    from placewise.surveys.recode.spec import Recoding

Verdict = Literal["pass", "warn", "fail"]


@dataclass(frozen=True)
class FileRead:
    """One file that was read.

    Parameters
    ----------
    name : str
        Path as it is shown, relative to the survey's own.
    rows, columns : int
        Of the whole file; columns are those it has, not those that were used.
    sha256 : str
        Of its bytes, in hexadecimal.
    format : str
        Ending without the dot, such as ``sav``.
    note : str
        What is unusual about it; may be empty.
    """

    name: str
    rows: int
    columns: int
    sha256: str
    format: str
    note: str = ""


@dataclass(frozen=True)
class Mapped:
    """One distinct raw value, or one range of them, and what it became.

    Parameters
    ----------
    raw : str
        Code or text as stored; for a band the range in words.
    label : str
        Its value label; may be empty.
    category : str
        What it became; empty for a missing one.
    count : int
        Respondents; only ``told`` shows it.
    """

    raw: str
    label: str
    category: str
    count: int


@dataclass(frozen=True)
class VariableAccount:
    """What became of one column.

    Parameters
    ----------
    name : str
        Variable.
    column : str
        Column it was made from; empty where the file has none.
    wording, kind, note : str
        As the recoding says.
    mapping : tuple of Mapped
        Every raw value that became a category, or was declared as missing (whose category is empty). Numbers and
        codes list only values that the recoding names.
    answered, declared, blank : int
        Respondents with a value, with a declared missing code, with nothing.
    mean, sd : float or None
        Of numbers, after recoding; None for others and where fewer than the threshold answered.
    transformed : str
        The linear map of a number in words; may be empty.
    file : str
        Which of the files it stands in, where there are several.
    """

    name: str
    column: str
    wording: str = ""
    kind: str = "category"
    note: str = ""
    mapping: tuple[Mapped, ...] = ()
    answered: int = 0
    declared: int = 0
    blank: int = 0
    mean: float | None = None
    sd: float | None = None
    transformed: str = ""
    file: str = ""

    def counts(self) -> list[int]:
        """Respondents of every entry of the mapping, then those with other values, then those with nothing."""
        listed = [m.count for m in self.mapping]
        others = self.answered - sum(m.count for m in self.mapping if m.category)
        return [*listed, others, self.blank]


@dataclass(frozen=True)
class Check:
    """One thing that was checked about a survey, such as the direction of an answer.

    Parameters
    ----------
    name : str
        A few words.
    verdict : {"pass", "warn", "fail"}
        How it went.
    message : str
        What was found and what was expected; no count of respondents below the threshold.
    """

    name: str
    verdict: Verdict
    message: str


@dataclass(frozen=True)
class DesignRead:
    """Columns of the design that were read; an empty text where there is none."""

    weight: str = ""
    psu: str = ""
    strata: str = ""


@dataclass(frozen=True)
class Account:
    """How one survey was read.

    Parameters
    ----------
    survey : str
        Key of the survey in the project file.
    reader : str
        ``table``, ``ukhls`` or ``cls``.
    files : tuple of FileRead
        In the order in which they were read.
    variables : tuple of VariableAccount
        Every variable of the recoding; one for each file where several hold it.
    dropped : tuple of Dropped
        What was left out and why.
    checks : tuple of Check
        What the reader checked.
    design : DesignRead
        Weights, sampling units and strata.
    read, kept : int
        Respondents in the files, and after what was dropped.
    notes : tuple of str
        Harmless findings, one sentence each.
    recoding : Recoding or None
        The mappings in force, the reader's and the user's; None where nothing is recoded.
    """

    survey: str
    reader: str = "table"
    files: tuple[FileRead, ...] = ()
    variables: tuple[VariableAccount, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    checks: tuple[Check, ...] = ()
    design: DesignRead = DesignRead()
    read: int = 0
    kept: int = 0
    notes: tuple[str, ...] = ()
    recoding: Recoding | None = None

    def told_rows(self, rows: int) -> int:
        """Rows read, to the nearest ten where they would tell that fewer than the threshold were left out."""
        return nearest_ten(rows) if 0 < self.read - self.kept < THRESHOLD else rows

    def to_json(self) -> dict[str, Any]:
        """JSON values; a count that may not be told is null."""
        dropped = tellable([d.count for d in self.dropped])
        return {
            "survey": self.survey,
            "reader": self.reader,
            "read": self.told_rows(self.read) if self.read >= THRESHOLD else None,
            "kept": self.kept if self.kept >= THRESHOLD else None,
            "files": [{**vars(file), "rows": self.told_rows(file.rows)} for file in self.files],
            "variables": [_variable(v) for v in self.variables],
            "dropped": [
                {"column": d.column, "reason": d.reason, "respondents": n}
                for d, n in zip(self.dropped, dropped, strict=True)
            ],
            "checks": [dict(vars(check)) for check in self.checks],
            "design": {key: column or None for key, column in vars(self.design).items()},
            "notes": list(self.notes),
        }


def file_read(path: Path, rows: int, columns: int, root: Path | None = None, note: str = "") -> FileRead:
    """Account of a file on disk, hashed in full.

    Parameters
    ----------
    root : Path or None
        Folder its name is shown against; None shows the last name only.
    """
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    name = path.name if root is None else path.relative_to(root).as_posix()
    return FileRead(name, rows, columns, digest, path.suffix.lower().lstrip("."), note)


def _variable(variable: VariableAccount) -> dict[str, Any]:
    *mapped, other, blank = tellable(variable.counts())
    return {
        "name": variable.name,
        "column": variable.column or None,
        "file": variable.file,
        "wording": variable.wording,
        "kind": variable.kind,
        "note": variable.note,
        "transformed": variable.transformed,
        "mapping": [
            {"raw": m.raw, "label": m.label, "category": m.category or None, "respondents": n}
            for m, n in zip(variable.mapping, mapped, strict=True)
        ],
        "other_values": other,
        "blank": blank,
        "mean": blurred(variable.mean),
        "sd": blurred(variable.sd),
    }


def without_rare(mapping: Sequence[Mapped]) -> tuple[Mapped, ...]:
    """The mapping with answers that were kept as they stand, and are not to be named, taken together."""
    kept = {m.raw: m.count for m in mapping if m.raw == m.category and not m.label}
    hidden = rare(kept)
    named = [m for m in mapping if m.raw not in hidden or m.label or not m.category]
    if not hidden:
        return tuple(named)
    return (*named, Mapped(RARE, "", RARE, sum(kept[answer] for answer in hidden)))
