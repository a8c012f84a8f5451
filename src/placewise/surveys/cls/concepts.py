"""What the Community Life Survey asks: names of its variables, and the texts of its answers.

Names are those that published analyses of the deposits use; numeric codes, and the names of weights, geography and age
bands, are confirmed nowhere. Answers are therefore recognised by the text of their value label alone, and what has no
confirmed name is for the project to name.
"""

from __future__ import annotations

from collections.abc import Mapping

from placewise.surveys.recode.spec import Recoding, Variable

AGREEMENT = ("definitely disagree", "tend to disagree", "tend to agree", "definitely agree")
STRENGTH = ("not at all strongly", "not very strongly", "fairly strongly", "very strongly")

# Answers of each concept, lowest first; what an analysis takes for their order.
ORDER: Mapping[str, tuple[str, ...]] = {
    "belonging": STRENGTH,
    "belonging_britain": STRENGTH,
    "satisfaction": (
        "very dissatisfied",
        "fairly dissatisfied",
        "neither satisfied nor dissatisfied",
        "fairly satisfied",
        "very satisfied",
    ),
    "chatting": ("never", "less than once a month", "once or twice a month", "once or twice a week", "on most days"),
    "favours": AGREEMENT,
    "pull_together": AGREEMENT,
    "get_on": AGREEMENT,
    "trust": (
        "none of the people can be trusted",
        "a few can be trusted",
        "some can be trusted",
        "many of the people can be trusted",
    ),
}

FACE_TO_FACE, ONLINE, PAPER = "face-to-face", "online", "paper"
MODES = (FACE_TO_FACE, ONLINE, PAPER)

# Labels of answers that are none, in any variable.
NO_ANSWER = (
    "don't know",
    "don’t know",
    "dont know",
    "do not know",
    "don't know/can't say",
    "can't say",
    "no opinion",
    "refused",
    "refusal",
    "prefer not to say",
    "prefer not to answer",
    "not applicable",
    "item not applicable",
    "does not apply",
    "not asked",
    "question not asked",
    "not answered",
    "no answer",
    "not stated",
    "missing",
    "schedule not applicable",
    "schedule not obtained",
)

_NO_NEIGHBOURS = ("don't have any neighbours", "don’t have any neighbours", "do not have any neighbours")
_SPELT: Mapping[str, Mapping[str, str]] = {
    "trust": {
        "some of the people can be trusted": "some can be trusted",
        "a few of the people can be trusted": "a few can be trusted",
    },
    "satisfaction": {"neither": "neither satisfied nor dissatisfied"},
}


def _answers(name: str) -> dict[str, str | float]:
    return {**{answer: answer for answer in ORDER[name]}, **_SPELT.get(name, {})}


_COMFORT = "How comfortable would you be asking a neighbour to "

CONCEPTS = Recoding(
    (
        Variable(
            "belonging",
            ("SBeNeigh",),
            "How strongly do you feel you belong to your immediate neighbourhood?",
            values=_answers("belonging"),
        ),
        Variable(
            "belonging_britain",
            ("SBeGB",),
            "How strongly do you feel you belong to Britain?",
            values=_answers("belonging_britain"),
        ),
        Variable(
            "satisfaction",
            ("Slocsat",),
            "Overall, how satisfied or dissatisfied are you with your local area as a place to live?",
            values=_answers("satisfaction"),
            note="in 2023/24 asked from January to March 2024 only",
        ),
        Variable(
            "chatting",
            ("SchatN",),
            "How often do you chat to any of your neighbours, more than to just say hello?",
            values=_answers("chatting"),
            missing=_NO_NEIGHBOURS,
            note="who has no neighbours is left out",
        ),
        Variable(
            "favours",
            ("SFavN",),
            "To what extent do you agree that you borrow things and exchange favours with your neighbours?",
            values=_answers("favours"),
        ),
        Variable(
            "pull_together",
            ("SPull",),
            "To what extent would you agree that people in this neighbourhood pull together to improve it?",
            values=_answers("pull_together"),
            missing=("nothing needs improving",),
            note="who says that nothing needs improving is left out",
        ),
        Variable(
            "trust",
            ("STrust",),
            "To what extent do you believe that the people who live in this neighbourhood can be trusted?",
            values=_answers("trust"),
            missing=("just moved here",),
            note="who has just moved there is left out",
        ),
        Variable(
            "get_on",
            ("STogeth",),
            "To what extent do you agree that people of different backgrounds get on well together in this local area?",
            values=_answers("get_on"),
            missing=(
                "too few people in local area",
                "too few people in this local area",
                "all same background",
                "all same backgrounds",
                "all the same background",
                "all the same backgrounds",
            ),
            note="who says that there are too few people, or all of one background, is left out",
        ),
        Variable("comfortable_keys", ("NComfort1",), _COMFORT + "keep a set of keys to your home for emergencies?"),
        Variable("comfortable_child", ("NComfort2",), _COMFORT + "mind your child or children for half an hour?"),
        Variable(
            "comfortable_shopping", ("NComfort3",), _COMFORT + "collect a few shopping essentials if you were ill?"
        ),
        Variable(
            "change",
            ("BetWors",),
            "On the whole, do you think that over the past two years this area has got better or worse to live in?",
        ),
        Variable("loneliness", ("LonOft",), "How often do you feel lonely?"),
        Variable(
            "sex",
            ("SEX",),
            "What is your sex?",
            values={"female": "female", "male": "male"},
            note="in the questionnaire of 2023/24 code 1 is Female; read by its label, never by its code",
        ),
    ),
    missing=NO_ANSWER,
)

# How a column that the project names says in which mode an interview was.
MODE_LABELS: Mapping[str, str] = {
    **dict.fromkeys(
        ("face to face", "face-to-face", "face to face interview", "f2f", "in person", "capi"), FACE_TO_FACE
    ),
    **dict.fromkeys(("online", "web", "web questionnaire", "online questionnaire", "internet", "cawi"), ONLINE),
    **dict.fromkeys(("paper", "paper questionnaire", "postal", "postal questionnaire", "post"), PAPER),
}

# Survey years and the modes that were fielded; 2022-23 had no survey.
YEARS: Mapping[str, tuple[str, ...]] = {
    "2012-13": (FACE_TO_FACE,),
    "2013-14": MODES,
    "2014-15": MODES,
    "2015-16": MODES,
    "2016-17": (ONLINE, PAPER),
    "2017-18": (ONLINE, PAPER),
    "2018-19": (ONLINE, PAPER),
    "2019-20": (ONLINE, PAPER),
    "2020-21": (ONLINE, PAPER),
    "2021-22": (ONLINE, PAPER),
    "2023-24": (ONLINE, PAPER),
    "2024-25": (ONLINE, PAPER),
}
