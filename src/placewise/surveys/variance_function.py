"""A generalised variance function: sampling variances of direct estimates, smoothed over domains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from placewise.errors import Problems, nearest

Kind = Literal["share", "mean"]
KINDS: tuple[str, ...] = get_args(Kind)
FEWEST_A_COEFFICIENT = 5


@dataclass(frozen=True, eq=False)
class VarianceFunction:
    """log variance = c₀ + c₁ log n + c₂ log(p(1 − p)), the last for shares only.

    Parameters
    ----------
    kind : {"share", "mean"}
    coefficients : ndarray of float64, shape (3,) or (2,)
        c₀, c₁, c₂.
    correction : float
        What brings the exponential of a mean logarithm to a mean: Σ variance ÷ Σ exp(fitted).
    r_squared : float
        Share of the spread of log variances that the function tells.
    domains : int
        It was fitted to.
    overall : float
        Estimate over all domains, towards which shares are drawn by one respondent.
    """

    kind: Kind
    coefficients: np.ndarray
    correction: float
    r_squared: float
    domains: int
    overall: float

    def variance(self, n: np.ndarray, estimate: np.ndarray) -> np.ndarray:
        """Smoothed variance of each domain, shape (k,), also of those whose sample tells none.

        Parameters
        ----------
        n : ndarray of float64, shape (k,)
            Respondents.
        estimate : ndarray of float64, shape (k,)
            Direct estimates, or better predictions of them: the error of an estimate then does not reach its variance.
        """
        terms = _terms(self.kind, np.asarray(n, dtype=float), np.asarray(estimate, dtype=float), self.overall)
        return np.asarray(self.correction * np.exp(terms @ self.coefficients))

    def smooth(self, table: pd.DataFrame) -> pd.DataFrame:
        """The table of direct estimates with ``variance_smoothed`` and ``deff_smoothed`` (shares only) added."""
        n, estimate = table["n"].to_numpy(dtype=float), table["estimate"].to_numpy(dtype=float)
        found = table.assign(variance_smoothed=self.variance(n, estimate))
        if self.kind == "share":
            share = _inside(estimate, n, self.overall)
            found["deff_smoothed"] = found["variance_smoothed"] / (share * (1 - share) / n)
        return found


def fit_variance_function(table: pd.DataFrame, kind: Kind) -> VarianceFunction:
    """Fit log variances of direct estimates to sample size and level, by least squares over domains.

    The log-linear function of Wolter (2007, ch. 7) as used before area-level models (Dick 1995), with the correction of
    Hidiroglou, Beaumont and Yung (2019, Survey Methodology 45): smoothed variances add up to the direct ones. Shares
    of 0 and 1 have a place in it: (n p + p̄) / (n + 1) stands for p, p̄ the share over all domains.

    Parameters
    ----------
    table : DataFrame
        As `SurveyDesign.mean` or one category of `SurveyDesign.share` returns: ``estimate, se, n``. Domains without a
        standard error, or with one of zero, are not fitted to.
    kind : {"share", "mean"}
        Of a share the variance also follows p(1 − p).

    Returns
    -------
    VarianceFunction

    Raises
    ------
    DataError
        Missing columns, shares outside 0..1, fewer domains than five a coefficient, or domains all of one size.
    """
    problems = Problems()
    for column in ("estimate", "se", "n"):
        if column not in table:
            problems.add("variance function", f"column {column!r} is missing", nearest(column, table.columns), "data")
    if kind not in KINDS:
        problems.add("variance function: kind", f"{kind!r} is no kind", nearest(str(kind), KINDS))
    problems.raise_if_any()
    n, estimate, se = (table[c].to_numpy(dtype=float) for c in ("n", "estimate", "se"))
    if kind == "share" and ((estimate < 0) | (estimate > 1)).any():
        problems.add("variance function", "shares lie outside 0..1", "give kind = 'mean'", "data")
    problems.raise_if_any()
    used = np.isfinite(se) & (se > 0)
    overall = float(np.average(estimate, weights=n)) if n.sum() > 0 else np.nan
    terms = _terms(kind, n[used], estimate[used], overall)
    needed = FEWEST_A_COEFFICIENT * terms.shape[1]
    if used.sum() < needed:
        message = f"{int(used.sum())} domains have a standard error, expected {needed} or more"
        problems.add("variance function", message, "use larger groups of domains", "data")
    elif np.linalg.matrix_rank(terms) < terms.shape[1]:
        problems.add("variance function", "domains are all of one size or one share", "nothing to fit", "data")
    problems.raise_if_any()
    target = np.log(se[used] ** 2)
    coefficients = np.linalg.lstsq(terms, target, rcond=None)[0]
    fitted = terms @ coefficients
    spread = ((target - target.mean()) ** 2).sum()
    r_squared = 1 - ((target - fitted) ** 2).sum() / spread if spread > 0 else np.nan
    correction = float((se[used] ** 2).sum() / np.exp(fitted).sum())
    return VarianceFunction(kind, coefficients, correction, float(r_squared), int(used.sum()), overall)


def _terms(kind: Kind, n: np.ndarray, estimate: np.ndarray, overall: float) -> np.ndarray:
    """Regressors of each domain, shape (k, 3) or (k, 2)."""
    columns = [np.ones(n.size), np.log(n)]
    if kind == "share":
        share = _inside(estimate, n, overall)
        columns.append(np.log(share * (1 - share)))
    return np.column_stack(columns)


def _inside(estimate: np.ndarray, n: np.ndarray, overall: float) -> np.ndarray:
    """Shares drawn towards the overall one by one respondent, so that none is 0 or 1."""
    return np.asarray((n * estimate + overall) / (n + 1))
