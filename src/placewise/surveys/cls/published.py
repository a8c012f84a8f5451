"""Published figures of the Community Life Survey, each with where it was published: facts to hold a file against.

All are percentages of adults (16 and over) in England, weighted, and rounded to a whole percent (``ROUNDING``).
Face-to-face figures and figures of online and paper interviews are different series.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from placewise.surveys.cls.concepts import FACE_TO_FACE, ONLINE, PAPER

_GOV = "gov.uk/government/statistics/community-life-survey-"
_EFF = "ethnicity-facts-figures.service.gov.uk/culture-and-community/community/"
_SELF_COMPLETED = (ONLINE, PAPER)

# Answers whose shares are published.
POSITIVE: Mapping[str, tuple[str, ...]] = {
    "belonging": ("very strongly", "fairly strongly"),
    "belonging_britain": ("very strongly", "fairly strongly"),
    "satisfaction": ("very satisfied", "fairly satisfied"),
    "chatting": ("on most days", "once or twice a week", "once or twice a month"),
    "favours": ("definitely agree", "tend to agree"),
    "pull_together": ("definitely agree", "tend to agree"),
    "get_on": ("definitely agree", "tend to agree"),
}

# Half of the last digit published, as a share.
ROUNDING = 0.005


@dataclass(frozen=True)
class Figure:
    """One published percentage of all adults in England.

    Parameters
    ----------
    concept, year : str
        Whose share it is, and of which survey year.
    percent : float
        As published.
    modes : tuple of str
        Interviews it is of.
    source : str
        Where it was published.
    """

    concept: str
    year: str
    percent: float
    modes: tuple[str, ...]
    source: str


def _figures(modes: tuple[str, ...], source: str, *figures: tuple[str, str, float]) -> tuple[Figure, ...]:
    return tuple(Figure(concept, year, percent, modes, source) for concept, year, percent in figures)


FIGURES: tuple[Figure, ...] = (
    *_figures(
        (FACE_TO_FACE,),
        "communitylife.cabinetoffice.gov.uk",
        ("belonging", "2012-13", 79),
        ("favours", "2012-13", 53),
        ("satisfaction", "2012-13", 84),
        ("get_on", "2012-13", 87),
    ),
    *_figures(
        _SELF_COMPLETED,
        "Community Life Survey 2016-17, statistical release of 25 July 2017",
        ("belonging", "2016-17", 62),
        ("get_on", "2016-17", 81),
    ),
    *_figures(
        _SELF_COMPLETED,
        "Community Life Survey: focus on diversity, 2018",
        ("chatting", "2016-17", 73),
    ),
    *_figures(
        _SELF_COMPLETED,
        _EFF + "feeling-of-belonging-to-britain/4.0",
        ("belonging_britain", "2016-17", 85),
        ("belonging_britain", "2017-18", 85),
        ("belonging_britain", "2018-19", 84),
        ("belonging_britain", "2019-20", 84),
    ),
    *_figures(
        _SELF_COMPLETED,
        _EFF + "chatting-regularly-with-neighbours",
        ("chatting", "2017-18", 73),
        ("chatting", "2018-19", 72),
    ),
    *_figures(
        _SELF_COMPLETED,
        _EFF + "feeling-of-belonging-to-a-neighbourhood/3.0",
        ("belonging", "2018-19", 62),
    ),
    *_figures(
        _SELF_COMPLETED,
        _EFF + "feeling-of-community-integration",
        ("get_on", "2018-19", 81),
    ),
    *_figures(
        _SELF_COMPLETED,
        _GOV + "201920-neighbourhood-and-community",
        ("favours", "2013-14", 42),
        ("chatting", "2013-14", 75),
        ("favours", "2016-17", 39),
        ("favours", "2019-20", 35),
        ("chatting", "2019-20", 72),
    ),
    *_figures(
        _SELF_COMPLETED,
        _GOV + "202021-neighbourhood-and-community",
        ("chatting", "2015-16", 75),
        ("satisfaction", "2019-20", 76),
        ("pull_together", "2019-20", 59),
        ("belonging", "2020-21", 65),
        ("belonging_britain", "2020-21", 84),
        ("satisfaction", "2020-21", 79),
        ("favours", "2020-21", 37),
        ("chatting", "2020-21", 74),
        ("pull_together", "2020-21", 65),
        ("get_on", "2020-21", 83),
    ),
    *_figures(
        _SELF_COMPLETED,
        _GOV + "202122-neighbourhood-and-community",
        ("favours", "2021-22", 36),
        ("chatting", "2021-22", 72),
    ),
    *_figures(
        _SELF_COMPLETED,
        _GOV + "202324-annual-publication/community-life-survey-202324-neighbourhood-and-community",
        ("belonging", "2021-22", 63),
        ("belonging", "2023-24", 61),
    ),
    *_figures(
        _SELF_COMPLETED,
        _GOV + "202425-annual-publication/community-life-survey-202425-neighbourhood-and-community",
        ("belonging", "2024-25", 62),
    ),
)
