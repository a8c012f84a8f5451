"""The neighbourhood cohesion scale: Buckner's instrument in its short form of eight items.

Official rule (Understanding Society, variable ``nbrsnci_dv``): the mean of the reversed items, to one decimal; missing
where more than half of the items of any domain are. How ties are rounded is not documented: halves go up here, and
what the study released is compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from placewise.surveys.account import Check, Verdict
from placewise.surveys.disclosure import THRESHOLD, told

ITEMS = tuple("abcdefgh")
DOMAINS: Mapping[str, str] = {
    "attraction to the neighbourhood": "f",
    "neighbouring": "cdh",
    "psychological sense of community": "abeg",
}
RELEASED = "nbrsnci_dv"
ITEM = "scopngbh{}"
CONFIRMED_WAVES = tuple("acfil")
LOWEST, HIGHEST = 1.0, 5.0

# Of respondents that differ for another reason than a tie: above it, the items are not those of the released scale.
TOLERATED = 0.01
_EQUAL = 1e-3
# Complete answers from which an item that does not go with the others is no chance.
ENOUGH = 100


def score(items: np.ndarray) -> np.ndarray:
    """Score of each respondent.

    Parameters
    ----------
    items : ndarray of float64, shape (n, 8)
        Items a to h, reversed: 5 is the most cohesion; NaN where there is no answer.

    Returns
    -------
    ndarray of float64, shape (n,)
        1.0 to 5.0 in tenths; NaN where more than half of a domain is missing.

    Examples
    --------
    >>> score(np.array([[4.0, 4, np.nan, 4, 4, 4, 4, 4], [4, 4, np.nan, np.nan, 4, 4, 4, 4]])).tolist()
    [4.0, nan]
    """
    # The mean is a multiple of 1/840: what is added cannot carry any but a tie over the half.
    return np.floor(_tenths(items) + 0.5 + 1e-9) / 10


@dataclass(frozen=True)
class Comparison:
    """The computed scale beside the released one.

    Parameters
    ----------
    compared : int
        Respondents with either.
    ties : int
        Differ by a tenth where the mean lies half-way between two tenths.
    values : int
        Differ otherwise.
    missing : int
        Have only one of the two.
    """

    compared: int
    ties: int
    values: int
    missing: int

    @property
    def mismatch(self) -> float:
        """Share of respondents for whom the two differ in any way."""
        return (self.ties + self.values + self.missing) / self.compared if self.compared else 0.0

    def check(self, wave: str) -> Check:
        """The comparison as a check of the account."""
        name, released = f"cohesion scale of wave {wave}", f"{wave}_{RELEASED}"
        if not self.compared:
            return Check(name, "warn", f"nobody has a score, neither computed nor released as {released}")
        if not self.mismatch:
            return Check(name, "pass", f"the computed scale is {released} for everyone who has either")
        unexplained = (self.values + self.missing) / self.compared
        verdict: Verdict = "pass" if not unexplained else "warn" if unexplained <= TOLERATED else "fail"
        message = (
            f"the computed scale differs from {released} for {self._told(self.ties + self.values + self.missing)}: "
            f"for {self._told(self.ties)} by the rounding of a tie, for {self._told(self.values)} otherwise, and "
            f"{self._told(self.missing)} have only one of the two"
        )
        return Check(name, verdict, message)

    def _told(self, count: int) -> str:
        if count < THRESHOLD:
            return f"{told(count)} respondents" if count else "nobody"
        return f"{count / self.compared:.2%} of respondents"


def compare(items: np.ndarray, released: np.ndarray) -> Comparison:
    """Compare the computed scale with the released one.

    Parameters
    ----------
    items : ndarray of float64, shape (n, 8)
        As in ``score``.
    released : ndarray of float64, shape (n,)
        ``nbrsnci_dv``, NaN where missing.
    """
    ours, tenths = score(items), _tenths(items)
    either, both = ~np.isnan(ours) | ~np.isnan(released), ~np.isnan(ours) & ~np.isnan(released)
    gap = np.abs(ours - released)
    differs = both & (gap > _EQUAL)
    rounding = differs & (np.abs(tenths % 1 - 0.5) < 1e-6) & (gap < 0.1 + _EQUAL)
    return Comparison(
        compared=int(either.sum()),
        ties=int(rounding.sum()),
        values=int((differs & ~rounding).sum()),
        missing=int((either & ~both).sum()),
    )


def direction(items: np.ndarray, wave: str) -> Check | None:
    """Whether each item goes with the others, as all eight ask for agreement with something good.

    Parameters
    ----------
    items : ndarray of float64, shape (n, 8)
        As in ``score``.

    Returns
    -------
    Check or None
        None with too few complete answers to tell.
    """
    complete = items[~np.isnan(items).any(axis=1)]
    if len(complete) < ENOUGH:
        return None
    name = f"direction of the items of wave {wave}"
    rest = complete.sum(axis=1, keepdims=True) - complete
    together = ((complete - complete.mean(axis=0)) * (rest - rest.mean(axis=0))).mean(axis=0)
    against = [ITEM.format(item) for item, c in zip(ITEMS, together, strict=True) if c <= 0]
    if against:
        return Check(name, "fail", f"in wave {wave}, {', '.join(against)} do not go with the other items")
    return Check(name, "pass", "each item goes with the sum of the others")


def _tenths(items: np.ndarray) -> np.ndarray:
    """Ten times the mean of the answered items, NaN where the rule gives no score; shape (n,)."""
    answered = ~np.isnan(items)
    enough = np.ones(len(items), dtype=bool)
    for domain in DOMAINS.values():
        at = [ITEMS.index(item) for item in domain]
        enough &= 2 * (~answered[:, at]).sum(axis=1) <= len(at)
    count = np.where(enough, answered.sum(axis=1), 1)
    return np.where(enough, 10 * np.nansum(items, axis=1) / count, np.nan)
