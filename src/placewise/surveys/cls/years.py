"""Survey years as the Community Life Survey counts them: 2023-24 is the year that began in 2023."""

from __future__ import annotations

import re

from placewise.surveys.cls.concepts import YEARS

_YEAR = re.compile(r"(?<!\d)(20\d\d)\s*(?:[-/–_]|to)\s*(?:20)?(\d\d)(?!\d)", re.IGNORECASE)


def survey_year(text: str) -> str:
    """The survey year that a text names, as ``2023-24``; empty where it names none, or several.

    Examples
    --------
    >>> survey_year("2023/24"), survey_year("CLS 2016-2017 (web)"), survey_year("2023"), survey_year("2023-25")
    ('2023-24', '2016-17', '', '')
    """
    found = {f"{first}-{last}" for first, last in _YEAR.findall(text) if (int(first) + 1) % 100 == int(last)}
    return found.pop() if len(found) == 1 else ""


def unknown_year(year: str) -> str:
    """What to say of a survey year in which there was no survey; empty where there was one.

    Examples
    --------
    >>> unknown_year("2022-23")
    'there was no Community Life Survey in 2022-23'
    """
    if year in YEARS:
        return ""
    first, last = min(YEARS), max(YEARS)
    if first < year < last:
        return f"there was no Community Life Survey in {year}"
    return f"{year} is not a survey year known here: {first} to {last}, without 2022-23"
