"""Who answered and what they said, as far as a report may tell: no count below the threshold, no area's own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from placewise.diagnostics.survey import check_margins
from placewise.geography.codes import as_codes
from placewise.models.spec import EstimandSpec, OutcomeSpec
from placewise.pipeline.load import OutcomeData
from placewise.publish.context import AskedItem, SurveyUse
from placewise.surveys.design import SurveyDesign
from placewise.surveys.disclosure import THRESHOLD
from placewise.surveys.instruments import Instruments
from placewise.surveys.respondents import Respondents
from placewise.surveys.spec import SurveySpec

LEVEL = 0.9


def survey_uses(data: OutcomeData, surveys: Mapping[str, SurveySpec], outcome: OutcomeSpec) -> list[SurveyUse]:
    """How each survey was used, the reference first."""
    return [_survey_use(part, data, surveys[part.name], outcome) for part in data.parts]


def _survey_use(part: Respondents, data: OutcomeData, survey: SurveySpec, outcome: OutcomeSpec) -> SurveyUse:
    """How one survey was used: respondents, years, weight, what was left out and why, what was checked."""
    account = part.account
    checks = () if account is None else (*account.checks, *check_margins(part, data.frame))
    left_out = [(f"{d.column}: {d.reason}" if d.column else d.reason, d.count) for d in part.dropped]
    return SurveyUse(
        name=survey.name,
        respondents=len(part),
        question=outcome.wordings.get(survey.name, outcome.question),
        years=_named(part, "year") or (f"waves {', '.join(survey.waves)}" if survey.waves else ""),
        mode=_named(part, survey.mode),
        weight=survey.weight if account is None else account.design.weight,
        dropped=left_out,
        checks=[(c.name, c.verdict, c.message) for c in checks],
    )


def asked_items(instruments: Instruments | None, outcome: OutcomeSpec) -> list[AskedItem]:
    """Every question whose answers stand in order, the reference survey's first."""
    found = []
    for survey, questions in outcome.questions.items():
        for question in questions:
            column = question.column
            name = column if instruments is None else instruments.names[instruments.named(column, survey)]
            own = outcome.wordings.get(survey, outcome.question) if len(questions) == 1 and not outcome.items else ""
            wording = outcome.item_wordings.get(column, own)
            found.append(AskedItem(name=name, survey=survey, column=column, wording=wording, levels=question.levels))
    return found


def _named(part: Respondents, column: str) -> str:
    """Survey years or modes of interview, the commonest first; those of too few respondents are not named."""
    if column not in part.table:
        return ""
    counts = as_codes(part.table[column]).value_counts()
    return ", ".join(str(name) for name in counts.index[counts >= THRESHOLD])


def responses(data: OutcomeData) -> dict[str, pd.DataFrame]:
    """Respondents by category beside the frame, for each text column that both have; of each survey where several are.

    Returns
    -------
    dict of variable to DataFrame
        ``category, respondents, survey_share, frame_share``.
    """
    if data.frame is None:
        return {}
    people = np.bincount(data.frame.cell, weights=data.frame.count, minlength=data.frame.n_cells)
    found = {}
    for name in data.frame.cells.columns:
        living = pd.Series(people).groupby(data.frame.cells[name].to_numpy()).sum()
        for part in data.parts:
            if name in part.table and not pd.api.types.is_numeric_dtype(part.table[name]):
                called = f"{name} in {part.name}" if len(data.parts) > 1 else str(name)
                found[called] = _beside(part.table[name].value_counts(), living / float(people.sum()))
    return found


def _beside(answered: pd.Series, living: pd.Series) -> pd.DataFrame:
    """Respondents and shares of people by category."""
    categories, total = sorted({*answered.index, *living.index}), float(answered.sum())
    counts = answered.reindex(categories, fill_value=0).to_numpy()
    return pd.DataFrame({
        "category": categories,
        "respondents": counts.astype(int),
        "survey_share": counts / total,
        "frame_share": living.reindex(categories, fill_value=0.0).to_numpy(),
    })  # fmt: skip


def values_of(data: OutcomeData, estimand: EstimandSpec) -> np.ndarray | None:
    """What each respondent contributes to a direct estimate.

    Returns
    -------
    ndarray of float64, shape (n,), or None
        A scale's score is the mean of the categories 1..K of the items that were answered. NaN for respondents of other
        surveys than the reference, and of an item who did not answer it. None where a mean of answers is no estimate.
    """
    response = data.response
    if estimand.kind == "latent" or response.exposure is not None or response.variance is not None:
        return None
    if response.instruments is not None:
        return _values_of_reference(response.instruments, estimand)
    if response.trials is not None:
        return np.asarray(response.y / response.trials, dtype=float)
    if response.levels and estimand.kind == "share":
        chosen = [response.levels.index(c) for c in estimand.categories]
        return np.isin(response.y, chosen).astype(float)
    return np.asarray(response.y, dtype=float) + (1.0 if response.levels else 0.0)


def _values_of_reference(instruments: Instruments, estimand: EstimandSpec) -> np.ndarray:
    """Scores, or whether a category of one item was chosen, of the reference survey's respondents."""
    survey, of_reference = instruments.surveys[0], instruments.survey == 0
    own = np.flatnonzero(instruments.asked[0])
    if estimand.kind != "share":
        answers = np.where(of_reference[:, None], instruments.answers[:, own], -1)
        count = (answers >= 0).sum(axis=1)
        total = np.where(answers >= 0, answers + 1.0, 0.0).sum(axis=1)
        return np.asarray(np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0))
    item = instruments.named(estimand.item, survey) if estimand.item else int(own[0])
    chosen = [instruments.levels[item].index(c) for c in estimand.categories]
    answers = instruments.answers[:, item]
    return np.asarray(np.where(of_reference & (answers >= 0), np.isin(answers, chosen), np.nan))


def direct_table(data: OutcomeData, estimand: EstimandSpec, level: str) -> pd.DataFrame | None:
    """Direct estimates of the larger areas of one level with enough respondents, weighted where the survey is.

    Returns
    -------
    DataFrame or None
        ``area_code, direct, lower, upper``: 90% interval, that of Korn and Graubard for a share. None where respondents
        are not linked at or below the level, or answers do not average to the estimand.
    """
    values = values_of(data, estimand)
    codes = data.codes_of(level)
    if values is None or codes is None:
        return None
    weight, rows = _weights(data), np.isfinite(values)
    people, values, codes = data.respondents.take(rows), values[rows], codes[rows]
    design = SurveyDesign(weight[rows], people.psu, people.strata)
    if estimand.kind == "share" and data.response.trials is None:
        found = design.share(values == 1, codes, level=LEVEL, threshold=THRESHOLD)
        found = found[found["category"].astype(bool)]
    else:
        found = design.mean(values, codes, level=LEVEL, threshold=THRESHOLD)
    found = found[found["se"].notna() & found["lower"].notna()]
    low, high = (0.0, 1.0) if estimand.kind == "share" else (-np.inf, np.inf)
    return pd.DataFrame({
        "area_code": found["domain"].astype("str"),
        "direct": found["estimate"],
        "lower": found["lower"].clip(low, high),
        "upper": found["upper"].clip(low, high),
    }).reset_index(drop=True)  # fmt: skip


def _weights(data: OutcomeData) -> np.ndarray:
    """Weights of the answers: a trial counts as an answer."""
    weight = np.ones(len(data.respondents)) if data.respondents.weight is None else data.respondents.weight
    return weight if data.response.trials is None else weight * data.response.trials
