"""The reader of each kind of survey file."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from placewise.errors import Problems
from placewise.geography.tables import open_table
from placewise.surveys.cls.reading import community_life_names, read_community_life
from placewise.surveys.reading import read_survey
from placewise.surveys.recode.parse import read_recoding
from placewise.surveys.respondents import Respondents
from placewise.surveys.spec import SurveySpec
from placewise.surveys.ukhls.plan import ukhls_names
from placewise.surveys.ukhls.reading import read_ukhls

# Each takes what ``read_survey`` takes.
READERS: Mapping[str, Callable[..., Respondents | None]] = {
    "table": read_survey,
    "ukhls": read_ukhls,
    "cls": read_community_life,
}


def answer_names(spec: SurveySpec) -> frozenset[str]:
    """Every name that a survey's answers may have: variables that are made and columns of its file.

    Empty where a file cannot be opened.
    """
    made = known_names(spec)
    if made is None or spec.path.is_dir():
        return frozenset(made or ())
    file = open_table(spec.path, "", Problems())
    return frozenset() if file is None else frozenset({*made, *file.columns})


def known_names(spec: SurveySpec) -> tuple[str, ...] | None:
    """Variables that a survey's reader makes under names of its own, as far as that is known before its files are read.

    Where a survey is a folder of files, their variables too; None where one of those cannot be opened.

    Examples
    --------
    >>> from pathlib import Path
    >>> "belonging" in known_names(SurveySpec("cls", Path("cls.sav"), "LAD", "lad", reader="cls"))
    True
    """
    if spec.reader == "cls":
        return community_life_names(spec)
    if spec.reader == "ukhls":
        return ukhls_names(spec)
    recoding = None if spec.recode is None else read_recoding(spec.recode, Problems())
    return () if recoding is None else recoding.names()
