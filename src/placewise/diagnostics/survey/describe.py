"""A survey described: its account, its margins, its design, and what of it should make one look twice."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from placewise.diagnostics.survey import design
from placewise.diagnostics.survey.design import ClusterFacts, WeightFacts, cluster_facts, weight_facts
from placewise.diagnostics.survey.margins import Margin, categorical, frame_population, margin, places
from placewise.diagnostics.survey.scales import ScaleFacts, describe_scale
from placewise.frame.cells import Frame
from placewise.geography.areas import AreaTable
from placewise.geography.codes import listing
from placewise.surveys.account import Account, Check
from placewise.surveys.design import SurveyDesign
from placewise.surveys.disclosure import THRESHOLD, blurred, nearest_ten
from placewise.surveys.respondents import Respondents


@dataclass(frozen=True)
class NumberFacts:
    """A variable of numbers: means and their precision.

    Parameters
    ----------
    answered : int
        Respondents with a number; at least the threshold.
    mean, sd : float
        Of respondents, each counted once.
    weighted : float
        Mean by the weights.
    se, deff : float or None
        Standard error of the weighted mean by the design, and its design effect.
    """

    variable: str
    answered: int
    mean: float
    sd: float
    weighted: float
    se: float | None
    deff: float | None

    def to_json(self) -> dict[str, Any]:
        """JSON values; the count to the nearest ten, the others to four digits."""
        figures = {name: blurred(getattr(self, name)) for name in ("mean", "sd", "weighted", "se", "deff")}
        return {"variable": self.variable, "answered": nearest_ten(self.answered), **figures}


@dataclass(frozen=True)
class SurveyDescription:
    """All that is told about one survey.

    Parameters
    ----------
    account : Account
        How it was read.
    margins : tuple of Margin
        Outcomes first, then what the population has too, then places, then the rest.
    numbers : tuple of NumberFacts
        Variables of numbers.
    weights, clusters : WeightFacts, ClusterFacts or None
        The design.
    deff : float or None
        Median design effect over the shares and means that are told, those of places apart.
    checks : tuple of Check
        The reader's, and those of the margins and the scales.
    scales : tuple of ScaleFacts
        Outcomes of several items.
    """

    account: Account
    margins: tuple[Margin, ...]
    numbers: tuple[NumberFacts, ...]
    weights: WeightFacts | None
    clusters: ClusterFacts | None
    deff: float | None
    checks: tuple[Check, ...]
    scales: tuple[ScaleFacts, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """JSON values; no count of respondents below the threshold."""
        return {
            **self.account.to_json(),
            "checks": [dict(vars(check)) for check in self.checks],
            "margins": [m.to_json() for m in self.margins],
            "numbers": [n.to_json() for n in self.numbers],
            "design_effects": {
                "weights": design.to_json(self.weights),
                "clusters": design.to_json(self.clusters),
                "median": self.deff,
            },
            "scales": [scale.to_json() for scale in self.scales],
        }


def describe_survey(
    respondents: Respondents,
    areas: AreaTable,
    frame: Frame | None,
    first: Collection[str] = (),
    without: Collection[str] = (),
    orders: Mapping[str, Sequence[str]] | None = None,
    scales: Mapping[str, Sequence[str]] | None = None,
) -> SurveyDescription:
    """Describe a survey.

    Parameters
    ----------
    respondents : Respondents
        As its reader gives them, with the account.
    first : collection of str
        Columns that stand first: those of the outcomes.
    without : collection of str
        Columns that are not described, such as who a respondent is.
    orders : mapping of column to categories, optional
        Categories in their order, where they have one.
    scales : mapping of name to columns, optional
        Items of the outcomes that have several.

    Raises
    ------
    ValueError
        The respondents come without an account.
    """
    account = respondents.account
    if account is None:
        raise ValueError(f"survey {respondents.name!r} has no account of how it was read")
    orders = orders or {}
    sample = SurveyDesign.of(respondents)
    found = [
        margin(name, respondents.table[name], sample, people, "frame" if people else "", orders.get(name, ()))
        for name in categorical(respondents)
        if name not in without
        for people in [frame_population(frame, name)]
    ]
    ordered = sorted(found, key=lambda m: (m.variable not in first, not m.source))
    rest = sum(bool(m.source) or m.variable in first for m in ordered)
    margins = (*ordered[:rest], *places(respondents, sample, areas, frame), *ordered[rest:])
    numbers = tuple(
        n for name in respondents.table if name not in without for n in _numbers(respondents.table[name], sample)
    )
    # where people live is what was sampled: its effects are those of no answer
    effects = [s.deff for m in margins if m.source != "areas" for s in m.shares if s.deff is not None]
    effects += [n.deff for n in numbers if n.deff is not None]
    declared = any(v is not None for v in (respondents.weight, respondents.psu, respondents.strata))
    made = tuple(
        describe_scale(name, respondents.table, items, orders, sample if declared else None)
        for name, items in (scales or {}).items()
    )
    checks = (*account.checks, *_checks(margins, respondents.weight is not None), *(scale.check() for scale in made))
    return SurveyDescription(
        account=account,
        margins=margins,
        numbers=numbers,
        weights=weight_facts(respondents),
        clusters=cluster_facts(respondents),
        deff=float(np.median(effects)) if effects else None,
        checks=checks,
        scales=made,
    )


def _numbers(values: pd.Series, sample: SurveyDesign) -> list[NumberFacts]:
    """The facts of a column of numbers; none where it is text or too few answered."""
    answered = values.notna().to_numpy()
    if not pd.api.types.is_numeric_dtype(values) or answered.sum() < THRESHOLD:
        return []
    numbers = values.to_numpy(dtype=float)
    row = sample.subset(answered).mean(numbers).iloc[0]
    se, deff = (float(v) if np.isfinite(v) else None for v in (row["se"], row["deff"]))
    told = numbers[answered]
    mean, sd = float(told.mean()), float(told.std(ddof=1))
    return [NumberFacts(str(values.name), int(answered.sum()), mean, sd, float(row["estimate"]), se, deff)]


def check_margins(respondents: Respondents, frame: Frame | None) -> tuple[Check, ...]:
    """Whether respondents have the frame's categories, and how far their shares are from it: one check a variable.

    Exchanged labels, such as those of the sexes, show here alone.
    """
    sample = SurveyDesign.of(respondents)
    found = [
        margin(name, respondents.table[name], sample, people, "frame")
        for name in categorical(respondents)
        if (people := frame_population(frame, name))
    ]
    return tuple(_checks(found, respondents.weight is not None))


def _checks(margins: Collection[Margin], weighted: bool) -> list[Check]:
    """Whether the categories are the population's, and how far the shares are from it."""
    return [_check(m, weighted) for m in margins if m.source]


def _check(margin: Margin, weighted: bool) -> Check:
    name, source = f"{margin.variable} beside the {margin.source}", margin.source
    if strange := margin.strange():
        return Check(name, "fail", f"{listing(strange)} of the survey is not in the {source}: mend one of the two")
    shares = "weighted shares" if weighted else "shares"
    gaps = margin.gaps(weighted)
    beyond = margin.beyond(weighted)
    far = bool(beyond)
    most = max(beyond or gaps, key=lambda pair: round(abs(pair[1]), 9), default=("", 0.0))
    found = []
    if lacking := margin.lacking():
        found.append(f"no respondent has {listing(lacking)}, which the {source} has")
    if far:
        way = "more" if most[1] > 0 else "less"
        found.append(
            f"of the {shares}, {most[0]!r} has {100 * abs(most[1]):.1f} points {way} than in the {source}, "
            "beyond 3 points and sampling error: are labels exchanged, or is the weight another one?"
        )
    elif gaps:
        found.append(f"the {shares} are within {100 * abs(most[1]):.1f} points of the population's")
        if not margin.told_apart(weighted):
            found.append(
                "were the labels of the two exchanged, it would not show here: compare them with the questions"
            )
    return Check(name, "warn" if far or lacking else "pass", "; ".join(found) or "its groups are too small to compare")
