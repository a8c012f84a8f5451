"""Reads one survey: who answered, where they live, with which weight, and what is missing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np
import pandas as pd

from placewise.errors import Problems, nearest
from placewise.geography.areas import AreaTable
from placewise.geography.codes import as_codes, as_labels, as_numbers, listing, matches
from placewise.geography.joins import positions
from placewise.geography.tables import TableFile, open_table, read_raw, require
from placewise.surveys.account import Account, DesignRead, file_read
from placewise.surveys.columns import CleanColumns, SurveyColumns
from placewise.surveys.disclosure import told
from placewise.surveys.recode.apply import check_columns
from placewise.surveys.recode.parse import read_recoding
from placewise.surveys.recode.spec import Recoding
from placewise.surveys.respondents import Dropped, Respondents
from placewise.surveys.spec import SurveySpec


def read_survey(
    spec: SurveySpec,
    areas: AreaTable | None,
    columns: Collection[str],
    problems: Problems,
    required: Collection[str] = (),
    why: str = "",
) -> Respondents | None:
    """Read the respondents of one survey and link them to the areas.

    Parameters
    ----------
    spec : SurveySpec
        Table ``[survey.NAME]`` of the project file.
    areas : AreaTable or None
        The areas, whose codes, levels and classes respondents can be linked by. None when they could not be read:
        the rest of the survey is checked all the same, and None is returned.
    columns : collection of str
        Names that formulas use: read where the file or the recoding has them. Names they lack are left to whoever
        knows the areas; the code, levels and classes are the areas' to tell.
    problems : Problems
        Takes everything that is wrong.
    required : collection of str
        Columns the file or the recoding must have, such as the response.
    why : str
        What follows the name of such a column where there is none, as in ", which outcome.items asks for".

    Returns
    -------
    Respondents or None
        In the file's order; rows outside ``where`` or without an area are left out and counted. None when a problem
        was noted.
    """
    before = len(problems)
    found = _open(spec, areas, columns, problems, required, why)
    respondents = None if found is None else respondents_of(*found, spec, areas, problems)
    return respondents if len(problems) == before else None


def respondents_of(
    file: TableFile,
    source: SurveyColumns,
    answers: Sequence[str],
    spec: SurveySpec,
    areas: AreaTable | None,
    problems: Problems,
    *,
    told_before: bool = False,
) -> Respondents | None:
    """The respondents of a file whose columns are read: inside ``where``, linked to the areas, with their weights.

    Parameters
    ----------
    file : TableFile
        What was read, for the account.
    source : SurveyColumns
        Its columns and the variables to be made of them.
    answers : sequence of str
        Columns and variables that the respondents' table holds, in order.
    spec, areas, problems
        As ``read_survey``.
    told_before : bool
        Whether answers that no variable maps were told of the whole file.

    Returns
    -------
    Respondents or None
        None when a problem was noted.
    """
    before = len(problems)
    notes = [file.note] if file.note else []
    selected = _select(source, spec, areas, problems, notes)
    if selected is None:
        return None
    kept, codes, left_out = selected
    source = source.take(kept)
    linked = codes[kept].reset_index(drop=True)
    made = source.made(None, Problems() if told_before else problems)
    weight, psu, strata = _design(source, made, spec, problems)
    if areas is not None:
        _check_linked(linked, spec, areas, problems)
    if areas is None or made is None or len(problems) > before:
        return None
    clean = source.stored([c for c in answers if c not in made.values]).and_also(made)
    return Respondents(
        name=spec.name,
        table=pd.DataFrame({name: clean.values[name] for name in answers}, index=range(len(linked))),
        link=spec.area_level,
        codes=linked.to_numpy(dtype=object),
        area=positions(linked, areas.codes) if spec.area_level == areas.code else np.full(len(linked), -1, np.int64),
        weight=weight,
        psu=psu,
        strata=strata,
        read=len(kept),
        dropped=left_out,
        available=tuple(dict.fromkeys((*file.columns, *made.values))),
        notes=tuple(notes),
        declared={name: clean.declared[name] for name in answers if name in clean.declared},
        account=Account(
            spec.name,
            spec.reader,
            (file_read(file.path, len(kept), len(file.columns), note=file.note),),
            tuple(account for account in clean.accounts if account.name != spec.person),
            left_out,
            design=DesignRead(spec.weight, spec.psu, spec.strata),
            read=len(kept),
            kept=len(linked),
            notes=tuple(notes),
            recoding=source.recoding if source.recoding.variables else None,
        ),
    )


def complete_cases(respondents: Respondents, columns: Iterable[str]) -> Respondents:
    """Leave out respondents without a value in some column, counting them by column and reason.

    Parameters
    ----------
    columns : iterable of str
        In the order in which reasons are counted; names that are no column of the respondents are passed over.
    """
    for column in dict.fromkeys(columns):
        if column not in respondents.table.columns:
            continue
        missing = respondents.table[column].isna().to_numpy()
        if not missing.any():
            continue
        declared = int(respondents.declared.get(column, np.zeros(len(missing), dtype=bool)).sum())
        reasons = (
            Dropped(column, "declared missing code", declared),
            Dropped(column, "blank", int(missing.sum()) - declared),
        )
        respondents = respondents.take(~missing, tuple(r for r in reasons if r.count))
    return respondents


def check_level(spec: SurveySpec, areas: AreaTable | None, problems: Problems) -> tuple[str, ...]:
    """Code column, levels and classes of the areas; notes a link to none of them."""
    groupings = () if areas is None else (areas.code, *areas.levels, *areas.classes)
    if groupings and spec.area_level not in groupings:
        problems.add(
            f"survey.{spec.name}.area",
            f"{spec.area_level!r} is neither the code, a level nor a class of the areas",
            nearest(spec.area_level, groupings),
        )
    return groupings


def _open(
    spec: SurveySpec,
    areas: AreaTable | None,
    columns: Collection[str],
    problems: Problems,
    required: Collection[str],
    why: str,
) -> tuple[TableFile, SurveyColumns, list[str]] | None:
    """The survey's file, the columns needed of it, and the names of those that hold answers."""
    before = len(problems)
    groupings = check_level(spec, areas, problems)
    recoding = Recoding(()) if spec.recode is None else read_recoding(spec.recode, problems)
    file = open_table(spec.path, f"survey.{spec.name}.path", problems, {spec.area_column, *columns})
    if file is None or recoding is None:
        return None
    # one that the file lacks and need not have is no variable; the file must then have the column itself
    named = [v.name for v in recoding.variables if v.required or v.find(file.columns) is not None]
    keys = {
        "area": spec.area_column,
        "weight": spec.weight,
        "psu": spec.psu,
        "strata": spec.strata,
        "mode": spec.mode,
        "person": spec.person,
    }
    for key, column in keys.items():
        require(file, [column] if column and column not in named else [], f"survey.{spec.name}.{key}", problems)
    require(file, [c for c in spec.where if c not in named], f"survey.{spec.name}.where", problems)
    require(file, [c for c in required if c and c not in named], f"survey.{spec.name}", problems, why)
    lacking = len(problems) > before
    check_columns(recoding, file.columns, f"survey.{spec.name}.recode", problems)
    lost = {v.name for v in recoding.variables if v.required and v.find(file.columns) is None}
    if lacking or lost & {*keys.values(), *spec.where, *required}:
        return None
    # the values of the other variables can be looked at all the same
    recoding = recoding.only({*recoding.names()} - lost)
    named = [name for name in named if name not in lost]
    wanted = {*required, *({*columns} - {*groupings}), spec.mode, spec.person}
    answers = [c for c in dict.fromkeys((*file.columns, *named)) if c in wanted]
    as_stored = [c for c in (*keys.values(), *spec.where, *answers) if c and c not in named]
    raw = read_raw(file, [*as_stored, *recoding.columns(file.columns)], f"survey.{spec.name}", problems)
    if raw is None:
        return None
    return file, SurveyColumns(raw, recoding, spec.missing, f"survey.{spec.name}.recode"), answers


def _select(
    source: SurveyColumns, spec: SurveySpec, areas: AreaTable | None, problems: Problems, notes: list[str]
) -> tuple[np.ndarray, pd.Series, tuple[Dropped, ...]] | None:
    """Rows inside ``where`` that have an area, everyone's code, and why the others are left out; None without any."""
    chosen = source.made({spec.area_column, *spec.where}, problems)
    if chosen is None:
        return None
    inside = rows_inside(source, chosen, spec, problems, notes)
    variable = chosen.values.get(spec.area_column)
    codes, blank = _area_codes(source.raw.frame[spec.area_column] if variable is None else variable, spec, areas)
    kept = inside & ~blank
    if inside.any() and not kept.any():
        problems.add(
            f"survey.{spec.name}.area", f"column {spec.area_column!r} is missing for every respondent", kind="data"
        )
    if not kept.any():
        return None
    dropped = [
        Dropped("", "outside where", int((~inside).sum())),
        Dropped(spec.area_column, "no area", int((inside & blank).sum())),
    ]
    return kept, codes, tuple(d for d in dropped if d.count)


def rows_inside(
    source: SurveyColumns, chosen: CleanColumns, spec: SurveySpec, problems: Problems, notes: list[str]
) -> np.ndarray:
    """Rows that ``where`` keeps: by code or value label of a column, by category of a variable."""
    inside = np.ones(len(source), dtype=bool)
    for column, values in spec.where.items():
        made = chosen.values.get(column)
        hits = [source.is_one_of(column, [v]) if made is None else matches(made, [v]) for v in values]
        empty = [value for value, hit in zip(values, hits, strict=True) if not hit.any()]
        if len(empty) == len(values):
            problems.add(
                f"survey.{spec.name}.where",
                f"no row has {listing(values)} in column {column!r}",
                "compare the values with the file",
                "data",
            )
        elif empty:
            notes.append(f"{spec.name}: no row has {listing(empty)} in column {column!r} (where)")
        inside &= np.logical_or.reduce(hits)
    return inside


def _area_codes(values: pd.Series, spec: SurveySpec, areas: AreaTable | None) -> tuple[pd.Series, np.ndarray]:
    """Linked codes as text, and which are blank or a declared missing code that is no area."""
    codes = as_codes(values)
    unknown = ~codes.isin(() if areas is None else areas.table[spec.area_level]).to_numpy()
    blank = codes.isna().to_numpy() | (unknown & matches(codes, spec.missing))
    return codes, blank


def _check_linked(codes: pd.Series, spec: SurveySpec, areas: AreaTable, problems: Problems) -> None:
    unknown = ~codes.isin(areas.table[spec.area_level]).to_numpy()
    if not unknown.any():
        return
    strange = sorted(codes[unknown].unique())
    share, one = len(strange) / codes.nunique(), len(strange) == 1
    hint = (
        "most codes are unknown: codes of another year or another geography?"
        if share > 0.5
        else f"drop {'it' if one else 'them'} by where or missing, or add the {'area' if one else 'areas'}"
    )
    problems.add(
        f"survey.{spec.name}.area",
        f"{len(strange):,} {'code' if one else 'codes'} in column {spec.area_column!r} {'is' if one else 'are'} not in "
        f"{spec.area_level!r} of the areas ({told(int(unknown.sum()))} respondents): {listing(strange)}",
        hint,
        "data",
    )


def _design(
    source: SurveyColumns, made: CleanColumns | None, spec: SurveySpec, problems: Problems
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """Weights, sampling units and strata, each shape (n,); None where the survey declares none."""

    def column(name: str) -> pd.Series | None:
        values = made.values.get(name) if made is not None else None
        if values is None and name in source.raw.frame:
            return source.raw.frame[name]
        return None if values is None else values.rename(name)

    weight, psu, strata = (column(name) if name else None for name in (spec.weight, spec.psu, spec.strata))
    return (
        None if weight is None else _weight(weight, spec, problems),
        None if psu is None else _design_codes(psu, spec, problems),
        None if strata is None else _design_codes(strata, spec, problems),
    )


def _weight(values: pd.Series, spec: SurveySpec, problems: Problems) -> np.ndarray:
    """Weights, shape (n,); all must be positive and finite."""
    weight, text = as_numbers(values)
    faults = {
        "text": text,
        "missing": np.isnan(weight) & ~text,
        "zero": weight == 0,
        "negative": weight < 0,
        "infinite": weight == np.inf,
    }
    for what, odd in faults.items():
        if odd.any():
            message = f"column {spec.weight!r} is {what} for {told(int(odd.sum()))} of {told(len(weight))} respondents"
            problems.add(f"survey.{spec.name}.weight", message, "weights must be positive and finite", "data")
    return weight


def _design_codes(values: pd.Series, spec: SurveySpec, problems: Problems) -> np.ndarray:
    codes = as_labels(values)
    lost = int(pd.isna(codes).sum())
    if lost:
        problems.add(
            f"survey.{spec.name}",
            f"design column {values.name!r} is missing for {told(lost)} of {told(len(codes))} respondents",
            kind="data",
        )
    return codes
