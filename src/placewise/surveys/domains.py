"""Estimates of domains of a survey with the variance of its design."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placewise.errors import Problems, nearest
from placewise.surveys.disclosure import told_of
from placewise.surveys.intervals import SHARE_INTERVALS, ShareInterval, of_share, presentable, symmetric
from placewise.surveys.stages import sampling_variance
from placewise.surveys.weighting import residual_scores

if TYPE_CHECKING:
    from placewise.surveys.design import SurveyDesign

ONE_UNIT = "all in one sampling unit"
ONE_ANSWER = "all gave the same answer"
ALONE = "its units are alone in their strata"
NO_SPREAD = "no difference between its sampling units"
NO_DENOMINATOR = "the denominator is zero"
LOST = "some replicates leave nothing of it"
CENSUS = "every unit was drawn"
KNOWN = "the weights were adjusted to reproduce it"
NO_FREEDOM = "no interval: as many strata as sampling units"

WITHOUT_ERROR = (CENSUS, KNOWN)

# Sums that should cancel leave this much of what they are made of; more where weights were adjusted in steps.
_ROUNDING = 1e-12
_ADJUSTED = 1e-8


@dataclass(frozen=True, eq=False)
class Members:
    """Respondents looked at who are in some domain.

    Parameters
    ----------
    rows : ndarray of int64, shape (m,)
        Which of the design's respondents.
    position : ndarray of int64, shape (m,)
        Domain of each.
    keys : DataFrame
        What names each domain, one row each.
    """

    rows: np.ndarray
    position: np.ndarray
    keys: pd.DataFrame

    def __len__(self) -> int:
        """Number of domains."""
        return len(self.keys)

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sum of one value a member over each domain."""
        return np.bincount(self.position, values, len(self))


def ratios(
    design: SurveyDesign, numerator: Any, denominator: Any, by: Any, level: float, threshold: int
) -> pd.DataFrame:
    """Ratio of two weighted totals in each domain: the Hájek mean where the denominator is None.

    The variance is that of the linearised value w(y − R̂x)/X̂ (Särndal, Swensson and Wretman 1992, ch. 5), or of the
    replicates where the design has them; adjusted weights are accounted for. The design effect compares with simple
    random sampling of as many respondents: with replacement, or without where populations were given (weights must then
    add up to the population). These are ``deff = "replace"`` and ``deff = TRUE`` of R's survey package.

    Parameters
    ----------
    design : SurveyDesign
    numerator, denominator : array of float64, shape (n,)
        Only values of respondents looked at need be finite.
    by : array or DataFrame, n rows, or None
        Code of each respondent's domain, or several that name it together; who has a missing one is in none.
    level : float
        Of the t interval.
    threshold : int
        Domains of fewer respondents are not returned.

    Returns
    -------
    DataFrame
        ``domain`` (or the columns of ``by``), ``estimate, se, n, n_eff, deff, lower, upper, reason``, sorted. Where the
        sample does not tell a standard error it is missing, and ``reason`` says why.

    Raises
    ------
    DataError
        Values that are not finite, lengths that differ; counts only.
    """
    members = members_of(design, by)
    y = numbers_of(design, numerator, "values", members)
    x = np.ones(y.size) if denominator is None else numbers_of(design, denominator, "denominator", members)
    return _told(_ratio_table(design, members, y, x, level), threshold)


def _ratio_table(design: SurveyDesign, members: Members, y: np.ndarray, x: np.ndarray, level: float) -> pd.DataFrame:
    """Ratios of all domains, y and x of their members."""
    weight = design.weights[members.rows]
    total = members.sums(weight * x)
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = members.sums(weight * y) / total
        error = y - estimate[members.position] * x
        variance, gone = _variance(design, members, weight * error / total[members.position], y, x)
        n, size = np.bincount(members.position, minlength=len(members)), members.sums(weight)
        spread = members.sums(weight * error**2) / size / (total / size) ** 2
        simple = spread / (n - 1) * (1 - n / size if design.finite else 1.0)
    same = members.sums(weight * np.abs(error)) <= _ROUNDING * members.sums(weight * np.abs(y))
    reason = _reasons(design, members, variance, gone, total == 0, same)
    known = np.isin(reason, ("", *WITHOUT_ERROR))
    se = np.where(known, np.sqrt(variance), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        deff = np.where(known & (simple > 0) & (variance > 0), variance / simple, np.nan)
        n_eff = n / deff
    freedom = degrees_of_freedom(design, members.rows, members.position, len(members))
    lower, upper = symmetric(estimate, se, freedom, level)
    reason[(reason == "") & (freedom < 1)] = NO_FREEDOM
    columns = {"estimate": estimate, "se": se, "n": n, "n_eff": n_eff, "deff": deff, "lower": lower, "upper": upper}
    return members.keys.assign(**columns, reason=reason)


def totals(design: SurveyDesign, values: Any, by: Any, level: float, threshold: int) -> pd.DataFrame:
    """Weighted total of each domain: the expansion estimator with the variance of its design.

    Parameters
    ----------
    design, by, level, threshold
        As in `ratios`.
    values : array of float64, shape (n,)

    Returns
    -------
    DataFrame
        As `ratios`, without design effects.
    """
    members = members_of(design, by)
    y = numbers_of(design, values, "values", members)
    score = design.weights[members.rows] * y
    variance, gone = _variance(design, members, score, y, None)
    unknown = np.zeros(len(members), dtype=bool)
    reason = _reasons(design, members, variance, gone, unknown, unknown, one_unit_tells=True)
    known = np.isin(reason, ("", *WITHOUT_ERROR))
    estimate, se = members.sums(score), np.where(known, np.sqrt(variance), np.nan)
    freedom = degrees_of_freedom(design, members.rows, members.position, len(members))
    lower, upper = symmetric(estimate, se, freedom, level)
    reason[(reason == "") & (freedom < 1)] = NO_FREEDOM
    n = np.bincount(members.position, minlength=len(members))
    columns = {"estimate": estimate, "se": se, "n": n, "lower": lower, "upper": upper, "reason": reason}
    return _told(members.keys.assign(**columns), threshold)


def shares(
    design: SurveyDesign, answers: Any, by: Any, level: float, interval: ShareInterval, threshold: int
) -> pd.DataFrame:
    """Share of every answer in each domain, those nobody gave there among them.

    Parameters
    ----------
    design, by, level, threshold
        As in `ratios`.
    answers : array, shape (n,)
        Categories; an ordered one of pandas keeps its order, else they are sorted.
    interval : ShareInterval
        See `intervals.of_share`.

    Returns
    -------
    DataFrame
        As `ratios` with the column ``category`` after the domain's, and ``presentable``: whether the share may be
        shown by the standards of the US National Center for Health Statistics (`intervals.presentable`).
    """
    members = members_of(design, by)
    problems = Problems()
    if interval not in SHARE_INTERVALS:
        problems.add("shares: interval", f"{interval!r} is no interval", nearest(str(interval), SHARE_INTERVALS))
    if not members.rows.size:
        problems.add("shares", "nobody is looked at who is in a domain", kind="data")
    problems.raise_if_any()
    used = _of_length(design, pd.Series(answers), "answers").iloc[members.rows]
    if used.isna().any():
        _not_answered(int(used.isna().sum()), members, "answers")
    ordered = used.cat.categories.to_numpy() if isinstance(used.dtype, pd.CategoricalDtype) else None
    values = used.to_numpy(dtype=object)
    categories = pd.factorize(values, sort=True)[1] if ordered is None else ordered
    freedom = degrees_of_freedom(design, members.rows, members.position, len(members))
    parts = []
    for order, category in enumerate(categories):
        table = _ratio_table(design, members, (values == category).astype(float), np.ones(values.size), level)
        share, se, n, n_eff = (table[c].to_numpy() for c in ("estimate", "se", "n", "n_eff"))
        table["lower"], table["upper"] = of_share(share, se, freedom, n, level, interval)
        table["presentable"] = presentable(share, n, n_eff, *of_share(share, se, freedom, n, 0.95, "beta"))
        table.insert(members.keys.shape[1], "category", category)
        parts.append(table.assign(_domain=np.arange(len(table)), _order=order))
    found = pd.concat(parts, ignore_index=True).sort_values(["_domain", "_order"])
    return _told(found.drop(columns=["_domain", "_order"]), threshold)


def members_of(design: SurveyDesign, by: Any) -> Members:
    """Who is looked at, by domain; domains are sorted by what names them."""
    if by is None:
        by = np.full(len(design), "all", dtype=object)
    table = by if isinstance(by, pd.DataFrame) else pd.DataFrame({"domain": np.asarray(by, dtype=object)})
    table = _of_length(design, table, "by")
    rows = np.flatnonzero(design.inside & table.notna().all(axis=1).to_numpy())
    position = np.zeros(rows.size, dtype=np.int64)
    for name in table.columns:
        codes = pd.factorize(table[name].to_numpy(dtype=object)[rows], sort=True)[0]
        position = np.unique(position * (codes.max(initial=0) + 1) + codes, return_inverse=True)[1]
    first = np.unique(position, return_index=True)[1]
    keys = table.iloc[rows[first]].reset_index(drop=True)
    return Members(rows, position, keys)


def degrees_of_freedom(design: SurveyDesign, rows: np.ndarray, position: np.ndarray, n_domains: int) -> np.ndarray:
    """Units less strata that each domain meets at the first stage, at most what replicates span, shape (n_domains,)."""
    stage = design.stages[0]
    units = _met(position, stage.unit[rows], n_domains)
    strata = _met(position, stage.stratum[stage.unit[rows]], n_domains)
    most = len(design) if design.replicates is None else design.replicates.freedom
    return np.asarray(np.minimum(units - strata, most))


def _met(position: np.ndarray, group: np.ndarray, n_domains: int) -> np.ndarray:
    """Distinct groups that each domain meets."""
    size = int(group.max(initial=0)) + 1
    return np.bincount(np.unique(position * size + group) // size, minlength=n_domains)


def _variance(
    design: SurveyDesign, members: Members, score: np.ndarray, y: np.ndarray, x: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Variance of each domain's estimate, zero where it is rounding only, and which some replicate leaves undefined."""
    gone = np.zeros(len(members), dtype=bool)
    if design.replicates is not None:
        weight = design.weights[members.rows]
        estimates, full = design.replicates.sums(weight * y, members), members.sums(weight * y)
        if x is not None:
            with np.errstate(divide="ignore", invalid="ignore"):
                estimates = estimates / design.replicates.sums(weight * x, members)
                full = full / members.sums(weight * x)
        found, gone = design.replicates.variance(estimates, full), ~np.isfinite(estimates).all(axis=1)
    elif design.adjustments:
        found = np.array([_adjusted_variance(design, members, score, k) for k in range(len(members))])
    else:
        found = sampling_variance(score, members.position, len(members), design.stages, members.rows, design.lonely)
    negligible = (_ADJUSTED if design.adjustments else _ROUNDING) * members.sums(np.abs(score))
    return np.where(found <= negligible**2, 0.0, found), gone


def _adjusted_variance(design: SurveyDesign, members: Members, score: np.ndarray, domain: int) -> float:
    """Variance of one domain: residuals on the adjustment's variables reach respondents outside it too."""
    own = members.position == domain
    everyone, together = np.arange(len(design)), np.zeros(len(design), dtype=np.int64)
    whole = np.zeros(len(design))
    whole[members.rows[own]] = score[own]
    left = residual_scores(whole, design.adjustments)
    return float(sampling_variance(left, together, 1, design.stages, everyone, design.lonely)[0])


def _reasons(
    design: SurveyDesign,
    members: Members,
    variance: np.ndarray,
    gone: np.ndarray,
    undefined: np.ndarray,
    same: np.ndarray,
    *,
    one_unit_tells: bool = False,
) -> np.ndarray:
    """Why each domain has no standard error, or one of zero; empty where it has one."""
    stage = design.stages[0]
    unit = stage.unit[members.rows]
    drawn = stage.correction[stage.stratum[unit]] > 0
    some_drawn = members.sums(drawn.astype(float)) > 0
    alone = members.sums((drawn & ~stage.alone[stage.stratum[unit]]).astype(float)) == 0
    one = (_met(members.position, unit, len(members)) == 1) & some_drawn
    ignored = alone & some_drawn & (design.lonely != "adjust") & (design.replicates is None)
    none = variance == 0
    conditions = {
        NO_DENOMINATOR: undefined,
        ONE_ANSWER: same,
        ONE_UNIT: one & (not one_unit_tells),
        LOST: gone,
        KNOWN: none & bool(design.adjustments),
        ALONE: ignored | np.isnan(variance),
        CENSUS: none & ~some_drawn,
        NO_SPREAD: none,
    }
    return np.asarray(np.select(list(conditions.values()), list(conditions), ""), dtype=object)


def numbers_of(design: SurveyDesign, values: Any, what: str, members: Members) -> np.ndarray:
    """Numbers of the members, shape (m,)."""
    series = _of_length(design, pd.Series(np.asarray(values)), what)
    found: np.ndarray = pd.to_numeric(series, errors="coerce").to_numpy(dtype=float)[members.rows]
    bad = int((~np.isfinite(found)).sum())
    if bad:
        _not_answered(bad, members, what)
    return found


def _not_answered(bad: int, members: Members, what: str) -> None:
    problems = Problems()
    kind = "missing" if what == "answers" else "not finite numbers"
    problems.add(
        "direct estimates",
        f"{what} are {kind} for {told_of(bad, members.rows.size, 'respondents')}",
        "look at those who have one: design.subset(...)",
        "data",
    )
    problems.raise_if_any()


def _of_length(design: SurveyDesign, values: Any, what: str) -> Any:
    if len(values) != len(design):
        problems = Problems()
        message = f"{what} has {len(values):,} values for {len(design):,} respondents"
        problems.add("direct estimates", message, "one value a respondent of the whole sample", "data")
        problems.raise_if_any()
    return values.reset_index(drop=True)


def _told(table: pd.DataFrame, threshold: int) -> pd.DataFrame:
    return table[table["n"] >= threshold].reset_index(drop=True)
