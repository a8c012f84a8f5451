"""Survey year and mode of interview: carried for every respondent, and face-to-face never mixed with online unasked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from placewise.errors import Problems
from placewise.geography.codes import as_labels
from placewise.geography.tables import RawTable
from placewise.surveys.account import Check
from placewise.surveys.cls.concepts import FACE_TO_FACE, MODE_LABELS, YEARS
from placewise.surveys.cls.years import survey_year, unknown_year
from placewise.surveys.disclosure import THRESHOLD, nearest_ten, told
from placewise.surveys.recode.spec import Recoding, Variable
from placewise.surveys.spec import CommunityLifeKeys

YEAR, MODE = "year", "mode"
_STATED = "the whole file's, as the project says"


def with_year_and_mode(
    recoding: Recoding, raw: RawTable, own: Recoding, keys: CommunityLifeKeys
) -> tuple[Recoding, RawTable]:
    """A recoding that makes ``year`` and ``mode``, and the columns that it makes them from.

    Parameters
    ----------
    recoding : Recoding
        Variables so far.
    own : Recoding
        What the project's recode file says; its ``year`` and ``mode`` come before columns that the project names.
    keys : CommunityLifeKeys
        Columns, or what the project states of the whole file, which comes first.
    """
    frame, made = raw.frame.copy(deep=False), []
    for name, column, stated in ((YEAR, keys.year_column, keys.year), (MODE, keys.mode_column, keys.mode)):
        if stated:
            frame[name] = pd.Series(stated, index=frame.index, dtype="str")
            made.append(Variable(name, (name,), note=_STATED))
        elif name in own.names():
            made.append(replace(own[name], columns=own[name].sources()))
        elif column:
            values = dict(MODE_LABELS) if name == MODE else _year_texts(raw, column)
            made.append(Variable(name, (column,), values=dict(values)))
    kept = tuple(v for v in recoding.variables if v.name not in (YEAR, MODE))
    labels = {name: texts for name, texts in raw.labels.items() if name not in frame or name in raw.frame}
    return replace(recoding, variables=(*kept, *made)), RawTable(frame, labels)


def _year_texts(raw: RawTable, column: str) -> dict[str, str | float]:
    """Survey years by the codes and labels of a column that name one."""
    codes = as_labels(pd.Series(pd.unique(raw.frame[column].dropna()), dtype=object))
    texts = {*(str(code) for code in codes), *(str(text).strip() for text in raw.labels.get(column, {}).values())}
    return {text: year for text in sorted(texts) if (year := survey_year(text))}


def check_modes(
    year: pd.Series, mode: pd.Series, inside: np.ndarray, keys: CommunityLifeKeys, where: str, problems: Problems
) -> tuple[Check, ...]:
    """Note years without a survey, modes that a year did not have, and modes that must not be pooled.

    Parameters
    ----------
    year, mode : Series of str, shape (n,)
        Of the whole file.
    inside : ndarray of bool, shape (n,)
        Respondents whom the project keeps.
    keys : CommunityLifeKeys
        Whether modes may be pooled.
    where : str
        Survey, for messages.

    Returns
    -------
    tuple of Check
        What years and modes there are.
    """
    outside = set(year[~inside].dropna()) - set(year[inside].dropna())
    for odd in sorted(set(year.dropna()) - set(YEARS)):
        problems.add(
            f"{where}.year",
            # checks of direction and totals look at the whole file
            unknown_year(odd) + (", which rows outside 'where' have" if odd in outside else ""),
            "name the survey year's column, or map its values in the recode file under [variables.year]",
            "data",
        )
    year, mode = year[inside], mode[inside]
    pairs = pd.DataFrame({YEAR: year, MODE: mode}).dropna().drop_duplicates()
    for first, second in sorted(zip(pairs[YEAR], pairs[MODE], strict=True)):
        if first in YEARS and second not in YEARS[first]:
            message = f"there are {second} interviews in {first}, which had {' and '.join(YEARS[first])} ones only"
            problems.add(f"{where}.mode", message, "compare the labels of year and mode with the documentation", "data")
    counts = mode.value_counts()
    shown = {name: int(n) if n < THRESHOLD else nearest_ten(int(n)) for name, n in counts.items()}
    found = ", ".join(f"{name} ({told(n)})" for name, n in shown.items())
    mixed = FACE_TO_FACE in counts.index and len(counts) > 1
    asked = keys.pool_modes or (FACE_TO_FACE in keys.modes and len(keys.modes) > 1)
    if mixed and not asked:
        problems.add(
            f"{where}.mode",
            f"the file holds modes that are not comparable: {found}; face to face 79% said that they belong to their "
            "neighbourhood, in later online interviews 58 to 65%",
            'keep one of them: mode = { column = "…", keep = ["online", "paper"] }; '
            "or say that both are meant: pool_modes = true, with mode in the formula",
            "data",
        )
    years = ", ".join(sorted(year.dropna().unique()))
    told_of = Check("year and mode", "warn" if mixed else "pass", f"{years or 'no year'}; {found or 'no mode'}")
    return (told_of,)
