"""Numbers and names in words: rounded to what the interval supports, levels called what people call them."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from placewise.geography.level_names import AUTHORITY
from placewise.publish.context import EstimandKind

_LEVELS: tuple[tuple[str, str, str], ...] = (
    (r"oa\d*(cd)?", "output area", "output areas"),
    (r"lsoa\d*(cd)?", "neighbourhood (LSOA)", "neighbourhoods (LSOAs)"),
    (r"msoa\d*(cd)?", "middle layer area (MSOA)", "middle layer areas (MSOAs)"),
    (AUTHORITY, "local authority", "local authorities"),
    (r"utla\d*(cd)?", "upper-tier authority", "upper-tier authorities"),
    (r"wd\d*(cd)?|ward", "ward", "wards"),
    (r"(rgn|region)\d*(cd)?", "region", "regions"),
    (r"(ctry|country)\d*(cd)?", "country", "countries"),
    (r"state", "state", "states"),
    (r"county", "county", "counties"),
    (r"district", "district", "districts"),
)

FAMILIES = {
    "bernoulli": "logistic regression",
    "binomial": "logistic regression",
    "cumulative": "ordinal regression",
    "gaussian": "linear regression",
    "poisson": "Poisson regression",
    "graded_response": "graded response model",
}

ENGINES = {
    "laplace": "nested Laplace approximation corrected by importance weights (laplace)",
    "nuts": "Markov chain Monte Carlo, No-U-Turn sampler (nuts)",
}

# standard deviations that are of no grouping
SDS = {
    "category_specific": "slopes from one step of the answers to the next",
    "area_scale": "sizes of the areas' own effects from class to class, on the log scale",
}

CHECKS = {
    "finite": "draws that are not finite numbers",
    "rhat": "largest R-hat",
    "ess_bulk": "smallest bulk ESS",
    "ess_tail": "smallest tail ESS",
    "bfmi": "smallest E-BFMI",
    "khat": "Pareto k of the importance weights",
    "importance_ess": "draws that the importance weights are worth",
    "design_ess": "points that the hyperparameters rest on",
    "joint_importance_ess": "draws that the weights which couple the outcomes are worth",
    "joint_khat": "Pareto k of the weights that couple the outcomes",
    "joint_gaussian": "how far the outcomes' answers are from gaussian, in standard deviations",
    "separation": "slopes that only the prior holds",
    "below_link": "differences between areas that the answers cannot tell apart, beside those between their groups",
    "within_link_spread": "how much the known facts differ inside the groups that respondents tell",
    "prior: spread": "weight of the priors on differences larger than in any outcome known",
    "prior: conflict": "prior probability of being as far out as what the answers say",
    "weights: national": "move of the national figure with survey weights, in its own uncertainty",
    "weights: areas": "largest move of a larger area with survey weights, in its own uncertainty",
}

# checks of each survey beside the reference
SURVEYS = "surveys: "
PREDICTIVE = "predictive: "

# on which side of its limit a check passes
LIMITS = {
    "finite": "at most",
    "rhat": "below",
    "ess_bulk": "at least",
    "ess_tail": "at least",
    "divergences": "at most",
    "bfmi": "at least",
    "khat": "below",
    "joint_importance_ess": "at least",
    "joint_khat": "below",
    "joint_gaussian": "at most",
    "importance_ess": "at least",
    "design_ess": "at least",
    "draws": "at least",
    "separation": "at most",
    "crossed_cutpoints": "at most",
    "within_link_spread": "at most",
    "prior: spread": "at most",
    "prior: conflict": "at least",
    "weights: national": "at most",
    "weights: areas": "at most",
}

# how to read the checks of the computation, by engine
CHECKS_NOTES = {
    "laplace": "the model is fitted by an approximation, whose draws are weighted by how far it is from the exact "
    "answer and drawn again by those weights. These figures say whether the weights can be relied on",
    "nuts": "the model is fitted by simulation, run several times from different starts. These figures say whether the "
    "runs agree and are long enough",
    "": "these figures say whether the draws can be relied on",
}

GRADES = {
    "A": "the interval is narrow beside the differences between areas: the figure can be quoted with its interval",
    "B": "a good figure, best quoted with its interval",
    "C": "a fair figure: read it as a range, not as a point",
    "D": "a rough figure: it shows the general position only",
    "E": "a very rough figure: use it together with others, or use the larger area instead",
    "F": "too uncertain to quote for this area alone; use the larger area instead",
}

FLAGS = {
    "small_population": "fewer than 50 people live here, so the figure depends much on chance",
    "low_reliability": "the estimate says little about this area beyond the average of areas like it",
    "extrapolated": "the survey does not cover places like this one: the figure is carried over from elsewhere",
    "imputed": "some facts about this area were missing and have been filled in",
    "failed_checks": "the computation failed its own checks, so this figure is not for use",
}


def level_words(column: str) -> tuple[str, str]:
    """How one area and many areas of a level are called, from its column's name."""
    name = column.lower()
    for pattern, one, many in _LEVELS:
        if re.fullmatch(pattern, name):
            return one, many
    plain = name.replace("_", " ")
    return f"{plain} area", f"{plain} areas"


def label_words(name: str) -> str:
    """A column's or group's name as a label: underscores become spaces, ``a:b`` becomes ``a by b``."""
    return name.replace(":", " by ").replace("_", " ")


def check_words(name: str) -> str:
    """A check's name in ``diagnostics.json`` as a label."""
    if name.startswith(SURVEYS):
        return f"areas where {label_words(name.removeprefix(SURVEYS))} departs from the reference survey unexpectedly"
    if name.startswith(PREDICTIVE):
        item, _, grouping = name.removeprefix(PREDICTIVE).rpartition(" by ")
        asked = f"answers to “{item.replace(':', ': ')}”" if item else "answers"
        return f"{asked} foreseen, by {label_words(grouping)}"
    return CHECKS.get(name) or label_words(name)


def limit_words(name: str) -> str:
    """On which side of its limit a check passes; empty where that is not known."""
    if name.startswith(SURVEYS):
        return "at most"
    return "about" if name.startswith(PREDICTIVE) else LIMITS.get(name, "")


def count(number: float) -> str:
    """A whole number with thousands separators."""
    return f"{round(number):,}"


def rounded(number: float) -> int:
    """A count as it is told: three significant digits from 10,000 up, as it is below."""
    whole = round(number)
    if whole < 10_000:
        return whole
    unit = 10 ** (len(str(whole)) - 3)
    return int(round(whole / unit) * unit)


def percent(share: float) -> str:
    """A share of a whole, in whole per cent, never a false 0% or 100%."""
    if 0 < share < 0.01:
        return "less than 1%"
    if 0.99 < share < 1:
        return "more than 99%"
    return f"{100 * share:.0f}%"


def probability(p: float) -> str:
    """A probability from a finite number of draws: none is ever nought or certain."""
    if p < 0.01:
        return "less than 1%"
    return "more than 99%" if p > 0.99 else f"{100 * p:.0f}%"


def sentence_case(text: str) -> str:
    """The text with a capital first letter, the rest as it is."""
    return text[:1].upper() + text[1:]


def joined(parts: list[str]) -> str:
    """Parts as a list in a sentence: "a, b and c"."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


@dataclass(frozen=True)
class Scale:
    """How figures of one estimand are written.

    Parameters
    ----------
    kind : {"share", "mean", "latent"}
        A share is written in per cent.
    """

    kind: EstimandKind

    @property
    def factor(self) -> float:
        """From the estimand's own scale to the scale shown."""
        return 100.0 if self.kind == "share" else 1.0

    @property
    def unit(self) -> str:
        """What stands behind a number."""
        return "%" if self.kind == "share" else ""

    def decimals(self, width: float) -> int:
        """Decimals that an interval of this width supports; negative where tens or hundreds are rounded.

        A share has whole per cents from an interval of two points up, and never more than one decimal; other figures
        are rounded to about a tenth of the interval.
        """
        shown = abs(width) * self.factor / (2.0 if self.kind == "share" else 10.0)
        if not math.isfinite(shown) or shown <= 0:
            return 1
        needed = math.ceil(-math.log10(shown) - 1e-9)
        return min(max(needed, 0), 1) if self.kind == "share" else min(needed, 4)

    def number(self, value: float, width: float) -> str:
        """One figure, rounded to what an interval of this width supports."""
        if not math.isfinite(value):
            return "not known"
        decimals = self.decimals(width)
        shown = round(value * self.factor, decimals) + 0.0
        return f"{shown:,.{max(decimals, 0)}f}{self.unit}".replace("-", "−")

    def interval(self, lower: float, upper: float, width: float | None = None) -> str:
        """An interval: "61% to 75%"; rounded to what an interval of ``width`` supports, else to what it does itself."""
        width = upper - lower if width is None else width
        return f"{self.number(lower, width)} to {self.number(upper, width)}"

    def estimate(self, mean: float, lower: float, upper: float, width: float | None = None) -> str:
        """A figure and its interval: "68% (61% to 75%)"; ``width`` as in ``interval``."""
        width = upper - lower if width is None else width
        return f"{self.number(mean, width)} ({self.interval(lower, upper, width)})"


def typical(widths: Iterable[float]) -> float:
    """The width in the middle, by which all figures of a column are rounded alike; NaN where none is known.

    Examples
    --------
    >>> typical([0.1, 0.3, 0.2, float("nan")])
    0.2
    """
    known = [float(width) for width in widths if math.isfinite(width)]
    return statistics.median(known) if known else math.nan


def even(values: Iterable[float], digits: int = 3) -> list[str]:
    """Numbers with as many decimals as give the largest this many digits; "not known" where one is no number.

    Examples
    --------
    >>> even([0.158, 0.0822, float("nan")])
    ['0.158', '0.082', 'not known']
    """
    numbers = [float(value) for value in values]
    largest = max((abs(x) for x in numbers if math.isfinite(x)), default=0.0)
    decimals = max(digits - 1 - math.floor(math.log10(largest)), 0) if largest > 0 else 0
    return [f"{x:,.{decimals}f}".replace("-", "−") if math.isfinite(x) else "not known" for x in numbers]
