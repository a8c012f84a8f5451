"""Who answered and what they said, as far as a report may tell: no count below the threshold, no area's own."""

from __future__ import annotations

import numpy as np
import pandas as pd

from placewise.diagnostics.survey import check_margins
from placewise.geography.codes import as_codes
from placewise.models.spec import EstimandSpec, OutcomeSpec
from placewise.pipeline.load import OutcomeData
from placewise.publish.context import SurveyUse
from placewise.surveys.design import SurveyDesign
from placewise.surveys.disclosure import THRESHOLD
from placewise.surveys.spec import SurveySpec

LEVEL = 0.9


def survey_use(data: OutcomeData, survey: SurveySpec, outcome: OutcomeSpec) -> SurveyUse:
    """How the survey was used: respondents, years, weight, what was left out and why, what was checked."""
    account = data.respondents.account
    checks = () if account is None else (*account.checks, *check_margins(data.respondents, data.frame))
    left_out = [(f"{d.column}: {d.reason}" if d.column else d.reason, d.count) for d in data.respondents.dropped]
    return SurveyUse(
        name=survey.name,
        respondents=len(data.respondents),
        question=outcome.question,
        years=_named(data, "year") or (f"waves {', '.join(survey.waves)}" if survey.waves else ""),
        mode=_named(data, survey.mode),
        weight=survey.weight if account is None else account.design.weight,
        dropped=left_out,
        checks=[(c.name, c.verdict, c.message) for c in checks],
    )


def _named(data: OutcomeData, column: str) -> str:
    """Survey years or modes of interview, the commonest first; those of too few respondents are not named."""
    table = data.respondents.table
    if column not in table:
        return ""
    counts = as_codes(table[column]).value_counts()
    return ", ".join(str(name) for name in counts.index[counts >= THRESHOLD])


def responses(data: OutcomeData) -> dict[str, pd.DataFrame]:
    """Respondents by category beside the frame, for each text column that both have.

    Returns
    -------
    dict of variable to DataFrame
        ``category, respondents, survey_share, frame_share``.
    """
    if data.frame is None:
        return {}
    people = np.bincount(data.frame.cell, weights=data.frame.count, minlength=data.frame.n_cells)
    table = data.respondents.table
    found = {}
    for name in data.frame.cells.columns:
        if name in table and not pd.api.types.is_numeric_dtype(table[name]):
            answered = table[name].value_counts()
            living = pd.Series(people).groupby(data.frame.cells[name].to_numpy()).sum()
            categories = sorted({*answered.index, *living.index})
            found[str(name)] = pd.DataFrame({
                "category": categories,
                "respondents": [int(answered.get(c, 0)) for c in categories],
                "survey_share": [float(answered.get(c, 0)) / len(table) for c in categories],
                "frame_share": [float(living.get(c, 0.0)) / float(people.sum()) for c in categories],
            })  # fmt: skip
    return found


def values_of(data: OutcomeData, estimand: EstimandSpec) -> np.ndarray | None:
    """What each respondent contributes to a direct estimate, shape (m,); None where a mean of answers is not one."""
    response = data.response
    if estimand.kind == "latent" or response.exposure is not None or response.variance is not None:
        return None
    if response.trials is not None:
        return np.asarray(response.y / response.trials, dtype=float)
    if response.levels and estimand.kind == "share":
        chosen = [response.levels.index(c) for c in estimand.categories]
        return np.isin(response.y, chosen).astype(float)
    return np.asarray(response.y, dtype=float) + (1.0 if response.levels else 0.0)


def direct_table(data: OutcomeData, estimand: EstimandSpec, level: str) -> pd.DataFrame | None:
    """Direct estimates of the larger areas of one level with enough respondents, weighted where the survey is.

    Returns
    -------
    DataFrame or None
        ``area_code, direct, lower, upper``: 90% interval, that of Korn and Graubard for a share. None where respondents
        are not linked at or below the level, or answers do not average to the estimand.
    """
    values = values_of(data, estimand)
    people = data.respondents
    codes = data.codes_of(level)
    if values is None or codes is None:
        return None
    design = SurveyDesign(_weights(data), people.psu, people.strata)
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
