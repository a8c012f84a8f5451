"""Which variables of a deposit are made: what the project asks for, and what the checks look at."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import pandas as pd

from placewise.errors import Problems, nearest
from placewise.geography.codes import as_labels, infer, listing
from placewise.geography.tables import RawTable
from placewise.surveys.cls.concepts import CONCEPTS
from placewise.surveys.cls.direction import AGAINST, FIRST
from placewise.surveys.cls.files import Deposit
from placewise.surveys.cls.published import POSITIVE
from placewise.surveys.cls.roles import tell_missing
from placewise.surveys.columns import MOST_LISTED
from placewise.surveys.recode.keys import key
from placewise.surveys.recode.parse import read_recoding
from placewise.surveys.recode.spec import Recoding, Variable
from placewise.surveys.spec import CommunityLifeKeys, SurveySpec

CHECKED = (FIRST, *AGAINST)


@dataclass(frozen=True)
class Plan:
    """Variables to be made.

    Parameters
    ----------
    recoding : Recoding
        Each variable with the one column of the file that it is made from.
    stored : frozenset of str
        Variables that are columns of the file under their own name, whose kind only their values tell.
    answers : tuple of str
        Variables that the respondents' table holds; the others are only checked.
    """

    recoding: Recoding
    stored: frozenset[str]
    answers: tuple[str, ...]


def recoding_of(spec: SurveySpec, problems: Problems) -> Recoding | None:
    """Concepts of the survey, with what the project's recode file and aliases say of them; None after a problem."""
    keys = spec.community_life or CommunityLifeKeys()
    recoding = CONCEPTS
    if spec.recode is not None:
        own = read_recoding(spec.recode, problems)
        if own is None:
            return None
        recoding = recoding.overridden_by(own)
    aliases = tuple(
        replace(recoding[name] if name in recoding.names() else Variable(name), columns=columns)
        for name, columns in keys.aliases.items()
    )
    return recoding.overridden_by(Recoding(aliases))


def plan_variables(
    recoding: Recoding,
    required: Collection[str],
    columns: Iterable[str],
    spec: SurveySpec,
    deposit: Deposit,
    elsewhere: Collection[str],
    why: str,
    problems: Problems,
) -> Plan:
    """Find the column of every variable that the project asks for; all that is not there is told.

    Parameters
    ----------
    recoding : Recoding
        From ``recoding_of``.
    required, columns : collection of str
        Names the file must have, and names that may be columns of the areas instead.
    elsewhere : collection of str
        Columns of the areas.
    why : str
        What follows the name of a required column that the file lacks.
    """
    where = f"survey.{spec.name}"
    found: dict[str, Variable] = {}
    stored: set[str] = set()
    asked = dict.fromkeys((*required, *columns, *(name for name in spec.where if name in recoding.names())))
    missing: dict[str, Variable] = {}
    for name in asked:
        variable = _concept(recoding, name)
        column = deposit.find(name) if variable is None else variable.find(deposit.columns)
        if column is not None:
            found[name] = replace(variable or Variable(name), name=name, columns=(column,), required=True)
            if variable is None:
                stored.add(name)
        elif variable is not None and (name in required or name not in elsewhere):
            missing[name] = variable
        elif variable is None and name in required:
            known = [*recoding.names(), *deposit.columns]
            message = f"{deposit.file.path.name} has no column {name!r}{why}, and no concept is called so"
            problems.add(where, message, nearest(name, known), "data")
    checked = {name: recoding[name] for name in dict.fromkeys((*CHECKED, *POSITIVE))}
    there = {name: column for name, v in checked.items() if (column := v.find(deposit.columns)) is not None}
    unchecked = FIRST not in there or not any(name in there for name in AGAINST)
    if missing or (unchecked and any(name in asked for name in CHECKED)):
        missing |= {name: checked[name] for name in CHECKED if name not in there and name not in found}
    for name, variable in missing.items():
        tell_missing(name, variable, deposit, f"{where}.aliases", problems)
    for name, column in there.items():
        found.setdefault(name, replace(checked[name], columns=(column,), required=True))
    if spec.person:
        found[spec.person] = Variable(spec.person, (spec.person,), kind="code")
    wanted = [name for name in (*required, *columns) if name in found]
    answers = [*wanted, *([spec.person] if spec.person else [])]
    return Plan(replace(recoding, variables=tuple(found.values())), frozenset(stored), tuple(dict.fromkeys(answers)))


def with_kinds(plan: Plan, raw: RawTable) -> Recoding:
    """The plan's recoding, once it is known which stored columns have labels and which are numbers."""
    return replace(
        plan.recoding,
        variables=tuple(_with_kind(v, raw) if v.name in plan.stored else v for v in plan.recoding.variables),
    )


def without_bare_numbers(
    recoding: Recoding, raw: RawTable, missing: Collection[object], where: str, problems: Problems
) -> Recoding:
    """Leave out variables whose answers are numbers without any value label, telling each.

    Which answer a number stands for differs between surveys and years: it is never guessed.
    """
    kept = []
    for variable in recoding.variables:
        bare = _bare_numbers(variable, raw, (*recoding.missing, *missing)) if variable.kind == "category" else []
        if bare:
            column = variable.find(raw.frame.columns)
            message = f"column {column!r} holds numbers without value labels: {listing(bare)}"
            hint = 'give codebook = "codebook.csv" (variable, code, label, missing), or a recode file that maps them'
            problems.add(f"{where}: {variable.name}", message, hint, "data")
        else:
            kept.append(variable)
    return replace(recoding, variables=tuple(kept))


def _concept(recoding: Recoding, name: str) -> Variable | None:
    """The concept of a name, or the one whose column is called so."""
    if name in recoding.names():
        return recoding[name]
    folded = name.casefold()
    return next((v for v in recoding.variables if folded in (s.casefold() for s in v.sources())), None)


def _with_kind(variable: Variable, raw: RawTable) -> Variable:
    column = variable.columns[0]
    if column in raw.labels:
        return variable
    values = infer(raw.frame[column])
    if pd.api.types.is_numeric_dtype(values.dtype):
        return replace(variable, kind="number")
    return variable if values.nunique() <= MOST_LISTED else replace(variable, kind="code")


def _bare_numbers(variable: Variable, raw: RawTable, missing: Collection[object]) -> list[str]:
    column = variable.find(raw.frame.columns)
    if column is None or variable.bands or column in raw.labels:
        # of codes without a label beside others with one, the recoding tells
        return []
    known = {key(code) for code in (*variable.values, *variable.missing, *missing)}
    codes = [str(code) for code in as_labels(pd.Series(pd.unique(raw.frame[column].dropna()), dtype=object))]
    return sorted(code for code in codes if key(code) not in known and _is_number(code))


def _is_number(code: str) -> bool:
    try:
        float(code)
    except ValueError:
        return False
    return True
