"""Reads one survey: who answered, where they live, with which weight, and what is missing."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import pandas as pd

from placewise.errors import Problems, nearest
from placewise.geography.areas import AreaTable
from placewise.geography.codes import as_codes, as_labels, as_numbers, infer, listing, matches
from placewise.geography.joins import positions
from placewise.geography.tables import RawTable, TableFile, open_table, read_raw, require, with_labels
from placewise.surveys.disclosure import told
from placewise.surveys.respondents import Dropped, Respondents
from placewise.surveys.spec import SurveySpec


def read_survey(
    spec: SurveySpec,
    areas: AreaTable | None,
    columns: Collection[str],
    problems: Problems,
    required: Collection[str] = (),
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
        Names that formulas use: read where the file has them. Names it lacks are left to whoever knows the areas;
        the code, levels and classes are the areas' to tell.
    problems : Problems
        Takes everything that is wrong.
    required : collection of str
        Columns the file must have, such as the response.

    Returns
    -------
    Respondents or None
        In the file's order; rows outside ``where`` or without an area are left out and counted. None when a problem
        was noted.
    """
    before = len(problems)
    found = _open(spec, areas, columns, problems, required)
    if found is None:
        return None
    file, raw, answers = found
    notes = [file.note] if file.note else []
    inside = _inside(raw, spec, problems, notes)
    codes, blank = _area_codes(raw.frame[spec.area_column], spec, areas)
    kept = inside & ~blank
    if inside.any() and not kept.any():
        problems.add(
            f"survey.{spec.name}.area", f"column {spec.area_column!r} is missing for every respondent", kind="data"
        )
    if not kept.any():
        return None
    dropped = (
        Dropped("", "outside where", int((~inside).sum())),
        Dropped(spec.area_column, "no area", int((inside & blank).sum())),
    )
    raw = RawTable(raw.frame[kept].reset_index(drop=True), raw.labels)
    linked = codes[kept].reset_index(drop=True)
    weight = _weight(raw.frame[spec.weight], spec, problems) if spec.weight else None
    psu, strata = (_design_codes(raw.frame[c], spec, problems) if c else None for c in (spec.psu, spec.strata))
    if areas is not None:
        _check_linked(linked, spec, areas, problems)
    if areas is None or len(problems) > before:
        return None
    cleaned = {name: _clean(raw, name, spec.missing) for name in answers}
    return Respondents(
        name=spec.name,
        table=pd.DataFrame({name: v for name, (v, _) in cleaned.items()}, index=range(len(linked))),
        link=spec.area_level,
        codes=linked.to_numpy(dtype=object),
        area=positions(linked, areas.codes) if spec.area_level == areas.code else np.full(len(linked), -1, np.int64),
        weight=weight,
        psu=psu,
        strata=strata,
        read=len(kept),
        dropped=tuple(d for d in dropped if d.count),
        available=file.columns,
        notes=tuple(notes),
        declared={name: mask for name, (_, mask) in cleaned.items() if mask.any()},
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


def _open(
    spec: SurveySpec, areas: AreaTable | None, columns: Collection[str], problems: Problems, required: Collection[str]
) -> tuple[TableFile, RawTable, list[str]] | None:
    """The survey's file, the columns needed of it, and the names of those that hold answers."""
    before = len(problems)
    groupings = () if areas is None else (areas.code, *areas.levels, *areas.classes)
    if groupings and spec.area_level not in groupings:
        problems.add(
            f"survey.{spec.name}.area",
            f"{spec.area_level!r} is neither the code, a level nor a class of the areas",
            nearest(spec.area_level, groupings),
        )
    file = open_table(spec.path, f"survey.{spec.name}.path", problems, {spec.area_column, *columns})
    if file is None:
        return None
    named = {
        "area": spec.area_column,
        "weight": spec.weight,
        "psu": spec.psu,
        "strata": spec.strata,
        "mode": spec.mode,
        "person": spec.person,
    }
    for key, column in named.items():
        require(file, [column] if column else [], f"survey.{spec.name}.{key}", problems)
    require(file, spec.where, f"survey.{spec.name}.where", problems)
    require(file, [c for c in required if c], f"survey.{spec.name}", problems)
    if len(problems) > before:
        return None
    wanted = {*required, *({*columns} - {*groupings}), spec.mode, spec.person}
    answers = [c for c in dict.fromkeys(file.columns) if c in wanted]
    design = [c for c in (spec.weight, spec.psu, spec.strata) if c]
    raw = read_raw(file, [spec.area_column, *design, *spec.where, *answers], f"survey.{spec.name}", problems)
    return None if raw is None else (file, raw, answers)


def _inside(raw: RawTable, spec: SurveySpec, problems: Problems, notes: list[str]) -> np.ndarray:
    """Rows that ``where`` keeps, by code or by value label."""
    inside = np.ones(len(raw.frame), dtype=bool)
    for column, values in spec.where.items():
        hits = [_is_one_of(raw, column, [value]) for value in values]
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


def _is_one_of(raw: RawTable, column: str, values: Iterable[object]) -> np.ndarray:
    found = matches(raw.frame[column], values)
    return found | matches(raw.labelled(column), values) if column in raw.labels else found


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
    share = len(strange) / codes.nunique()
    hint = (
        "most codes are unknown: codes of another year or another geography?"
        if share > 0.5
        else "drop them by where or missing, or add the areas"
    )
    problems.add(
        f"survey.{spec.name}.area",
        f"{len(strange):,} codes in column {spec.area_column!r} are not in "
        f"{spec.area_level!r} of the areas ({told(int(unknown.sum()))} respondents): {listing(strange)}",
        hint,
        "data",
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


def _clean(raw: RawTable, column: str, missing: Collection[object]) -> tuple[pd.Series, np.ndarray]:
    """A column without its declared missing codes, and where those stood."""
    declared = _is_one_of(raw, column, missing)
    values = raw.frame[column].mask(declared)
    return infer(with_labels(values, raw.labels[column]) if column in raw.labels else values), declared
