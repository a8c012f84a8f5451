"""Reads a deposit of the Community Life Survey: answers by the text of their labels, year and mode carried, checked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pandas as pd

from placewise.errors import Problems
from placewise.geography.areas import AreaTable
from placewise.geography.codes import as_codes, as_labels, as_numbers
from placewise.geography.place_names import codes_by_name
from placewise.geography.tables import RawTable
from placewise.surveys.account import Check
from placewise.surveys.cls.codebook import Codebook, read_codebook
from placewise.surveys.cls.direction import check_direction
from placewise.surveys.cls.files import Answers, Deposit, open_deposit, read_answers
from placewise.surveys.cls.modes import MODE, YEAR, check_modes, with_year_and_mode
from placewise.surveys.cls.persons import check_persons, check_rows
from placewise.surveys.cls.plan import Plan, plan_variables, recoding_of, with_kinds, without_bare_numbers
from placewise.surveys.cls.roles import resolve
from placewise.surveys.cls.totals import check_totals
from placewise.surveys.columns import CleanColumns, SurveyColumns
from placewise.surveys.reading import check_level, respondents_of, rows_inside
from placewise.surveys.recode.spec import Recoding
from placewise.surveys.respondents import Respondents
from placewise.surveys.spec import CommunityLifeKeys, SurveySpec


def read_community_life(
    spec: SurveySpec,
    areas: AreaTable | None,
    columns: Collection[str],
    problems: Problems,
    required: Collection[str] = (),
    why: str = "",
) -> Respondents | None:
    """Read the respondents of one deposit and link them to the areas.

    A name means a concept (``CONCEPTS``, the recode file, the project's aliases) where there is one, else the file's
    column of that name whatever its case. The respondents' table always holds ``year`` and ``mode``. The direction of
    answers and weighted totals are checked on the whole file, and told in the account.

    Parameters
    ----------
    spec, areas, columns, problems, required, why
        As ``read_survey``.

    Returns
    -------
    Respondents or None
        None when a problem was noted.
    """
    before = len(problems)
    if spec.area_level:
        # where the project names no area, the columns that may hold one are told below
        check_level(spec, areas, problems)
    own, deposit = recoding_of(spec, problems), _open(spec, {*columns, *required}, problems)
    if own is None or deposit is None:
        return None
    spec, keys = resolve(spec, own, deposit, problems)
    plan = _plan(spec, own, deposit, areas, columns, required, why, problems)
    answers = _read(spec, keys, own, plan, deposit, problems)
    if answers is None:
        return None
    source, spec = _source(answers, plan, own, spec, keys, areas, problems)
    made = source.made(None, problems)
    checks = () if made is None else _checks(source, made, answers, deposit, spec, keys, problems)
    if not spec.area_column:
        return None
    names = [name for name in dict.fromkeys((*plan.answers, YEAR, MODE)) if name in source.recoding.names()]
    respondents = respondents_of(deposit.file, source, names, spec, areas, problems, told_before=True)
    if respondents is None or respondents.account is None or len(problems) > before:
        return None
    return replace(
        respondents,
        available=tuple(dict.fromkeys((*respondents.available, *own.names()))),
        account=replace(respondents.account, checks=checks),
    )


def community_life_names(spec: SurveySpec) -> tuple[str, ...]:
    """Names that the reader understands, whatever the columns of the file are called."""
    own = recoding_of(spec, Problems())
    return (YEAR, MODE, *(() if own is None else own.names()))


def _open(spec: SurveySpec, columns: Collection[str], problems: Problems) -> Deposit | None:
    """The survey's file and the user's codebook; None after a problem with either."""
    path = None if spec.community_life is None else spec.community_life.codebook
    codebook = Codebook() if path is None else read_codebook(path, f"survey.{spec.name}.codebook", problems)
    needed = {spec.area_column, spec.weight, *columns}
    deposit = open_deposit(spec.path, f"survey.{spec.name}.path", needed, codebook, problems)
    return None if codebook is None else deposit


def _plan(
    spec: SurveySpec,
    own: Recoding,
    deposit: Deposit,
    areas: AreaTable | None,
    columns: Collection[str],
    required: Collection[str],
    why: str,
    problems: Problems,
) -> Plan:
    groupings = () if areas is None else (areas.code, *areas.levels, *areas.classes)
    asked = [name for name in columns if name not in (*groupings, YEAR, MODE)]
    needed = [name for name in required if name and name not in (YEAR, MODE)]
    elsewhere = () if areas is None else areas.available
    return plan_variables(own, needed, asked, spec, deposit, elsewhere, why, problems)


def _read(
    spec: SurveySpec, keys: CommunityLifeKeys, own: Recoding, plan: Plan, deposit: Deposit, problems: Problems
) -> Answers | None:
    """Every column that is needed, each once."""
    design = (spec.area_column, spec.weight, spec.psu, spec.strata, keys.year_column, keys.mode_column)
    named = [*design, *(name for name in spec.where if name in deposit.columns and name not in own.names())]
    carried = own.only((YEAR, MODE)).columns(deposit.columns)
    wanted = dict.fromkeys(c for c in (*named, *carried, *plan.recoding.columns(deposit.columns)) if c)
    return read_answers(deposit, list(wanted), f"survey.{spec.name}", problems)


def _source(
    answers: Answers,
    plan: Plan,
    own: Recoding,
    spec: SurveySpec,
    keys: CommunityLifeKeys,
    areas: AreaTable | None,
    problems: Problems,
) -> tuple[SurveyColumns, SurveySpec]:
    """Columns with the recoding of all that is made of them, and the survey with the modes it keeps."""
    where = f"survey.{spec.name}"
    recoding, raw = with_year_and_mode(with_kinds(plan, answers.raw), answers.raw, own, keys)
    recoding = without_bare_numbers(answers.declared_in(recoding), raw, spec.missing, where, problems)
    if areas is not None and spec.area_column and spec.area_level in areas.names:
        raw = _with_area_codes(raw, spec, areas)
    if keys.modes and MODE in spec.where:
        problems.add(f"{where}.where", "modes are chosen here and by 'keep' as well", "keep one of the two")
    kept = {**spec.where, MODE: keys.modes} if keys.modes else dict(spec.where)
    there = {name: v for name, v in kept.items() if name in recoding.names() or name in raw.frame}
    for name in set(kept) - {*there, *own.names(), YEAR, MODE}:
        problems.add(f"{where}.where", f"{spec.path.name} has no column {name!r}", "", "data")
    return SurveyColumns(raw, recoding, spec.missing, where), replace(spec, where=there)


def _with_area_codes(raw: RawTable, spec: SurveySpec, areas: AreaTable) -> RawTable:
    """Codes in place of the names of areas, where a file holds names, or codes of its own with names for labels."""
    column, names = spec.area_column, areas.names[spec.area_level]
    stored = as_codes(raw.frame[column])
    if stored.isin(areas.table[spec.area_level]).any():
        return raw
    called = pd.Series(as_labels(raw.labelled(column)), index=raw.frame.index)
    codes, _ = codes_by_name(sorted(str(name) for name in called.dropna().unique()), names)
    if not codes:
        return raw
    frame = raw.frame.assign(**{column: called.map(codes).where(called.isin(codes), called).astype("str")})
    return RawTable(frame, {name: texts for name, texts in raw.labels.items() if name != column})


def _checks(
    source: SurveyColumns,
    made: CleanColumns,
    answers: Answers,
    deposit: Deposit,
    spec: SurveySpec,
    keys: CommunityLifeKeys,
    problems: Problems,
) -> tuple[Check, ...]:
    """Modes of those who are kept; years, persons, direction and totals of the whole file."""
    where = f"survey.{spec.name}"
    table, frame = pd.DataFrame(dict(made.values)), source.raw.frame
    weight = as_numbers(frame[spec.weight])[0] if spec.weight else np.ones(len(frame))
    checks = check_direction(table, weight, where, problems)
    if not {YEAR, MODE} <= {*table.columns}:
        return checks
    person = (
        check_persons(table[YEAR], table[spec.person], spec, problems)
        if spec.person
        else check_rows(answers.raw, deposit, spec, problems)
    )
    inside = rows_inside(source, made, spec, problems, [])
    checks = (*check_modes(table[YEAR], table[MODE], inside, keys, where, problems), *checks)
    units = (_units(frame[column]) if column else None for column in (spec.psu, spec.strata))
    return (*checks, person, *check_totals(table, weight, *units))


def _units(values: pd.Series) -> np.ndarray:
    """Codes of sampling units; who has none is a unit of their own."""
    codes, distinct = pd.factorize(values)
    return np.where(codes < 0, len(distinct) + np.arange(len(codes)), codes)
