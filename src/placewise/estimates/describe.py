"""Columns of ``estimates`` from rows of draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from placewise.estimates.grades import grade, reliability
from placewise.kernels.ranks import orient_ranks
from placewise.kernels.rowstats import row_moments, sorted_quantiles, standardise

NATIONAL, WHOLE = "national", "all"  # level and code of everybody
LEVELS = {"ci50": (0.25, 0.75), "ci90": (0.05, 0.95), "ci95": (0.025, 0.975)}
MEAN_COLUMNS = ("mean", "sd", *(f"{ci}_{end}" for ci in LEVELS for end in ("lower", "upper")))
INDEX_COLUMNS = ("index", "index_sd", *(f"index_{ci}_{end}" for ci in ("ci90", "ci95") for end in ("lower", "upper")))
RANK_COLUMNS = ("p_top_decile", "p_bottom_decile", "rank_median", "rank_ci90_lower", "rank_ci90_upper")
COLUMNS = (
    "area_code", "area_name", "area_level", "population", *MEAN_COLUMNS, *INDEX_COLUMNS, "p_above_national",
    *RANK_COLUMNS, "triple_goal", "reliability", "grade", "flag", "flag_reason",
)  # fmt: skip

_DECILES_FROM = 10  # areas: with fewer a tenth of them is less than one area

Columns = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Standard:
    """What the index is measured against: the base's small areas in each draw.

    Parameters
    ----------
    mean, sd : ndarray of float64, shape (S,)
        Population-weighted, over the base's small areas.
    polarity : int
        +1 higher is better, -1 lower is better.
    """

    mean: np.ndarray
    sd: np.ndarray
    polarity: int

    @property
    def scale(self) -> np.ndarray:
        """Factor of (value − mean), oriented; 0 in draws where all areas are equal."""
        return scale_of(self.sd, self.polarity)

    def moved(self, by: float) -> Standard:
        """The same for values from which ``by`` was subtracted."""
        return Standard(self.mean - by, self.sd, self.polarity)


def scale_of(sd: np.ndarray, polarity: int) -> np.ndarray:
    """±1 / sd, and 0 where sd is 0."""
    scale: np.ndarray = np.divide(float(polarity), sd, out=np.zeros_like(sd), where=sd > 0)
    return scale


def describe_values(values: np.ndarray, origin: float) -> Columns:
    """Mean, sd and intervals on the estimand's own scale; values float32, shape (B, S), less ``origin``."""
    mean, sd = row_moments(values)
    found = {"mean": mean + origin, "sd": sd}
    ordered = np.sort(values, axis=1)
    for name, ends in LEVELS.items():
        quantiles = sorted_quantiles(ordered, ends) + origin
        found[f"{name}_lower"], found[f"{name}_upper"] = quantiles[:, 0], quantiles[:, 1]
    return found


def describe_index(values: np.ndarray, standard: Standard, within: np.ndarray | None = None) -> Columns:
    """Index, its intervals, probability of being above, reliability and grade.

    Parameters
    ----------
    values : ndarray of float32, shape (B, S)
        On the scale of ``standard``.
    standard : Standard
    within : ndarray of float64, shape (S,), optional
        Standard deviation between the areas of these areas' own level, for their reliability; default that of the
        small areas. Where it is 0 in every draw there is nothing to tell apart: reliability is NaN.
    """
    index = np.empty_like(values)
    if within is None:
        own_sd, known = None, bool((standard.sd > 0).any())
    else:
        own_sd = standardise(values, standard.mean, scale_of(within, 1), index)[1]
        known = bool((within > 0).any())
    mean, sd, above = standardise(values, standard.mean, standard.scale, index)
    found = {"index": mean, "index_sd": sd, "p_above_national": above}
    index.sort(axis=1)
    for name in ("ci90", "ci95"):
        quantiles = sorted_quantiles(index, LEVELS[name])
        found[f"index_{name}_lower"], found[f"index_{name}_upper"] = quantiles[:, 0], quantiles[:, 1]
    found["grade"] = grade(found["index_ci90_upper"] - found["index_ci90_lower"])
    found["reliability"] = reliability(sd if own_sd is None else own_sd) if known else np.full(len(values), np.nan)
    return found


def describe_ranks(ranks: np.ndarray, n: int, polarity: int) -> Columns:
    """Ranks (1 = best) among n areas, deciles and, for the triple goal, the mean ascending rank.

    ``ranks`` holds ascending ranks, float32, shape (B, S), and is overwritten.
    """
    mean, top, bottom = orient_ranks(ranks, n, polarity > 0)
    ranks.sort(axis=1)
    quantiles = sorted_quantiles(ranks, (0.5, 0.05, 0.95))
    few = n < _DECILES_FROM
    return {
        "mean_rank": mean,
        "p_top_decile": np.full_like(top, np.nan) if few else top,
        "p_bottom_decile": np.full_like(bottom, np.nan) if few else bottom,
        "rank_median": quantiles[:, 0],
        "rank_ci90_lower": quantiles[:, 1],
        "rank_ci90_upper": quantiles[:, 2],
    }


def describe_whole(values: np.ndarray, index: np.ndarray) -> Columns:
    """The single row of a whole (nation, base) from its draws in float64, shape (S,)."""
    found = {"mean": values.mean(), "sd": values.std(ddof=1), "index": index.mean(), "index_sd": index.std(ddof=1)}
    for name, ends in LEVELS.items():
        found[f"{name}_lower"], found[f"{name}_upper"] = np.quantile(values, ends)
        if name != "ci50":
            found[f"index_{name}_lower"], found[f"index_{name}_upper"] = np.quantile(index, ends)
    return {name: np.array([value]) for name, value in found.items()}
