"""Who counts: inside ``where``, inside the base of the weight, at a known address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from placewise.errors import Problems
from placewise.geography.codes import as_codes, as_numbers, listing, matches
from placewise.surveys.disclosure import told
from placewise.surveys.respondents import Dropped
from placewise.surveys.spec import SurveySpec
from placewise.surveys.ukhls.geography import Homes
from placewise.surveys.ukhls.wave import MOST_UNMATCHED, Interviews
from placewise.surveys.ukhls.waves import UNCONFIRMED_WEIGHTS, WEIGHTS, prefixed

# Why an interview does not count, in the order in which it is asked.
OUTSIDE = "outside where"
NO_BASE = "outside the base of the weight (0)"
NO_WEIGHT = "no weight"
NO_ROW = "household not in the geography file"
NO_AREA = "no area"


@dataclass(frozen=True, eq=False, repr=False)
class Selected:
    """Interviews of one wave that count.

    Parameters
    ----------
    interviews : Interviews
        Those that are kept, m of n.
    weight : ndarray of float64, shape (m,)
        Positive, as released.
    codes : Series of str, shape (m,)
        Where they live, by the geography file's code.
    dropped : tuple of Dropped
        Why the others are left out.
    """

    interviews: Interviews
    weight: np.ndarray
    codes: pd.Series
    dropped: tuple[Dropped, ...]


def weight_column(spec: SurveySpec, wave: str, where: str, problems: Problems) -> str | None:
    """Name of a wave's weight: the user's, else the self-completion weight where that is confirmed."""
    chosen = spec.weights.get(wave) or spec.weight or WEIGHTS.get(wave)
    if chosen:
        return prefixed(chosen, wave)
    expected = prefixed(UNCONFIRMED_WEIGHTS[wave], wave)
    problems.add(
        f"{where}.weight",
        f"no source confirms which weight is that of the self-completion questionnaire in wave {wave}",
        f'{expected} is expected: look it up in the documentation, then write weight = {{ {wave} = "{expected}" }}',
    )
    return None


def inside(
    tables: Mapping[str, pd.DataFrame], conditions: Mapping[str, Iterable[Any]], where: str, problems: Problems
) -> dict[str, np.ndarray]:
    """Rows of each wave that ``where`` keeps, by the categories and numbers of recoded variables.

    Parameters
    ----------
    tables : mapping of wave to DataFrame
        The variables that ``where`` names.
    conditions : mapping of variable to values
        From the project file.
    """
    kept = {wave: np.ones(len(table), dtype=bool) for wave, table in tables.items()}
    for name, values in conditions.items():
        hits = {wave: matches(table[name], values) for wave, table in tables.items() if name in table}
        if not any(hit.any() for hit in hits.values()):
            met = pd.concat([as_codes(table[name]) for table in tables.values() if name in table])
            hint = f"the variable has {listing(sorted(met.dropna().unique()))}"
            problems.add(f"{where}.where", f"nobody has {listing(list(values))} in {name!r}", hint, "data")
        for wave, mask in kept.items():
            mask &= hits.get(wave, False)
    return kept


def select(
    interviews: Interviews, within: np.ndarray, weight: str, homes: Homes, where: str, problems: Problems
) -> Selected | None:
    """Leave out interviews outside ``where``, outside the weight's base, and without an address.

    Parameters
    ----------
    interviews : Interviews
        Of one wave.
    within : ndarray of bool, shape (n,)
        What ``where`` keeps.
    weight : str
        The wave's weight, a column of the main file.
    homes : Homes
        Codes of the wave's households.
    where : str
        The survey's table in the project file, for messages.

    Returns
    -------
    Selected or None
        None where a problem was noted.
    """
    before = len(problems)
    numbers = _weights(interviews, weight, where, problems)
    if len(problems) > before:
        return None
    households = interviews.household
    listed = households.isin(homes.codes.index).to_numpy()
    codes = households.map(homes.codes.to_dict()).astype("str")
    reasons = {
        OUTSIDE: ("", ~within),
        NO_BASE: (weight, numbers == 0),
        NO_WEIGHT: (weight, np.isnan(numbers)),
        NO_ROW: (homes.column, ~listed),
        NO_AREA: (homes.column, codes.isna().to_numpy()),
    }
    kept = np.ones(len(interviews), dtype=bool)
    gone = {}
    for reason, (_, out) in reasons.items():
        gone[reason] = out & kept
        kept &= ~out
    _check_left(interviews.wave, gone, weight, homes, where, problems)
    if len(problems) > before:
        return None
    dropped = [Dropped(column, reason, int(gone[reason].sum())) for reason, (column, _) in reasons.items()]
    return Selected(
        interviews.take(kept),
        numbers[kept],
        codes[kept].reset_index(drop=True),
        tuple(d for d in dropped if d.count),
    )


def pooled_weights(parts: Iterable[Selected]) -> np.ndarray:
    """Weights of all waves one after another: over several waves, each counts as its number of respondents.

    The mean weight of a wave becomes 1, so that no wave counts for more because its weights are scaled otherwise.
    """
    weights = [part.weight for part in parts]
    if len(weights) == 1:
        return weights[0]
    return np.concatenate([w * (w.size / w.sum()) for w in weights])


def design_codes(parts: Iterable[Selected], stem: str, where: str, problems: Problems) -> np.ndarray:
    """Sampling units or strata of all waves one after another, as text; the same code is the same unit in each wave."""
    found = []
    for part in parts:
        wave = part.interviews.wave
        if not part.interviews.has(prefixed(stem, wave)):
            continue  # told where the file was opened
        codes = part.interviews.codes(prefixed(stem, wave))
        lost = int(codes.isna().sum())
        if lost:
            message = f"{prefixed(stem, wave)} is missing for {told(lost)} of {told(len(codes))} respondents"
            problems.add(where, message, "the variance of every estimate rests on it", "data")
        found.append(codes.to_numpy(dtype=object))
    return np.concatenate(found) if found else np.array([], dtype=object)


def _weights(interviews: Interviews, column: str, where: str, problems: Problems) -> np.ndarray:
    """Weights, NaN for a missing code; negative, infinite ones and text are noted."""
    numbers, text = as_numbers(interviews.codes(column))
    for what, odd in (("text", text), ("negative", numbers < 0), ("infinite", np.isinf(numbers))):
        if odd.any():
            message = f"{column} is {what} for {told(int(odd.sum()))} of {told(len(numbers))} interviews"
            problems.add(f"{where}.weight", message, "expected 0 or more, and the codes for missing", "data")
    return numbers


def _check_left(
    wave: str, gone: Mapping[str, np.ndarray], weight: str, homes: Homes, where: str, problems: Problems
) -> None:
    """Note a wave of which nobody is left, or whose households are not those of the geography file."""
    inside = ~gone[OUTSIDE]
    based = inside & ~gone[NO_BASE] & ~gone[NO_WEIGHT]
    strangers = gone[NO_ROW].sum() / max(based.sum(), 1)
    if not inside.any():
        problems.add(f"{where}.where", f"nobody of wave {wave} is inside it", "leave the wave out", "data")
    elif not based.any():
        usual = prefixed(WEIGHTS.get(wave, ""), wave)
        hint = f"{usual} is the usual one" if usual != weight and wave in WEIGHTS else "is the file whole?"
        message = f"{weight} is 0 or missing for every respondent of wave {wave}"
        problems.add(f"{where}.weight", message, hint, "data")
    elif strangers > MOST_UNMATCHED:
        message = f"{strangers:.0%} of the respondents of wave {wave} have no row in {homes.file.name}"
        problems.add(f"{where}.geography", message, "is it of that wave, and of the study's own edition?", "data")
    elif not (based & ~gone[NO_ROW] & ~gone[NO_AREA]).any():
        message = f"{homes.column} is missing for every respondent of wave {wave}"
        problems.add(f"{where}.geography", message, kind="data")
