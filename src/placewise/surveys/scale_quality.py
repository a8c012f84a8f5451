"""Whether several items make one scale: how far they agree, how surely that is known, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import linalg, stats

from placewise.errors import Problems
from placewise.surveys.design import SurveyDesign
from placewise.surveys.disclosure import THRESHOLD, told, told_of
from placewise.surveys.one_factor import fit_one_factor

FEWEST_FOR_OMEGA = 3
# Of correlations: below it some item is a sum of others.
LEAST_EIGENVALUE = 1e-8


@dataclass(frozen=True)
class Coefficient:
    """A coefficient of reliability with its interval.

    Parameters
    ----------
    value : float
        NaN where there is none.
    se : float
        By the delta method with the design's variance.
    lower, upper : float
    method : str
        How value and interval were made, or why there is none.
    """

    value: float
    se: float
    lower: float
    upper: float
    method: str


@dataclass(frozen=True, eq=False)
class Reliability:
    """What the complete answers say of the items.

    Parameters
    ----------
    alpha, omega : Coefficient
    table : DataFrame
        One row an item: ``item, answered, share_missing, mean, sd, item_rest, loading, alpha_without, against``.
        ``item_rest`` is the correlation with the sum of the others, ``loading`` the standardised loading on one factor,
        ``against`` whether the item runs against most others.
    """

    alpha: Coefficient
    omega: Coefficient
    table: pd.DataFrame


@dataclass(frozen=True, eq=False)
class ScaleQuality:
    """Quality of one multi-item scale, unweighted and by the survey's design.

    Parameters
    ----------
    items : tuple of str
    respondents, complete : int
        Looked at, and with an answer to every item.
    minimum : int
        Items that must be answered for a score.
    share_scored, share_complete : float
        Unweighted shares of respondents.
    unweighted : Reliability
        Respondents taken as a simple random sample.
    weighted : Reliability or None
        By the design, where there is one.
    """

    items: tuple[str, ...]
    respondents: int
    complete: int
    minimum: int
    share_scored: float
    share_complete: float
    unweighted: Reliability
    weighted: Reliability | None

    @property
    def against(self) -> tuple[str, ...]:
        """Items that run against most others: scored the other way round, or not of this scale."""
        table = (self.weighted or self.unweighted).table
        return tuple(table.loc[table["against"], "item"])

    def to_dict(self) -> dict[str, Any]:
        """JSON values; what is not known is None."""
        return {
            "items": list(self.items),
            "respondents": self.respondents,
            "complete": self.complete,
            "minimum_answered": self.minimum,
            "share_scored": self.share_scored,
            "share_complete": self.share_complete,
            "against": list(self.against),
            "unweighted": _as_dict(self.unweighted),
            "weighted": None if self.weighted is None else _as_dict(self.weighted),
        }


def scale_scores(items: pd.DataFrame, minimum: int) -> np.ndarray:
    """Mean of the items answered, shape (n,); NaN where fewer than ``minimum`` were."""
    answered = items.notna().sum(axis=1).to_numpy()
    scores: np.ndarray = items.mean(axis=1).to_numpy(dtype=float)
    return np.where(answered >= minimum, scores, np.nan)


def scale_quality(
    items: pd.DataFrame, design: SurveyDesign | None = None, *, minimum: int | None = None, level: float = 0.95
) -> ScaleQuality:
    """Reliability of a scale, and how each item fits into it.

    Cronbach's alpha is k/(k − 1) (1 − tr S / 1'S1) of the covariances S (Cronbach 1951). McDonald's omega is
    (Σλ)² / ((Σλ)² + Σψ) of one factor fitted by maximum likelihood (McDonald 1999): unlike alpha it does not take items
    as equally good. Unweighted, alpha's interval is Feldt's (1965) by the F distribution; all others are by the delta
    method on log(1 − coefficient), the transformation of Bonett (2002), with the variance of the design: each
    coefficient is a smooth function of S, so its linearised value is d'Md of the centred answers d, M the change of the
    coefficient with S. Both use respondents who answered every item.

    Parameters
    ----------
    items : DataFrame
        n rows, one numeric column an item, all scored in one direction; missing answers are NaN.
    design : SurveyDesign or None
        Of the same n respondents; those it does not look at are left out.
    minimum : int or None
        Items that must be answered for a score; None: half of them.
    level : float
        Of the intervals.

    Returns
    -------
    ScaleQuality

    Raises
    ------
    DataError
        Fewer than two items, items that are no numbers or have one answer only, too few complete answers, rows that do
        not match the design.
    """
    least = -(-items.shape[1] // 2) if minimum is None else minimum
    numbers = _read(items, design, least)
    inside = np.ones(len(numbers), dtype=bool) if design is None else design.inside
    answers = numbers.to_numpy()
    complete = inside & ~np.isnan(answers).any(axis=1)
    _check_complete(numbers, complete)
    plain = SurveyDesign(np.ones(len(numbers))).subset(inside)
    scored = ~np.isnan(scale_scores(numbers, least))[inside]
    return ScaleQuality(
        items=tuple(numbers.columns),
        respondents=int(inside.sum()),
        complete=int(complete.sum()),
        minimum=least,
        share_scored=float(scored.mean()),
        share_complete=float(complete.sum() / inside.sum()),
        unweighted=_reliability(numbers, plain, complete, level, feldt=True),
        weighted=None if design is None else _reliability(numbers, design, complete, level, feldt=False),
    )


def cronbach_alpha(covariance: np.ndarray) -> float:
    """Cronbach's alpha of covariances, shape (k, k)."""
    k = len(covariance)
    return float(k / (k - 1) * (1 - np.trace(covariance) / covariance.sum()))


def feldt_interval(alpha: float, n: int, k: int, level: float) -> tuple[float, float]:
    """Exact interval of alpha for parallel normal items: (1 − α) / (1 − α̂) follows F (Feldt 1965)."""
    tail, free = (1 - level) / 2, n - 1
    quantiles = stats.f.ppf([1 - tail, tail], free, free * (k - 1))
    return float(1 - (1 - alpha) * quantiles[0]), float(1 - (1 - alpha) * quantiles[1])


def _reliability(
    items: pd.DataFrame, design: SurveyDesign, complete: np.ndarray, level: float, *, feldt: bool
) -> Reliability:
    weight = np.where(complete, design.weights, 0.0)
    answers = np.where(complete[:, None], items.to_numpy(), 0.0)
    centred = np.where(complete[:, None], answers - weight @ answers / weight.sum(), 0.0)
    n, k = int(complete.sum()), items.shape[1]
    covariance = (weight[:, None] * centred).T @ centred / weight.sum() * n / (n - 1)
    part = design.subset(complete)
    alpha = cronbach_alpha(covariance)
    total = covariance.sum()
    slope = k / (k - 1) * (np.trace(covariance) / total**2 * np.ones((k, k)) - np.eye(k) / total)
    how = "Cronbach's alpha; delta method with the design's variance"
    coefficient = _interval(alpha, _linearised_se(centred, slope, part), part.degrees_of_freedom, level, how)
    if feldt:
        low, high = feldt_interval(alpha, n, k, level)
        coefficient = Coefficient(alpha, coefficient.se, low, high, "Cronbach's alpha; interval of Feldt (1965)")
    omega, loadings = _omega(covariance, centred, part, level)
    return Reliability(coefficient, omega, _item_table(items, design, covariance, loadings))


def _omega(
    covariance: np.ndarray, centred: np.ndarray, part: SurveyDesign, level: float
) -> tuple[Coefficient, np.ndarray]:
    k = len(covariance)
    if k < FEWEST_FOR_OMEGA:
        return _none(f"omega needs {FEWEST_FOR_OMEGA} items"), np.full(k, np.nan)
    scale = np.sqrt(np.diag(covariance))
    if linalg.eigvalsh(covariance / np.outer(scale, scale))[0] < LEAST_EIGENVALUE:
        return _none("some items follow exactly from others"), np.full(k, np.nan)
    factor = fit_one_factor(covariance)
    loadings = factor.loadings / scale
    if not factor.proper:
        how = "one factor leaves an item no variance of its own (Heywood case): no interval"
        return Coefficient(factor.omega, np.nan, np.nan, np.nan, how), loadings
    se = _linearised_se(centred, factor.omega_gradient(), part)
    how = "McDonald's omega, one factor by maximum likelihood; delta method with the design's variance"
    return _interval(factor.omega, se, part.degrees_of_freedom, level, how), loadings


def _none(why: str) -> Coefficient:
    return Coefficient(np.nan, np.nan, np.nan, np.nan, why)


def _linearised_se(centred: np.ndarray, slope: np.ndarray, part: SurveyDesign) -> float:
    """Standard error of a function of the covariances: that of the mean of its linearised values."""
    n = int(part.inside.sum())
    values = np.einsum("ni,ij,nj->n", centred, slope, centred, optimize=True) * n / (n - 1)
    return float(part.mean(values, threshold=0)["se"].item())


def _interval(value: float, se: float, freedom: int, level: float, method: str) -> Coefficient:
    half = stats.t.ppf((1 + level) / 2, freedom) * se / (1 - value) if freedom > 0 else np.nan
    low, high = 1 - (1 - value) * np.exp(half), 1 - (1 - value) * np.exp(-half)
    return Coefficient(value, se, float(low), float(high), method)


def _item_table(
    items: pd.DataFrame, design: SurveyDesign, covariance: np.ndarray, loadings: np.ndarray
) -> pd.DataFrame:
    """How each item fits; means are of all who answered it, the rest of those who answered every item."""
    k = len(covariance)
    rows = []
    weight = np.where(design.inside, design.weights, 0.0)
    largest = linalg.eigh(covariance / np.sqrt(np.outer(np.diag(covariance), np.diag(covariance))))[1][:, -1]
    towards = np.sign(np.sign(largest).sum() or largest.sum())
    for j, name in enumerate(items.columns):
        rest = np.arange(k) != j
        others = covariance[np.ix_(rest, rest)]
        there = items[name].notna().to_numpy()
        own = np.where(there, weight, 0.0)
        values = np.where(there, items[name].to_numpy(), 0.0)
        rows.append(
            {
                "item": str(name),
                "answered": int((there & design.inside).sum()),
                "share_missing": float(1 - own.sum() / weight.sum()),
                "mean": float(own @ values / own.sum()),
                "sd": float(np.sqrt(covariance[j, j])),
                "item_rest": float(covariance[j, rest].sum() / np.sqrt(covariance[j, j] * others.sum())),
                "loading": float(loadings[j]),
                "alpha_without": cronbach_alpha(others) if k > 2 else np.nan,
                "against": bool(largest[j] * towards < 0),
            }
        )
    return pd.DataFrame(rows)


def _read(items: pd.DataFrame, design: SurveyDesign | None, minimum: int) -> pd.DataFrame:
    problems = Problems()
    if items.shape[1] < 2:
        problems.add("scale", f"{items.shape[1]} items given, expected 2 or more", kind="data")
    if not 1 <= minimum <= max(items.shape[1], 1):
        problems.add("scale: minimum", f"{minimum} of {items.shape[1]} items must be answered", kind="data")
    if design is not None and len(items) != len(design):
        message = f"items have {len(items):,} rows, the design {len(design):,} respondents"
        problems.add("scale", message, "give all rows in the design's order", "data")
    for name in items.columns:
        if not pd.api.types.is_numeric_dtype(items[name]):
            problems.add(f"scale: item {name!r}", "holds text", "score its answers as numbers first", "data")
        elif np.isinf(items[name].to_numpy(dtype=float)).any():
            problems.add(f"scale: item {name!r}", "holds infinite values", kind="data")
    problems.raise_if_any()
    return items.astype("float64").reset_index(drop=True)


def _check_complete(items: pd.DataFrame, complete: np.ndarray) -> None:
    problems, n = Problems(), int(complete.sum())
    if n < THRESHOLD:
        who = told_of(n, len(complete), "respondents")
        problems.add("scale", f"only {who} answered every item", "leave out items that few were asked", "data")
    for name in items.columns:
        if n >= THRESHOLD and items.loc[complete, name].nunique() == 1:
            message = f"has one answer only among the {told(n)} who answered every item"
            problems.add(f"scale: item {name!r}", message, "leave it out", "data")
    problems.raise_if_any()


def _as_dict(found: Reliability) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        return None if isinstance(value, float) and not np.isfinite(value) else value

    parts = {name: vars(getattr(found, name)) for name in ("alpha", "omega")}
    told_parts = {name: {key: plain(v) for key, v in part.items()} for name, part in parts.items()}
    items = [{str(key): plain(v) for key, v in row.items()} for row in found.table.to_dict("records")]
    return {**told_parts, "items": items}
