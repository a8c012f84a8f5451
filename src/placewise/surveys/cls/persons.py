"""Whether everybody answered once: by the number of a person, or, without one, by rows that are the same throughout."""

from __future__ import annotations

import pandas as pd

from placewise.errors import Problems
from placewise.geography.tables import RawTable, read_raw
from placewise.surveys.account import Check
from placewise.surveys.cls.files import Deposit
from placewise.surveys.disclosure import THRESHOLD, nearest_ten, told
from placewise.surveys.spec import SurveySpec

NAME = "each person once"
# A column with a value of its own for more rows than this tells rows apart, such as a serial number.
OWN_VALUE = 0.9
_NAME_IT = 'name the column that identifies persons: person = "…"'


def check_persons(year: pd.Series, person: pd.Series, spec: SurveySpec, problems: Problems) -> Check:
    """Note interviews of one person in one year; who has no number is not looked at.

    Parameters
    ----------
    year, person : Series, shape (n,)
        Of the whole file.
    """
    known = person.notna().to_numpy()
    pairs = pd.DataFrame({"year": year[known], "person": person[known]})
    twice = int(pairs.duplicated(keep=False).sum())
    if not twice:
        return Check(NAME, "pass", f"no {spec.person!r} stands twice in a year")
    message = f"{told(twice)} rows share their {spec.person!r} with another row of the same year"
    problems.add(f"survey.{spec.name}.person", message, "were two files put together? each person answers once", "data")
    return Check(NAME, "fail", message)


def check_rows(raw: RawTable, deposit: Deposit, spec: SurveySpec, problems: Problems) -> Check:
    """Note rows that are the same as another one in every column of the file, where nobody says who a person is.

    The whole file is read only where rows are the same in what is read of it anyway. Two people may give the same
    answers: rows are duplicates for certain where a column has a value of its own for nearly every other row.

    Parameters
    ----------
    raw : RawTable
        Columns that were read.
    """
    unchecked = f"not checked by person: {_NAME_IT}"
    if not raw.frame.duplicated().any():
        return Check(NAME, "warn", f"no two rows are the same in the columns that are read; {unchecked}")
    whole = read_raw(deposit.file, deposit.columns, f"survey.{spec.name}", problems, user_missing=True)
    if whole is None:
        return Check(NAME, "warn", unchecked)
    frame = whole.frame
    twice = int(frame.duplicated(keep=False).sum())
    if not twice:
        return Check(NAME, "warn", f"no two rows are the same in all {len(frame.columns)} columns; {unchecked}")
    distinct = frame.drop_duplicates()
    certain = any(distinct[column].nunique() > OWN_VALUE * len(distinct) for column in distinct.columns)
    said = f"the same as another one in all {len(frame.columns)} columns of {spec.path.name}"
    if not certain:
        found = f"about {told(nearest_ten(twice))}" if twice >= THRESHOLD else told(twice)
        return Check(NAME, "warn", f"{found} rows are {said}, as happens by chance where columns are few; {unchecked}")
    message = f"{told(twice)} rows are {said}"
    problems.add(
        f"survey.{spec.name}.person",
        message,
        f"were two files put together? each person answers once: keep one of each, and {_NAME_IT}",
        "data",
    )
    return Check(NAME, "fail", message)
