"""The codebook that a user supplies where a file's numbers carry no value labels: one row a code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from placewise.errors import Problems
from placewise.geography.codes import as_labels, listing
from placewise.geography.tables import open_table, read_raw, require
from placewise.surveys.recode.keys import key

COLUMNS = ("variable", "code", "label", "missing")
_YES, _NO = frozenset({"yes", "true", "1", "y"}), frozenset({"no", "false", "0", "n", ""})


@dataclass(frozen=True)
class Codebook:
    """Labels of codes, and which of them stand for no answer.

    Parameters
    ----------
    name : str
        The file's name; empty for no codebook.
    labels : mapping of variable to mapping of code to label
        Variables in lower case, codes as ``key`` writes them.
    missing : mapping of variable to frozenset of codes
        Codes marked as missing.
    """

    name: str = ""
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    missing: Mapping[str, frozenset[str]] = field(default_factory=dict)


def read_codebook(path: Path, where: str, problems: Problems) -> Codebook | None:
    """Read a codebook: a table with the columns ``variable``, ``code``, ``label`` and, if need be, ``missing``.

    Parameters
    ----------
    path : Path
        ``.csv`` or ``.tab``; ``missing`` holds yes or no, blank is no.
    where : str
        Key of the project file, for messages.
    problems : Problems
        Takes everything that is wrong: columns that are not there, rows without a variable or a code, a code with two
        labels, words other than yes and no.

    Returns
    -------
    Codebook or None
        None where a problem was noted.
    """
    before = len(problems)
    file = open_table(path, where, problems, COLUMNS)
    if file is None:
        return None
    spelt = {name.casefold(): name for name in file.columns}
    chosen = [spelt.get(name, name) for name in COLUMNS]
    if "missing" not in spelt:
        chosen = chosen[:3]
    if not require(file, chosen, where, problems):
        problems.add(where, "a codebook has the columns variable, code, label and missing", "one row a code", "data")
        return None
    raw = read_raw(file, chosen, where, problems)
    if raw is None:
        return None
    columns = [["" if v is None else str(v) for v in as_labels(raw.frame[name])] for name in chosen]
    rows = list(zip(*columns, strict=True))
    labels: dict[str, dict[str, str]] = {}
    missing: dict[str, set[str]] = {}
    twice, blank, strange = [], 0, set()
    for variable, code, label, *gone in rows:
        if not variable or not code:
            blank += 1
            continue
        of = labels.setdefault(variable.casefold(), {})
        if of.setdefault(key(code), label) != label:
            twice.append(f"{variable} {code}")
        word = gone[0].casefold() if gone else ""
        if word in _YES:
            missing.setdefault(variable.casefold(), set()).add(key(code))
        elif word not in _NO:
            strange.add(gone[0])
    if blank:
        rows_have = "1 row of {} has" if blank == 1 else f"{blank:,} rows of {{}} have"
        message = f"{rows_have.format(path.name)} no variable or no code"
        problems.add(where, message, f"complete {'it' if blank == 1 else 'them'}", "data")
    if twice:
        problems.add(where, f"codes of {path.name} with two labels: {listing(twice)}", "keep one of them", "data")
    if strange:
        shown = listing(sorted(strange))
        problems.add(where, f"column 'missing' of {path.name} holds {shown}", "write yes or no; blank is no", "data")
    if len(problems) > before:
        return None
    return Codebook(path.name, labels, {name: frozenset(codes) for name, codes in missing.items()})
