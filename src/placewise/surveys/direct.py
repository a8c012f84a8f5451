"""Direct estimates: what the respondents of a domain say by themselves, with the variance of the design."""

from __future__ import annotations

import numpy as np
import pandas as pd

from placewise.errors import PlacewiseError, Problems
from placewise.surveys.design import SurveyDesign
from placewise.surveys.disclosure import THRESHOLD, told_of


def direct_estimates(
    values: np.ndarray,
    weights: np.ndarray | None,
    domains: np.ndarray,
    psu: np.ndarray | None = None,
    strata: np.ndarray | None = None,
    *,
    fpc: np.ndarray | None = None,
    threshold: int = THRESHOLD,
) -> pd.DataFrame:
    """Hájek mean of every domain with its Taylor-linearised variance: `SurveyDesign.mean` from arrays at once.

    Every primary sampling unit of the sample counts in its stratum, whether the domain meets it or not (the domain is
    not fixed by design). A unit that is alone in its stratum is centred at the grand mean, which is zero for the
    linearised values. The design effect is against simple random sampling of as many respondents, with replacement
    unless ``fpc`` is given. The same as ``svyby(…, svymean)`` of R's survey package.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        What is averaged: 0 and 1 for a share.
    weights : ndarray of float64, shape (n,), or None
        Survey weights, positive.
    domains : ndarray, shape (n,)
        Code of each respondent's domain; a missing one belongs to none.
    psu, strata : ndarray, shape (n,), or None
        Primary sampling units, numbered within strata or throughout, and strata; without them each respondent is a
        unit, and there is one stratum.
    fpc : ndarray of float64, shape (n,), or None
        Number of units in the stratum's population, for the finite population correction.
    threshold : int
        Domains of fewer respondents are not returned.

    Returns
    -------
    DataFrame
        ``domain, estimate, se, n, n_eff, deff``, sorted by domain. ``se``, ``deff`` and ``n_eff`` are missing where all
        respondents of the domain are in one unit or gave the same answer.

    Raises
    ------
    DataError
        Values or weights that are not finite, weights that are not positive; counts only.
    """
    values = np.asarray(values, dtype=float)
    problems = Problems()
    bad = int((~np.isfinite(values)).sum())
    if bad:
        who = told_of(bad, values.size, "respondents")
        problems.add("direct estimates", f"answers are not finite numbers for {who}", "leave them out", "data")
    try:
        design = SurveyDesign(np.ones(values.size) if weights is None else weights, psu, strata, fpc)
    except PlacewiseError as error:
        problems.extend(error.problems)
    problems.raise_if_any()
    table = design.mean(values, domains, threshold=threshold)
    return table[["domain", "estimate", "se", "n", "n_eff", "deff"]]
