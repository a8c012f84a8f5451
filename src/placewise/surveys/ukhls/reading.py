"""Reads Understanding Society: one record a person and wave, linked to the areas by a special-licence file."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from placewise.errors import Problems, nearest
from placewise.geography.areas import AreaTable
from placewise.geography.codes import as_numbers
from placewise.geography.joins import positions
from placewise.surveys.account import Account, DesignRead
from placewise.surveys.disclosure import told
from placewise.surveys.respondents import Respondents
from placewise.surveys.spec import SurveySpec
from placewise.surveys.ukhls.geography import Homes, read_homes, tell_unknown, translate
from placewise.surveys.ukhls.labels import check_labels
from placewise.surveys.ukhls.placing import Placed, place
from placewise.surveys.ukhls.plan import Plan, geography_of, make_plan
from placewise.surveys.ukhls.selection import (
    Selected,
    design_codes,
    inside,
    pooled_weights,
    select,
)
from placewise.surveys.ukhls.sexes import SEX, check_sexes
from placewise.surveys.ukhls.variables import Made, make, pooled
from placewise.surveys.ukhls.vintages import VINTAGES
from placewise.surveys.ukhls.wave import MAIN, Interviews, WaveFiles
from placewise.surveys.ukhls.waves import OWN, PERSON, WAVE, prefixed

PSU, STRATA = "psu", "strata"


def read_ukhls(
    spec: SurveySpec,
    areas: AreaTable | None,
    columns: Collection[str],
    problems: Problems,
    required: Collection[str] = (),
    why: str = "",
) -> Respondents | None:
    """Read the respondents of one or several waves and link them to the areas.

    Parameters
    ----------
    spec : SurveySpec
        Table ``[survey.NAME]`` with ``reader = "ukhls"``.
    areas : AreaTable or None
        As ``placewise.surveys.reading.read_survey`` takes it.
    columns : collection of str
        Names that formulas use: variables of the recoding, or of the study without the wave's letter. Names that the
        areas have, and names that no file has, are left to the areas.
    problems : Problems
        Takes everything that is wrong.
    required : collection of str
        Variables there must be, such as the response; ``nbrsnci`` is the cohesion scale.
    why : str
        As ``placewise.surveys.reading.read_survey`` takes it.

    Returns
    -------
    Respondents or None
        One record a person and wave, in the order of the waves and of ``pidp``, whatever the files' order. None when
        a problem was noted.

    Notes
    -----
    Weights are cross-sectional, of the self-completion questionnaire. Over several waves the weights of each are
    rescaled to sum to its respondents, so that a wave counts as the people who answered it.
    """
    before, where = len(problems), f"survey.{spec.name}"
    plan = make_plan(spec, areas, where, problems)
    if plan is None:
        return None
    there = [wave for wave in spec.waves if (wave, MAIN) in plan.study]
    waves = [WaveFiles(wave, plan.study, spec.path, where, problems) for wave in there]
    names = _names(spec, areas, columns, required)
    needed = {*required, *spec.where}
    asked = dict.fromkeys({*required} - {*spec.where}, why)
    placed = place(names, needed, plan.recoding, waves, where, problems, asked)
    interviews = _read(waves, placed, spec, plan, where, problems)
    sexes = check_sexes(waves, where, problems) if _uses_sex(placed) else ()
    column = spec.area_column or VINTAGES[geography_of(spec).vintage].column
    homes = {w: read_homes(path, w, column, where, problems) for w, path in plan.geography.items()}
    # what is still readable is checked on, so that one fault does not hide another
    within = _within(interviews, spec, where, problems)
    chosen = _select(interviews, within, homes, plan, where, problems)
    parts = [make(part.interviews, {n for n in names if n not in OWN}, where, problems) for part in chosen]
    codes = _link(_addresses(interviews, within, chosen, homes), plan, spec, areas, where, problems)
    design = [design_codes(chosen, stem, where, problems) for stem in (spec.psu or PSU, spec.strata or STRATA)]
    made = [part for part in parts if part is not None]
    if areas is None or len(problems) > before:
        return None
    files = [w.columns() for w in waves]
    found = _Found(
        chosen, pooled(made, sexes), codes, (design[0], design[1]), [h for h in homes.values() if h is not None]
    )
    return _respondents(found, interviews, spec, areas, plan, tuple(dict.fromkeys(c for f in files for c in f)))


def _uses_sex(placed: Mapping[str, Placed]) -> bool:
    """Whether a variable is made from a person's sex."""
    read = [v for stems in placed.values() for variables in stems.values() for v in variables]
    return any({*SEX.sources()} & {*variable.sources()} for variable in read)


@dataclass(frozen=True, eq=False, repr=False)
class _Found:
    """Everything about the respondents, in the files' order."""

    chosen: Sequence[Selected]
    made: Made
    codes: pd.Series
    design: tuple[np.ndarray, np.ndarray]
    homes: Sequence[Homes]


def _names(
    spec: SurveySpec, areas: AreaTable | None, columns: Collection[str], required: Collection[str]
) -> tuple[str, ...]:
    """Variables to make: what must be there, and what formulas use and the areas do not have."""
    left = set(columns)
    if areas is not None:
        left -= {*areas.available, areas.code, *areas.levels, *areas.classes}
    return tuple(sorted({*(c for c in required if c), *spec.where, *left}))


def _read(
    waves: Sequence[WaveFiles],
    placed: Mapping[str, Placed],
    spec: SurveySpec,
    plan: Plan,
    where: str,
    problems: Problems,
) -> list[Interviews]:
    """The interviews of each wave with the needed columns that there are; a wave that cannot be read is left out."""
    found = []
    for files in waves:
        main = files.open(MAIN)
        if main is None:
            continue
        design = {
            "weight": plan.weights.get(files.wave, ""),
            "psu": prefixed(spec.psu or PSU, files.wave),
            "strata": prefixed(spec.strata or STRATA, files.wave),
        }
        for key, column in design.items():
            if column and column not in main.columns:
                near = nearest(column, main.columns)
                problems.add(f"{where}.{key}", f"{main.path.name} has no column {column!r}", near, "data")
        there = [column for column in design.values() if column in main.columns]
        read = files.read(placed[files.wave], there, plan.recoding.missing)
        if read is None:
            continue
        for stem, part in read.parts.items():
            file = files.open(stem)
            if file is not None:
                check_labels(part, read.variables.get(stem, ()), files.wave, file.path, plan.own, where, problems)
        found.append(read)
    return found


def _within(
    interviews: Sequence[Interviews], spec: SurveySpec, where: str, problems: Problems
) -> dict[str, np.ndarray]:
    """Rows of each wave that ``where`` keeps; empty where that cannot be told."""
    before = len(problems)
    tables: dict[str, pd.DataFrame] = {}
    for part in interviews:
        made = make(part, tuple(spec.where), where, problems)
        if made is None:
            continue
        table = made.table.assign(**{WAVE: part.wave})
        if set(spec.where) <= set(table.columns):
            tables[part.wave] = table
    within = inside(tables, spec.where, where, problems) if len(tables) == len(interviews) else {}
    return within if len(problems) == before else {}


def _select(
    interviews: Sequence[Interviews],
    within: Mapping[str, np.ndarray],
    homes: Mapping[str, Homes | None],
    plan: Plan,
    where: str,
    problems: Problems,
) -> list[Selected]:
    """Interviews that count, wave by wave; a wave of which they cannot be told is left out."""
    found = []
    for part in interviews:
        home, weight = homes.get(part.wave), plan.weights.get(part.wave)
        if home is None or part.wave not in within or not part.has(weight):
            continue
        selected = select(part, within[part.wave], plan.weights[part.wave], home, where, problems)
        if selected is not None:
            found.append(selected)
    return found


def _addresses(
    interviews: Sequence[Interviews],
    within: Mapping[str, np.ndarray],
    chosen: Sequence[Selected],
    homes: Mapping[str, Homes | None],
) -> list[pd.Series]:
    """Codes of those who count in each wave; of everyone inside ``where`` in a wave with a fault."""
    counted = {part.interviews.wave: part.codes for part in chosen}
    found = []
    for part in interviews:
        home = homes.get(part.wave)
        if part.wave in counted:
            found.append(counted[part.wave])
        elif home is not None and part.wave in within:
            found.append(part.household[within[part.wave]].map(home.codes.to_dict()).astype("str"))
    return found


def _link(
    addresses: Sequence[pd.Series],
    plan: Plan,
    spec: SurveySpec,
    areas: AreaTable | None,
    where: str,
    problems: Problems,
) -> pd.Series:
    """The areas' code of every respondent, wave after wave; codes that the areas lack are noted."""
    geography = geography_of(spec)
    codes = pd.concat(addresses, ignore_index=True) if addresses else pd.Series(dtype="str")
    if geography.lookup is not None:
        before = len(problems)
        here = f"{where}.geography.lookup"
        if plan.lookup is not None:
            codes = translate(codes, plan.lookup, geography.lookup.path.name, here, problems)
        if plan.lookup is None or len(problems) > before:
            return codes
    if areas is not None and plan.level in areas.table.columns:
        known = areas.table[plan.level].to_numpy(dtype=object)
        tell_unknown(codes, known, plan.level, geography, f"{where}.geography", problems)
    return codes


def _respondents(
    found: _Found,
    interviews: Sequence[Interviews],
    spec: SurveySpec,
    areas: AreaTable,
    plan: Plan,
    available: tuple[str, ...],
) -> Respondents:
    """The respondents in the order of waves and people, with the account of how they were read."""
    person = pd.concat([part.interviews.person for part in found.chosen], ignore_index=True)
    wave = np.concatenate([np.full(len(part.weight), part.interviews.wave, dtype=object) for part in found.chosen])
    position = np.concatenate([np.full(len(part.weight), i) for i, part in enumerate(found.chosen)])
    # by number, whatever the files' order; ids that are no numbers by their text
    order = np.lexsort((pd.factorize(person, sort=True)[0], as_numbers(person)[0], position))
    own = pd.DataFrame({WAVE: pd.Series(wave, dtype="str"), PERSON: person})
    table = pd.concat([own, found.made.table], axis=1).iloc[order].reset_index(drop=True)
    codes = found.codes.iloc[order].reset_index(drop=True)
    dropped = tuple(d for part in found.chosen for d in part.dropped)
    notes = _notes(found, interviews)
    read = sum(len(part) for part in interviews)
    psu, strata = found.design
    files = [*(file for part in interviews for file in part.files), *(home.file for home in found.homes)]
    account = Account(
        spec.name,
        spec.reader,
        tuple(dict.fromkeys(files)),
        found.made.accounts,
        dropped,
        found.made.checks,
        DesignRead(
            ", ".join(plan.weights.values()),
            _names_of(spec.psu or PSU, spec),
            _names_of(spec.strata or STRATA, spec),
        ),
        read,
        len(table),
        notes,
        plan.recoding,
    )
    return Respondents(
        name=spec.name,
        table=table,
        link=plan.level,
        codes=codes.to_numpy(dtype=object),
        area=positions(codes, areas.codes) if plan.level == areas.code else np.full(len(table), -1, np.int64),
        weight=pooled_weights(found.chosen)[order],
        psu=psu[order],
        strata=strata[order],
        read=read,
        dropped=dropped,
        available=(*plan.recoding.names(), *available),
        notes=notes,
        declared={name: mask[order] for name, mask in found.made.declared.items()},
        account=account,
    )


def _names_of(stem: str, spec: SurveySpec) -> str:
    return ", ".join(prefixed(stem, wave) for wave in spec.waves)


def _notes(found: _Found, interviews: Sequence[Interviews]) -> tuple[str, ...]:
    """What is worth knowing: people in several waves, rows without a partner, and checks that did not pass."""
    notes = [note for part in interviews for note in part.notes]
    people = pd.concat([part.interviews.person for part in found.chosen], ignore_index=True)
    again = int(people.duplicated().sum())
    if again:
        notes.append(f"{told(again)} of {told(len(people))} records are of people who answered in an earlier wave too")
    if len(interviews) > 1:
        notes.append("the weights of each wave are rescaled so that it counts as its number of respondents")
    notes += [f"{check.name}: {check.message}" for check in found.made.checks if check.verdict != "pass"]
    return tuple(dict.fromkeys(notes))
