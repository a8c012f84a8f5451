"""Makes the variables of a recoding out of a survey's columns; what is not mapped is told, never dropped."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from placewise.errors import Problems
from placewise.geography.tables import RawTable
from placewise.surveys.account import Mapped, VariableAccount, without_rare
from placewise.surveys.disclosure import THRESHOLD
from placewise.surveys.recode.decode import BLANK, DECLARED, MADE, Decoded, decode
from placewise.surveys.recode.spec import Band, Recoding, Variable, nearest_column
from placewise.surveys.recode.unmapped import tell_unmapped


@dataclass(frozen=True, eq=False, repr=False)
class Recoded:
    """Variables made from a survey's columns.

    Parameters
    ----------
    table : DataFrame
        n rows in the file's order, RangeIndex; one column a variable that the file has, ``str`` for categories and
        codes, float64 for numbers; missing as NaN.
    declared : mapping of variable to ndarray of bool, shape (n,)
        Where a value is missing because its code is declared as missing; only variables that have such values.
    account : tuple of VariableAccount
        What became of each variable, also of those the file lacks.
    """

    table: pd.DataFrame
    declared: Mapping[str, np.ndarray]
    account: tuple[VariableAccount, ...]


def apply_recoding(
    raw: RawTable, recoding: Recoding, where: str, problems: Problems, *, file: str = ""
) -> Recoded | None:
    """Make the variables of a recoding.

    A value is looked up by its value label and by its code, without regard to case and outer blanks. Where a file has
    both and they disagree, where a code or a label is neither mapped nor declared as missing, where a number is out
    of bounds or in no band, and where a required column is not there, a problem says so: one a variable, with every
    such value and how many respondents have it.

    Parameters
    ----------
    raw : RawTable
        Columns as they stand in the file, with their value labels.
    recoding : Recoding
        What to make of them.
    where : str
        Survey and file, for messages.
    problems : Problems
        Takes everything that is wrong.
    file : str
        Which of the survey's files this is, for the account; empty where there is one.

    Returns
    -------
    Recoded or None
        None where a problem was noted.
    """
    before = len(problems)
    check_columns(recoding, raw.frame.columns, where, problems)
    made: dict[str, pd.Series] = {}
    declared: dict[str, np.ndarray] = {}
    accounts = []
    for variable in recoding.variables:
        column = variable.find(raw.frame.columns)
        here = f"{where}: {variable.name}"
        if column is None:
            accounts.append(_account(variable, "", None, file))
            continue
        found = decode(raw.frame[column], raw.labels.get(column, {}), variable, recoding.missing)
        tell_unmapped(found, variable, column, here, problems)
        values = found.series()
        made[variable.name] = values
        state = found.state[found.position]
        if (state == DECLARED).any():
            declared[variable.name] = state == DECLARED
        accounts.append(_account(variable, column, found, file))
    if len(problems) > before:
        return None
    return Recoded(pd.DataFrame(made, index=range(len(raw.frame))), declared, tuple(accounts))


def check_columns(recoding: Recoding, available: Collection[str], where: str, problems: Problems) -> None:
    """Note each required variable whose column a file lacks, and each that could be any of several columns.

    Parameters
    ----------
    available : collection of str
        Columns of the file.
    where : str
        Survey and file, for messages.
    """
    for variable in recoding.variables:
        here = f"{where}: {variable.name}"
        column = variable.find(available)
        if column is None:
            if variable.required:
                names = " or ".join(repr(name) for name in variable.sources())
                hint = nearest_column(variable, available) or "name its column in the recoding"
                problems.add(here, f"the file has no column {names}", hint, "data")
            continue
        alike = [name for name in available if name.casefold() == column.casefold()]
        if len(alike) > 1 and column not in variable.sources():
            named = " and ".join(repr(name) for name in alike)
            problems.add(here, f"the file has the columns {named}", "write the column's name as the file does", "data")


def _account(variable: Variable, column: str, found: Decoded | None, file: str) -> VariableAccount:
    """What became of one variable, in counts."""
    account = VariableAccount(variable.name, column, variable.wording, variable.kind, variable.note, file=file)
    if found is None:
        return account
    state, count = found.state, found.count
    answered = int(count[state == MADE].sum())
    mean = sd = None
    if variable.kind == "number":
        mean, sd = mean_and_sd(found.value[state == MADE], count[state == MADE])
    return replace(
        account,
        mapping=_mapping(found, variable),
        answered=answered,
        declared=int(count[state == DECLARED].sum()),
        blank=int(count[state == BLANK].sum()),
        mean=mean,
        sd=sd,
        transformed=_transformed(variable),
    )


def mean_and_sd(values: np.ndarray, count: np.ndarray | None = None) -> tuple[float | None, float | None]:
    """Mean and standard deviation of numbers, each as often as counted; None where fewer than the threshold."""
    n = len(values) if count is None else int(count.sum())
    if n < THRESHOLD:
        return None, None
    # sorted, so that the order of rows leaves no trace in the last digit
    order = np.argsort(values)
    values, count = values[order], None if count is None else count[order]
    mean = float(np.average(values, weights=count))
    return mean, float(np.sqrt(np.average((values - mean) ** 2, weights=count) * n / (n - 1)))


def _mapping(found: Decoded, variable: Variable) -> tuple[Mapped, ...]:
    """Raw values and what they became, categories first, in the order of the codes whatever the order of rows."""
    rows: dict[tuple[str, str, str], int] = {}
    ranges = _ranges(variable.bands)
    listed = found.named | (variable.kind == "category")
    for i in np.flatnonzero(listed & np.isin(found.state[:-1], (MADE, DECLARED))):
        made = found.state[i] == MADE
        value = found.value[i]
        into = (f"{value:g}" if variable.kind == "number" else str(value)) if made else ""
        raw = (str(found.codes[i]), str(found.labels[i]))
        if made and not found.named[i] and variable.bands:
            raw = (ranges[into][0], "")
        rows[(*raw, into)] = rows.get((*raw, into), 0) + int(found.count[i])
    ends = dict(ranges.values())
    ordered = sorted(rows, key=lambda row: (not row[2], *_order(row[0], ends)))
    listed_rows = [Mapped(raw, label, into, rows[raw, label, into]) for raw, label, into in ordered]
    return tuple(listed_rows) if variable.values or variable.bands else without_rare(listed_rows)


def _order(raw: str, ends: Mapping[str, float]) -> tuple[float, str]:
    """Bands by their lower end and numbers as numbers, before text."""
    if raw in ends:
        return ends[raw], ""
    number = pd.to_numeric(raw, errors="coerce")
    return (np.inf, raw) if np.isnan(number) else (float(number), "")


def _ranges(bands: tuple[Band, ...]) -> dict[str, tuple[str, float]]:
    """Each category's bands in words, and where the first begins."""
    found: dict[str, tuple[str, float]] = {}
    for band in sorted(bands, key=lambda b: b.lower):
        words, lower = found.get(band.category, ("", band.lower))
        found[band.category] = (f"{words} or {_range(band)}" if words else _range(band), lower)
    return found


def _range(band: Band) -> str:
    if np.isinf(band.lower):
        return f"below {band.upper:g}"
    return f"{band.lower:g} and over" if np.isinf(band.upper) else f"{band.lower:g} to below {band.upper:g}"


def _transformed(variable: Variable) -> str:
    steps = []
    if variable.reverse and variable.bounds is not None:
        steps.append(f"{sum(variable.bounds):g} − value")
    multiply, add = variable.scale
    if (multiply, add) != (1.0, 0.0):
        steps.append(f"{multiply:g} × {'that' if steps else 'value'} {'+' if add >= 0 else '−'} {abs(add):g}")
    return ", then ".join(steps)
