"""What is made of the columns: variables of the recoding, and the cohesion scale with its checks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from placewise.errors import Problems
from placewise.surveys.account import Check, VariableAccount
from placewise.surveys.recode import apply_recoding
from placewise.surveys.recode.apply import mean_and_sd
from placewise.surveys.ukhls.cohesion import CONFIRMED_WAVES, ITEM, ITEMS, compare, direction, score
from placewise.surveys.ukhls.recodings import SCALE, SCALE_ITEMS
from placewise.surveys.ukhls.wave import Interviews
from placewise.surveys.ukhls.waves import ACROSS, missing_codes, prefixed


@dataclass(frozen=True, eq=False, repr=False)
class Made:
    """Variables of one wave's respondents.

    Parameters
    ----------
    table : DataFrame
        m rows, a column a variable.
    declared : mapping of variable to ndarray of bool, shape (m,)
        Where a reserved code stood.
    accounts : tuple of VariableAccount
        What became of each column.
    checks : tuple of Check
        Of the cohesion scale, where it is made.
    """

    table: pd.DataFrame
    declared: Mapping[str, np.ndarray]
    accounts: tuple[VariableAccount, ...]
    checks: tuple[Check, ...] = ()


def make(interviews: Interviews, names: Collection[str], where: str, problems: Problems) -> Made | None:
    """Make the variables of one wave; None where a problem was noted.

    Parameters
    ----------
    interviews : Interviews
        Those that count.
    names : collection of str
        Variables to make, the scale among them.
    """
    scaled = SCALE in names and SCALE not in interviews.names()
    internal = SCALE_ITEMS.names() if scaled else ()
    table: dict[str, pd.Series] = {}
    declared: dict[str, np.ndarray] = {}
    accounts: list[VariableAccount] = []
    before = len(problems)
    for stem, part in interviews.parts.items():
        file = f"{interviews.wave}_{stem}" if stem != ACROSS else stem
        found = apply_recoding(
            part, interviews.recoding(stem, {*names, *internal}), f"{where}.recode: {file}", problems, file=file
        )
        if found is not None:
            table |= {str(name): found.table[name] for name in found.table}
            declared |= found.declared
            accounts += [_with_kinds(account, missing_codes(interviews.wave, stem)) for account in found.account]
    checks: tuple[Check, ...] = ()
    # an item that no file has is told already
    if scaled and len(problems) == before and {f"{SCALE}_{item}" for item in ITEMS} <= table.keys():
        table[SCALE], gone, account, checks = _scale(table, declared, interviews.wave, where, problems)
        accounts.append(account)
        if gone.any():
            declared[SCALE] = gone
    if len(problems) > before:
        return None
    ordered = sorted(name for name in table if name not in internal)
    return Made(
        pd.DataFrame({name: table[name] for name in ordered}, index=range(len(interviews))),
        {name: declared[name] for name in ordered if name in declared},
        tuple(accounts),
        checks,
    )


def pooled(parts: Sequence[Made], checks: Sequence[Check] = ()) -> Made:
    """The variables of several waves, one after another, with checks between them; what a wave lacks is missing."""
    table = pd.concat([part.table for part in parts], ignore_index=True)
    table = table[sorted(table.columns)]
    declared = {}
    for name in table.columns:
        masks = [part.declared.get(name, np.zeros(len(part.table), dtype=bool)) for part in parts]
        mask = np.concatenate(masks)
        if mask.any():
            declared[str(name)] = mask
    accounts = tuple(account for part in parts for account in part.accounts)
    return Made(table, declared, accounts, (*(check for part in parts for check in part.checks), *checks))


def _with_kinds(account: VariableAccount, kinds: Mapping[int, str]) -> VariableAccount:
    """Reserved codes with what they mean, where the file does not label them."""
    named = {str(code): kind for code, kind in kinds.items()}
    mapping = tuple(
        replace(m, label=named[m.raw]) if not m.category and not m.label and m.raw in named else m
        for m in account.mapping
    )
    return replace(account, mapping=mapping)


def _scale(
    table: Mapping[str, pd.Series], declared: Mapping[str, np.ndarray], wave: str, where: str, problems: Problems
) -> tuple[pd.Series, np.ndarray, VariableAccount, tuple[Check, ...]]:
    """The cohesion scale, where reserved codes are why there is none, its account and its checks."""
    columns = [f"{SCALE}_{item}" for item in ITEMS]
    items = np.column_stack([table[c].to_numpy(dtype=float) for c in columns])
    scores = score(items)
    none = np.zeros(len(scores), dtype=bool)
    gone = np.isnan(scores) & np.logical_or.reduce([declared.get(c, none) for c in columns])
    runs = direction(items, wave)
    if runs is not None and runs.verdict == "fail":
        problems.add(where, runs.message, "are they coded as the questionnaire has them?", "data")
    checks = [runs]
    released = table.get(f"{SCALE}_released")
    if released is None:
        checks.append(
            Check(
                f"cohesion scale of wave {wave}",
                "warn",
                "the released scale is not in the file: nothing to compare with",
            )
        )
    else:
        checks.append(compare(items, released.to_numpy(dtype=float)).check(wave))
    if wave not in CONFIRMED_WAVES:
        message = f"that wave {wave} asks the items follows from their rotation and is confirmed by no source"
        checks.append(Check(f"items of wave {wave}", "warn", message))
    answered = int((~np.isnan(scores)).sum())
    mean, sd = mean_and_sd(scores[~np.isnan(scores)])
    account = VariableAccount(
        SCALE,
        f"{prefixed(ITEM.format('a'), wave)} to {ITEM.format('h')}",
        wording="Neighbourhood cohesion, Buckner's instrument in its short form",
        kind="number",
        note="mean of the reversed items to one decimal; none where more than half the items of a domain are missing",
        answered=answered,
        declared=int(gone.sum()),
        blank=len(scores) - answered - int(gone.sum()),
        mean=mean,
        sd=sd,
        file=f"{wave}_indresp",
    )
    return pd.Series(scores), gone, account, tuple(check for check in checks if check is not None)
