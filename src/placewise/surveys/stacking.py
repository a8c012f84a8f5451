"""Respondents of several surveys, one survey under another."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from placewise.errors import Problems, nearest
from placewise.geography.codes import as_labels
from placewise.surveys.respondents import Dropped, Respondents

# column of the stacked table that names the survey
SURVEY = "survey"


def stack(
    parts: Sequence[Respondents], used: Collection[str], persons: Mapping[str, str], where: str, problems: Problems
) -> Respondents | None:
    """Put respondents of several surveys into one table, with a column ``survey``.

    Weights have mean 1 within each survey; sampling units, strata and persons carry the survey's name, so that none of
    two surveys are the same. A survey without weights counts everyone alike, one without sampling units has a unit a
    person, one without strata is a stratum.

    Parameters
    ----------
    parts : sequence of Respondents
        The reference first.
    used : collection of str
        Columns that a formula uses: one that some survey has, all must have, and all as numbers or all as text.
    persons : mapping of str to str
        Column of the person's identifier by survey; may be empty.
    where : str
        File and key of the formula, for messages.
    problems : Problems
        Takes columns that a survey lacks, and links at different levels.

    Returns
    -------
    Respondents or None
        None when a problem was noted.
    """
    before = len(problems)
    _check_links(parts, problems)
    _check_columns(parts, [name for name in used if name != SURVEY], where, problems)
    if len(problems) > before:
        return None
    tables = [_named(part, persons.get(part.name, "")) for part in parts]
    declared = dict.fromkeys(column for part in parts for column in part.declared)
    return Respondents(
        name=" and ".join(part.name for part in parts),
        table=_concatenated(tables),
        link=parts[0].link,
        codes=np.concatenate([part.codes for part in parts]),
        area=np.concatenate([part.area for part in parts]),
        weight=_weights(parts),
        psu=_design_codes(parts, [part.psu for part in parts], own=True),
        strata=_design_codes(parts, [part.strata for part in parts], own=False),
        read=sum(part.read for part in parts),
        dropped=tuple(_of_survey(part.name, d) for part in parts for d in part.dropped),
        available=tuple(dict.fromkeys((SURVEY, *(name for part in parts for name in part.available)))),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        declared={
            column: np.concatenate([part.declared.get(column, np.zeros(len(part), dtype=bool)) for part in parts])
            for column in declared
        },
    )


def _check_links(parts: Sequence[Respondents], problems: Problems) -> None:
    """Note surveys whose respondents are linked at another level than the reference's."""
    first = parts[0]
    for part in parts[1:]:
        if part.link != first.link:
            problems.add(
                f"survey.{part.name}.area",
                f"survey {first.name!r} is linked at {first.link!r} and survey {part.name!r} at {part.link!r}; surveys "
                "linked at different levels are not available in this version",
                "link both at the coarser of the two, or model each survey on its own",
                "unavailable",
            )


def _check_columns(parts: Sequence[Respondents], used: Sequence[str], where: str, problems: Problems) -> None:
    """Note columns of the formula that some surveys lack, or hold as something else."""
    for name in used:
        having = [part for part in parts if name in part.table]
        for part in parts if having else ():
            if name not in part.table:
                problems.add(
                    where,
                    f"survey {part.name!r} has no column {name!r}, survey {having[0].name!r} has",
                    nearest(name, part.available) or "make one by the survey's recode file",
                    "data",
                )
        kinds = {part.name: _is_number(part.table[name]) for part in having}
        if len(set(kinds.values())) > 1:
            number, text = (next(s for s, k in kinds.items() if k is kind) for kind in (True, False))
            message = f"{name!r} holds numbers in survey {number!r} and text in survey {text!r}"
            problems.add(where, message, "recode one of the two", "data")


def _is_number(values: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(values.dtype))


def _named(part: Respondents, person: str) -> pd.DataFrame:
    """The survey's table with its name in a column and before its persons' identifiers."""
    table = part.table.copy()
    if person in table:
        table[person] = pd.Series(_prefixed(part.name, as_labels(table[person])), dtype="str", index=table.index)
    table[SURVEY] = pd.Series([part.name] * len(table), dtype="str", index=table.index)
    return table


def _prefixed(survey: str, labels: np.ndarray) -> list[str | None]:
    return [None if pd.isna(label) else f"{survey}:{label}" for label in labels]


def _concatenated(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Every column of any table; a column that is text in one is text in all, missing where a survey lacks it."""
    columns: dict[str, pd.Series] = {}
    for name in dict.fromkeys(str(column) for table in tables for column in table.columns):
        own = [table.get(name) for table in tables]
        text = any(values is not None and not _is_number(values) for values in own)
        parts = []
        for table, values in zip(tables, own, strict=True):
            if values is None:
                values = pd.Series(np.full(len(table), None if text else np.nan), dtype="str" if text else "float64")
            parts.append(values if not text or values.dtype == "str" else pd.Series(as_labels(values), dtype="str"))
        columns[name] = pd.concat(parts, ignore_index=True)
    return pd.DataFrame(columns)


def _weights(parts: Sequence[Respondents]) -> np.ndarray | None:
    """Weights of mean 1 within each survey; None where no survey has any."""
    if all(part.weight is None for part in parts):
        return None
    return np.concatenate([
        np.ones(len(part)) if part.weight is None else part.weight * (len(part) / part.weight.sum()) for part in parts
    ])  # fmt: skip


def _design_codes(parts: Sequence[Respondents], codes: Sequence[np.ndarray | None], own: bool) -> np.ndarray | None:
    """Codes with the survey's name before them; ``own``: where a survey has none, one a person, else one in all."""
    if all(found is None for found in codes):
        return None
    made: list[str | None] = []
    for part, found in zip(parts, codes, strict=True):
        missing = np.arange(len(part)) if own else np.full(len(part), "")
        made += _prefixed(part.name, missing if found is None else found)
    return np.array(made, dtype=object)


def _of_survey(survey: str, dropped: Dropped) -> Dropped:
    return Dropped(f"{survey}: {dropped.column}" if dropped.column else survey, dropped.reason, dropped.count)
