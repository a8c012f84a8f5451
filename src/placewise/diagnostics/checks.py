"""Posterior predictive checks by group."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binom

from placewise.diagnostics.convergence import Check, Verdict
from placewise.surveys.disclosure import THRESHOLD

IMPROBABLE = 0.01
SHOWN = 5


@dataclass(frozen=True, eq=False)
class PredictiveCheck:
    """What respondents of each group answered, beside what the model would have them answer.

    Parameters
    ----------
    grouping : str
        Column whose groups these are.
    table : DataFrame
        ``group, n, observed, predicted, lower, upper`` (90% predictive interval), ``p_value`` (share of replicated
        means below the observed one, ties counted half), ``inside``; groups of at least ten respondents.
    withheld : int
        Groups of fewer.
    item : str
        The question, where there are several; ``observed`` is then the mean answer to it.
    """

    grouping: str
    table: pd.DataFrame
    withheld: int
    item: str = ""

    @property
    def name(self) -> str:
        """The grouping, and of which question."""
        return f"{self.item} by {self.grouping}" if self.item else self.grouping

    def check(self) -> Check:
        """``warn`` where more groups lie outside than chance allows (probability below .01 if one in ten should)."""
        name = f"predictive: {self.name}"
        total, outside = len(self.table), int((~self.table["inside"]).sum())
        if not total:
            return Check(name, None, 0.9, "pass", f"No group of {self.grouping} has {THRESHOLD} respondents.")
        improbable = float(binom.sf(outside - 1, total, 0.1)) < IMPROBABLE
        sentence = (
            f"The answers{f' to {self.item!r}' if self.item else ''} of {total - outside} of {total} groups of "
            f"{self.grouping} lie inside the model's 90% "
            f"predictive intervals{': fewer than chance allows' if improbable else ''}."
        )
        distance = (self.table["p_value"] - 0.5).abs()
        worst = self.table.assign(distance=distance)[~self.table["inside"]].nlargest(SHOWN, "distance")["group"]
        verdict: Verdict = "warn" if improbable else "pass"
        return Check(name, 1 - outside / total, 0.9, verdict, sentence, tuple(map(str, worst)))


def group_means(values: np.ndarray, codes: np.ndarray) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Mean of respondents' values in every group.

    Parameters
    ----------
    values : ndarray of float, shape (…, n)
        Answers (n,) or fitted probabilities (S, n).
    codes : ndarray, shape (n,)
        Group of each respondent; those without one are left out.

    Returns
    -------
    labels : list of str
        The G groups, sorted.
    n : ndarray of int64, shape (G,)
    means : ndarray of float64, shape (…, G)
    """
    position, found = pd.factorize(np.asarray(codes, dtype=object), sort=True)
    order = np.argsort(position, kind="stable")
    order = order[position[order] >= 0]
    n = np.bincount(position[order], minlength=len(found))
    starts = np.concatenate([[0], np.cumsum(n)[:-1]])
    sums = np.add.reduceat(np.asarray(values, dtype=float)[..., order], starts, axis=-1)
    return [str(label) for label in found], n, sums / n


def predictive_check(
    grouping: str,
    labels: list[str],
    n: np.ndarray,
    observed: np.ndarray,
    fitted: np.ndarray,
    *,
    seed: int,
    variance: np.ndarray | None = None,
    threshold: int = THRESHOLD,
    item: str = "",
) -> PredictiveCheck:
    """Compare the unweighted sample with replicates of the same people answering anew.

    Parameters
    ----------
    grouping : str
    labels : list of str, length G
    n : ndarray of int64, shape (G,)
        Respondents (or trials) in each group.
    observed : ndarray of float64, shape (G,)
        Their mean answer.
    fitted : ndarray of float64, shape (S, G)
        Mean of their fitted answers in each draw.
    seed : int
        With the grouping's name it makes the replicates, always the same.
    variance : ndarray of float64, shape (S, G), or None
        Mean variance of one answer, for means; a share is drawn as binomial, a little too wide where people differ.
    threshold : int
        Groups of fewer respondents are withheld.
    item : str
        The question, where there are several.
    """
    rng = np.random.default_rng([seed, zlib.crc32(f"{item}{grouping}".encode())])
    if variance is None:
        replicated = rng.binomial(n, np.clip(fitted, 0.0, 1.0)) / n
    else:
        replicated = fitted + rng.standard_normal(fitted.shape) * np.sqrt(variance / n)
    lower, upper = np.quantile(replicated, [0.05, 0.95], axis=0)
    below = np.mean(replicated < observed - 1e-12, axis=0)
    tied = np.mean(np.abs(replicated - observed) <= 1e-12, axis=0)
    table = pd.DataFrame(
        {
            "group": labels,
            "n": n,
            "observed": observed,
            "predicted": fitted.mean(axis=0),
            "lower": lower,
            "upper": upper,
            "p_value": below + tied / 2,
            "inside": (observed >= lower - 1e-12) & (observed <= upper + 1e-12),
        }
    )
    large = table["n"] >= threshold
    return PredictiveCheck(grouping, table[large].reset_index(drop=True), int((~large).sum()), item)
