"""Names and sizes of the made-up country. Every name and code is invented."""

from __future__ import annotations

from dataclasses import dataclass

REGIONS = ("Saltmarsh Coast", "Middle Wold", "High Fells")

LOCAL_AUTHORITIES = (
    "Ashmere",
    "Brackenholt",
    "Carrowdale",
    "Dunmallow",
    "Elmstowe",
    "Fernhythe",
    "Gannetsea",
    "Harrowick",
    "Inglecombe",
    "Juniper Bay",
    "Kestrelby",
    "Larkhaven",
    "Mossferry",
    "Netherwyke",
    "Oxlade Vale",
    "Pellbrook",
    "Quillminster",
    "Rookstead",
    "Saltersea",
    "Thornwold",
    "Umberfield",
    "Vellacot",
    "Wintermoor",
    "Yarrowby",
)

SUPERGROUPS = {
    "1": "Countryside and villages",
    "2": "Suburbs and towns",
    "3": "Inner city",
    "4": "Hard-pressed neighbourhoods",
}

AGES = ("16-24", "25-34", "35-49", "50-64", "65+")
SEXES = ("female", "male")
ANSWERS = ("not at all strongly", "not very strongly", "fairly strongly", "very strongly")

PREFIX = {"oa": "X00", "lsoa": "X01", "msoa": "X02", "lad": "X06", "region": "X12"}


@dataclass(frozen=True)
class Size:
    """How large a country to make.

    Parameters
    ----------
    lads, msoas : int
        Local authorities (a multiple of the regions) and middle-layer areas; about 4.5 lower-layer areas lie in each
        of the latter and about 5 output areas in each of those.
    smallest : int
        Output areas of 20 adults.
    psus, visits : int
        Lower-layer areas that the reference survey samples, and adults approached in each.
    household_psus, households : int
        Lower-layer areas that the second survey samples, and households approached in each.
    """

    lads: int
    msoas: int
    smallest: int
    psus: int
    visits: int
    household_psus: int
    households: int


STANDARD = Size(lads=24, msoas=267, smallest=10, psus=320, visits=20, household_psus=130, households=18)
SMALL = Size(lads=6, msoas=13, smallest=3, psus=40, visits=25, household_psus=20, households=18)


def code(level: str, number: int) -> str:
    """Code of the area with this number, counted from 0.

    Examples
    --------
    >>> code("lad", 3)
    'X06000004'
    """
    return f"{PREFIX[level]}{number + 1:06d}"
