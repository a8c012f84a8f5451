"""Weighted totals of a file against the figures that were published of the same year and mode."""

from __future__ import annotations

import numpy as np
import pandas as pd

from placewise.surveys.account import Check, Verdict
from placewise.surveys.cls.concepts import ORDER
from placewise.surveys.cls.published import FIGURES, POSITIVE, ROUNDING, Figure
from placewise.surveys.direct import direct_estimates
from placewise.surveys.disclosure import THRESHOLD, nearest_ten, told

# 99% of the standard normal distribution: some ten figures are looked at together.
Z_99 = 2.5758293035489004
# A difference that another base or another edition of the weights makes.
NEAR = 0.02


def check_totals(
    table: pd.DataFrame,
    weight: np.ndarray,
    psu: np.ndarray | None = None,
    strata: np.ndarray | None = None,
) -> tuple[Check, ...]:
    """Compare weighted shares of a whole file with published figures.

    A share passes within the rounding of the published figure plus 2.58 standard errors of the file's own estimate,
    which carry the design effect of its weights, sampling units and strata. Up to two points further is a warning;
    beyond, the check fails. It stops nothing: the published base may differ.

    Parameters
    ----------
    table : DataFrame
        n respondents, recoded, with the columns ``year`` and ``mode``.
    weight : ndarray of float64, shape (n,)
        Respondents whose weight is not a positive number are left out.
    psu, strata : ndarray or None, shape (n,)
        Of the design.

    Returns
    -------
    tuple of Check
        One for each published figure whose year, mode and concept the file has; one warning where there is none.
    """
    usable = np.isfinite(weight) & (weight > 0)
    checks = []
    for figure in FIGURES:
        answers = table.get(figure.concept)
        if answers is None:
            continue
        rows = usable & (table["year"] == figure.year).to_numpy() & table["mode"].isin(figure.modes).to_numpy()
        rows &= answers.notna().to_numpy()
        if rows.sum() >= THRESHOLD and answers[rows].isin(ORDER[figure.concept]).all():
            checks.append(_compare(figure, answers, rows, weight, psu, strata))
    if checks:
        return tuple(checks)
    years = ", ".join(sorted(table["year"].dropna().unique()))
    message = (
        f"none is known of {years or 'this year'} that the file could be held against: compare it with the release"
    )
    return (Check("published figures", "warn", message),)


def _compare(
    figure: Figure,
    answers: pd.Series,
    rows: np.ndarray,
    weight: np.ndarray,
    psu: np.ndarray | None,
    strata: np.ndarray | None,
) -> Check:
    """One figure against the rows that it is of; the design stays whole."""
    positive = answers.isin(POSITIVE[figure.concept]).to_numpy(dtype=float)
    weighted = np.where(rows, weight, 1.0)
    domain = np.where(rows, np.array(figure.year, dtype=object), None)  # type: ignore[call-overload]
    found = direct_estimates(positive, weighted, domain, psu, strata).iloc[0]
    published, share = figure.percent / 100, float(found["estimate"])
    # where all gave one answer the file tells of no error
    error = 0.0 if np.isnan(found["se"]) else float(found["se"])
    allowed, apart = ROUNDING + Z_99 * error, abs(share - published)
    verdict: Verdict = "pass" if apart <= allowed else "warn" if apart <= allowed + NEAR else "fail"
    effect = "" if np.isnan(found["deff"]) else f", design effect {found['deff']:.2f}"
    return Check(
        f"{figure.concept} as published for {figure.year}, {'/'.join(figure.modes)}",
        verdict,
        f"{100 * share:.1f}%; published {figure.percent:g}%, {100 * allowed:.1f} points either way are allowed "
        f"(about {told(nearest_ten(int(rows.sum())))} respondents{effect}; {figure.source})",
    )
