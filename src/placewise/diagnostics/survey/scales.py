"""Scales of several items in a survey: how reliable they are, as far as may be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from placewise.errors import PlacewiseError
from placewise.geography.codes import listing
from placewise.surveys.account import Check
from placewise.surveys.design import SurveyDesign
from placewise.surveys.disclosure import THRESHOLD, nearest_ten
from placewise.surveys.scale_quality import ScaleQuality, scale_quality


@dataclass(frozen=True)
class ScaleFacts:
    """What is told of one scale.

    Parameters
    ----------
    name : str
        Of its outcome.
    quality : ScaleQuality or None
    problem : str
        Why there is none; else empty.
    """

    name: str
    quality: ScaleQuality | None
    problem: str = ""

    def share_missing(self, item: int) -> float | None:
        """Weighted share without an answer to one item; None where few are."""
        if self.quality is None:
            return None
        row = (self.quality.weighted or self.quality.unweighted).table.iloc[item]
        return _share(float(row["share_missing"]), self.quality.respondents - int(row["answered"]))

    @property
    def share_scored(self) -> float | None:
        """Share of respondents with enough answers for a score; None where few have not."""
        if self.quality is None:
            return None
        unscored = round((1 - self.quality.share_scored) * self.quality.respondents)
        return _share(self.quality.share_scored, unscored)

    def check(self) -> Check:
        """Whether there is a scale, and its items agree in direction."""
        name = f"items of {self.name}"
        if self.quality is None:
            return Check(name, "warn", self.problem)
        if self.quality.against:
            return Check(
                name,
                "warn",
                f"{listing(self.quality.against)} runs against the others: turned round, or of another scale?",
            )
        return Check(name, "pass", "each item goes with the others")

    def to_json(self) -> dict[str, Any]:
        """JSON values; no count of respondents below the threshold, nor one that others would tell."""
        if self.quality is None:
            return {"name": self.name, "problem": self.problem}
        found = self.quality.to_dict()
        few = self.quality.respondents - self.quality.complete
        found |= {
            "respondents": nearest_ten(self.quality.respondents),
            "complete": nearest_ten(self.quality.complete),
            "share_complete": _share(self.quality.share_complete, few),
            "share_scored": self.share_scored,
        }
        for part in (found["unweighted"], found["weighted"]):
            for row in part["items"] if part else ():
                row["share_missing"] = _share(row["share_missing"], self.quality.respondents - row["answered"])
                row["answered"] = nearest_ten(row["answered"])
        return {"name": self.name, **found}


def describe_scale(
    name: str,
    table: pd.DataFrame,
    items: Sequence[str],
    order: Sequence[str] | Mapping[str, Sequence[str]],
    design: SurveyDesign | None,
) -> ScaleFacts:
    """Reliability of one scale.

    Parameters
    ----------
    name : str
        Of its outcome.
    table : DataFrame
        n rows, the respondents' columns.
    items : sequence of str
        Columns, numbers or categories.
    order : sequence of str, or mapping of item to one
        Categories, lowest first, scored 1, 2, …; needed where items are text.
    design : SurveyDesign or None
        Of the n respondents; None where the survey declares none.

    Returns
    -------
    ScaleFacts
        With the reason where the items make no scale.
    """
    lacking = [item for item in items if item not in table]
    if lacking:
        return ScaleFacts(name, None, f"no column {listing(lacking)}")
    own = order if isinstance(order, Mapping) else dict.fromkeys(items, order)
    try:
        scored = pd.DataFrame({item: _scored(table[item], own.get(item, ())) for item in items})
        return ScaleFacts(name, scale_quality(scored, design))
    except PlacewiseError as error:
        return ScaleFacts(name, None, "; ".join(problem.message for problem in error.problems))


def _scored(values: pd.Series, order: Sequence[str]) -> pd.Series:
    if pd.api.types.is_numeric_dtype(values) or not order:
        return values
    return values.map({category: score for score, category in enumerate(order, start=1)}).astype("float64")


def _share(share: float, few: int) -> float | None:
    return None if 0 < few < THRESHOLD else float(np.round(share, 4))
