"""Whether value labels say what the documentation has each code mean, in the formats that carry labels."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from placewise.errors import Problems
from placewise.geography.tables import RawTable
from placewise.surveys.recode import Variable
from placewise.surveys.recode.keys import key
from placewise.surveys.ukhls.cohesion import ITEM, ITEMS

LABELLED = (".sav", ".dta")

_ETHNIC_GROUPS: Mapping[int, str] = {
    1: "british/english/scottish/welsh/northern irish (white)",
    2: "irish (white)",
    3: "gypsy or irish traveller (white)",
    4: "any other white background (white)",
    5: "white and black caribbean (mixed)",
    6: "white and black african (mixed)",
    7: "white and asian (mixed)",
    8: "any other mixed background (mixed)",
    9: "indian",
    10: "pakistani",
    11: "bangladeshi",
    12: "chinese",
    13: "any other asian background",
    14: "caribbean",
    15: "african",
    16: "any other black background",
    17: "arab (other ethnic group)",
    97: "any other ethnic group",
}
_TENURES = (
    "owned outright",
    "owned with mortgage",
    "local authority rent",
    "housing assoc rented",
    "rented from employer",
    "rented private unfurnished",
    "rented private furnished",
    "other",
)
_ACTIVITIES = (
    "self employed",
    "paid employment",
    "unemployed",
    "retired",
    "on maternity leave",
    "family care or home",
    "full-time student",
    "lt sick or disabled",
    "govt training scheme",
    "unpaid, family business",
)
_AGREEMENT = ("strongly agree", "agree", "neither agree nor disagree", "disagree", "strongly disagree")

# By variable without the wave's letter; codes whose wording no source confirms are left out.
KNOWN: Mapping[str, Mapping[int, str]] = {
    "sex": {1: "male", 2: "female"},
    "sex_dv": {1: "male", 2: "female"},
    "racel_dv": _ETHNIC_GROUPS,
    "ethn_dv": _ETHNIC_GROUPS,
    "tenure_dv": dict(enumerate(_TENURES, 1)),
    "hiqual_dv": {
        1: "degree",
        2: "other higher degree",
        3: "a-level etc",
        4: "gcse etc",
        5: "other qualification",
        9: "no qualification",
    },
    "jbstat": {**dict(enumerate(_ACTIVITIES, 1)), 97: "doing something else"},
    "urban_dv": {1: "urban", 2: "rural"},
    "health": {1: "yes", 2: "no"},
    # the middle three carry no label in the deposit
    **{ITEM.format(item): dict(enumerate(_AGREEMENT, 1)) for item in ITEMS},
}
# Their wording is known from code of the study's users: a deposit may add words to it.
_LONGER = ("hiqual_dv", "jbstat", "urban_dv", "health")


def check_labels(
    raw: RawTable,
    variables: Sequence[Variable],
    wave: str,
    path: Path,
    own: Collection[str],
    where: str,
    problems: Problems,
) -> None:
    """Note labels that are not those of the documentation, and coded variables without any.

    Parameters
    ----------
    raw : RawTable
        Columns of one file, with their value labels.
    variables : sequence of Variable
        Those that stand in the file, named as in this wave.
    wave : str
        Letter.
    path : Path
        The file; formats without labels are passed over.
    own : collection of str
        Variables and columns that the user's recode file settles.
    where : str
        The survey's table in the project file, for messages.
    problems : Problems
        Takes what is wrong.
    """
    if path.suffix.lower() not in LABELLED:
        return
    bare: dict[str, str] = {}
    for variable in variables:
        column = variable.find(raw.frame.columns)
        stem = "" if column is None else column.casefold().removeprefix(f"{wave}_")
        if column is None or stem not in KNOWN or {variable.name, stem, column.casefold()} & {*own}:
            continue
        found = {key(code): str(text).strip() for code, text in raw.labels.get(column, {}).items()}
        held = {code: found[str(code)] for code in KNOWN[stem] if found.get(str(code))}
        if not held:
            bare[column] = stem
            continue
        # a label of another category is told by the recoding, with how many have it
        named = {key(label) for label in variable.values}
        odd = {code: text for code, text in held.items() if not _same(stem, code, text) and key(text) not in named}
        if odd:
            told = "; ".join(_told(stem, code, text) for code, text in odd.items())
            hint = f"is the file as deposited? if the codes mean what they should, say so in recode: [variables.{stem}]"
            problems.add(f"{where}.recode: {path.stem}: {column}", f"value labels of {column}: {told}", hint, "data")
    if bare:
        tables = ", ".join(f"[variables.{stem}]" for stem in dict.fromkeys(bare.values()))
        problems.add(
            f"{where}.recode: {path.stem}",
            f"{path.name} has no value labels of {', '.join(bare)}, so that nothing says what their codes mean",
            f"take the file as deposited, or confirm the codes in a recode file: {tables}",
            "data",
        )


def _same(stem: str, code: int, text: str) -> bool:
    """Whether a label says what is expected, whatever its case and punctuation."""
    found, expected = _words(text), _words(KNOWN[stem][code])
    return found == expected or (stem in _LONGER and found[: len(expected)] == expected)


def _told(stem: str, code: int, text: str) -> str:
    known = {label: number for number, label in KNOWN[stem].items()}
    expected = KNOWN[stem][code]
    nearest = difflib.get_close_matches(text.casefold(), known, n=1, cutoff=0.6)
    other = f", and {nearest[0]!r} is code {known[nearest[0]]}" if nearest and nearest[0] != expected else ""
    return f"code {code} is labelled {text!r}, expected {expected!r}{other}"


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
