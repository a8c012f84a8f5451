"""The truth of the three outcomes in every area of every level, for scoring."""

from __future__ import annotations

import numpy as np
import pandas as pd

from placewise.pipeline.example.adults import COUNTED
from placewise.pipeline.example.traits import Country
from placewise.pipeline.example.truth import by_level

LEVELS = ("oa", "lsoa", "msoa", "lad", "region")


def outcome_truths(country: Country, totals: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Truth of each outcome.

    Parameters
    ----------
    country : Country
    totals : DataFrame
        Sums by area, from `adults.census`.

    Returns
    -------
    dict of str to DataFrame
        ``belonging``, ``relationships``, ``satisfaction``; each ``area_level, area_code, population, truth`` and what
        else is known of the outcome, with the groups by which coverage is scored. ``truth`` is the share who belong
        very or fairly strongly, the mean score of the four items on neighbours, the share very or fairly satisfied.
    """
    levels = tuple(level for level in LEVELS if level in country.areas.columns)
    table = by_level(country.areas, totals.assign(adults=country.counts.sum(axis=(1, 2))), levels)
    table["area_level"] = table["area_level"].replace(dict(country.columns))
    people = table["adults"].to_numpy()
    mean = {name: np.round(table[name].to_numpy() / people, 6) for name in totals.columns}

    def shares(counts: list[str], least: int) -> dict[str, np.ndarray]:
        n = table[counts].to_numpy()
        steps = np.arange(1, len(counts) + 1)
        return {
            "truth": np.round(n[:, least:].sum(axis=1) / people, 6),
            **{f"n{k}": n[:, k - 1].astype(np.int64) for k in steps},
            "mean_score": np.round(n @ steps / people, 6),
        }

    columns = {
        "belonging": shares([f"n{k}" for k in range(1, 5)], 2) | {"score": mean["score_panel_belonging"]},
        "relationships": {
            "truth": mean["score_panel_relationships"],
            **{name: mean[name] for name in COUNTED if name != "belonging"},
        },
        "satisfaction": shares([f"s{k}" for k in range(1, 6)], 3),
    }
    start = table[["area_level", "area_code"]].assign(population=people)
    groups = table[["by_supergroup", "by_region"]]
    return {
        name: pd.concat([start, pd.DataFrame(own), pd.DataFrame({"latent": mean[f"latent_{name}"]}), groups], axis=1)
        for name, own in columns.items()
    }


def project_truth(country: Country, totals: pd.DataFrame) -> pd.DataFrame:
    """Truth of what the example's own models estimate, a column each.

    Parameters
    ----------
    country, totals
        As in `outcome_truths`.

    Returns
    -------
    DataFrame
        ``area_level, area_code, population``; ``belonging`` and ``relationships``, the mean score that adults are
        expected to have on the reference survey's items; ``satisfaction``, the share who are satisfied; ``belong``, the
        share who belong fairly or very strongly; ``chat`` and ``favours``, shares; and the groups by which coverage is
        scored.
    """
    table = by_level(country.areas, totals.assign(adults=country.counts.sum(axis=(1, 2))), LEVELS)
    people = table["adults"].to_numpy()
    sums = {
        "belonging": table["score_belonging"],
        "relationships": table["score_relationships"],
        "satisfaction": table["s4"] + table["s5"],
        "belong": table["n3"] + table["n4"],
        "chat": table["chat"],
        "favours": table["favours"],
    }
    means = {name: np.round(column.to_numpy() / people, 5) for name, column in sums.items()}
    start = table[["area_level", "area_code"]].assign(population=people)
    return pd.concat([start, pd.DataFrame(means), table[["by_supergroup", "by_region"]]], axis=1)
