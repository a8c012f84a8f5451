"""The columns of a survey as the project names them: those of its file, and the variables of its recode file."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from placewise.errors import Problems
from placewise.geography.codes import as_codes, infer, matches
from placewise.geography.tables import RawTable, with_labels
from placewise.surveys.account import Mapped, VariableAccount, without_rare
from placewise.surveys.recode.apply import apply_recoding, mean_and_sd
from placewise.surveys.recode.spec import Recoding

MOST_LISTED = 50


@dataclass(frozen=True, eq=False, repr=False)
class SurveyColumns:
    """Columns of a survey's file, and the variables to be made from them.

    A name means the variable of the recoding where there is one of that name, else the column as it stands.

    Parameters
    ----------
    raw : RawTable
        n rows of the file.
    recoding : Recoding
        Without variables where the survey has no recode file.
    missing : tuple
        Codes that are missing in every column.
    where : str
        Survey and key, for messages about the recoding.
    """

    raw: RawTable
    recoding: Recoding
    missing: tuple[Any, ...]
    where: str

    def __len__(self) -> int:
        """Number of respondents."""
        return len(self.raw.frame)

    def take(self, rows: np.ndarray) -> SurveyColumns:
        """Only some respondents, by a mask."""
        return replace(self, raw=RawTable(self.raw.frame[rows].reset_index(drop=True), self.raw.labels))

    def made(self, names: Collection[str] | None, problems: Problems) -> CleanColumns | None:
        """Variables of the recoding: those of some names, or all; None where a problem was noted."""
        chosen = self.recoding if names is None else self.recoding.only(names)
        chosen = replace(chosen, missing=(*chosen.missing, *self.missing))
        found = apply_recoding(self.raw, chosen, self.where, problems)
        if found is None:
            return None
        return CleanColumns({str(n): found.table[n] for n in found.table}, dict(found.declared), found.account)

    def stored(self, names: Sequence[str]) -> CleanColumns:
        """Columns of the file as they stand, without the codes that are missing in every column."""
        values, declared, accounts = {}, {}, []
        for name in names:
            column = self.raw.frame[name]
            gone = self.is_one_of(name, self.missing)
            labels = self.raw.labels.get(name, {})
            kept = column.mask(gone)
            values[name] = infer(with_labels(kept, labels) if labels else kept)
            if gone.any():
                declared[name] = gone
            accounts.append(_stored_account(values[name], as_codes(column[gone]), name))
        return CleanColumns(values, declared, tuple(accounts))

    def is_one_of(self, column: str, wanted: Sequence[Any]) -> np.ndarray:
        """Which respondents have one of these codes or value labels in a column of the file; shape (n,)."""
        found = matches(self.raw.frame[column], wanted)
        return found | matches(self.raw.labelled(column), wanted) if column in self.raw.labels else found


@dataclass(frozen=True, eq=False, repr=False)
class CleanColumns:
    """Columns without their missing codes.

    Parameters
    ----------
    values : mapping of name to Series, shape (n,)
        Text as ``str``, numbers as float64.
    declared : mapping of name to ndarray of bool, shape (n,)
        Where a value is missing because its code is declared as missing; only columns that have such values.
    accounts : tuple of VariableAccount
        What became of each.
    """

    values: Mapping[str, pd.Series]
    declared: Mapping[str, np.ndarray]
    accounts: tuple[VariableAccount, ...] = ()

    def and_also(self, other: CleanColumns) -> CleanColumns:
        """These columns and others; of two with one name, the other's."""
        accounts = (*other.accounts, *self.accounts)
        return CleanColumns({**self.values, **other.values}, {**self.declared, **other.declared}, accounts)


def _stored_account(clean: pd.Series, missing: pd.Series, name: str) -> VariableAccount:
    """What a column holds that nobody recodes: its answers where they are few, and the codes that are missing."""
    answered = clean.dropna()
    number = pd.api.types.is_numeric_dtype(clean.dtype)
    few = not number and answered.nunique() <= MOST_LISTED
    listed = [Mapped(str(v), "", str(v), int(n)) for v, n in sorted(answered.value_counts().items())] if few else []
    listed += [Mapped(str(v), "", "", int(n)) for v, n in sorted(missing.value_counts().items())]
    mean, sd = mean_and_sd(answered.to_numpy(dtype=float)) if number else (None, None)
    return VariableAccount(
        name,
        name,
        kind="number" if number else "category" if few else "code",
        mapping=without_rare(listed),
        answered=len(answered),
        declared=len(missing),
        blank=len(clean) - len(answered) - len(missing),
        mean=mean,
        sd=sd,
    )
