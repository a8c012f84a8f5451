"""How the study's variables become those of formulas and frames: names without the wave's letter, categories in words.

Every variable here can be replaced, one by one, by the user's recode file. Codes are those that the study's
documentation or working code of its users confirms; what is not confirmed is left out, so that meeting it is told.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from placewise.surveys.recode import Band, Recoding, Variable
from placewise.surveys.ukhls.cohesion import HIGHEST, ITEM, LOWEST, RELEASED
from placewise.surveys.ukhls.waves import prefixed

# Agreement with each statement; wordings of the instrument that the study took them from.
_STATEMENTS: Mapping[str, str] = {
    "a": "I feel like I belong to this neighbourhood",
    "b": "The friendships and associations I have with other people in my neighbourhood mean a lot to me",
    "c": "If I needed advice about something I could go to someone in my neighbourhood",
    "d": "I borrow things and exchange favours with my neighbours",
    "e": "I would be willing to work together with others on something to improve my neighbourhood",
    "f": "I plan to remain a resident of this neighbourhood for a number of years",
    "g": "I like to think of myself as similar to the people who live in this neighbourhood",
    "h": "I regularly stop and talk with people in my neighbourhood",
}
# By code and by label: a file whose labels say another direction is refused.
_AGREEMENT: Mapping[str, float] = {
    **{str(code): float(code) for code in range(1, 6)},
    "strongly agree": 1.0,
    "agree": 2.0,
    "neither agree nor disagree": 3.0,
    "disagree": 4.0,
    "strongly disagree": 5.0,
}


def _groups(**categories: Collection[int]) -> dict[str, str]:
    """Codes by category, underscores standing for blanks, as category by code."""
    return {str(code): name.replace("_", " ") for name, codes in categories.items() for code in codes}


ITEMS = Recoding(
    tuple(
        Variable(
            ITEM.format(letter),
            wording=wording,
            kind="number",
            values=_AGREEMENT,
            bounds=(LOWEST, HIGHEST),
            reverse=True,
            note="reversed: 5 is strong agreement",
        )
        for letter, wording in _STATEMENTS.items()
    )
)

_SEX = Variable(
    "sex", ("sex", "sex_dv"), "Sex", values={**_groups(male=[1], female=[2]), "male": "male", "female": "female"}
)
_AGE = Variable(
    "age",
    ("age_dv", "dvage"),
    "Age at interview",
    bands=(Band("16-24", 0, 25), Band("25-34", 25, 35), Band("35-49", 35, 50), Band("50-64", 50, 65), Band("65+", 65)),
    note="adults are 16 and over; anyone recorded as younger is in the youngest band",
)
_ETHNIC_GROUP = Variable(
    "ethnic_group",
    ("racel_dv", "ethn_dv"),
    "Ethnic group",
    values={
        **_groups(white=range(1, 5), mixed=range(5, 9), asian=range(9, 14), black=range(14, 17)),
        **_groups(other=(17, 97)),
    },
    note="the five groups of the census: Chinese with Asian, Arab with other",
)
_TENURE = Variable(
    "tenure",
    ("tenure_dv",),
    "Housing tenure",
    values=_groups(owned_outright=[1], owned_with_mortgage=[2], social_rent=(3, 4), private_rent=(5, 6, 7, 8)),
    note="rented from an employer and other tenures are with private rent",
)
_QUALIFICATION = Variable(
    "qualification",
    ("hiqual_dv",),
    "Highest qualification",
    values={
        **_groups(degree=[1], other_higher=[2], other=[5], none=[9]),
        "3": "A level",
        "4": "GCSE",
    },
)
_ACTIVITY = Variable(
    "economic_activity",
    ("jbstat",),
    "Current economic activity",
    values={
        **_groups(employed=(1, 2, 5, 9, 10, 11, 12, 13), unemployed=[3], retired=[4], looking_after_home=[6]),
        **_groups(student=[7], long_term_sick=[8], other=[97]),
    },
    note="on leave, furlough, an apprenticeship or a training scheme is employed; codes 14 and 15 are not confirmed",
)
_MARITAL_STATUS = Variable(
    "marital_status",
    ("mastat_dv",),
    "De facto marital status",
    values=_groups(single=(0, 1), couple=(2, 3, 10), separated_or_divorced=(4, 5, 7, 8), widowed=(6, 9)),
)
_URBAN = Variable("urban", ("urban_dv",), "Urban or rural area", values=_groups(urban=[1], rural=[2]))
_ILLNESS = Variable("illness", ("health",), "Long-standing illness or impairment", values=_groups(yes=[1], no=[2]))

BUILT_IN = Recoding(
    (
        _SEX,
        _AGE,
        Variable("age_years", ("age_dv", "dvage"), "Age at interview", kind="number"),
        _ETHNIC_GROUP,
        _TENURE,
        _QUALIFICATION,
        _ACTIVITY,
        _MARITAL_STATUS,
        _URBAN,
        _ILLNESS,
        *ITEMS.variables,
    )
)


SCALE = "nbrsnci"
# Read beside whatever the user makes of the items, since the official scale is of the official variables.
SCALE_ITEMS = Recoding(
    (
        *(
            replace(v, name=f"{SCALE}_{letter}", columns=(v.name,))
            for letter, v in zip(_STATEMENTS, ITEMS.variables, strict=True)
        ),
        Variable(f"{SCALE}_released", (RELEASED,), kind="number", required=False, note="the released scale"),
    )
)


def plain(name: str) -> Variable:
    """A variable of the study that no recoding names: its numbers as they stand."""
    return Variable(name, kind="number")


def in_wave(variable: Variable, wave: str) -> Variable:
    """A variable with the names its column may have in one wave, those with the wave's letter first."""
    names = tuple(dict.fromkeys(n for source in variable.sources() for n in (prefixed(source, wave), source)))
    return replace(variable, columns=names)
