"""How near estimates are to what is true of made-up areas, and whether their intervals hold it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from common.country import CODE
from common.exceedance import gaps_of
from common.world_study import rms
from placewise.diagnostics.score import build_truth
from placewise.diagnostics.score.numbers import calibration_error, covered
from placewise.estimates.predictor import Predictor
from placewise.estimates.projector import Projector
from placewise.estimates.summarise import Summary
from placewise.geography.areas import AreaTable


def truth_table(areas: AreaTable, share: np.ndarray) -> pd.DataFrame:
    """True shares of the areas and of every larger area, as the score takes them."""
    table = areas.table.assign(count=share * areas.weights, people=areas.weights)
    return build_truth(table, CODE, "count", "people", areas.levels, areas.classes)


def of_level(areas: AreaTable, level: str, values: np.ndarray) -> pd.Series:
    """Population-weighted means of areas' values within the areas of a level, by code."""
    code = areas.table[level].to_numpy(dtype=object)
    sums = pd.DataFrame({"value": values * areas.weights, "people": areas.weights}).groupby(code).sum()
    return sums["value"] / sums["people"]


def mean_and_cover(predictor: Predictor, truth: np.ndarray) -> tuple[np.ndarray, float]:
    """Posterior mean of every small area, shape (A,), and how many 90% intervals hold the truth."""
    projector, means, hits = Projector(predictor), [], []
    for rows in np.array_split(np.arange(len(truth)), max(1, len(truth) // 1000)):
        draws = projector.block(rows).values
        lower, upper = np.quantile(draws, (0.05, 0.95), axis=1)
        means.append(projector.origin + draws.mean(axis=1, dtype=np.float64))
        hits.append((truth[rows] - projector.origin >= lower) & (truth[rows] - projector.origin <= upper))
    return np.concatenate(means), float(np.concatenate(hits).mean())


def level_scores(fitted: Summary, level: str, truth: pd.Series, centre: float, spread: float) -> dict[str, float]:
    """Figures of one level, each named after it.

    Parameters
    ----------
    fitted : Summary
        Of an outcome of which more is better.
    level : str
        Of the estimates; the name of the small areas' own.
    truth : Series
        By code.
    centre, spread : float
        True population-weighted mean and sd of the small areas, which make the index.
    """
    rows = fitted.level(level)
    value = truth.loc[rows["area_code"]].to_numpy(dtype=np.float64)
    index = (value - centre) / spread
    numbers = {name: rows[name].to_numpy(dtype=np.float64) for name in rows.columns[rows.dtypes != "str"]}
    found = {
        "cov": covered(numbers["ci90_lower"], value, numbers["ci90_upper"]).mean(),
        "cov_index": covered(numbers["index_ci90_lower"], index, numbers["index_ci90_upper"]).mean(),
        "slope": np.polyfit(numbers["mean"], value, 1)[0],
        "rmse": rms(numbers["mean"] - value),
        "ece": calibration_error(numbers["p_above_national"], value > centre),
    }
    gaps = gaps_of(numbers["p_above_national"], value > centre, f"gap_{level}")
    return {f"{name}_{level}": float(x) for name, x in found.items()} | gaps
