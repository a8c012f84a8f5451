"""Columns whose names are confirmed nowhere: the project names them, and the file's own labels say what they may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from placewise.errors import Problems
from placewise.surveys.cls.files import Deposit
from placewise.surveys.recode.spec import Recoding, Variable, nearest_column
from placewise.surveys.spec import CommunityLifeKeys, SurveySpec

# Words by which a column, or its label, may be known.
WORDS: Mapping[str, tuple[str, ...]] = {
    "area": ("local authority", "district", "lsoa", "msoa", "output area", "region", "lad", "gor"),
    "weight": ("weight", "wgt", "wt"),
    "mode": ("mode",),
    "year": ("year", "wave"),
}
_WRITE: Mapping[str, str] = {
    "area": 'area = { column = "…", level = "…" }',
    "weight": 'weight = "…"',
    "mode": 'mode = "…"; or of a file without such a column mode = "online"',
    "year": 'year = { column = "…" }; or of a file of one survey year year = "2023-24"',
}
# What the question is about, for columns under another name.
ABOUT: Mapping[str, tuple[str, ...]] = {
    "belonging": ("neighbourhood", "belong"),
    "belonging_britain": ("britain", "belong"),
    "satisfaction": ("satisf",),
    "chatting": ("chat",),
    "favours": ("favour",),
    "pull_together": ("pull together",),
    "trust": ("trust",),
    "get_on": ("backgrounds", "get on well"),
    "comfortable_keys": ("keys",),
    "comfortable_child": ("mind your child", "child"),
    "comfortable_shopping": ("shopping",),
    "change": ("better or worse",),
    "loneliness": ("lonel",),
    "sex": ("sex",),
    "age": ("age",),
}


def resolve(
    spec: SurveySpec, own: Recoding, deposit: Deposit, problems: Problems
) -> tuple[SurveySpec, CommunityLifeKeys]:
    """The survey's keys with columns as the file spells them; year and mode may be variables of the recode file.

    Every column that the project does not name, and every one that the file has not, is a problem that lists what the
    file has to offer.
    """
    keys = spec.community_life or CommunityLifeKeys()
    named = {
        "area": spec.area_column,
        "weight": spec.weight,
        "mode": keys.mode_column or keys.mode,
        "year": keys.year_column or keys.year,
        "psu": spec.psu,
        "strata": spec.strata,
        "person": spec.person,
    }
    stated = {"mode": bool(keys.mode) or "mode" in own.names(), "year": bool(keys.year) or "year" in own.names()}
    found: dict[str, str] = {}
    for role, name in named.items():
        column = deposit.find(name) if name and not stated.get(role) else None
        found[role] = column or ""
        if column is not None or stated.get(role) or (not name and role not in WORDS):
            continue
        where = f"survey.{spec.name}.{role}"
        if name:
            message = f"{deposit.file.path.name} has no column {name!r}"
            near = nearest_column(Variable(name), deposit.columns)
        else:
            message = f"the name of the column is confirmed nowhere, so the project has to say it: {_WRITE[role]}"
            near = ""
        problems.add(where, message, " ".join(filter(None, (near, offer(deposit, WORDS.get(role, ()))))), "data")
    made = (*own.names(), "year", "mode")
    kept = {name if name in made else deposit.find(name) or name: values for name, values in spec.where.items()}
    return (
        replace(
            spec,
            area_column=found["area"],
            weight=found["weight"],
            psu=found["psu"],
            strata=found["strata"],
            person=found["person"],
            where=kept,
        ),
        replace(keys, mode_column=found["mode"], year_column=found["year"]),
    )


def offer(deposit: Deposit, words: Iterable[str]) -> str:
    """Columns that may be what is looked for, as a hint."""
    words = tuple(words)
    if not words:
        return ""
    candidates = deposit.candidates(words)
    return f"the file has {', '.join(candidates)}" if candidates else "no column of the file is known by such a name"


def tell_missing(name: str, variable: Variable, deposit: Deposit, where: str, problems: Problems) -> None:
    """Note a concept whose column the file has not under any of its names."""
    names = " or ".join(repr(n) for n in variable.sources())
    near = nearest_column(variable, deposit.columns)
    found = offer(deposit, ABOUT.get(name, (name,)))
    hint = f'{near + " " if near else ""}name its column: aliases = {{ {name} = "…" }}; {found}'
    problems.add(where, f"{deposit.file.path.name} has no column {names}, which is {name!r}", hint, "data")
